"""The next step of an upgrade in place from every state, what stands against it, and when ISSU is possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.software import Software
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict, judge
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.upgrade_plan import (
    Due,
    Step,
    Target,
    UpgradeNode,
    UpgradeState,
    fit,
    migration_obstacles,
    next_step,
    outline,
    problems,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.builds import Build, parse_build

NSIPS = ("10.0.0.1", "10.0.1.1")


def build(text: str) -> Build:
    found = parse_build(text)
    assert found is not None
    return found


OLD, NEW = build("14.1-72.61"), build("14.1-80.10")


def node(number: int, running: Build, *, on: bool = True, **more: Any) -> UpgradeNode:
    software = Software(running, synchronises=on, propagates=on, **more)
    return UpgradeNode(f"node {number}", number, f"i-{number}", software, "NetScaler VPX", "m5.xlarge")


def pair(first: Build, second: Build, *, on: bool = False) -> list[UpgradeNode]:
    return [node(0, first, on=on), node(1, second, on=on)]


@pytest.mark.parametrize(
    ("nodes", "primary", "tried", "due"),
    [
        (pair(OLD, OLD, on=True), 0, False, Due(Step.ISOLATE)),
        ([node(0, OLD, on=False), node(1, OLD)], 0, False, Due(Step.ISOLATE)),
        (pair(OLD, OLD), 0, False, Due(Step.INSTALL, 1)),
        (pair(OLD, OLD), 1, False, Due(Step.INSTALL, 0)),
        ([node(0, OLD, on=False), node(1, OLD, on=False, installed=NEW)], 0, False, Due(Step.REBOOT, 1)),
        # An installation is under way, whatever is on the disk: it is waited for.
        ([node(0, OLD, on=False), node(1, OLD, on=False, installed=NEW, job="1")], 0, False, Due(Step.INSTALL, 1)),
        (pair(OLD, NEW), 0, False, Due(Step.TRY, 1)),
        # The new node is primary: it is watched again after an interruption, then the other one follows.
        (pair(OLD, NEW), 1, False, Due(Step.TRY, 1)),
        (pair(OLD, NEW), 1, True, Due(Step.INSTALL, 0)),
        (pair(NEW, NEW), 1, False, Due(Step.JOIN)),
        ([node(0, NEW, on=False), node(1, NEW)], 1, False, Due(Step.JOIN)),
        ([node(0, NEW, unsaved=True), node(1, NEW)], 1, False, Due(Step.SAVE)),
        (pair(NEW, NEW, on=True), 0, False, Due(Step.DONE)),
    ],
)
def test_next_step_follows_from_builds_roles_and_settings(
    nodes: list[UpgradeNode], primary: int, tried: bool, due: Due
) -> None:
    assert next_step(nodes, primary, NEW, tried=tried) == due


@pytest.mark.parametrize("primary", [0, 1])
def test_a_primary_with_the_old_build_is_never_installed_or_rebooted(primary: int) -> None:
    steps = outline(pair(OLD, OLD, on=True), primary, NEW)
    assert [due.step for due in steps] == [
        *(Step.ISOLATE, Step.INSTALL, Step.REBOOT, Step.TRY, Step.INSTALL, Step.REBOOT, Step.JOIN, Step.SAVE)
    ]
    touched = [due.node for due in steps if due.step in (Step.INSTALL, Step.REBOOT)]
    assert touched == [1 - primary, 1 - primary, primary, primary]


def claims(*, up: bool = True, sync: str = "SUCCESS") -> tuple[Claim, ...]:
    states = (("Primary", "Secondary"), ("Secondary", "Primary"))
    return tuple(
        Claim(
            f"node {number}",
            NSIPS[number],
            True,
            ObservedHa.from_rows(
                [
                    {"id": "0", "ipaddress": NSIPS[number], "state": mine, "hastatus": "UP", "hasync": sync},
                    {
                        "id": "1",
                        "ipaddress": NSIPS[1 - number],
                        "state": theirs,
                        "hastatus": "UP" if up else "DOWN",
                        "hasync": sync,
                    },
                ]
            ),
            ("10.1.0.1",),
        )
        for number, (mine, theirs) in enumerate(states)
    )


def state(nodes: list[UpgradeNode], *, misplaced: tuple[str, ...] = (), **more: Any) -> UpgradeState:
    found = claims(**more)
    return UpgradeState(tuple(nodes), found, judge(found), misplaced)


def test_a_pair_that_is_upgraded_is_fit_without_synchronisation() -> None:
    assert fit(claims(sync="DISABLED"))
    assert not fit(claims(up=False))
    assert not fit(claims()[:1])
    assert problems(state(pair(OLD, NEW), sync="DISABLED", misplaced=("away",)), Target(NEW)) == []


SAME = pair(OLD, OLD, on=True)


@pytest.mark.parametrize(
    ("found", "target", "reason"),
    [
        (state(SAME), Target(NEW), None),
        (state(SAME, misplaced=("EIP is away.",)), Target(NEW), "EIP is away"),
        (state(SAME, up=False), Target(NEW), "not fit for an upgrade"),
        (state(SAME, sync="FAILED"), Target(NEW), "not fit for an upgrade"),
        (replace(state(SAME), verdict=Verdict(None, "two", healthy=False)), Target(NEW), "not complete: two"),
        (state([node(0, OLD, on=False), node(1, OLD, on=False)], up=False), Target(NEW), "not fit"),
        (state(SAME), Target(build("14.1-66.59"), vulnerable=True), "is older than 14.1-72.61"),
        (state(SAME), Target(build("14.1-66.59"), downgrade=True, vulnerable=True), None),
        (state(SAME), Target(build("14.1-66.59"), downgrade=True), "has CVE-2026-8451"),
        (state(pair(build("13.0-92.21"), build("13.0-92.21"), on=True)), Target(NEW), "upgrade to release 13.1 first"),
        (state([SAME[0], replace(SAME[1], hardware="other")]), Target(NEW), "differ in hardware"),
        (state([SAME[0], replace(SAME[1], instance_type="m5.large")]), Target(NEW), "differ in instance type"),
        (
            state([SAME[0], node(1, OLD, disks={"/var": 95.0, "/flash": 40.0})]),
            Target(NEW),
            "/var of node 1 (i-1) is 95 %",
        ),
        (
            state([SAME[0], UpgradeNode("node 1", 1, "i-1", Software(OLD, propagates=False))]),
            Target(NEW),
            "only one of synchronisation and propagation",
        ),
        (
            state([node(0, OLD, las=True), SAME[1]]),
            Target(build("14.1-47.46"), downgrade=True, vulnerable=True),
            "License Activation Service",
        ),
        (state([SAME[0], replace(SAME[1], software=Software(None))]), Target(NEW), "cannot be read"),
        # What is done is never refused: both nodes have the build.
        (state(pair(NEW, NEW), up=False), Target(NEW), None),
    ],
)
def test_what_stands_against_an_upgrade_is_named(found: UpgradeState, target: Target, reason: str | None) -> None:
    named = problems(found, target)
    assert bool(named) == (reason is not None), named
    assert reason is None or any(reason in problem for problem in named), named


def test_issu_needs_a_sync_vlan_and_addresses_that_stay_the_same() -> None:
    ready = [node(0, OLD, sync_vlan=True, migration=""), node(1, NEW, sync_vlan=True, migration="")]
    assert migration_obstacles(ready, {"route"}) == []
    assert "another private address" in migration_obstacles(ready, {"elastic_ip", "route"})[0]
    assert "EC2 drops" in migration_obstacles(ready, {"private_ip"})[0]
    bare = [node(0, build("12.1-65.39")), node(1, NEW)]
    found = "; ".join(migration_obstacles(bare, {"route"}))
    assert "12.1-65.39 has no ISSU" in found
    assert "node 1 (i-1) has no SYNC VLAN" in found
    assert "node 0 (i-0) does not know nsmigration" in found
