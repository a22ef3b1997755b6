"""A tick as MetricData."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick_metrics import metric_data
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.samples import all_figures
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import WATCHED


def data(interval: float = 60, **decision: Any) -> dict[str, dict[str, Any]]:
    whole = {"action": "none", "count": 0, "resumed": False, **decision}
    figures = {"cpu": 0.0, "memory": None, "throughput": 12.5}
    made = metric_data("shop", "a", 1772359200.5, figures, 3, whole, interval)
    assert len({each["MetricName"] for each in made}) == len(made)
    return {each["MetricName"]: each for each in made}


def test_figures_with_their_units_and_nothing_for_what_is_missing() -> None:
    made = data()
    assert {name: (each["Value"], each["Unit"]) for name, each in made.items()} == {
        "cpu": (0.0, "Percent"),
        "throughput": (12.5, "Megabits/Second"),
        "nodes": (3.0, "Count"),
        "decision": (0.0, "Count"),
    }
    for each in made.values():
        assert each["Dimensions"] == [{"Name": "group", "Value": "shop"}, {"Name": "zone", "Value": "a"}]
        assert each["Timestamp"] == datetime(2026, 3, 1, 10, 0, 0, 500_000, UTC)
        assert each["StorageResolution"] == 60


@pytest.mark.parametrize(
    ("action", "resumed", "value"),
    [("scale_out", False, 2), ("scale_in", False, -2), ("deprovision", False, 0), ("scale_out", True, 0)],
)
def test_a_decision_counts_once_and_with_its_direction(action: str, resumed: bool, value: float) -> None:
    assert data(action=action, count=2, resumed=resumed)["decision"]["Value"] == value


def test_nodes_in_the_grace_period_of_their_licence_are_published_where_licences_were_read() -> None:
    decided = {"action": "none", "count": 0, "resumed": False}
    for known, published in ((None, []), (0, [0.0]), (2, [2.0])):
        made = metric_data("shop", "a", 0.0, {}, 3, decided, 60, in_grace=known)
        assert [each["Value"] for each in made if each["MetricName"] == "licence_grace"] == published


def test_quick_ticks_are_stored_by_the_second() -> None:
    assert data(interval=20)["cpu"]["StorageResolution"] == 1


def test_whatever_a_sample_holds_it_can_be_shown() -> None:
    sample = {"cpu": "41.5", "memory": 4294967295, "throughput": "much", "connections": True, "other": object()}
    assert all_figures(sample) == {**dict.fromkeys(WATCHED), "cpu": 41.5}
    assert all_figures({}) == dict.fromkeys(WATCHED)
