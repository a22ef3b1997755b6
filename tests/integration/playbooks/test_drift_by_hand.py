"""Changes by hand to a pair in service: each is reported, in check mode as well, and repaired by the next run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.crash.lab_states import PAIR
from tests.lab.client import LabClient
from tests.observe import Node, Observer
from tests.stage import Stage

PACE = 300
#: What a run writes that changes nothing of a node's service.
HARMLESS = {"POST /config/nsconfig?action=save"}


class Hand:
    """A person with AWS's console and the appliances' GUI."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.ec2 = lab.boto("ec2")
        self.variables = lab.variables("ha_pair")
        self.application = str(self.variables["ha_pair_application"]["name"])
        observer = Observer(lab)
        self.primary: Node = observer.primary()
        self.secondary: Node = next(node for node in observer.nodes() if node.nsip != self.primary.nsip)

    def nitro(self, method: str, path: str, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Send one request to the primary, and return the rows of the answer."""
        answer = requests.request(
            method,
            f"https://{self.primary.nsip}:{self.variables['ha_pair_nitro_port']}/nitro/v1/config/{path}",
            headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": self.variables["ha_pair_password"]},
            json=body,
            verify=self.variables["ha_pair_ca_path"],
            timeout=5,
        )
        answer.raise_for_status()
        rows: list[dict[str, Any]] = (answer.json() if answer.content else {}).get(path.partition("/")[0], [])
        return rows

    def group(self, role: str) -> str:
        """Return the id of a security group of the pair."""
        name = f"{self.variables['ha_pair_name']}-{role}"
        found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])
        return str(found["SecurityGroups"][0]["GroupId"])

    def groups_of(self, interface: str) -> list[str]:
        [found] = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        return [str(one["GroupId"]) for one in found["Groups"]]

    def rules(self, role: str) -> list[dict[str, Any]]:
        [found] = self.ec2.describe_security_groups(GroupIds=[self.group(role)])["SecurityGroups"]
        return list(found["IpPermissions"])

    def profile(self, node: Node) -> str:
        [reservation] = self.ec2.describe_instances(InstanceIds=[node.instance_id])["Reservations"]
        return str((reservation["Instances"][0].get("IamInstanceProfile") or {}).get("Arn", ""))

    def tags(self, node: Node) -> dict[str, str]:
        found = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [node.instance_id]}])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    # Changes

    def open_a_port(self) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.group("client"), IpPermissions=[rule])

    def close_file_synchronisation(self) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        pairs = [{"GroupId": self.group("management")}]
        self.ec2.revoke_security_group_ingress(
            GroupId=self.group("management"), IpPermissions=[{**rule, "UserIdGroupPairs": pairs}]
        )

    def exchange_security_groups(self) -> None:
        self.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=self.secondary.client_interface, Groups=[self.group("management")]
        )

    def take_the_profile_away(self) -> None:
        where = [{"Name": "instance-id", "Values": [self.secondary.instance_id]}]
        [found] = self.ec2.describe_iam_instance_profile_associations(Filters=where)["IamInstanceProfileAssociations"]
        self.ec2.disassociate_iam_instance_profile(AssociationId=found["AssociationId"])

    def delete_a_tag(self) -> None:
        self.ec2.delete_tags(Resources=[self.secondary.instance_id], Tags=[{"Key": "purpose"}])

    def move_the_address(self) -> None:
        [address] = [one for one in self.ec2.describe_addresses()["Addresses"] if one.get("Tags")]
        self.ec2.associate_address(
            AllocationId=address["AllocationId"],
            NetworkInterfaceId=self.secondary.client_interface,
            PrivateIpAddress=self.secondary.client_address,
            AllowReassociation=True,
        )

    def disable_a_feature(self) -> None:
        self.nitro("POST", "nsfeature?action=disable", {"nsfeature": {"feature": ["SSL"]}})

    def switch_mbf_off(self) -> None:
        self.nitro("POST", "nsmode?action=disable", {"nsmode": {"mode": ["MBF"]}})

    def disable_the_virtual_server(self) -> None:
        self.nitro("POST", "lbvserver?action=disable", {"lbvserver": {"name": self.application}})

    def remove_an_address_of_the_ipset(self) -> None:
        address = self.secondary.client_address
        self.nitro("DELETE", f"ipset_nsip_binding/{self.variables['ha_pair_ipset']}?args=ipaddress:{address}")

    def remove_a_back_end(self) -> None:
        [first, *_rest] = self.variables["ha_pair_application"]["backends"]
        path = f"servicegroup_servicegroupmember_binding/{self.application}-sg"
        self.nitro("DELETE", f"{path}?args=servername:{first['address']},port:{first['port']}")

    def repaired(self) -> dict[str, bool]:
        """Return whether each change is undone."""
        [address] = Observer(self.lab).elastic_ips()
        features = self.nitro("GET", "nsfeature")
        modes = self.nitro("GET", "nsmode")
        ports = [rule.get("FromPort") for rule in self.rules("client")]
        return {
            "port closed": 3389 not in ports,
            "file synchronisation": any(
                rule.get("FromPort") == 22 and rule["UserIdGroupPairs"] for rule in self.rules("management")
            ),
            "security groups": self.groups_of(self.secondary.client_interface) == [self.group("client")],
            "profile": self.profile(self.secondary).endswith(f"{self.variables['ha_pair_name']}-vpx"),
            "tag": self.tags(self.secondary).get("purpose") == "lab",
            "address": address.interface == self.primary.client_interface,
            "feature": "SSL" in json.dumps(features),
            "mbf": "MBF" in json.dumps(modes),
            "virtual server": self.nitro("GET", f"lbvserver/{self.application}")[0]["curstate"] != "OUT OF SERVICE",
            "IPSet": len(self.nitro("GET", f"ipset_nsip_binding/{self.variables['ha_pair_ipset']}")) == 2,
            "back ends": len(self.nitro("GET", f"servicegroup_servicegroupmember_binding/{self.application}-sg")) == 2,
        }


CHANGES: list[Callable[[Hand], None]] = [
    Hand.open_a_port,
    Hand.close_file_synchronisation,
    Hand.exchange_security_groups,
    Hand.take_the_profile_away,
    Hand.delete_a_tag,
    Hand.move_the_address,
    Hand.disable_a_feature,
    Hand.switch_mbf_off,
    Hand.disable_the_virtual_server,
    Hand.remove_an_address_of_the_ipset,
    Hand.remove_a_back_end,
]


@pytest.fixture
def stage(lab: LabClient) -> Stage:
    """Return a pair in service, its node 0 primary."""
    stage = Stage(lab, quick=True)
    lab.pace(PACE)
    PAIR.set_up(stage)
    lab.pace(PACE)
    return stage


def said(run: Any) -> str:
    return " ".join(run.text().split())


@pytest.mark.timeout(900)
def test_eleven_changes_by_hand_are_reported_and_repaired(stage: Stage) -> None:
    hand = Hand(stage.lab)
    assert all(hand.repaired().values())
    for change in CHANGES:
        change(hand)
    assert not any(hand.repaired().values())

    other = f"Node {hand.secondary.node_id} ({hand.secondary.instance_id})"
    of_aws = [
        "The playbook ha_pair will revoke tcp 3389 from 0.0.0.0/0 in security group lab-pair-client.",
        "The playbook ha_pair will allow tcp 22 from lab-pair-management in security group lab-pair-management.",
        f"{other}: security_groups of its interface {hand.secondary.client_interface} is {hand.group('management')}, "
        f"defined is {hand.group('client')}. The playbook ha_pair sets it.",
        f"{other}: instance profile is none, defined is lab-pair-vpx. The playbook ha_pair sets it.",
        f"{other}: tags is not set, defined is purpose=lab. The playbook ha_pair sets them.",
        f"{other}: instance type is m5.xlarge, defined is m5.2xlarge. A new node is needed: ansible-playbook "
        "cloudadc.aws.ha_pair with the variables of the pair and "
        f"-e ha_pair_replace_node={hand.secondary.instance_id}.",
    ]
    before = len(stage.lab.writes())
    check = said(stage.play("ha_pair", "--check", "-e", "ha_pair_instance_type=m5.2xlarge"))
    assert stage.lab.writes()[before:] == []
    for message in of_aws:
        assert check.count(message) >= 2, message  # a warning of its own, and a line of the summary
    settings = ["features_missing", "return_path", "addresses", "enabled", "backends"]
    for setting in settings:
        assert f": {setting}" in check.partition("would repair")[2], setting

    run = said(stage.play("ha_pair"))
    assert hand.repaired() == dict.fromkeys(hand.repaired(), True)
    assert f"repaired: {other}: instance profile was none" in run
    for setting in settings:
        assert f": {setting}" in run.partition("repaired first configuration")[2], setting

    before = len(stage.lab.writes())
    again = said(stage.play("ha_pair"))
    assert {call.op for call in stage.lab.writes()[before:]} <= HARMLESS
    assert "repaired" not in again
    assert '"drift: ' not in again


@pytest.mark.timeout(900)
def test_detached_interface_stops_the_run_before_the_first_write(stage: Stage) -> None:
    hand = Hand(stage.lab)
    where = {"NetworkInterfaceIds": [hand.secondary.client_interface]}
    [interface] = hand.ec2.describe_network_interfaces(**where)["NetworkInterfaces"]
    hand.ec2.detach_network_interface(AttachmentId=interface["Attachment"]["AttachmentId"], Force=True)
    before = len(stage.lab.writes())
    run = stage.play("ha_pair", must_succeed=False)
    assert run.code == 2
    assert stage.lab.writes()[before:] == []
    message = said(run)
    assert f"Node {hand.secondary.node_id} ({hand.secondary.instance_id}) has no client interface any more." in message
    assert f"-e ha_pair_replace_node={hand.secondary.instance_id}" in message
    assert "Traceback" not in message


@pytest.mark.timeout(900)
def test_released_address_is_allocated_again_and_renamed_application_leaves_no_orphan(stage: Stage) -> None:
    hand = Hand(stage.lab)
    [address] = [one for one in hand.ec2.describe_addresses()["Addresses"] if one.get("Tags")]
    hand.ec2.disassociate_address(AssociationId=address["AssociationId"])
    hand.ec2.release_address(AllocationId=address["AllocationId"])
    renamed = {**hand.variables["ha_pair_application"], "name": "renamed"}
    run = said(stage.play("ha_pair", "-e", json.dumps({"ha_pair_application": renamed})))
    assert "The playbook ha_pair will allocate an Elastic IP." in run
    [now] = Observer(stage.lab).elastic_ips()
    assert now.interface == hand.primary.client_interface
    assert [row["name"] for row in hand.nitro("GET", "lbvserver")] == ["renamed"]
    assert [row["servicegroupname"] for row in hand.nitro("GET", "servicegroup")] == ["renamed-sg"]
    assert requests.get(f"http://{now.elastic_ip}:{renamed['port']}/", timeout=5).ok
