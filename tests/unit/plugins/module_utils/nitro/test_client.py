"""The session with an appliance over real HTTP, against a server that answers by script."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroInputError,
    NitroNotReady,
    NitroUnreachable,
    NitroUntrusted,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, LOGOUT, RESET, SILENCE, Scripted, serving

PASSWORD = "Th3-s3cret"
EXPIRED = (401, {"errorcode": 444, "message": "Session expired or killed. Please login again", "severity": "ERROR"})
WRONG = (401, {"errorcode": 354, "message": "Invalid username or password", "severity": "ERROR"})


def client(script: Scripted, **options: Any) -> NitroClient:
    settings: dict[str, Any] = {"password": PASSWORD, "protocol": "http", "timeout": 5.0, **options}
    return NitroClient(Connection(script.nsip, **settings), sleep=lambda seconds: None)


def test_one_session_for_all_calls_opened_when_needed_and_closed() -> None:
    with serving(LOGIN, (200, {**DONE, "hanode": [{"id": "0"}]}), (201, ""), LOGOUT) as script:
        with client(script) as nitro:
            assert script.asked == []
            assert nitro.get("hanode") == [{"id": "0"}]
            read_only = not nitro.changed
            nitro.add("hanode", {"id": 1, "ipaddress": "10.0.2.10"})
            assert (read_only, nitro.changed) == (True, True)
        assert script.calls == [
            "POST /config/login",
            "GET /config/hanode",
            "POST /config/hanode",
            "POST /config/logout",
        ]
        assert script.asked[0].body == {"login": {"username": "nsroot", "password": PASSWORD}}
        assert script.asked[2].body == {"hanode": {"id": 1, "ipaddress": "10.0.2.10"}}
        assert [a.headers.get("Cookie") for a in script.asked] == [None] + ["NITRO_AUTH_TOKEN=##TOKEN1"] * 3
        assert {a.headers.get("Authorization") for a in script.asked} == {None}


def test_every_write_that_was_carried_out_is_told_without_its_secrets() -> None:
    reported: list[str] = []
    taken = (409, {"errorcode": 273, "message": "Resource already exists", "severity": "ERROR"})
    absent = (404, {"errorcode": 258, "message": "No such resource", "severity": "ERROR"})
    replies = (LOGIN, (201, ""), taken, (200, DONE), absent, (200, DONE), (200, DONE), LOGOUT)
    with serving(*replies) as script, client(script, password="i-0123", wrote=reported.append) as nitro:
        nitro.login(new_password=PASSWORD)
        nitro.add("ipset", {"name": "clients"})
        with pytest.raises(NitroError, match="273"):
            nitro.add("ipset", {"name": "clients"})
        nitro.delete("nsip", "10.0.2.10")
        assert nitro.delete("nsip", "10.0.2.11") is False
        nitro.update("systemuser", {"username": "nsroot", "password": "an0ther-One"})
        assert nitro.get("nsversion") == []
    assert reported == [
        "log in as 'nsroot' and replace the password",
        "add ipset 'clients'",
        "delete nsip '10.0.2.10'",
        "set systemuser 'nsroot'",
    ]


def test_no_call_no_session() -> None:
    with serving() as script:
        with client(script):
            pass
        assert script.asked == []


def test_a_given_token_is_used_and_left_alone() -> None:
    with serving((200, {**DONE, "nsversion": {"version": "NS13.1"}})) as script:
        with client(script, password=None, token="##GIVEN") as nitro:
            assert nitro.get("nsversion") == [{"version": "NS13.1"}]
        assert script.calls == ["GET /config/nsversion"]
        assert script.asked[0].headers["Cookie"] == "NITRO_AUTH_TOKEN=##GIVEN"


def test_a_given_token_that_expired_is_an_error_without_credentials() -> None:
    with (
        serving(EXPIRED) as script,
        pytest.raises(NitroAuthError) as refusal,
        client(script, password=None, token="##GIVEN") as nitro,
    ):
        nitro.get("nsversion")
    assert "444 Session expired or killed" in str(refusal.value)
    assert "##GIVEN" not in str(refusal.value)
    assert len(script.asked) == 1


@pytest.mark.parametrize("gone", [EXPIRED, (403, EXPIRED[1]), (401, {"errorcode": 1027, "message": "Not logged in"})])
def test_an_expired_session_is_opened_once_more_and_the_call_repeated(gone: Any) -> None:
    again = (201, {**DONE, "sessionid": "##TOKEN2"})
    with serving(LOGIN, gone, again, (201, DONE), LOGOUT) as script:
        with client(script) as nitro:
            nitro.add("ipset", {"name": "a"})
        assert script.calls == [
            "POST /config/login",
            "POST /config/ipset",
            "POST /config/login",
            "POST /config/ipset",
            "POST /config/logout",
        ]
        assert script.asked[3].headers["Cookie"] == "NITRO_AUTH_TOKEN=##TOKEN2"


def test_a_second_expiry_is_an_error_and_not_a_loop() -> None:
    with serving(LOGIN, EXPIRED, LOGIN, EXPIRED, LOGOUT) as script:
        with pytest.raises(NitroAuthError), client(script) as nitro:
            nitro.get("hanode")
        assert len(script.asked) == 5


def test_a_wrong_password_is_a_sentence_without_the_password() -> None:
    with serving(WRONG) as script:
        with pytest.raises(NitroAuthError) as refusal, client(script) as nitro:
            nitro.get("hanode")
        assert str(refusal.value) == (
            f"{script.nsip}: log in as 'nsroot': the appliance answered 354 Invalid username or password (HTTP 401)"
        )
        assert (refusal.value.code, refusal.value.http_status) == (354, 401)
        assert script.calls == ["POST /config/login"]


def test_another_password_is_tried_and_kept() -> None:
    with serving(WRONG, LOGIN, EXPIRED, LOGIN, (200, DONE), LOGOUT) as script:
        with client(script, other_password="other-One") as nitro:
            assert nitro.get("hanode") == []
        tried = [asked.body["login"]["password"] for asked in script.asked if asked.path.endswith("/login")]
        assert tried == [PASSWORD, "other-One", "other-One"]


def test_when_no_password_is_right_it_ends() -> None:
    with serving(*[WRONG] * 9) as script:
        with pytest.raises(NitroAuthError) as refusal:
            client(script, other_password="other-One").get("hanode")
        assert len(script.asked) == 2
    assert "other-One" not in str(refusal.value)


def test_the_first_password_can_be_changed_on_login() -> None:
    with serving(LOGIN, (200, DONE), LOGOUT) as script:
        with client(script, password="i-0123") as nitro:
            nitro.login(new_password=PASSWORD)
            assert nitro.changed is True
            nitro.save()
        assert script.asked[0].body == {"login": {"username": "nsroot", "password": "i-0123", "new_password": PASSWORD}}


def test_a_login_that_changes_the_password_is_never_sent_twice() -> None:
    with serving(RESET, LOGIN) as script:
        with pytest.raises(NitroCut), client(script, password="i-0123") as nitro:
            nitro.login(new_password=PASSWORD)
        assert len(script.asked) == 1


def test_too_many_sessions_is_waited_for() -> None:
    full = (503, {"errorcode": 446, "message": "Connection limit to CFE exceeded", "severity": "ERROR"})
    with serving(full, LOGIN, full, (201, DONE), LOGOUT) as script, client(script) as nitro:
        nitro.add("ipset", {"name": "a"})
    assert script.calls.count("POST /config/ipset") == 2


def test_sessions_that_never_end_are_an_error() -> None:
    full = (400, {"errorcode": 445, "message": "Session limit exceeded", "severity": "ERROR"})
    with serving(*[full] * 9) as script, pytest.raises(NitroError, match="445 Session limit exceeded"):
        client(script).get("hanode")
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"errorcode": 258, "message": "No such resource [name, a]", "severity": "ERROR"}),
        (599, {"errorcode": 362, "message": "Invalid node ID specified", "severity": "ERROR"}),
        (599, {"errorcode": 461, "message": "No such Vserver", "severity": "ERROR"}),
    ],
)
def test_what_is_not_there_is_empty_to_read_and_no_error_to_delete(status: int, body: dict[str, Any]) -> None:
    with serving(LOGIN, (status, body), (status, body), (status, body), LOGOUT) as script, client(script) as nitro:
        assert nitro.get("x", "a") == []
        assert nitro.delete("x", "a") is False
        assert nitro.changed is False
        with pytest.raises(NitroError) as refusal:
            nitro.update("x", {"name": "a"})
        assert refusal.value.code == body["errorcode"]


def test_a_refusal_names_the_object_and_the_code() -> None:
    exists = (409, {"errorcode": 273, "message": "Resource already exists [name, web]", "severity": "ERROR"})
    with serving(LOGIN, exists, LOGOUT) as script, pytest.raises(NitroError) as refusal, client(script) as nitro:
        nitro.add("lbvserver", {"name": "web"})
    assert str(refusal.value) == (
        f"{script.nsip}: add lbvserver 'web': the appliance answered 273 Resource already exists [name, web] (HTTP 409)"
    )
    assert (refusal.value.resource, refusal.value.message) == ("lbvserver", "Resource already exists [name, web]")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, "<html><title>Citrix Gateway</title>"), "an HTML page titled 'Citrix Gateway' (HTTP 200)"),
        ((404, "<html>nginx"), "an HTML page (HTTP 404)"),
        ((302, "<html>Moved"), "an HTML page (HTTP 302)"),
        ((200, '{ "errorcode": 0, "hanode": [ {'), "JSON that breaks off after 31 characters (HTTP 200)"),
        ((200, ""), "an empty body (HTTP 200)"),
    ],
)
def test_what_is_not_nitro_is_named(answer: Any, expected: str) -> None:
    with serving(LOGIN, answer, LOGOUT) as script, pytest.raises(NitroGarbled) as failure, client(script) as nitro:
        nitro.get("hanode")
    assert str(failure.value) == f"{script.nsip}: get hanode: expected NITRO's JSON, got {expected}"


@pytest.mark.parametrize("content", [3, "Done", True, [None], ["a"], [{"id": "0"}, 7]])
def test_what_is_no_list_of_objects_is_not_taken_for_none(content: Any) -> None:
    """Taken for "there is none", it would be made anew."""
    with (
        serving(LOGIN, (200, {**DONE, "hanode": content}), LOGOUT) as script,
        pytest.raises(NitroGarbled, match=r"get hanode: .* neither an object nor a list of objects"),
        client(script) as nitro,
    ):
        nitro.get("hanode")


def test_a_login_without_a_session_id_is_not_a_login() -> None:
    with serving((201, DONE)) as script, pytest.raises(NitroGarbled, match="no session id"), client(script) as nitro:
        nitro.get("hanode")


def test_503_is_not_up_yet_whatever_it_says() -> None:
    for body in ("<html>Service Unavailable", DONE, ""):
        with serving((503, body)) as script, pytest.raises(NitroNotReady), client(script) as nitro:
            nitro.get("nsversion")


def test_a_read_survives_cut_connections() -> None:
    with serving(LOGIN, RESET, RESET, (200, {**DONE, "hanode": []}), LOGOUT) as script, client(script) as nitro:
        assert nitro.get("hanode") == []
    assert script.calls.count("GET /config/hanode") == 3


def test_a_read_that_is_always_cut_ends() -> None:
    with (
        serving(LOGIN, RESET, RESET, RESET, LOGOUT) as script,
        pytest.raises(NitroCut) as failure,
        client(script) as nitro,
    ):
        nitro.get("hanode")
    assert str(failure.value).startswith(f"{script.nsip}: get hanode: ")
    assert "object at 0x" not in str(failure.value)


def test_a_write_that_was_cut_is_not_sent_again() -> None:
    with serving(LOGIN, RESET, LOGOUT) as script, pytest.raises(NitroCut), client(script) as nitro:
        nitro.add("ipset", {"name": "a"})
    assert script.calls == ["POST /config/login", "POST /config/ipset", "POST /config/logout"]


@pytest.mark.parametrize("code", [293, 1461])
def test_a_save_waits_for_other_saves_and_survives_a_cut(code: int) -> None:
    busy = (599, {"errorcode": code, "message": "in progress", "severity": "ERROR"})
    with serving(LOGIN, busy, RESET, busy, (200, DONE), LOGOUT) as script, client(script) as nitro:
        nitro.save()
        assert nitro.changed is False
    assert script.calls.count("POST /config/nsconfig?action=save") == 4
    assert script.asked[1].body == {"nsconfig": {}}


def test_a_save_that_is_never_possible_ends() -> None:
    busy = (599, {"errorcode": 293, "message": "Operation already in progress", "severity": "ERROR"})
    with serving(LOGIN, *[busy] * 20) as script, pytest.raises(NitroError, match="293"), client(script) as nitro:
        nitro.save()
    assert script.calls.count("POST /config/nsconfig?action=save") == 7


@pytest.mark.parametrize("answer", [(201, ""), RESET])
def test_a_reboot_may_hang_up_and_the_session_dies_with_it(answer: Any) -> None:
    alive, dead = (200, DONE), EXPIRED
    with serving(LOGIN, answer, alive, dead, LOGIN, (200, DONE), LOGOUT) as script, client(script) as nitro:
        nitro.reboot()
        assert nitro.changed is True
        assert [nitro.session_alive(), nitro.session_alive()] == [True, False]
        nitro.forget_session()
        nitro.get("nsversion")
    assert script.calls[1] == "POST /config/reboot"
    assert script.asked[1].body == {"reboot": {"warm": True}}
    assert script.calls.count("POST /config/login") == 2


def test_a_reboot_that_never_reached_the_appliance_is_an_error() -> None:
    with serving(LOGIN, (503, "")) as script, client(script) as nitro:
        with pytest.raises(NitroNotReady):
            nitro.reboot()
        assert nitro.changed is False


def test_silence_ends_after_the_timeout() -> None:
    with serving(LOGIN, SILENCE) as script, pytest.raises(NitroCut) as failure, client(script, timeout=0.2) as nitro:
        nitro.get("hanode")
    assert str(failure.value) == f"{script.nsip}: get hanode: no answer within 0.2 s"


def test_a_refused_connection_fails_at_once() -> None:
    with socket.socket() as unknown:
        unknown.bind(("127.0.0.1", 0))
        nsip = f"127.0.0.1:{unknown.getsockname()[1]}"
        with pytest.raises(NitroUnreachable) as failure, NitroClient(Connection(nsip, password=PASSWORD)) as nitro:
            nitro.get("hanode")
    assert str(failure.value) == f"{nsip}: log in as 'nsroot': Connection refused"
    assert not isinstance(failure.value, NitroCut)


def test_secrets_are_in_no_text() -> None:
    echo = (
        400,
        {
            "errorcode": 1074,
            "message": f"Invalid value [password, {PASSWORD}x] ##TOKEN1 rpc-Secret",
            "severity": "ERROR",
        },
    )
    with serving(LOGIN, echo, LOGOUT) as script, client(script, token=None) as nitro:
        with pytest.raises(NitroError) as refusal:
            nitro.update("nsrpcnode", {"ipaddress": "10.0.1.10", "password": "rpc-Secret"})
        texts = [str(refusal.value), repr(refusal.value), refusal.value.message, repr(nitro), repr(nitro.connection)]
    for text in texts:
        for secret in (PASSWORD, "##TOKEN1", "rpc-Secret"):
            assert secret not in text
    assert "1074" in texts[0]


def test_a_token_with_a_line_break_is_refused_and_not_shown() -> None:
    with (
        serving() as script,
        pytest.raises(NitroInputError) as refusal,
        client(script, token="##A\r\nX-Evil: 1") as nitro,
    ):
        nitro.get("hanode")
    assert "X-Evil" not in str(refusal.value)


def test_neither_password_nor_token() -> None:
    with pytest.raises(NitroInputError, match="neither"), NitroClient(Connection("10.0.1.10")) as nitro:
        nitro.get("hanode")


def test_netrc_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login another password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(LOGIN, (200, DONE), LOGOUT) as script:
        with client(script) as nitro:
            nitro.get("hanode")
        assert {a.headers.get("Authorization") for a in script.asked} == {None}


def test_certificates_are_verified_unless_told_otherwise(tls: tuple[ssl.SSLContext, Path]) -> None:
    context, file = tls
    with serving(*[(200, DONE)] * 5, tls=context) as script:

        def observation(**options: Any) -> list[dict[str, Any]]:
            with client(script, protocol="https", password=None, token="##T", **options) as nitro:
                return nitro.get("hanode")

        with pytest.raises(
            NitroUntrusted, match=r"certificate is not trusted by the system's authorities: .*self.signed"
        ):
            observation()
        assert script.asked == []
        assert observation(ca_path=str(file)) == []
        assert observation(validate_certs=False) == []


def test_a_ca_path_that_is_not_there_is_named(tls: tuple[ssl.SSLContext, Path]) -> None:
    with serving(tls=tls[0]) as script, pytest.raises(NitroInputError, match=r"/no/such/ca\.pem"):
        client(script, protocol="https", token="##T", ca_path="/no/such/ca.pem").get("hanode")


def test_a_port_that_does_not_speak_tls_is_not_there_yet() -> None:
    with serving() as script, pytest.raises(NitroUnreachable, match="TLS"):
        client(script, protocol="https").get("hanode")
