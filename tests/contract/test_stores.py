"""The contract of every store in the registry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import WATCHED
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.stores import STORES
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import (
    ClockSkew,
    DamagedDocument,
    Document,
    Key,
    Lease,
    LeaseLost,
    LeaseRefused,
    Snapshot,
    StoreError,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.kept import (
    HOUR,
    Series,
    dump_entry,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.options import REGISTRY, store_argument_spec
from tests.contract.groups import variables
from tests.contract.stores import Clock, Maker

ONE, TWO = {"n": 1, "text": "grüße", "list": [1, 2.5, None]}, {"n": 2}


def test_nothing_is_there_at_first_and_reading_writes_nothing(store: Maker) -> None:
    assert store().read() == Snapshot()
    assert store().read() == Snapshot()


def test_a_document_comes_back_as_it_was(store: Maker) -> None:
    here = store()
    lease = here.acquire("one", 60)
    assert here.write(lease, ONE, 0) == 1
    found = store().read()
    assert (found.document, found.version, found.fence, found.written_by) == (ONE, 1, 1, "one")
    assert found.lease == lease
    assert here.write(lease, TWO, 1, release=True) == 2
    assert (store().read().document, store().read().lease) == (TWO, None)


def test_one_holds_the_lease_and_another_is_refused(store: Maker, clock: Clock) -> None:
    store().acquire("one", 60)
    with pytest.raises(LeaseRefused, match="one has the lease until 2026-03-01T10:01:00Z"):
        store().acquire("two", 60)
    clock.now += 59.9
    with pytest.raises(LeaseRefused):
        store().acquire("two", 60)
    assert store().read().fence == 1


def test_a_lease_given_back_is_free_at_once(store: Maker) -> None:
    here = store()
    here.release(here.acquire("one", 60))
    assert store().read().lease is None
    assert store().acquire("two", 60).fence == 2


def test_the_lease_of_a_killed_holder_expires(store: Maker, clock: Clock) -> None:
    store().acquire("one", 60)
    clock.now += 60
    assert store().acquire("two", 60) == Lease("two", 2, clock.now + 60)


def test_the_fence_grows_with_every_lease(store: Maker) -> None:
    fences = []
    for number in range(5):
        here = store()
        lease = here.acquire(f"owner {number}", 60)
        fences.append(lease.fence)
        here.release(lease)
    assert fences == [1, 2, 3, 4, 5]


def test_a_holder_that_slept_through_its_lease_cannot_write(store: Maker, clock: Clock) -> None:
    slow, quick = store(), store()
    late = slow.acquire("slow", 60)
    clock.now += 61
    fresh = quick.acquire("quick", 60)
    quick.write(fresh, ONE, 0)
    for version in (0, 1):
        with pytest.raises(LeaseLost, match="the lease of slow was taken over"):
            slow.write(late, TWO, version)
    assert store().read().document == ONE
    slow.release(late)  # not his to give back
    assert store().read().lease == fresh


def test_one_that_took_over_but_has_not_written_fences_too(store: Maker, clock: Clock) -> None:
    slow, quick = store(), store()
    late = slow.acquire("slow", 60)
    clock.now += 61
    quick.acquire("quick", 60)
    with pytest.raises(LeaseLost):
        slow.write(late, TWO, 0)
    assert store().read().document is None


def test_a_late_holder_without_a_successor_may_still_write(store: Maker, clock: Clock) -> None:
    here = store()
    lease = here.acquire("slow", 60)
    clock.now += 600
    assert here.write(lease, ONE, 0) == 1


def test_a_write_on_another_version_is_refused(store: Maker) -> None:
    here = store()
    lease = here.acquire("one", 60)
    here.write(lease, ONE, 0)
    for version in (0, 2):
        with pytest.raises(LeaseLost):
            here.write(lease, TWO, version)
    assert store().read().document == ONE


def test_the_same_owner_may_ask_again(store: Maker) -> None:
    first = store().acquire("one", 60)
    again = store().acquire("one", 60)
    assert again.fence == first.fence + 1
    with pytest.raises(LeaseLost):
        store().write(first, ONE, 0)


def test_a_lease_brings_along_what_is_stored(store: Maker) -> None:
    here = store()
    first = here.acquire("one", 60)
    assert first.found == Snapshot()
    here.write(first, ONE, 0, release=True)
    before = store().read()
    assert store().acquire("two", 60).found == before


def test_a_lease_undone_was_never_given(store: Maker, clock: Clock) -> None:
    here = store()
    here.undo(here.acquire("one", 60))
    assert here.read() == Snapshot()
    here.write(here.acquire("one", 60), ONE, 0, release=True)
    before = here.read()
    clock.now += 1.5
    here.undo(here.acquire("two", 60))
    assert here.read() == before
    killed = here.acquire("killed", 60)
    clock.now += 61
    held = here.read()
    here.undo(here.acquire("two", 60))
    assert here.read() == held
    assert here.write(killed, TWO, 1) == 2, "no other owner followed"


def test_undoing_leaves_another_holder_alone(store: Maker, clock: Clock) -> None:
    slow, quick = store(), store()
    late = slow.acquire("slow", 60)
    clock.now += 61
    fresh = quick.acquire("quick", 60)
    slow.undo(late)
    assert store().read().lease == fresh
    quick.undo(fresh)
    again = quick.acquire("third", 60)
    assert again.fence == fresh.fence
    quick.undo(fresh)  # sent once more, late: the fence is the same, the holder is not
    assert store().read().lease == again


def test_an_owner_that_took_the_lease_twice_leaves_none_behind(store: Maker) -> None:
    store().acquire("one", 60)
    here = store()
    here.undo(here.acquire("one", 60))
    assert here.read().lease is None


def test_groups_and_zones_do_not_meet(store: Maker) -> None:
    keys = [
        ("shop", "a"),
        ("shop", "b"),
        ("a", "shop"),
        ("shop@a", "b"),
        ("shop", "a@b"),
        ("../shop", "a"),
        ("g/r ü", "z"),
    ]
    for number, (group, zone) in enumerate(keys):
        here = store(group, zone)
        here.write(here.acquire("one", 60), {"n": number}, 0, release=True)
    assert [store(group, zone).read().document for group, zone in keys] == [{"n": n} for n in range(len(keys))]


def test_a_clock_that_is_behind_the_last_writer_is_refused_before_anything_is_written(store: Maker) -> None:
    ahead, behind = Clock(), Clock()
    ahead.now += 31
    here = store(clock=ahead)
    here.write(here.acquire("ahead", 1), ONE, 0, release=True)
    before = store().read()
    with pytest.raises(ClockSkew, match="by ahead, which is 31 s ahead of the clock of behind"):
        store(clock=behind).acquire("behind", 60)
    assert store().read() == before


def now_as_the_store() -> Clock:
    """Return a clock that agrees with the store's own time: that of this machine."""
    clock = Clock()
    clock.now = time.time()
    return clock


