"""The claim of a run on its event: renewed while it works, refused when another run has taken the event over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import claims
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.claims import Claim, check_claim, renew_claim
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.session import carry_out, loaded, predict
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Event, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import InstantError, OvertakenError
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, minute, policy


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A zone whose ticks 1, 2, 3 led to an event of owner ``one``."""
    store = FileStore(tmp_path, Key("shop", "a"))
    for at in (1, 2, 3):
        tick(store, at, "one")
    return store


def tick(store: FileStore, at: float, owner: str) -> Any:
    def plan(record: Record) -> tuple[Record, Any]:
        return evaluate(policy(), record, {"memory": HIGH}, 3, minute(at), owner=owner)

    return carry_out(store, plan, owner, 60, own_time=True)[2]


def event_of(store: FileStore) -> Event:
    event = loaded(store.read(), store).event
    assert event is not None
    return event


def test_a_renewal_is_stored_and_leaves_no_lease(store: FileStore) -> None:
    event = event_of(store)
    record = renew_claim(store, "shop", "a", event.id, 0, "one", minute(7))
    assert loaded(store.read(), store) == record
    assert (event_of(store).claimed_until, store.read().lease) == (minute(12), None)
    assert tick(store, 12, "two").action.value == "none"
    assert tick(store, 13, "two").takeover == 1


def test_an_overtaken_run_learns_it_at_its_next_renewal_and_changes_nothing(store: FileStore) -> None:
    event = event_of(store)
    tick(store, 9, "two")
    before = store.read()
    with pytest.raises(OvertakenError):
        renew_claim(store, "shop", "a", event.id, 0, "one", minute(10))
    with pytest.raises(OvertakenError):
        check_claim(store, event.id, 0)
    assert store.read() == before
    assert check_claim(store, event.id, 1, "two") == loaded(before, store)


def test_a_lease_that_others_hold_is_no_loss_of_the_claim(store: FileStore) -> None:
    event, lease = event_of(store), store.acquire("a tick", 60)
    before = store.read()
    renew_claim(store, "shop", "a", event.id, 0, "one", minute(7), timeouts=0)
    assert store.read() == before
    store.release(lease)
    tick(store, 9, "two")
    store.acquire("a tick", 60)
    with pytest.raises(OvertakenError):
        renew_claim(store, "shop", "a", event.id, 0, "one", minute(10), timeouts=0)


def test_a_store_of_another_zone_is_refused(store: FileStore) -> None:
    with pytest.raises(Refusal, match="the store holds the state of shop a, not of shop b"):
        renew_claim(store, "shop", "b", event_of(store).id, 0)


def test_a_waiting_module_renews_once_a_minute(store: FileStore) -> None:
    now = [0.0]
    claim = Claim(store, event_of(store).id, 0, "one", clock=lambda: now[0])
    versions = []
    for now[0] in (0.0, 10.0, 59.9, 60.0, 119.0, 121.0):
        claim.observation()
        versions.append(store.read().version)
    assert versions == [4, 4, 4, 5, 5, 6]
    claim.check()


class Module:
    """What a module has."""

    check_mode = False

    def __init__(self, **params: Any) -> None:
        self.params = params

    def client(self, *_args: Any) -> Any:
        raise AssertionError("a store of files needs no client")


def test_the_option_event_of_a_module(store: FileStore) -> None:
    named = {"id": event_of(store).id, "takeover": 0, "store": {"type": "file", "path": str(store.path.parent)}}
    for params in ({"event": {**named, "group": "shop", "zone": "a"}}, {"event": named, "group": "shop", "zone": "a"}):
        claim = claims.claim_of(Module(**params))
        assert claim is not None
        claim.check()
    assert claims.claim_of(Module(event=None)) is None
    with pytest.raises(Refusal, match=r"event\.group and event\.zone must name"):
        claims.claim_of(Module(event=named))


def test_a_tick_corrects_a_record_whose_time_was_ahead_unless_it_has_a_time_of_its_own(tmp_path: Path) -> None:
    store = FileStore(tmp_path, Key("shop", "a"))

    def plan_at(now: object) -> Any:
        return lambda record: evaluate(policy(), record, {"memory": HIGH}, 3, now)

    carry_out(store, plan_at("2199-01-01T00:00:00Z"), "one", 60, own_time=True)
    now = claims.time.time()
    for attempt in (carry_out, predict):
        more = ("one", 60.0) if attempt is carry_out else ()
        with pytest.raises(InstantError):
            attempt(store, plan_at(now), *more, own_time=True)  # type: ignore[operator]
    _before, predicted, _decision = predict(store, plan_at(now))
    before, after, decision = carry_out(store, plan_at(now), "one", 60)
    assert predicted.window == after.window
    assert (before.updated or 0) > now
    assert (after.updated, decision.evaluated) == (pytest.approx(now, abs=5), True)
