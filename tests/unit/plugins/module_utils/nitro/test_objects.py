"""All objects of one appliance in one session: one login, one save, and what a failing entry means for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import objects
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.objects import Done, in_one_session
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.one_or_many import Job


class Client:
    """A client in memory: ``calls`` are what reached the appliance."""

    def __init__(self, wrote: Callable[[str], None], *, unsaved: bool = False, save: NitroError | None = None) -> None:
        self.wrote, self.unsaved, self.trouble = wrote, unsaved, save
        self.calls: list[str] = []

    def __enter__(self) -> Client:
        self.calls.append("login")
        return self

    def __exit__(self, *_error: object) -> None:
        self.calls.append("logout")

    def get(self, resource: str) -> list[dict[str, Any]]:
        self.calls.append(f"get {resource}")
        return [{"configchanged": self.unsaved}]

    def save(self) -> None:
        self.calls.append("save")
        if self.trouble:
            raise self.trouble


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    made: list[Client] = []

    def client_from(params: Mapping[str, Any], wrote: Callable[[str], None]) -> Client:
        made.append(Client(wrote, **params.get("facts", {})))
        return made[-1]

    monkeypatch.setattr(objects, "client_from", client_from)
    return made


def jobs(*names: str, check: bool = False, save: bool = True, **facts: Any) -> list[Job]:
    return [Job({"nsip": "a", "name": name, "save_config": save, "facts": facts}, check) for name in names]


def work(job: Job, client: Any) -> Done:
    name = job.params["name"]
    client.calls.append(name)
    if name.startswith("same"):
        return Done(False, {"object": name}, {}, {})
    client.wrote(f"add {name}")
    if name.startswith("half"):
        raise NitroError(f"{name} was refused")
    return Done(True, {"object": name}, {}, {})


def test_objects_of_one_appliance_share_a_session_and_a_save(clients: list[Client]) -> None:
    outcomes = in_one_session(jobs("web", "same", "api"), work)
    [client] = clients
    assert client.calls == ["login", "web", "same", "api", "save", "logout"]
    assert [(one["object"], one["changed"], one["saved"]) for one in outcomes if isinstance(one, dict)] == [
        ("web", True, True),
        ("same", False, True),
        ("api", True, True),
    ]


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({}, ["get nsconfig"]),
        ({"unsaved": True}, ["get nsconfig", "save"]),
        ({"unsaved": True, "save": False}, []),
        ({"unsaved": True, "check": True}, []),
    ],
)
def test_what_an_interrupted_run_left_unsaved_is_saved(
    clients: list[Client], options: dict[str, Any], calls: list[str]
) -> None:
    in_one_session(jobs("same", **options), work)
    assert clients[0].calls == ["login", "same", *calls, "logout"]


def test_writes_are_those_of_the_entry_that_made_them(clients: list[Client]) -> None:
    some = jobs("web", "half", "api")
    outcomes = in_one_session(some, work)
    assert [job.written for job in some] == [["add web"], ["add half"], ["add api"]]
    assert str(outcomes[1]) == "half was refused; it was saved with the appliance's other entries"
    assert [isinstance(outcome, NitroError) for outcome in outcomes] == [False, True, False]


def test_nothing_is_saved_for_an_entry_that_failed(clients: list[Client]) -> None:
    [outcome] = in_one_session(jobs("half"), work)
    assert str(outcome) == "half was refused"
    assert "save" not in clients[0].calls


def test_a_save_that_fails_is_the_failure_of_every_object(clients: list[Client]) -> None:
    outcomes = in_one_session(jobs("web", "half"), work)
    assert not isinstance(outcomes[0], NitroError)
    refused = NitroError("save the configuration: refused")
    some = [Job({**job.params, "facts": {"save": refused}}) for job in jobs("web", "api")]
    assert in_one_session(some, work) == [refused, refused]


@pytest.mark.parametrize(
    ("error", "tried"),
    [
        (NitroUnreachable("no answer"), 1),
        (NitroAuthError("password refused"), 1),
        (NitroCut("cut off"), 2),
        (NitroError("refused"), 2),
    ],
)
def test_an_appliance_that_cannot_be_logged_in_to_is_tried_once(
    clients: list[Client], error: NitroError, tried: int
) -> None:
    attempts = []

    def failing(job: Job, _client: Any) -> Done:
        attempts.append(job.params["name"])
        raise error

    assert in_one_session(jobs("web", "api"), failing) == [error, error]
    assert len(attempts) == tried
