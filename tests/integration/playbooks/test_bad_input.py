"""What a user gets to read who asks ha_pair for what cannot be: a sentence, before anything is made, and no secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.engine.client import ENGINE
from tests.lab.client import LabClient

NOWHERE = "http://127.0.0.1:9"
REFUSED = Path(__file__).with_name("refused.yml")
LOST = "subnet-0123456789abcdef0"

Variables = dict[str, Any]


class Run(NamedTuple):
    status: int
    message: str
    writes: list[str]


class Runner:
    """ansible-playbook against a lab. Whatever is run, no secret and no traceback may be in what it says."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder = lab, folder

    def __call__(self, what: str, *options: str, env: dict[str, str] | None = None, **variables: Any) -> Run:
        """Return a playbook with the lab's variables and these."""
        given = {**self.lab.variables("ha_pair"), **variables}
        path = self.folder / "vars.json"
        path.write_text(json.dumps(given))
        return self.run(what, "-e", f"@{path}", *options, env=env)

    def run(self, what: str, *options: str, env: dict[str, str] | None = None) -> Run:
        began = time.time()
        environment = self.lab.environment(ANSIBLE_NOCOLOR="1", **(env or {}))
        done = ENGINE.run([what, *options], environment, self.folder)
        message = done.stdout + done.stderr
        given = self.lab.variables("ha_pair")
        for secret in (given["ha_pair_password"], given["ha_pair_rpc_password"], self.lab.env["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in message
        assert "Traceback" not in message
        return Run(done.returncode, message, [call.op for call in self.lab.writes(began)])


@pytest.fixture
def play(fresh_lab: LabClient, tmp_path: Path) -> Runner:
    return Runner(fresh_lab, tmp_path)


# ---------------------------------------------------------------------- the account and who is in it already


def node(lab: LabClient, **changes: str) -> list[dict[str, str]]:
    """Return the lab's two nodes, the first of them changed."""
    first, second = lab.variables("ha_pair")["ha_pair_nodes"]
    return [{**first, **changes}, second]


def application(lab: LabClient, **changes: Any) -> Variables:
    return {"ha_pair_application": {**lab.variables("ha_pair")["ha_pair_application"], **changes}}


def foreign_address(lab: LabClient) -> Variables:
    """Return an Elastic IP that serves an interface which is not the pair's."""
    ec2 = lab.boto("ec2")
    subnet = lab.variables("ha_pair")["ha_pair_nodes"][0]["client_subnet_id"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    return {"ha_pair_elastic_ips": [address["PublicIp"]]}


def a_node_in_another_zone(lab: LabClient) -> Variables:
    """Node 1 of the pair stands in the third zone."""
    seed = lab.state()["seed_data"]
    tags = [{"Key": "cloudadc:group", "Value": "moved"}, {"Key": "cloudadc:node_id", "Value": "1"}]
    lab.boto("ec2").run_instances(
        ImageId=seed["image_id"],
        InstanceType="m5.xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=list(seed["subnets"].values())[2]["management"],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    return {"ha_pair_name": "moved"}


def a_strangers_role(lab: LabClient) -> Variables:
    lab.boto("iam").create_role(RoleName="lodger-vpx", AssumeRolePolicyDocument="{}")
    return {"ha_pair_name": "lodger"}


def a_profile_of_another_group(lab: LabClient) -> Variables:
    tags = [{"Key": "cloudadc:group", "Value": "another"}]
    lab.boto("iam").create_instance_profile(InstanceProfileName="tenant-vpx", Tags=tags)
    return {"ha_pair_name": "tenant"}


def a_strangers_group(lab: LabClient) -> Variables:
    vpc = lab.state()["seed_data"]["vpc_id"]
    lab.boto("ec2").create_security_group(GroupName="guest-client", Description="not ours", VpcId=vpc)
    return {"ha_pair_name": "guest"}


Case = tuple[Variables | Callable[[LabClient], Variables], str]

CASES: dict[str, Case] = {
    "misspelt": ({"ha_pair_elastic_ip": ["203.0.113.9"]}, "ha_pair has no variable ha_pair_elastic_ip"),
    "name": ({"ha_pair_name": "my pair!"}, "ha_pair_name names an IAM role"),
    "long-name": ({"ha_pair_name": "x" * 61}, "at most 60 letters"),
    "image": ({"ha_pair_image_id": "ami-0123456789abcdef0"}, "Image ami-0123456789abcdef0 does not exist"),
    "type": ({"ha_pair_instance_type": "t2.micro"}, "t2.micro has at most 2 network interfaces, 3 are needed"),
    "key": ({"ha_pair_key_name": "lost"}, "there is no key pair lost in this account and region"),
    "address": ({"ha_pair_elastic_ips": ["203.0.113.9"]}, "no Elastic IP 203.0.113.9 is allocated to this account"),
    "protocol": (
        {"ha_pair_application": {"name": "a", "protocol": "HTPP", "port": 80, "backends": []}},
        "its protocol is HTPP, and must be one of HTTP, ",
    ),
    "state": ({"ha_pair_state": "gone"}, "ha_pair_state must be one of present, absent, not 'gone'"),
    "nodes": ({"ha_pair_nodes": []}, "ha_pair_nodes must name exactly two nodes; it names 0"),
    "port": (lambda lab: application(lab, port=99999), "99999 is not a port (1 to 65535)"),
    "subnet": (
        lambda lab: {"ha_pair_nodes": node(lab, client_subnet_id=LOST)},
        f"There is no subnet {LOST} in this account and region.",
    ),
    "no-inc": (
        {"ha_pair_inc": False},
        "share their VIPs need kind private_ip (an Elastic IP that is associated with it follows by itself) or route.",
    ),
    "held-address": (foreign_address, "which is no interface of this pair. Set ha_pair_take_elastic_ips=true"),
    "moved-node": (a_node_in_another_zone, "An instance does not move: add ha_pair_replace_node=i-"),
    "role": (a_strangers_role, "IAM role lodger-vpx was not made for pair lodger: it has no tag cloudadc:group"),
    "profile": (
        a_profile_of_another_group,
        "nstance profile tenant-vpx was not made for pair tenant: its tag cloudadc:group is 'another'",
    ),
    "group": (
        a_strangers_group,
        "ecurity group guest-client was not made for pair guest: it has no tag cloudadc:group",
    ),
}


@pytest.fixture(scope="module")
def refusals(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[str]]:
    """What each case was told, and every write of all of them: one play, a host a case."""
    lab.reset()
    folder = tmp_path_factory.mktemp("refusals")
    hosts = {
        name: {**lab.variables("ha_pair"), **(case(lab) if callable(case) else case)}
        for name, (case, _message) in CASES.items()
    }
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    run = Runner(lab, folder).run(str(REFUSED), "-i", str(inventory), "-f", "2")
    reported = dict(re.findall(r"^(?:fatal|failed): \[([\w-]+)\](.*)$", run.message, re.MULTILINE))
    return reported, run.writes


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_is_said(refusals: tuple[dict[str, str], list[str]], name: str) -> None:
    reported, _writes = refusals
    assert CASES[name][1] in reported.get(name, "it was not refused")


def test_it_is_said_before_anything_is_made(refusals: tuple[dict[str, str], list[str]]) -> None:
    assert refusals[1] == []


# ---------------------------------------------------------------------- what concerns the whole run


def test_a_region_that_does_not_answer(play: Runner) -> None:
    run = play("cloudadc.aws.ha_pair", env={"AWS_ENDPOINT_URL": NOWHERE})
    assert (run.status, run.writes) == (2, [])
    assert f'Could not connect to the endpoint URL: "{NOWHERE}/' in run.message.replace('\\"', '"')


def test_unknown_credentials_are_refused(play: Runner) -> None:
    run = play("cloudadc.aws.ha_pair", env={"AWS_ACCESS_KEY_ID": "AKIASTRANGERSTRANGER"})
    assert (run.status, run.writes) == (2, [])
    assert "AuthFailure" in run.message


def test_a_failover_of_a_pair_that_does_not_exist(play: Runner) -> None:
    run = play("cloudadc.aws.ha_failover", ha_failover_name="unknown")
    assert (run.status, run.writes) == (2, [])
    assert "unknown" in run.message


@pytest.mark.parametrize(
    ("playbook", "message"),
    [
        ("ha_pair", "ha_pair_nitro_port must be a port (1 to 65535), not 'telnet'."),
        ("ha_failover", "ha_failover_mode must be one of planned, reconcile, not 'recncile'."),
    ],
)
def test_refused_variables_show_no_secret(play: Runner, playbook: str, message: str) -> None:
    """With -vvv Ansible prints arguments; ``Runner`` looks for every password in the output."""
    run = play(f"cloudadc.aws.{playbook}", "-vvv", ha_pair_nitro_port="telnet", ha_failover_mode="recncile")
    assert (run.status, run.writes) == (2, [])
    assert message in run.message


def test_everything_wrong_is_reported_at_once(play: Runner) -> None:
    """What needs AWS to be known follows once the variables are right, again all of it in one message."""
    run = play(
        "cloudadc.aws.ha_pair", ha_pair_nitro_port=0, ha_pair_image_id="", ha_pair_nodes=[], ha_pair_colour="blue"
    )
    assert (run.status, run.writes) == (2, [])
    for name in ("ha_pair_nitro_port", "ha_pair_image_id", "ha_pair_nodes", "ha_pair_colour"):
        assert name in run.message
    lost = {"ha_pair_nodes": node(play.lab, client_subnet_id=LOST), "ha_pair_elastic_ips": ["203.0.113.9"]}
    run = play("cloudadc.aws.ha_pair", **lost, ha_pair_key_name="lost", ha_pair_image_id="ami-0123456789abcdef0")
    assert (run.status, run.writes) == (2, [])
    for name in (LOST, "203.0.113.9", "key pair lost", "ami-0123456789abcdef0"):
        assert name in run.message
