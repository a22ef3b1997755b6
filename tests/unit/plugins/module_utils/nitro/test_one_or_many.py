"""One work for one appliance or for many: whose options hold, what is side by side, what a task says in the end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.one_or_many import (
    Job,
    Needs,
    jobs_of,
    joined,
    lanes_of,
    naming,
    side_by_side,
)

A, B, C = "10.0.1.10", "10.0.1.11", "10.0.1.12"
OPTIONS: dict[str, Any] = {
    "nitro_protocol": "https",
    "nitro_auth_token": "##TOKEN",
    "netmask": "24",
    "ip_address": None,
    "ipset": "clients",
}


def jobs(*entries: dict[str, Any], check: bool = False) -> list[Job]:
    return jobs_of({**OPTIONS, "nsip": None, "nodes": list(entries)}, check=check)


def of(*nsips: str) -> list[Job]:
    return jobs(*({"nsip": nsip} for nsip in nsips))


def test_one_appliance_has_the_options_as_they_are() -> None:
    params = {**OPTIONS, "nsip": A, "nodes": None}
    assert jobs_of(params, check=True) == [Job(params, check=True)]


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ({}, {}),
        ({"netmask": "16"}, {"netmask": "16"}),
        ({"netmask": None}, {}),
        ({"ip_address": "10.0.21.10"}, {"ip_address": "10.0.21.10"}),
        ({"ipset": ""}, {"ipset": ""}),
    ],
)
def test_what_an_entry_gives_goes_before_the_option(entry: dict[str, Any], holds: dict[str, Any]) -> None:
    [job] = jobs({"nsip": A, **entry})
    # A token is the session of one appliance, so no appliance among many is shown it.
    assert job.params == {**OPTIONS, "nodes": None, "nitro_auth_token": None, "nsip": A, **holds}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ip_address": None, "state": "present", "netmask": "24"}, "missing required arguments: ip_address"),
        (
            {"ip_address": A, "state": "present", "netmask": None},
            "state is present but all of the following are missing: netmask",
        ),
        ({"ip_address": A, "state": "absent", "netmask": None}, None),
        ({"ip_address": A, "state": "present", "netmask": "24"}, None),
    ],
)
def test_what_is_missing_is_said_as_ansible_says_it(params: dict[str, Any], message: str | None) -> None:
    assert Needs(("ip_address",), (("state", "present", ("netmask",)),)).unmet(params) == message


@pytest.mark.parametrize(
    ("nsips", "lanes"),
    [
        ((), []),
        ((A,), [[0]]),
        ((A, B, C), [[0], [1], [2]]),
        ((A, B, A), [[0, 2], [1]]),
        ((A, f"{A}:8443"), [[0], [1]]),
        (("2001:db8::1", "[2001:db8::1]"), [[0, 1]]),
        ((f"{A}:http", f"{A}:http"), [[0, 1]]),
    ],
)
def test_jobs_of_one_appliance_are_in_one_lane(nsips: tuple[str, ...], lanes: list[list[int]]) -> None:
    assert lanes_of(of(*nsips)) == lanes


def test_different_appliances_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def work(job: Job) -> dict[str, Any]:
        together.wait(timeout=10)  # BrokenBarrierError unless all three are here at once
        return {"changed": False, "saw": job.nsip}

    assert [outcome["saw"] for outcome in side_by_side(of(C, A, B), work)] == [C, A, B]  # type: ignore[index]


def test_one_appliance_is_worked_on_once_at_a_time_and_in_order() -> None:
    busy, observed = threading.Lock(), []

    def work(job: Job) -> dict[str, Any]:
        if job.nsip == A:
            assert busy.acquire(blocking=False), "two jobs at once on one appliance"
            observed.append(job.params["netmask"])
            busy.release()
        return {"changed": True}

    entries = [{"nsip": A, "netmask": "1"}, {"nsip": B}, {"nsip": A, "netmask": "2"}, {"nsip": A, "netmask": "3"}]
    assert side_by_side(jobs(*entries), work) == [{"changed": True}] * 4
    assert observed == ["1", "2", "3"]


def test_who_fails_does_not_keep_the_others_from_their_end() -> None:
    failed = threading.Event()

    def work(job: Job) -> dict[str, Any]:
        if job.nsip == A:
            failed.set()
            raise NitroUnreachable(f"{A}: log in as 'nsroot': Connection refused")
        assert failed.wait(timeout=10)
        return {"changed": job.nsip == B}

    outcomes = side_by_side(of(A, B, C), work)
    assert isinstance(outcomes[0], NitroUnreachable)
    assert outcomes[1:] == [{"changed": True}, {"changed": False}]


def test_nothing_asked_is_nothing_done() -> None:
    assert side_by_side([], lambda job: {}) == []
    assert joined([], []) == {"changed": False, "nodes": [], "diff": []}


def test_what_came_of_all_is_one_result() -> None:
    diff = {"before": {}, "after": {"name": "web"}}
    outcomes = [{"changed": False, "saved": False, "diff": diff}, {"changed": True, "saved": True, "diff": diff}]
    assert joined(of(B, A), outcomes) == {
        "changed": True,
        "nodes": [
            {"nsip": B, "changed": False, "saved": False, "error": None},
            {"nsip": A, "changed": True, "saved": True, "error": None},
        ],
        "diff": [
            {"before_header": B, "after_header": B, **diff},
            {"before_header": A, "after_header": A, **diff},
        ],
    }
    assert joined(of(B), outcomes[:1])["changed"] is False


def test_a_failure_names_every_appliance_that_failed_and_what_had_been_written() -> None:
    all_jobs = of(A, B, C)
    all_jobs[1].written.extend(["add nsip '10.0.21.11'", "add ipset 'clients'"])
    outcomes = [
        NitroUnreachable(f"NITRO did not become ready: {A}: log in: Connection refused (waited 2 s)"),
        NitroError("address 10.0.1.1 is of type NSIP", code=278),
        {"changed": False, "saved": False},
    ]
    assert joined(all_jobs, outcomes) == {
        "changed": True,
        "nodes": [
            {"nsip": A, "changed": False, "error": str(outcomes[0]), "written": []},
            {
                "nsip": B,
                "changed": True,
                "error": "address 10.0.1.1 is of type NSIP",
                "written": ["add nsip '10.0.21.11'", "add ipset 'clients'"],
                "nitro_errorcode": 278,
            },
            {"nsip": C, "changed": False, "saved": False, "error": None},
        ],
        "diff": [],
        "msg": (
            "2 of 3 nodes failed, the others were carried through: "
            f"NITRO did not become ready: {A}: log in: Connection refused (waited 2 s); "
            f"{B}: address 10.0.1.1 is of type NSIP"
        ),
    }


def test_one_of_one_says_what_it_would_say_alone() -> None:
    assert joined(of(A), [NitroError("no")])["msg"] == f"{A}: no"
    assert (
        joined(of(A, B), [NitroError("no"), NitroError("nor I")])["msg"] == f"2 of 2 nodes failed: {A}: no; {B}: nor I"
    )


@pytest.mark.parametrize(
    ("nsip", "sentence", "named"),
    [
        (A, f"{A}: get nsip: no answer", True),
        (A, f"there is no virtual server 'web' on {A} to carry it", True),
        (f"{A}:8443", f"not ready: {A}:8443: log in", True),
        ("10.0.1.1", f"{A}: get nsip: no answer", False),
        ("0.0.1.10", f"{A}: get nsip: no answer", False),
        ("2001:db8::1", "12001:db8::1: no answer", False),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443: no answer", True),
        (A, "feature LB is not enabled", False),
    ],
)
def test_a_sentence_names_its_appliance_once(nsip: str, sentence: str, named: bool) -> None:
    assert naming(nsip, sentence) == (sentence if named else f"{nsip}: {sentence}")
