"""Moving the addresses of a pair while its nodes are slow, silent or change roles, and calls get no answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments import changes
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip import ElasticIp
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_changes import Outcome, carry_out
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_plan import AssociationChange
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import pair_evidence
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_evidence import Silence
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_probe import Panel, ProbeTimeouts, Target
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_repair import (
    Assessment,
    Pair,
    assess,
    interfaces_of,
    refuse_strangers,
    require_addresses,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_writes import Writer, repair

NSIPS = ("10.0.1.10", "10.0.2.10")
VIPS = ("10.0.11.10", "10.0.12.10")
ASSOCIATIONS = tuple(Association(f"eni-{number}", vip) for number, vip in enumerate(VIPS))
TAGS = {"cloudadc:group": "shop", "cloudadc:role": "client"}


@dataclass
class Appliance:
    """A node of the pair. ``role``, ``delay`` (seconds for each answer), ``dead`` may change while it is watched."""

    number: int
    role: str
    hears: str = "UP"
    delay: float = 0.0
    dead: bool = False
    alone: bool = False
    served: tuple[str, ...] = VIPS
    late_once: float = 0.0
    connection: Connection = field(default_factory=lambda: Connection("unset", password="secret"))
    logins: int = 0

    def _answer(self) -> None:
        late, self.late_once = self.late_once, 0.0
        time.sleep(self.delay + late)
        if self.dead:
            time.sleep(0.02)
            raise NitroUnreachable("no connection")

    def login(self) -> None:
        self.logins += 1
        self._answer()

    def get(self, resource: str) -> list[dict[str, Any]]:
        self._answer()
        if resource == "hanode":
            other = "Secondary" if self.role == "Primary" else "Primary"
            other = other if self.hears == "UP" else "UNKNOWN"
            rows = [
                {"id": "0", "ipaddress": NSIPS[self.number], "state": self.role, "hastatus": "UP"},
                {"id": "1", "ipaddress": NSIPS[1 - self.number], "state": other, "hastatus": self.hears},
            ]
            return rows[:1] if self.alone else rows
        if resource == "lbvserver":
            return [{"name": "v", "ipv46": vip, "ipset": "s"} for vip in self.served]
        return []

    def get_bulk(self, _resource: str) -> list[dict[str, Any]]:
        self._answer()
        return []

    def attempt(self, timeout: float) -> None:
        if self.dead or self.delay > timeout:
            time.sleep(min(timeout, 0.05))
            raise NitroUnreachable("no answer")

    def close(self) -> None:
        pass


@dataclass
class Region:
    """Where the address is. ``lose``: what happens to a write instead of being answered."""

    association_of: Association | None
    lose: list[Callable[[Region, AssociationChange], None]] = field(default_factory=list)
    writes: list[Association] = field(default_factory=list)
    association: int = 0

    def put(self, association_of: Association) -> None:
        self.association_of, self.association = association_of, self.association + 1

    def associate(self, move: AssociationChange) -> None:
        self.writes.append(move.after)
        if self.lose:
            self.lose.pop(0)(self, move)
            raise AwsError("Failed to associate it", ReadTimeoutError(endpoint_url="http://aws"))
        self.put(move.after)

    def address(self) -> Address:
        return Address("203.0.113.1", "eipalloc-1", self.association_of, f"eipassoc-{self.association}", TAGS)

    def read(self, _ids: Sequence[str]) -> list[Address]:
        return [self.address()]


class Moved(ElasticIp):
    """The attachment, with a region instead of EC2."""

    def move(  # type: ignore[override]
        self, client: Region, changes: Sequence[AssociationChange], verify_timeout: float | None, **more: Any
    ) -> list[Outcome]:
        return carry_out(changes, client.associate, client.read, verify_timeout, **more)

    def _read(self, client: Any, allocation_ids: Sequence[str]) -> Sequence[Address]:
        return list(client.read(allocation_ids))


def instance(number: int, state: str = "running") -> Instance:
    interfaces = (
        Attached(f"eni-m{number}", 0, (NSIPS[number],)),
        Attached(f"eni-{number}", 1, (VIPS[number],)),
    )
    return Instance(f"i-{number}", state, interfaces=interfaces, tags={"cloudadc:node_id": str(number)})


def pair_of(region: Region, **more: Any) -> Pair:
    instances = [instance(number) for number in (0, 1)]
    nodes = tuple(Node(NSIPS[n], one, one.instance_id, n) for n, one in enumerate(instances))
    return Pair("shop", nodes, (region.address(),), interfaces=interfaces_of(instances), **more)


TIMEOUTS = ProbeTimeouts(0.1, 3.0, 0.5)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of seconds for seconds."""
    monkeypatch.setattr(pair_evidence, "DEAD_INTERVAL", 0.4)
    monkeypatch.setattr(changes, "LANDING_SECONDS", 1.0)


