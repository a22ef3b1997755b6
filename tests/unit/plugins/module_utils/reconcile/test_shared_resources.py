"""Shared resources of a pair or a group: which changes follow from what is desired and what is observed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.iam import same_document
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.security_rules import Rule
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_resources import (
    TRUST,
    Change,
    GroupSpec,
    Observed,
    ObservedGroup,
    ObservedProfile,
    ObservedRole,
    RoleSpec,
    SharedSpec,
    diff_of,
    plan_absent,
    plan_present,
    policy_of,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import Owner
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import ELASTIC_IP

TAGS = {"cloudadc:group": "shop", "cloudadc:kind": "pair"}
ARN = "arn:aws:iam::123456789012:role/shop-vpx"
OWNER = Owner("shop", "pair")
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "OwnRights", "Action": ["iam:GetRole"], "Resource": "*"}]}
ROLE = RoleSpec(policy=POLICY, policy_name="cloudadc-ha")
WEB = Rule("tcp", (443, 443), "0.0.0.0/0")
SPEC = SharedSpec(
    Owner("shop", "pair"),
    vpc_id="vpc-1",
    role=ROLE,
    groups=(GroupSpec("client", "shop-client", "Clients of the VPX pair shop", {WEB: "web"}),),
    elastic_ip=True,
)
OBSERVED = Observed(
    role=ObservedRole("shop-vpx", ARN, "NetScaler VPX pair shop", TRUST, None, TAGS, policy_of(OWNER, ROLE, ARN)),
    profile=ObservedProfile("shop-vpx", ("shop-vpx",), TAGS),
    groups=(ObservedGroup("sg-1", "shop-client", "vpc-1", "Clients of the VPX pair shop", TAGS, {WEB: "web"}),),
    addresses=(Address("203.0.113.1", "eipalloc-1", tags={**TAGS, "cloudadc:role": "client"}),),
)


def calls(changes: Iterable[Change]) -> list[tuple[int, str]]:
    return [(change.phase, change.call) for change in changes]


def changed(**observed: Any) -> list[tuple[int, str]]:
    return calls(plan_present(SPEC, replace(OBSERVED, **observed), same_document).changes)


def role(**more: Any) -> ObservedRole:
    assert OBSERVED.role
    return replace(OBSERVED.role, **more)


def group(**more: Any) -> tuple[ObservedGroup, ...]:
    return (replace(OBSERVED.groups[0], **more),)


STRANGE = {**TAGS, "strange": "yes"}


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ({}, []),
        ({"role": role(description="changed")}, [(1, "update_role")]),
        ({"role": role(trust={})}, [(1, "update_assume_role_policy")]),
        ({"role": role(tags=STRANGE)}, [(1, "untag role")]),
        ({"role": role(tags={**TAGS, "aws:cloudformation:stack-id": "x"})}, []),
        ({"role": role(policy=None)}, [(2, "put_role_policy")]),
        ({"role": role(policy=POLICY)}, [(2, "put_role_policy")]),
        ({"role": role(boundary="arn:boundary")}, []),
        ({"role": None}, [(1, "create_role"), (2, "put_role_policy")]),
        ({"profile": None}, [(1, "create_instance_profile"), (2, "add_role_to_instance_profile")]),
        ({"profile": ObservedProfile("shop-vpx", (), TAGS)}, [(2, "add_role_to_instance_profile")]),
        (
            {"profile": ObservedProfile("shop-vpx", ("other",), TAGS)},
            [(2, "remove_role_from_instance_profile"), (2, "add_role_to_instance_profile")],
        ),
        ({"groups": ()}, [(1, "create_security_group"), (2, "allow")]),
        ({"groups": group(rules={})}, [(2, "allow")]),
        ({"groups": group(rules={WEB: "other"})}, [(2, "describe")]),
        ({"groups": group(rules={WEB: "web", Rule("udp", (1, 1), "0.0.0.0/0"): ""})}, [(2, "revoke")]),
        ({"groups": group(rules={Rule("udp", (1, 1), "0.0.0.0/0"): ""})}, [(2, "allow"), (2, "revoke")]),
        # The group of the name in another VPC is not the desired one.
        ({"groups": group(vpc_id="vpc-2")}, [(1, "create_security_group"), (2, "allow")]),
        ({"addresses": ()}, [(1, "allocate_address")]),
        # A node's own address is not the pair's.
        ({"addresses": (Address("203.0.113.2", "eipalloc-2", tags=TAGS),)}, [(1, "allocate_address")]),
    ],
)
def test_only_what_differs_is_written(observed: dict[str, Any], expected: list[tuple[int, str]]) -> None:
    assert changed(**observed) == expected


def test_boundary_is_set_before_the_changes_that_may_require_it() -> None:
    limited = replace(SPEC, role=replace(ROLE, permissions_boundary="arn:boundary"))
    observed = replace(OBSERVED, role=role(description="changed", trust={}))
    assert [change.call for change in plan_present(limited, observed, same_document).changes] == [
        "put_role_permissions_boundary",
        "update_role",
        "update_assume_role_policy",
    ]


def test_policy_of_a_role_is_about_its_own_owner_only() -> None:
    own = {"StringLike": {"aws:ResourceTag/cloudadc:group": "*"}, "StringEquals": {"a:b": "*"}}
    move = {"Effect": "Allow", "Action": ["ec2:AssociateAddress"]}
    statements = [
        {"Sid": "Addresses", **move, "Resource": "*", "Condition": own},
        {"Sid": "Given", **move, "Resource": f"arn:aws:ec2:*:*:{ELASTIC_IP}"},
        {"Sid": "OwnRights", "Effect": "Allow", "Action": ["iam:GetRole"], "Resource": "arn:aws:iam::*:role/*-vpx"},
    ]
    spec = RoleSpec({"Version": "2012-10-17", "Statement": statements})
    addresses, rights = policy_of(SPEC.owner, spec, "arn:aws-cn:iam::1:role/shop-vpx")["Statement"]
    assert addresses["Condition"] == {
        "StringLike": {"aws:ResourceTag/cloudadc:group": "shop"},
        "StringEquals": {"a:b": "*"},
    }
    assert rights["Resource"] == "arn:aws-cn:iam::1:role/shop-vpx"
    given = policy_of(SPEC.owner, replace(spec, elastic_ips=["eipalloc-1", "eipalloc-2"]), "")["Statement"][1]
    assert given["Resource"] == [f"arn:aws:ec2:*:*:elastic-ip/eipalloc-{number}" for number in (1, 2)]


def test_kindless_resources_get_the_tag_of_the_kind() -> None:
    kindless = {"cloudadc:group": "shop"}
    observed = replace(OBSERVED, role=role(tags=kindless), groups=group(tags=kindless))
    plan = plan_present(SPEC, observed, same_document)
    assert [item.what for item in plan.adopted] == ["IAM role shop-vpx", "security group shop-client"]
    assert [(change.call, change.value) for change in plan.changes] == [
        ("tag role", {"cloudadc:kind": "pair"}),
        ("tag security group", {"cloudadc:kind": "pair"}),
    ]


@pytest.mark.parametrize(
    "observed",
    [
        {"role": role(tags={**TAGS, "cloudadc:kind": "group"})},
        {"profile": ObservedProfile("shop-vpx", (), {})},
        {"groups": group(tags={"cloudadc:group": "other"})},
        # A group of the name in another VPC of the account belongs to a group of this name.
        {"groups": group(vpc_id="vpc-2", tags={**TAGS, "cloudadc:kind": "group"})},
        {"addresses": (Address("203.0.113.1", "eipalloc-1", tags={**TAGS, "cloudadc:kind": "group"}),)},
    ],
)
def test_what_belongs_to_others_is_refused(observed: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="was not made for pair shop"):
        plan_present(SPEC, replace(OBSERVED, **observed), same_document)


def test_a_foreign_group_of_the_name_in_another_vpc_does_not_matter() -> None:
    [own] = OBSERVED.groups
    foreign = ObservedGroup("sg-9", "shop-client", "vpc-2", "mine", {})
    assert changed(groups=(own, foreign)) == []


def test_one_address_in_use_goes_before_an_idle_one() -> None:
    idle, used = OBSERVED.addresses[0], replace(OBSERVED.addresses[0], allocation_id="eipalloc-9")
    used = replace(used, association=Association("eni-1", "10.0.0.1"), tags={**used.tags, "cloudadc:kind": "pair"})
    assert changed(addresses=(idle, used)) == []


def test_the_diff_has_what_differs_and_nothing_else() -> None:
    observed = replace(OBSERVED, role=role(description="changed"), groups=group(tags=STRANGE, rules={WEB: "other"}))
    assert diff_of(plan_present(SPEC, observed, same_document).changes) == {
        "before": {
            "role": {"shop-vpx": {"description": "changed"}},
            "security_groups": {"shop-client": {"tags": {"strange": "yes"}, "rules": {str(WEB): "other"}}},
        },
        "after": {
            "role": {"shop-vpx": {"description": "NetScaler VPX pair shop"}},
            "security_groups": {"shop-client": {"tags": {}, "rules": {str(WEB): "web"}}},
        },
    }
    assert diff_of(()) == {}


def test_the_diff_of_what_is_created_is_whole() -> None:
    diff = diff_of(plan_present(SPEC, Observed(), same_document).changes)
    assert diff["before"] == {
        "role": {"shop-vpx": None},
        "instance_profile": {"shop-vpx": None},
        "security_groups": {"shop-client": None},
        "elastic_ip": None,
    }
    assert diff["after"]["security_groups"]["shop-client"]["rules"] == {str(WEB): "web"}
    assert diff["after"]["role"]["shop-vpx"]["policy"] == POLICY


def test_a_removal_in_the_order_that_works() -> None:
    web, own = Rule("tcp", (443, 443), "sg-2"), Rule("tcp", (443, 443), "sg-1")
    observed = replace(
        OBSERVED,
        role=role(inline_policies=("cloudadc-ha",), managed_policies=("arn:more",), profiles=("shop-vpx", "x")),
        groups=(*group(rules={web: "", own: ""}), ObservedGroup("sg-2", "shop-nlb", "vpc-1", "", TAGS)),
    )
    assert calls(sorted(plan_absent(SPEC, observed).changes, key=lambda change: change.phase)) == [
        (1, "remove_role_from_instance_profile"),
        (1, "delete_instance_profile"),
        (1, "remove_role_from_instance_profile"),
        (1, "delete_role_policy"),
        (1, "detach_role_policy"),
        (1, "revoke"),
        (1, "release_address"),
        (2, "delete_role"),
        (2, "delete_security_group"),
        (2, "delete_security_group"),
    ]
    [revoked] = [change.value for change in plan_absent(SPEC, observed).changes if change.call == "revoke"]
    assert revoked == {web: ""}


def test_a_removal_leaves_what_has_no_tag_of_ours() -> None:
    foreign = Observed(role=role(tags={}), profile=ObservedProfile("shop-vpx"), groups=group(tags={}))
    assert plan_absent(SPEC, foreign).changes == ()


def test_a_removal_refuses_the_other_kind() -> None:
    with pytest.raises(Refusal, match="its tag cloudadc:kind is 'pair'"):
        plan_absent(replace(SPEC, owner=Owner("shop", "group")), OBSERVED)


def test_an_unmanaged_role_is_neither_changed_nor_removed() -> None:
    spec = replace(SPEC, role=RoleSpec(managed=False))
    admins = replace(OBSERVED, role=role(tags={}, description="", policy=None))
    assert calls(plan_present(spec, admins, same_document).changes) == []
    assert {change.chain for change in plan_absent(spec, admins).changes} == {"group sg-1", "address eipalloc-1"}
    with pytest.raises(Refusal, match="instance profile shop-vpx does not hold role shop-vpx"):
        plan_present(spec, replace(admins, profile=ObservedProfile("shop-vpx")), same_document)


def test_an_address_in_use_is_not_released() -> None:
    used = replace(OBSERVED.addresses[0], association=Association("eni-1", "10.0.0.1"))
    plan = plan_absent(SPEC, replace(OBSERVED, addresses=(used,)))
    assert plan.held == (used,)
    assert "release_address" not in {change.call for change in plan.changes}
