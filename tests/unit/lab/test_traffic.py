"""The arithmetic of what a client saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.traffic import Outage, Report, Request, read, write


def _report(*requests: tuple[float, float, bool]) -> Report:
    return Report(tuple(Request(start, end, ok, None if ok else "no answer in time") for start, end, ok in requests))


STEADY = _report((0.0, 0.1, True), (1.0, 1.1, True), (2.0, 2.1, True))
# A request every second, timeout 0.5 s; requests from 2 to 4 get no answer; what is sent at 5 is answered at 5.3.
BROKEN = _report(
    (0.0, 0.1, True),
    (1.0, 1.1, True),
    (2.0, 2.5, False),
    (3.0, 3.5, False),
    (4.0, 4.5, False),
    (5.0, 5.3, True),
    (6.0, 6.1, True),
)
# Sent first, answered last: what was sent at 0 holds on until 3, yet others are answered meanwhile.
OVERTAKEN = _report((0.0, 3.0, True), (1.0, 1.2, True), (2.0, 2.2, True))


@pytest.mark.parametrize(
    ("report", "outage"),
    [
        pytest.param(STEADY, Outage(0.1, 1.1, open=False), id="all answered: about one interval"),
        pytest.param(BROKEN, Outage(1.1, 5.3, open=False), id="from the last success to the next"),
        pytest.param(OVERTAKEN, Outage(0.0, 1.2, open=False), id="by completion, whatever was sent first"),
        pytest.param(_report((0.0, 0.5, False), (1.0, 1.1, True)), Outage(0.0, 1.1, open=False), id="at the beginning"),
        pytest.param(
            _report((0.0, 0.1, True), (1.0, 2.0, False), (1.5, 2.5, False)),
            Outage(0.1, 2.5, open=True),
            id="at the end",
        ),
        pytest.param(_report((0.0, 0.5, False), (1.0, 1.5, False)), Outage(0.0, 1.5, open=True), id="nothing answered"),
        pytest.param(_report(), None, id="nothing asked"),
    ],
)
def test_the_longest_outage(report: Report, outage: Outage | None) -> None:
    assert report.longest_outage() == outage


def test_failures_are_counted() -> None:
    assert len(BROKEN.failures) == 3
    assert STEADY.failures == ()


@pytest.mark.parametrize(
    ("instant", "answer"),
    [(0.0, 0.1), (0.05, 1.1), (1.0, 1.1), (1.05, 5.3), (5.1, 6.1), (7.0, None)],
)
def test_the_first_answer_after_an_instant_is_to_a_request_sent_after_it(instant: float, answer: float | None) -> None:
    assert BROKEN.first_answer_after(instant) == answer


def test_a_part_of_the_time() -> None:
    assert [request.start for request in BROKEN.between(1.0, 4.0).requests] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (BROKEN, "7 requests, 3 failed; longest time without an answer 4.200 s"),
        (
            _report((0.0, 0.1, True), (1.0, 2.0, False)),
            "2 requests, 1 failed; longest time without an answer 1.900 s, and none came after it",
        ),
        (_report(), "no request was sent"),
    ],
)
def test_the_sentence(report: Report, sentence: str) -> None:
    assert report.text() == sentence


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    write(tmp_path / "report.json", BROKEN)
    assert read(tmp_path / "report.json") == BROKEN


def test_the_summary_is_what_is_said() -> None:
    assert BROKEN.summary() == {
        "requests": 7,
        "failures": 3,
        "longest_outage": 4.2,
        "longest_outage_from": 1.1,
        "longest_outage_until": 5.3,
        "longest_outage_open": False,
    }
