"""Recordings as they come: CSV, JSON, CloudWatch."""

from __future__ import annotations

import io
import json
import random
from typing import Any, TypeAlias

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings import cloudwatch as cloudwatch_form
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings import json_stream, objects, table
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.reading import read_recording
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import SampleError

from .scenario import iso, minute

Rows: TypeAlias = "list[tuple[float, tuple[float | None, ...]]]"


def rows(text: str, **more: Any) -> tuple[tuple[str, ...], Rows]:
    found = read_recording(io.StringIO(text, newline=""), **more)
    return found.metrics, [row for batch in found.batches for row in batch.rows()]


EXPECTED: Rows = [(minute(1), (91.5, 40.0)), (minute(2), (None, 41.0)), (minute(3), (12.0, None))]


@pytest.mark.parametrize(
    "text",
    [
        f"timestamp,cpu,memory\n{iso(1)},91.5,40\n{iso(2)},,41\n{iso(3)},12,\n",
        f"timestamp,cpu,memory\r\n{iso(1)},91.5,40\r\n{iso(2)},,41\r\n{iso(3)},12,",
        f"\ufeffMemory,Time,host,CPU\n40,{iso(1)},a,91.5\n41,{iso(2)},b,\n,{iso(3)},c,12\n\n",
        f'"at","cpu","memory"\n"{iso(1)}","91.5","40"\n"{iso(2)}","null","41"\n"{iso(3)}","12"\n',
        f"date,cpu,memory\n{minute(1)},91.5,40\n{minute(2):.0f},NaN,41\n{minute(3):.3f},12,4294967295\n",
        f"time,cpu,memory\n{iso(1)[:-1]},91.5,40\n{iso(2)[:-1]},-1,41\n{iso(3)[:-1]},12,100.5\n",
        "at,cpu,memory\n2026-03-01 11:01:00+01:00,91.5,40\n2026-03-01 11:02:00+01:00,none,41\n2026-03-01T10:03Z,12,\n",
    ],
)
def test_csv_is_read_as_samples(text: str) -> None:
    assert rows(text) == (("cpu", "memory"), EXPECTED)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(
            [
                {"timestamp": iso(1), "cpu": 91.5, "memory": 40},
                {"timestamp": iso(2), "cpu": None, "memory": 41},
                {"timestamp": iso(3), "cpu": "12"},
            ],
            indent=2,
        ),
        f'{{"at":"{iso(1)}","values":{{"cpu":91.5,"memory":40}}}}\n{{"at":"{iso(2)}","values":{{"memory":41}}}}\n'
        f'{{"at":"{iso(3)}","values":{{"cpu":12}}}}\n',
        f'[{{"sampled_at":{minute(1)},"sample":{{"cpu":91.5,"memory":40,"nodes_total":2}}}},'
        f'{{"sampled_at":{minute(2)},"sample":{{"cpu":null,"memory":41}}}},{{"sampled_at":"{iso(3)}","sample":{{"cpu":12}}}}]',
    ],
)
def test_json_is_read_as_samples(text: str) -> None:
    assert rows(text) == (("cpu", "memory"), EXPECTED)


def cloudwatch(results: list[dict[str, Any]], **more: Any) -> str:
    """Return the shape of ``aws cloudwatch get-metric-data`` (GetMetricData in the CloudWatch API reference)."""
    return json.dumps(
        {**more, "MetricDataResults": results, "Messages": [{"Code": "[a]", "Value": '"Values": [1]'}]}, indent=4
    )


CPU = {
    "Id": "cpu",
    "Label": "Packet CPU",
    "Timestamps": [iso(3), iso(1)],
    "Values": [12.0, 91.5],
    "StatusCode": "Complete",
}
MEMORY = {
    "Id": "m2",
    "Label": "memory",
    "Timestamps": [iso(2), iso(1)],
    "Values": [41.0, 40.0],
    "StatusCode": "Complete",
}


@pytest.mark.parametrize(
    "text",
    [
        cloudwatch([CPU, MEMORY]),
        cloudwatch([CPU, MEMORY], NextToken="x"),
        cloudwatch([CPU]) + "\n" + cloudwatch([MEMORY]),
        cloudwatch([CPU, {"Id": "m9", "Label": "other", "Timestamps": [], "Values": []}, MEMORY]),
        cloudwatch(
            [
                {**CPU, "Timestamps": [iso(3)], "Values": [12.0]},
                MEMORY,
                {**CPU, "Timestamps": [iso(1)], "Values": [91.5]},
            ]
        ),
        cloudwatch([{**CPU, "Timestamps": [minute(1), minute(3)], "Values": [91.5, 12]}, MEMORY]),
    ],
)
def test_cloudwatch_as_it_comes(text: str) -> None:
    assert rows(text) == (("cpu", "memory"), EXPECTED)


