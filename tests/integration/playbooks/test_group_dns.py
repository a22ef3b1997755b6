"""A node leaves by hand where DNS leads clients: its records go first, its address when drain and TTL are over."""

from __future__ import annotations

import pytest

from tests.crash.group_flows import ZONE, Kind, built, grown
from tests.crash.inventory import read_inventory
from tests.lab.client import LabClient, wait_for
from tests.stage import Stage

from .groups import Group, Played

pytestmark = pytest.mark.long

KIND = Kind("dns", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


def answered(group: Group) -> list[list[str]]:
    """For each name, what its record sets lead to."""
    names: dict[str, list[str]] = {}
    for zone, records in read_inventory(group.lab).records.items():
        for record in records if zone != "health checks" else ():
            values = [value["Value"] for value in record.get("ResourceRecords", [])]
            names.setdefault(record["Name"], []).extend(values)
    return [sorted(names[name]) for name in sorted(names)]


def addresses(group: Group) -> list[str]:
    """Return the Elastic IPs of the account."""
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


@pytest.mark.timeout(3000)
def test_records_of_a_silent_node_are_withdrawn_and_come_back(group: Group) -> None:
    group.begin(grown(KIND))
    lab, both = group.lab, addresses(group)
    lab.load(all=True, cpu=50, memory=60, throughput=500, connections=500)
    given = {"autoscale_group_dns": {**group.definition()["autoscale_group_dns"], "withdraw_after": 2}}
    minutes = iter(range(60))

    def tick() -> Played:
        now = f"2026-03-02T12:{next(minutes):02}:00Z"
        run = group.play("autoscale", **given, autoscale_now=now, autoscale_nitro_timeout=3)
        assert run.code == 0, run.message
        return run

    assert (len(both), answered(group), tick().writes) == (2, [both, both], [])
    silent = group.nodes()[1]
    lab.power(silent["InstanceId"], on=False)
    tick()
    assert answered(group) == [both, both], "one silent tick is none"
    tick()
    [left], again = answered(group)[0], tick()
    assert (answered(group), left in both, again.writes) == ([[left], [left]], True, [])
    assert group.record()["withdrawn"] == [silent["InstanceId"]]

    lab.power(silent["InstanceId"], on=True)
    wait_for(lambda: lab.state()["nitro"][silent["InstanceId"]]["stage"] == "ready", "it has booted", seconds=60)
    tick()
    assert (answered(group), "withdrawn" in group.record()) == ([both, both], False)
    assert tick().writes == []
