"""What holds the shipped policies against the playbooks can fail itself."""

from __future__ import annotations

from tests.iam.shipped import actions, statements, without

ACTION = "ec2:AssociateAddress"


def test_statements_are_those_that_apply() -> None:
    plain, by_dns = statements("autoscale_group", ()), statements("autoscale_group", ("Dns",))
    assert actions(by_dns) - actions(plain) >= {"route53:ChangeResourceRecordSets", ACTION}
    # A removal looks for a balancer whatever the distributor is now; the statement on tags is one for both services.
    looked = {f"elasticloadbalancing:{what}" for what in ("DescribeLoadBalancers", "DescribeTargetGroups", "AddTags")}
    assert {action for action in actions(by_dns) if action.startswith("elasticloadbalancing:")} == looked
    assert actions(plain) < actions(statements("autoscale_group"))


def test_one_action_less() -> None:
    granted = statements("ha_failover")
    assert actions(granted) - actions(without(ACTION, granted)) == {ACTION}
    assert len(without(ACTION, granted)) == len(granted) - 2, "a statement without actions is none"
    assert ACTION in actions(granted), "the original stays"