@pytest.mark.parametrize("ahead", [86400.0, 315360000.0])
def test_a_clock_that_was_once_ahead_locks_nothing(store: Maker, ahead: float) -> None:
    """A day, ten years: the last writer's clock was wrong, and the store's own time agrees with this one."""
    here, wrong = now_as_the_store(), now_as_the_store()
    wrong.now += ahead
    other = store(clock=wrong)
    other.write(other.acquire("wrong", 60), ONE, 0, release=True)
    right = store(clock=here)
    lease = right.acquire("right", 60)
    assert (lease.found.document, lease.expires) == (ONE, round(here.now + 60, 3))
    assert lease.agreed_time is not None
    assert right.write(lease, TWO, 1, release=True) == 2
    with pytest.raises(ClockSkew, match="s ahead of the clock of behind"):
        store(clock=Clock()).acquire("behind", 60)


def test_a_lease_of_a_clock_that_was_ahead_ends_after_its_own_length(store: Maker) -> None:
    """The holder was killed. Its lease would be in force until its clock's time, a year from now."""
    here, wrong = now_as_the_store(), now_as_the_store()
    wrong.now += 31536000
    killed = store(clock=wrong).acquire("wrong", 60)
    right = store(clock=here)
    with pytest.raises(LeaseRefused, match="wrong has the lease until"):
        right.acquire("right", 60)
    here.now += 29
    with pytest.raises(LeaseRefused):
        right.acquire("right", 60)
    here.now += 32
    assert right.acquire("right", 60).fence == killed.fence + 1


