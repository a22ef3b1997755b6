"""What a preflight checks for which playbook, and how its checks are summed up."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.preflight import judge, read_request, read_rights

NODE = {"management_subnet_id": "subnet-m", "client_subnet_id": "subnet-c", "server_subnet_id": "subnet-s"}
PAIR: dict[str, Any] = {"ha_pair_name": "edge", "ha_pair_nodes": [NODE, NODE], "ha_pair_region": "eu-central-1"}
GROUP: dict[str, Any] = {
    "autoscale_group_name": "shop",
    "autoscale_group_zones": [{"name": "eu-central-1a", **NODE}, {"name": "eu-central-1b", **NODE}],
    "autoscale_group_policy": {"max_nodes": 3},
}


def request(playbook: str = "auto", **roles: dict[str, Any]) -> dict[str, Any]:
    return read_request(roles, playbook)


@pytest.mark.parametrize(
    ("roles", "playbook", "expected"),
    [
        pytest.param({"ha_pair": PAIR}, "auto", ("ha_pair", "edge", None), id="pair"),
        pytest.param({"autoscale_group": GROUP}, "auto", ("autoscale_group", "shop", None), id="group"),
        pytest.param({}, "auto", ("autoscale_group", "", "autoscale_group_name"), id="nothing"),
        pytest.param({}, "ha_failover", ("ha_failover", "", "ha_pair_name"), id="no pair"),
        pytest.param(
            {"ha_pair": PAIR, "ha_failover": {"ha_failover_name": "other"}},
            "ha_failover",
            ("ha_failover", "other", None),
            id="failover by its own name",
        ),
        pytest.param(
            {"autoscale_group": GROUP, "report": {"report_group": "old"}},
            "report",
            ("report", "old", None),
            id="report",
        ),
    ],
)
def test_playbook_and_name_follow_from_the_variables(
    roles: dict[str, Any], playbook: str, expected: tuple[str, str, str | None]
) -> None:
    found = request(playbook, **roles)
    assert (found["playbook"], found["group"], found["missing"]) == expected


@pytest.mark.parametrize(
    ("changes", "addresses", "given"),
    [
        ({}, 1, []),
        ({"ha_pair_elastic_ips": ["198.51.100.1", "198.51.100.2"]}, 0, ["198.51.100.1", "198.51.100.2"]),
        ({"ha_pair_management_public": "yes"}, 3, []),
        ({"ha_pair_management_public": "no"}, 1, []),
    ],
)
def test_elastic_ips_of_a_pair(changes: dict[str, Any], addresses: int, given: list[str]) -> None:
    found = request(ha_pair=PAIR | changes)
    assert (found["elastic_ips"], found["given_addresses"]) == (addresses, given)
    assert [zone["secondary_private_ip_count"] for zone in found["zones"]] == [max(len(given) - 1, 0)] * 2


@pytest.mark.parametrize(
    ("changes", "addresses", "balancers", "public"),
    [
        ({}, 2, 1, True),
        ({"autoscale_group_nlb_scheme": "internal"}, 0, 1, False),
        ({"autoscale_group_distributor": "dns"}, 6, 0, True),
        ({"autoscale_group_zones": [{"name": "a", "nlb_allocation_id": "eipalloc-1", **NODE}]}, 0, 1, True),
    ],
)
def test_addresses_and_balancers_of_a_group(
    changes: dict[str, Any], addresses: int, balancers: int, public: bool
) -> None:
    found = request(autoscale_group=GROUP | changes)
    assert (found["elastic_ips"], found["load_balancers"], found["public_clients"]) == (addresses, balancers, public)


def test_a_playbook_that_launches_nothing_needs_no_capacity() -> None:
    found = request("scale_in", autoscale_group=GROUP)
    assert (found["zones"], found["elastic_ips"], found["load_balancers"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("url", "reach"), [("https://adm.example.com", "adm.example.com:443"), ("https://10.0.0.9:8443/", "10.0.0.9:8443")]
)
def test_the_console_must_be_reachable(url: str, reach: str) -> None:
    assert request(autoscale_group=GROUP | {"autoscale_group_console": {"adm_url": url}})["reach"] == [reach]


def test_only_the_rights_of_circumstances_that_apply_are_needed() -> None:
    statement = {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": ["*"]}
    policy = {
        "Statement": [
            {"Sid": "Launch", **statement, "Condition": {"StringEquals": {"aws:RequestTag/a": "b"}}},
            {"Sid": "RecordsWithDns", **statement},
        ]
    }
    asked = request(autoscale_group=GROUP)
    assert {"WithDns", "WithDynamodb", "WithCluster"} <= set(asked["without"])
    assert read_rights([policy], asked) == [
        {"actions": ["ec2:RunInstances"], "resources": ["*"], "context": {"aws:RequestTag/a": "b"}}
    ]
    assert len(read_rights([policy], {**asked, "without": []})) == 2


def test_the_rights_have_the_values_of_the_definition() -> None:
    """A pattern for any group is simulated with the group's own name; what is denied is no right that is needed."""
    like = {"aws:ResourceTag/cloudadc:group": "*", "iam:PermissionsBoundary": "arn:aws:iam::*:policy/any"}
    condition = {"StringLike": like, "Null": {"a:b": "false"}, "ForAllValues:StringNotEquals": {"aws:TagKeys": ["x"]}}
    statements = [
        {"Effect": "Allow", "Action": ["iam:CreateRole"], "Resource": "*", "Condition": condition},
        {"Effect": "Deny", "Action": ["iam:CreatePolicyVersion"], "Resource": "*"},
    ]
    policy = {"Statement": statements}
    bounded = {**PAIR, "ha_pair_permissions_boundary": "arn:aws:iam::1:policy/limit"}
    [right] = read_rights([policy], request(ha_pair=bounded))
    assert right["context"] == {
        "aws:ResourceTag/cloudadc:group": "edge",
        "iam:PermissionsBoundary": "arn:aws:iam::1:policy/limit",
    }
    [without] = read_rights([policy], request(ha_pair=PAIR))
    assert without["context"] == {"aws:ResourceTag/cloudadc:group": "edge"}, "the simulator names what is missing"


@pytest.mark.parametrize(
    ("playbook", "changes", "expected"),
    [
        ("ha_pair", {}, ["policies/ha_pair.json", "policies/managed_role.json"]),
        ("ha_pair", {"ha_pair_manage_role": "false"}, ["policies/ha_pair.json"]),
        ("ha_failover", {}, ["policies/ha_failover.json"]),
    ],
)
def test_only_a_playbook_that_makes_the_role_needs_the_rights_to(
    playbook: str, changes: dict[str, Any], expected: list[str]
) -> None:
    assert request(playbook, ha_pair={**PAIR, **changes})["policies"] == expected


@pytest.mark.parametrize(
    ("statuses", "strict", "verdict"),
    [
        (["ok"], False, ""),
        (["ok", "warning"], False, ""),
        (["ok", "warning"], "true", "might not succeed because of image ami-1;"),
        (["failed", "warning"], False, "would not succeed because of image ami-0;"),
    ],
)
def test_the_verdict_names_every_bad_row(statuses: list[str], strict: Any, verdict: str) -> None:
    rows = [{"check": "image", "subject": f"ami-{n}", "status": status} for n, status in enumerate(statuses)]
    found = judge({"playbook": "ha_pair", "group": "edge"}, rows, strict)
    assert found["headline"].startswith(f"Preflight of ha_pair for edge: {len(rows)} checks")
    assert (verdict in found["verdict"]) if verdict else found["verdict"] == ""
