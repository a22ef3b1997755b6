"""Repair in the process of ha_watch: what is told, tried again, and left to another watcher."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_evidence import Silence
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import AwsAccess
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch import repair, watcher
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.repair import Repairer, Waiting
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.settings import Settings

from . import test_watcher
from .test_watcher import Run, healthy, rows

DONE = {"moves": [{"elastic_ip": "203.0.113.1", "changed": True, "before": {}, "after": {}}], "changed": True}
SETTINGS = Settings("shop", Connection("", password="secret", timeout=0.5), AwsAccess(), repair=True)


class Client:
    """A client of EC2, as far as it is opened and closed."""

    made: list[str]

    def close(self) -> None:
        self.made.append("closed")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the clients that were made and closed."""
    found: list[str] = []

    def client(_self: AwsAccess, service: str, *, attempts: int = 2) -> Any:
        found.append(f"{service} {attempts}")
        one = Client()
        one.made = found
        return one

    monkeypatch.setattr(AwsAccess, "client", client)
    return found


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> list[Any]:
    """Let put_on_primary answer so, one after the other; the requests it gets."""
    left, requests = list(answers), []

    def put(_client: object, request: Any, _connect: object, **_more: Any) -> Any:
        requests.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(repair, "put_on_primary", put)
    return requests


def test_client_is_kept_while_all_goes_well_and_made_anew_after_a_failure(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = {"10.0.1.10": Silence(3.2, 5, standing=True)}
    requests = answering(
        monkeypatch, (DONE, None), (DONE, "one of them is not there"), Refusal("2 nodes"), (DONE, None)
    )
    repairer = Repairer(SETTINGS)
    assert repairer.run(silence) == DONE
    assert requests[0].silences == silence
    with pytest.raises(Failure, match="one of them is not there"):
        repairer.run({})
    with pytest.raises(Refusal):
        repairer.run({})
    assert repairer.run({}) == DONE
    assert made == ["ec2 1", "closed", "ec2 1", "closed", "ec2 1"], "writes are judged again before they are repeated"


def test_lease_of_another_watcher_is_waited_for(
    made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests = answering(monkeypatch, (DONE, None))
    other = FileStore(tmp_path, Key("shop", repair.ZONE))
    lease = other.acquire("another watcher", 60)
    repairer = Repairer(replace(SETTINGS, store={"type": "file", "path": str(tmp_path), "table": None}))
    with pytest.raises(Waiting, match="another watcher has the lease"):
        repairer.run({})
    assert requests == []
    other.release(lease)
    assert repairer.run({}) == DONE
    assert other.read().lease is None, "it is given back"


def test_store_that_cannot_be_used_keeps_none_from_repairing(
    made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answering(monkeypatch, (DONE, None))
    (tmp_path / "file").write_text("no folder")
    broken = {"type": "file", "path": str(tmp_path / "file" / "store"), "table": None}
    with caplog.at_level(logging.WARNING, "cloudadc.aws.ha_watch"):
        assert Repairer(replace(SETTINGS, store=broken)).run({}) == DONE
    assert "the pair is repaired without its lease" in caplog.text


def test_failed_repair_is_told_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refused, throttled = Refusal("it cannot be decided"), Failure("RequestLimitExceeded")
    answers: list[Any] = [refused, refused, Waiting("another watcher", 0.01), throttled, DONE]
    given: list[dict[str, Silence]] = []

    def run(_self: Repairer, silences: dict[str, Silence]) -> Any:
        given.append(silences)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Repairer, "run", run)
    monkeypatch.setattr(Repairer, "prepare", lambda _self: None)
    monkeypatch.setattr(watcher, "_AGAIN", (0.02, 0.05))
    monkeypatch.setattr(test_watcher, "SETTINGS", replace(test_watcher.SETTINGS, repair=True))
    fakes = healthy()
    with Run(monkeypatch, fakes) as running:
        running.until("watching")
        fakes[0].answer = lambda: rows(0, "Secondary", "Primary", "UP")
        fakes[1].answer = lambda: rows(1, "Primary", "Secondary", "UP")
        done = running.until("repaired")
    types = [event["type"] for event in running.events]
    assert [kind for kind in types if kind.startswith("repair")] == ["repair_failed", "repair_failed", "repaired"]
    reasons = [event["reason"] for event in running.events if event["type"] == "repair_failed"]
    assert reasons == ["it cannot be decided", "RequestLimitExceeded"]
    assert (done["elastic_ips"], done["repairs"], answers) == (DONE["moves"], True, [])
    assert len(given) == 5


def test_addresses_that_are_in_place_are_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another watcher of the pair was faster."""
    ran: list[int] = []

    def run(_self: Repairer, _silences: object) -> Any:
        ran.append(1)
        return {"moves": [{**DONE["moves"][0], "changed": False}], "changed": False}

    monkeypatch.setattr(Repairer, "run", run)
    monkeypatch.setattr(Repairer, "prepare", lambda _self: None)
    monkeypatch.setattr(test_watcher, "SETTINGS", replace(test_watcher.SETTINGS, repair=True))
    fakes = healthy()
    with Run(monkeypatch, fakes) as running:
        running.until("watching")
        fakes[0].answer = lambda: rows(0, "Secondary", "Primary", "UP")
        fakes[1].answer = lambda: rows(1, "Primary", "Secondary", "UP")
        running.until("primary_changed")
        test_watcher.time.sleep(0.3)
    assert ran == [1]
    assert "repaired" not in [event["type"] for event in running.events]
