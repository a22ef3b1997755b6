"""Subnet addresses: what to write, by what is there."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.snip import Wanted, describe, foretell, plan

NSIP, SNIP, MASK = "10.0.1.10", "10.0.21.10", "255.255.255.0"


def wanted(**options: Any) -> Wanted:
    return Wanted.from_params({"nsip": NSIP, "ip_address": SNIP, "netmask": MASK, "state": "present", **options})


def row(**fields: Any) -> dict[str, Any]:
    return {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP", **fields}


@pytest.mark.parametrize("mask", ["255.255.255.0", "24"])
def test_a_mask_is_a_mask_however_it_is_written(mask: str) -> None:
    assert wanted(netmask=mask).netmask == MASK
    assert foretell(wanted(netmask=mask)) == describe([row()]) == {"ip_address": SNIP, "netmask": MASK}


@pytest.mark.parametrize(
    ("options", "rows", "writes"),
    [
        ({}, [], [("add", {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP"})]),
        ({}, [row()], []),
        ({}, [row(netmask="255.255.0.0")], [("update", {"ipaddress": SNIP, "netmask": MASK})]),
        ({"state": "absent", "netmask": None}, [], []),
        ({"state": "absent", "netmask": None}, [row()], [("delete", {})]),
    ],
)
def test_what_is_written(options: dict[str, Any], rows: list[dict[str, Any]], writes: list[tuple[str, Any]]) -> None:
    steps = plan(wanted(**options), rows)
    assert [(step.verb, dict(step.body)) for step in steps] == writes
    assert all(step.resource == "nsip" for step in steps)
    if writes and writes[0][0] == "delete":
        assert steps[0].name == SNIP


@pytest.mark.parametrize("kind", ["NSIP", "VIP", "CLIP"])
@pytest.mark.parametrize("options", [{}, {"state": "absent", "netmask": None}])
def test_an_address_of_another_kind_is_named_and_left_alone(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(NitroInputError, match=f"{NSIP}: {SNIP} is a {kind} there, not a SNIP"):
        plan(wanted(**options), [row(type=kind)])


@pytest.mark.parametrize("options", [{"ip_address": "10.0.21"}, {"netmask": "255.255.0.255"}, {"netmask": "33"}])
def test_what_is_no_address_is_refused_with_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(NitroInputError, match=f"{NSIP}: SNIP "):
        wanted(**options)
