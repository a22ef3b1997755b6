"""The preflight against the lab: an account in which all is well, and one for each thing that can be wrong."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.client import LabClient, wait_for
from tests.modules import run_module

ACTIONS = ["ec2:RunInstances", "ec2:DescribeAddresses", "ec2:AllocateAddress", "ec2:AssociateAddress", "iam:CreateRole"]
PASS_ROLE = {
    "actions": ["iam:PassRole"],
    "resources": ["arn:aws:iam::*:role/*-vpx"],
    "context": {"iam:PassedToService": "ec2.amazonaws.com"},
}
SECRET = "AWS_SECRET_ACCESS_KEY"


class Preflight:
    """The module with the plan of a pair in the lab's network; its rows, and what it wrote."""

    def __init__(self, lab: LabClient, environ: pytest.MonkeyPatch) -> None:
        self.lab, self.environ = lab, environ
        self.seed = lab.state()["seed_data"]
        self.result: dict[str, Any] = {}
        self.calls: Counter[str] = Counter()

    def run(self, **changes: Any) -> dict[tuple[str, str], tuple[str, str]]:
        """(check, subject) → (status, message). Nothing may be written, and no secret told."""
        zones = [
            {"name": name, **{f"{role}_subnet_id": subnet for role, subnet in roles.items()}}
            for name, roles in list(self.seed["subnets"].items())[:2]
        ]
        params = {
            "group": "shop",
            "rights": [{"actions": ACTIONS}, PASS_ROLE],
            "zones": zones,
            "image_id": self.seed["image_id"],
            "key_name": self.seed["key_name"],
            "elastic_ips": 1,
            "load_balancers": 1,
            "management_cidrs": ["127.0.0.0/8"],
            **changes,
        }
        began = time.time()
        self.result = run_module("preflight_info", params)
        self.calls = Counter(call.op for call in self.lab.calls(began))
        assert not self.result["failed"], self.result
        assert [call.op for call in self.lab.writes(began)] == []
        assert self.lab.env[SECRET] not in json.dumps(self.result)
        assert max(map(len, self.result["table"])) <= 108
        rows = self.result["checks"]
        assert self.result["passed"] is all(row["status"] != "failed" for row in rows)
        return {(row["check"], row["subject"]): (row["status"], row["message"]) for row in rows}

    def trouble(self, **changes: Any) -> dict[tuple[str, str], str]:
        """(check, subject) → message of the rows that failed."""
        return {place: message for place, (status, message) in self.run(**changes).items() if status == "failed"}

    def behaves(self, **settings: Any) -> None:
        self.lab.settings(aws=settings)

    def subnet(self, role: str, zone: int = 0) -> str:
        return str(list(self.seed["subnets"].values())[zone][role])

    def be(self, *statements: dict[str, Any], **attributes: Any) -> str:
        """Ask as a user with these rights from now on; his name."""
        iam, name = self.lab.boto("iam"), "ann"
        iam.create_user(UserName=name, **attributes)
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Resource": "*", **s} for s in statements],
        }
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.environ.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        self.environ.setenv(SECRET, key["SecretAccessKey"])
        return name


