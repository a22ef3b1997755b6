"""A cluster's life over appliances in memory: forming, joining, leaving, and every way of being interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroTimeout
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster import DesiredMember
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster_work import Membership

from .memory_cluster import CLIP, PASSWORD, Box, Client, Killed, World

FIRST, SECOND, THIRD, FOURTH = (f"10.0.1.1{number}" for number in range(4))
OWN = {"10.0.3.10": 0, "10.0.3.11": 1}
FORMING = ["add clusterinstance", "add clusternode", "add nsip", "enable clusterinstance", "save", "reboot"]
OPTIONS: dict[str, Any] = {
    "clip": CLIP,
    "cluster_id": 1,
    "node_id": None,
    "form": False,
    "admin_state": "ACTIVE",
    "backplane": None,
    "tunnel_mode": "GRE",
    "priority": None,
    "drain_minutes": 0,
    "dissolve": False,
    "state": "present",
    "wait": True,
    "save_config": True,
}


def world(*addresses: str) -> World:
    return World({address: Box(address) for address in addresses or (FIRST, SECOND, THIRD, FOURTH)})


def membership(lab: World, nsip: str, warnings: list[str] | None = None, **options: Any) -> Membership:
    timeout = options.pop("wait_timeout", 600)
    password = options.pop("password", PASSWORD)
    desired = DesiredMember.from_params({**OPTIONS, "nsip": nsip, **options})
    message: list[str] = [] if warnings is None else warnings
    node, clip = Client(lab, nsip, password), Client(lab, CLIP, password)
    return Membership(desired, node, clip, password, timeout, message.append, lab.clock, lab.sleep)


def run(lab: World, nsip: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the result, and the writes it took."""
    before = len(lab.writes)
    result = membership(lab, nsip, **options).converge()
    return result, lab.writes[before:]


def formed(*others: str) -> World:
    lab = world()
    run(lab, FIRST, form=True)
    for other in others:
        run(lab, other)
    lab.writes.clear()
    lab.reads.clear()
    return lab


def standing(lab: World) -> dict[str, Any]:
    """Return what is left of everything, when nothing is under way any more."""
    return {
        "nodes": {number: row["ipaddress"] for number, row in lab.nodes.items()},
        "serving": {number: lab.row(number)["masterstate"] for number in lab.nodes},
        "clip unsaved": lab.clip_changed,
        "instances": {nsip: bool(box.running.instance) for nsip, box in lab.boxes.items()},
        "saved": {nsip: bool(box.saved.instance) for nsip, box in lab.boxes.items()},
    }


def test_a_cluster_is_formed_and_then_left_alone() -> None:
    lab = world()
    result, writes = run(lab, FIRST, form=True)
    assert writes == [f"{FIRST}: {step}" for step in FORMING]
    assert result["changed"] is True
    assert result["node"] == {
        "node_id": 0,
        "ip_address": FIRST,
        "admin_state": "ACTIVE",
        "master_state": "ACTIVE",
        "health": "UP",
        "effective_state": "UP",
        "is_coordinator": True,
    }
    assert result["cluster"] == {"id": 1, "clip": CLIP, "nodes": [result["node"]]}
    assert result["diff"]["before"]["node"]["node_id"] is None
    lab.reads.clear()
    again, writes = run(lab, FIRST, form=True)
    assert (again["changed"], writes) == (False, [])
    assert lab.reads == [f"{CLIP} clusterinstance", f"{CLIP} clusternode", f"{CLIP} nsconfig"]
    assert again["diff"]["before"] == again["diff"]["after"]


def test_nodes_join_with_the_lowest_free_number() -> None:
    lab = formed(SECOND, THIRD)
    run(lab, SECOND, state="absent")
    result, writes = run(lab, FOURTH)
    assert writes == [
        "clip: add clusternode",
        "clip: save",
        f"{FOURTH}: join cluster",
        f"{FOURTH}: save",
        f"{FOURTH}: reboot",
    ]
    assert result["node"]["node_id"] == 1
    assert lab.nodes[1] == {
        "nodeid": 1,
        "ipaddress": FOURTH,
        "state": "ACTIVE",
        "backplane": "1/1/1",
        "tunnelmode": "GRE",
    }
    assert [node["ip_address"] for node in result["cluster"]["nodes"]] == [FIRST, FOURTH, THIRD]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("interrupted", ["killed", "cut"])
