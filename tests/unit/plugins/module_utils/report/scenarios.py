"""Records and recordings that pages are made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, HIGH, minute, policy, rows

#: Names of groups, messages or ids as an attacker could choose them.
NASTY = "<script>console.error('x')</script> & \"shop\" 'id=\"p1-event-1\"'"
ZONE, SECOND = "eu-central-1a", "eu-central-1b"

Samples = list[tuple[float, float]]


def scenario(
    distributor: str = "dns", group: str = NASTY, zone: str = ZONE, *, upto: int = 33, report_last: bool = True
) -> tuple[Record, Samples]:
    """T1 to T33, events done within the same minute; the record after it, and all samples that were given.

    ``upto``: stop after this minute; what is decided in it is reported only with ``report_last``.
    """
    rules, record, nodes = policy(distributor), Record(group, zone), 3
    samples: Samples = []
    for row in rows(distributor):
        if row.minute > upto:
            break
        at, figure = minute(row.minute), BETWEEN if row.memory is None else row.memory
        samples.append((at, figure))
        record, decision = evaluate(rules, record, {"memory": figure}, nodes, at, owner="job")
        if decision.event_id and decision.action.value != "none" and (report_last or row.minute < upto):
            record, _message = report(rules, record, Report(decision.event_id, Outcome.DONE), at, owner="job")
            nodes += {"scale_out": 1, "scale_in": 0, "deprovision": -1}[decision.action.value]
    return record, samples


def failed(group: str = NASTY, zone: str = SECOND) -> Record:
    """Return a failed scale-out, with text that must be escaped, and its back-off."""
    rules, record = policy("dns"), Record(group, zone)
    for number in (1, 2, 3):
        record, decision = evaluate(rules, record, {"memory": HIGH}, 2, minute(number), owner="job")
    assert decision.event_id
    message = Report(decision.event_id, Outcome.FAILED, NASTY, ("<i-1>",))
    return report(rules, record, message, minute(3, 20), owner="job")[0]


def write_records(folder: Path) -> Samples:
    """Both records into a store; the samples of the first."""
    record, samples = scenario()
    for each in (record, failed()):
        store = FileStore(folder, Key(each.group, each.zone))
        store.write(store.acquire("test", 60), each.to_json(), 0, release=True)
    return samples


def driven(minutes: int) -> Samples:
    """Return a load that comes and goes, one sample a minute."""
    return [(minute(number), round(55 + 40 * math.sin(number / 60), 1)) for number in range(minutes)]


def write_csv(path: Path, samples: Sequence[tuple[float, float]]) -> Path:
    path.write_text("timestamp,memory\n" + "".join(f"{at:.0f},{figure}\n" for at, figure in samples))
    return path
