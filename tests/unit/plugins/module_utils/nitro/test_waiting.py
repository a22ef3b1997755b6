"""A wait ends: with an answer, or with what was last seen."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroTimeout
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.waiting import wait_until


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_first_true_answer_is_returned() -> None:
    time = Time()
    answers = iter([None, "", "up"])
    assert wait_until(lambda: next(answers), 60, lambda: "x", clock=time.clock, sleep=time.sleep, interval=2) == "up"
    assert time.slept == [2, 2]


def test_it_gives_up_at_the_deadline_and_says_what_it_last_saw() -> None:
    time = Time()
    observed: list[float] = []

    def observation() -> None:
        observed.append(time.now)

    with pytest.raises(NitroTimeout, match=r"^peer is INIT \(waited 5 s\)$"):
        wait_until(observation, 5, lambda: "peer is INIT", clock=time.clock, sleep=time.sleep, interval=2)
    assert observed == [100, 102, 104, 105]


def test_no_time_at_all_is_still_one_look() -> None:
    time = Time()
    assert wait_until(lambda: True, 0, lambda: "x", clock=time.clock, sleep=time.sleep) is True
    with pytest.raises(NitroTimeout):
        wait_until(lambda: False, 0, lambda: "x", clock=time.clock, sleep=time.sleep)
    assert time.slept == []
