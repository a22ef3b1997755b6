"""How nodes in service differ from the definition, and what repairs each difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance, parse_instances
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import drift as drifts
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.drift_words import drift_lines
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_plan import decide
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_drift import node_name
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_resources import Change

from .fleet import desired, desired_interface, instance, observed

INTERFACES = tuple(desired_interface(role) for role in ("management", "client", "server"))
NODE = drifts.DesiredNode("ami-1", "m5.xlarge", "shop-vpx", INTERFACES, "required", "Replace it.")


def node(**changes: Any) -> Instance:
    launched = {"image_id": "ami-1", "instance_type": "m5.xlarge", "profile": "shop-vpx", "http_tokens": "required"}
    return replace(instance(lifecycle="in_service", node_id=0), **{**launched, **changes})


def moved(index: int, subnet: str) -> tuple[Attached, ...]:
    return tuple(
        replace(one, subnet_id=subnet) if one.device_index == index else one for one in instance("i-1").interfaces
    )


@pytest.mark.parametrize(
    ("changes", "setting", "found", "repair"),
    [
        ({"instance_type": "m5.large"}, "instance type", "m5.large", "replace"),
        ({"image_id": "ami-0"}, "image", "ami-0", "replace"),
        ({"interfaces": moved(1, "subnet-9")}, "subnet of the client interface", "subnet-9", "replace"),
        ({"http_tokens": "optional"}, "http_tokens", "optional", "by_hand"),
        ({"profile": "other"}, "instance profile", "other", "by_hand"),
    ],
)
def test_setting_that_no_run_changes_is_reported_with_its_remedy(
    changes: dict[str, Any], setting: str, found: str, repair: str
) -> None:
    [finding] = drifts.instance_findings(node(**changes), "Node 0 (i-1)", NODE)
    assert (finding.setting, finding.found, finding.repair, finding.node) == (setting, found, repair, "i-1")
    assert finding.message.startswith(f"Node 0 (i-1): {setting} is {found}, defined is ")
    remedy = "with aws ec2 " if repair == "by_hand" else "Replace it."
    assert remedy in finding.message


def test_user_data_is_reported_by_its_checksum_only() -> None:
    [finding] = drifts.instance_findings(node(), "Node 0", NODE, user_data="c2VjcmV0")
    assert (finding.setting, finding.repair) == ("user data", "replace")
    assert finding.found.startswith("sha256 ")
    assert "c2VjcmV0" not in finding.message


@pytest.mark.parametrize("changes", [{}, {"image_id": "", "instance_type": "", "http_tokens": ""}])
def test_nothing_is_reported_of_what_is_as_defined_or_not_described(changes: dict[str, str]) -> None:
    assert drifts.instance_findings(node(**changes), "Node 0", NODE) == []


@pytest.mark.parametrize("lifecycle", ["provisioning", "joining", "draining", "terminating"])
def test_only_nodes_in_service_are_compared(lifecycle: str) -> None:
    other = replace(instance(lifecycle=lifecycle), image_id="ami-0", profile="")
    assert drifts.instance_findings(other, "Node 0", NODE) == []
    plan = decide(desired(of_role={"client": {"security_groups": ("sg-2",)}}, profile="shop-vpx"), observed(other))
    assert plan.modify
    assert plan.profiles
    assert drifts.plan_findings(plan, [other], node_name, "ha_pair") == []


def test_what_vpx_instance_repairs_is_reported_as_such() -> None:
    one = node(profile="")
    request = desired(
        of_role={"client": {"security_groups": ("sg-2",)}, "server": {"source_dest_check": False}},
        profile="shop-vpx",
        tags={"cost": "7"},
    )
    plan = decide(request, observed(one))
    found = {each.setting: each for each in drifts.plan_findings(plan, [one], node_name, "ha_pair")}
    assert {(each.repair, each.node) for each in found.values()} == {("in_place", "i-1")}
    assert (found["security_groups of its interface eni-i-1-1"].found) == ["sg-1"]
    assert (found["source_dest_check of its interface eni-i-1-2"].found) is True
    assert found["instance profile"].message == (
        "Node 0 (i-1): instance profile is none, defined is shop-vpx. ha_pair sets it."
    )
    assert found["tags"].defined == {"cost": "7"}


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_interface_that_is_detached_stops_the_run(state: str) -> None:
    one = replace(node(), state=state, interfaces=node().interfaces[:1] + node().interfaces[2:])
    [problem] = drifts.interface_problems([one, node()], node_name, lambda _one: "Replace it.")
    assert problem.startswith("Node 0 (i-1) has no client interface any more.")
    assert problem.endswith("Replace it.")


def test_interfaces_of_an_instance_that_starts_are_not_missed() -> None:
    assert drifts.interface_problems([replace(node(), state="pending", interfaces=())], node_name, str) == []


def test_shared_resource_names_what_a_run_does() -> None:
    path = ("security_groups", "shop-client", "rules")
    was = {"tcp 22 from 0.0.0.0/0": ""}
    change = Change(
        2, "", "revoke", "", "revoke tcp 22 from 0.0.0.0/0 in security group shop-client", None, path, was, {}
    )
    [finding] = drifts.shared_findings([change], "ha_pair")
    assert finding.message == (
        "security group shop-client: rules is tcp 22 from 0.0.0.0/0, defined is none. "
        "ha_pair will revoke tcp 22 from 0.0.0.0/0 in security group shop-client."
    )


def test_policy_document_is_not_part_of_a_message() -> None:
    path, before, after = ("role", "shop-vpx", "policy"), {"Statement": ["long"]}, {"Statement": ["longer"]}
    change = Change(2, "", "put_role_policy", "", "write policy p of role shop-vpx", None, path, before, after)
    [finding] = drifts.shared_findings([change], "ha_pair")
    assert finding.message == (
        "IAM role shop-vpx: policy is one document, defined is another one. "
        "ha_pair will write policy p of role shop-vpx."
    )


def test_summary_tells_what_was_repaired_and_what_remains() -> None:
    findings = [
        *drifts.instance_findings(node(image_id="ami-0"), "Node 0", NODE),
        *drifts.due_findings(["set its zones"], "Distribution of shop", "autoscale_group"),
    ]
    found = [each.result() for each in findings]
    repaired = drift_lines(found, check_mode=False)
    assert repaired[0].startswith("drift: Node 0: image is ami-0, defined is ami-1.")
    assert repaired[1] == "repaired: Distribution of shop: state was different"
    assert drift_lines(found, check_mode=True)[1].endswith("autoscale_group will set its zones.")


def test_description_of_an_instance_has_what_is_compared() -> None:
    described = {
        "InstanceId": "i-1",
        "State": {"Name": "running"},
        "InstanceType": "m5.large",
        "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/path/shop-vpx"},
        "MetadataOptions": {"HttpTokens": "optional"},
    }
    [one] = parse_instances([described])
    assert (one.instance_type, one.profile, one.http_tokens) == ("m5.large", "shop-vpx", "optional")


@pytest.mark.parametrize(
    ("profile", "state", "due"),
    [("shop-vpx", "running", 0), ("", "running", 1), ("", "stopped", 1), ("other", "running", 0), ("", "pending", 0)],
)
def test_instance_profile_is_associated_where_there_is_none(profile: str, state: str, due: int) -> None:
    plan = decide(desired(profile="shop-vpx"), observed(replace(node(profile=profile), state=state)))
    assert len(plan.profiles) == due
    assert plan.writes is bool(due)
    assert decide(desired(), observed(node(profile=profile))).profiles == ()