def work(
    region: Region,
    *appliances: Appliance,
    timeouts: ProbeTimeouts = TIMEOUTS,
    silences: Mapping[str, Silence] | None = None,
    **more: Any,
) -> tuple[Assessment, list[Outcome], str | None]:
    pair = pair_of(region, **more)
    clients = {NSIPS[one.number]: cast(NitroClient, one) for one in appliances}
    targets = [Target(f"node {number}", nsip, nsip) for number, nsip in enumerate(NSIPS)]
    with Panel(targets, clients.__getitem__, timeouts, silences or {}) as panel:
        found = panel.settle(lambda claims: assess(pair, claims))
        found, rounds, trouble = repair(Writer(region, {"elastic_ip": Moved()}), pair, panel, 2.0, found)
        return found, [outcome for done in rounds for outcome in done["elastic_ip"]], trouble


def test_slow_survivor_gets_the_address() -> None:
    """The old primary is dead; the new one needs longer for each answer than a dead node may cost."""
    region = Region(ASSOCIATIONS[0])
    dead, slow = Appliance(0, "Primary", dead=True), Appliance(1, "Primary", hears="DOWN", delay=0.15)
    found, _outcomes, trouble = work(region, dead, slow, timeouts=ProbeTimeouts(0.1, 3.0, 3.0))
    assert (found.refusal, trouble, region.association_of) == (None, None, ASSOCIATIONS[1])


def test_unknown_configuration_is_not_called_empty() -> None:
    region = Region(ASSOCIATIONS[0])
    slow = Appliance(1, "Primary", hears="DOWN")
    read = slow.get

    def get(resource: str) -> list[dict[str, Any]]:
        if resource != "hanode":
            threading.Event().wait(20)
        return read(resource)

    slow.get = get  # type: ignore[method-assign]
    found, _outcomes, _trouble = work(
        region, Appliance(0, "Primary", dead=True), slow, timeouts=ProbeTimeouts(0.1, 0.6, 0.3)
    )
    assert found.refusal is not None
    assert "it is unknown whether one of its virtual servers answers at 10.0.12.10" in found.refusal
    assert "no virtual server" not in found.refusal
    assert region.writes == []


@pytest.mark.parametrize("holder", [0, 1])
def test_one_late_answer_in_a_split_brain_moves_nothing(holder: int) -> None:
    region = Region(ASSOCIATIONS[holder])
    nodes = [Appliance(number, "Primary", hears="DOWN") for number in (0, 1)]
    nodes[holder].late_once = 0.25
    found, outcomes, _trouble = work(region, *nodes)
    assert found.refusal is not None
    assert "2 nodes claim to be primary" in found.refusal
    assert (outcomes, region.association_of) == ([], ASSOCIATIONS[holder])


