"""What a page shows, from records, replays and recordings: pure data."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.report.from_record import page_of_group, panel_of
from ansible_collections.cloudadc.aws.plugins.module_utils.report.from_replay import page_of_replay, panels_of
from ansible_collections.cloudadc.aws.plugins.module_utils.report.model import Point, Span, Trail, clipped, watched
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Phase, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.base import Batch, Recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import replay
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import RecordError
from tests.unit.plugins.module_utils.scaling.scenario import BASE, HIGH, minute, policy

from .scenarios import driven, failed, scenario


def spans_of(spans: tuple[Span, ...]) -> list[tuple[str, float, float]]:
    """Phase, first and last minute."""
    return [(span.phase.value, (span.start - BASE) / 60, (span.end - BASE) / 60) for span in spans]


# -- a group ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distributor", ["nlb", "dns"])
def test_the_scenario_has_its_events(distributor: str) -> None:
    record, samples = scenario(distributor)
    panel = panel_of(record, policy(distributor), {"memory": samples})
    assert [(mark.number, mark.action, mark.outcome, mark.nodes) for mark in panel.marks] == [
        (1, "scale_out", "done", (3, 4)),
        (2, "scale_in", "done", (4, 3)),
    ]
    assert [mark.at for mark in panel.marks] == [minute(6), minute(20)]
    ttl = [("ttl", 30, 31), ("deprovisioning", 31, 32)] if distributor == "dns" else [("deprovisioning", 30, 31)]
    assert spans_of(panel.spans) == [("cooldown", 6, 16), ("draining", 20, 30), *ttl]
    end = minute(32 if distributor == "dns" else 31)
    assert panel.nodes == ((minute(1), 3), (minute(6), 3), (minute(6), 4), (minute(20), 4), (end, 3))
    [series] = panel.series
    assert series.points == tuple(samples)
    assert (series.limit and (series.limit.minimum, series.limit.maximum)) == (40, 85)
    assert (panel.start, panel.end) == (minute(1), minute(33))


def test_without_a_policy_there_are_no_limits_and_only_phases_that_are_known() -> None:
    record, _samples = scenario()
    early = dataclasses.replace(record, history=tuple(dataclasses.replace(each, terms=None) for each in record.history))
    assert spans_of(panel_of(early).spans) == [("draining", 20, 32)], "release 0.1.0 kept no times"
    panel = panel_of(record)
    assert spans_of(panel.spans) == [
        ("cooldown", 6, 16),
        ("draining", 20, 30),
        ("ttl", 30, 31),
        ("deprovisioning", 31, 32),
    ]
    [series] = panel.series
    assert series.limit is None
    assert [at for at, _figure in series.points] == [minute(33)]


def test_history_is_told_by_the_policy_under_which_it_ran() -> None:
    record, samples = scenario("dns")
    changed = policy("dns", cooldown=1, drain_timeout=1, ttl=600)
    now, then = panel_of(record, changed, {"memory": samples}), panel_of(record, policy("dns"), {"memory": samples})
    assert now.spans == then.spans


def test_without_samples_a_watched_metric_is_an_empty_plot() -> None:
    panel = panel_of(failed(), policy("dns"))
    assert [(series.name, series.points) for series in panel.series] == [("memory", ())]
    assert spans_of(panel.spans)[-1] == ("cooldown", pytest.approx(3 + 1 / 3), pytest.approx(5 + 1 / 3))
    assert panel.marks[0].outcome == "failed"
    assert ("unfinished" in dict(panel.facts), "failed events in a row" in dict(panel.facts)) == (True, True)


@pytest.mark.parametrize(
    ("upto", "spans", "nodes"),
    [
        (3, [], ()),
        (6, [], ((-4, 3), (6, 3))),  # ten minutes are shown at least
        (25, [("cooldown", 6, 16), ("draining", 20, 30)], ((1, 3), (6, 3), (6, 4), (20, 4))),
        (31, [("cooldown", 6, 16), ("draining", 20, 30), ("ttl", 30, 31)], ((1, 3), (6, 3), (6, 4), (20, 4))),
    ],
)
def test_events_that_are_open(upto: int, spans: list[Any], nodes: Any) -> None:
    record, samples = scenario(upto=upto, report_last=False)
    panel = panel_of(record, policy("dns"), {"memory": samples})
    assert spans_of(panel.spans) == spans
    assert tuple(((at - BASE) / 60, count) for at, count in panel.nodes) == nodes
    if upto > 3:
        assert (panel.marks[-1].outcome, panel.marks[-1].ended) == ("open", None)


def test_how_far_to_look_back_bounds_the_drawing_and_not_the_table() -> None:
    record, samples = scenario()
    panel = panel_of(record, policy("dns"), {"memory": samples}, hours=0.2, node_count=3)
    assert panel.start == minute(21)
    assert min(at for at, _figure in panel.series[0].points) == minute(21)
    assert spans_of(panel.spans)[0] == ("draining", 21, 30)
    assert panel.nodes == ((minute(21), 4), (minute(32), 3), (minute(33), 3))
    assert len(panel.marks) == 2


def test_the_number_of_nodes_may_be_told() -> None:
    record = Record("shop", "a")
    record, _decision = evaluate(policy(), record, {"memory": 60}, 2, minute(1))
    assert panel_of(record, policy()).nodes == ()
    panel = panel_of(record, policy(), node_count=2)
    assert panel.nodes[-1] == (minute(1), 2)
    assert panel.start < minute(1)


def test_a_page_says_how_many_zones_and_as_of_when() -> None:
    record, _samples = scenario(group="shop")
    page = page_of_group("shop", [record, failed("shop")], None, {}, hours=24, counts={})
    assert (page.title, len(page.panels)) == ("Autoscale group shop", 2)
    assert page.lead == "2 zones; as of 2026-03-01T10:33:00Z, times are in UTC"


# -- a replay ---------------------------------------------------------------------------------------------------------


def replayed(keep: int = 1000) -> tuple[dict[str, Any], dict[str, Trail]]:
    from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import Options

    trails: dict[str, Trail] = {}
    recording = Recording(("memory",), iter([Batch.of_rows([(at, (figure,)) for at, figure in driven(1440)])]))
    result = replay({"calm": policy(), "eager": policy(watch_time=2)}, watched(recording, trails), Options(keep=keep))
    return json.loads(json.dumps(result)), trails


def test_a_replay_is_a_panel_for_each_policy() -> None:
    result, trails = replayed()
    page = page_of_replay(result, {"calm": policy()}, {name: trail.points() for name, trail in trails.items()})
    calm, eager = page.panels
    assert (calm.name, eager.name) == ("calm", "eager")
    events = result["results"][0]["events"]
    assert len(calm.marks) == sum(event["action"] != "deprovision" for event in events)
    assert {mark.outcome for mark in calm.marks} == {"done"}
    assert calm.nodes[-1][1] == result["results"][0]["nodes_at_end"]
    assert calm.nodes[0] == (minute(0), 2)
    assert calm.series[0].limit is not None
    assert eager.series[0].limit is None
    assert Phase.COOLDOWN in {span.phase for span in calm.spans}
    assert {span.phase for span in eager.spans} == {Phase.DRAINING}
    assert page.lead.startswith("1440 recorded samples from 2026-03-01T10:00:00Z to ")


def test_where_events_were_left_out_the_nodes_begin_with_the_first_that_is_listed() -> None:
    result, _trails = replayed(keep=2)
    panel = page_of_replay(result, {}, {}).panels[0]
    assert panel.nodes[0][0] == panel.marks[0].at > panel.start


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"samples": None}, "replay.samples must be a JSON object"),
        ({"results": {}}, "replay.results must be a list"),
        ({"results": [{}]}, "replay.results[0].name is missing"),
        ({"results": [{"name": "a", "events": 1}]}, "replay.results[0].events must be a list"),
        ({"results": [{"name": "a", "events": [{"at": 1}]}]}, "replay.results[0].events[0].at must be text"),
    ],
)
def test_what_is_no_replay_is_refused_by_its_path(change: dict[str, Any], sentence: str) -> None:
    result, _trails = replayed()
    with pytest.raises(RecordError) as caught:
        panels_of({**result, **change}, {}, {})
    assert sentence in str(caught.value)


# -- samples ----------------------------------------------------------------------------------------------------------


def thinned(points: list[Point], most: int) -> tuple[Point, ...]:
    trail = Trail(most)
    for point in points:
        trail.add(*point)
    return trail.points()


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=400), st.integers(4, 50))
def test_thinned_samples_are_few_and_keep_peaks_order_and_ends(figures: list[float | None], most: int) -> None:
    points = [(60.0 * at, figure) for at, figure in enumerate(figures)]
    kept = thinned(points, most)
    assert set(kept) <= set(points)
    assert [at for at, _figure in kept] == sorted({at for at, _figure in kept})
    assert len(kept) <= 4 * most + 2
    known = [figure for figure in figures if figure is not None]
    found = [figure for _at, figure in kept if figure is not None]
    assert (min(known), max(known)) == (min(found), max(found)) if known else not found
    if len(points) < 4 * most:
        assert list(kept) == points


def test_a_year_is_thinned_to_what_a_plot_can_show() -> None:
    points = [(60.0 * at, 50 + 10 * math.sin(at / 500)) for at in range(100_000)]
    points[77_777] = (points[77_777][0], 99.0)
    kept = thinned(points, 720)
    assert 720 <= len(kept) <= 4 * 720
    assert max(figure or 0 for _at, figure in kept) == 99.0


def test_a_long_gap_stays_a_gap() -> None:
    points: list[Point] = [(60.0 * at, None if 400 <= at < 600 else 50.0 + at % 7) for at in range(1000)]
    gap = [at for at, figure in thinned(points, 20) if figure is None]
    assert gap
    assert all(400 * 60 <= at < 600 * 60 for at in gap)


def test_spans_are_cut_where_the_next_begins_and_at_the_edges() -> None:
    spans = [
        Span(Phase.DRAINING, 30, 50),
        Span(Phase.COOLDOWN, 0, 35),
        Span(Phase.TTL, 50, 50),
        Span(Phase.TTL, 70, 80),
    ]
    assert clipped(spans, 10, 60) == (Span(Phase.COOLDOWN, 10, 30), Span(Phase.DRAINING, 30, 50))


def test_the_samples_of_the_window_and_those_kept_elsewhere_are_one_line() -> None:
    record, _decision = evaluate(policy(), Record("shop", "a"), {"memory": HIGH}, 3, minute(2))
    known = {"memory": [(minute(1), 50.0), (minute(2), HIGH)], "cpu": [(minute(1), 10.0)]}
    panel = panel_of(record, policy(), known)
    assert [(series.name, series.points) for series in panel.series] == [
        ("memory", ((minute(1), 50.0), (minute(2), HIGH))),
        ("cpu", ((minute(1), 10.0),)),
    ]