def test_an_instant_without_a_zone_is_utc_also_after_one_that_has_a_zone() -> None:
    text = f"timestamp,cpu\n{iso(1)},1\n{iso(2)[:-1]},2\n{iso(3)[:-1]}+00:00,3\n"
    assert rows(text)[1] == [(minute(1), (1.0,)), (minute(2), (2.0,)), (minute(3), (3.0,))]


def test_names_that_a_recording_has_of_its_own() -> None:
    assert rows(f"timestamp,pct\n{iso(1)},5\n", names={"cpu": "pct"}) == (("cpu",), [(minute(1), (5.0,))])
    text = cloudwatch([{**CPU, "Id": "m1"}])
    assert rows(text, names={"cpu": "m1"})[0] == ("cpu",)
    assert rows(text, names={"cpu": "packet cpu"})[0] == ("cpu",)
    with pytest.raises(SampleError, match=r"metric_names\.disk: no such metric"):
        rows(text, names={"disk": "m1"})


@pytest.mark.parametrize("chunk", [1, 2, 7, 50])
def test_pieces_of_any_size(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    for form in (table, objects, cloudwatch_form):
        monkeypatch.setattr(form, "BATCH", 2)
    assert rows(f"timestamp,cpu,memory\n{iso(1)},91.5,40\n{iso(2)},,41\n{iso(3)},12,\n")[1] == EXPECTED
    text = json.dumps([{"timestamp": iso(at), "cpu": cpu, "memory": memory} for at, (cpu, memory) in EXPECTED_MINUTES])
    assert rows(text)[1] == EXPECTED
    if chunk >= 50:  # what it is must be in the first piece
        assert rows(cloudwatch([CPU, MEMORY]))[1] == EXPECTED


EXPECTED_MINUTES = [(1, (91.5, 40)), (2, (None, 41)), (3, (12, None))]


def test_a_quick_batch_and_a_careful_one_read_the_same() -> None:
    rng = random.Random(1)
    lines = [f"{iso(at)},{rng.uniform(0, 100):.3f},{rng.uniform(0, 100):.3f}" for at in range(500)]
    quick = rows("\n".join(["timestamp,cpu,memory", *lines]))[1]
    careful = rows("\n".join(["timestamp,cpu,memory", *lines, f"{iso(500)},1"]))[1]
    assert careful[:-1] == quick
    assert careful[-1] == (minute(500), (1.0, None))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the recording is empty"),
        (" \n", "the recording is empty"),
        ("cpu,memory\n1,2\n", "the first line must name a column timestamp, time, at"),
        (
            "timestamp,disk\n1,2\n",
            "the recording has none of cpu, memory, .*.* but timestamp, disk",
        ),
        (f"timestamp,cpu\n{iso(1)},5\n{iso(2)},much\n", "line 3: sample.cpu must be a number or null, not 'much'"),
        (f"timestamp,cpu\n{iso(1)},5\n\nsoon,6\n", "line 4: the instant must be an instant in ISO 8601"),
        ("timestamp,cpu\nsoon,6\n", "line 2: the instant must be"),
        ('{"MetricDataResults": [{"Id": "m1", "Timestamps": [], "Values": []}]}', "none of cpu, .* but m1"),
        ('{"MetricDataResults": [{"Id": "cpu", "Timestamps": [1, 2], "Values": [1]}]}', "2 Timestamps and 1 Values"),
        ('{"MetricDataResults": [{"Id": "cpu", "Timestamps": [1, 2', "an array has no end"),
        ('{"MetricDataResults": [{"Id": "cpu", "Timestamps": [1, x]}]}', "an array that cannot be read"),
        ('{"MetricDataResults": 7}', r"'\[' expected"),
        ("[1, 2]", "the recording must hold objects, not 1"),
        ("[]", "the recording must hold objects, not None"),
        ('[{"cpu": 5}]', "an object must have one of timestamp, time, .* the first has cpu"),
        (f'[{{"at": "{iso(1)}", "disk": 5}}]', "none of cpu"),
        (f'[{{"at": "{iso(1)}", "cpu": 5}}, {{"cpu": 5}}]', "object 2: KeyError: 'at'"),
        (f'[{{"at": "{iso(1)}", "cpu": 5}}, {{"at": "soon", "cpu": 5}}]', "object 2: InstantError"),
        (f'[{{"at": "{iso(1)}", "cpu": 5}}, {{"at', "the recording is no JSON"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SampleError, match=sentence):
        rows(text)
