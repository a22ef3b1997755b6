"""autoscale_evaluate and autoscale_info as Ansible calls them, on both stores."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.dynamodb import DynamoStore
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.contract.stores import CREDENTIALS, Options, client_at
from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import ANYTHING, HIGH, LOW, iso, policy_dict, rows


def call(
    options: Options, at: float, figure: Any = None, *, check: bool = False, diff: bool = False, **more: Any
) -> Any:
    params = {
        "group": "shop",
        "zone": "a",
        "policy": policy_dict(),
        "node_count": 3,
        "now": iso(at),
        "sample": None if figure is None else {"memory": figure},
        **options,
        **more,
    }
    return run_module("autoscale_evaluate", params, check=check, diff=diff)


def info(options: Options) -> dict[str, Any]:
    record: dict[str, Any] = run_module("autoscale_info", {"group": "shop", "zone": "a", **options})["record"]
    return record


def grown(options: Options) -> str:
    """Return the id of an event that T1, T2, T3 lead to."""
    for minute in (1, 2):
        call(options, minute, HIGH)
    event: str = call(options, 3, HIGH)["decision"]["event_id"]
    return event


@pytest.mark.parametrize(("distributor", "jitter"), [("nlb", [0.0]), ("dns", [25.0, -25.0, 8.0])])
def test_minute_by_minute(options: Options, distributor: str, jitter: list[float]) -> None:
    rules, nodes, events = {"policy": policy_dict(distributor)}, 3, []
    for row in rows(distributor):
        figure = ANYTHING["mixed"](row.minute) if row.memory is None else row.memory
        moved = iso(row.minute, jitter[row.minute % len(jitter)])
        result = call(options, row.minute, **rules, node_count=nodes, now=moved, sample={"memory": figure})
        decision = result["decision"]
        assert (decision["action"], result["phase"], decision["evaluated"]) == row.answer(), (row, result)
        if decision["action"] != "none":
            message = {"id": decision["event_id"], "outcome": "done"}
            done = call(options, row.minute, **rules, node_count=nodes, now=moved, event=message)
            assert done["reported"]
            events.append((decision["action"], decision["count"], decision["resumed"], decision["event_id"]))
            nodes += {"scale_out": 1, "scale_in": 0, "deprovision": -1}[decision["action"]]
    assert [event[:3] for event in events] == [
        ("scale_out", 1, False),
        ("scale_in", 1, False),
        ("deprovision", 1, False),
    ]
    scale_out, scale_in, removal = (event[3] for event in events)
    assert scale_in == removal != scale_out
    history = info(options)["history"]
    assert [(each["action"], each["outcome"]) for each in history] == [("scale_out", "done"), ("scale_in", "done")]


def test_an_event_may_be_reported_together_with_the_next_sample(options: Options) -> None:
    message = {"id": grown(options), "outcome": "done"}
    result = call(options, 4, HIGH, event=message)
    assert (result["reported"], result["phase"], result["decision"]["evaluated"]) == (True, "cooldown", False)
    assert result["phase_until"] == iso(13)


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_a_report_without_an_instant_in_a_group_with_a_time_of_its_own(options: Options, outcome: str) -> None:
    """Ticks as of another year, and a report as of now: the phases stay in the ticks' time."""
    message = {"id": grown(options), "outcome": outcome}
    result = call(options, 0, now=None, event=message)
    assert (result["phase"], result["phase_until"]) == ("cooldown", iso(13 if outcome == "done" else 5))
    assert call(options, 4, HIGH)["decision"]["evaluated"] is False
    assert call(options, 14, HIGH)["decision"]["evaluated"] is True


def test_check_mode_predicts_and_writes_nothing(options: Options) -> None:
    for minute in (1, 2):
        call(options, minute, HIGH)
    before = info(options)
    predicted = call(options, 3, HIGH, check=True, diff=True)
    assert info(options) == before
    returned = call(options, 3, HIGH, diff=True)
    assert predicted["decision"] == returned["decision"]
    assert (predicted["phase"], predicted["changed"], returned["changed"]) == ("scaling_out", True, True)
    assert (returned["diff"]["before"]["phase"], returned["diff"]["after"]["phase"]) == ("watching", "scaling_out")
    reported = call(options, 3, event={"id": returned["decision"]["event_id"], "outcome": "done"}, check=True)
    assert (reported["phase"], info(options)["phase"]) == ("cooldown", "scaling_out")