@pytest.mark.parametrize("write", range(1, 7))
def test_forming_interrupted_at_any_write_ends_the_same(write: int, interrupted: str, when: str) -> None:
    undisturbed = formed()
    lab = world()
    interruption(lab, interrupted, write, when, FIRST, form=True)
    run(lab, FIRST, form=True)
    assert standing(lab) == standing(undisturbed)
    assert run(lab, FIRST, form=True)[1] == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("interrupted", ["killed", "cut"])
@pytest.mark.parametrize("write", range(1, 6))
def test_joining_interrupted_at_any_write_ends_the_same(write: int, interrupted: str, when: str) -> None:
    lab = formed()
    interruption(lab, interrupted, write, when, SECOND)
    run(lab, SECOND)
    assert standing(lab) == standing(formed(SECOND))
    assert run(lab, SECOND)[1] == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("interrupted", ["killed", "cut"])
@pytest.mark.parametrize("leaving", [FIRST, SECOND])
@pytest.mark.parametrize("write", range(1, 6))
def test_leaving_interrupted_at_any_write_ends_the_same(write: int, leaving: str, interrupted: str, when: str) -> None:
    undisturbed, lab = formed(SECOND, THIRD), formed(SECOND, THIRD)
    for each in (undisturbed, lab):
        each.spotted |= OWN
    run(undisturbed, leaving, state="absent")
    interruption(lab, interrupted, write, when, leaving, state="absent")
    run(lab, leaving, state="absent")
    lab.sleep(60)
    assert standing(lab) == standing(undisturbed)
    assert lab.spotted == undisturbed.spotted
    assert run(lab, leaving, state="absent")[1] == []


def interruption(lab: World, interrupted: str, write: int, when: str, nsip: str, **options: Any) -> None:
    if interrupted == "cut":
        lab.cut_at = (write, when)
        run(lab, nsip, **options)
        return
    lab.kill_at = (write, when)
    with pytest.raises(Killed):
        run(lab, nsip, **options)
    lab.kill_at = None


def test_the_coordinator_leaves_and_the_clip_moves() -> None:
    lab = formed(SECOND, THIRD)
    began = lab.now
    result, writes = run(lab, FIRST, state="absent")
    assert writes == ["clip: set clusternode", "clip: delete clusternode", "clip: save", f"{FIRST}: save"]
    assert result["node"] == {**dict.fromkeys(result["node"]), "ip_address": FIRST, "is_coordinator": False}
    assert [node["is_coordinator"] for node in result["cluster"]["nodes"]] == [True, False]
    assert lab.now - began < 30


def test_a_drain_is_waited_for_in_whole_minutes() -> None:
    lab = formed(SECOND, THIRD)
    began = lab.now
    run(lab, THIRD, state="absent", drain_minutes=10, wait_timeout=30)
    assert 600 <= lab.now - began < 630


def test_a_drain_can_be_left_to_a_later_task() -> None:
    lab = formed(SECOND, THIRD)
    leaving: dict[str, Any] = {"state": "absent", "drain_minutes": 10, "wait": False}
    result, writes = run(lab, THIRD, **leaving)
    assert (result["changed"], writes) == (True, ["clip: set clusternode", "clip: save"])
    assert (result["node"]["admin_state"], result["node"]["master_state"]) == ("PASSIVE", "ACTIVE")
    lab.sleep(300)
    assert run(lab, THIRD, **leaving)[1] == []
    lab.sleep(301)
    assert run(lab, THIRD, **leaving)[1] == ["clip: delete clusternode", "clip: save", f"{THIRD}: save"]
    assert sorted(lab.nodes) == [0, 1]


def test_a_member_becomes_passive_and_active_again() -> None:
    lab = formed(SECOND, THIRD)
    result, writes = run(lab, THIRD, admin_state="PASSIVE", drain_minutes=1)
    assert writes == ["clip: set clusternode", "clip: save"]
    assert result["node"]["master_state"] == "INACTIVE"
    assert run(lab, THIRD, admin_state="PASSIVE", drain_minutes=5)[1] == []
    assert run(lab, THIRD)[0]["node"]["master_state"] == "ACTIVE"


