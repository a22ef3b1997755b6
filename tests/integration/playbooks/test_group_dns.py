"""A node leaves by hand where DNS leads clients: its records go first, its address when drain and TTL are over."""

from __future__ import annotations

import pytest

from tests.crash.group_flows import ZONE, Kind, built
from tests.crash.inventory import read_inventory
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import Group

pytestmark = pytest.mark.long

KIND = Kind("dns", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


def answered(group: Group) -> list[list[str]]:
    """For each name, what its record sets lead to."""
    names: dict[str, list[str]] = {}
    for records in read_inventory(group.lab).records.values():
        for record in records:
            values = [value["Value"] for value in record.get("ResourceRecords", [])]
            names.setdefault(record["Name"], []).extend(values)
    return [sorted(names[name]) for name in sorted(names)]


def addresses(group: Group) -> list[str]:
    """The Elastic IPs of the account."""
    return sorted(str(one["PublicIp"]) for one in read_inventory(group.lab).addresses)


@pytest.mark.timeout(3000)
def test_a_node_leaves_by_hand(group: Group) -> None:
    group.begin(built(KIND))
    [staying] = addresses(group)
    run = group.play("scale_out", scale_out_zone=ZONE, autoscale_now="2026-03-01T11:00:00Z")
    assert run.code == 0, run.message
    both = addresses(group)
    assert (len(both), answered(group)) == (2, [both, both])

    asked = {"scale_in_zone": ZONE, "autoscale_owner": "me"}
    run = group.play("scale_in", **asked, autoscale_now="2026-03-01T12:00:00Z")
    assert run.code == 0, run.message
    assert "drain until 2026-03-01T12:10:00Z" in run.message
    assert (answered(group), addresses(group)) == ([[staying], [staying]], both)
    assert group.lifecycles() == {"in_service": 1, "draining": 1}

    event = group.record()["event"]["id"]
    # The drain is over, the TTL of 60 s is not.
    run = group.play("scale_in", **asked, scale_in_event_id=event, autoscale_now="2026-03-01T12:10:00Z")
    assert (run.code, run.writes, addresses(group)) == (0, [], both), run.message

    run = group.play("scale_in", **asked, scale_in_event_id=event, autoscale_now="2026-03-01T12:12:00Z")
    assert (run.code, addresses(group)) == (0, [staying]), run.message
    assert (group.lifecycles(), answered(group)) == ({"in_service": 1}, [[staying], [staying]])
    assert group.devices() == group.nsips()