def test_check_mode_on_nothing_makes_nothing(tmp_path: Path) -> None:
    result = call({"store": {"path": str(tmp_path / "s")}}, 1, HIGH, check=True)
    assert result["decision"]["evaluated"]
    assert list(tmp_path.iterdir()) == []


def test_the_table_is_made_where_asked_for_and_not_in_check_mode(moto_url: str) -> None:
    client = client_at(moto_url)
    name = f"made-{uuid.uuid4().hex[:8]}"
    access = {"access_key": CREDENTIALS["aws_access_key_id"], "secret_key": CREDENTIALS["aws_secret_access_key"]}
    store = {"store": {"type": "dynamodb", "table": name, "create": True}}
    options = {**store, "endpoint_url": moto_url, "region": "eu-central-1", **access}
    assert call(options, 1, HIGH, check=True)["decision"]["evaluated"]
    assert info(options)["version"] == 0
    assert run_module("autoscale_info", {"group": "shop", **options})["records"] == []
    assert name not in client.list_tables()["TableNames"]
    assert call(options, 1, HIGH)["decision"]["evaluated"]
    assert info(options)["version"] == 1
    options["store"] = {"type": "dynamodb", "table": "not-there"}
    for result in (call(options, 1, HIGH), run_module("autoscale_info", {"group": "shop", **options})):
        assert "there is no DynamoDB table not-there" in result["msg"]


def test_the_same_tick_again_changes_nothing(options: Options) -> None:
    call(options, 1, HIGH)
    again = call(options, 1, HIGH)
    assert (again["changed"], again["decision"]["evaluated"], len(again["window"])) == (False, False, 1)


def test_a_refused_lease_is_no_failure(options: Options, request: pytest.FixtureRequest) -> None:
    call(options, 1, HIGH)
    key = Key("shop", "a")
    if "path" in options["store"]:
        store: Any = FileStore(options["store"]["path"], key)
    else:
        store = DynamoStore(client_at(request.getfixturevalue("moto_url")), options["store"]["table"], key)
    lease = store.acquire("another owner", 60)
    result = call(options, 2, HIGH)
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["decision"]["action"] == "none"
    assert result["decision"]["evaluated"] is False
    assert "another owner has the lease until" in result["decision"]["reason"]
    assert len(info(options)["window"]) == 1
    assert info(options)["lease"]["owner"] == "another owner"
    assert call(options, 2, HIGH, check=True)["decision"]["evaluated"]  # predicting takes no lease
    store.release(lease)
    assert call(options, 2, HIGH)["decision"]["evaluated"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"policy": policy_dict(ttl=60)}, "ttl is for the distributor dns"),
        (
            {"policy": policy_dict(metrics={"memory": {"min": 85, "max": 40}})},
            "memory: min 85 must be below max 40",
        ),
        ({"policy": policy_dict(metrics={"disk": {"min": 40, "max": 85}})}, "disk"),
        ({"policy": policy_dict(metrics={})}, "metrics is empty"),
        ({"policy": policy_dict(cooldown=-1)}, "cooldown must be more than 0 minutes, not -1"),
        ({"now": iso(-5)}, "more than one interval (60 s) back in time is refused"),
        ({"now": "soon"}, "now must be an instant in ISO 8601"),
        ({"node_count": -1}, "node_count must be a whole number of at least 0"),
        ({"sample": {"memory": "much"}}, "sample.memory must be a number or null, not 'much'"),
        ({"lease_seconds": 0}, "lease_seconds must be more than 0"),
        ({"lease_seconds": "nan"}, "lease_seconds must be more than 0 and at most a year, not nan"),
        ({"zone": ""}, "group and zone must not be empty"),
        ({"event": {"id": "adc-x", "outcome": "done"}}, "event adc-x is not one of shop a"),
        (
            {"event": {"id": "adc-x", "outcome": "fine"}},
            "event.outcome must be one of running, done, failed",
        ),
        ({"event": {"outcome": "done"}}, "event.id must be the event_id of a decision"),
        ({"event": {"id": "x", "outcome": "done", "state": 1}}, "event.state: no such key"),
        ({"event": {"id": "x", "outcome": "done", "resources": "i-1"}}, "event.resources must be a list"),
        ({"event": {}}, "event.id must be"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path: Path, more: dict[str, Any], sentence: str) -> None:
    options = {"store": {"path": str(tmp_path)}}
    call(options, 1, HIGH)
    before = info(options)
    result = call(options, 2, HIGH, **more)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "Traceback" not in result["msg"]
    assert info(options) == before


