"""Alerts: what is worth one, in which form it is published, and that nothing waits for it or fails with it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.alerting import send
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.kept_samples import (
    keep_sample,
    read_samples,
    recorded,
    valid_hours,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick_alerts import of_failure, of_tick
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Action, Node, Phase, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.alerts import Alert, Targets, bus_entry, sns_message
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import AutoscaleError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore

AT = 1772359200.0
TOPIC = "arn:aws:sns:eu-central-1:123456789012:operations"
BOTH = Targets(TOPIC, "default")
ALERT = Alert("node_silent", "group", "shop", "node 10.0.0.10 does not answer", AT, "a", lasting=True, subject="x")


class Client:
    """An AWS client that notes what is published."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.refuse = False

    def publish(self, **message: Any) -> None:
        self.published.append(message)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.entries += Entries
        return {"Entries": [{"ErrorCode": "InternalFailure"}] if self.refuse else []}


def decision(action: Action = Action.SCALE_OUT, **more: Any) -> Decision:
    return Decision(action, 1, "memory 91.2 % > 85 %", True, "shop-a-1", Phase.SCALING_OUT, None, (), **more)


RECORD = Record("shop", "a", nodes=(Node("10.0.0.10", "i-1", 0), Node("10.0.0.11", "i-2", 1)))


def types(*args: Any, **kwargs: Any) -> list[str]:
    return [alert.type for alert in of_tick(RECORD, *args, **kwargs)]


def test_decision_is_alerted_of_once() -> None:
    [alert] = of_tick(RECORD, decision(), (), AT)
    assert (alert.type, alert.name, alert.zone, alert.lasting) == ("decision", "shop", "a", False)
    assert alert.summary == "scale_out of 1: memory 91.2 % > 85 %"
    assert types(decision(resumed=True), (), AT) == []
    assert types(decision(Action.NONE), (), AT) == []


@pytest.mark.parametrize(
    ("outcome", "expected"), [("done", ["event_done"]), ("failed", ["event_failed"]), ("running", [])]
)
def test_end_of_an_event_is_alerted_of(outcome: str, expected: list[str]) -> None:
    report = Report("shop-a-1", Outcome(outcome), "quota")
    assert types(decision(Action.NONE), (), AT, report) == expected


def test_silent_and_refusing_nodes_are_lasting_conditions_of_their_own() -> None:
    readings = [
        Reading("10.0.0.10", False, Figures(), "timed out"),
        Reading("10.0.0.11", True, Figures(), "wrong password", refused=True),
        Reading("10.0.0.12", True, Figures(cpu=1)),
    ]
    silent, refused = of_tick(RECORD, decision(Action.NONE), readings, AT)
    assert (silent.type, silent.lasting, silent.subject) == ("node_silent", True, "10.0.0.10")
    assert silent.summary == "node 10.0.0.10 (i-1) does not answer: timed out"
    assert (refused.type, refused.lasting) == ("login_refused", True)
    assert silent.identity != refused.identity != of_failure("shop", "a", "no right", AT).identity


def test_message_fits_the_limits_of_sns_and_filters_can_compare_it() -> None:
    message = sns_message(Alert("node_silent", "group", "gr\u00fc\u00df\n" + "x" * 200, "s", AT), TOPIC)
    assert len(message["Subject"]) < 100
    assert message["Subject"].isascii()
    assert "\n" not in message["Subject"]
    assert message["MessageAttributes"]["type"] == {"DataType": "String", "StringValue": "node_silent"}
    assert json.loads(message["Message"])["time"] == "2026-03-01T10:00:00Z"
    assert "MessageGroupId" not in message
    assert {"MessageGroupId", "MessageDeduplicationId"} <= sns_message(ALERT, TOPIC + ".fifo").keys()
    entry = bus_entry(ALERT)
    assert (entry["Source"], entry["DetailType"]) == ("cloudadc.aws", "node_silent")
    assert json.loads(entry["Detail"])["zone"] == "a"


