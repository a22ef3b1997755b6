"""Subnet addresses: what to write, by what is there."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.snip import DesiredSnip, describe, plan, predict

NSIP, SNIP, MASK = "10.0.1.10", "10.0.21.10", "255.255.255.0"


def desired(**options: Any) -> DesiredSnip:
    return DesiredSnip.from_params({"nsip": NSIP, "ip_address": SNIP, "netmask": MASK, "state": "present", **options})


def row(**fields: Any) -> dict[str, Any]:
    return {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP", **fields}


@pytest.mark.parametrize("mask", ["255.255.255.0", "24"])
def test_a_mask_is_a_mask_however_it_is_written(mask: str) -> None:
    assert desired(netmask=mask).netmask == MASK
    assert predict(desired(netmask=mask), []) == describe([row()]) == {"ip_address": SNIP, "netmask": MASK}


@pytest.mark.parametrize(
    ("options", "rows", "writes"),
    [
        ({}, [], [("add", {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP"})]),
        ({}, [row()], []),
        ({}, [row(netmask="255.255.0.0")], [("update", {"ipaddress": SNIP, "netmask": MASK})]),
        ({"state": "absent", "netmask": None}, [], []),
        ({"state": "absent", "netmask": None}, [row()], [("delete", {})]),
        ({"state": "absent", "netmask": None, "owner_node": 1}, [row(ownernode="2")], [("delete", {})]),
        # A new address is given its owner; node 0 is an owner like any other.
        ({"owner_node": 0}, [], [("add", {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP", "ownernode": 0})]),
        ({"owner_node": 31}, [row(ownernode="31")], []),
        ({"owner_node": 0}, [row(ownernode=0)], []),
        # The mask of an address that keeps its owner is changed in place.
        (
            {"owner_node": 1},
            [row(ownernode="1", netmask="255.255.0.0")],
            [("update", {"ipaddress": SNIP, "netmask": MASK})],
        ),
        # Not spoken of, the owner stays.
        ({}, [row(ownernode="1")], []),
    ],
)
def test_what_is_written(options: dict[str, Any], rows: list[dict[str, Any]], writes: list[tuple[str, Any]]) -> None:
    steps = plan(desired(**options), rows)
    assert [(step.verb, dict(step.body)) for step in steps] == writes
    assert all(step.resource == "nsip" for step in steps)
    if writes and writes[0][0] == "delete":
        assert steps[0].name == SNIP


@pytest.mark.parametrize("there", [{"ownernode": "2"}, {"ownernode": "255"}, {"ownernode": 0}, {}])
def test_an_address_of_another_owner_is_made_anew(there: dict[str, Any]) -> None:
    """255 is all nodes; an appliance that knows nothing of clusters leaves the field out."""
    steps = plan(desired(owner_node=1), [row(**there)])
    assert [(step.verb, step.resource, step.name, dict(step.body)) for step in steps] == [
        ("delete", "nsip", SNIP, {}),
        ("add", "nsip", None, {"ipaddress": SNIP, "netmask": MASK, "type": "SNIP", "ownernode": 1}),
    ]


@pytest.mark.parametrize(
    ("asked", "there", "reported"),
    [
        (None, [], {}),
        (None, [row(ownernode="255")], {}),
        (None, [row(ownernode="3")], {"owner_node": 3}),
        (0, [row(ownernode="3")], {"owner_node": 0}),
        (0, [], {"owner_node": 0}),
    ],
)
def test_the_owner_is_told_where_there_is_one(asked: int | None, there: list[dict[str, Any]], reported: Any) -> None:
    done = [row(ownernode=reported.get("owner_node", 255))]
    assert (
        predict(desired(owner_node=asked), there) == describe(done) == {"ip_address": SNIP, "netmask": MASK, **reported}
    )


@pytest.mark.parametrize("owner", [-1, 32, 255])
def test_an_owner_that_no_cluster_has_is_refused(owner: int) -> None:
    with pytest.raises(NitroInputError, match=f"{NSIP}: SNIP {SNIP}: owner_node must be from 0 to 31, not {owner}"):
        desired(owner_node=owner)


@pytest.mark.parametrize("kind", ["NSIP", "VIP", "CLIP"])
@pytest.mark.parametrize("options", [{}, {"state": "absent", "netmask": None}])
def test_an_address_of_another_kind_is_named_and_left_alone(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(NitroInputError, match=f"{NSIP}: {SNIP} is a {kind} there, not a SNIP"):
        plan(desired(**options), [row(type=kind)])


@pytest.mark.parametrize("options", [{"ip_address": "10.0.21"}, {"netmask": "255.255.0.255"}, {"netmask": "33"}])
def test_what_is_no_address_is_refused_with_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(NitroInputError, match=f"{NSIP}: SNIP "):
        desired(**options)
