"""Load figures: whatever an appliance answers, a figure is a believable number or null and the error says why."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import polling
from ansible_collections.cloudadc.aws.plugins.module_utils.spec import figures as stats
from ansible_collections.cloudadc.aws.plugins.module_utils.spec import metrics
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading

GOOD = {
    "pktcpuusagepcnt": 41.5,
    "memusagepcnt": 21.105921,
    "mgmtcpuusagepcnt": 3,
    "rxmbitsrate": 100.25,
    "txmbitsrate": 50,
    "tcpcurclientconn": "1210",
    "rescpuusagepcnt": 4294967295,
    "httprequestsrate": 12.5,
    "enainbwlimitexceeded": "1",
    "enaoutbwlimitexceeded": "2",
    "enappslimitexceeded": "3",
    "enaconntracklimitexceeded": "4",
}


def test_an_ordinary_answer() -> None:
    expected = Figures(cpu=41.5, memory=21.105921, throughput=150.25, connections=1210, cpu_management=3.0)
    expected["http_requests"] = 12.5
    for reply in (GOOD, [GOOD]):
        assert stats.parse_stats({"ns": reply}) == (expected, {"ena_limited": 10}, [])
    reading = stats.reading_of("10.0.1.10", {"ns": GOOD})
    assert (reading.reachable, reading.error) == (True, None)


FIGURE_OF = {
    "pktcpuusagepcnt": "cpu",
    "memusagepcnt": "memory",
    "mgmtcpuusagepcnt": "cpu_management",
    "rxmbitsrate": "throughput",
    "txmbitsrate": "throughput",
    "tcpcurclientconn": "connections",
}


@pytest.mark.parametrize("field", list(FIGURE_OF))
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (4294967295, "{} is 4294967295, which means not available"),
        ("4294967295", "{} is 4294967295, which means not available"),
        (4294967295.0, "{} is 4294967295, which means not available"),
        (18446744073709551615, "{} is 18446744073709551615, outside 0 to"),
        (-1, "{} is -1, outside 0 to"),
        ("-0.5", "{} is '-0.5', outside 0 to"),
        (None, "{} is missing"),
        ("", "{} is '', not a number"),
        ("n/a", "{} is 'n/a', not a number"),
        ("nan", "{} is 'nan', not a number"),
        (math.nan, "{} is nan, not a number"),
        (math.inf, "{} is inf, not a number"),
        ("1_000", "{} is '1_000', not a number"),
        ("1,5", "{} is '1,5', not a number"),
        ("٤", "{} is '٤', not a number"),
        ("1e999", "{} is '1e999', not a number"),
        (10**400, "{} is 1000000000000000000000000000000000000..., not a number"),
        (True, "{} is True, not a number"),
        ([1], "{} is [1], not a number"),
        ({"value": 1}, "{} is {'value': 1}, not a number"),
    ],
)
def test_what_cannot_be_believed_is_null_and_named(field: str, value: Any, message: str) -> None:
    reading = stats.reading_of("10.0.1.10", {"ns": {**GOOD, field: value}})
    assert reading.figures[FIGURE_OF[field]] is None
    assert reading.error is not None
    assert reading.error.startswith(message.replace("{}", field, 1))
    others = {figure for name, figure in FIGURE_OF.items() if figure != FIGURE_OF[field]}
    assert all(reading.figures[figure] is not None for figure in others), "one bad field spoils no other"


@pytest.mark.parametrize("field", ["pktcpuusagepcnt", "memusagepcnt", "mgmtcpuusagepcnt"])
@pytest.mark.parametrize("value", [100.01, "101", 4294967294])
def test_a_percentage_above_a_hundred_is_none(field: str, value: Any) -> None:
    figures, _totals, problems = stats.parse_stats({"ns": {**GOOD, field: value}})
    assert figures[FIGURE_OF[field]] is None
    assert problems == [f"{field} is {value!r}, outside 0 to 100"]


@pytest.mark.parametrize(
    ("value", "number"), [("0.900000", 0.9), ("0", 0.0), (100, 100.0), (" 7 ", 7.0), ("1e1", 10.0)]
)
def test_numbers_come_as_numbers_and_as_text(value: Any, number: float) -> None:
    assert stats.parse_stats({"ns": {**GOOD, "pktcpuusagepcnt": value}})[0]["cpu"] == number


@pytest.mark.parametrize("reply", [None, [], {}, "ns", 7, [[]], [None], ["ns"]])
def test_an_answer_without_figures_is_said_to_be_one(reply: Any) -> None:
    assert stats.parse_stats({"ns": reply}) == (Figures(), {}, ["the reply to stat/ns holds no figures"])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.one_of(_JSON, st.dictionaries(st.sampled_from(sorted(FIGURE_OF)), _JSON)))
@example({"rxmbitsrate": 1e308, "txmbitsrate": 1e308})
@example({"tcpcurclientconn": "0.5"})
def test_whatever_comes_figures_are_in_range_or_null_and_every_null_is_explained(reply: Any) -> None:
    reading = stats.reading_of("10.0.1.10", {"ns": reply})
    reported = reading.as_dict()
    for name in ("cpu", "memory", "cpu_management"):
        assert reported[name] is None or 0 <= reported[name] <= 100
    for name in ("throughput", "connections"):
        assert reported[name] is None or 0 <= reported[name] < 2 * metrics.SENTINEL
    missing = [
        name for name in ("cpu", "memory", "throughput", "connections", "cpu_management") if reported[name] is None
    ]
    assert bool(missing) == bool(reading.error)
    json.dumps(reported, allow_nan=False)


@given(st.floats(0, 100), st.floats(0, 1e6), st.integers(0, 10**9))
def test_good_figures_arrive_as_they_are_in_either_form(percent: float, rate: float, connections: int) -> None:
    row = {**GOOD, "pktcpuusagepcnt": percent, "rxmbitsrate": rate, "txmbitsrate": 0, "tcpcurclientconn": connections}
    as_text = {name: repr(value) if isinstance(value, float) else str(value) for name, value in row.items()}
    for reply in (row, as_text):
        figures, _totals, problems = stats.parse_stats({"ns": reply})
        assert problems == []
        assert figures["cpu"] == percent
        assert figures["throughput"] == pytest.approx(rate, abs=1e-6)
        assert figures["connections"] == connections


def some(*values: float | None) -> Figures:
    return Figures(**dict(zip(("cpu", "memory", "throughput", "connections"), values, strict=False)))


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([], (None, None, None, None, 0, 0)),
        ([Figures()], (None, None, None, None, 1, 0)),
        ([some(10, 20, 30, 40), some(20, 40, 50.5, 60)], (15, 30, 80.5, 100, 2, 2)),
        ([some(10, None, 30, None), some(None, 40, None, None), Figures()], (10, 40, 30, None, 3, 2)),
        ([some(0, 0, 0, 0)], (0, 0, 0, 0, 1, 1)),
        ([Figures(cpu_management=5)], (None, None, None, None, 1, 0)),
    ],
)
def test_the_aggregate_is_of_those_that_report(figures: list[Figures], expected: tuple[float | None, ...]) -> None:
    readings = [Reading(str(number), True, entry) for number, entry in enumerate(figures)]
    names = ("cpu", "memory", "throughput", "connections", "nodes_total", "nodes_reporting")
    whole = stats.aggregate(readings)
    assert {name: whole[name] for name in names} == dict(zip(names, expected, strict=True))
    assert whole["figures_reporting"] == {
        name: sum(entry[name] is not None for entry in figures) for name in metrics.OF_APPLIANCES
    }


def test_all_are_polled_side_by_side_and_answers_keep_their_order() -> None:
    together = threading.Barrier(polling.MAX_WORKERS, timeout=10)

    def probe(nsip: str, report: Callable[[Reading], None]) -> None:
        together.wait()
        report(Reading(nsip, True, Figures(cpu=1)))

    nsips = [f"10.0.1.{number}" for number in range(polling.MAX_WORKERS)]
    assert [reading.nsip for reading in polling.poll(nsips, probe, 10)] == nsips
    assert polling.poll([], probe, 10) == []


def test_one_that_hangs_costs_the_deadline_and_not_the_others() -> None:
    over = threading.Event()

    def probe(nsip: str, report: Callable[[Reading], None]) -> None:
        if nsip == "hangs":
            over.wait(30)
        report(Reading(nsip, True, Figures(cpu=1)))
        if nsip == "hangs late":
            over.wait(30)

    begun = time.monotonic()
    first, second, third = polling.poll(["hangs", "answers", "hangs late"], probe, 0.4)
    took = time.monotonic() - begun
    over.set()
    assert 0.4 <= took < 5
    assert (first.reachable, first.figures, first.error) == (
        False,
        Figures(),
        "hangs: no complete answer within 0.4 s",
    )
    assert second.figures["cpu"] == 1
    assert third.figures["cpu"] == 1, "what was read before a slow logout counts"
