"""The steps of a node's removal read its role again, because the other node may have failed since it was decided."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.one_or_many import Job
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.node_removal import NodeRemoval
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.modules import vpx_ha_remove_node, vpx_license_return
from tests.unit.plugins.module_utils.reconcile.fleet import instance

CAPACITY = {"bandwidth": 1000, "actualbandwidth": 1000, "unit": "Mbps", "edition": "Premium"}
ME = {"id": "0", "ipaddress": "10.0.0.1", "state": "Secondary"}
PEER = {"id": "1", "ipaddress": "10.0.0.2", "state": "Primary"}


class _Appliance:
    """``hanode``: its rows. ``written``: the resources that were unset."""

    def __init__(self, *hanode: dict[str, Any]) -> None:
        self.hanode, self.written = list(hanode), list[str]()

    def get(self, resource: str) -> list[dict[str, Any]]:
        return self.hanode if resource == "hanode" else [CAPACITY]

    def unset(self, resource: str, _arguments: dict[str, bool]) -> None:
        self.written.append(resource)


@pytest.mark.parametrize(
    ("rows", "keep_primary", "written", "reason"),
    [
        ([ME, PEER], True, ["nscapacity"], None),
        ([{**ME, "state": "Primary"}, {**PEER, "state": "Secondary"}], True, [], "10.0.0.1 is primary of its pair now"),
        ([{**ME, "state": "Primary"}, {**PEER, "state": "UNKNOWN"}], True, [], "10.0.0.1 is primary of its pair now"),
        ([{**ME, "state": "Primary"}], True, ["nscapacity"], None),
        ([{**ME, "state": "Primary"}, PEER], False, ["nscapacity"], None),
    ],
    ids=["secondary", "primary", "primary whose peer is dead", "without a peer", "the whole pair goes"],
)
def test_licence_of_a_node_that_has_become_primary_is_not_returned(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], keep_primary: bool, written: list[str], reason: str
) -> None:
    appliance = _Appliance(*rows)

    @contextlib.contextmanager
    def probe(*_given: object) -> Iterator[_Appliance]:
        yield appliance

    monkeypatch.setattr(vpx_license_return, "probe_from", probe)
    job = Job({"nsip": "10.0.0.1", "connect_timeout": 1.0, "keep_primary": keep_primary})
    found = vpx_license_return.work(job)
    assert (appliance.written, found["reason"]) == (written, reason)
    assert job.warnings == ([f"its licence was not returned: {reason}"] if reason else [])


class _Instances:
    """Stands for the set of instances: it asks right before it terminates."""

    terminated: list[str]

    def __init__(self, before_terminate: Callable[[], None], **_more: object) -> None:
        self._ask, self.terminated = before_terminate, []
        self.journal = self

    def observation(self) -> None:
        """Read nothing."""

    def converge(self, _observed: None) -> None:
        self._ask()
        self.terminated.append("i-1")


def _removal(*, failover: bool = False, addresses: tuple[str, ...] = ()) -> NodeRemoval:
    node, peer = (Node(f"10.0.0.{n}", instance(f"i-{n}"), f"i-{n}", n) for n in (1, 2))
    return NodeRemoval(node, peer, failover, addresses, "node 2 is primary")


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        (_removal(), None),
        (None, None),
        (_removal(failover=True), "is primary: a planned failover to"),
        (_removal(addresses=("203.0.113.1",)), "203.0.113.1 is still at"),
    ],
    ids=["as before", "gone", "primary now", "an address came back"],
)
def test_node_that_has_become_primary_is_not_terminated(
    monkeypatch: pytest.MonkeyPatch, now: NodeRemoval | None, refusal: str | None
) -> None:
    seen = iter([_removal(), now])
    monkeypatch.setattr(vpx_ha_remove_node.Task, "observe", lambda _task: next(seen))
    monkeypatch.setattr(vpx_ha_remove_node, "InstanceSet", _Instances)
    params = {"group": "shop", "instance_id": "i-1", "step": "terminate", "wait_timeout": 60}
    module = SimpleNamespace(params=params, check_mode=False, warn=lambda _text: None)
    task = vpx_ha_remove_node.Task(module, None)
    if refusal is None:
        assert task.run()["terminated"] == ["i-1"]
        return
    with pytest.raises(Refusal, match=refusal) as refused:
        task.run()
    assert str(refused.value).endswith("Nothing was terminated.")
