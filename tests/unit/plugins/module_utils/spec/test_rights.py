"""The shipped policies, narrowed to one pair or group."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import (
    ELASTIC_IP,
    RECORD_NAMES,
    Scope,
    applicable,
    narrowed,
)

EVERYTHING = Scope(
    names=("shop", "edge"),
    account="123456789012",
    partition="aws-cn",
    boundary="arn:aws-cn:iam::123456789012:policy/limits/vpx",
    elastic_ips=("eipalloc-1",),
    hosted_zone="Z1",
    records=("Shop.Example.com.", "*.example.com"),
    table="cloudadc",
)


def of(scope: Scope, **statement: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = narrowed({"Statement": [{"Resource": "*", **statement}]}, scope)["Statement"]
    return found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", "*"),
        (
            "arn:aws:iam::*:role/*-vpx",
            ["arn:aws-cn:iam::123456789012:role/shop-vpx", "arn:aws-cn:iam::123456789012:role/edge-vpx"],
        ),
        ("arn:aws:iam::*:role/*", "arn:aws-cn:iam::123456789012:role/*"),
        ("arn:aws:iam::*:policy/cloudadc-vpx-boundary", "arn:aws-cn:iam::123456789012:policy/limits/vpx"),
        ("arn:aws:ec2:*:*:image/*", "arn:aws-cn:ec2:*:*:image/*"),
        (f"arn:aws:ec2:*:*:{ELASTIC_IP}", "arn:aws-cn:ec2:*:123456789012:elastic-ip/eipalloc-1"),
        ("arn:aws:route53:::hostedzone/*", "arn:aws-cn:route53:::hostedzone/Z1"),
        ("arn:aws:dynamodb:*:*:table/*", "arn:aws-cn:dynamodb:*:123456789012:table/cloudadc"),
    ],
)
def test_resources_become_exact(pattern: str, expected: Any) -> None:
    assert [each["Resource"] for each in of(EVERYTHING, Resource=pattern)] == [expected]
    kept = [] if ELASTIC_IP in pattern else [pattern]
    assert [each["Resource"] for each in of(Scope(), Resource=pattern)] == kept, "as shipped where nothing is known"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("aws:ResourceTag/cloudadc:group", "*", ["shop", "edge"]),
        ("aws:RequestTag/cloudadc:group", "*", ["shop", "edge"]),
        ("aws:ResourceTag/other", "*", "*"),
        (RECORD_NAMES, "*", ["shop.example.com", r"\052.example.com"]),
        ("iam:PermissionsBoundary", "arn:aws:iam::*:policy/cloudadc-vpx-boundary", EVERYTHING.boundary),
    ],
)
def test_conditions_become_exact(key: str, value: str, expected: Any) -> None:
    [statement] = of(EVERYTHING, Condition={"StringLike": {key: value}})
    assert statement["Condition"] == {"StringLike": {key: expected}}


def test_statements_for_other_definitions_are_left_out() -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Look"}, {"Sid": "NamesWithDns"}]}
    assert applicable(policy, ["WithDns"]) == {"Version": "2012-10-17", "Statement": [{"Sid": "Look"}]}
    assert applicable(policy, []) == policy
