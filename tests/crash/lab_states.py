"""States of the lab in which flows start: each is built once, kept by the lab, and restored before each attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.client import LabClient
from tests.observe import Observer
from tests.stage import Stage


@dataclass(frozen=True, slots=True)
class LabState:
    """``build`` makes the state from any other one, perhaps by way of another LabState. Names are unique."""

    name: str
    build: Callable[[Stage], None]

    def set_up(self, stage: Stage) -> None:
        """Put the lab into this state."""
        if self.name not in stage.lab.state()["kept"]:
            self.build(stage)
            stage.lab.keep(self.name)
        # Also after a build: every attempt starts in the same way, with an empty call log.
        stage.lab.restore(self.name)


def _an_empty_account(stage: Stage) -> None:
    stage.lab.reset()


EMPTY = LabState("an empty account", _an_empty_account)


def _a_pair(stage: Stage) -> None:
    EMPTY.set_up(stage)
    stage.play("ha_pair")
    if Observer(stage.lab).primary().node_id != 0:
        stage.play("ha_failover", "-e", "ha_failover_to=0")


PAIR = LabState("a pair whose node 0 is primary", _a_pair)


NEWER_BUILD = "14.1-80.10"
NEWER_FILE = "https://builds.example.com/build-14.1-80.10_nc_64.tgz"


def offer_the_newer_build(lab: LabClient) -> None:
    """Let appliances fetch a newer build."""
    version = "NetScaler NS14.1: Build 80.10.nc, Date: Nov 1 2026, 10:00:00   (64-bit)"
    lab.settings(nitro={"install_builds": {NEWER_FILE: version}, "install_seconds": 60.0})


def _a_pair_and_a_newer_build(stage: Stage) -> None:
    PAIR.set_up(stage)
    offer_the_newer_build(stage.lab)


UPGRADABLE = LabState("a pair that can fetch a newer build", _a_pair_and_a_newer_build)


def move_the_address(stage: Stage) -> None:
    """Move the pair's Elastic IP to the secondary, as an operator might do by hand."""
    observer = Observer(stage.lab)
    secondary = next(node for node in observer.nodes() if node.master_state == "Secondary")
    [address] = stage.lab.boto("ec2").describe_addresses(
        Filters=[
            {"Name": "tag:cloudadc:group", "Values": ["lab-pair"]},
            {"Name": "tag:cloudadc:role", "Values": ["client"]},
        ]
    )["Addresses"]
    stage.lab.boto("ec2").associate_address(
        AllocationId=address["AllocationId"],
        NetworkInterfaceId=secondary.client_interface,
        PrivateIpAddress=secondary.client_address,
        AllowReassociation=True,
    )


def _a_misplaced_address(stage: Stage) -> None:
    PAIR.set_up(stage)
    move_the_address(stage)


MISPLACED = LabState("a pair whose address is on the secondary", _a_misplaced_address)
