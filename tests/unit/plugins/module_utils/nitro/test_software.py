"""An installation on one node: in the background, in the foreground, resumed, failing; and an ISSU migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroCut,
    NitroError,
    NitroTimeout,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import migrations, software
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.software import Installation
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.builds import Build

BUILD = Build((14, 1), (80, 10))
VERSION = {"version": "NetScaler NS14.1: Build 80.10.nc, Date: x"}
OTHER = {"version": "NetScaler NS14.1: Build 79.5.nc, Date: x"}


class FakeNode:
    """Answers with what ``replies`` has for a resource, one after the other; the last one stays. Errors are raised."""

    def __init__(self, **replies: list[Any]) -> None:
        self.connection = Connection("10.0.0.1")
        self.replies = replies
        self.sent: list[tuple[str, Any]] = []

    def get(self, resource: str, **_more: Any) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._next(resource))

    def command(self, resource: str, body: Mapping[str, Any], **_more: Any) -> dict[str, Any]:
        self.sent.append((resource, dict(body)))
        return cast(dict[str, Any], self._next("answer"))

    def act(self, resource: str, action: str) -> None:
        self.sent.append((resource, action))

    def save(self) -> None:
        self.sent.append(("nsconfig", "save"))

    def _next(self, name: str) -> Any:
        left = self.replies[name]
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found


def job(status: str, number: str = "1") -> list[dict[str, Any]]:
    return [{"id": number, "name": "install", "status": status, "message": "no space", "errorcode": 257}]


def install(node: FakeNode, running: str | None = None) -> None:
    clock = iter(range(10**6))
    Installation(
        cast(NitroClient, node),
        "https://user:word@builds/b.tgz",
        BUILD,
        40.0,
        ("word",),
        lambda: float(next(clock)),
        lambda _seconds: None,
    ).run(running)


def test_an_installation_in_the_background_is_followed_to_its_end_without_a_reboot() -> None:
    busy = NitroUnreachable("busy")
    node = FakeNode(answer=[{"id": "1"}], nsjob=[job("InProgress"), busy, job("Success")], nsversion=[[VERSION]])
    install(node)
    url = "https://user:word@builds/b.tgz"
    assert node.sent == [("nsconfig", "save"), ("install", {"url": url, "y": False, "Async": True})]


def test_an_installation_of_an_interrupted_run_is_not_begun_again() -> None:
    node = FakeNode(nsjob=[job("InProgress"), job("Success")], nsversion=[[VERSION]])
    install(node, "1")
    assert node.sent == []


@pytest.mark.parametrize("second", [{}, NitroCut("cut")])
def test_a_build_that_does_not_know_async_installs_in_the_foreground(second: Any) -> None:
    node = FakeNode(answer=[NitroError("no such argument", code=1090), second], nsversion=[[OTHER], [VERSION]])
    install(node)
    assert [body.get("Async") for name, body in node.sent if name == "install"] == [True, None]


def test_a_lost_answer_is_not_a_second_installation() -> None:
    node = FakeNode(answer=[NitroCut("cut")], nsjob=[job("InProgress"), job("Success")], nsversion=[[VERSION]])
    install(node)
    assert [name for name, _body in node.sent].count("install") == 1


@pytest.mark.parametrize(
    ("replies", "kind", "reason"),
    [
        ({"answer": [{"id": "1"}], "nsjob": [job("Failed")]}, Failure, "has the status Failed: no space"),
        ({"answer": [NitroError("refused", code=257)]}, NitroError, "refused"),
        ({"answer": [{"id": "1"}], "nsjob": [job("Success")], "nsversion": [[OTHER]]}, Failure, "brought 14.1-79.5"),
        ({"answer": [{"id": "1"}], "nsjob": [job("InProgress")]}, NitroTimeout, "installation InProgress"),
        ({"answer": [{}], "nsjob": [[]], "nsversion": [[OTHER]]}, NitroTimeout, "14.1-80.10 is not on the disk yet"),
    ],
)
def test_a_failed_installation_says_why(replies: dict[str, list[Any]], kind: type[Failure], reason: str) -> None:
    with pytest.raises(kind, match=reason) as raised:
        install(FakeNode(**replies))
    assert "word" not in str(raised.value)


def test_only_percentages_that_are_told_count() -> None:
    assert software.disks_of([{"disk0perusage": 40, "disk1perusage": "91.5"}]) == {"/flash": 40.0, "/var": 91.5}
    assert software.disks_of([{"disk0perusage": "n/a"}]) == {}
    assert software.disks_of([]) == {}


def test_a_migration_in_progress_is_not_begun_anew_and_a_finished_one_is_not_rolled_back() -> None:
    done, going = "Migration is completed", "Migration is in progress and Failover is completed"
    for status, start, stop in (
        (done, True, False),
        (going, False, True),
        ("Migration is not yet started", True, False),
    ):
        node = FakeNode(nsmigration=[[{"migrationstatus": status}]])
        migrations.start(cast(NitroClient, node))
        assert node.sent == ([("nsmigration", "start")] if start else [])
        node.sent.clear()
        assert migrations.stop(cast(NitroClient, node)) is stop
        assert node.sent == ([("nsmigration", "stop")] if stop else [])


def test_the_old_primary_is_left_alone_while_it_has_connections() -> None:
    going = [{"migrationstatus": "Migration is in progress and Failover is completed", "migl4sessionsactive": "7"}]
    clock = iter(range(10**6))
    with pytest.raises(Failure, match="7 connections are left at the old primary"):
        migrations.wait_until_completed(
            cast(NitroClient, FakeNode(nsmigration=[going])), 5, clock=lambda: float(next(clock)), sleep=lambda _s: None
        )


def test_a_build_without_issu_says_so() -> None:
    node = FakeNode(nsmigration=[NitroError("invalid resource", code=1232)])
    assert software.read_migration(cast(NitroClient, node)) is None
    with pytest.raises(NitroError, match="down"):
        software.read_migration(cast(NitroClient, FakeNode(nsmigration=[NitroError("down", code=257)])))
