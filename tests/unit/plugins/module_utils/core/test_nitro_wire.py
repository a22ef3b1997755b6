"""What goes over the wire and what comes back, without a wire."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core import nitro_wire as wire
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError


@pytest.mark.parametrize(
    ("nsip", "host", "port"),
    [
        ("10.0.1.10", "10.0.1.10", None),
        (" 10.0.1.10:9443 ", "10.0.1.10", 9443),
        ("adc-a.example.com", "adc-a.example.com", None),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("2001:db8::1", "2001:db8::1", None),
    ],
)
def test_an_address_may_have_a_port(nsip: str, host: str, port: int | None) -> None:
    assert wire.parse_address(nsip) == (host, port)


@pytest.mark.parametrize(
    "nsip",
    [
        "",
        " ",
        "https://10.0.1.10",
        "10.0.1.10:0",
        "10.0.1.10:70000",
        "10.0.1.10:http",
        "a b",
        "[::1",
        "u@h",
    ],
)
def test_what_is_no_address_is_named(nsip: str) -> None:
    with pytest.raises(NitroInputError) as refusal:
        wire.parse_address(nsip)
    assert repr(nsip) in str(refusal.value)


@pytest.mark.parametrize(
    ("call", "url"),
    [
        (("config", "hanode"), "/config/hanode"),
        (("config", "Interface", "0/1"), "/config/Interface/0%252F1"),
        (("config", "lbvserver", "a b%ü"), "/config/lbvserver/a%2520b%2525%25C3%25BC"),
        (("config", "hanode", 0), "/config/hanode/0"),
        (("stat", "ns"), "/stat/ns"),
    ],
)
def test_ids_are_encoded_twice(call: tuple[Any, ...], url: str) -> None:
    assert wire.path(*call) == url


def test_query_values_are_encoded_once() -> None:
    assert (
        wire.path("config", "nsip", args={"ipaddress": "2001:db8::1", "td": 0})
        == "/config/nsip?args=ipaddress:2001%3Adb8%3A%3A1,td:0"
    )
    assert wire.path("config", "nsip", filters={"type": "SNIP"}) == "/config/nsip?filter=type:SNIP"
    assert wire.path("config", "nsconfig", action="save") == "/config/nsconfig?action=save"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"hanode": [{"id": "0"}]}, [{"id": "0"}]),
        ({"hanode": {"id": "0"}}, [{"id": "0"}]),
        ({"message": "Done"}, []),
        ({"hanode": None}, []),
        ({"hanode": "Done"}, []),
        ({"hanode": [None, {"id": "0"}]}, [{"id": "0"}]),
    ],
)
def test_a_list_a_single_object_or_nothing(body: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert wire.rows(body, "hanode") == expected


@pytest.mark.parametrize(
    ("value", "number"),
    [("255", 255), (3, 3), ("0.900000", 0), (None, None), ("", None), ("nan", None), ("inf", None), ("STRING", None)],
)
def test_numbers_come_as_strings_too(value: Any, number: int | None) -> None:
    assert wire.as_int(value) == number


@pytest.mark.parametrize(
    ("status", "content", "expected", "ok"),
    [
        (200, b'{ "errorcode": 0, "message": "Done", "severity": "NONE" }', True, True),
        (201, b"", False, True),
        (200, b"", True, False),
        (404, b"", False, False),
        (209, b'{"errorcode": 1067, "message": "Feature(s) not enabled [LB]", "severity": "WARNING"}', False, True),
        (200, b'{"errorcode": "1067", "message": "x", "severity": "WARNING"}', False, True),
        (409, b'{"errorcode": 273, "message": "Resource already exists", "severity": "ERROR"}', False, False),
        (207, b'{"errorcode": 1243, "message": "Bulk operation failed", "severity": "ERROR"}', False, False),
        (200, b"[1, 2]", True, False),
        (200, b"null", True, False),
    ],
)
def test_what_counts_as_done(status: int, content: bytes, expected: bool, ok: bool) -> None:
    assert wire.parse_reply(status, "application/json", content, body_expected=expected).ok is ok


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (
            "text/html",
            b"<html><head><title>\n NetScaler\n AAA </title>",
            "an HTML page titled 'NetScaler AAA' (HTTP 200)",
        ),
        ("text/html", b"Moved", "an HTML page (HTTP 200)"),
        (
            "application/json",
            b'{"errorcode": 0, "sessionid": "##SECR',
            "JSON that breaks off after 37 characters (HTTP 200)",
        ),
        ("text/plain", b"Service ready", "13 characters of text/plain (HTTP 200)"),
        ("", b"\xff\xfe", "2 characters of text of no declared type (HTTP 200)"),
        ("application/json", b"  \r\n", "an empty body (HTTP 200)"),
    ],
)
def test_what_came_instead_of_json_is_said_without_quoting_it(kind: str, content: bytes, message: str) -> None:
    reply = wire.parse_reply(200, kind, content, body_expected=True)
    assert reply.garbled == message
    assert reply.body == {}


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_name_that_a_url_takes_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(NitroInputError, match="an object cannot have this name"):
        wire.path("config", "lbvserver", name)
    assert wire.path("config", "lbvserver", "...") == "/config/lbvserver/..."