def test_a_node_without_an_instance_is_removed() -> None:
    lab = formed(SECOND, THIRD)
    lab.boxes[SECOND].gone = True
    result, writes = run(lab, SECOND, state="absent", drain_minutes=10)
    assert writes == ["clip: delete clusternode", "clip: save"]
    assert len(result["cluster"]["nodes"]) == 2
    assert run(lab, SECOND, state="absent")[1] == []


def test_what_a_node_alone_has_goes_with_it() -> None:
    lab = formed(SECOND, THIRD)
    lab.spotted |= OWN
    lab.boxes[SECOND].gone = True
    assert run(lab, SECOND, state="absent")[1] == ["clip: delete nsip", "clip: delete clusternode", "clip: save"]
    assert lab.spotted == {"10.0.3.10": 0}


def test_an_appliance_in_the_place_of_one_that_is_gone_joins_under_its_number() -> None:
    lab = formed(SECOND, THIRD)
    lab.boxes[SECOND] = Box(SECOND)
    result, writes = run(lab, SECOND)
    assert writes == [f"{SECOND}: join cluster", f"{SECOND}: save", f"{SECOND}: reboot"]
    assert result["node"]["node_id"] == 1


def test_half_of_a_cluster_and_its_last_node_stay_unless_it_is_dissolved() -> None:
    lab = formed(SECOND, THIRD, FOURTH)
    lab.boxes[FOURTH].gone = True
    with pytest.raises(NitroError, match=rf"cluster of 4 while {FOURTH} is not up .* half .* dissolve=true"):
        run(lab, THIRD, state="absent")
    run(lab, FOURTH, state="absent")
    run(lab, THIRD, state="absent")
    with pytest.raises(NitroError, match="half of its nodes"):
        run(lab, SECOND, state="absent")
    run(lab, SECOND, state="absent", dissolve=True)
    lab.writes.clear()
    with pytest.raises(NitroError, match="is the last node of cluster 1; give dissolve=true"):
        run(lab, FIRST, state="absent")
    assert lab.writes == []
    result, writes = run(lab, FIRST, state="absent", dissolve=True)
    assert writes == [f"{FIRST}: delete clusterinstance", f"{FIRST}: save"]
    assert result["cluster"] == {"id": None, "clip": CLIP, "nodes": []}
    assert run(lab, FIRST, state="absent", dissolve=True)[1] == []
    assert standing(lab)["saved"][FIRST] is False


def test_a_cluster_that_lost_every_other_node_is_taken_apart_on_the_node_itself() -> None:
    lab = formed(SECOND)
    lab.boxes[FIRST].gone = True
    lab.clip_from = float("inf")
    with pytest.raises(NitroTimeout, match=r"no cluster answers at clip .* dissolve=true"):
        run(lab, SECOND, state="absent")
    assert run(lab, SECOND, state="absent", dissolve=True)[1] == [
        f"{SECOND}: delete clusterinstance",
        f"{SECOND}: save",
    ]


def test_what_was_taken_off_while_it_was_not_there_can_leave_or_join_again() -> None:
    for desired, steps in (
        ({"state": "absent"}, [f"{SECOND}: delete clusterinstance", f"{SECOND}: save"]),
        (
            {},
            [
                f"{SECOND}: delete clusterinstance",
                "clip: add clusternode",
                "clip: save",
                *(f"{SECOND}: {step}" for step in ("join cluster", "save", "reboot")),
            ],
        ),
    ):
        lab = formed(SECOND, THIRD)
        lab.boxes[SECOND].gone = True
        run(lab, SECOND, state="absent")
        lab.boxes[SECOND].gone = False
        assert run(lab, SECOND, **desired)[1] == steps


