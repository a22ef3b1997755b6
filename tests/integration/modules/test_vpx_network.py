"""vpx_network against appliances of a lab: what packets leave by is written, read back, and written once."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, on
from tests.integration.modules.test_vpx_cluster_node import cluster_of
from tests.integration.modules.test_vpx_cluster_node import managed as bootstrapped
from tests.lab.client import LabClient

MASK = "255.255.255.0"
SERVER = "127.200.21"
ROUTE = {"network": "127.200.31.0/24", "gateway": f"{SERVER}.1"}
SNIP = {"ip_address": f"{SERVER}.10", "netmask": MASK}


@pytest.fixture
def boxes(fresh_lab: LabClient) -> list[Box]:
    return bootstrapped(fresh_lab, 2)


def run(boxes: list[Box], *, check: bool = False, **options: Any) -> Ran:
    entries = [{"snips": [{**SNIP, "ip_address": f"{SERVER}.{number}"}]} for number, _box in enumerate(boxes, 10)]
    return on(boxes, "vpx_network", entries, check=check, **{"nitro_pass": PASSWORD, **options})


def running(box: Box) -> Any:
    state = box.state()
    assert state["running"] == state["saved"], "what runs is not saved"
    assert state["sessions"] == 0
    return state["running"]


def test_nodes_get_snips_routes_and_a_return_path_in_one_session_each(boxes: list[Box]) -> None:
    asked = {"routes": [ROUTE], "return_path": "mbf"}
    predicted = run(boxes, check=True, **asked)
    assert (predicted["changed"], predicted.writes) == (True, [])

    done = run(boxes, **asked)
    assert not done["failed"], done["msg"]
    assert [node["network"] for node in done["nodes"]] == [node["network"] for node in predicted["nodes"]]
    assert done["nodes"][1]["network"] == {
        "snips": [{**SNIP, "ip_address": f"{SERVER}.11"}],
        "routes": [ROUTE],
        "return_path": "mbf",
    }
    assert done.ops.count("POST /config/login 201") == done.ops.count("POST /config/nsconfig?action=save 200") == 2
    assert "MBF" in running(boxes[0])["nsmode"][0]["mode"]
    assert any(row["network"] == "127.200.31.0" for row in running(boxes[1])["route"])

    again = run(boxes, **asked)
    assert (again["changed"], again.writes) == (False, [])


def test_routes_that_are_not_named_any_more_go_and_foreign_ones_stay(boxes: list[Box]) -> None:
    box = boxes[:1]
    other = {"network": "127.200.41.0/24", "gateway": f"{SERVER}.1"}
    assert not run(box, routes=[ROUTE, other])["failed"]
    kept = run(box, routes=[other], purge_routes=False)
    assert (kept["changed"], len(kept["nodes"][0]["network"]["routes"])) == (False, 2)
    purged = run(box, routes=[other])
    assert purged["nodes"][0]["network"]["routes"] == [other]
    assert any(row.get("permanent") for row in running(box[0])["route"]), "the default route stays"
    gone = run(box, routes=[other], state="absent")
    assert gone["nodes"][0]["network"] == {"snips": [], "routes": [], "return_path": None}


def test_policy_routes_replace_mbf_and_none_removes_both(boxes: list[Box]) -> None:
    box = boxes[:1]
    assert run(box, return_path="mbf")["nodes"][0]["network"]["return_path"] == "mbf"
    gateways = [{"network": f"{SERVER}.0/24", "gateway": f"{SERVER}.1"}]
    asked = {"return_path": "pbr", "return_gateways": gateways}
    assert run(box, check=True, **asked).writes == []
    done = run(box, **asked)
    assert done["nodes"][0]["network"]["return_path"] == "pbr", done["msg"]
    assert done.writes[:3] == [
        "POST /config/nspbr",
        "POST /config/nspbrs?action=apply",
        "POST /config/nsmode?action=disable",
    ]
    assert run(box, **asked).writes == []
    assert run(box, return_path="none")["nodes"][0]["network"]["return_path"] == "none"
    assert run(box, return_path="none").writes == []
    assert "nspbr" not in running(box[0])


def test_a_route_that_would_cut_a_node_off_is_refused_and_the_other_node_is_done(boxes: list[Box]) -> None:
    own = str(ipaddress.ip_network(f"{boxes[0].address}/20", strict=False))
    entries = [{"routes": [{"network": own, "gateway": f"{SERVER}.1"}]}, {"routes": [ROUTE]}]
    entries = [{**entry, "snips": [SNIP]} for entry in entries]
    ran = on(boxes, "vpx_network", entries, nitro_pass=PASSWORD)
    assert ran["failed"] is True
    assert f"{boxes[0].nsip}: route {own} via {SERVER}.1: it overlaps the management subnet" in ran["msg"]
    assert [node["changed"] for node in ran["nodes"]] == [False, True]


def test_different_routes_in_several_entries_of_one_node_are_refused(boxes: list[Box]) -> None:
    entries = [{"routes": [ROUTE], "snips": [SNIP]}, {"routes": []}]
    ran = on([boxes[0], boxes[0]], "vpx_network", entries, nitro_pass=PASSWORD)
    assert ran["failed"] is True
    assert "give all its routes in one entry" in ran["msg"]


def test_a_cluster_is_configured_through_its_clip(fresh_lab: LabClient) -> None:
    first = cluster_of(bootstrapped(fresh_lab, 2))[0]
    clip = Box(fresh_lab, first.instance_id, first.options["clip"], {"nitro_pass": PASSWORD})
    snips = [{**SNIP, "ip_address": f"{SERVER}.{10 + owner}", "owner_node": owner} for owner in (0, 1)]
    asked = {"snips": snips, "routes": [ROUTE], "return_path": "mbf"}
    done = clip.run("vpx_network", **asked)
    assert not done["failed"], done["msg"]
    assert done["network"] == {
        "snips": [{**snip} for snip in snips],
        "routes": [ROUTE],
        "return_path": "mbf",
    }
    assert any("linksets" in str(warning) for warning in done["warnings"])
    assert clip.run("vpx_network", **asked).writes == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_run_that_was_killed_at_a_write_is_finished_by_the_next(boxes: list[Box], write: int, when: str) -> None:
    box, other = boxes
    asked = {"snips": [SNIP], "routes": [ROUTE], "return_path": "mbf", "nitro_pass": PASSWORD}
    box.options = other.options = {}
    box.killed("vpx_network", write, when, **asked)
    ended = box.run("vpx_network", **asked)
    assert not ended["failed"], ended["msg"]
    assert box.run("vpx_network", **asked).writes == []
    undisturbed = other.run("vpx_network", **asked)
    assert ended["network"] == undisturbed["network"]
    for resource in ("route", "nsmode"):
        assert len(box.state()["running"][resource]) == len(other.state()["running"][resource])
    assert box.state()["unsaved"] is False
