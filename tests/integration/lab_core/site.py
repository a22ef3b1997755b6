"""Two appliances in the lab, made by hand, with an application that clients can ask for."""

from __future__ import annotations

from typing import Any

import requests

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
        nitro = Nitro(self.lab, address_of(instance, 0))
        wait_for(nitro.answers, f"NITRO answers at {nitro.address}", seconds=30)
        assert nitro.login(instance["InstanceId"]) == 1046
        assert nitro.login(instance["InstanceId"], PASSWORD) == 0
        assert nitro.login(PASSWORD) == 0
        nitro.post("nsfeature", {"feature": ["LB"]}, action="enable")
        nitro.post("nsip", {"ipaddress": address_of(instance, 1), "netmask": "255.255.255.0", "type": "VIP"})
        self._route(nitro, instance)
        vserver = {"name": "web", "servicetype": "HTTP", "ipv46": address_of(instance, 1), "port": self.port}
        nitro.post("lbvserver", vserver)
        for number, backend in enumerate(self.variables["ha_pair_application"]["backends"]):
            service = {"name": f"s{number}", "ip": backend["address"], "servicetype": "HTTP", "port": backend["port"]}
            nitro.post("service", service)
            nitro.put("lbvserver_service_binding", {"name": "web", "servicename": f"s{number}"})
        nitro.post("nsconfig", {}, action="save")
        return nitro

    def _route(self, nitro: Nitro, instance: dict[str, Any]) -> None:
        """The way to the back ends by the server interface, and the way back to clients."""
        server = address_of(instance, 2)
        back_end = self.variables["ha_pair_application"]["backends"][0]["address"]
        nitro.post("nsip", {"ipaddress": server, "netmask": "255.255.255.0", "type": "SNIP"})
        route = {"network": neighbour(back_end, 0), "netmask": "255.255.255.0", "gateway": neighbour(server, 1)}
        nitro.post("route", route)
        nitro.post("nsmode", {"mode": ["MBF"]}, action="enable")

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


def neighbour(address: str, last: int) -> str:
    """Another address of the same /24."""
    return f"{address.rpartition('.')[0]}.{last}"


def address_of(instance: dict[str, Any], index: int) -> str:
    return next(
        str(interface["PrivateIpAddress"])
        for interface in instance["NetworkInterfaces"]
        if interface["Attachment"]["DeviceIndex"] == index
    )
