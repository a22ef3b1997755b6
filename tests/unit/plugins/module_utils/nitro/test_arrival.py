"""Getting in: first passwords, older images, changes whose answer got lost, machines that are still booting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroError,
    NitroTimeout,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.arrival import (
    ASK_AFTER,
    HUNG_AFTER,
    REFUSED_PAUSE,
    FirstLogin,
    InstanceReport,
    LoginRetry,
    Passwords,
    reboot,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.bootstrap import FirstPassword
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, LOGOUT, RESET, Scripted, serving

NEW, FIRST = "N3w-secret", "i-0123"
WRONG = (401, {"errorcode": 354, "message": "Invalid username or password", "severity": "ERROR"})
FORCED = (401, {"errorcode": 1046, "message": "ForcePasswordChange is enabled.", "severity": "ERROR"})
STRAY = (599, {"errorcode": 278, "message": "Invalid argument", "severity": "ERROR"})
GONE = (401, {"errorcode": 444, "message": "Session expired or killed.", "severity": "ERROR"})
BOOTING = (503, "<html>Service Unavailable")
VERSION = (200, {**DONE, "nsversion": {"version": "NetScaler NS13.1: Build 53.24.nc, Date: x"}})


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def login_retry(
    script: Scripted,
    *,
    may_change: bool = True,
    time: Time | None = None,
    first_password: bool = True,
    in_service: bool = False,
    instance: Callable[[], InstanceReport | None] = lambda: None,
    **others: str,
) -> LoginRetry:
    time = time or Time()
    candidates = others or {"instance_id": FIRST}
    return LoginRetry(
        Connection(script.nsip, protocol="http", timeout=5),
        Passwords(NEW, tuple(candidates.items())),
        may_change=may_change,
        first_password=first_password,
        in_service=in_service,
        instance=instance,
        clock=time.clock,
        sleep=time.sleep,
    )


def passwords(script: Scripted) -> list[tuple[str, str | None]]:
    """(password, new password) of every login that was tried."""
    logins = [asked.body["login"] for asked in script.asked if asked.path.endswith("/login")]
    return [(login["password"], login.get("new_password")) for login in logins]


def inside(entry: FirstLogin | None) -> tuple[FirstPassword, str | None, bool]:
    assert entry is not None
    assert entry.client is not None
    entry.client.close()
    return entry.password, entry.version, entry.password_changed


def logged_in(script: Scripted) -> NitroClient:
    client = NitroClient(Connection(script.nsip, password=NEW, protocol="http"))
    client.login()
    return client


def test_a_managed_appliance_lets_in_at_once() -> None:
    with serving(LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).attempt()) == (FirstPassword.DONE, "13.1-53.24", False)
        assert passwords(script) == [(NEW, None)]


def test_a_forced_first_password_is_replaced_by_the_login_itself() -> None:
    with serving(WRONG, FORCED, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).attempt()) == (FirstPassword.FORCED, "13.1-53.24", True)
        assert passwords(script) == [(NEW, None), (FIRST, None), (FIRST, NEW)]


def test_a_change_that_opens_no_session_is_followed_by_a_login() -> None:
    with serving(WRONG, FORCED, (200, DONE), LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).attempt())[2] is True
        assert passwords(script)[-1] == (NEW, None)


def test_an_older_image_is_given_its_password_as_a_user() -> None:
    with serving(WRONG, LOGIN, VERSION, (200, DONE), LOGOUT, LOGIN, LOGOUT) as script:
        assert inside(login_retry(script).attempt()) == (FirstPassword.OPEN, "13.1-53.24", True)
        assert script.calls[3] == "PUT /config/systemuser"
        assert script.asked[3].body == {"systemuser": {"username": "nsroot", "password": NEW}}
        assert passwords(script)[-1] == (NEW, None)


def test_every_password_that_may_be_right_is_tried_in_turn() -> None:
    with serving(WRONG, WRONG, FORCED, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script, nitro_pass="0ld", instance_id=FIRST).attempt())[2] is True
        assert [password for password, _ignored in passwords(script)] == [NEW, "0ld", FIRST, FIRST]


@pytest.mark.parametrize(
    ("answers", "state"),
    [((WRONG, FORCED), FirstPassword.FORCED), ((WRONG, LOGIN, VERSION), FirstPassword.OPEN)],
)
def test_in_check_mode_no_password_is_changed(answers: tuple[Any, ...], state: FirstPassword) -> None:
    with serving(*answers, LOGOUT) as script:
        entry = login_retry(script, may_change=False).attempt()
        assert entry is not None
        if entry.client:
            entry.client.close()
        assert (entry.password, entry.password_changed) == (state, False)
        assert {new for _ignored, new in passwords(script)} == {None}
        assert not any(asked.method == "PUT" for asked in script.asked)


def test_a_change_whose_answer_got_lost_was_ours() -> None:
    with serving(WRONG, FORCED, RESET, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).wait(60)) == (FirstPassword.FORCED, "13.1-53.24", True)
        assert passwords(script).count((FIRST, NEW)) == 1


def test_a_concurrent_change_is_read_again() -> None:
    with serving(WRONG, FORCED, STRAY, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).wait(60))[1] == "13.1-53.24"


def test_a_new_password_that_the_appliance_refuses_ends_it() -> None:
    short = (599, {"errorcode": 1079, "message": "Password length should adhere to minimum", "severity": "ERROR"})
    with serving(WRONG, FORCED, short) as script, pytest.raises(NitroError, match="1079 Password length") as refusal:
        login_retry(script).wait(60)
    assert NEW not in str(refusal.value)


def test_an_argument_refused_twice_ends_it() -> None:
    answers = (WRONG, FORCED, STRAY)
    with serving(*answers, *answers) as script, pytest.raises(NitroError, match="278 Invalid argument"):
        login_retry(script).wait(60)
    assert passwords(script).count((FIRST, NEW)) == 2


@pytest.mark.parametrize(
    "booting",
    [
        BOOTING,
        (200, "<html>NetScaler is starting"),
        (502, {"errorcode": -1, "message": "Bad Gateway"}),
        (200, '{"errorcode": 0, "mess'),
    ],
)
def test_what_a_booting_machine_says_is_waited_for(booting: Any) -> None:
    with serving(booting, LOGIN, booting, LOGOUT, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script).wait(60))[0] is FirstPassword.DONE


def test_a_boot_that_never_ends_is_said_with_its_last_words() -> None:
    time = Time()
    with serving(*[BOOTING] * 20) as script, pytest.raises(NitroTimeout) as failure:
        login_retry(script, time=time).wait(5)
    assert str(failure.value) == (
        f"NITRO did not become ready: {script.nsip}: log in as 'nsroot': NITRO is not up (HTTP 503) (waited 5 s)"
    )
    assert time.now == 5


def test_a_refused_password_is_believed_at_once_where_there_is_no_first_one() -> None:
    with serving(WRONG, WRONG) as script, pytest.raises(NitroAuthError) as refusal:
        login_retry(script, first_password=False, nitro_pass="0ld").wait(600)
    assert str(refusal.value).endswith(
        "354 Invalid username or password (HTTP 401): none of new_password, nitro_pass was accepted"
    )
    assert len(script.asked) == 2


def test_a_refused_first_password_means_not_ready_for_longer_than_half_a_minute() -> None:
    time = Time()
    with serving(*[WRONG] * 40, WRONG, FORCED, LOGIN, VERSION, LOGOUT) as script:
        assert inside(login_retry(script, time=time).wait(600))[2] is True
    assert 20 * REFUSED_PAUSE <= time.now <= 20 * REFUSED_PAUSE + 20


def test_but_not_for_longer_than_the_timeout() -> None:
    time = Time()
    explained = InstanceReport(is_gone=False, text="EC2 says that i-0123 is running, instance status initializing")
    with serving(*[WRONG] * 400) as script, pytest.raises(NitroTimeout) as failure:
        login_retry(script, time=time, instance=lambda: explained).wait(300)
    assert "none of new_password, instance_id was accepted" in str(failure.value)
    assert "EC2 says that i-0123 is running, instance status initializing (waited 300 s)" in str(failure.value)
    assert time.now == 300


@pytest.mark.parametrize("answer", [BOOTING, WRONG])
def test_an_instance_that_is_stopped_is_not_waited_for(answer: Any) -> None:
    time, questions = Time(), []

    def instance() -> InstanceReport:
        questions.append(time.now)
        return InstanceReport(is_gone=True, text="EC2 says that i-0123 is stopped")

    with serving(*[answer] * 100) as script, pytest.raises(NitroError, match="EC2 says that i-0123 is stopped"):
        login_retry(script, time=time, instance=instance).wait(600)
    assert len(questions) == 1
    assert time.now <= ASK_AFTER + 1


@pytest.mark.parametrize(
    ("report", "in_service", "waited"),
    [
        ({"impaired": True}, True, ASK_AFTER),
        ({}, True, HUNG_AFTER),
        ({"impaired": True, "starting": True}, True, 600),
        ({"starting": True}, True, 600),
        ({"impaired": True}, False, 600),
        ({}, False, 600),
    ],
)
def test_a_node_in_service_that_ec2_calls_running_is_not_waited_for_like_one_that_boots(
    report: dict[str, bool], in_service: bool, waited: float
) -> None:
    time = Time()
    said = InstanceReport(is_gone=False, text="EC2 says that i-0123 is running", remedy="Reboot it", **report)
    with serving(*[BOOTING] * 1000) as script:
        retry = login_retry(script, time=time, in_service=in_service, first_password=False, instance=lambda: said)
        with pytest.raises(NitroError) as failure:
            retry.wait(600)
    assert waited <= time.now <= waited + 16
    if waited < 600:
        assert "EC2 says that i-0123 is running, but this node in service does not answer NITRO" in str(failure.value)
        assert str(failure.value).endswith("Reboot it")


def test_ec2_is_asked_now_and_then_and_not_for_an_appliance_that_lets_in() -> None:
    time, questions = Time(), []

    def instance() -> None:
        questions.append(time.now)

    with serving(LOGIN, VERSION, LOGOUT) as script:
        inside(login_retry(script, time=time, instance=instance).wait(60))
    assert questions == []
    with serving(*[BOOTING] * 100) as script, pytest.raises(NitroTimeout):
        login_retry(script, time=time, instance=instance).wait(60)
    assert questions == [5, 20, 35, 50]


def test_a_reboot_is_over_when_the_old_session_is_dead_and_a_new_one_opens() -> None:
    time = Time()
    down = (GONE, BOOTING, BOOTING, LOGIN, BOOTING, LOGIN, VERSION)
    with serving(LOGIN, (201, ""), VERSION, VERSION, *down, LOGOUT) as script:
        with logged_in(script) as client:
            reboot(client, 600, clock=time.clock, sleep=time.sleep)
        assert script.calls.count("POST /config/reboot") == 1
        assert script.answers == []


def test_an_appliance_that_does_not_go_down_is_an_error() -> None:
    time = Time()
    with serving(LOGIN, (201, ""), *[VERSION] * 200) as script, pytest.raises(NitroTimeout) as failure:
        reboot(logged_in(script), 600, clock=time.clock, sleep=time.sleep)
    assert str(failure.value) == (f"{script.nsip}: was rebooted but still answers in the old session (waited 60 s)")


def test_an_appliance_that_does_not_come_back_is_an_error() -> None:
    time = Time()
    with serving(LOGIN, RESET, *[BOOTING] * 200) as script, pytest.raises(NitroTimeout) as failure:
        reboot(logged_in(script), 90, clock=time.clock, sleep=time.sleep)
    assert str(failure.value).startswith("the appliance did not come back after its reboot: ")
    assert "NITRO is not up (HTTP 503)" in str(failure.value)
    assert time.now == 90
