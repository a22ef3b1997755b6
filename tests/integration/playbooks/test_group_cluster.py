"""A cluster loses a node: one of three continues and gets another node, one of two must be formed again."""

from __future__ import annotations

import pytest

from tests.crash.group_flows import ZONE, Kind, built, grown
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import IMPATIENT_TO_JOIN, Group

pytestmark = pytest.mark.long

KIND = Kind("nlb", "cluster")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


def members(group: Group) -> list[str]:
    """Return the NSIPs that the cluster knows, as its first node tells it."""
    return sorted(str(one["ipaddress"]) for one in group.rows(group.nodes()[0], "clusternode"))


@pytest.mark.timeout(3000)
def test_three_lose_one_and_get_another(group: Group) -> None:
    group.begin(grown(KIND))
    policy = {**group.definition()["autoscale_group_policy"], "min_nodes": 3, "max_nodes": 4}
    given = {"autoscale_group_policy": policy}
    run = group.play("autoscale", **given, autoscale_now="2026-03-01T12:00:00Z")
    assert (run.code, len(members(group))) == (0, 3), run.message
    lost = group.nodes()[1]
    group.terminate(lost)

    run = group.play("autoscale", **given, autoscale_now="2026-03-01T12:01:00Z")
    assert (run.code, group.lifecycles()) == (0, {"in_service": 3}), run.message
    assert members(group) == sorted(group.nsips()) == group.devices()
    assert lost["PrivateIpAddress"] not in members(group)
    assert group.targets("web") == dict.fromkeys(group.clients(), "healthy")
    assert group.record().get("missing", []) == []


@pytest.mark.timeout(3000)
def test_two_lose_one_and_are_made_anew(group: Group) -> None:
    group.begin(built(KIND))
    run = group.play("autoscale", autoscale_now="2026-03-01T12:00:00Z")
    assert run.code == 0, run.message
    before = group.nodes()
    group.terminate(before[1])
    run = group.play("autoscale", **IMPATIENT_TO_JOIN, autoscale_now="2026-03-01T12:01:00Z")
    assert run.code == 2
    assert "A cluster works while more than half of the nodes it knows are up." in run.message
    assert "terminate the other nodes of this zone, too, and run this again" in run.message

    for node in group.nodes():
        group.terminate(node)
    run = group.play("autoscale_group")
    assert (run.code, group.lifecycles()) == (0, {"in_service": 2}), run.message
    assert members(group) == sorted(group.nsips())
    assert group.targets("web") == dict.fromkeys(group.clients(), "healthy")
    run = group.play("autoscale", autoscale_now="2026-03-01T13:00:00Z")
    assert (run.code, group.devices()) == (0, sorted(group.nsips())), run.message


@pytest.mark.timeout(3000)
def test_back_ends_stay_when_a_node_goes(group: Group) -> None:
    """What takes its address out of the IPSets does not ask the Auto Scaling group, so it leaves what follows it."""
    group.begin(grown(KIND))
    before = group.backends(group.nodes()[0], "shop")
    assert before
    asked = {"scale_in_zone": ZONE, "scale_in_event_id": "ticket-1"}
    for now in ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"):
        run = group.play("scale_in", **asked, autoscale_now=now)
        assert run.code == 0, run.message
    assert group.lifecycles() == {"in_service": 2}
    assert group.backends(group.nodes()[0], "shop") == before