def test_what_is_refused_takes_no_lease_and_writes_nothing(options: Options) -> None:
    call(options, 5, HIGH)
    before = info(options)
    for more in ({"now": iso(1)}, {"policy": policy_dict(ttl=60)}, {"event": {"id": "adc-x", "outcome": "done"}}):
        assert call(options, 6, HIGH, **more)["failed"]
        assert info(options) == before


def test_a_record_of_a_newer_version_is_refused_and_kept(options: Options, request: pytest.FixtureRequest) -> None:
    call(options, 1, HIGH)
    if "path" in options["store"]:
        (path,) = Path(options["store"]["path"]).glob("shop@a.json")
        path.write_text(path.read_text().replace('"version": 1,\n  "group"', '"version": 2,\n  "group"'))
        raw: Any = path.read_text
    else:
        client, table = client_at(request.getfixturevalue("moto_url")), options["store"]["table"]
        key = {"group": {"S": "shop"}, "zone": {"S": "a"}}

        def raw() -> Any:
            return client.get_item(TableName=table, Key=key)["Item"]

        item = raw()
        item["document"]["S"] = item["document"]["S"].replace('"version": 1,', '"version": 2,', 1)
        client.put_item(TableName=table, Item=item)
    before = raw()
    for name, more in (("autoscale_evaluate", {"policy": policy_dict(), "node_count": 3}), ("autoscale_info", {})):
        result = run_module(name, {"group": "shop", "zone": "a", **options, **more})
        assert result["failed"]
        assert "the record has version 2, this release of cloudadc.aws reads up to 1" in result["msg"]
    assert raw() == before


def test_failures_are_seen_by_the_information_module(options: Options) -> None:
    event = grown(options)
    message = {"id": event, "outcome": "failed", "message": "InsufficientInstanceCapacity", "resources": ["i-1"]}
    result = call(options, 3, event=message)
    for observed in (result, info(options)):
        assert observed["backoff"] == {"failures": 1, "until": iso(5), "message": "InsufficientInstanceCapacity"}
        assert observed["unfinished"][0]["resources"] == ["i-1"]
    assert call(options, 4, HIGH)["decision"]["evaluated"] is False
    result = call(options, 6, event={"id": event, "outcome": "done"})
    assert result["unfinished"] == []


def test_all_zones_of_a_group(options: Options) -> None:
    assert run_module("autoscale_info", {"group": "shop", **options})["records"] == []
    for zone in ("b", "a"):
        call(options, 1, LOW, zone=zone)
    call(options, 1, LOW, group="other")
    result = run_module("autoscale_info", {"group": "shop", **options})
    assert [(each["zone"], each["phase"]) for each in result["records"]] == [("a", "watching"), ("b", "watching")]
    assert not result["changed"]
    assert run_module("autoscale_info", {"group": "shop", "zone": "c", **options})["record"]["version"] == 0


def test_without_an_instant_it_is_now(options: Options) -> None:
    result = call(options, 1, HIGH, now=None)
    assert result["window"][0]["at"] > "2026"


def test_files_need_neither_boto3_nor_credentials_nor_a_region(tmp_path: Path) -> None:
    """In a process that cannot import boto3 and has no AWS environment."""
    script = f"""
        import sys
        sys.modules["boto3"] = sys.modules["botocore"] = None
        from tests.modules import run_module
        from tests.unit.plugins.module_utils.scaling.scenario import policy_dict
        common = {{"group": "shop", "zone": "a", "store": {{"path": {str(tmp_path)!r}}}}}
        more = {{"policy": policy_dict(), "node_count": 3, "sample": {{"memory": 90}}}}
        result = run_module("autoscale_evaluate", {{**common, **more}})
        assert result["decision"]["evaluated"], result
        assert run_module("autoscale_info", common)["record"]["version"] == 1
        common["store"] = {{"type": "dynamodb", "table": "t"}}
        result = run_module("autoscale_evaluate", {{**common, **more}})
        assert "boto3" in result["msg"] and "store.type dynamodb" in result["msg"], result
    """
    bare = {key: value for key, value in os.environ.items() if not key.startswith("AWS")}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    paths = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(command, env={**bare, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
