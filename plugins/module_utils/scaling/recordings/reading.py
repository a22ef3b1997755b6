# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Recorded samples as a stream: CSV, JSON (array or lines of objects), CloudWatch get-metric-data output as it comes.

Readers take an open text stream and hold one batch of samples, or one chunk of text, at a time. CloudWatch's output is
kept as packed numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from ...spec.errors import SampleError
from ...spec.metrics import WATCHED
from .base import COVERAGE, Recording
from .cloudwatch import read_cloudwatch
from .json_stream import JsonStream
from .objects import read_objects
from .table import read_table


def read_recording(stream: TextIO, names: Mapping[str, str] | None = None, form: str = "auto") -> Recording:
    """Return the recording in this stream.

    Args:
        stream: Open text.
        names: Metric to its name in the recording (column, key, CloudWatch Id or Label).
        form: csv, json, or auto (by the first character).

    Raises:
        SampleError: Names the line that is wrong.
    """
    reader = JsonStream(stream)
    desired = {metric: ((names or {}).get(metric, metric),) for metric in WATCHED} | COVERAGE
    unknown = sorted(set(names or {}) - set(WATCHED))
    if unknown:
        raise SampleError(f"metric_names.{', '.join(unknown)}: no such metric; known are {', '.join(WATCHED)}")
    first = reader.peek()
    if first == "":
        raise SampleError("the recording is empty")
    if form == "csv" or (form == "auto" and first not in "[{"):
        return read_table(reader, desired)
    if first == "{" and '"MetricDataResults"' in reader.text:
        return read_cloudwatch(reader, desired)
    return read_objects(reader, desired)
