"""Each playbook passes with exactly the policies that are shipped for it, narrowed to the name of its pair or group.

IAM=all: every case, and every action of every policy must have been needed by one of them; otherwise a sample that
IAM_SEED draws (it is printed). That a refusal names the action is shown for each action at its call (test_calls.py).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import Scope, narrowed
from tests.crash.group_flows import STORE
from tests.crash.lab_states import MISPLACED
from tests.iam.by_hand import BOUNDARY, BUCKET
from tests.iam.cases import Case, cases, drawn
from tests.iam.shipped import POLICIES, Statement, actions, controller, documents, statements, without
from tests.stage import Run, Stage

EVERYTHING = os.environ.get("IAM", "sample") == "all"
SEED = os.environ["IAM_SEED"]
CHOSEN = cases() if EVERYTHING else drawn(random.Random(SEED))

#: Needed only while another job has the record for a moment; "tick beside another job" shows it of the same module.
BESIDE_OTHERS = {"scale_out": {"dynamodb:GetItem"}, "scale_in": {"dynamodb:GetItem"}}
#: Needed only where an instance has lost its profile; test_drift_by_hand.py shows it, and test_calls.py each action.
AFTER_DRIFT = {"ec2:AssociateIamInstanceProfile"}
#: Of VIPs with IPv6 addresses, which an unassign and an assign move; test_calls.py shows them.
OF_IPV6 = {"ec2:AssignIpv6Addresses", "ec2:UnassignIpv6Addresses", "ec2:UnassignPrivateIpAddresses"}
#: A route is created at the build and replaced from then on, unless it was deleted or moved by hand.
BY_HAND = {"ha_pair": {"ec2:ReplaceRoute"}, "ha_failover": {"ec2:CreateRoute"}}
#: Asked only to explain why a node refuses the login for long; tests/unit/…/test_instance_status.py shows the question.
TO_EXPLAIN = {"ec2:DescribeInstanceStatus"}

used: dict[str, set[str]] = defaultdict(set)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name.replace(" ", "-"))
def test_playbook_passes_with_exactly_its_policies(stage: Stage, case: Case) -> None:
    print(f"IAM_SEED={SEED}")
    case.set_up(stage)
    granted = {name: policy(stage, case, name) for name in documents(case.playbook, managed=case.managed)}
    whole = play(stage, case, list(granted.values()))
    assert whole.code == 0, f"{case.name} does not pass with its policy; see {whole.log}\n{tail(whole)}"
    needed = called(stage, whole)
    for name, given in granted.items():
        used[name] |= permitted(given) & needed
    print(f"{case.name}: passes in {whole.seconds:.0f} s")


def test_playbook_with_one_action_less_fails_and_names_it(stage: Stage) -> None:
    case, action = (
        Case("reconcile", "ha_failover", MISPLACED, ("-e", "ha_failover_mode=reconcile")),
        "ec2:AssociateAddress",
    )
    case.set_up(stage)
    less = play(stage, case, [without(action, policy(stage, case, case.playbook))])
    assert less.code != 0
    assert f"The action {action} is missing in the rights of these credentials" in " ".join(less.text().split())


@pytest.mark.skipif(not EVERYTHING, reason="what is needed at all is known when all cases were played")
@pytest.mark.parametrize("name", sorted({name for case in cases() for name in documents(case.playbook)}))
def test_no_action_is_unused(name: str) -> None:
    """After all cases, in the same process."""
    known = BESIDE_OTHERS.get(name, set()) | BY_HAND.get(name, set()) | TO_EXPLAIN | AFTER_DRIFT | OF_IPV6
    assert permitted(statements(name)) - used[name] - known == set()


def policy(stage: Stage, case: Case, name: str) -> list[Statement]:
    """Return the statements that apply to the case, narrowed to its pair or group."""
    values = stage.lab.variables(case.variables)
    zones = stage.lab.boto("route53").list_hosted_zones()["HostedZones"]
    scope = Scope(
        names=(values.get("ha_pair_name") or values["autoscale_group_name"],),
        account="123456789012",
        boundary=BOUNDARY,
        elastic_ips=values.get("ha_pair_elastic_ips", ()),
        hosted_zone=zones[0]["Id"].rpartition("/")[2],
        records=[one["domain"] for one in values.get("autoscale_group_applications", ()) if "domain" in one],
        table=STORE["table"],
        bucket=BUCKET,
        backups=(f"cloudadc/pair/{values.get('ha_pair_name')}/",),
    )
    found: dict[str, Any] = narrowed({"Statement": statements(name, case.given)}, scope)
    return list(found["Statement"])


def play(stage: Stage, case: Case, policies: list[list[Statement]]) -> Run:
    """Run the case as a user who has these policies. The state has to be set up."""
    building = next((name for name in documents(case.playbook) if name in ("ha_pair", "autoscale_group")), None)
    limit = ("-e", f"{building}_permissions_boundary={BOUNDARY}") if building else ()
    with controller(stage, policies):
        return stage.play(case.playbook, *case.arguments, *limit, variables=case.variables, must_succeed=False)


def permitted(given: list[Statement]) -> set[str]:
    return actions([one for one in given if one["Effect"] == "Allow"])


def called(stage: Stage, run: Run) -> set[str]:
    """Every action that was needed since this run began."""
    return {action for call in stage.lab.calls(run.started, side="aws") for action in call.needs}


def tail(run: Run) -> str:
    return "\n".join(run.text().splitlines()[-15:])


def test_there_is_a_case_for_every_playbook() -> None:
    of_roles = ("appliance_", "managed_role", "permissions_boundary")
    shipped = {path.stem for path in POLICIES.glob("*.json") if not path.stem.startswith(of_roles)}
    assert {case.playbook for case in cases()} == shipped
