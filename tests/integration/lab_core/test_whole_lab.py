"""The lab's rooms together, over the wire: machines from EC2, configuration by NITRO, clients at the Elastic IP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.integration.lab_core.standins import connected, is_silent, meets_reset
from tests.lab import traffic
from tests.lab.client import LabClient, wait_for

PASSWORD = "Correct-Horse-1"


class Nitro:
    """An appliance's API with plain requests: a session that is opened once."""

    def __init__(self, lab: LabClient, address: str) -> None:
        self.address = address
        self.base = f"https://{address}:{lab.nitro_port}/nitro/v1"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = lab.ca_path

    def answers(self) -> bool:
        try:
            return self.http.get(f"{self.base}/config/nsversion", timeout=2).status_code in (401, 403)
        except requests.exceptions.RequestException:
            return False

    def login(self, password: str, new_password: str | None = None) -> int:
        login = {"username": "nsroot", "password": password} | ({"new_password": new_password} if new_password else {})
        answer = self.http.post(f"{self.base}/config/login", json={"login": login}, timeout=5)
        token = answer.json().get("sessionid")
        if token:
            self.http.headers["Cookie"] = f"NITRO_AUTH_TOKEN={token}"
        return int(answer.json()["errorcode"])

    def post(self, resource: str, body: dict[str, Any], action: str | None = None) -> None:
        params = {"action": action} if action else {}
        answer = self.http.post(f"{self.base}/config/{resource}", json={resource: body}, params=params, timeout=5)
        assert answer.ok, answer.text

    def put(self, resource: str, body: dict[str, Any]) -> None:
        answer = self.http.put(f"{self.base}/config/{resource}", json={resource: body}, timeout=5)
        assert answer.ok, answer.text


