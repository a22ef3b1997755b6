"""Calls of AWS that are held, and land late or never, while the roles of a pair change.

The time-outs are a fifth of those of production, so that a held call takes 3 s and not 15.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments import changes
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.modules import vpx_ha_failover, vpx_ha_reconcile
from tests.lab.client import wait_for

from .conftest import Cloud
from .pairs import PASSWORD, Pair
from .test_switching import planned, reconcile, target

HELD_SECONDS = 3.0


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (vpx_ha_failover, vpx_ha_reconcile):
        monkeypatch.setattr(module, "BRIEF", 1)
    monkeypatch.setattr(changes, "LANDING_SECONDS", 4.0)


def force_failover(pair: Pair, number: int) -> None:
    """Change the roles at this node, which is primary; the addresses stay where they are."""
    connection = Connection(pair.at(number), password=PASSWORD, ca_path=pair.cloud.lab.ca_path)
    with NitroClient(connection) as client:
        client.act("hafailover", "Force", {"force": True})


def while_held(pair: Pair, op: str, act: Callable[[], object]) -> threading.Thread:
    """Act in a thread as soon as a call of this operation is held."""

    def work() -> None:
        wait_for(lambda: pair.cloud.lab.held(op), f"{op} is held", seconds=30)
        act()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def association_on(pair: Pair, number: int) -> tuple[str, ...]:
    return tuple(target(pair, number).values())


def test_address_ends_at_the_serving_node_when_roles_go_back_while_its_move_is_held(pair: Pair) -> None:
    """One pair for all cases, because building it takes most of the time."""
    lab = pair.cloud.lab
    assert reconcile(pair)["changed"]
    for then, writes in (("carry_out", 2), ("drop", 1)):
        force_failover(pair, 0)
        wait_for(lambda: pair.info()["primary"] == 1, "node 1 is primary")
        lab.hold("AssociateAddress", seconds=HELD_SECONDS, then=then)
        back = while_held(pair, "AssociateAddress", lambda: force_failover(pair, 1))
        result = reconcile(pair, settle_timeout=5)
        back.join()
        assert not result["failed"], result
        assert result["primary"]["node_id"] == 0
        assert pair.cloud.association(pair.allocation_id) == association_on(pair, 0), then
        assert pair.cloud.writes["AssociateAddress"] == writes, "what landed late was seen, and undone"
        lab.faults()
        assert not reconcile(pair)["changed"]

    # The same of a planned failover: it must not leave the address at a node that is not primary any more.
    lab.hold("AssociateAddress", seconds=HELD_SECONDS)
    back = while_held(pair, "AssociateAddress", lambda: force_failover(pair, 1))
    told = planned(pair)
    back.join()
    lab.faults()
    assert told["failed"] or pair.cloud.association(pair.allocation_id) == association_on(pair, 0), told
    if pair.cloud.association(pair.allocation_id) != association_on(pair, 0):
        assert "vpx_ha_reconcile puts the Elastic IPs where the primary is" in told["msg"]
    reconcile(pair, settle_timeout=5)
    assert pair.cloud.association(pair.allocation_id) == association_on(pair, 0)

    # Nothing has changed when a move is held: it is sent again, and two that land are one.
    force_failover(pair, 0)
    wait_for(lambda: pair.info()["primary"] == 1, "node 1 is primary")
    lab.hold("AssociateAddress", seconds=HELD_SECONDS)
    result = reconcile(pair, settle_timeout=5)
    assert (result["failed"], result["changed"]) == (False, True), result
    assert pair.cloud.association(pair.allocation_id) == association_on(pair, 1)
    lab.faults()


def test_release_that_lands_late_takes_no_address_from_another_interface(cloud: Cloud) -> None:
    """The address is put to use while its release is on the way; AWS refuses the release, and that is told."""
    made = cloud.run(
        "vpx_instance",
        group="shop",
        image_id=cloud.seed["image_id"],
        interfaces=cloud.interfaces(management={"elastic_ip": True}),
    )
    assert not made["failed"], made
    allocation = made["instances"][0]["interfaces"]["management"]["allocation_id"]
    interface, _addresses = cloud.interface()
    used: dict[str, Any] = {"AllocationId": allocation, "NetworkInterfaceId": interface}
    cloud.lab.hold("ReleaseAddress", seconds=20)

    def use() -> None:
        wait_for(lambda: cloud.lab.held("ReleaseAddress"), "the release is held", seconds=30)
        cloud.ec2.associate_address(**used)
        cloud.lab.release()

    thread = threading.Thread(target=use)
    thread.start()
    gone = cloud.run("vpx_instance", group="shop", state="absent")
    thread.join()
    assert gone["failed"], gone
    assert allocation in gone["msg"]
    assert "InvalidIPAddress.InUse" in gone["msg"]
    assert cloud.association(allocation)[0] == interface
