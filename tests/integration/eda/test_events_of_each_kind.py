"""Two event sources watch one pair, for each kind of VIP that is no Elastic IP: they never make a move twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.crash.pair_flows import KINDS, Kind
from tests.integration.eda.test_events import PACE, Heard, common, heal, secrets, source
from tests.lab.client import LabClient, running, wait_for
from tests.observe import Observer
from tests.stage import Stage

#: Writes that take the VIPs of a pair to the other node: one for each route table, or for each interface.
MOVES = {"route": {"ReplaceRoute": 1}, "private_ip": {"AssignPrivateIpAddresses": 2}}


def _changed_as_a_role(kind: Kind) -> Kind:
    """Return the kind with route tables that another account owns, as in a shared VPC."""

    def definition(stage: Stage) -> dict[str, Any]:
        found = kind.definition(stage)
        role = stage.lab.boto("iam").create_role(RoleName="change-routes", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        return {**found, "ha_pair_vips": [{**vip, "role_arn": role} for vip in found["ha_pair_vips"]]}

    return replace(kind, definition=definition)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return _changed_as_a_role(found) if found.name == "route" else found


@pytest.fixture(scope="module")
def lab(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """A lab of its own with a pair that has a VIP of the kind."""
    with running(tmp_path_factory.mktemp(f"eda-{kind.name}"), {"LAB_PACE": str(PACE)}) as client:
        kind.built.set_up(Stage(client, quick=True))
        heal(client, Observer(client))
        yield client


def made(lab: LabClient, since: float) -> dict[str, int]:
    """The calls that move a VIP, by operation, with how often they were made."""
    names = [call.op for call in lab.writes(since, side="aws")]
    return {name: names.count(name) for name in set(names) if "Route" in name or "Address" in name}


def at_the_primary(lab: LabClient, kind: Kind) -> bool:
    """Whether the VIP leads to the client interface of the primary."""
    ec2, client = lab.boto("ec2"), Observer(lab).primary().client_interface
    [vip] = lab.variables(kind.variables)["ha_pair_vips"]
    if kind.name == "route":
        found = [route for table in ec2.describe_route_tables()["RouteTables"] for route in table["Routes"]]
        wanted = f"{vip['virtual_ip']}/32"
        return any(r.get("DestinationCidrBlock") == wanted and r.get("NetworkInterfaceId") == client for r in found)
    [interface] = ec2.describe_network_interfaces(NetworkInterfaceIds=[client])["NetworkInterfaces"]
    return vip["private_ip_address"] in [one["PrivateIpAddress"] for one in interface["PrivateIpAddresses"]]


def lose_the_primary(lab: LabClient, watching: list[Heard]) -> float:
    """Take the power from the primary, and wait until one of the sources has repaired. Returns the time before it."""
    since, observer = time.time(), Observer(lab)
    before = sum(one.types().count("repaired") for one in watching)
    lab.power(observer.primary().instance_id, False)
    wait_for(
        lambda: sum(one.types().count("repaired") for one in watching) > before, "a source has repaired", seconds=60
    )
    return since


def watch(lab: LabClient, store: Path) -> Any:
    return source("ha_watch", {**common(lab), "repair": True, "returned_after": 1, "store": {"path": str(store)}})


@pytest.mark.timeout(900)
def test_one_of_two_sources_moves_the_vip_and_each_alone_is_enough(kind: Kind, lab: LabClient, tmp_path: Path) -> None:
    with contextlib.ExitStack() as first:
        one = first.enter_context(watch(lab, tmp_path))
        with watch(lab, tmp_path) as other:
            wait_for(lambda: all("watching" in each.types() for each in (one, other)), "both watch", seconds=30)
            # A third source took the lease and was paused: its lease ends within one dead interval.
            FileStore(tmp_path, Key(common(lab)["group"], "ha_watch")).acquire("a paused source", 6.0)
            since = lose_the_primary(lab, [one, other])
            until = time.time()
            wait_for(
                lambda: len([call for call in lab.calls(until, side="nitro") if call.op.endswith("/hanode")]) >= 8,
                "both have looked again",
                seconds=30,
            )
            assert made(lab, since) == MOVES[kind.name]
            assert [each.types().count("repaired") for each in (one, other)] in ([1, 0], [0, 1])
            assert not [each.types() for each in (one, other) if "repair_failed" in each.types()]
            done = next(each for each in (one, other) if "repaired" in each.types()).last("repaired")
            assert [(vip["kind"], vip["changed"]) for vip in done["vips"]] == [(kind.name, True)] * len(done["vips"])
            assert not [text for text in secrets(lab) if text in str(one.events + other.events)]
            assumed = [call for call in lab.calls(since - 60, side="aws") if call.op == "AssumeRole"]
            assert bool(assumed) == (kind.name == "route"), "tables of another account are changed as its role"
            heal(lab, Observer(lab))
        wait_for(lambda: at_the_primary(lab, kind), "the VIP is at the primary, whichever node that is", seconds=60)
        # The other source is cut off for good.
        since = lose_the_primary(lab, [one])
        assert made(lab, since) == MOVES[kind.name]
        assert at_the_primary(lab, kind)