def test_the_stores_time_is_trusted_only_where_the_clock_agrees_with_it(store: Maker) -> None:
    assert store().acquire("one", 60).agreed_time is None, "the clock of these tests stands still in another month"
    lease = store(zone="b", clock=now_as_the_store()).acquire("one", 60)
    assert lease.agreed_time == pytest.approx(time.time(), abs=30)


def test_clocks_that_differ_a_little_do_no_harm(store: Maker, clock: Clock) -> None:
    """A taker whose clock is ahead takes the lease early; the holder then cannot write."""
    ahead = Clock()
    ahead.now += 20
    slow, quick = store(), store(clock=ahead)
    late = slow.acquire("slow", 15)
    fresh = quick.acquire("quick", 15)
    with pytest.raises(LeaseLost):
        slow.write(late, TWO, 0)
    quick.write(fresh, ONE, 0, release=True)
    clock.now += 1
    assert slow.acquire("slow", 15).fence == 3


@pytest.mark.parametrize("text", ["{", "[]", '"text"', "7"])
def test_what_is_damaged_is_refused_and_kept(
    store: Maker, spoil: Callable[[str], Callable[[], Any]], text: str
) -> None:
    here = store()
    here.release(here.acquire("one", 60))
    raw = spoil(text)
    before = raw()
    for attempt in (here.read, lambda: here.acquire("two", 60), lambda: here.write(Lease("one", 1, 0), ONE, 0)):
        with pytest.raises(DamagedDocument, match=r"damaged .* and was left as it is"):
            attempt()
    assert raw() == before


