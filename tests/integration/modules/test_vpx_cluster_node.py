"""vpx_cluster_node against appliances of a lab: a cluster is formed, grows, drains, shrinks, survives interruptions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch, on
from tests.lab.client import LabClient

MODULE = "vpx_cluster_node"
FORMING = [
    "POST /config/clusterinstance",
    "POST /config/clusternode",
    "POST /config/nsip",
    "POST /config/clusterinstance?action=enable",
    "POST /config/nsconfig?action=save",
    "POST /config/reboot",
]
JOINING = [
    "POST /config/clusternode",
    "POST /config/nsconfig?action=save",
    "POST /config/cluster?action=join",
    "POST /config/nsconfig?action=save",
    "POST /config/reboot",
]
LEAVING = [
    "PUT /config/clusternode",
    "DELETE /config/clusternode",
    "POST /config/nsconfig?action=save",
    "POST /config/nsconfig?action=save",
]
BUDGET = [
    "POST /config/login 201",
    "GET /config/clusterinstance 200",
    "GET /config/clusternode 200",
    "GET /config/nsconfig 200",
    "POST /config/logout 201",
]


def managed(lab: LabClient, count: int) -> list[Box]:
    """Appliances in one subnet that have been through vpx_bootstrap, told of a CLIP that EC2 has on the first."""
    boxes = launch(lab, "a" * count)
    ec2 = lab.boto("ec2")
    instance = ec2.describe_instances(InstanceIds=[boxes[0].instance_id])["Reservations"][0]["Instances"][0]
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    clip = next(one["PrivateIpAddress"] for one in found["PrivateIpAddresses"] if not one["Primary"])
    for number, box in enumerate(boxes):
        ran = box.bootstrap(hostname=f"adc-{number}")
        assert ran["failed"] is False, ran["msg"]
        box.options = {"nitro_pass": PASSWORD, "clip": clip, "wait_timeout": 30}
    return boxes


def done(ran: Ran) -> Ran:
    assert ran["failed"] is False, ran["msg"]
    assert PASSWORD not in json.dumps(ran.result)
    return ran


def failed(ran: Ran) -> str:
    assert ran["failed"] is True
    assert "Traceback" not in json.dumps(ran.result)
    assert PASSWORD not in json.dumps(ran.result)
    return str(ran["msg"])


def unchanged(ran: Ran) -> None:
    assert (done(ran)["changed"], ran.writes) == (False, [])


def cluster_of(boxes: list[Box]) -> list[Box]:
    done(boxes[0].run(MODULE, form=True))
    for box in boxes[1:]:
        done(box.run(MODULE))
    return boxes


def membership(box: Box) -> tuple[Any, ...]:
    """What the lab says of a node: its place in the cluster, what it has saved of it, and whether sessions are left."""
    state = box.state()
    cluster = state["cluster"] or {}
    saved = [row["clid"] for row in state["saved"].get("clusterinstance", [])]
    nodes = sorted(row["ipaddress"] for row in state["saved"].get("clusternode", []))
    return (cluster.get("master_state"), cluster.get("health"), saved, nodes)


def test_a_cluster_from_its_first_node_to_its_last(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 3)
    first, second, third = boxes
    predicted = first.run(MODULE, check=True, form=True)
    assert (done(predicted)["changed"], predicted.writes) == (True, [])
    assert (predicted["node"]["node_id"], predicted["node"]["admin_state"]) == (0, "ACTIVE")

    ran = done(first.run(MODULE, form=True))
    assert ran.writes == FORMING
    assert ran["node"] == {
        "node_id": 0,
        "ip_address": first.address,
        "admin_state": "ACTIVE",
        "master_state": "ACTIVE",
        "health": "UP",
        "effective_state": "UP",
        "is_coordinator": True,
    }
    assert ran["cluster"] == {"id": 1, "clip": first.options["clip"], "nodes": [ran["node"]]}

    for number, box in enumerate((second, third), 1):
        predicted = box.run(MODULE, check=True)
        assert (done(predicted)["node"]["node_id"], predicted.writes) == (number, [])
        ran = done(box.run(MODULE))
        assert ran.writes == JOINING
        assert (ran["node"]["node_id"], ran["node"]["master_state"]) == (number, "ACTIVE")
        assert len(ran["cluster"]["nodes"]) == number + 1
    for box in boxes:
        again = box.run(MODULE, form=box is first)
        unchanged(again)
        assert again.ops == BUDGET
        assert membership(box)[:3] == ("ACTIVE", "UP", ["1"] if isinstance(membership(box)[2][0], str) else [1])

    # The coordinator is removed: the CLIP moves, the connection breaks, and the run continues.
    ran = done(first.run(MODULE, state="absent"))
    assert ran.writes == LEAVING
    assert [node["ip_address"] for node in ran["cluster"]["nodes"] if node["is_coordinator"]] == [second.address]
    assert ran["node"]["node_id"] is None
    unchanged(first.run(MODULE, state="absent"))
    assert membership(first) == (None, None, [], [])

    assert "half of its nodes" in failed(third.run(MODULE, state="absent"))
    done(third.run(MODULE, state="absent", dissolve=True))
    assert "last node of cluster 1" in failed(second.run(MODULE, state="absent"))
    ran = done(second.run(MODULE, state="absent", dissolve=True))
    assert ran.writes == ["DELETE /config/clusterinstance", "POST /config/nsconfig?action=save"]
    unchanged(second.run(MODULE, state="absent", dissolve=True))
    for box in boxes:
        assert membership(box) == (None, None, [], [])
        assert box.state()["sessions"] == 0


def test_a_drain_lasts_its_minutes_and_can_be_left_to_a_later_task(fresh_lab: LabClient) -> None:
    _first, second, third = cluster_of(managed(fresh_lab, 3))
    leaving: dict[str, Any] = {"state": "absent", "drain_minutes": 3, "wait": False}
    ran = done(third.run(MODULE, **leaving))
    assert ran.writes == ["PUT /config/clusternode", "POST /config/nsconfig?action=save"]
    assert (ran["node"]["admin_state"], ran["node"]["master_state"]) == ("PASSIVE", "ACTIVE")
    unchanged(third.run(MODULE, **leaving))
    ran = done(third.run(MODULE, **{**leaving, "wait": True}))
    assert ran.writes == LEAVING[1:]
    assert membership(second)[:2] == ("ACTIVE", "UP")

    ran = done(second.run(MODULE, admin_state="PASSIVE", drain_minutes=1))
    assert (ran["node"]["admin_state"], ran["node"]["master_state"]) == ("PASSIVE", "INACTIVE")
    unchanged(second.run(MODULE, admin_state="PASSIVE", drain_minutes=1))
    assert done(second.run(MODULE))["node"]["master_state"] == "ACTIVE"


def test_a_node_without_an_instance_is_removed(fresh_lab: LabClient) -> None:
    """With the addresses that it alone had: the cluster would not part with it else (2479)."""
    first, second, third = cluster_of(managed(fresh_lab, 3))
    clip = Box(fresh_lab, first.instance_id, first.options["clip"], {"nitro_pass": PASSWORD})
    for owner, address in enumerate(("127.200.21.10", "127.200.21.11")):
        done(clip.run("vpx_snip", ip_address=address, netmask="255.255.255.0", owner_node=owner))
    fresh_lab.boto("ec2").terminate_instances(InstanceIds=[first.instance_id])
    ran = done(first.run(MODULE, state="absent", drain_minutes=5))
    orphans = ["DELETE /config/nsip", "DELETE /config/clusternode", "POST /config/nsconfig?action=save"]
    assert ran.writes[-3:] == orphans
    assert [node["ip_address"] for node in ran["cluster"]["nodes"]] == [second.address, third.address]
    unchanged(first.run(MODULE, state="absent"))
    for box in (second, third):
        unchanged(box.run(MODULE))
    owned = {row["ipaddress"]: row["ownernode"] for row in second.state()["running"]["nsip"] if row["type"] == "SNIP"}
    assert owned == {"127.200.21.11": 1}


def test_what_cannot_be_is_said_before_the_first_write(fresh_lab: LabClient) -> None:
    first, second = managed(fresh_lab, 2)
    clip = first.options["clip"]
    for box, options, sentence in (
        (second, {"wait_timeout": 2}, "give form=true"),
        (first, {"form": True, "clip": "127.0.0.9"}, "outside its management network"),
        (first, {"form": True, "clip": second.address}, "is taken: the appliance that answers there is in no cluster"),
        (first, {"form": True, "clip": f"{clip}/24"}, "a CLIP is a single address"),
        (first, {"form": True, "node_id": 32}, "node_id must be 0 to 31"),
    ):
        ran = box.run(MODULE, **options)
        assert sentence in failed(ran)
        assert ran.writes == []
    done(first.run(MODULE, form=True))
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"cluster_id": 2}, "belongs to cluster 1, not 2"),
        ({"node_id": 0}, f"node 0 of cluster 1 is {first.address}"),
        ({"cluster_password": "not-it"}, "354"),
    )
    for options, sentence in refused:
        ran = second.run(MODULE, **options)
        assert sentence in failed(ran)
        assert ran.writes == []


@pytest.mark.parametrize(("write", "when"), [(1, "before"), (1, "after"), (3, "after"), (4, "after"), (6, "after")])
def test_forming_killed_at_any_write_ends_like_a_run_that_was_not(fresh_lab: LabClient, write: int, when: str) -> None:
    (first,) = managed(fresh_lab, 1)
    first.killed(MODULE, write, when, form=True)
    ran = done(first.run(MODULE, form=True))
    assert ran["node"]["master_state"] == "ACTIVE"
    assert membership(first)[3] == [first.address]
    unchanged(first.run(MODULE, form=True))


def test_joining_and_leaving_killed_at_any_write_end_like_runs_that_were_not(fresh_lab: LabClient) -> None:
    boxes = cluster_of(managed(fresh_lab, 3))
    addresses = sorted(box.address for box in boxes)
    third = boxes[2]
    for number in range(1, max(len(LEAVING), len(JOINING)) + 1):
        if number <= len(LEAVING):
            third.killed(MODULE, number, "after", state="absent")
        done(third.run(MODULE, state="absent"))
        unchanged(third.run(MODULE, state="absent"))
        assert membership(third) == (None, None, [], [])
        third.killed(MODULE, number, "after")
        assert done(third.run(MODULE))["node"]["node_id"] == 2
        unchanged(third.run(MODULE))
        for box in boxes:
            assert membership(box)[:2] == ("ACTIVE", "UP")
        assert membership(boxes[0])[3] == addresses


def test_a_leaving_coordinator_that_is_killed_is_gone_on_with(fresh_lab: LabClient) -> None:
    first, second, third = cluster_of(managed(fresh_lab, 3))
    first.killed(MODULE, 2, "after", state="absent")
    ran = done(first.run(MODULE, state="absent"))
    assert [node["ip_address"] for node in ran["cluster"]["nodes"]] == [second.address, third.address]
    unchanged(first.run(MODULE, state="absent"))
    for box in (second, third):
        assert membership(box)[3] == sorted([second.address, third.address])


def test_appliances_that_have_no_room_now_and_then_form_a_cluster_all_the_same(fresh_lab: LabClient) -> None:
    """Throttling is how an appliance says that it has no room: 445 for a call in five."""
    first, second = managed(fresh_lab, 2)
    fresh_lab.faults(nitro={"throttle": 0.2}, seed=7)
    done(first.run(MODULE, form=True))
    done(second.run(MODULE))
    fresh_lab.faults()
    for box in (first, second):
        unchanged(box.run(MODULE, form=box is first))


# ---------------------------------------------------------------------- several nodes in one call


def several(boxes: list[Box], *, check: bool = False, **options: Any) -> Ran:
    entries = [{"node_id": number} for number, _box in enumerate(boxes)]
    return on(boxes, MODULE, entries, check=check, **{**boxes[0].options, **options})


def test_a_cluster_is_formed_and_joined_in_one_call_and_one_session_with_its_clip(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 3)
    predicted = several(boxes, check=True, form=True)
    assert (done(predicted)["changed"], predicted.writes) == (True, [])
    assert [node["node_id"] for node in predicted["nodes"]] == [0, 1, 2]

    ran = done(several(boxes, form=True))
    assert ran.writes == [*FORMING, *JOINING, *JOINING]
    assert [(node["node_id"], node["node"]["master_state"], node["error"]) for node in ran["nodes"]] == [
        (0, "ACTIVE", None),
        (1, "ACTIVE", None),
        (2, "ACTIVE", None),
    ]
    assert [node["ip_address"] for node in ran["cluster"]["nodes"]] == [box.address for box in boxes]
    assert ran["removed"] == []

    again = several(boxes, form=True)
    unchanged(again)
    assert again.ops == [BUDGET[0], *3 * BUDGET[1:-1], BUDGET[-1]]


def test_members_whose_instances_are_gone_are_removed_before_others_join(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 4)
    done(several(boxes[:3], form=True))
    fresh_lab.boto("ec2").terminate_instances(InstanceIds=[boxes[2].instance_id])
    left = [boxes[0], boxes[1], boxes[3]]
    entries: list[dict[str, Any]] = [{"node_id": 0}, {"node_id": 1}, {"node_id": 3}]
    ran = done(on(left, MODULE, entries, purge_nodes=True, **boxes[0].options))
    assert ran["removed"] == [boxes[2].address]
    assert [node["ip_address"] for node in ran["cluster"]["nodes"]] == [box.address for box in left]
    again = on(left, MODULE, entries, purge_nodes=True, **boxes[0].options)
    unchanged(again)
    assert again["removed"] == []


def test_a_member_that_is_up_is_not_removed_although_it_is_not_named(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 3)
    done(several(boxes, form=True))
    # Warnings of a process add up, so the run that must give none comes first.
    known = several(boxes[:2], purge_nodes=True, known_nodes=[boxes[2].address])
    unchanged(known)
    assert not any("is node 2" in str(text) for text in known.result.get("warnings", []))
    ran = several(boxes[:2], purge_nodes=True)
    unchanged(ran)
    assert ran["removed"] == []
    assert any(f"{boxes[2].address}: is node 2 of the cluster and up" in str(text) for text in ran["warnings"])


def test_nodes_that_leave_drain_at_the_same_time_and_go_one_after_another(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 5)
    done(several(boxes, form=True))
    leaving = on(boxes[3:], MODULE, [{}, {}], state="absent", drain_minutes=1, **boxes[0].options)
    done(leaving)
    writes = [write for write in leaving.writes if "clusternode" in write]
    assert writes == 2 * ["PUT /config/clusternode"] + 2 * ["DELETE /config/clusternode"]
    assert len(leaving["cluster"]["nodes"]) == 3
    unchanged(on(boxes[3:], MODULE, [{}, {}], state="absent", drain_minutes=1, **boxes[0].options))


def test_nodes_after_one_that_fails_are_not_tried(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 3)
    done(several(boxes[:1], form=True))
    gone = Box(boxes[0].lab, "i-0", boxes[0].address.rsplit(".", 1)[0] + ".200", boxes[0].options)
    ran = several([boxes[0], gone, boxes[1]], wait_timeout=3)
    assert failed(ran).startswith(f"{gone.nsip}: ")
    assert [node["error"] is None for node in ran["nodes"]] == [True, False, False]
    assert "not tried" in ran["nodes"][2]["error"]
    assert membership(boxes[1])[2] == []


def test_nodes_become_passive_together_and_stay_in_the_cluster(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 5)
    done(several(boxes, form=True))
    options = {**boxes[0].options, "admin_state": "PASSIVE", "drain_minutes": 1}
    ran = done(on(boxes[3:], MODULE, [{}, {}], **options))
    assert [node["node"]["admin_state"] for node in ran["nodes"]] == ["PASSIVE", "PASSIVE"]
    assert [node["node"]["master_state"] for node in ran["nodes"]] == ["INACTIVE", "INACTIVE"]
    assert ran.writes.count("PUT /config/clusternode") == 2
    unchanged(on(boxes[3:], MODULE, [{}, {}], **options))


def test_a_cluster_is_dissolved_in_one_call(fresh_lab: LabClient) -> None:
    boxes = managed(fresh_lab, 3)
    done(several(boxes, form=True))
    refused = several(boxes, state="absent", node_id=None)
    assert "would remove half of its nodes or more at once" in failed(refused)
    gone = done(several(boxes, state="absent", dissolve=True))
    assert [node["node_id"] for node in gone["nodes"]] == [None, None, None]
    assert all(membership(box)[2] == [] for box in boxes)
    unchanged(several(boxes, state="absent", dissolve=True))
