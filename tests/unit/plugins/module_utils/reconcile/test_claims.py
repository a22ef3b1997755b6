"""The claim of a run on its event: renewed while it works, refused when another run has taken the event over."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import claims
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.claims import Claim, check_claim, renew_claim
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.session import (
    carry_out,
    loaded,
    patiently,
    predict,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Event, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import InstantError, OvertakenError
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import NOTHING, Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.lab.client import wait_for
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, minute, policy


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """Return a zone whose ticks 1, 2, 3 led to an event of owner ``one``."""
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


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    """Return a zone with an event of owner ``one``, now; claims last 1.5 s and are renewed each 0.2 s."""
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 1.5)
    monkeypatch.setattr(claims, "EVERY", 0.2)
    monkeypatch.setattr(claims, "TIMEOUTS", 0.1)
    store = FileStore(tmp_path, Key("shop", "a"))
    began = time.time()
    for before in (120, 60, 0):
        decided = tick_at(store, began - before, "one", claim=0.001)
    assert decided.action.value == "scale_out"
    return store


def tick_at(store: FileStore, now: float, owner: str, claim: float = 1.5) -> Any:
    def plan(record: Record) -> tuple[Record, Any]:
        return evaluate(policy(), record, {"memory": HIGH}, 3, now, owner=owner, claim_seconds=claim)

    return patiently(lambda: carry_out(store, plan, owner, 60, own_time=True)[2], 5)


def module_of(store: FileStore) -> Module:
    event = event_of(store)
    where = {"type": "file", "path": str(store.path.parent)}
    named = {"id": event.id, "takeover": event.takeovers, "store": where, "group": "shop", "zone": "a"}
    return Module(event=named)


def test_a_run_that_waits_longer_than_a_claim_keeps_it(short: FileStore) -> None:
    with claims.claimed(module_of(short)) as claim:
        assert claim is not None
        first = event_of(short).claimed_until
        long_after = first + 2 * claims.CLAIM_SECONDS
        wait_for(lambda: event_of(short).claimed_until > long_after, "it is renewed again and again", seconds=30)
        assert tick_at(short, long_after, "two").action.value == "none"
        claim.check()
    until = event_of(short).claimed_until
    assert tick_at(short, until - 0.1, "two").action.value == "none"
    assert tick_at(short, until + 0.1, "two").takeover == 1, "and after the run has ended it runs out"


def test_a_run_that_was_paused_learns_before_its_write_that_it_was_overtaken(short: FileStore) -> None:
    """While the process stands still its clock goes on, and another run takes the event over."""
    now = [0.0]
    event = event_of(short)
    claim = Claim(short, event.id, event.takeovers, "", clock=lambda: now[0])
    claim.renew()
    now[0] += claims.EVERY
    claim.confirm()
    assert tick_at(short, event_of(short).claimed_until + 1, "two").takeover == 1
    now[0] += 300.0
    with pytest.raises(OvertakenError, match="was taken over by two"):
        claim.confirm()


def test_the_thread_that_renews_tells_the_write_that_the_event_is_lost(short: FileStore) -> None:
    with claims.claimed(module_of(short)) as claim:
        assert claim is not None
        assert tick_at(short, event_of(short).claimed_until + 1, "two").takeover == 1
        wait_for(lambda: claim._overtaken, "the renewal was refused")
        with pytest.raises(OvertakenError):
            claim.confirm()


class Raw(io.BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, **_ignored: Any) -> list[bytes]:
        return [self.read()]


def test_a_guarded_call_is_not_sent_for_an_overtaken_event(short: FileStore) -> None:
    event = event_of(short)
    client = boto3.client("ec2", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    sent: list[str] = []

    def answer(request: Any, **_more: Any) -> AWSResponse:
        sent.append(parse_qs(request.body)["Action"][0])
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw(b"<x/>"))

    claim = Claim(short, event.id, event.takeovers)
    claims.guarded(client, claim, ["TerminateInstances"])
    client.meta.events.register_last("before-send", answer)
    client.terminate_instances(InstanceIds=["i-1"])
    assert tick_at(short, event.claimed_until + 400, "two").takeover == 1
    client.describe_instances()
    claim._confirmed = float("-inf")  # as after minutes
    with pytest.raises(OvertakenError):
        client.terminate_instances(InstanceIds=["i-2"])
    assert sent == ["TerminateInstances", "DescribeInstances"]
    claim._overtaken = None
    claim._confirmed = claim.clock()  # as a moment ago, before an attempt that was not answered
    with pytest.raises(OvertakenError):
        claim.confirm(again=True)
    assert claims.guarded(client, None, ["ReleaseAddress"]) is client


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


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_tick_that_is_interrupted_leaves_neither_a_state_nor_a_lease(
    error: type[BaseException], tmp_path: Path
) -> None:
    """Ctrl-C, or the end of the job, while the nodes are asked: the next tick need not wait for the lease."""
    store = FileStore(tmp_path, Key("shop", "a"))

    def interrupt(_record: Any) -> Any:
        raise error

    with pytest.raises(error):
        carry_out(store, interrupt, "one", 300)
    assert store.read() == NOTHING
    assert carry_out(store, lambda record: (record, "ticked"), "two", 60)[2] == "ticked"
    before = store.read()
    with pytest.raises(error):
        carry_out(store, interrupt, "one", 300)
    assert (store.read().document, store.read().lease) == (before.document, None)