@pytest.fixture
def preflight(fresh_lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> Preflight:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", SECRET):
        monkeypatch.setenv(name, fresh_lab.env[name])
    return Preflight(fresh_lab, monkeypatch)


def test_an_account_in_which_all_is_well(preflight: Preflight) -> None:
    rows = preflight.run()
    assert preflight.result["passed"]
    strange = {place: row for place, row in rows.items() if row[0] != "ok"}
    # The lab's management subnets lead to an internet gateway, and its management interfaces have no public address.
    assert {place[1] for place in strange} == {preflight.subnet("management", zone) for zone in (0, 1)}
    assert {status for status, _message in strange.values()} == {"warning"}
    checks = [check for check, _subject in rows]
    assert {check: checks.count(check) for check in checks} == {
        "credentials": 1,
        "clock": 1,
        "rights": 6,
        "image": 1,
        "subscription": 1,
        "instance type": 1,
        "launch": 2,
        "subnets": 2,
        "route": 6,
        "quota": 4,
        "reach": 2,
    }
    reads = ["Instances", "InstanceTypes", "Images", "Subnets", "NetworkInterfaces", "Addresses"]
    reads += ["AccountAttributes", "LoadBalancers", "RouteTables", "VpcEndpoints"]
    assert preflight.calls == {
        "GetCallerIdentity": 1,
        "GetServiceQuota": 4,
        "RunInstances": 2,
        "SimulatePrincipalPolicy": 2,  # one for each list of resources: any, and the instance role
        **{f"Describe{what}": 1 for what in reads},
    }


def test_a_group_that_is_there_is_not_counted_twice(preflight: Preflight) -> None:
    """Both nodes run, the quota of Elastic IPs is used up, and nothing more is needed; NITRO is tried."""
    subnets = list(preflight.seed["subnets"].values())[:2]
    for number, roles in enumerate(subnets):
        made = run_module(
            "vpx_instance",
            {
                "group": "shop",
                "node_id": number,
                "image_id": preflight.seed["image_id"],
                "interfaces": [
                    {"role": role, "subnet_id": subnet, "elastic_ip": role == "client" and number == 0}
                    for role, subnet in roles.items()
                ],
            },
        )
        assert not made["failed"], made
    preflight.behaves(eip_quota=1, vcpu_quota=8, interface_quota=6)
    port = int(preflight.lab.env["LAB_NITRO_PORT"])

    def answered() -> dict[tuple[str, str], tuple[str, str]] | None:
        rows = preflight.run(nitro_port=port)
        tried = [row for (check, _subject), row in rows.items() if check == "reach"]
        return rows if [status for status, _message in tried] == ["ok", "ok"] else None

    rows = wait_for(answered, "both nodes take a connection", seconds=60, pause=1)
    assert preflight.result["passed"]
    assert rows["quota", "Elastic IPs"] == ("ok", "1 of 1 in use, 0 to come")
    assert rows["quota", "On-Demand vCPUs"] == ("ok", "8 of 8 in use, 0 to come")
    assert rows["launch", "eu-central-1a"] == ("ok", "all its appliances are there")
    unknown = preflight.trouble(nitro_port=9)
    assert len(unknown) == 2
    assert set(unknown.values()) == {"takes no connection: Connection refused"}


Change = Callable[[Preflight], dict[str, Any] | None]


def without_internet(preflight: Preflight) -> None:
    ec2 = preflight.lab.boto("ec2")
    for table in ec2.describe_route_tables()["RouteTables"]:
        if any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"]):
            ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")


def in_a_small_subnet(preflight: Preflight) -> dict[str, Any]:
    made = preflight.lab.boto("ec2").create_subnet(
        VpcId=preflight.seed["vpc_id"],
        AvailabilityZone="eu-central-1a",
        CidrBlock=f"{preflight.seed['vpc_cidr'].rpartition('.')[0].rpartition('.')[0]}.99.0/28",
    )
    names = {f"{role}_subnet_id": preflight.subnet(role) for role in ("management", "server")}
    return {
        "zones": [
            {"name": "eu-central-1a", "instances": 6, "client_subnet_id": made["Subnet"]["SubnetId"], **names},
        ]
    }


CASES: dict[str, tuple[Change, dict[str, str]]] = {
    "no way to the internet": (
        without_internet,
        {"route": "need a default route to an internet gateway"},
    ),
    "quotas": (
        lambda preflight: preflight.behaves(eip_quota=0, balancer_quota=0, vcpu_quota=7, interface_quota=5),
        {"quota": "that this account may have in this region are allocated (quota L-"},
    ),
    "two interfaces": (
        lambda preflight: {"instance_type": "t2.micro"},
        {"instance type": "at most 2 network interfaces, 3 are needed", "launch": "AttachmentLimitExceeded"},
    ),
    "no such type": (
        lambda preflight: {"instance_type": "m5.huge"},
        {"instance type": "there is no instance type m5.huge", "launch": "Invalid value 'm5.huge'"},
    ),
    "no such image": (
        lambda preflight: {"image_id": "ami-0123456789abcdef0"},
        {"image": "does not exist in this region or is not shared"},
    ),
    "not subscribed": (
        lambda preflight: preflight.behaves(unsubscribed=[preflight.seed["image_id"]]),
        {"subscription": "AWS answered OptInRequired to RunInstances: In order to use this AWS Marketplace product"},
    ),
    "no such key pair": (lambda preflight: {"key_name": "lost"}, {"launch": "InvalidKeyPair.NotFound"}),
    "no such address": (
        lambda preflight: {"given_addresses": ["192.0.2.9"]},
        {"Elastic IP": "is not allocated to this account in this region"},
    ),
    "clock": (lambda preflight: preflight.behaves(clock_skew=600), {"clock": "s behind AWS, which refuses"}),
    "no answer": (
        lambda preflight: {"reach": ["127.0.0.1:9"]},
        {"reach": "takes no connection: Connection refused"},
    ),
    "no subnet": (
        lambda preflight: {
            "zones": [{"name": "a", **{f"{r}_subnet_id": "subnet-0" for r in ("management", "client", "server")}}]
        },
        {"subnets": "there is no subnet subnet-0", "launch": "InvalidSubnetID.NotFound"},
    ),
    "few addresses": (
        in_a_small_subnet,
        {"subnets": "addresses left, 14 are needed", "route": "has no default route"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_the_row_that_fails(preflight: Preflight, name: str) -> None:
    change, desired = CASES[name]
    trouble = preflight.trouble(**(change(preflight) or {}))
    assert {check for check, _subject in trouble} == set(desired), trouble
    for (check, _subject), message in trouble.items():
        assert desired[check] in message


def test_a_clock_that_is_a_minute_off_is_a_warning(preflight: Preflight) -> None:
    preflight.behaves(clock_skew=60)
    status, message = preflight.run()["clock", "this machine"]
    assert (status, "behind AWS" in message) == ("warning", True)


# ------------------------------------------------------------------------------------------------------------- rights


def test_a_right_that_is_missing(preflight: Preflight) -> None:
    preflight.be(
        {"Action": ["ec2:*", "iam:SimulatePrincipalPolicy"]}, {"Action": "ec2:AllocateAddress", "Effect": "Deny"}
    )
    trouble = preflight.trouble()
    assert trouble == {
        ("rights", "ec2:AllocateAddress"): "not allowed: a policy denies it",
        ("rights", "iam:CreateRole"): "not allowed: no policy allows it (implicitDeny)",
        ("rights", "iam:PassRole"): (
            "not allowed on arn:aws:iam::123456789012:role/shop-vpx: no policy allows it (implicitDeny)"
        ),
    }


def test_a_right_to_resources_under_a_condition(preflight: Preflight) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    preflight.be(
        {"Action": ["ec2:*", "iam:CreateRole"]},
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*-vpx", "Condition": condition},
    )
    assert preflight.trouble() == {}
    other = {**PASS_ROLE, "context": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert set(preflight.trouble(rights=[other])) == {("rights", "iam:PassRole")}


def test_without_a_right_to_simulate_dry_runs_tell_what_they_can(preflight: Preflight) -> None:
    preflight.be({"Action": "*"})
    preflight.behaves(unauthorized=["SimulatePrincipalPolicy", "AllocateAddress"])
    rows = preflight.run()
    rights = {subject: row for (check, subject), row in rows.items() if check == "rights"}
    assert {subject: status for subject, (status, _message) in rights.items()} == {
        "ec2:RunInstances": "ok",
        "ec2:DescribeAddresses": "ok",
        "ec2:AllocateAddress": "failed",
        "ec2:AssociateAddress": "warning",
        "iam:CreateRole": "warning",
        "iam:PassRole": "warning",
    }
    assert "no right to iam:SimulatePrincipalPolicy" in rights["iam:PassRole"][1]


def test_a_session_of_a_role_with_a_path(preflight: Preflight) -> None:
    """Its ARN does not tell the path; with iam:GetRole it is found, without it a dry run helps."""
    iam, sts = preflight.lab.boto("iam"), preflight.lab.boto("sts")
    role = iam.create_role(RoleName="deploy", Path="/ops/", AssumeRolePolicyDocument="{}")["Role"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="deploy", PolicyName="rights", PolicyDocument=json.dumps(everything))
    key = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job")["Credentials"]
    for name, value in (("ACCESS_KEY_ID", "AccessKeyId"), ("SECRET_ACCESS_KEY", "SecretAccessKey")):
        preflight.environ.setenv(f"AWS_{name}", key[value])
    preflight.environ.setenv("AWS_SESSION_TOKEN", key["SessionToken"])
    assert set(preflight.trouble()) == {("rights", "iam:CreateRole"), ("rights", "iam:PassRole")}
    preflight.behaves(unauthorized=["GetRole"])
    rows = preflight.run()
    assert rows["rights", "ec2:RunInstances"] == ("ok", "allowed (dry run)")
    assert "NoSuchEntity" in rows["rights", "iam:PassRole"][1]


def test_a_right_to_read_that_is_missing_hides_nothing_else(preflight: Preflight) -> None:
    """Each reading call but the first may be forbidden: its rows say so, and no row is missing."""
    before = preflight.run()
    reads = ["Instances", "Images", "Subnets", "RouteTables", "InstanceTypes", "NetworkInterfaces", "LoadBalancers"]
    forbidden = ["GetServiceQuota", "DescribeVpcEndpoints", *(f"Describe{what}" for what in reads)]
    preflight.behaves(unauthorized=forbidden)
    rows = preflight.run()
    assert {check for check, _subject in rows} == {check for check, _subject in before} - {"subscription"}
    assert rows["quota", "Elastic IPs"][0] == "ok"
    status, message = rows["quota", "network interfaces"]
    assert (status, "could not be checked" in message) == ("warning", True)
    assert preflight.result["passed"]


# ------------------------------------------------------------------------------------------- unknown identities


def alone(preflight: Preflight, message: str) -> None:
    """One row has failed, with a sentence; all others are skipped, but perhaps what an answer says of the clock."""
    rows = preflight.run(timeout=3)
    status, reported = rows.pop(("credentials", "AWS"))
    assert (status, message in reported) == ("failed", True), reported
    assert {row[0] for place, row in rows.items() if place[0] != "clock"} == {"skipped"}
    assert {"rights", "image", "launch", "subnets", "route", "quota", "reach"} <= {check for check, _subject in rows}


def test_no_credentials(preflight: Preflight, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", SECRET):
        preflight.environ.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        preflight.environ.setenv(name, str(tmp_path / "none"))
    preflight.environ.setenv("AWS_EC2_METADATA_DISABLED", "true")
    alone(preflight, "Unable to locate credentials")


def test_unknown_credentials_are_refused(preflight: Preflight) -> None:
    preflight.environ.setenv("AWS_ACCESS_KEY_ID", "AKIASTRANGERSTRANGER")
    alone(preflight, "AWS answered InvalidClientTokenId to GetCallerIdentity")


def test_an_aws_that_is_not_there(preflight: Preflight) -> None:
    preflight.environ.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    alone(preflight, "Could not connect to the endpoint URL")


@pytest.mark.parametrize(
    ("fault", "message"),
    [("hang", "no answer within 3 s"), ("html", "the answer made no sense"), ("truncate", "the answer made no sense")],
)
def test_something_else_that_answers_instead(preflight: Preflight, fault: str, message: str) -> None:
    preflight.lab.faults(aws={fault: 1.0})
    alone(preflight, message)


def test_answers_that_are_disturbed_now_and_then(preflight: Preflight) -> None:
    """Whatever is lost or broken on the way, the module ends with rows, in time, and never with a traceback."""
    for seed in range(3):
        preflight.lab.faults(aws={"html": 0.25, "reset": 0.1, "error": 0.1, "truncate": 0.1}, seed=seed)
        began = time.monotonic()
        assert preflight.run(timeout=10)
        assert time.monotonic() - began < 60
