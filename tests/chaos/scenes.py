"""States of the lab in which plots begin: each is built once, kept by the lab, and put back before each attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.observe import Observer
from tests.stage import Stage


@dataclass(frozen=True, slots=True)
class Scene:
    """``build`` makes the state out of whatever is there; it may begin with another scene. Names are unique."""

    name: str
    build: Callable[[Stage], None]

    def set_up(self, stage: Stage) -> None:
        """The lab is in this state now."""
        if self.name not in stage.lab.state()["kept"]:
            self.build(stage)
            stage.lab.keep(self.name)
        # Also what was built a moment ago: every attempt begins in the same way, with an empty call log.
        stage.lab.restore(self.name)


def _an_empty_account(stage: Stage) -> None:
    stage.lab.reset()


EMPTY = Scene("an empty account", _an_empty_account)


def _a_pair(stage: Stage) -> None:
    EMPTY.set_up(stage)
    stage.play("ha_pair")
    if Observer(stage.lab).primary().node_id != 0:
        stage.play("ha_failover", "-e", "ha_failover_to=0")


PAIR = Scene("a pair whose node 0 is primary", _a_pair)


def move_the_address(stage: Stage) -> None:
    """The pair's Elastic IP goes to the secondary, as if somebody had moved it by hand."""
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


def _an_address_gone_astray(stage: Stage) -> None:
    PAIR.set_up(stage)
    move_the_address(stage)


ASTRAY = Scene("a pair whose address is on the secondary", _an_address_gone_astray)
