"""Changing a password: from every mixed state, with every interruption, and with as few refused logins as can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.rotation import (
    Accepted,
    Account,
    Rotation,
    rotate_cluster,
    rotate_each,
    rotate_pair,
)

NEW, OLD, OTHER = "n3w", "0ld", "0ther"


class Killed(BaseException):
    """The run ends here, like a process that got SIGKILL."""


@dataclass
class Box:
    """An appliance: its password, running and saved; ``peers`` get what is changed here while ``propagates``."""

    name: str
    password: str
    role: str = "Primary"
    saved: str = ""
    up: bool = True
    propagates: bool = True
    cut_after_write: bool = False
    refuses: int = 0
    refused: int = 0
    syncs_from: Box | None = None
    peers: list[Box] = field(default_factory=list)
    before_login: Callable[[], None] = lambda: None
    #: Counts writes of all boxes; the one with this number kills the run, before or after it is carried out.
    kill_at: tuple[int, str] = (0, "")
    writes: list[str] = field(default_factory=list)
    sessions: int = 0

    def __post_init__(self) -> None:
        self.saved = self.saved or self.password

    def written(self, what: str, carry_out: Callable[[], None]) -> None:
        number, when = self.kill_at
        self.writes.append(f"{self.name} {what}")
        if number == len(self.writes) and when == "before":
            raise Killed
        carry_out()
        if number == len(self.writes):
            raise Killed

    def set_password(self, password: str) -> None:
        self.password = password
        for peer in self.peers if self.propagates else []:
            if peer.up:
                peer.password = password


@dataclass
class FakeClient:
    box: Box
    password: str
    other: str | None
    other_password_accepted: bool = False
    open: bool = False

    def login(self) -> None:
        if not self.box.up:
            raise NitroUnreachable(f"{self.box.name}: no connection")
        for number, password in enumerate((self.password, self.other)):
            if password is None:
                break
            self.box.before_login()
            if password == self.box.password:
                self.other_password_accepted, self.open = number == 1, True
                self.box.sessions += 1
                return
            self.box.refused += 1
        raise NitroAuthError(f"{self.box.name}: log in: the appliance answered 354", code=354, http_status=401)

    def close(self) -> None:
        self.box.sessions -= self.open
        self.open = False

    def get(self, resource: str) -> list[dict[str, Any]]:
        if resource == "hanode":
            return [{"id": "0", "ipaddress": self.box.name, "state": self.box.role}]
        return [{"configchanged": self.box.saved != self.box.password}]

    def update(self, resource: str, body: dict[str, Any]) -> None:
        if self.box.refuses:
            raise NitroError(f"{self.box.name}: set systemuser: answered {self.box.refuses}", code=self.box.refuses)
        self.box.written("set", lambda: self.box.set_password(body["password"]))
        if self.box.cut_after_write:
            raise NitroCut(f"{self.box.name}: set systemuser: the connection broke")

    def act(self, resource: str, action: str) -> None:
        assert (resource, action) == ("clustersync", "Force")
        leader = self.box.syncs_from
        self.box.written("sync", lambda: self.box.set_password(leader.password if leader else self.box.password))

    def save(self) -> None:
        self.box.written("save", lambda: setattr(self.box, "saved", self.box.password))


def rotations(boxes: list[Box]) -> list[Rotation]:
    account = Account("nsroot", NEW, OLD)
    writes, kill_at = boxes[0].writes, boxes[0].kill_at
    for box in boxes:
        box.writes, box.kill_at = writes, kill_at
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    def connect(box: Box) -> Callable[[str, str | None], NitroClient]:
        return lambda password, other: cast(NitroClient, FakeClient(box, password, other))

    return [Rotation(box.name, connect(box), account, sleep, lambda: clock[0]) for box in boxes]


def pair(first: str, second: str, **options: Any) -> list[Box]:
    one, two = Box("a", first, "Secondary", **options), Box("b", second, "Primary", **options)
    two.peers = [one]
    return [one, two]


@pytest.mark.parametrize("first", [NEW, OLD])
@pytest.mark.parametrize("second", [NEW, OLD])
@pytest.mark.parametrize("propagates", [True, False])
def test_pair_converges_from_every_mixed_state(first: str, second: str, propagates: bool) -> None:
    boxes = pair(first, second, propagates=propagates)
    nodes = rotations(boxes)
    rotate_pair(nodes, check=False)
    assert [(box.password, box.saved) for box in boxes] == [(NEW, NEW)] * 2
    assert [node.found for node in nodes] == [Accepted(word) for word in _words(first, second)]
    assert [node.error for node in nodes] == [None, None]
    # The primary is changed first, or its next synchronisation would undo the change of the secondary.
    assert [one for one in boxes[0].writes if one.endswith("set")][:1] in ([], ["b set"], ["a set"] * (second == NEW))
    assert all(box.refused <= 2 for box in boxes)
    again = rotations(boxes)
    boxes[0].writes.clear()
    rotate_pair(again, check=False)
    assert boxes[0].writes == []
    for node in [*nodes, *again]:
        node.close()
    assert [box.sessions for box in boxes] == [0, 0]


def _words(*passwords: str) -> list[str]:
    return ["new" if one == NEW else "present" for one in passwords]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
def test_run_killed_at_any_write_is_completed_by_the_next(number: int, when: str) -> None:
    boxes = pair(OLD, OLD, propagates=False)
    boxes[0].kill_at = (number, when)
    with pytest.raises(Killed):
        rotate_pair(rotations(boxes), check=False)
    boxes[0].kill_at = (0, "")
    for box in boxes:
        box.refused = 0
    nodes = rotations(boxes)
    rotate_pair(nodes, check=False)
    assert [(box.password, box.saved) for box in boxes] == [(NEW, NEW)] * 2
    assert [node.error for node in nodes] == [None, None]
    assert all(box.refused <= 2 for box in boxes)


def test_check_mode_writes_nothing() -> None:
    boxes = pair(OLD, NEW)
    nodes = rotations(boxes)
    rotate_pair(nodes, check=True)
    assert boxes[0].writes == []
    assert [node.found for node in nodes] == [Accepted.PRESENT, Accepted.NEW]


def test_node_that_refuses_both_is_tried_once_and_the_other_is_completed() -> None:
    boxes = pair(OTHER, OLD, propagates=False)
    nodes = rotations(boxes)
    rotate_pair(nodes, check=False)
    assert boxes[0].refused == 2
    assert "neither the new nor the present password was accepted" in str(nodes[0].error)
    assert isinstance(nodes[0].error, NitroAuthError)
    assert (boxes[1].password, boxes[1].saved, nodes[1].error) == (NEW, NEW, None)


def test_mistyped_passwords_change_nothing() -> None:
    boxes = pair(OTHER, OTHER)
    nodes = rotations(boxes)
    rotate_pair(nodes, check=False)
    assert [box.password for box in boxes] == [OTHER, OTHER]
    assert [box.refused for box in boxes] == [2, 2]
    assert all(node.error for node in nodes)


def test_secondary_that_takes_over_the_password_between_two_tries() -> None:
    """The new one is refused a moment before the change arrives, and the present one a moment after."""
    boxes = pair(OLD, OLD, propagates=False)
    secondary, tries = boxes[0], [0]

    def arrives() -> None:
        tries[0] += 1
        if tries[0] == 4:  # two tries at first; then the new one, and before the present one it arrives
            secondary.password = NEW

    secondary.before_login = arrives
    nodes = rotations(boxes)
    rotate_pair(nodes, check=False)
    assert [node.error for node in nodes] == [None, None]
    assert (secondary.password, secondary.saved) == (NEW, NEW)
    assert "a set" not in boxes[0].writes


def test_change_whose_answer_got_lost_is_seen_by_a_new_login() -> None:
    boxes = [Box("a", OLD, cut_after_write=True)]
    nodes = rotations(boxes)
    rotate_each(nodes, check=False)
    assert (nodes[0].error, boxes[0].password, boxes[0].saved) == (None, NEW, NEW)


def test_password_that_the_appliance_refuses_is_an_error_and_stays_as_it_was() -> None:
    boxes = [Box("a", OLD, refuses=1079), Box("b", OLD)]
    nodes = rotations(boxes)
    rotate_each(nodes, check=False)
    assert nodes[0].error is not None
    assert nodes[0].error.code == 1079
    assert (boxes[0].password, boxes[1].password, nodes[1].error) == (OLD, NEW, None)


def test_unreachable_node_keeps_no_other_from_its_change() -> None:
    boxes = [Box("a", OLD, up=False), Box("b", OLD), Box("c", NEW)]
    nodes = rotations(boxes)
    rotate_each(nodes, check=False)
    assert isinstance(nodes[0].error, NitroUnreachable)
    assert [box.password for box in boxes] == [OLD, NEW, NEW]


def cluster(clip: str, *members: str) -> list[Box]:
    """Return the address of a cluster, and its members; the coordinator is the first of them."""
    boxes = [Box(f"m{number}", password) for number, password in enumerate(members)]
    return [Box("clip", clip, peers=boxes), *boxes]


@pytest.mark.parametrize(
    ("clip", "members"),
    [(OLD, (OLD, OLD)), (OLD, (OLD, NEW)), (NEW, (NEW, OLD)), (NEW, (NEW, NEW))],
)
def test_cluster_is_changed_at_its_address_and_members_follow(clip: str, members: tuple[str, ...]) -> None:
    boxes = cluster(clip, *members)
    for box in boxes[1:]:
        box.syncs_from = boxes[0]
    nodes = rotations(boxes)
    rotate_cluster(nodes[0], nodes[1:], 60, check=False)
    assert [node.error for node in nodes] == [None] * 3
    assert [box.password for box in boxes] == [NEW] * 3
    assert [one for one in boxes[0].writes if one.endswith(" set")] == (["clip set"] if clip == OLD else [])


def test_member_that_does_not_follow_is_named_after_few_refused_logins() -> None:
    boxes = cluster(OLD, OLD, OLD)
    boxes[0].peers = boxes[1:2]
    nodes = rotations(boxes)
    rotate_cluster(nodes[0], nodes[1:], 120, check=False)
    assert "m1: still accepts the present password 120 s after its cluster has the new one" in str(nodes[2].error)
    assert (nodes[1].error, boxes[2].refused <= 8) == (None, True)


def test_members_are_not_asked_if_the_cluster_refuses() -> None:
    boxes = cluster(OTHER, OLD)
    nodes = rotations(boxes)
    rotate_cluster(nodes[0], nodes[1:], 60, check=False)
    assert "not changed, because the cluster at clip was not" in str(nodes[1].error)
    assert boxes[1].refused == 0
