"""Inbound rules: what the option declares, what EC2 describes, and what differs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.security_rules import (
    Rule,
    RuleChanges,
    compare,
    from_options,
    from_permissions,
    to_permissions,
)

NAMES = {"management": "shop-management", "client": "shop-client"}
IDS = {"shop-management": "sg-1", "shop-client": "sg-2"}


def option(**given: Any) -> dict[str, Any]:
    empty = {"protocol": "tcp", "from_port": None, "to_port": None, "cidrs": None, "group": None, "description": None}
    return {**empty, **given}


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"from_port": 443, "cidrs": ["10.0.0.0/8"]}, [Rule("tcp", (443, 443), "10.0.0.0/8")]),
        ({"from_port": 1, "to_port": 9, "group": "client"}, [Rule("tcp", (1, 9), "shop-client")]),
        ({"protocol": "17", "from_port": 53, "cidrs": ["::/0"]}, [Rule("udp", (53, 53), "::/0")]),
        ({"protocol": "47", "from_port": -1, "to_port": -1, "group": "client"}, [Rule("47", None, "shop-client")]),
        ({"protocol": "all", "cidrs": ["10.0.0.0/8"]}, [Rule("-1", None, "10.0.0.0/8")]),
        ({"protocol": "icmp", "cidrs": ["10.0.0.0/8"]}, [Rule("icmp", (-1, -1), "10.0.0.0/8")]),
        # EC2 stores a network without host bits.
        ({"from_port": 22, "cidrs": ["10.1.2.3/8"]}, [Rule("tcp", (22, 22), "10.0.0.0/8")]),
        ({"from_port": 22, "cidrs": ["10.1.2.3"]}, [Rule("tcp", (22, 22), "10.1.2.3/32")]),
        ({"from_port": 22, "cidrs": ["pl-1"]}, [Rule("tcp", (22, 22), "pl-1")]),
        ({"from_port": 22, "cidrs": []}, []),
    ],
)
def test_declared_rules(given: dict[str, Any], rules: list[Rule]) -> None:
    assert list(from_options("shop-client", [option(**given)], NAMES)) == rules


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"from_port": 443, "cidrs": ["10.0.0.0/33"]}, "'10.0.0.0/33' in cidrs is not a network"),
        ({"cidrs": ["10.0.0.0/8"]}, "a rule for tcp has no from_port"),
        ({"from_port": 9, "to_port": 1, "cidrs": []}, "9-1 is not a range of tcp ports"),
        ({"from_port": 70000, "cidrs": []}, "70000-70000 is not a range of tcp ports"),
        ({"from_port": 22, "group": "nlb"}, "a rule names group nlb, which is not declared"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=f"security group shop-client: {message}"):
        from_options("shop-client", [option(**given)], NAMES)


def test_rules_survive_the_way_to_ec2_and_back() -> None:
    rules = {
        Rule("tcp", (443, 443), "10.0.0.0/8"): "web",
        Rule("tcp", (443, 443), "2001:db8::/32"): "",
        Rule("tcp", (443, 443), "pl-1"): "",
        Rule("udp", (7000, 7000), "shop-client"): "heartbeats",
        Rule("47", None, "shop-client"): "GRE",
        Rule("-1", None, "sg-9"): "",
        Rule("icmp", (-1, -1), "0.0.0.0/0"): "",
    }
    permissions = to_permissions(rules, IDS)
    assert from_permissions(permissions, {value: key for key, value in IDS.items()}) == rules
    assert permissions[-1]["UserIdGroupPairs"] == [{"GroupId": "sg-2", "Description": "heartbeats"}]
    assert next(item for item in permissions if item["IpProtocol"] == "47") == {
        "IpProtocol": "47",
        "UserIdGroupPairs": [{"GroupId": "sg-2", "Description": "GRE"}],
    }


def test_only_what_differs_changes() -> None:
    same, more = Rule("tcp", (22, 22), "10.0.0.0/8"), Rule("tcp", (9999, 9999), "10.0.0.0/8")
    less, renamed = Rule("tcp", (80, 80), "0.0.0.0/0"), Rule("tcp", (443, 443), "0.0.0.0/0")
    changes = compare({same: "ssh", less: "web", renamed: "tls"}, {same: "ssh", more: "x", renamed: "changed"})
    assert changes.allow == {less: "web"}
    assert changes.revoke == {more: "x"}
    assert changes.describe == {renamed: "tls"}
    assert compare({same: "ssh"}, {same: "ssh"}) == RuleChanges()


def test_a_rule_in_words() -> None:
    assert str(Rule("tcp", (3008, 3011), "shop-client")) == "tcp 3008-3011 from shop-client"
    assert str(Rule("-1", None, "10.0.0.0/8")) == "all protocols from 10.0.0.0/8"
