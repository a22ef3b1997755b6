# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An upgrade of a pair in place: what stands against it, and the next step. Pure.

The next step follows from the builds, roles and HA settings of both nodes, so a run that was interrupted is resumed at
any point by reading again.

Source: vendor's documentation, "Upgrade a high availability pair" (the secondary first; between different versions
synchronisation and propagation do not work), "Before you begin" (one major release at a time), "In Service Software
Upgrade support for high availability" (SYNC VLAN, GRE).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..nitro.ha import together
from ..nitro.software import Software
from ..spec.builds import Build, license_problem, vulnerabilities
from .pair_claims import Claim, Verdict

#: The vendor recommends one major release at a time.
RELEASES = ((12, 1), (13, 0), (13, 1), (14, 1))
#: Release in which ISSU came.
ISSU_SINCE = (13, 0)
#: Percent of a file system in use from which no build is installed. The vendor gives no figure; this is a margin.
FULL = 90.0


class Step(enum.Enum):
    """What is due. The value is what the step does, for the summary."""

    ISOLATE = "disable synchronisation and propagation"
    INSTALL = "install the build"
    REBOOT = "reboot into the build"
    TRY = "make it primary and watch it"
    JOIN = "enable synchronisation and propagation"
    SAVE = "wait for synchronisation, and save the configuration"
    DONE = "nothing"


@dataclass(frozen=True, slots=True)
class UpgradeNode:
    """A node as it was read. ``isolated``: it neither synchronises nor propagates."""

    name: str
    node_id: int
    instance_id: str
    software: Software
    hardware: str = ""
    instance_type: str = ""

    @property
    def build(self) -> Build | None:
        return self.software.running

    def __str__(self) -> str:
        return f"{self.name} ({self.instance_id})"


