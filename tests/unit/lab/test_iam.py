"""IAM as the lab decides it: documents are read literally, a Deny wins, without an Allow it is refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.lab.aws.iam.decide import decide, first_refused, sentence, statements_of
from tests.lab.aws.iam.needs import Account, Need, needs
from tests.lab.aws.iam.policy import PolicyError, read_policy
from tests.lab.aws.iam.resources import Known
from tests.lab.aws.iam.simulate import read_question, results

ACCOUNT = Account("123456789012", {"pair-vpx": "arn:aws:iam::123456789012:role/pair-vpx"})


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return allow(*actions, **more) | {"Effect": "Deny"}


def says(document: str, action: str, resource: str = "*", **context: str) -> str:
    keys = {name.replace("_", ":"): value for name, value in context.items()}
    return decide(Need(action, resource, keys), read_policy(document)).decision


@pytest.mark.parametrize(
    ("statements", "action", "decision"),
    [
        ([allow("ec2:RunInstances")], "ec2:RunInstances", "allowed"),
        ([allow("ec2:RunInstances")], "ec2:runinstances", "allowed"),
        ([allow("ec2:RunInstances")], "ec2:StartInstances", "implicitDeny"),
        ([allow("ec2:Describe*")], "ec2:DescribeVpcs", "allowed"),
        ([allow("ec2:Describe*")], "elasticloadbalancing:DescribeTags", "implicitDeny"),
        ([allow("ec2:?topInstances")], "ec2:StopInstances", "allowed"),
        ([allow("*")], "iam:PassRole", "allowed"),
        ([allow("*"), deny("iam:*")], "iam:PassRole", "explicitDeny"),
        ([deny("iam:PassRole"), allow("iam:PassRole")], "iam:PassRole", "explicitDeny"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "ec2:RunInstances", "allowed"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:GetRole", "implicitDeny"),
        ([], "ec2:RunInstances", "implicitDeny"),
    ],
)
def test_actions_match_patterns(statements: list[dict[str, Any]], action: str, decision: str) -> None:
    assert says(policy(*statements), action) == decision


@pytest.mark.parametrize(
    ("pattern", "resource", "decision"),
    [
        ("arn:aws:iam::*:role/*-vpx", "arn:aws:iam::123456789012:role/pair-vpx", "allowed"),
        ("arn:aws:iam::*:role/*-vpx", "arn:aws:iam::123456789012:role/admin", "implicitDeny"),
        ("arn:aws:iam::*:role/*-vpx", "arn:aws:iam::123456789012:instance-profile/pair-vpx", "implicitDeny"),
        ("arn:aws:iam::*:role/*-vpx", "*", "implicitDeny"),
        ("*", "*", "allowed"),
        ("arn:aws:dynamodb:*:*:table/*", "arn:aws:dynamodb:*:123456789012:table/records", "allowed"),
        ("arn:aws:dynamodb:*:*:table/a.c", "arn:aws:dynamodb:*:123456789012:table/abc", "implicitDeny"),
        ("arn:aws:dynamodb:*:*:table/[abc]", "arn:aws:dynamodb:*:123456789012:table/a", "implicitDeny"),
    ],
)
def test_resources_match_patterns(pattern: str, resource: str, decision: str) -> None:
    assert says(policy(allow("iam:GetRole", Resource=pattern)), "iam:GetRole", resource) == decision


def test_a_condition_needs_its_key_and_its_value() -> None:
    document = policy(
        allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com"]}}),
        allow("iam:GetRole", Condition={"StringLike": {"aws:name": "vpx-*"}}),
    )
    assert says(document, "iam:PassRole", iam_PassedToService="ec2.amazonaws.com") == "allowed"
    assert says(document, "iam:PassRole", iam_passedtoservice="ec2.amazonaws.com") == "allowed"
    assert says(document, "iam:PassRole", iam_PassedToService="lambda.amazonaws.com") == "implicitDeny"
    assert says(document, "iam:PassRole") == "implicitDeny"
    assert says(document, "iam:GetRole", aws_name="vpx-1") == "allowed"


ONE, TWO = {"k": "ours"}, {"k": ("ours", "others'")}


@pytest.mark.parametrize(
    ("operator", "key", "values", "context", "holds"),
    [
        ("StringEquals", "k", "ours", ONE, True),
        ("StringEquals", "k", "OURS", ONE, False),
        ("StringEquals", "k", "ours", {}, False),
        ("StringEquals", "k", "ours", TWO, False),
        ("StringEqualsIfExists", "k", "ours", {}, True),
        ("StringEqualsIfExists", "k", "theirs", ONE, False),
        ("StringNotEquals", "k", "theirs", ONE, True),
        ("StringNotEquals", "k", "ours", {}, True),
        ("StringNotEquals", "k", ["ours", "theirs"], ONE, False),
        ("StringLike", "K", ["x", "our?"], ONE, True),
        ("StringLike", "k", "*", {}, False),
        ("StringLikeIfExists", "k", "*", {}, True),
        ("StringNotLike", "k", "o*", ONE, False),
        ("ArnLike", "k", "arn:aws:iam::*:role/*", {"k": "arn:aws:iam::1:role/r"}, True),
        ("ArnLike", "k", "arn:aws:*:role/*", {"k": "arn:aws:iam::1:role/r"}, False),
        ("ArnLikeIfExists", "k", "arn:aws:iam::*:role/*", {}, True),
        ("Bool", "k", "TRUE", {"k": "true"}, True),
        ("Bool", "k", "true", {}, False),
        ("Null", "k", "true", {}, True),
        ("Null", "k", "true", ONE, False),
        ("Null", "k", "false", ONE, True),
        ("ForAllValues:StringEquals", "k", ["ours", "others'"], TWO, True),
        ("ForAllValues:StringEquals", "k", "ours", TWO, False),
        ("ForAllValues:StringEquals", "k", "ours", {}, True),
        ("ForAllValues:StringNotEquals", "k", "ours", TWO, False),
        ("ForAnyValue:StringLike", "k", "our*", TWO, True),
        ("ForAnyValue:StringEquals", "k", "theirs", TWO, False),
        ("ForAnyValue:StringEquals", "k", "ours", {}, False),
    ],
)
def test_each_operator(operator: str, key: str, values: Any, context: Any, holds: bool) -> None:
    document = policy(allow("ec2:A", Condition={operator: {key: values}}))
    decision = decide(Need("ec2:A", context=context), read_policy(document)).decision
    assert decision == ("allowed" if holds else "implicitDeny")


def test_only_what_the_boundary_allows_as_well_is_allowed() -> None:
    everything, some = policy(allow("*")), policy(allow("ec2:*"), deny("ec2:StopInstances"))
    desired = [Need("ec2:RunInstances"), Need("iam:CreateUser")]
    assert first_refused(desired, [everything], some) == (desired[1], "boundary")
    assert first_refused(desired[:1], [everything], some) is None
    assert first_refused([Need("ec2:StopInstances")], [everything], some) == (Need("ec2:StopInstances"), "explicitDeny")
    said = sentence("u", desired[1], "boundary", where="")
    assert said.endswith("because no permissions boundary allows the iam:CreateUser action")


TAGS = {"eipalloc-1": {"cloudadc:group": "shop"}, "sg-1": {"a": "b"}}
KNOWN = Account(
    "123456789012",
    boundaries={"shop-vpx": "arn:aws:iam::1:policy/limit"},
    known=Known(lambda name: TAGS.get(name, {}), lambda name: {"eipassoc-1": ("eipalloc-1", "eni-1")}.get(name, ())),
)
_EC2, _LIMIT = "arn:aws:ec2:*:123456789012", {"iam:PermissionsBoundary": "arn:aws:iam::1:policy/limit"}


@pytest.mark.parametrize(
    ("service", "action", "fields", "expected"),
    [
        (
            "ec2", "AssociateAddress", {"AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1"},
            [
                (f"{_EC2}:elastic-ip/eipalloc-1", {"aws:ResourceTag/cloudadc:group": "shop"}),
                (f"{_EC2}:network-interface/eni-1", {}),
            ],
        ),
        (
            "ec2", "DisassociateAddress", {"AssociationId": "eipassoc-1"},
            [
                (f"{_EC2}:elastic-ip/eipalloc-1", {"aws:ResourceTag/cloudadc:group": "shop"}),
                (f"{_EC2}:network-interface/eni-1", {}),
            ],
        ),
        (
            "ec2", "CreateTags", {"ResourceId.1": "sg-1", "Tag.1.Key": "c", "Tag.1.Value": "d"},
            [
                (
                    f"{_EC2}:security-group/sg-1",
                    {"aws:ResourceTag/a": "b", "aws:RequestTag/c": "d", "aws:TagKeys": ("c",)},
                )
            ],
        ),
        ("iam", "PutRolePolicy", {"RoleName": "shop-vpx"}, [("arn:aws:iam::123456789012:role/shop-vpx", _LIMIT)]),
        ("iam", "TagRole", {"RoleName": "shop-vpx"}, [("arn:aws:iam::123456789012:role/shop-vpx", {})]),
        ("iam", "DeletePolicy", {"PolicyArn": "arn:aws:iam::1:policy/p"}, [("arn:aws:iam::1:policy/p", {})]),
        (
            "route53", "ChangeResourceRecordSets",
            {"HostedZoneId": "Z1", "Change.1.Name": "WWW.Shop.com.", "Change.1.Type": "A", "Change.1.Action": "UPSERT"},
            [
                (
                    "arn:aws:route53:::hostedzone/Z1",
                    {
                        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ("www.shop.com",),
                        "route53:ChangeResourceRecordSetsRecordTypes": ("A",),
                        "route53:ChangeResourceRecordSetsActions": ("UPSERT",),
                    },
                )
            ],
        ),
        ("ec2", "DescribeInstances", {"InstanceId.1": "i-1"}, [("*", {})]),
        (
            "ec2",
            "ReplaceRoute",
            {"RouteTableId": "rtb-1", "DestinationCidrBlock": "10.99.0.1/32"},
            [("arn:aws:ec2:*:123456789012:route-table/rtb-1", {})],
        ),
    ],
)  # fmt: skip
def test_resources_and_keys_that_a_request_is_decided_on(
    service: str, action: str, fields: dict[str, str], expected: list[tuple[str, Any]]
) -> None:
    found = needs(service, action, fields, KNOWN)
    assert [(need.resource, dict(need.context)) for need in found] == expected


def test_what_is_tagged_as_it_is_created_names_the_action_that_creates_it() -> None:
    fields = {
        "TagSpecification.1.ResourceType": "security-group",
        "TagSpecification.1.Tag.1.Key": "a",
        "TagSpecification.1.Tag.1.Value": "b",
    }
    created, tagged = needs("ec2", "CreateSecurityGroup", fields, KNOWN)
    given = {"aws:RequestTag/a": "b", "aws:TagKeys": ("a",)}
    assert (created.resource, created.context) == (f"{_EC2}:security-group/*", given)
    assert (tagged.action, tagged.context) == ("ec2:CreateTags", {**given, "ec2:CreateAction": "CreateSecurityGroup"})


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{", "no JSON"),
        ('{"Version": "2012-10-17"}', "no Statement"),
        ('{"Version": "2008-10-17", "Statement": []}', "Version must be"),
        (policy(allow("ec2:RunInstances") | {"Effect": "allow"}), "Effect must be"),
        (policy(allow("RunInstances")), "RunInstances is no action"),
        (policy(allow("ec2:RunInstances", NotAction="iam:*")), "either Action or NotAction"),
        (policy(allow("ec2:RunInstances", Sid="a b")), "letters and digits"),
        (policy(allow("ec2:A", Sid="One"), allow("ec2:B", Sid="One")), "same Sid"),
        (policy({"Effect": "Allow", "Action": "ec2:*", "NotResource": "*"}), "does not know NotResource"),
        (policy({"Effect": "Allow", "Action": "ec2:*"}), "Resource must be"),
        (policy(allow("ec2:*", Condition={"DateGreaterThan": {"aws:CurrentTime": "x"}})), "condition DateGreaterThan"),
        (policy(allow("ec2:*", Condition={"StringEquals": "x"})), "object of operators"),
        (policy(allow("ec2:*", Condition={"ForSomeValues:StringEquals": {"a": "b"}})), "condition ForSomeValues"),
        (policy(allow("ec2:*", Resource="arn:aws:s3:::${aws:username}")), "policy variables"),
    ],
)
def test_what_is_not_understood_is_refused(document: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        read_policy(document)


def actions(service: str, action: str, **fields: str) -> list[str]:
    """``fields``: names with _ for the dots."""
    given = {name.replace("_", "."): value for name, value in fields.items()}
    return [need.action for need in needs(service, action, given, ACCOUNT)]


def test_a_launch_needs_tags_and_the_role() -> None:
    fields = {"IamInstanceProfile_Name": "pair-vpx", "TagSpecification_1_ResourceType": "instance"}
    plain = ["ec2:RunInstances"] * 3  # instance, network interface, volume
    assert actions("ec2", "RunInstances", **fields) == [*plain, "ec2:CreateTags", "iam:PassRole"]
    assert actions("ec2", "RunInstances") == plain
    *_rest, passing = needs("ec2", "RunInstances", {"IamInstanceProfile.Name": "pair-vpx"}, ACCOUNT)
    assert passing.resource == "arn:aws:iam::123456789012:role/pair-vpx"


@pytest.mark.parametrize(
    ("service", "action", "fields", "besides"),
    [
        ("ec2", "AllocateAddress", {"TagSpecification_1_ResourceType": "elastic-ip"}, {"ec2:CreateTags"}),
        ("iam", "CreateRole", {"RoleName": "r", "Tags_member_1_Key": "a"}, {"iam:TagRole"}),
        ("iam", "AddRoleToInstanceProfile", {"RoleName": "a"}, {"iam:PassRole"}),
        ("elasticloadbalancing", "SetSubnets", {}, {"ec2:DescribeSubnets"}),
        (
            "elasticloadbalancing",
            "CreateTargetGroup",
            {"Tags_member_1_Key": "a"},
            {"elasticloadbalancing:AddTags", "ec2:DescribeInternetGateways", "ec2:DescribeVpcs"},
        ),
    ],
)
def test_what_else_is_asked_for(service: str, action: str, fields: dict[str, str], besides: set[str]) -> None:
    assert set(actions(service, action, **fields)) - {f"{service}:{action}"} == besides


def test_the_first_load_balancer_of_an_account_makes_a_role() -> None:
    first, later = (
        [need.action for need in needs("elasticloadbalancing", "CreateLoadBalancer", {}, Account("1", balanced=known))]
        for known in (False, True)
    )
    assert set(first) - set(later) == {"iam:CreateServiceLinkedRole"}


def test_services_whose_actions_have_another_name() -> None:
    assert actions("monitoring", "PutMetricData") == ["cloudwatch:PutMetricData"]
    assert actions("sts", "GetCallerIdentity") == []


def test_the_first_that_is_refused_is_named() -> None:
    desired = [Need("ec2:RunInstances"), Need("iam:PassRole", "arn:aws:iam::1:role/r")]
    refused = first_refused(desired, [policy(allow("ec2:*"))])
    assert refused == (desired[1], "implicitDeny")
    assert first_refused(desired, [policy(allow("ec2:*")), policy(allow("iam:*"))]) is None
    assert sentence("arn:aws:iam::1:user/u", *refused, where="") == (
        "User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/r "
        "because no identity-based policy allows the iam:PassRole action"
    )


def simulated(document: str, **fields: str) -> tuple[dict[str, str], ET.Element]:
    asked = {name.replace("_", "."): value for name, value in fields.items()}
    answer = ET.fromstring(f"<r>{results(read_question(asked), statements_of([document]))}</r>")
    found = {
        str(one.findtext("EvalActionName")): str(one.findtext("EvalDecision"))
        for one in answer.findall("EvaluationResults/member")
    }
    return found, answer


def test_a_simulation_is_decided_by_the_same() -> None:
    document = policy(allow("ec2:RunInstances", Sid="Build"), deny("ec2:StopInstances"))
    found, answer = simulated(
        document, ActionNames_member_1="ec2:RunInstances", ActionNames_member_2="ec2:StopInstances",
        ActionNames_member_3="ec2:StartInstances",
    )  # fmt: skip
    assert found == {
        "ec2:RunInstances": "allowed",
        "ec2:StopInstances": "explicitDeny",
        "ec2:StartInstances": "implicitDeny",
    }
    assert answer.findtext(".//SourcePolicyId") == "Build"


def test_a_simulation_without_resource_is_about_all_of_them() -> None:
    document = policy(allow("iam:GetRole", Resource="arn:aws:iam::*:role/*-vpx"))
    asked = {"ActionNames_member_1": "iam:GetRole"}
    assert simulated(document, **asked)[0] == {"iam:GetRole": "implicitDeny"}
    role = {"ResourceArns_member_1": "arn:aws:iam::1:role/pair-vpx"}
    assert simulated(document, **asked, **role)[0] == {"iam:GetRole": "allowed"}
    both, answer = simulated(document, **asked, **role, ResourceArns_member_2="arn:aws:iam::1:role/admin")
    assert both == {"iam:GetRole": "implicitDeny"}
    assert [one.text for one in answer.iter("EvalResourceDecision")] == ["allowed", "implicitDeny"]


def test_a_simulation_has_pages() -> None:
    document = policy(allow("ec2:A"))
    asked = {f"ActionNames_member_{number}": f"ec2:A{number}" for number in (1, 2, 3)}
    first, answer = simulated(document, **asked, MaxItems="2")
    assert list(first) == ["ec2:A1", "ec2:A2"]
    assert answer.findtext("IsTruncated") == "true"
    rest, end = simulated(document, **asked, MaxItems="2", Marker=str(answer.findtext("Marker")))
    assert list(rest) == ["ec2:A3"]
    assert end.findtext("IsTruncated") == "false"
