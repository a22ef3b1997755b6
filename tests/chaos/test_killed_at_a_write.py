"""A playbook that was killed at any of its writes and started again ends like one that was not killed."""

from __future__ import annotations

import os
import random

import pytest

from tests.chaos.murder import GROUP, Kill, Original, Plot, killed, spread, undisturbed
from tests.chaos.portrait import difference, portrait
from tests.observe import Observer
from tests.stage import Stage, StageError

EVERYTHING = os.environ.get("CHAOS", "sample") == "all"
# How many kills of each a sample has; CHAOS=all has all kills of all.
SAMPLE = {"build": 3, "failover": 1}


def an_empty_account(stage: Stage) -> None:
    stage.lab.reset()


def a_pair(stage: Stage) -> None:
    """Node 0 is primary and has the Elastic IP; built anew only if there is none."""
    found = Observer(stage.lab).nodes()
    if len(found) != 2 or any(node.master_state is None for node in found):
        stage.lab.reset()
        stage.play("ha_pair")
    stage.play("ha_failover", "-e", "ha_failover_to=0")


def an_address_gone_astray(stage: Stage) -> None:
    """A pair whose Elastic IP is on the secondary."""
    a_pair(stage)
    observer = Observer(stage.lab)
    secondary = next(node for node in observer.nodes() if node.master_state == "Secondary")
    [address] = stage.lab.boto("ec2").describe_addresses(
        Filters=[{"Name": "tag:cloudadc:group", "Values": [GROUP]}, {"Name": "tag:cloudadc:role", "Values": ["client"]}]
    )["Addresses"]
    stage.lab.boto("ec2").associate_address(
        AllocationId=address["AllocationId"],
        NetworkInterfaceId=secondary.client_interface,
        PrivateIpAddress=secondary.client_address,
        AllowReassociation=True,
    )


PLOTS = [
    Plot("build", "ha_pair", (), an_empty_account),
    Plot("failover", "ha_failover", ("-e", "ha_failover_to=1"), a_pair),
    Plot("repair", "ha_failover", ("-e", "ha_failover_mode=reconcile"), an_address_gone_astray),
    Plot("remove", "ha_pair", ("-e", "ha_pair_state=absent"), a_pair),
]


CHOSEN = [plot for plot in PLOTS if EVERYTHING or plot.name in SAMPLE]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("plot", CHOSEN, ids=lambda plot: plot.name)
def test_killed_and_started_again(stage: Stage, plot: Plot, dice: random.Random) -> None:
    original = undisturbed(stage, plot)
    kills = original.kills() if EVERYTHING else spread(original.kills(), SAMPLE[plot.name], dice)
    print(f"{plot.name}: {len(original.writes)} writes, killed {len(kills)} times")
    wrong = {}
    for kill in kills:
        where = f"{kill} ({original.writes[kill.at - 1]})"
        differences = attempt(stage, plot, kill, original)
        print(f"  {where}: {'DIFFERENT' if differences else 'as if nothing had happened'}", flush=True)
        if differences:
            wrong[where] = differences
    assert not wrong, "\n".join(f"{where}:\n    " + "\n    ".join(lines[:20]) for where, lines in wrong.items())


def attempt(stage: Stage, plot: Plot, kill: Kill, original: Original) -> list[str]:
    """As ``killed``, but what went wrong with the attempt itself is a difference too, so that the others are tried."""
    try:
        return killed(stage, plot, kill, original)
    except StageError as error:
        return [str(error)]


@pytest.mark.timeout(0)
def test_a_portrait_tells_two_states_apart(stage: Stage) -> None:
    """The comparison above can fail: an address that was moved by hand is seen."""
    a_pair(stage)
    before = portrait(stage.lab, GROUP)
    assert difference(before, portrait(stage.lab, GROUP)) == []
    an_address_gone_astray(stage)
    assert any("/addresses/" in line for line in difference(before, portrait(stage.lab, GROUP)))
