"""A name that leads to a load balancer: what is written, what is left alone, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.alias_plan import (
    AliasRequest,
    alias_of,
    check,
    plan,
)

NAME = "shop.example.com."
BALANCER = "web-1.elb.eu-central-1.amazonaws.com"


def request(**fields: Any) -> AliasRequest:
    given = {
        "record": "Shop.example.com",
        "type": "A",
        "dns_name": BALANCER,
        "hosted_zone_id": "Z1",
        "evaluate_target_health": True,
        "present": True,
        "purge": False,
    }
    return AliasRequest(**{**given, **fields})


def alias(dns_name: str = f"{BALANCER}.", health: bool = True) -> dict[str, Any]:
    target = {"HostedZoneId": "Z1", "DNSName": dns_name, "EvaluateTargetHealth": health}
    return {"Name": NAME, "Type": "A", "AliasTarget": target}


SIMPLE: dict[str, Any] = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.9"}]}
NODE: dict[str, Any] = {**SIMPLE, "SetIdentifier": "i-1", "MultiValueAnswer": True}


@pytest.mark.parametrize(
    ("options", "existing", "writes"),
    [
        ({}, [], ["UPSERT"]),
        ({}, [alias()], []),
        ({}, [alias(f"{BALANCER.upper()}")], []),
        ({}, [alias("old.example.net.")], ["UPSERT"]),
        ({}, [alias(health=False)], ["UPSERT"]),
        ({}, [SIMPLE], ["UPSERT"]),
        ({"purge": True}, [NODE], ["DELETE", "UPSERT"]),
        ({"present": False}, [], []),
        ({"present": False}, [alias()], ["DELETE"]),
        ({"present": False}, [alias("of-another.example.net.")], []),
        ({"present": False, "purge": True}, [alias("of-another.example.net.")], ["DELETE"]),
        ({"present": False, "purge": True}, [SIMPLE], []),
        ({"present": False}, [NODE], []),
    ],
)
def test_alias_is_written_once_and_removed_only_if_it_leads_here(
    options: dict[str, Any], existing: list[dict[str, Any]], writes: list[str]
) -> None:
    assert [change["Action"] for change in plan(request(**options), existing).changes] == writes


def test_what_is_there_afterwards() -> None:
    made = plan(request(), [SIMPLE])
    assert alias_of(made.before) is None
    assert alias_of(made.after) == {
        "hosted_zone_id": "Z1",
        "dns_name": f"{BALANCER}.",
        "evaluate_target_health": True,
    }
    assert plan(request(present=False), [alias()]).after == ()
    assert plan(request(present=False), [alias("other.")]).after == (alias("other."),)


def test_record_sets_of_nodes_are_a_refusal() -> None:
    with pytest.raises(Refusal, match="has record sets of nodes"):
        plan(request(), [NODE])


@pytest.mark.parametrize("fields", [{"type": "CNAME"}, {"dns_name": " "}, {"hosted_zone_id": ""}])
def test_what_cannot_be_an_alias_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        check(request(**fields))
