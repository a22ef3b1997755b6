"""What release 0.1.0 stored is read, nothing of it is lost, and the zone ends where an uninterrupted one ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.dynamodb_items import snapshot_of
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore

from .scenario import BETWEEN, minute, policy

RECORDED = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in RECORDED.glob("*.json"))


def stored(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return content


def record_of(name: str) -> Record:
    return Record.from_json(stored(name)["document"])


def distributor(record: Record) -> str:
    return "nlb" if record.zone == "eu-central-1b" else "dns"


def test_every_phase_was_recorded() -> None:
    phases = {record_of(name).phase.name.value for name in NAMES}
    assert phases == {"watching", "scaling_out", "cooldown", "draining", "ttl", "deprovisioning"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost(name: str) -> None:
    document = stored(name)["document"]
    event = document["event"]
    if event and event["takeovers"]:
        event["contested"] = True
    assert Record.from_json(document).to_json() == document


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_read_and_written_again(name: str, tmp_path: Path) -> None:
    content = stored(name)
    shutil.copy(RECORDED / f"{name}.json", tmp_path / "x.json")
    store = FileStore(tmp_path / "x.json", Key(content["group"], content["zone"]), clock=lambda: minute(60))
    lease = store.acquire("job 3", 60)
    assert (lease.found.document, lease.fence) == (content["document"], content["fence"] + 1)
    assert store.write(lease, content["document"], lease.found.version, release=True) == content["version"] + 1


def test_the_item_of_a_table_is_read() -> None:
    item = {
        "group": {"S": "shop"},
        "zone": {"S": "eu-central-1a"},
        "document": {"S": json.dumps(stored("watching")["document"])},
        "version": {"N": "7"},
        "fence": {"N": "9"},
        "written_at": {"N": "1772359200.250"},
        "written_by": {"S": "job 1"},
    }
    found = snapshot_of(item, "table t, shop eu-central-1a")
    assert (found.version, found.fence, found.lease, found.writes) == (7, 9, None, ())
    assert Record.from_json(found.document).phase.name.value == "watching"


@pytest.mark.parametrize("name", NAMES)
def test_the_zone_converges(name: str) -> None:
    """Ticks go on, and whatever is decided is reported: the zone watches again within its phases."""
    record, rules = record_of(name), policy(distributor(record_of(name)))
    unfinished, events = record.unfinished, {closed.event_id for closed in record.history}
    if record.event:
        events.add(record.event.id)
    start = int(((record.updated or 0) - minute(0)) / 60) + 1
    for at in range(start, start + 40):
        record, decision = evaluate(rules, record, {"memory": BETWEEN}, 3, minute(at), owner="new release")
        if decision.action.value != "none" and decision.event_id:
            message = Report(decision.event_id, Outcome.DONE, takeover=decision.takeover)
            record, _decision = report(rules, record, message, minute(at), owner="new release")
    assert record.phase.name.value == "watching"
    assert (record.unfinished, {closed.event_id for closed in record.history}) == (unfinished, events)