def test_of_many_at_once_one_gets_the_lease(store: Maker) -> None:
    here = store()
    here.release(here.acquire("unknown", 60))
    got: list[Lease] = []
    refused: list[str] = []
    gate = threading.Barrier(12)

    def ask(name: str) -> None:
        mine = store()
        gate.wait()
        try:
            got.append(mine.acquire(name, 60))
        except LeaseRefused as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(f"owner {number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 11)
    assert store().read().lease == got[0]


def test_every_store_of_the_registry_can_be_named_in_a_definition() -> None:
    """Modules and definitions take the same stores, and a definition needs to say where a store is."""
    assert list(REGISTRY) == list(STORES)
    options = store_argument_spec()["options"]
    assert options["type"]["choices"] == list(STORES)
    for name, kind in STORES.items():
        assert kind.option in options
        given = variables("nlb", store={"type": name, kind.option: "there"})
        definition, problems = read_group(given)
        assert (problems, definition["store"]["type"], definition["store"][kind.option]) == ([], name, "there")
        assert read_group(variables("nlb", store={"type": name}))[1] == [
            f"autoscale_group_store has no {kind.option}, which type {name} needs."
        ]


# -- what is kept beside the state: samples, events --------------------------------------------------------------------

AT = 1772359200.0  # an hour begins
DAY = 24 * HOUR


def test_entries_come_back_oldest_first_and_change_nothing_of_the_state(store: Maker) -> None:
    here = store()
    here.write(here.acquire("one", 60), ONE, 0, release=True)
    before = store().read()
    for minute in (2, 0, 61):
        here.keep(AT + 60 * minute, {"values": {"cpu": minute, "memory": None}}, DAY)
    assert store().kept(0) == [
        {"at": AT + 60 * minute, "values": {"cpu": minute, "memory": None}} for minute in (0, 2, 61)
    ]
    assert [entry["at"] for entry in store().kept(AT + 1)] == [AT + 120, AT + 3660]
    assert store().read() == before


def test_one_entry_of_a_slot_is_kept(store: Maker) -> None:
    """So an hour is bounded whatever the interval, and one that is sent twice is stored once."""
    here = store()
    for second in (0, 1, 1, 9.9, 10, 3599, 3600):
        here.keep(AT + second, {"n": second}, DAY)
    assert [entry["n"] for entry in store().kept(0)] == [0, 10, 3599, 3600]
    for second in (7200, 7200.5):
        here.keep(AT + second, {"n": second}, DAY, Series.EVENTS)
    assert [entry["n"] for entry in store().kept(0, Series.EVENTS)] == [7200, 7200.5]
    assert [entry["n"] for entry in store().kept(0)] == [0, 10, 3599, 3600]


def test_an_hour_of_the_largest_samples_fits_into_an_item(store: Maker) -> None:
    """DynamoDB's limit of an item is 400 KB (developer guide, "Service, account, and table quotas")."""
    largest = {"values": dict.fromkeys(WATCHED, 4294967294.123456), "nodes": 1000, "reporting": 1000.0}
    assert HOUR / Series.SAMPLES.slot_seconds * (len(dump_entry(AT + 0.123, largest)) + len("s359")) < 400_000
    store().keep(AT, largest, DAY)
    assert store().kept(0) == [{"at": AT, **largest}]


def test_entries_of_groups_and_zones_do_not_meet(store: Maker) -> None:
    keys = [
        ("shop", "a"),
        ("shop", "a+2026-03-01T10"),
        ("shop", "aa"),
        ("shop@a", "b"),
        ("shop", "a@b"),
        ("sh op", "ü"),
    ]
    for number, key in enumerate(keys):
        store(*key).keep(AT, {"n": number}, DAY)
    assert [[entry["n"] for entry in store(*key).kept(0)] for key in keys] == [[n] for n in range(len(keys))]


def test_removal_deletes_what_is_kept_too(store: Maker) -> None:
    here, other = store(), store(zone="b")
    here.write(here.acquire("one", 60), ONE, 0, release=True)
    for hour in (0, 1):
        here.keep(AT + hour * HOUR, {"n": hour}, DAY)
        here.keep(AT + hour * HOUR, {"n": hour}, DAY, Series.EVENTS)
        other.keep(AT + hour * HOUR, {"n": hour}, DAY)
    here.remove()
    assert store().kept(0, Series.EVENTS) == []
    assert (store().read(), store().kept(0), len(other.kept(0))) == (Snapshot(), [], 2)


def test_nothing_is_kept_at_first(store: Maker) -> None:
    assert store().kept(0) == []


# -- wrong stores, each of which a test refuses -----------------------------------------------------------------------


class WritesNothing(FileStore):
    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        return version + 1


class FenceStays(FileStore):
    def acquire(self, owner: str, seconds: float) -> Lease:
        return replace(super().acquire(owner, seconds), fence=1)


class KeepsEach(FileStore):
    def keep(self, at: float, entry: Document, seconds: float, series: Series = Series.SAMPLES) -> None:
        super().keep(at + len(self.kept(0)) * 10, entry, seconds, series)


class KeepsForAll(FileStore):
    def _chunk(self, name: str, series: Series) -> Path:
        return self.path.with_name(f"all+{name}.{series.value}")


class NeverRefuses(FileStore):
    def acquire(self, owner: str, seconds: float) -> Lease:
        self.remove()
        return super().acquire(owner, seconds)


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (WritesNothing, test_a_document_comes_back_as_it_was),
        (FenceStays, test_the_fence_grows_with_every_lease),
        (KeepsEach, test_one_entry_of_a_slot_is_kept),
        (KeepsForAll, test_entries_of_groups_and_zones_do_not_meet),
        (NeverRefuses, lambda store: test_one_holds_the_lease_and_another_is_refused(store, Clock())),
    ],
)
def test_a_wrong_store_is_refused(wrong: type[FileStore], check: Callable[[Maker], None], tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises((AssertionError, pytest.fail.Exception, StoreError)):
        check(lambda group="shop", zone="a", clock=clock: wrong(tmp_path / "s", Key(group, zone), clock=clock))