def test_refusals_come_before_the_first_write() -> None:
    for change, options, sentence in (
        ({"ha_peer": "10.0.2.10"}, {}, "HA pair with 10.0.2.10"),
        ({"version": "NetScaler NS14.1: Build 51.1.nc"}, {}, "software.*14.1-51.1 here, 14.1-43.50 at"),
        ({"licence": {"cluster": True, "lb": True, "modelid": "10"}}, {}, "licence.*model 10, model 5000"),
        ({"licence": {"cluster": False}}, {}, "does not include clustering"),
        ({}, {"node_id": 0}, f"node 0 of cluster 1 is {FIRST}"),
        ({}, {"cluster_id": 2}, "belongs to cluster 1, not 2"),
        ({}, {"backplane": "7/1/1"}, "backplane 7/1/1 is not an interface of node 1"),
        ({}, {"password": "wrong"}, "354"),
    ):
        lab = formed()
        for name, value in change.items():
            setattr(lab.boxes[SECOND], name, value)
        with pytest.raises(NitroError, match=sentence):
            run(lab, SECOND, **options)
        assert lab.writes == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clip": "10.0.2.100", "form": True}, "outside its management network 10.0.1.0/24"),
        ({}, f"no cluster answers at clip {CLIP}.*form=true"),
    ],
)
def test_without_a_cluster_the_reason_is_said(options: dict[str, Any], sentence: str) -> None:
    lab = world()
    with pytest.raises(NitroError, match=sentence):
        run(lab, FIRST, **options)
    assert lab.writes == []


def test_a_member_of_another_cluster_is_not_taken_from_it() -> None:
    lab = formed()
    lab.boxes[SECOND].running.instance = {"clid": 1, "enabled": True}
    lab.boxes[SECOND].running.clips = ["10.0.1.200"]
    with pytest.raises(NitroError, match=r"is in another cluster \(id 1, CLIP 10\.0\.1\.200\)"):
        run(lab, SECOND)
    assert run(lab, SECOND, state="absent")[1] == []


def test_a_node_that_the_coordinator_refuses_is_declared_no_longer() -> None:
    lab = formed()
    lab.join_refused = 2549
    with pytest.raises(NitroError, match="same number of packet engines"):
        run(lab, SECOND)
    assert sorted(lab.nodes) == [0]
    assert lab.writes[-2:] == ["clip: delete clusternode", "clip: save"]


def test_a_node_that_does_not_arrive_is_described() -> None:
    lab = formed()
    with pytest.raises(NitroTimeout, match=r"node 1 \(10\.0\.1\.11\) has .*masterstate INACTIVE, health 'UNKNOWN'"):
        run(lab, SECOND, wait_timeout=10)
    assert run(lab, SECOND)[0]["node"]["health"] == "UP"


def test_check_mode_predicts_and_writes_nothing() -> None:
    lab = formed(SECOND, THIRD)
    predicted = membership(lab, FOURTH).predict()
    assert (predicted["changed"], predicted["node"]["node_id"]) == (True, 3)
    assert predicted["diff"]["after"]["writes"][0] == (
        f"on the CLIP: add clusternode nodeid=3 ipaddress={FOURTH} state=ACTIVE backplane=3/1/1 tunnelmode=GRE"
    )
    assert membership(lab, THIRD, state="absent").predict()["node"]["node_id"] is None
    assert membership(lab, THIRD).predict()["changed"] is False
    assert lab.writes == []


def test_check_mode_predicts_a_cluster_of_appliances_that_do_not_exist_yet() -> None:
    lab = world()
    for box in lab.boxes.values():
        box.gone = True
    warnings: list[str] = []
    assert membership(lab, FIRST, warnings, form=True).predict()["node"]["node_id"] == 0
    assert membership(lab, SECOND, warnings).predict()["node"]["node_id"] == 1
    assert len(warnings) == 3
    assert lab.writes == []


def test_two_that_choose_one_number_both_get_in() -> None:
    lab = formed()
    other = membership(lab, SECOND)
    other.read()
    run(lab, THIRD)
    stale = other.view
    observations = iter([stale])
    observation = other.observation

    def first_stale() -> None:
        other.view = next(observations, other.view)
        if other.view is not stale or other.done or len(lab.writes) > 5:
            observation()

    other.observation = first_stale  # type: ignore[method-assign,assignment]
    assert other.converge()["node"]["node_id"] == 2
