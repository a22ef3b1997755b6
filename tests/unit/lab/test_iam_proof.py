"""What holds the shipped policies against the playbooks can fail itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.iam.shipped import actions, statements, without
from tests.iam.verdict import complaint
from tests.stage import Run

ACTION = "ec2:AssociateAddress"
NAMED = f"User: x is not authorized to perform: {ACTION} on resource: y"
OTHER = "User: x is not authorized to perform: ec2:AssociateAddresses on resource: y"


def run(directory: Path, code: int, message: str, changed: int = 0) -> Run:
    log = directory / f"{code}-{changed}-{len(message)}.log"
    log.write_text(f"{message}\nlocalhost : ok=3    changed={changed}    unreachable=0\n")
    return Run("ha_pair", code, log, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("action", "code", "message", "problem"),
    [
        (ACTION, 2, NAMED, None),
        (ACTION, 0, NAMED, "passes"),
        (ACTION, 2, "something else is wrong", "does not name it"),
        (ACTION, 2, OTHER, "does not name it"),
        ("dynamodb:GetItem", 2, "table t: dynamodb:GetItem is not permitted", None),
        ("cloudwatch:PutMetricData", 0, "not authorized to perform: cloudwatch:PutMetricData on", None),
        ("cloudwatch:PutMetricData", 0, "", "does not say so"),
    ],
)
def test_how_a_run_must_end(tmp_path: Path, action: str, code: int, message: str, problem: str | None) -> None:
    found = complaint(action, run(tmp_path, code, message))
    assert found is None if problem is None else problem in str(found)


def test_statements_are_those_that_apply() -> None:
    plain, by_dns = statements("autoscale_group", ()), statements("autoscale_group", ("Dns",))
    assert actions(by_dns) - actions(plain) >= {"route53:ChangeResourceRecordSets", ACTION}
    # A removal looks for a balancer whatever the distributor is now.
    looked = {f"elasticloadbalancing:Describe{what}" for what in ("LoadBalancers", "TargetGroups")}
    assert {action for action in actions(by_dns) if action.startswith("elasticloadbalancing:")} == looked
    assert actions(plain) < actions(statements("autoscale_group"))


def test_one_action_less() -> None:
    granted = statements("ha_failover")
    assert actions(granted) - actions(without(ACTION, granted)) == {ACTION}
    assert len(without(ACTION, granted)) == len(granted) - 1, "a statement without actions is none"
    assert ACTION in actions(granted), "the original stays"
