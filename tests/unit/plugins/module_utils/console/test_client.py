"""The session with a console over real HTTPS, against a server that answers by script."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.console import client as console_client
from ansible_collections.cloudadc.aws.plugins.module_utils.console.client import (
    VENDOR_TOKENS,
    Access,
    ConsoleClient,
    base_url,
    token_url,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroInputError,
)
from tests.unit.plugins.module_utils.nitro.scripted import DONE, RESET, Scripted, serving

PASSWORD = "Th3-s3cret"
IN = (200, {**DONE, "login": [{"sessionid": "##S1", "token": "t"}]})
OUT = (200, DONE)
GONE = (401, {"errorcode": 444, "message": "Session expired or killed. Please login again", "severity": "ERROR"})
EMPTY = (200, {**DONE, "managed_device": []})
TLS = tuple[ssl.SSLContext, Path]


def client(script: Scripted, tls: TLS, path: str = "", **options: Any) -> ConsoleClient:
    given: dict[str, Any] = {"user": "auto", "password": PASSWORD, "timeout": 5.0, **options}
    return ConsoleClient(
        Access(f"https://{script.nsip}{path}", ca_path=str(tls[1]), **given), sleep=lambda seconds: None
    )


def paths(script: Scripted) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in script.asked]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://10.0.0.5", "https://10.0.0.5/nitro/v2"),
        (" https://adm.example.com:8443/ ", "https://adm.example.com:8443/nitro/v2"),
        ("https://adm/nitro/v1", "https://adm/nitro/v1"),
        ("https://[2001:db8::5]/nitro/v2/", "https://[2001:db8::5]/nitro/v2"),
        ("https://adm.cloud.com/massvc/acme", "https://adm.cloud.com/massvc/acme/nitro/v2"),
    ],
)
def test_the_url_of_the_api(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize(
    "url",
    ["", "10.0.0.5", "http://10.0.0.5", "https://", "https://a:b", "https://[::1", "https://a/?x=1", "https://a/#x"],
)
def test_what_is_no_url_of_a_console(url: str) -> None:
    with pytest.raises(NitroInputError, match="is not the https URL of a console"):
        base_url(url)


def test_a_url_with_credentials_is_refused_and_not_shown() -> None:
    with pytest.raises(NitroInputError) as refusal:
        base_url("https://me:hidden@10.0.0.5")
    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "given", "expected"),
    [
        ("https://adm.cloud.com/massvc/acme", None, VENDOR_TOKENS),
        ("https://adm.cloud.com/massvc/acme", "https://api-eu.cloud.com/t", "https://api-eu.cloud.com/t"),
        ("https://10.0.0.5/massvc/acme", None, "https://10.0.0.5/cctrustoauth2/root/tokens/clients"),
        ("https://evilcloud.com/", None, "https://evilcloud.com/cctrustoauth2/root/tokens/clients"),
        ("https://cloud.com.evil.net/", None, "https://cloud.com.evil.net/cctrustoauth2/root/tokens/clients"),
    ],
)
def test_where_a_secret_goes(url: str, given: str | None, expected: str) -> None:
    assert token_url(Access(url, client_id="c", client_secret=PASSWORD, token_url=given)) == expected


def test_a_token_url_in_the_clear_is_refused() -> None:
    with pytest.raises(NitroInputError):
        token_url(Access("https://a", client_id="c", token_url="http://a/tokens"))


def test_one_session_for_all_calls(tls: TLS) -> None:
    with serving(IN, EMPTY, EMPTY, OUT, tls=tls[0]) as script:
        with client(script, tls) as console:
            assert (console.get("managed_device"), console.get("managed_device")) == ([], [])
            assert console.changed is False
        assert [path.removeprefix("/nitro/v2") for path in [asked.path for asked in script.asked]] == [
            "/config/login",
            "/config/managed_device",
            "/config/managed_device",
            "/config/logout",
        ]
        assert script.asked[0].body == {"login": {"username": "auto", "password": PASSWORD}}
        assert [asked.headers.get("Cookie") for asked in script.asked] == [None] + ["NITRO_AUTH_TOKEN=##S1"] * 3


def test_no_call_no_session(tls: TLS) -> None:
    with serving(tls=tls[0]) as script:
        with client(script, tls):
            pass
        assert script.asked == []


def test_it_is_logged_out_after_an_error(tls: TLS) -> None:
    refusal = (400, {"errorcode": 1095, "message": "Required argument missing", "severity": "ERROR"})
    with serving(IN, refusal, OUT, tls=tls[0]) as script, pytest.raises(NitroError), client(script, tls) as console:
        console.act("managed_device", "add_device", {"ip_address": "10.0.1.10"})
    assert paths(script)[-1] == "POST /nitro/v2/config/logout"


def test_a_session_that_is_gone_is_opened_once_more(tls: TLS) -> None:
    again = (200, {**DONE, "login": [{"sessionid": "##S2"}]})
    with serving(IN, GONE, again, EMPTY, OUT, tls=tls[0]) as script, client(script, tls) as console:
        assert console.get("managed_device") == []
    assert script.asked[-1].headers["Cookie"] == "NITRO_AUTH_TOKEN=##S2"


def test_and_not_for_ever(tls: TLS) -> None:
    with (
        serving(IN, GONE, IN, GONE, OUT, tls=tls[0]) as script,
        pytest.raises(NitroAuthError, match="the console answered 444"),
        client(script, tls) as console,
    ):
        console.get("managed_device")
    assert len(script.asked) == 5


def test_too_many_sessions_are_waited_for_a_little(tls: TLS) -> None:
    full = (
        400,
        {"errorcode": 10020, "message": "Login failed. The user session count has exceeded the maximum limit."},
    )
    with serving(full, IN, EMPTY, OUT, tls=tls[0]) as script, client(script, tls) as console:
        assert console.get("managed_device") == []
    with (
        serving(*[full] * 9, tls=tls[0]) as script,
        pytest.raises(NitroError, match="10020"),
        client(script, tls) as console,
    ):
        console.get("managed_device")
    assert len(script.asked) == 3


def test_a_token_its_scheme_and_no_logout(tls: TLS) -> None:
    options = {"user": None, "password": None, "client_id": "cid", "client_secret": PASSWORD}
    token = (200, {"token_type": "bearer", "access_token": "##T", "expires_in": "3600"})
    with serving(token, EMPTY, tls=tls[0]) as script:
        with client(script, tls, "/massvc/acme", **options) as console:
            assert console.get("managed_device") == []
        assert paths(script) == [
            "POST /cctrustoauth2/root/tokens/clients",
            "GET /massvc/acme/nitro/v2/config/managed_device",
        ]
        assert script.asked[0].body == f"grant_type=client_credentials&client_id=cid&client_secret={PASSWORD}"
        headers = script.asked[1].headers
        assert (headers["Authorization"], headers["isCloud"]) == ("CwsAuth bearer=##T", "true")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {"error": "invalid_client"}), "the console answered invalid_client (HTTP 401)"),
        ((200, {"token_type": "bearer"}), "expected NITRO's JSON, got no access_token"),
        ((200, "<html><title>Sign in</title>"), "got an HTML page titled 'Sign in' (HTTP 200)"),
    ],
)
def test_a_token_that_is_not_given(tls: TLS, answer: Any, words: str) -> None:
    with (
        serving(*[answer] * 3, tls=tls[0]) as script,
        pytest.raises(NitroError) as refusal,
        client(script, tls, user=None, password=None, client_id="cid", client_secret=PASSWORD) as console,
    ):
        console.get("managed_device")
    assert str(refusal.value).startswith(f"{script.nsip}: get a token for client 'cid': ")
    assert words in str(refusal.value)
    assert PASSWORD not in str(refusal.value)


@pytest.mark.parametrize(
    "answer",
    [(200, "<html><title>NetScaler Console</title>"), (200, {**DONE, "managed_device": ["x"]}), (200, "")],
)
def test_what_is_not_the_consoles_json_is_no_list_of_nothing(tls: TLS, answer: Any) -> None:
    with serving(IN, answer, OUT, tls=tls[0]) as script, pytest.raises(NitroGarbled), client(script, tls) as console:
        console.get("managed_device")


@pytest.mark.parametrize("login", [{}, {"login": []}, {"login": [{"sessionid": ""}]}, {"login": [{"sessionid": 7}]}])
def test_a_login_without_a_session_id_is_none(tls: TLS, login: dict[str, Any]) -> None:
    with (
        serving((200, {**DONE, **login}), tls=tls[0]) as script,
        pytest.raises(NitroGarbled, match="no sessionid"),
        client(script, tls) as console,
    ):
        console.get("managed_device")


def test_a_list_in_pages_is_read_to_its_end(tls: TLS) -> None:
    def page(*names: str) -> Any:
        return 200, {**DONE, "resrc_total_count": "5", "managed_device": [{"id": name} for name in names]}

    with serving(IN, page("a", "b"), page("c", "d"), page("e"), OUT, tls=tls[0]) as script:
        with client(script, tls) as console:
            assert [row["id"] for row in console.get("managed_device")] == list("abcde")
        assert [asked.path.rpartition("/")[2] for asked in script.asked[1:4]] == [
            "managed_device",
            "managed_device?pageno=2&pagesize=2",
            "managed_device?pageno=3&pagesize=2",
        ]


def test_a_count_that_is_wrong_ends_with_the_rows(tls: TLS) -> None:
    first = (200, {**DONE, "resrc_total_count": "9", "managed_device": [{"id": "a"}]})
    with serving(IN, first, EMPTY, OUT, tls=tls[0]) as script, client(script, tls) as console:
        assert console.get("managed_device") == [{"id": "a"}]
    assert len(script.asked) == 4


def test_a_cut_registration_is_not_sent_again_a_cut_deletion_is(tls: TLS) -> None:
    with serving(IN, RESET, OUT, tls=tls[0]) as script, pytest.raises(NitroCut), client(script, tls) as console:
        console.act("managed_device", "add_device", {"ip_address": "10.0.1.10"})
    absent = (404, {"errorcode": 258, "message": "No such resource", "severity": "ERROR"})
    with serving(IN, RESET, absent, OUT, tls=tls[0]) as script, client(script, tls) as console:
        assert console.delete("managed_device", "a/b") is False
        assert console.changed is False
    assert paths(script)[1:3] == ["DELETE /nitro/v2/config/managed_device/a%2Fb"] * 2


def test_secrets_are_in_no_text(tls: TLS) -> None:
    echo = (400, {"errorcode": 1074, "message": f"Invalid value {PASSWORD} ##S1", "severity": "ERROR"})
    with serving(IN, echo, OUT, tls=tls[0]) as script, client(script, tls) as console:
        with pytest.raises(NitroError) as refusal:
            console.get("managed_device")
        for text in (str(refusal.value), refusal.value.message, repr(console.access)):
            assert PASSWORD not in text
            assert "##S1" not in text


@pytest.mark.parametrize("ident", ["", ".", ".."])
def test_object_without_an_id_is_never_taken_for_all_of_them(tls: TLS, ident: str) -> None:
    with serving(IN, OUT, tls=tls[0]) as script:
        with client(script, tls) as console:
            console.login()
            for write in (
                lambda: console.delete("managed_device", ident),
                lambda: console.update("managed_device", ident, {"ip_address": "10.0.1.10"}),
            ):
                with pytest.raises(NitroInputError, match="gave no id by which this one object can be named"):
                    write()
            assert not console.changed
        assert [asked.path.rpartition("/")[2] for asked in script.asked] == ["login", "logout"]


def test_pages_without_an_end_are_given_up(tls: TLS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_client, "_MAX_PAGES", 5)

    def page(number: int) -> Any:
        return 200, {**DONE, "resrc_total_count": 10**9, "managed_device": [{"id": f"device-{number}"}]}

    answers = [page(number) for number in range(9)]
    with (
        serving(IN, *answers, OUT, tls=tls[0]) as script,
        client(script, tls) as console,
        pytest.raises(NitroGarbled, match="more than 5 pages"),
    ):
        console.get("managed_device")
    same = (200, {**DONE, "resrc_total_count": 10**9, "managed_device": [{"id": "a"}]})
    with serving(IN, same, same, OUT, tls=tls[0]) as script, client(script, tls) as console:
        assert console.get("managed_device") == [{"id": "a"}], "a console that repeats its first page has no other"