def test_condition_is_published_once_an_hour_and_events_each_time(tmp_path: Path) -> None:
    store, client = FileStore(tmp_path / "s", Key("shop", "a")), Client()
    once = Alert("decision", "group", "shop", "scale out", AT, "a")
    for minutes in (0, 1, 59, 61):
        later = [Alert(**{**_fields(each), "at": AT + 60 * minutes}) for each in (ALERT, once)]
        assert send(later, BOTH, lambda _service: client, store) == ()
    published = [json.loads(each["Message"])["type"] for each in client.published]
    assert (published.count("node_silent"), published.count("decision")) == (2, 4)
    assert len(client.entries) == 6


def _fields(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__slots__}


def test_what_was_refused_is_a_warning_and_tried_again(tmp_path: Path) -> None:
    store, client = FileStore(tmp_path / "s", Key("shop", "a")), Client()
    client.refuse = True
    [warning] = send([ALERT], Targets("", "mine"), lambda _service: client, store)
    assert "alerts (node_silent) are not published" in warning
    assert "bus mine refused 1 of 1 events: InternalFailure" in warning
    client.refuse = False
    assert send([ALERT], Targets("", "mine"), lambda _service: client, store) == ()
    assert len(client.entries) == 2


def test_publishing_that_hangs_or_cannot_connect_delays_nothing() -> None:
    hung = threading.Event()
    began = time.monotonic()
    [warning] = send([ALERT], BOTH, lambda _service: hung.wait(10), timeout=0.2)
    assert "no answer within 0.2 s" in warning
    assert time.monotonic() - began < 2
    hung.set()

    def refuse(_service: str) -> Any:
        raise Failure("no credentials")

    assert any("no credentials" in text for text in send([ALERT], BOTH, refuse))


def test_nothing_is_asked_without_a_target_or_an_alert() -> None:
    def never(_service: str) -> Any:
        raise AssertionError("asked")

    assert send([ALERT], Targets(), never) == ()
    assert send([], BOTH, never) == ()


@pytest.mark.parametrize("given", ["topic", {"topic": "x"}, {"sns_topic_arn": "operations"}])
def test_wrong_targets_are_refused(given: object) -> None:
    with pytest.raises(AutoscaleError, match="alerts"):
        Targets.from_option(given)
    assert not Targets.from_option({})
    assert Targets.from_option({"event_bus": None, "sns_topic_arn": TOPIC}) == Targets(TOPIC)


# -- samples ----------------------------------------------------------------------------------------------------------


def test_kept_samples_are_a_recording_with_every_metric_in_each(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s", Key("shop", "a"))
    for minute, sample in enumerate(({"cpu": 41.5, "nodes_reporting": 2}, {"memory": "30"}, None)):
        assert keep_sample(store, AT + 60 * minute, sample, 2, 24) == ()
    samples = read_samples(store, 0)
    assert [each["values"] for each in samples] == [{"cpu": 41.5, "memory": None}, {"cpu": None, "memory": 30.0}]
    assert (samples[0]["at"], samples[0]["nodes"], samples[0]["nodes_reporting"]) == ("2026-03-01T10:00:00Z", 2, 2.0)
    assert recorded(samples).count("\n") == 1
    assert keep_sample(store, AT + 600, {"cpu": 1}, 2, 0) == ()
    assert len(read_samples(store, 0)) == 2


def test_samples_that_are_too_old_are_deleted_with_their_hour(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s", Key("shop", "a"))
    for hour in range(30):
        keep_sample(store, AT + 3600 * hour, {"cpu": hour}, 2, 24)
    assert len(list((tmp_path / "s").glob("*.samples"))) == 25
    assert read_samples(store, 0)[0]["values"] == {"cpu": 5.0}


def test_a_store_that_fails_or_hangs_is_a_warning() -> None:
    class Broken:
        def keep(self, *_args: object) -> None:
            raise Failure("no right")

    class Hung:
        def keep(self, *_args: object) -> None:
            time.sleep(5)

    [warning] = keep_sample(Broken(), AT, {"cpu": 1}, 2, 24)  # type: ignore[arg-type]
    assert warning == "the sample of this tick is not kept, its decision stands: no right"
    began = time.monotonic()
    [late] = keep_sample(Hung(), AT, {"cpu": 1}, 2, 24, timeout=0.1)  # type: ignore[arg-type]
    assert "no answer within 0.1 s" in late
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("hours", [-1, 169])
def test_hours_are_bounded(hours: float) -> None:
    with pytest.raises(AutoscaleError, match="samples_hours must be between 0"):
        valid_hours(hours)
