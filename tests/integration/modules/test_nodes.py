"""Modules with ``nodes`` against several appliances of a lab: in parallel, with failures, nothing written twice."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch, on
from tests.lab.client import LabClient, wait_for
from tests.modules import run_module

MASK = "255.255.255.0"


@pytest.fixture
def boxes(fresh_lab: LabClient) -> list[Box]:
    """Three appliances in three places that have booted and still have their first passwords."""
    return ready(launch(fresh_lab, "aab"))


def ready(boxes: list[Box]) -> list[Box]:
    wait_for(lambda: all(box.state()["stage"] == "ready" for box in boxes), "all have booted")
    return boxes


def bootstrap(boxes: list[Box], *, check: bool = False, **options: Any) -> Ran:
    entries = [{"instance_id": box.instance_id, "hostname": f"adc-{number}"} for number, box in enumerate(boxes)]
    given = {"new_password": PASSWORD, "features": ["LB"], "wait_timeout": 60}
    return on(boxes, "vpx_bootstrap", entries, check=check, **{**given, **options})


@pytest.fixture
def managed(boxes: list[Box]) -> list[Box]:
    ran = bootstrap(boxes)
    assert not ran["failed"], ran["msg"]
    return boxes


def unknown(boxes: list[Box]) -> Box:
    return Box(boxes[0].lab, "i-0", boxes[0].address.rsplit(".", 1)[0] + ".200")


def snips(boxes: list[Box], *, check: bool = False, **options: Any) -> Ran:
    entries = [{"ip_address": f"127.200.21.{number}"} for number, box in enumerate(boxes, 10)]
    return on(boxes, "vpx_snip", entries, check=check, **{"nitro_pass": PASSWORD, "netmask": MASK, **options})


def configuration(boxes: list[Box]) -> list[Any]:
    states = [box.state() for box in boxes]
    assert all(state["running"] == state["saved"] for state in states), "what runs is not saved"
    assert all(state["sessions"] == 0 for state in states), "a session was left open"
    return [state["running"] for state in states]


# ---------------------------------------------------------------------- each module


def test_fresh_appliances_become_managed_ones(boxes: list[Box]) -> None:
    predicted = bootstrap(boxes, check=True)
    assert (predicted["failed"], predicted["changed"], predicted.writes) == (False, True, [])

    done = bootstrap(boxes)
    assert (done["failed"], done["changed"]) == (False, True)
    assert [node["nsip"] for node in done["nodes"]] == [box.nsip for box in boxes]
    for node in done["nodes"]:
        reported = {key: value for key, value in node.items() if key not in ("nsip", "instance_id")}
        assert reported == {
            "changed": True,
            "pinned": False,
            "fingerprint": None,
            "certificate_installed": False,
            "version": "14.1-72.61",
            "rebooted": False,
            "password_changed": True,
            "activation_request": None,
            "saved": True,
            "error": None,
        }
    assert [entry["before_header"] for entry in done["diff"]] == [box.nsip for box in boxes]
    assert [entry["after"]["hostname"] for entry in done["diff"]] == ["adc-0", "adc-1", "adc-2"]
    running = configuration(boxes)
    assert [one["nshostname"][0]["hostname"] for one in running] == ["adc-0", "adc-1", "adc-2"]

    again = bootstrap(boxes)
    assert (again["changed"], again.writes) == (False, [])
    assert len(again.calls) == 3 * 6, "the call budget is that of one, for each"
    assert configuration(boxes) == running


def test_every_node_gets_a_snip_of_its_own(managed: list[Box]) -> None:
    before = configuration(managed)
    predicted = snips(managed, check=True)
    assert (predicted["changed"], predicted.writes) == (True, [])
    assert configuration(managed) == before

    done = snips(managed)
    assert [node["snip"]["ip_address"] for node in done["nodes"]] == [f"127.200.21.{n}" for n in (10, 11, 12)]
    assert [node["snip"] for node in done["nodes"]] == [node["snip"] for node in predicted["nodes"]]
    assert sorted(done.writes) == 3 * ["POST /config/nsconfig?action=save"] + 3 * ["POST /config/nsip"]
    for number, running in enumerate(configuration(managed)):
        rows = [row for row in running["nsip"] if row["type"] == "SNIP"]
        assert [(row["ipaddress"], row["netmask"]) for row in rows] == [(f"127.200.21.{10 + number}", MASK)]

    again = snips(managed)
    assert (again["changed"], again.writes) == (False, [])
    one = managed[1].run("vpx_snip", nitro_pass=PASSWORD, ip_address="127.200.21.11", netmask=MASK)
    assert one.result.keys() >= {"changed", "snip", "saved", "diff"}
    assert "nodes" not in one.result
    assert one["changed"] is False


def test_an_entry_may_have_a_mask_of_its_own_and_an_appliance_two_addresses(managed: list[Box]) -> None:
    entries = [
        {"ip_address": "127.200.21.10"},
        {"ip_address": "127.200.31.10", "netmask": "255.255.0.0"},
        {"ip_address": "127.200.21.11"},
    ]
    ran = on([managed[0], managed[0], managed[1]], "vpx_snip", entries, nitro_pass=PASSWORD, netmask=MASK)
    assert [node["snip"]["netmask"] for node in ran["nodes"]] == [MASK, "255.255.0.0", MASK]
    rows = [row["ipaddress"] for row in configuration(managed)[0]["nsip"] if row["type"] == "SNIP"]
    assert rows == ["127.200.21.10", "127.200.31.10"]


def test_an_ipset_and_an_application_on_every_node(managed: list[Box]) -> None:
    secret = {"nitro_pass": PASSWORD}
    own = [{}, {"addresses": [{"ip_address": "127.200.2.99"}]}, {}]
    common = {"name": "clients", "addresses": [{"ip_address": "127.200.2.10"}], **secret}
    made = on(managed, "vpx_ipset", own, **common)
    held = [[entry["ip_address"] for entry in node["ipset"]["addresses"]] for node in made["nodes"]]
    assert held == [["127.200.2.10"], ["127.200.2.99"], ["127.200.2.10"]]
    assert on(managed, "vpx_ipset", own, **common).writes == []

    web = {"name": "web", "port": 8080, "backends": [{"address": "127.200.3.20", "port": 80}], "ipset": "clients"}
    entries = [{"virtual_ip": "127.200.2.7"}, {"virtual_ip": "127.200.2.8", "ipset": ""}, {}]
    predicted = on(managed, "vpx_application", entries, check=True, **web, **secret)
    done = on(managed, "vpx_application", entries, **web, **secret)
    for ran in (predicted, done):
        reported = [(node["application"]["virtual_ip"], node["application"]["ipset"]) for node in ran["nodes"]]
        assert reported == [("127.200.2.7", "clients"), ("127.200.2.8", None), ("127.200.2.10", "clients")]
    again = on(managed, "vpx_application", entries, **web, **secret)
    assert (again["changed"], again.writes) == (False, [])


def test_all_applications_of_all_nodes_take_one_session_and_one_save_a_node(managed: list[Box]) -> None:
    nodes = [managed[0], managed[0], managed[1], managed[1]]
    entries = [
        {"name": "web", "port": 8080, "virtual_ip": "127.200.2.7"},
        {"name": "api", "port": 9090, "virtual_ip": "127.200.2.7", "monitor": {"type": "HTTP", "password": "m0nitor"}},
        {"name": "web", "port": 8080, "virtual_ip": "127.200.2.8"},
        {"name": "old", "state": "absent"},
    ]
    common = {"backends": [{"address": "127.200.3.20", "port": 80}], "nitro_pass": PASSWORD}
    predicted = on(nodes, "vpx_application", entries, check=True, **common)
    assert predicted.writes == []
    done = on(nodes, "vpx_application", entries, **common)
    assert not done["failed"], done["msg"]
    assert [node["changed"] for node in done["nodes"]] == [True, True, True, False]
    assert [(node["application"] or {}).get("name") for node in done["nodes"]] == ["web", "api", "web", None]
    assert "m0nitor" not in json.dumps(done.result)
    for op in ("POST /config/login 201", "POST /config/logout 201", "POST /config/nsconfig?action=save 200"):
        assert done.ops.count(op) == 2, op
    again = on(nodes, "vpx_application", entries, **common)
    assert (again["changed"], again.writes) == (False, [])
    assert again.ops.count("POST /config/login 201") == 2


def test_an_entry_that_fails_leaves_the_other_entries_of_its_node_done_and_saved(managed: list[Box]) -> None:
    entries = [
        {"name": "one", "addresses": [{"ip_address": "127.200.2.10"}]},
        {"name": "two", "addresses": [{"ip_address": managed[0].address}]},
        {"name": "three", "addresses": [{"ip_address": "127.200.2.12"}]},
    ]
    ran = on([managed[0]] * 3, "vpx_ipset", entries, nitro_pass=PASSWORD)
    assert (ran["failed"], ran["changed"]) == (True, True)
    assert [node["error"] is None for node in ran["nodes"]] == [True, False, True]
    assert [row["name"] for row in configuration(managed[:1])[0]["ipset"]] == ["one", "three"]


def test_what_is_not_saved_is_not_saved_on_any(managed: list[Box]) -> None:
    ran = snips(managed, save_config=False)
    assert [node["saved"] for node in ran["nodes"]] == [False] * 3
    assert all(box.state()["unsaved"] for box in managed)


# ---------------------------------------------------------------------- who fails


def test_one_that_cannot_be_reached_is_named_and_the_others_are_carried_through(managed: list[Box]) -> None:
    first, second, third = managed[0], unknown(managed), managed[2]
    ran = snips([first, second, third])
    assert (ran["failed"], ran["changed"]) == (True, True)
    assert ran["msg"].startswith(f"1 of 3 nodes failed, the others were carried through: {second.nsip}: log in as ")
    assert first.nsip not in ran["msg"]
    assert third.nsip not in ran["msg"]
    assert [(node["nsip"], node["changed"], node["error"] is None) for node in ran["nodes"]] == [
        (first.nsip, True, True),
        (second.nsip, False, False),
        (third.nsip, True, True),
    ]
    assert ran["nodes"][1]["written"] == []
    assert [entry["after_header"] for entry in ran["diff"]] == [first.nsip, third.nsip]
    assert [any(row["type"] == "SNIP" for row in running["nsip"]) for running in configuration([first, third])] == [
        True,
        True,
    ]


def test_one_that_fails_half_way_says_what_it_had_written(managed: list[Box]) -> None:
    addresses = [{"ip_address": "127.200.2.10"}, {"ip_address": "127.200.2.11"}]
    # On the second appliance one of the addresses is its NSIP, which is seen before anything is written.
    own = [{}, {"addresses": [*addresses, {"ip_address": managed[1].address}]}, {}]
    ran = on(managed, "vpx_ipset", own, name="clients", addresses=addresses, nitro_pass=PASSWORD)
    assert ran["failed"] is True
    assert f"{managed[1].nsip}: address {managed[1].address} is of type NSIP" in ran["msg"]
    assert [node["changed"] for node in ran["nodes"]] == [True, False, True]

    names = [{"hostname": "adc-0"}, {"hostname": "new-1"}, {"hostname": "adc-2"}]
    half = on(managed, "vpx_bootstrap", names, new_password=PASSWORD, features=["LB", "NoSuchThing"])
    assert half["failed"] is True
    assert half["msg"].startswith("3 of 3 nodes failed: ")
    assert all(box.nsip in half["msg"] for box in managed)
    assert [node["written"] for node in half["nodes"]] == [[], ["set nshostname 'new-1'"], []]
    assert [node["changed"] for node in half["nodes"]] == [False, True, False]
    assert {node["nitro_errorcode"] for node in half["nodes"]} == {1074}
    assert managed[1].state()["running"]["nshostname"][0]["hostname"] == "new-1"


def test_bootstrap_goes_on_without_one_that_never_answers(boxes: list[Box]) -> None:
    group = [boxes[0], unknown(boxes), boxes[2]]
    ran = bootstrap(group, wait_timeout=3)
    assert ran["failed"] is True
    assert ran["msg"].startswith("1 of 3 nodes failed, the others were carried through: NITRO did not become ready: ")
    assert [node.get("password_changed") for node in ran["nodes"]] == [True, None, True]
    configuration([boxes[0], boxes[2]])


def test_no_password_of_any_is_in_the_sentence_about_all(boxes: list[Box]) -> None:
    """A password the appliances refuse as too short, and those they have; the id of an instance is their first one."""
    assert not bootstrap(boxes[:1])["failed"]
    ran = bootstrap(boxes, new_password="abc", nitro_pass="0ld-One")
    assert ran["msg"].startswith("3 of 3 nodes failed: ")
    assert "abc" not in json.dumps({key: value for key, value in ran.result.items() if key != "invocation"})
    assert "0ld-One" not in json.dumps(ran.result)
    message = ran["msg"] + json.dumps([node["error"] for node in ran["nodes"]])
    assert not [box.instance_id for box in boxes if box.instance_id in message]


# ---------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nsip": "10.0.1.10", "nodes": [{"nsip": "10.0.1.11"}]}, "mutually exclusive: nsip|nodes"),
        ({}, "one of the following is required: nsip, nodes"),
        ({"nodes": [{"ip_address": "10.0.2.1"}]}, "missing required arguments: nsip found in nodes"),
        ({"nsip": "10.0.1.10"}, "missing required arguments: ip_address"),
        (
            {"nsip": "10.0.1.10", "ip_address": "10.0.2.1"},
            "state is present but all of the following are missing: netmask",
        ),
        (
            {"nodes": [{"nsip": "10.0.1.10", "ip_address": "10.0.2.1", "netmask": "24"}, {"nsip": "10.0.1.11"}]},
            "nodes[1], 10.0.1.11: missing required arguments: ip_address",
        ),
        ({"nodes": [{"nsip": "10.0.1.10", "name": "web"}]}, "Unsupported parameters"),
        (
            {"nodes": [{"nsip": "10.0.1.10", "ip_address": "10.0.2.1", "netmask": "24"}], "nitro_pass": None},
            "10.0.1.10: give nitro_pass",
        ),
        (
            {"nodes": [{"nsip": "10.0.1.10", "ip_address": "10.0.2.1", "owner_node": 32}], "netmask": "24"},
            "10.0.1.10: SNIP 10.0.2.1: owner_node must be from 0 to 31, not 32",
        ),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(
    options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NETSCALER_NSIP", raising=False)
    monkeypatch.setenv("NETSCALER_NITRO_AUTH_TOKEN", "##OF-ANOTHER")
    result = run_module("vpx_snip", {"nitro_pass": PASSWORD, **options})
    assert result["failed"] is True
    assert message in result["msg"]


def test_secrets_of_an_entry_are_in_no_result() -> None:
    """Without an answer the result still has an entry for each node."""
    entry = {
        "nsip": "127.0.0.1:1",
        "name": "web",
        "protocol": "SSL",
        "port": 443,
        "certificate": {"content": "-----BEGIN CERTIFICATE-----", "key": "a-pr1vate-key", "passphrase": "a-passphr4se"},
        "monitor": {"type": "HTTP", "password": "a-m0nitor-password"},
    }
    result = run_module("vpx_application", {"nodes": [entry, {**entry, "name": "api"}], "nitro_pass": PASSWORD})
    assert result["failed"] is True
    assert result["msg"].startswith("2 of 2 nodes failed: ")
    for secret in ("a-pr1vate-key", "a-passphr4se", "a-m0nitor-password", PASSWORD):
        assert secret not in json.dumps(result)


def test_no_nodes_are_no_work() -> None:
    result = run_module("vpx_snip", {"nodes": [], "nitro_pass": PASSWORD})
    assert {key: result[key] for key in ("failed", "changed", "nodes", "diff")} == {
        "failed": False,
        "changed": False,
        "nodes": [],
        "diff": [],
    }


def test_the_address_of_the_environment_does_not_stand_in_the_way(
    managed: list[Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETSCALER_NSIP", managed[0].nsip)
    ran = snips(managed[1:])
    assert [node["nsip"] for node in ran["nodes"]] == [box.nsip for box in managed[1:]]
    options = {"nitro_pass": PASSWORD, "ca_path": managed[0].lab.ca_path, "netmask": MASK}
    alone = run_module("vpx_snip", {"ip_address": "127.200.21.9", **options})
    assert alone["snip"] == {"ip_address": "127.200.21.9", "netmask": MASK}
    assert ["127.200.21.9" in json.dumps(box.state()["running"]) for box in managed] == [True, False, False]


# ---------------------------------------------------------------------- how long it takes


def test_four_take_hardly_longer_than_one(fresh_lab: LabClient) -> None:
    boxes = ready(launch(fresh_lab, "aabb"))
    assert not bootstrap(boxes)["failed"]
    fresh_lab.latency(nitro=0.05)

    def seconds(some: list[Box], first: int) -> float:
        entries = [{"ip_address": f"127.200.{first}.{number}"} for number, box in enumerate(some, 10)]
        since = time.monotonic()
        ran = on(some, "vpx_snip", entries, nitro_pass=PASSWORD, netmask=MASK)
        assert ran["changed"] is True
        return time.monotonic() - since

    seconds(boxes[:1], 20)  # what is loaded at first use is not what is measured
    one = min(seconds(boxes[:1], first) for first in (21, 22))
    four = min(seconds(boxes, first) for first in (23, 24))
    print(f"one {one:.2f} s, four {four:.2f} s")
    assert four < 1.6 * one, f"{four:.2f} s for four, {one:.2f} s for one"