def test_silent_running_node_keeps_the_address_while_its_peer_hears_it() -> None:
    region = Region(ASSOCIATIONS[0])
    survivor = Appliance(1, "Primary")
    read = survivor.get
    survivor.get = lambda resource: [  # type: ignore[method-assign]
        {**row, "state": "Primary"} if row.get("id") == "1" else row for row in read(resource)
    ]
    found, _outcomes, _trouble = work(region, Appliance(0, "Primary", dead=True), survivor)
    assert found.refusal is not None
    assert "it cannot be decided" in found.refusal
    assert "node 1 says of it: Primary, UP" in found.refusal
    assert region.writes == []


def test_node_taken_out_of_the_pair_takes_nothing_from_the_serving_primary() -> None:
    region = Region(ASSOCIATIONS[0])
    nodes = Appliance(0, "Primary", hears="DOWN", dead=True), Appliance(1, "Primary", alone=True)
    found, _outcomes, _trouble = work(region, *nodes)
    assert found.refusal is not None
    assert "node 1 has no peer while node 0 is running" in found.refusal
    assert region.writes == []


def test_a_dead_primary_costs_its_dead_interval() -> None:
    region = Region(ASSOCIATIONS[0])
    began = time.monotonic()
    nodes = Appliance(0, "Primary", dead=True), Appliance(1, "Primary", hears="DOWN")
    _found, _outcomes, trouble = work(region, *nodes)
    assert (trouble, region.association_of) == (None, ASSOCIATIONS[1])
    assert 0.4 <= time.monotonic() - began < 2.0
    assert region.writes == [ASSOCIATIONS[1]], "one call"


@pytest.mark.parametrize("standing", [True, False])
def test_silence_that_was_handed_over_is_not_waited_for_once_more(
    standing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_evidence, "DEAD_INTERVAL", 5.0)
    region = Region(ASSOCIATIONS[0])
    began = time.monotonic()
    nodes = Appliance(0, "Primary", dead=True), Appliance(1, "Primary", hears="DOWN")
    silences = {NSIPS[0]: Silence(5.1, 6, standing=standing)}
    _found, _outcomes, trouble = work(region, *nodes, silences=silences)
    assert (trouble, region.association_of) == (None, ASSOCIATIONS[1])
    assert time.monotonic() - began < 2.0