class Site:
    """Two appliances, each with a web application at its client address, and an Elastic IP."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.ec2 = lab.boto("ec2")
        seed = lab.state()["seed_data"]
        group = self.ec2.create_security_group(GroupName="site", Description="site", VpcId=seed["vpc_id"])["GroupId"]
        self.group = group
        self.variables = lab.variables("ha_pair")
        self.port: int = self.variables["ha_pair_application"]["port"]
        self.open_port()
        self.instances = [self._launch(seed["image_id"], node) for node in self.variables["ha_pair_nodes"]]
        self.nodes = [self._configure(instance) for instance in self.instances]
        self.eip = self.ec2.allocate_address(Domain="vpc")

    def open_port(self) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[self._rule()])

    def close_port(self) -> None:
        self.ec2.revoke_security_group_ingress(GroupId=self.group, IpPermissions=[self._rule()])

    def _rule(self) -> dict[str, Any]:
        everywhere = [{"CidrIp": "0.0.0.0/0"}]
        return {"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port, "IpRanges": everywhere}

    def _launch(self, image_id: str, node: dict[str, str]) -> dict[str, Any]:
        roles = ("management", "client", "server")
        interfaces = [
            {"DeviceIndex": index, "SubnetId": node[f"{role}_subnet_id"], "Groups": [self.group]}
            for index, role in enumerate(roles)
        ]
        answer = self.ec2.run_instances(
            ImageId=image_id, InstanceType="m5.xlarge", MinCount=1, MaxCount=1, NetworkInterfaces=interfaces
        )
        found: dict[str, Any] = answer["Instances"][0]
        return found

    def _configure(self, instance: dict[str, Any]) -> Nitro:
        nitro = Nitro(self.lab, _address(instance, 0))
        wait_for(nitro.answers, f"NITRO answers at {nitro.address}", seconds=30)
        assert nitro.login(instance["InstanceId"]) == 1046
        assert nitro.login(instance["InstanceId"], PASSWORD) == 0
        assert nitro.login(PASSWORD) == 0
        nitro.post("nsfeature", {"feature": ["LB"]}, action="enable")
        nitro.post("nsip", {"ipaddress": _address(instance, 1), "netmask": "255.255.255.0", "type": "VIP"})
        vserver = {"name": "web", "servicetype": "HTTP", "ipv46": _address(instance, 1), "port": self.port}
        nitro.post("lbvserver", vserver)
        for number, backend in enumerate(self.variables["ha_pair_application"]["backends"]):
            service = {"name": f"s{number}", "ip": backend["address"], "servicetype": "HTTP", "port": backend["port"]}
            nitro.post("service", service)
            nitro.put("lbvserver_service_binding", {"name": "web", "servicename": f"s{number}"})
        nitro.post("nsconfig", {}, action="save")
        return nitro

    def associate(self, number: int) -> str:
        interface = next(i for i in self.instances[number]["NetworkInterfaces"] if i["Attachment"]["DeviceIndex"] == 1)
        self.ec2.associate_address(
            AllocationId=self.eip["AllocationId"],
            NetworkInterfaceId=interface["NetworkInterfaceId"],
            PrivateIpAddress=interface["PrivateIpAddress"],
            AllowReassociation=True,
        )
        return str(self.eip["PublicIp"])

    def ask(self, address: str, timeout: float = 2.0) -> str:
        with requests.Session() as http:
            http.trust_env = False
            return http.get(f"http://{address}:{self.port}/", timeout=timeout).text

    def serves(self, address: str) -> bool:
        try:
            return self.ask(address).startswith("backend-")
        except requests.exceptions.RequestException:
            return False


def _address(instance: dict[str, Any], index: int) -> str:
    return next(
        str(interface["PrivateIpAddress"])
        for interface in instance["NetworkInterfaces"]
        if interface["Attachment"]["DeviceIndex"] == index
    )


@pytest.fixture(scope="module")
def site(lab: LabClient) -> Iterator[Site]:
    lab.reset()
    lab.pace(60)
    yield Site(lab)
    lab.reset()


@pytest.fixture
def eip(site: Site) -> str:
    """The Elastic IP, on the first appliance, and answered there."""
    address = site.associate(0)
    wait_for(lambda: site.serves(address), f"the Elastic IP answers; {site.lab.state()['dataplane']}")
    return address


def test_clients_at_the_elastic_ip_reach_the_back_ends_in_turn(site: Site, eip: str) -> None:
    assert {site.ask(eip).strip() for _turn in range(4)} == {"backend-1", "backend-2"}
    assert site.serves(_address(site.instances[0], 1))


def test_a_back_end_that_is_down_is_left_out(site: Site, eip: str) -> None:
    site.lab.backend("backend-1", up=False)
    try:
        assert {site.ask(eip).strip() for _turn in range(4)} == {"backend-2"}
    finally:
        site.lab.backend("backend-1", up=True)
    wait_for(lambda: site.ask(eip).strip() == "backend-1", "it takes its turn again")


def test_only_the_vserver_port_of_the_vip_answers(site: Site) -> None:
    assert meets_reset(_address(site.instances[0], 1), site.lab.nitro_port)


def test_the_security_group_decides(site: Site, eip: str) -> None:
    site.close_port()
    try:
        with connected(eip, site.port) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert is_silent(connection, 0.4)
    finally:
        site.open_port()
    assert site.serves(eip)


def test_an_association_that_moves_is_an_outage_as_short_as_the_move(site: Site, eip: str) -> None:
    with traffic.Sender(traffic.Aim(eip, site.port), site.lab.directory / "traffic.json") as sender:
        for number in (1, 0, 1):
            site.associate(number)
            wait_for(lambda: site.serves(eip), "it is served")
        report = sender.stop()
    outage = report.longest_outage()
    assert outage is not None
    assert outage.seconds < 1.0, report.sentence()


def test_a_machine_without_power_is_silent_and_a_move_repairs(site: Site, eip: str) -> None:
    victim = site.instances[0]["InstanceId"]
    site.lab.power(victim, on=False)
    try:
        for address, port in ((eip, site.port), (site.nodes[0].address, site.lab.nitro_port)):
            with connected(address, port) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert is_silent(connection, 0.4)
        assert site.serves(site.associate(1))
    finally:
        site.lab.power(victim, on=True)
    wait_for(site.nodes[0].answers, "the appliance is back", seconds=30)
    site.associate(0)
    wait_for(lambda: site.serves(eip), "it serves what it had saved")


def test_load_is_set_for_all_a_zone_or_one(site: Site) -> None:
    ids = [instance["InstanceId"] for instance in site.instances]
    zones = [instance["Placement"]["AvailabilityZone"] for instance in site.instances]
    assert sorted(site.lab.load(all=True, cpu=10)) == sorted(ids)
    assert site.lab.load(zone=zones[1], memory=91.5) == [ids[1]]
    assert site.lab.load(instance_id=ids[0], throughput=12, connections=4) == [ids[0]]
    assert site.lab.load(zone="eu-central-1c", cpu=50) == []


def test_nitro_calls_are_logged_with_their_address(site: Site, eip: str) -> None:
    calls = site.lab.calls(side="nitro")
    assert {call.address for call in calls} >= {node.address for node in site.nodes}
    operations = [call.op for call in site.lab.writes(side="nitro")]
    assert any("lbvserver" in operation for operation in operations)
    assert not any("login" in operation for operation in operations)
    assert PASSWORD not in (site.lab.directory / "calls.jsonl").read_text()
    assert PASSWORD not in json.dumps(site.lab.state())
    assert site.lab.state()["ticker_failures"] == {}
