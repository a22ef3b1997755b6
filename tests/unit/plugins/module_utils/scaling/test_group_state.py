"""The record's JSON form: it comes back as it was, and anything doubtful is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import VERSION, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import RecordError

from .scenario import HIGH, LOW, minute, policy


def eventful() -> Record:
    """One that has something in every field."""
    rules, record = policy("dns"), Record("shop", "a")
    for number in (1, 2, 3):
        record, decision = evaluate(rules, record, {"memory": HIGH}, 3, minute(number, 0.125), owner="job 1")
    message = Report(str(decision.event_id), Outcome.FAILED, "no capacity", ("i-1", "eipalloc-2"))
    record, _ignored = report(rules, record, message, minute(3, 20))
    for number in (9, 10, 11):
        record, decision = evaluate(rules, record, {"memory": LOW}, 3, minute(number), owner="job 2")
    assert decision.action.value == "scale_in"
    return record


def test_it_survives_its_json() -> None:
    for record in (Record("shop", "a"), eventful()):
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(eventful().to_json())
    *way, last = path.split(".")
    part: Any = document
    for step in way:
        part = part[int(step)] if step.isdigit() else part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("group", None, "record.group is missing"),
        ("group", 5, "record.group must be text, not 5"),
        ("sequence", True, "record.sequence must be a whole number of at least 0, not True"),
        ("sequence", -1, "record.sequence must be a whole number"),
        ("failures", "1", "record.failures must be a whole number"),
        ("surprise", 1, "record: unknown keys surprise"),
        ("phase.name", "sleeping", "record.phase.name must be a known value, not 'sleeping'"),
        ("phase.name", "watching", "do not belong together"),
        ("phase.since", "yesterday", "record.phase.since must be an instant, not 'yesterday'"),
        ("phase.extra", 1, "record.phase: unknown keys extra"),
        ("event.stage", "none", "record.event.stage cannot be none"),
        ("event.resources", [1], "record.event.resources must be a list of texts"),
        ("event.announced", 0, "record.event.announced must be true or false"),
        ("event.count", 0, "record.event.count must be a whole number of at least 1"),
        ("grid.interval", 0, "record.grid.interval must be above 0"),
        ("grid.offset", "0", "record.grid.offset must be a number"),
        ("grid", "x", "record.grid must be a JSON object, not str"),
        ("window", {}, "record.window must be a list"),
        ("history.0.closed_at", 5, "record.history[0].closed_at must be text"),
        ("unfinished.0.event_id", None, "record.unfinished[0].event_id is missing"),
        ("version", VERSION + 1, "was written by a newer one"),
        ("version", 0, "record.version must be a whole number of at least 1"),
        ("version", None, "record.version is missing"),
    ],
)
def test_damage_is_named_by_its_place(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(RecordError) as refusal:
        Record.from_json(changed(path, value))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("raw", [None, [], "text", 7])
def test_only_an_object_is_a_record(raw: Any) -> None:
    with pytest.raises(RecordError, match="record must be a JSON object"):
        Record.from_json(raw)


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ({"name": "cooldown", "since": None, "since_slot": 0, "until": None}, "without the instant it began at"),
        ({"name": "cooldown", "since": "2026-03-01T10:00:00Z", "since_slot": 0, "until": None}, "cooldown without its"),
        ({"name": "draining", "since": "2026-03-01T10:00:00Z", "since_slot": 0, "until": None}, "do not belong"),
    ],
)
def test_parts_that_contradict_each_other(phase: dict[str, Any], sentence: str) -> None:
    document = {**Record("shop", "a").to_json(), "phase": phase}
    with pytest.raises(RecordError, match=sentence):
        Record.from_json(document)


def test_a_sample_of_an_unknown_metric_is_damage() -> None:
    document = Record("shop", "a").to_json()
    document["window"] = [{"at": "2026-03-01T10:00:00Z", "values": {"disk": 1}}]
    with pytest.raises(RecordError, match="no such metric as 'disk'"):
        Record.from_json(document)
