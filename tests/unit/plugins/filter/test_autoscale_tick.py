"""Filters of role autoscale."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.filter.autoscale_tick import LONGEST, failure_message, tick_call


class Task:
    name = "Launch instances"


@pytest.mark.parametrize(
    ("result", "task", "line"),
    [
        ({"msg": "no capacity\n in zone a"}, Task(), "Launch instances: no capacity in zone a"),
        ({"msg": "no capacity"}, {"name": "Launch"}, "Launch: no capacity"),
        ({}, None, "a task: no message"),
        (None, None, "a task: no message"),
    ],
)
def test_a_failure_is_one_line(result: Any, task: Any, line: str) -> None:
    assert failure_message(result, task) == line


def test_a_long_message_is_cut() -> None:
    line = failure_message({"msg": "x" * 10000}, Task())
    assert len(line) == len("Launch instances: ") + LONGEST
    assert line.endswith("...")


def test_a_zone_that_the_group_does_not_have_is_a_problem() -> None:
    group = {"autoscale_group_name": "shop", "autoscale_group_zones": [{"name": "a"}]}
    assert tick_call({"autoscale_group": "shop", "autoscale_zones": ["b"]}, group)["problems"]
