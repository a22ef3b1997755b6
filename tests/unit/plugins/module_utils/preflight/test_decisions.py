"""Each check of the preflight, decided: the plan, an answer of AWS, and the row that comes of them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight import (
    clock,
    dry_runs,
    launching,
    quotas,
    reach,
    rights,
    routes,
    subnets,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.identity import Caller, Kind, read_caller

from .plans import ROLES, plan, refusal, subnet, zone

ACCOUNT = "111122223333"
USER = Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, Kind.USER, "ann")


# ---------------------------------------------------------------------------------------------------------- identity


@pytest.mark.parametrize(
    ("arn", "role_arn", "principal"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", None, None),
        (f"arn:aws:iam::{ACCOUNT}:user/ops/ann", None, f"arn:aws:iam::{ACCOUNT}:user/ops/ann"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/job", None, f"arn:aws:iam::{ACCOUNT}:role/Deploy"),
        (f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/Deploy/job", None, f"arn:aws-cn:iam::{ACCOUNT}:role/Deploy"),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/job",
            f"arn:aws:iam::{ACCOUNT}:role/ops/Deploy",
            f"arn:aws:iam::{ACCOUNT}:role/ops/Deploy",
        ),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ann", None, None),
    ],
)
def test_whose_policies_decide(arn: str, role_arn: str | None, principal: str | None) -> None:
    caller = read_caller({"Arn": arn, "Account": ACCOUNT})
    assert (caller.account, caller.principal(role_arn)) == (ACCOUNT, principal)


@pytest.mark.parametrize("reply", [{}, {"Arn": None}, {"Arn": "<html>"}, {"Arn": "arn:aws:iam"}])
def test_a_caller_that_makes_no_sense(reply: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unparsable ARN"):
        read_caller(reply)


# ------------------------------------------------------------------------------------------------------------- clock

NOON = 1767268800.0  # 2026-01-01 12:00:00 UTC
DATE = "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("date", "received", "status", "message"),
    [
        (DATE, NOON + 0.9, "ok", "has the time that AWS has"),
        (DATE, NOON + 29, "ok", "is 29 s ahead of AWS"),
        (DATE, NOON + 30, "warning", "is 30 s ahead of AWS"),
        (DATE, NOON - 299, "warning", "is 299 s behind AWS"),
        (DATE, NOON - 300, "failed", "is 300 s behind AWS, which refuses signatures that are 300 s off"),
        (None, NOON, "warning", "the answer of AWS has no date"),
        ("soon", NOON, "warning", "the answer of AWS has no date"),
    ],
)
def test_the_clock(date: str | None, received: float, status: str, message: str) -> None:
    row = clock.judge(clock.skew(date, received))
    assert (row.status.value, message in row.message) == (status, True), row.message


# ------------------------------------------------------------------------------------------------------------ rights


def result(action: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalDecision": decision, "EvalResourceName": "*", **more}


def on(resource: str, decision: str) -> dict[str, str]:
    return {"EvalResourceName": resource, "EvalResourceDecision": decision}


@pytest.mark.parametrize(
    ("results", "status", "message"),
    [
        ([result("ec2:RunInstances", "allowed")], "ok", "allowed"),
        ([result("EC2:runinstances", "allowed")], "ok", "allowed"),
        ([result("ec2:RunInstances", "implicitDeny")], "failed", "no policy allows it (implicitDeny)"),
        ([result("ec2:RunInstances", "explicitDeny")], "failed", "a policy denies it"),
        (
            [result("ec2:RunInstances", "implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False})],
            "failed",
            "a policy of the organization forbids it",
        ),
        (
            [
                result(
                    "ec2:RunInstances",
                    "implicitDeny",
                    PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False},
                )
            ],
            "failed",
            "the permissions boundary does not include it",
        ),
        (
            [result("ec2:RunInstances", "implicitDeny", MissingContextValues=["aws:SourceIp"])],
            "warning",
            "allowed only if aws:SourceIp fits",
        ),
        (
            [result("ec2:RunInstances", "explicitDeny", MissingContextValues=["aws:SourceIp"])],
            "failed",
            "a policy denies it",
        ),
        (
            [
                result(
                    "ec2:RunInstances",
                    "implicitDeny",
                    ResourceSpecificResults=[on("arn:a", "allowed"), on("arn:b", "implicitDeny")],
                )
            ],
            "warning",
            "not allowed on arn:b: no policy allows it (implicitDeny); allowed on arn:a",
        ),
        ([], "warning", "the policy simulator says nothing of it"),
        ([{"EvalActionName": None}], "warning", "the policy simulator says nothing of it"),
        ([result("ec2:RunInstances", "")], "failed", "not allowed"),
    ],
)
def test_a_simulated_right(results: list[dict[str, Any]], status: str, message: str) -> None:
    [row] = rights.judge(rights.Need(("ec2:RunInstances",)), results)
    assert (row.subject, row.status.value, message in row.message) == ("ec2:RunInstances", status, True), row.message


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (refusal("DryRunOperation"), "ok"),
        ({"Addresses": []}, "ok"),
        (refusal("UnauthorizedOperation", "u is not authorized to perform: ec2:AllocateAddress on r"), "failed"),
        (refusal("UnauthorizedOperation", "u is not authorized to perform: ec2:CreateTags on r"), "warning"),
        (refusal("InvalidParameterValue"), "warning"),
        (Failure("no answer within 30 s"), "warning"),
    ],
)
def test_a_right_that_a_dry_run_tells(outcome: object, status: str) -> None:
    assert rights.of_dry_run("ec2:AllocateAddress", outcome).status.value == status


@pytest.mark.parametrize(
    ("pattern", "arn"),
    [
        ("*", "*"),
        ("arn:aws:iam::*:role/*-vpx", f"arn:aws:iam::{ACCOUNT}:role/shop-vpx"),
        ("arn:aws:dynamodb:*:*:table/*", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/shop"),
        ("arn:*:s3:::bucket", "arn:aws:s3:::bucket"),
    ],
)
def test_a_pattern_becomes_a_resource(pattern: str, arn: str) -> None:
    need = rights.Need(("a:B",), (pattern,), (("k", "v"),))
    assert rights.concrete(need, USER, "eu-west-1", "shop") == rights.Need(("a:B",), (arn,), (("k", "v"),))


def test_needs_of_the_same_resources_are_asked_together() -> None:
    options = [
        {"actions": ["a:B", "a:C"], "resources": None, "context": None},
        {"actions": ["a:C", "a:D"], "resources": ["*"], "context": {}},
        {"actions": ["a:B"], "resources": ["arn:x"], "context": {"k": 1}},
    ]
    assert rights.read_needs(options) == (
        rights.Need(("a:B", "a:C", "a:D")),
        rights.Need(("a:B",), ("arn:x",), (("k", "1"),)),
    )


def test_the_root_user_may_do_everything() -> None:
    rows = rights.everything([rights.Need(("a:B", "a:C")), rights.Need(("a:B",), ("arn:x",))])
    assert [(row.subject, row.status.value) for row in rows] == [("a:B", "ok"), ("a:C", "ok")]


@pytest.mark.parametrize(
    ("failure", "caller", "message"),
    [
        (refusal("AccessDenied"), USER, "no right to iam:SimulatePrincipalPolicy"),
        (refusal("NoSuchEntity", "no role"), USER, "NoSuchEntity"),
        (None, Caller("arn:x", ACCOUNT, Kind.OTHER, "x"), "the rights of arn:x cannot be simulated"),
    ],
)
def test_reason_of_an_unknown_right(failure: Failure | None, caller: Caller, message: str) -> None:
    assert message in rights.not_simulated(caller, failure)


#: Policies may permit to create only what has the tags of the group.
TAGGED = {
    "TagSpecifications": [{"ResourceType": "elastic-ip", "Tags": [{"Key": "cloudadc:group", "Value": "shop"}]}],
}


@pytest.mark.parametrize(
    ("action", "members", "required", "parameters"),
    [
        ("ec2:DescribeAddresses", ["DryRun", "Filters"], [], {}),
        ("ec2:DescribeInstanceAttribute", ["DryRun", "InstanceId"], ["InstanceId"], None),
        ("ec2:AllocateAddress", ["DryRun", "Domain"], [], {"Domain": "vpc", **TAGGED}),
        ("ec2:RunInstances", ["DryRun"], [], {"ImageId": "ami-1"}),
        ("ec2:TerminateInstances", ["DryRun", "InstanceIds"], ["InstanceIds"], None),
        ("ec2:ReleaseAddress", ["DryRun"], [], None),
        ("ec2:DescribeSomething", [], [], None),
        ("iam:DescribeSomething", ["DryRun"], [], None),
    ],
)
def test_what_is_tried(action: str, members: list[str], required: list[str], parameters: Any) -> None:
    known = dry_runs.ExistingResources({"ImageId": "ami-1"}, "vpc-1", "sg-1", {"cloudadc:group": "shop"})
    run = dry_runs.dry_run(action, members, required, known)
    assert (run.parameters if run else None) == parameters


def test_nothing_is_tried_with_what_is_not_known() -> None:
    for action in ("RunInstances", "CreateSecurityGroup", "CreateTags", "RevokeSecurityGroupIngress"):
        assert dry_runs.dry_run(f"ec2:{action}", ["DryRun"], [], dry_runs.ExistingResources()) is None


def test_tags_are_tried_with_what_is_made_and_tagged_in_one_call() -> None:
    run = dry_runs.dry_run(
        "ec2:CreateTags", ["DryRun"], ["Resources", "Tags"], dry_runs.ExistingResources(vpc_id="vpc-1")
    )
    assert run is not None
    assert (run.action, run.operation) == ("ec2:CreateTags", "CreateSecurityGroup")
    assert run.parameters["TagSpecifications"][0]["ResourceType"] == "security-group"


def test_an_action_on_several_resources_is_one_row_the_strictest() -> None:
    rows = [
        rights.ok(rights.CHECK, "ec2:RunInstances", "allowed"),
        rights.failed(rights.CHECK, "ec2:RunInstances", "not allowed"),
        rights.ok(rights.CHECK, "ec2:CreateTags", "allowed"),
    ]
    assert rights.strictest(rows) == rows[1:]


def test_rules_are_tried_on_a_security_group_of_the_group() -> None:
    desired = ["GroupId", "IpPermissions"]
    for action in dry_runs.OF_A_SECURITY_GROUP:
        run = dry_runs.dry_run(
            f"ec2:{action}", ["DryRun"], desired, dry_runs.ExistingResources(security_group_id="sg-1")
        )
        assert run is not None
        assert (run.operation, run.parameters["GroupId"]) == (action, "sg-1")


# ------------------------------------------------------------------------------------------------------------ quotas


@pytest.mark.parametrize(
    ("usage", "limit", "status", "message"),
    [
        (quotas.Usage(3, 0, 2), 5, "ok", "3 of 5 in use, 2 to come"),
        (quotas.Usage(4, 0, 2), 5, "failed", "2 more Elastic IPs are needed, but 4 of the 5"),
        (quotas.Usage(5, 2, 2), 5, "ok", "0 to come"),
        (quotas.Usage(5, 3, 2), 5, "ok", "0 to come"),
        (quotas.Usage(0, 0, 1), None, "warning", "no limit L-0263D0A3"),
    ],
)
def test_a_quota(usage: quotas.Usage, limit: int | None, status: str, message: str) -> None:
    row = quotas.judge(quotas.ELASTIC_IPS, usage, limit)
    assert (row.status.value, message in row.message) == (status, True), row.message


ATTRIBUTES = [{"AttributeName": "vpc-max-elastic-ips", "AttributeValues": [{"AttributeValue": "7"}]}]
DENIED = refusal("AccessDeniedException")


@pytest.mark.parametrize(
    ("answer", "attributes", "limit"),
    [(5, ATTRIBUTES, 5), (DENIED, ATTRIBUTES, 7), (None, ATTRIBUTES, 7), (DENIED, DENIED, DENIED), (None, [], None)],
)
def test_where_the_limit_of_elastic_ips_comes_from(answer: Any, attributes: Any, limit: Any) -> None:
    assert quotas.limit_of(answer, attributes) == limit


def instance(**more: Any) -> dict[str, Any]:
    tags = [{"Key": "cloudadc:group", "Value": more.pop("group", "shop")}]
    return {"InstanceType": "m5.xlarge", "State": {"Name": "running"}, "Tags": tags, **more}


@pytest.mark.parametrize(
    ("other", "used"),
    [
        ({}, 8),
        ({"CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 1}}, 8),
        ({"CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1}}, 5),
        ({"State": {"Name": "stopped"}}, 4),
        ({"InstanceLifecycle": "spot"}, 4),
        ({"InstanceType": "p3.2xlarge"}, 4),
    ],
)
def test_vcpus_in_use(other: dict[str, Any], used: int) -> None:
    found = [instance(), instance(group="else", **other)]
    assert quotas.of_vcpus(found, {"m5.xlarge": 4}, "shop", 8) == quotas.Usage(used, 4, 8)


@pytest.mark.parametrize(
    ("name", "standard"),
    [("m5.xlarge", True), ("c5n.9xlarge", True), ("im4gn.large", True), ("p3.2xlarge", False), ("inf1.xlarge", False)],
)
def test_families_that_count_together(name: str, standard: bool) -> None:
    assert quotas.is_standard(name) is standard


def test_what_is_the_groups_own() -> None:
    tags = [{"Key": "cloudadc:group", "Value": "shop"}]
    balancers = [{"Type": "network", "LoadBalancerName": name} for name in ("shop", "else")] + [{"Type": "application"}]
    assert quotas.of_elastic_ips([{"Tags": tags}, {}], "shop", 3) == quotas.Usage(2, 1, 3)
    assert quotas.of_interfaces([{"TagSet": tags}, {"TagSet": []}], "shop", 3) == quotas.Usage(2, 1, 3)
    assert quotas.of_load_balancers(balancers, "shop", 1) == quotas.Usage(2, 1, 1)


def test_elastic_ips_that_were_given() -> None:
    rows = quotas.given(
        ["192.0.2.1", "eipalloc-1", "192.0.2.9"], [{"PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1"}]
    )
    assert [row.status.value for row in rows] == ["ok", "ok", "failed"]


# ----------------------------------------------------------------------------------------------------------- launching

TYPE: dict[str, Any] = {
    "NetworkInfo": {"MaximumNetworkInterfaces": 4, "Ipv4AddressesPerInterface": 15},
    "VCpuInfo": {"DefaultVCpus": 4},
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
}
IMAGE = {"State": "available", "Name": "ADC", "Architecture": "x86_64"}


@pytest.mark.parametrize(
    ("options", "images", "status", "message"),
    [
        ({}, [IMAGE], "ok", "x86_64: ADC"),
        ({}, [], "failed", "image ami-1 does not exist in this region"),
        ({}, [{**IMAGE, "State": "pending"}], "failed", "is pending"),
        ({"image_id": None}, [], "failed", "image_id is not given"),
    ],
)
def test_the_image(options: dict[str, Any], images: list[Any], status: str, message: str) -> None:
    row = launching.image(plan(**options), images)
    assert (row.status.value, message in row.message) == (status, True), row.message


@pytest.mark.parametrize(
    ("types", "images", "status", "message"),
    [
        ([TYPE], [IMAGE], "ok", "4 network interfaces, 3 are needed; 4 vCPUs"),
        ([], [IMAGE], "failed", "no instance type m5.xlarge"),
        (
            [{**TYPE, "NetworkInfo": {"MaximumNetworkInterfaces": 2, "Ipv4AddressesPerInterface": 4}}],
            [IMAGE],
            "failed",
            "at most 2 network interfaces, 3 are needed",
        ),
        ([TYPE], [{**IMAGE, "Architecture": "arm64"}], "failed", "runs x86_64, but the image is built for arm64"),
        ([TYPE], [], "ok", "4 vCPUs"),
    ],
)
def test_the_instance_type(types: list[Any], images: list[Any], status: str, message: str) -> None:
    row = launching.instance_type(plan(), types, images)
    assert (row.status.value, message in row.message) == (status, True), row.message


NOT_SUBSCRIBED = refusal("OptInRequired", "visit https://aws.amazon.com/marketplace/pp?sku=x")


@pytest.mark.parametrize(
    ("images", "outcomes", "status"),
    [
        ([IMAGE], [refusal("DryRunOperation")], "ok"),
        ([IMAGE], [refusal("Unsupported"), NOT_SUBSCRIBED], "failed"),
        ([IMAGE], [refusal("UnauthorizedOperation")], "ok"),
        ([{**IMAGE, "ProductCodes": [{}]}], [refusal("UnauthorizedOperation")], "warning"),
        ([{**IMAGE, "ProductCodes": [{}]}], [refusal("UnauthorizedOperation"), refusal("DryRunOperation")], "ok"),
    ],
)
def test_the_subscription(images: list[Any], outcomes: list[object], status: str) -> None:
    row = launching.subscription(plan(), images, {f"zone {n}": outcome for n, outcome in enumerate(outcomes)})
    assert row.status.value == status, row.message


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        (refusal("DryRunOperation"), "ok", "2 instances would be launched"),
        (refusal("UnauthorizedOperation"), "warning", "could not be tried"),
        (NOT_SUBSCRIBED, "skipped", "not without a subscription"),
        (refusal("InvalidKeyPair.NotFound", "no key"), "failed", "AWS answered InvalidKeyPair.NotFound to Ask: no key"),
        (Failure("no answer within 30 s"), "warning", "no answer within 30 s"),
        ({"Instances": []}, "warning", "did not answer as to a dry run"),
    ],
)
def test_a_launch(outcome: object, status: str, message: str) -> None:
    row = launching.launch("a", 2, outcome)
    assert (row.status.value, message in row.message) == (status, True), row.message


# ------------------------------------------------------------------------------------------------------------ subnets


@pytest.mark.parametrize(
    ("options", "changes", "status", "message"),
    [
        ({}, {}, "ok", "management 10.0.0.0/24"),
        ({}, {"client": None}, "failed", "there is no subnet subnet-client"),
        ({}, {"client": {"AvailabilityZone": "eu-west-1b"}}, "failed", "different zones"),
        (
            {},
            {"client": {"AvailableIpAddressCount": 3}},
            "failed",
            "subnet subnet-client has 3 addresses left, 4",
        ),
        ({}, {"client": {"AvailableIpAddressCount": 4}}, "ok", "client"),
        (
            {"load_balancers": 1},
            {"client": {"AvailableIpAddressCount": 11}},
            "failed",
            "11 addresses left, 12 are needed",
        ),
        ({}, {"client": {"AvailableIpAddressCount": None}}, "ok", "client"),
    ],
)
def test_subnets_of_a_zone(options: dict[str, Any], changes: dict[str, Any], status: str, message: str) -> None:
    chosen = plan(zone(instances=4), **options)
    found = [subnet(role, **(changes.get(role) or {})) for role in ROLES if changes.get(role, {}) is not None]
    row = subnets.judge(chosen, chosen.zones[0], 4, found)
    assert (row.status.value, message in row.message) == (status, True), row.message


def test_roles_that_share_a_subnet_need_the_sum() -> None:
    chosen = plan(zone(instances=4, server_subnet_id="subnet-client", secondary_private_ip_count=1))
    found = [subnet("management"), subnet("client", AvailableIpAddressCount=11)]
    assert "11 addresses left, 12 are needed" in subnets.judge(chosen, chosen.zones[0], 4, found).message


# ------------------------------------------------------------------------------------------------------------- routes


def table(target: dict[str, str] | None, *associations: dict[str, Any]) -> dict[str, Any]:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    default = [{"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}] if target else []
    return {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": list(associations) or [{"Main": True}],
        "Routes": [local, *default],
    }


INTERNET, NAT = {"GatewayId": "igw-1"}, {"NatGatewayId": "nat-1"}
BLACKHOLE = {"GatewayId": "igw-1", "State": "blackhole"}


@pytest.mark.parametrize(
    ("role", "target", "options", "status", "message"),
    [
        ("client", INTERNET, {}, "ok", "client: rtb-1 leads to igw-1"),
        ("client", NAT, {}, "failed", "need a default route to an internet gateway"),
        ("client", None, {}, "failed", "rtb-1 has no default route"),
        ("client", BLACKHOLE, {}, "failed", "which is gone (blackhole)"),
        ("client", None, {"public_clients": False}, "ok", "clients are not from the internet"),
        ("management", NAT, {}, "ok", "leads to nat-1"),
        ("management", INTERNET, {}, "warning", "no way out without a public address"),
        ("management", None, {}, "warning", "appliances reach no EC2 API"),
        ("management", BLACKHOLE, {}, "warning", "blackhole"),
        ("management", INTERNET, {"public_management": True}, "ok", "leads to igw-1"),
        ("management", NAT, {"public_management": True}, "failed", "need a default route to an internet gateway"),
        ("management", None, {"public_management": True}, "failed", "has no default route"),
        ("server", None, {}, "ok", "none is needed"),
    ],
)
def test_a_way_out(
    role: str, target: dict[str, str] | None, options: dict[str, Any], status: str, message: str
) -> None:
    row = routes.judge(plan(**options), role, subnet(role), [table(target)], endpoint=False)
    assert (row.status.value, message in row.message) == (status, True), row.message


def test_an_endpoint_of_ec2_is_a_way_out() -> None:
    assert routes.judge(plan(), "management", subnet("management"), [table(None)], endpoint=True).status.value == "ok"
    endpoints = [
        {"VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.ec2", "State": "available"},
        {"VpcId": "vpc-2", "ServiceName": "com.amazonaws.eu-west-1.ec2", "State": "pending"},
        {"VpcId": "vpc-3", "ServiceName": "com.amazonaws.eu-west-1.s3", "State": "available"},
    ]
    assert routes.vpcs_with_endpoint(endpoints) == {"vpc-1"}


def test_which_table_a_subnet_has() -> None:
    own = {**table(INTERNET, {"SubnetId": "subnet-client", "Main": False}), "RouteTableId": "rtb-own"}
    elsewhere = {**table(None), "VpcId": "vpc-2", "RouteTableId": "rtb-2"}
    tables = [elsewhere, table(None), own]
    assert (routes.table_of("subnet-client", "vpc-1", tables) or {})["RouteTableId"] == "rtb-own"
    assert (routes.table_of("subnet-server", "vpc-1", tables) or {})["RouteTableId"] == "rtb-1"
    assert routes.table_of("subnet-server", "vpc-3", tables) is None
    assert routes.judge(plan(), "client", subnet("client"), [], endpoint=False).status.value == "warning"


# -------------------------------------------------------------------------------------------------------------- reach


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("10.0.0.1:443", ("10.0.0.1", 443)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("adm.example.com:8443", ("adm.example.com", 8443)),
        ("10.0.0.1", None),
        (":443", None),
        ("host:http", None),
        ("host:70000", None),
    ],
)
def test_where_to_connect(text: str, where: tuple[str, int] | None) -> None:
    assert reach.endpoint(text) == where


@pytest.mark.parametrize(
    ("outcomes", "statuses"),
    [
        ({"n1": None, "n2": None}, ["ok", "ok"]),
        ({"n1": None, "n2": "Connection refused"}, ["ok", "warning"]),
        ({"n1": "No route", "n2": "Connection refused"}, ["failed", "failed"]),
        ({"n1": None, "adm": "Connection refused"}, ["ok", "failed"]),
    ],
)
def test_connections_become_rows(outcomes: dict[str, str | None], statuses: list[str]) -> None:
    nodes = [name for name in outcomes if name.startswith("n")]
    assert [row.status.value for row in reach.tried(outcomes, nodes)] == statuses


@pytest.mark.parametrize(
    ("source", "cidrs", "status", "message"),
    [
        ("10.9.0.5", ["192.0.2.0/24", "10.9.0.0/16"], "ok", "would come from 10.9.0.5, which will be let in"),
        ("10.9.0.5", ["10.8.0.0/16"], "warning", "10.8.0.0/16 will be let in"),
        ("10.9.0.5", [], "warning", "none is named"),
        ("10.9.0.5", ["nonsense"], "warning", "nonsense will be let in"),
        (None, ["10.9.0.0/16"], "failed", "no route"),
    ],
)
def test_nodes_that_are_not_there(source: str | None, cidrs: list[str], status: str, message: str) -> None:
    row = reach.predicted("10.0.1.0/24", source, cidrs, 443)
    assert (row.status.value, message in row.message) == (status, True), row.message
