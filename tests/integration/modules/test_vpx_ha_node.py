"""vpx_ha_node against two appliances of a lab: forming a pair, its states, and every way of being interrupted."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch, on
from tests.lab.client import LabClient

RPC = "rpc-S3cret"
BUDGET = [
    "POST /config/login 201",
    "GET /config/hanode 200",
    "GET /config/nsrpcnode 200",
    "GET /config/nsconfig 200",
    "POST /config/logout 201",
]
FORMING = [
    "POST /config/hanode",
    "PUT /config/nsrpcnode",
    "PUT /config/nsrpcnode",
    "POST /config/nsconfig?action=save",
]


def managed(lab: LabClient, zones: str, passwords: dict[int, str] | None = None) -> list[Box]:
    """Appliances that have been through vpx_bootstrap."""
    boxes = launch(lab, zones)
    for number, box in enumerate(boxes):
        password = (passwords or {}).get(number, PASSWORD)
        ran = box.bootstrap(new_password=password, hostname=f"adc-{number}")
        assert ran["failed"] is False, ran["msg"]
        box.options = {"nitro_pass": password, "rpc_password": RPC, "wait_timeout": 20}
    return boxes


@pytest.fixture
def boxes(fresh_lab: LabClient) -> tuple[Box, Box]:
    """Two stand-alone appliances in different zones."""
    one, other = managed(fresh_lab, "ab")
    return one, other


@pytest.fixture
def pair(boxes: tuple[Box, Box]) -> tuple[Box, Box]:
    """Primary and secondary, in sync."""
    one, other = boxes
    formed(one.run("vpx_ha_node", peer=other.address))
    formed(other.run("vpx_ha_node", peer=one.address, wait=True))
    return one, other


def formed(ran: Ran) -> Ran:
    assert ran["failed"] is False, ran["msg"]
    assert ran["changed"] is True
    return ran


def failed(ran: Ran) -> str:
    assert ran["failed"] is True
    assert "Traceback" not in json.dumps(ran.result)
    assert RPC not in json.dumps(ran.result)
    assert PASSWORD not in json.dumps(ran.result)
    return str(ran["msg"])


def client(box: Box, password: str = PASSWORD) -> NitroClient:
    return NitroClient(Connection(box.nsip, password=password, ca_path=box.lab.ca_path))


def test_two_appliances_become_a_pair(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    predicted = one.run("vpx_ha_node", check=True, peer=other.address)
    assert (predicted["changed"], predicted.writes) == (True, [])
    first = formed(one.run("vpx_ha_node", peer=other.address, hello_interval=400, dead_interval=5))
    assert first.writes == [*FORMING[:1], "PUT /config/hanode", *FORMING[1:]]
    assert first["ha"] == {
        "master_state": "Primary",
        "node_state": "UP",
        "peer": other.address,
        "sync_state": "ENABLED",
    }
    assert first["diff"]["after"] == {
        "peers": [other.address],
        "rpc_written": [one.address, other.address],
        "hello_interval": 400,
        "dead_interval": 5,
    }
    # Alone it is as wanted already: its peer's not knowing of it yet is no reason to write again.
    alone = one.run("vpx_ha_node", peer=other.address, hello_interval=400, dead_interval=5)
    assert (alone["changed"], alone.ops) == (False, BUDGET)

    second = formed(other.run("vpx_ha_node", peer=one.address, wait=True))
    assert second["ha"] == {
        "master_state": "Secondary",
        "node_state": "UP",
        "peer": one.address,
        "sync_state": "SUCCESS",
    }
    for box, peer in ((one, other), (other, one)):
        again = box.run("vpx_ha_node", peer=peer.address, wait=True)
        assert (again["changed"], again.ops) == (False, BUDGET)
        state = box.state()
        assert state["unsaved"] is False
        assert state["sessions"] == 0
        assert {row["secure"] for row in state["saved"]["nsrpcnode"]} == {"YES"}
        assert RPC not in json.dumps(again.result)


def both(boxes: tuple[Box, Box], *, check: bool = False, **options: Any) -> Ran:
    one, other = boxes
    entries = [{"peer": other.address}, {"peer": one.address}]
    common = {"nitro_pass": PASSWORD, "rpc_password": RPC, "wait_timeout": 20}
    return on([one, other], "vpx_ha_node", entries, check=check, **{**common, **options})


def test_both_sides_become_a_pair_in_one_call(boxes: tuple[Box, Box]) -> None:
    predicted = both(boxes, check=True)
    assert (predicted["failed"], predicted["changed"], predicted.writes) == (False, True, [])

    made = formed(both(boxes))
    assert [node["nsip"] for node in made["nodes"]] == [box.nsip for box in boxes]
    assert [node["ha"]["master_state"] for node in made["nodes"]] == ["Primary", "Secondary"]
    assert [node["ha"]["sync_state"] for node in made["nodes"]][1] == "SUCCESS"
    assert made.ops.count("POST /config/login 201") == 2, "one session a side"
    assert RPC not in json.dumps(made.result)
    for box in boxes:
        assert (box.state()["unsaved"], box.state()["sessions"]) == (False, 0)

    again = both(boxes)
    assert (again["changed"], again.ops) == (False, [*BUDGET[:-1], *BUDGET[:-1], BUDGET[-1], BUDGET[-1]])

    parted = both(boxes, state="absent")
    assert (parted["failed"], parted["changed"]) == (False, True)
    assert [node["ha"]["peer"] for node in parted["nodes"]] == [None, None]


def test_a_side_that_does_not_answer_leaves_the_other_as_it_was_told(boxes: tuple[Box, Box]) -> None:
    gone = Box(boxes[0].lab, "i-0", boxes[0].address.rsplit(".", 1)[0] + ".200")
    ran = both((boxes[0], gone))
    assert failed(ran).startswith(f"{gone.nsip}: ")
    assert [node["error"] is None for node in ran["nodes"]] == [True, False]
    assert ran["nodes"][0]["ha"]["peer"] is None or ran["nodes"][0]["changed"]


def test_a_pair_is_exactly_two(boxes: tuple[Box, Box]) -> None:
    ran = on(boxes[:1], "vpx_ha_node", [{}], nitro_pass=PASSWORD)
    assert "nodes must be the two appliances of a pair, not 1" in failed(ran)


def test_check_mode_predicts_a_pair_of_appliances_that_do_not_answer_yet(fresh_lab: LabClient) -> None:
    fresh_lab.pace(1)
    one, other = launch(fresh_lab, "ab")
    one.options = {"nitro_pass": PASSWORD, "rpc_password": RPC, "nitro_timeout": 2}
    ran = one.run("vpx_ha_node", check=True, peer=other.address)
    assert (ran["failed"], ran["changed"], ran.writes) == (False, True, [])
    assert "stand-alone" in json.dumps(ran.result["warnings"])
    assert failed(one.run("vpx_ha_node", peer=other.address)).startswith(f"{one.nsip}: log in as 'nsroot': ")


def test_what_is_tuned_later_is_tuned_once(pair: tuple[Box, Box]) -> None:
    one, other = pair
    ran = one.run("vpx_ha_node", peer=other.address, dead_interval=10, max_flips=3, max_flip_time=600)
    assert ran.writes == ["PUT /config/hanode", "POST /config/nsconfig?action=save"]
    assert ran["diff"]["before"]["dead_interval"] == 3
    again = one.run("vpx_ha_node", peer=other.address, dead_interval=10, max_flips=3, max_flip_time=600)
    assert (again["changed"], again.writes) == (False, [])


def test_a_pair_that_changed_roles_is_as_wanted(pair: tuple[Box, Box]) -> None:
    one, other = pair
    with client(one) as nitro:
        nitro.act("hafailover", "Force", {"force": True})
    for box, peer, role in ((one, other, "Secondary"), (other, one, "Primary")):
        ran = box.run("vpx_ha_node", peer=peer.address, wait=True)
        assert (ran["changed"], ran.writes, ran["ha"]["master_state"]) == (False, [], role)


def test_the_secondary_takes_over_the_primarys_password(fresh_lab: LabClient) -> None:
    one, other = managed(fresh_lab, "ab", {1: "0ther-Pass"})
    formed(one.run("vpx_ha_node", peer=other.address))
    options: dict[str, Any] = {"peer": one.address, "peer_password": PASSWORD, "wait": True}
    ran = formed(other.run("vpx_ha_node", **options))
    assert ran["ha"]["sync_state"] == "SUCCESS"
    with client(other) as nitro:  # with the primary's password
        assert nitro.get("hanode")
    again = other.run("vpx_ha_node", **options)
    assert (again["changed"], again.writes) == (False, [])
    assert failed(other.run("vpx_ha_node", peer=one.address)).endswith("Invalid username or password (HTTP 401)")


def test_a_session_that_dies_while_waiting_is_opened_anew(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    formed(one.run("vpx_ha_node", peer=other.address))
    other.lab.faults(nitro={"reset": 0.2}, seed=7)
    try:
        for _turn in range(20):  # a write whose answer is lost fails a run; the next one goes on from there
            ran = other.run("vpx_ha_node", peer=one.address, wait=True)
            if not ran["failed"]:
                break
            failed(ran)
    finally:
        other.lab.faults()
    assert ran["failed"] is False, ran["msg"]
    assert ran["ha"]["sync_state"] == "SUCCESS"


def test_a_wait_without_a_partner_ends_with_what_was_last_seen(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    since = time.monotonic()
    message = failed(one.run("vpx_ha_node", peer=other.address, wait=True, wait_timeout=2))
    assert time.monotonic() - since < 5
    assert message == (
        f"{one.nsip}: the pair with {other.address} did not come into sync: this node is Primary and UP, "
        f"peer {other.address} is UNKNOWN and UNKNOWN, synchronisation ENABLED (waited 2 s)"
    )
    assert one.state()["unsaved"] is False


def test_different_rpc_passwords_are_seen_and_healed(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    formed(one.run("vpx_ha_node", peer=other.address))
    message = failed(other.run("vpx_ha_node", peer=one.address, rpc_password="an0ther", wait=True, wait_timeout=3))
    assert "synchronisation FAILED" in message
    healed = formed(other.run("vpx_ha_node", peer=one.address, wait=True))
    assert healed.writes.count("PUT /config/nsrpcnode") == 2
    assert healed["ha"]["sync_state"] == "SUCCESS"


def test_the_rpc_password_is_written_every_time_if_told_so(pair: tuple[Box, Box]) -> None:
    one, other = pair
    ran = one.run("vpx_ha_node", peer=other.address, update_rpc_password="always")
    assert (ran["changed"], ran.writes) == (True, FORMING[1:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inc": False}, "414 Peer IP should be on the NSIP subnet if INC mode is disabled"),
        ({"peer": "224.0.0.1"}, "415 "),
        ({"nitro_pass": "wr0ng-One"}, "354 Invalid username or password"),
        ({"nitro_pass": ""}, "give nitro_pass or nitro_auth_token"),
        ({"dead_interval": 2}, "dead_interval must be 3 to 60, not 2"),
        ({"ca_path": None}, "its certificate is not trusted"),
    ],
)
def test_bad_input_gets_a_sentence(boxes: tuple[Box, Box], options: dict[str, Any], message: str) -> None:
    one, other = boxes
    ran = one.run("vpx_ha_node", **{"peer": other.address, **options})
    assert message in failed(ran)
    assert one.state()["ha"]["peer"] is None


def test_an_appliance_of_a_cluster_is_no_node_of_a_pair(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    with client(one) as nitro:
        nitro.add("clusterinstance", {"clid": 1})
    message = failed(one.run("vpx_ha_node", peer=other.address))
    assert "2453 Clustering and HA cannot coexist" in message
    assert "take the appliance out of its cluster" in message


def test_an_appliance_without_the_licence_says_so(boxes: tuple[Box, Box]) -> None:
    one, other = boxes
    one.lab.settings(nitro={"ha_licensed": False})
    ran = one.run("vpx_ha_node", peer=other.address)
    message = failed(ran)
    assert f"{one.nsip}: add hanode" in message
    assert "; the appliance's licence does not include high availability" in message
    assert ran["nitro_errorcode"] == 356


@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_an_answer_that_is_not_nitros_is_called_so(boxes: tuple[Box, Box], kind: str) -> None:
    one, other = boxes
    one.lab.faults(nitro={kind: 1.0})
    ran = one.run("vpx_ha_node", peer=other.address)
    one.lab.faults()
    message = failed(ran)
    assert f"{one.nsip}: log in as 'nsroot': expected NITRO's JSON, got " in message
    assert ("HTML" in message) is (kind == "html")


def test_another_peer_is_named_and_replaced_only_if_told_so(fresh_lab: LabClient) -> None:
    one, other, third = managed(fresh_lab, "abc")
    formed(one.run("vpx_ha_node", peer=other.address))
    refused = one.run("vpx_ha_node", peer=third.address)
    assert f"its peer is {other.address} (node 1), not {third.address}" in failed(refused)
    assert refused.writes == []
    assert one.run("vpx_ha_node", peer=third.address, state="absent")["changed"] is False

    formed(third.run("vpx_ha_node", peer=one.address))
    ran = formed(one.run("vpx_ha_node", peer=third.address, replace_peer=True, wait=True))
    assert ran.writes == ["DELETE /config/hanode", *FORMING]
    assert ran["ha"]["peer"] == third.address


def test_both_sides_of_a_pair_can_be_parted(pair: tuple[Box, Box]) -> None:
    one, other = pair
    for box, peer in ((other, one), (one, other)):
        assert box.run("vpx_ha_node", check=True, peer=peer.address, state="absent").writes == []
        ran = formed(box.run("vpx_ha_node", peer=peer.address, state="absent", wait=True))
        assert ran.writes == ["DELETE /config/hanode", "POST /config/nsconfig?action=save"]
        assert ran["ha"]["peer"] is None
        again = box.run("vpx_ha_node", peer=peer.address, state="absent")
        assert (again["changed"], again.writes) == (False, [])


def test_a_given_session_is_used_and_left_open(pair: tuple[Box, Box]) -> None:
    one, other = pair
    with client(one) as nitro:
        nitro.login()
        token = nitro._token
        ran = one.run("vpx_ha_node", peer=other.address, nitro_auth_token=token, nitro_pass=None)
        assert ran["failed"] is False, ran["msg"]
        assert ran.ops == BUDGET[1:-1]
        assert nitro.session_alive()
        assert str(token) not in json.dumps(ran.result)


def saved(boxes: tuple[Box, Box]) -> list[Any]:
    """Return what each has saved of the pair, and that nothing is left unsaved."""
    states = [box.state() for box in boxes]
    return [
        (
            state["ha"]["role"],
            state["ha"]["sync"],
            state["unsaved"],
            [(row["id"], row["ipaddress"], row["inc"], row["deadinterval"]) for row in state["saved"]["hanode"]],
            sorted((row["ipaddress"], row["password"], row["secure"]) for row in state["saved"]["nsrpcnode"]),
        )
        for state in states
    ]


# Written by an undisturbed run: peer, tuning, RPC node, RPC node, save. Killed after one is the same to the appliance
# as killed before the next.
@pytest.mark.parametrize(
    ("side", "write", "when"),
    [
        ("first", 1, "before"),
        ("first", 1, "after"),
        ("first", 3, "after"),
        ("first", 4, "after"),
        ("second", 1, "after"),
        ("second", 2, "after"),
        ("second", 3, "after"),
        ("second", 4, "after"),
        ("second", 5, "after"),
    ],
)
def test_killed_at_any_write_it_ends_like_a_run_that_was_not(
    boxes: tuple[Box, Box], side: str, write: int, when: str
) -> None:
    one, other = boxes
    first: dict[str, Any] = {"peer": other.address, "dead_interval": 5}
    second: dict[str, Any] = {"peer": one.address, "dead_interval": 5, "wait": True}
    if side == "first":
        one.killed("vpx_ha_node", write, when, **first)
    else:
        formed(one.run("vpx_ha_node", **first))
        other.killed("vpx_ha_node", write, when, **second)
    for box, options in ((one, first), (other, second), (one, first)):
        ran = box.run("vpx_ha_node", **options)
        assert ran["failed"] is False, ran["msg"]
    assert (ran["changed"], ran.writes) == (False, [])

    both = [one.address, other.address]
    for (role, sync, unsaved, nodes, rpc), peer in zip(saved(boxes), reversed(both), strict=True):
        assert (role, unsaved) == ("Primary" if peer == other.address else "Secondary", False)
        assert sync == ("SUCCESS" if role == "Secondary" else None)
        assert [(node_id, inc) for node_id, address, inc, _ignored in nodes if address == peer] == [(1, "ENABLED")]
        assert nodes[0][3] == 5
        assert [(address, secure) for address, _ignored, secure in rpc] == [
            (address, "YES") for address in sorted(both)
        ]
        assert len({password for _ignored, password, _ignored in rpc}) == 1