@dataclass(frozen=True, slots=True)
class Target:
    """The desired build, and what the user accepts for it."""

    build: Build
    downgrade: bool = False
    vulnerable: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The step that is due, and the node that it is about (None: both)."""

    step: Step
    node: int | None = None


def next_step(nodes: Sequence[UpgradeNode], primary: int, target: Build, *, tried: bool = False) -> Due:
    """Return what is due.

    Args:
        nodes: both nodes.
        primary: index of the primary.
        target: the desired build.
        tried: whether the primary has shown that it serves with this build.
    """
    secondary, isolated = 1 - primary, [node.software.isolated for node in nodes]
    reached = [node.build == target for node in nodes]
    if all(reached):
        unsaved = any(node.software.unsaved for node in nodes)
        return Due(Step.JOIN if any(isolated) else Step.SAVE if unsaved else Step.DONE)
    if not all(isolated):
        return Due(Step.ISOLATE)
    if reached[secondary]:
        return Due(Step.TRY, secondary)
    if reached[primary] and not tried:
        return Due(Step.TRY, primary)
    ready = nodes[secondary].software.installed == target and nodes[secondary].software.job is None
    return Due(Step.REBOOT if ready else Step.INSTALL, secondary)


def outline(nodes: Sequence[UpgradeNode], primary: int, target: Build) -> list[Due]:
    """Return all steps that are due, in order, as if each of them succeeded."""
    steps: list[Due] = []
    now, at, tried = list(nodes), primary, False
    while (due := next_step(now, at, target, tried=tried)).step is not Step.DONE:
        steps.append(due)
        if due.step is Step.TRY:
            at, tried = due.node or 0, True
            continue
        now = [_after(node, due, number, target) for number, node in enumerate(now)]
    return steps


def _after(node: UpgradeNode, due: Due, number: int, target: Build) -> UpgradeNode:
    software = node.software
    match due.step:
        case Step.ISOLATE:
            software = replace(software, synchronises=False, propagates=False)
        case Step.JOIN:
            software = replace(software, synchronises=True, propagates=True, unsaved=True)
        case Step.SAVE:
            software = replace(software, unsaved=False)
        case Step.INSTALL if number == due.node:
            software = replace(software, installed=target, job=None)
        case Step.REBOOT if number == due.node:
            software = replace(software, running=target, installed=target)
    return replace(node, software=software)


def described(due: Due, nodes: Sequence[UpgradeNode], target: Build) -> str:
    """Return a step as a line of the summary."""
    where = "on both nodes" if due.node is None else str(nodes[due.node])
    match due.step:
        case Step.INSTALL:
            return f"install {target} on {where}"
        case Step.REBOOT:
            return f"reboot {where} into {target}"
        case Step.TRY:
            return f"make {where} primary and watch it"
    return f"{due.step.value} {where}"


def fit(claims: Sequence[Claim]) -> bool:
    """Whether both nodes see each other, up, as primary and secondary. Synchronisation may be switched off."""
    return len(claims) == 2 and all(
        claim.view is not None
        and together(claim.view, claims[1 - at].nsip, synchronising=False)
        and claim.names(claims[1 - at])
        for at, claim in enumerate(claims)
    )


@dataclass(frozen=True, slots=True)
class UpgradeState:
    """Both nodes, their claims, and the messages about addresses that are not at the primary."""

    nodes: tuple[UpgradeNode, ...]
    claims: tuple[Claim, ...]
    verdict: Verdict
    misplaced: tuple[str, ...] = ()

    @property
    def begun(self) -> bool:
        """Whether an upgrade is under way: builds differ, or a node is isolated."""
        return len({node.build for node in self.nodes}) > 1 or any(node.software.isolated for node in self.nodes)


def problems(state: UpgradeState, target: Target) -> list[str]:
    """Return what stands against the upgrade, one message each; nothing stands against one that is done."""
    if len(state.nodes) != 2 or state.verdict.primary is None:
        return [f"The pair is not complete: {state.verdict.message}."]
    unknown = [str(node) for node in state.nodes if node.build is None]
    if unknown:
        return [f"The build of {' and '.join(unknown)} cannot be read."]
    if all(node.build == target.build for node in state.nodes):
        return []  # what may be left is to put the pair together again
    return [*_unfit(state), *_unlike(state.nodes), *_full(state.nodes), *_builds(state.nodes, target)]


def _unfit(state: UpgradeState) -> list[str]:
    if not fit(state.claims) or (not state.begun and not state.verdict.healthy):
        return [f"The pair is not fit for an upgrade: {state.verdict.message}."]
    by_hand = [str(node) for node in state.nodes if node.software.synchronises != node.software.propagates]
    found = [
        f"On {name} only one of synchronisation and propagation is switched off. Switch both on (set ha node -haSync "
        "ENABLED -haProp ENABLED) first."
        for name in by_hand
    ]
    # An interrupted upgrade moves the addresses itself.
    return [*found, *(() if state.begun else state.misplaced)]


def _unlike(nodes: Sequence[UpgradeNode]) -> list[str]:
    found = []
    for what, values in (
        ("hardware", [node.hardware for node in nodes]),
        ("instance type", [node.instance_type for node in nodes]),
    ):
        if all(values) and len(set(values)) > 1:
            found.append(f"The nodes differ in {what}: {values[0]} and {values[1]}. Replace one of them first.")
    return found


def _full(nodes: Sequence[UpgradeNode]) -> list[str]:
    return [
        f"{disk} of {node} is {used:g} % full: free some space, for example by removing old builds in /var/nsinstall."
        for node in nodes
        for disk, used in node.software.disks.items()
        if used >= FULL
    ]


def _builds(nodes: Sequence[UpgradeNode], target: Target) -> list[str]:
    found = []
    known = [node.build for node in nodes if node.build]
    newest = max(known)
    if target.build < newest and not target.downgrade:
        found.append(
            f"{target.build} is older than {newest}. Name it with allow_downgrade=true (role ha_upgrade: "
            "ha_upgrade_allow_downgrade), and read the vendor's page on downgrades: a configuration of the newer build "
            "may not be understood."
        )
    found += [skipped for build in known if (skipped := _skipped(build, target.build))][:1]
    open_ones = vulnerabilities(target.build)
    if open_ones and not target.vulnerable:
        found.append(
            f"{target.build} has {' and '.join(open_ones)}: take a newer build, or accept it with "
            "allow_vulnerable=true (role ha_upgrade: ha_upgrade_allow_vulnerable)."
        )
    las = any(node.software.las for node in nodes)
    if las and (problem := license_problem("las", str(target.build))):
        found.append(f"{problem[0].upper()}{problem[1:]}.")
    return found


def _skipped(build: Build, target: Build) -> str | None:
    if build.release not in RELEASES or target.release not in RELEASES:
        return None
    between = RELEASES.index(target.release) - RELEASES.index(build.release)
    if between < 2:
        return None
    major, minor = RELEASES[RELEASES.index(build.release) + 1]
    return f"From {build} upgrade to release {major}.{minor} first: the vendor recommends one major release at a time."


def migration_obstacles(nodes: Sequence[UpgradeNode], kinds: Collection[str]) -> list[str]:
    """Return why established connections would not survive a switch by an ISSU migration, one reason each.

    The new primary gets the packets of established connections and sends them to the old one by GRE over the SYNC VLAN;
    that one answers to the client itself. In a VPC this needs addresses that are the same on both nodes and that EC2
    does not check: VIPs of kind route.

    Args:
        nodes: both nodes.
        kinds: kinds of the pair's VIPs.
    """
    old = [node for node in nodes if node.build and node.build.release < ISSU_SINCE]
    found = [f"{node}: build {node.build} has no ISSU" for node in old]
    found += [f"{node} has no SYNC VLAN (set ha node -syncvlan)" for node in nodes if not node.software.sync_vlan]
    found += [f"{node} does not know nsmigration" for node in nodes if node.software.migration is None]
    if "elastic_ip" in kinds:
        found.append(
            "an Elastic IP leads to another private address on the new primary, where the packets of an established "
            "connection belong to no connection"
        )
    if "private_ip" in kinds:
        found.append("EC2 drops what the old primary sends from a private address that has left its interface")
    return found