def test_silence_that_was_handed_over_ends_with_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node is back, and still believes itself primary: what others observed before counts no more."""
    monkeypatch.setattr(pair_evidence, "DEAD_INTERVAL", 5.0)
    region = Region(ASSOCIATIONS[0])
    nodes = Appliance(0, "Primary", hears="DOWN"), Appliance(1, "Primary", hears="DOWN")
    found, _outcomes, _trouble = work(region, *nodes, silences={NSIPS[0]: Silence(60.0, 60)})
    assert "2 nodes claim to be primary" in str(found.refusal)
    assert region.writes == []


@pytest.mark.parametrize("holder", [0, 1])
def test_split_brain_with_both_nodes_slow_is_refused_wherever_the_address_is(holder: int) -> None:
    region = Region(ASSOCIATIONS[holder])
    nodes = [Appliance(number, "Primary", hears="DOWN", delay=0.13) for number in (0, 1)]
    found, outcomes, _trouble = work(region, *nodes)
    assert found.refusal is not None, "to end well would say that one of them is primary"
    assert "nothing was touched" in found.refusal
    assert "2 nodes claim" in found.refusal or "it cannot be decided" in found.refusal or "no node" in found.refusal
    assert (outcomes, region.writes, region.association_of) == ([], [], ASSOCIATIONS[holder])


def test_planned_roles_need_no_silence() -> None:
    region = Region(ASSOCIATIONS[0])
    _found, _outcomes, trouble = work(region, Appliance(0, "Secondary"), Appliance(1, "Primary"))
    assert (trouble, region.association_of, region.writes) == (None, ASSOCIATIONS[1], [ASSOCIATIONS[1]])


def swap(first: Appliance, second: Appliance) -> None:
    first.role, second.role = second.role, first.role


def test_roles_that_go_back_while_a_call_hangs_put_the_address_back() -> None:
    """The call gets through later: it must not leave the address at the node that is not primary."""
    nodes = Appliance(0, "Secondary"), Appliance(1, "Primary")

    def hang(region: Region, move: AssociationChange) -> None:
        swap(*nodes)
        threading.Timer(0.5, region.put, [move.after]).start()

    region = Region(ASSOCIATIONS[0], [hang])
    found, outcomes, trouble = work(region, *nodes)
    assert region.association_of == ASSOCIATIONS[0]
    assert trouble is None, trouble
    assert found.verdict.primary == 0
    assert region.writes == [ASSOCIATIONS[1], ASSOCIATIONS[0]], "the late call was seen, and undone"
    assert len(outcomes) == 2


def test_roles_that_go_back_and_a_call_that_was_lost_is_told() -> None:
    nodes = Appliance(0, "Secondary"), Appliance(1, "Primary")
    region = Region(ASSOCIATIONS[0], [lambda _region, _move: swap(*nodes)])
    began = time.monotonic()
    found, outcomes, trouble = work(region, *nodes)
    assert (region.association_of, region.writes) == (ASSOCIATIONS[0], [ASSOCIATIONS[1]]), "it was not sent again"
    assert time.monotonic() - began >= 1.0, "it looked once more when the call could have arrived"
    assert trouble is None, "the address is where the primary is"
    assert found.verdict.primary == 0
    assert "the address belongs elsewhere now" in str(outcomes[0].withdrawn)


def test_call_without_an_answer_is_repeated_when_nothing_has_changed() -> None:
    region = Region(ASSOCIATIONS[0], [lambda _region, _move: None])
    _found, outcomes, trouble = work(region, Appliance(0, "Secondary"), Appliance(1, "Primary"))
    assert (trouble, region.association_of) == (None, ASSOCIATIONS[1])
    assert region.writes == [ASSOCIATIONS[1]] * 2
    assert outcomes[0].lost == 1


def test_calls_without_any_answer_end() -> None:
    region = Region(ASSOCIATIONS[0], [lambda _region, _move: None] * 9)
    _found, _outcomes, trouble = work(region, Appliance(0, "Secondary"), Appliance(1, "Primary"))
    assert "203.0.113.1 (eipalloc-1) was not moved" in str(trouble)
    assert len(region.writes) == changes.UNANSWERED


def test_second_primary_after_the_write_is_told() -> None:
    nodes = Appliance(0, "Primary", dead=True), Appliance(1, "Primary", hears="DOWN")
    region = Region(ASSOCIATIONS[0])
    put = region.put

    def wake(association_of: Association) -> None:
        put(association_of)
        nodes[0].dead, nodes[0].hears = False, "DOWN"
        time.sleep(0.3)

    region.put = wake  # type: ignore[method-assign]
    _found, _outcomes, trouble = work(region, *nodes)
    assert "addresses were moved, and since then" in str(trouble)
    assert "2 nodes claim to be primary" in str(trouble)


def test_pair_without_an_elastic_ip_is_not_well() -> None:
    region = Region(ASSOCIATIONS[0])
    pair = replace(pair_of(region), addresses=())
    with pytest.raises(Refusal, match=r"the pair has no Elastic IP .* so no client reaches it by one"):
        require_addresses(pair)
    require_addresses(pair_of(region))


def test_address_at_another_system_is_left_there() -> None:
    pair = pair_of(Region(Association("eni-other", "10.9.9.9")))
    used = replace(pair, addresses=(replace(pair.addresses[0], instance_id="i-other"),))
    with pytest.raises(Refusal, match=r"eni-other .* of instance i-other, which is not of this pair: clients of the"):
        refuse_strangers(used, [])
    refuse_strangers(used, ["eni-other"])
    refuse_strangers(pair, [])
    for association_of in (ASSOCIATIONS[1], None):
        refuse_strangers(pair_of(Region(association_of)), [])
