"""Login, logout, cookies, expiry and the first password.

Sources: vendor NITRO docs 12.1 "performing-basic-operations" and "usecases" (login, cookies, headers, logout),
"error-and-exception-handling" (statuses); recorded replies as collected in the project's fact sheet §1.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client, refused

LOGIN = {"login": {"username": "nsroot", "password": PASSWORD}}


def fresh(bench: Bench) -> Client:
    """Return a new appliance that answers and still has its first password."""
    bench.launch("i-0new", "127.77.1.20")
    bench.wait(bench.side.settings.cold.total + 1, step=5)
    return bench.client("127.77.1.20")


def first_login(client: Client, password: str, new: str | None = None) -> requests.Response:
    body: dict[str, Any] = {"username": "nsroot", "password": password}
    if new is not None:
        body["new_password"] = new
    return client.post("config/login", {"login": body})


def test_login_answers_201_with_a_session_id_and_a_cookie(bench: Bench, node: Client) -> None:
    reply = bench.client("127.77.1.10").post("config/login", LOGIN)
    assert reply.status_code == 201
    assert reply.text.startswith('{ "errorcode": 0, "message": "Done", "severity": "NONE", "sessionid": "##')
    assert reply.cookies["sessionid"].startswith("%23%23")
    assert reply.cookies.list_paths() == ["/nitro/v1"]


def test_login_with_the_vendor_content_type_sets_nitro_auth_token(bench: Bench, node: Client) -> None:
    header = {"Content-Type": "application/vnd.com.citrix.netscaler.login+json"}
    reply = bench.client("127.77.1.10").post("config/login", LOGIN, headers=header)
    assert reply.cookies["NITRO_AUTH_TOKEN"].startswith("%23%23")


@pytest.mark.parametrize("header", ["Cookie", "Set-Cookie"])
@pytest.mark.parametrize("cookie", ["NITRO_AUTH_TOKEN", "sessionid"])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_token_is_taken_from_either_cookie_raw_or_encoded(
    bench: Bench, node: Client, header: str, cookie: str, encoded: bool
) -> None:
    token = bench.client("127.77.1.10").post("config/login", LOGIN).json()["sessionid"]
    sent = token.replace("#", "%23") if encoded else token
    reply = bench.client("127.77.1.10").get("config/nsversion", headers={header: f"{cookie}={sent}"})
    assert reply.status_code == 200


def test_headers_and_basic_authentication_need_no_session(bench: Bench, node: Client) -> None:
    other = bench.client("127.77.1.10")
    headers = {"X-NITRO-USER": "nsroot", "X-NITRO-PASS": PASSWORD}
    assert other.get("config/nsversion", headers=headers).status_code == 200
    assert other.get("config/nsversion", auth=("nsroot", PASSWORD)).status_code == 200
    node.set("systemparameter", basicauth="DISABLED")
    assert refused(other.get("config/nsversion", auth=("nsroot", PASSWORD))) == (401, 1244)


def test_no_credential_a_wrong_one_and_an_unknown_token_are_told_apart(bench: Bench, node: Client) -> None:
    other = bench.client("127.77.1.10")
    assert refused(other.get("config/nsversion")) == (401, 1027)
    assert refused(first_login(other, "wrong")) == (401, 354)
    assert refused(other.get("config/nsversion", headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": "wrong"})) == (
        401,
        354,
    )
    assert refused(other.get("config/nsversion", headers={"Cookie": "sessionid=##00"})) == (401, 444)


def test_a_session_ends_by_logout_by_idleness_and_by_reboot(bench: Bench, node: Client) -> None:
    assert node.post("config/logout", {"logout": {}}).status_code in (200, 201)
    assert refused(node.get("config/nsversion")) == (401, 444)
    node.login()
    bench.wait(899, step=100)
    assert node.get("config/nsversion").status_code == 200
    bench.wait(901, step=100)
    assert refused(node.get("config/nsversion")) == (401, 444)
    node.login()
    node.do("nsconfig", "save")
    node.post("config/reboot", {"reboot": {"warm": True}})
    bench.wait(bench.side.settings.warm.total + 1, step=5)
    assert refused(node.get("config/nsversion")) == (401, 444)


def test_timeout_of_a_login_is_honoured(bench: Bench, node: Client) -> None:
    other = bench.client("127.77.1.10")
    other.post("config/login", {"login": {**LOGIN["login"], "timeout": 60}})
    bench.wait(61, step=30)
    assert refused(other.get("config/nsversion")) == (401, 444)


def test_the_twenty_first_session_of_a_user_is_refused(bench: Bench, node: Client) -> None:
    for _turn in range(19):
        bench.client("127.77.1.10").login()
    assert bench.client("127.77.1.10").post("config/login", LOGIN).json()["errorcode"] == 445
    assert len(node.rows("systemsession")) == 20
    assert sum(row["currentconn"] for row in node.rows("systemsession")) == 1
    node.do("systemsession", "kill", all=True)
    assert len(node.rows("systemsession")) == 1


def test_one_session_can_be_killed(bench: Bench, node: Client) -> None:
    other = bench.client("127.77.1.10").login()
    sid = next(row["sid"] for row in other.rows("systemsession") if row["currentconn"])
    node.do("systemsession", "kill", sid=sid)
    assert refused(other.get("config/nsversion")) == (401, 444)


def test_the_first_password_is_the_instance_id_and_must_be_changed(bench: Bench) -> None:
    client = fresh(bench)
    assert refused(first_login(client, "i-0new")) == (401, 1046)
    headers = {"X-NITRO-USER": "nsroot", "X-NITRO-PASS": "i-0new"}
    assert refused(client.get("config/nsversion", headers=headers)) == (401, 1046)
    assert refused(first_login(client, "i-0new", "i-0new"))[1] == 1047
    assert refused(first_login(client, "i-0new", "ab"))[1] == 1079
    assert refused(first_login(client, "wrong", PASSWORD)) == (401, 354)
    assert first_login(client, "i-0new", PASSWORD).status_code == 201
    assert client.get("config/nsversion").status_code == 200


def test_a_second_change_at_login_is_an_invalid_argument(bench: Bench) -> None:
    client = fresh(bench)
    first_login(client, "i-0new", PASSWORD)
    assert refused(first_login(client, PASSWORD, "Another-1")) == (599, 278)
    assert refused(first_login(client, "i-0new", PASSWORD)) == (599, 278)
    assert refused(first_login(client, "i-0new")) == (401, 354)
    assert first_login(client, PASSWORD).status_code == 201


def test_a_changed_password_that_was_not_saved_is_lost_with_a_reboot(bench: Bench) -> None:
    client = fresh(bench)
    first_login(client, "i-0new", PASSWORD)
    client.post("config/reboot", {"reboot": {"warm": True}})
    bench.wait(bench.side.settings.warm.total + 1, step=5)
    assert refused(first_login(client, "i-0new")) == (401, 1046)


def test_a_body_that_is_no_json_and_an_unknown_field_are_refused(bench: Bench, node: Client) -> None:
    url = f"http://127.77.1.10:{bench.port}/nitro/v1/config/login"
    assert refused(requests.post(url, data="{nope", timeout=10)) == (400, 1233)
    assert refused(requests.post(url, json={"login": {**LOGIN["login"], "colour": 1}}, timeout=10)) == (400, 1090)
    assert refused(requests.post(url, json={"login": {"username": "nsroot"}}, timeout=10)) == (400, 1095)
