"""Several nodes of a cluster in one call: who forms it, who drains first, which members are removed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster import Member, ObservedMember, no_member
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster_many import ClusterRun, unnamed

A, B, C = "10.0.1.10", "10.0.1.11", "10.0.1.12"
OPTIONS: dict[str, Any] = {
    "nsip": None,
    "nitro_auth_token": "##TOKEN",
    "clip": "10.0.1.100",
    "cluster_id": 1,
    "node_id": None,
    "form": False,
    "admin_state": "ACTIVE",
    "backplane": None,
    "tunnel_mode": "GRE",
    "priority": None,
    "cluster_password": None,
    "drain_minutes": 0,
    "dissolve": False,
    "state": "present",
    "wait": True,
    "wait_timeout": 600,
    "save_config": True,
    "purge_nodes": False,
    "known_nodes": None,
}


class Node:
    def close(self) -> None: ...


class FakeMembership:
    """Notes what is asked of it; a node in ``failing`` fails."""

    def __init__(self, run: Run, params: dict[str, Any]) -> None:
        self.run, self.params = run, params
        self.node, self.view, self.done = Node(), ObservedMember(), []

    def converge(self) -> dict[str, Any]:
        nsip = self.params["nsip"]
        waits = "waits" if self.params["wait"] else "begins"
        self.run.log.append(f"{nsip} {self.params['state']} {waits}{' forms' if self.params['form'] else ''}")
        if nsip in self.run.failing:
            raise NitroError("it did not join", code=2481)
        node = {**no_member(nsip), "node_id": self.params["node_id"]}
        diff = {"before": {"node": node, "writes": []}, "after": {"node": node, "writes": ["a write"]}}
        return {"changed": True, "node": node, "cluster": {"id": 1, "clip": "", "nodes": []}, "diff": diff}


class Run(ClusterRun):
    log: list[str]
    failing: tuple[str, ...]

    def _membership(self, params: Any, desired: Any = None) -> Any:
        return FakeMembership(self, params)


def run(*entries: dict[str, Any], failing: tuple[str, ...] = (), **options: Any) -> tuple[dict[str, Any], list[str]]:
    params = {**OPTIONS, **options, "nodes": list(entries)}
    warn: Callable[[str], None] = pytest.fail
    job = Run(params, False, warn, ExitStack())
    job.log, job.failing = [], failing
    return job.run(), job.log


def test_only_the_first_forms_the_cluster_and_the_others_follow_in_order() -> None:
    result, log = run({"nsip": A, "node_id": 0}, {"nsip": B, "node_id": 1}, form=True)
    assert log == [f"{A} present waits forms", f"{B} present waits"]
    assert [(node["nsip"], node["node_id"], node["error"]) for node in result["nodes"]] == [(A, 0, None), (B, 1, None)]
    assert (result["changed"], result["removed"], "msg" in result) == (True, [], False)


def test_nodes_after_one_that_fails_are_not_tried() -> None:
    result, log = run({"nsip": A}, {"nsip": B}, {"nsip": C}, failing=(B,))
    assert log == [f"{A} present waits", f"{B} present waits"]
    assert (result["msg"], result["nitro_errorcode"]) == (f"{B}: it did not join", 2481)
    assert [node["error"] for node in result["nodes"]] == [
        None,
        "it did not join",
        "not tried, because a node before it failed",
    ]


@pytest.mark.parametrize("options", [{"state": "absent"}, {"admin_state": "PASSIVE"}])
def test_all_begin_to_drain_before_the_first_is_waited_for(options: dict[str, Any]) -> None:
    state = options.get("state", "present")
    result, log = run({"nsip": A}, {"nsip": B}, drain_minutes=10, **options)
    assert log == [f"{nsip} {state} {how}" for how in ("begins", "waits") for nsip in (A, B)]
    assert result["diff"][0]["after"]["writes"] == ["a write", "a write"], "both passes are in the difference"
    alone = run({"nsip": A}, drain_minutes=10, **options)[1]
    assert alone == [f"{A} {state} waits"]
    assert run({"nsip": A}, {"nsip": B}, **options)[1] == [f"{A} {state} waits", f"{B} {state} waits"]


def test_what_cannot_be_right_for_one_is_refused_before_any_is_touched() -> None:
    with pytest.raises(NitroError, match="node_id must be 0 to 31"):
        run({"nsip": A}, {"nsip": B, "node_id": 32})


@pytest.mark.parametrize(
    ("known", "left"),
    [([A, B, C], []), ([A, B], [C]), (["2001:DB8:0::1", A, B, C], []), ([], [A, B, C])],
)
def test_members_at_no_known_address(known: list[str], left: list[str]) -> None:
    members = [Member(number, address) for number, address in enumerate((A, B, C))]
    assert [member.address for member in unnamed(members, known)] == left
