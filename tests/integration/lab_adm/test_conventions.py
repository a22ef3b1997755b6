"""What the lab's console does, each with the source that says that the real one does it.

The sources' short names are explained in tests/lab/console/__init__.py.
"""

from __future__ import annotations

import json

import pytest
import requests

from tests.integration.lab_adm.conftest import Rest
from tests.integration.modules.appliances import Box
from tests.lab.client import LabClient


def test_a_login_is_200_with_the_session_id_in_a_list_of_one(fresh_lab: LabClient) -> None:
    """ADMREF, login, response of add; its clients read login[0].sessionid."""
    rest = Rest(fresh_lab)
    answer = rest.login()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["errorcode"], body["message"], len(body["login"])) == (0, "Done", 1)
    assert body["login"][0]["sessionid"]
    assert rest.ask("GET", "managed_device").status_code == 200


def test_the_login_may_be_a_form_and_the_cookie_sessid(fresh_lab: LabClient) -> None:
    """Nautobot's Citrix ADM plug-in posts a form ``object={"login": …}``; ADMTF sends SESSID."""
    rest = Rest(fresh_lab)
    login = {"login": {"username": rest.lab.env["LAB_ADM_USER"], "password": rest.lab.env["LAB_ADM_PASSWORD"]}}
    answer = rest.ask("POST", "login", data={"object": json.dumps(login)})
    assert answer.status_code == 200, answer.text
    rest.headers["Cookie"] = f"SESSID={answer.json()['login'][0]['sessionid']}"
    assert rest.ask("GET", "mps_agent").status_code == 200


def test_version_1_of_the_api_is_there_too(rest: Rest) -> None:
    """ADMREF has /nitro/v1 in all its URLs."""
    url = f"{rest.lab.adm_url}/nitro/v1/config/managed_device"
    answer = rest.http.get(url, headers=rest.headers, verify=rest.lab.ca_path, timeout=10)
    assert answer.status_code == 200


def test_wrong_credentials_and_no_session(fresh_lab: LabClient) -> None:
    """The framework is the appliances': 354, 444 and 1027 with 401 (NITRO documentation, error messages)."""
    rest = Rest(fresh_lab)
    wrong = rest.login(username="nsroot", password="not-it")
    assert (wrong.status_code, wrong.json()["errorcode"]) == (401, 354)
    none = rest.ask("GET", "managed_device")
    assert (none.status_code, none.json()["errorcode"]) == (401, 1027)
    rest.headers["Cookie"] = "NITRO_AUTH_TOKEN=stale"
    gone = rest.ask("GET", "managed_device")
    assert (gone.status_code, gone.json()["errorcode"]) == (401, 444)


def test_a_password_in_the_headers_needs_no_session(fresh_lab: LabClient) -> None:
    """ADMREF: "Authenticated access for individual NITRO operations"; ELO falls back to it."""
    rest = Rest(fresh_lab)
    rest.headers = {"X-NITRO-USER": rest.lab.env["LAB_ADM_USER"], "X-NITRO-PASS": rest.lab.env["LAB_ADM_PASSWORD"]}
    assert rest.ask("GET", "managed_device").status_code == 200
    assert rest.lab.state()["adm"]["sessions"] == 0


def test_sessions_are_limited(fresh_lab: LabClient) -> None:
    """ELO: HTTP 400 with 10020; the number of sessions itself is the lab's own."""
    answers = [Rest(fresh_lab).login() for _turn in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [400]
    assert answers[-1].json()["errorcode"] == 10020
    assert "session count has exceeded" in answers[-1].json()["message"]


def test_a_session_ends_with_the_logout(rest: Rest) -> None:
    """Clients of Console and SDX post ``{"logout": {}}`` with the cookie."""
    assert rest.ask("POST", "logout", {"logout": {}}).ok
    assert rest.ask("GET", "managed_device").json()["errorcode"] == 444


def service(lab: LabClient, secret: str | None = None, customer: str | None = None) -> tuple[requests.Response, Rest]:
    """Return the answer of the token endpoint, and requests with the token that it gave."""
    form = {
        "grant_type": "client_credentials",
        "client_id": lab.env["LAB_ADM_CLIENT_ID"],
        "client_secret": secret or lab.env["LAB_ADM_CLIENT_SECRET"],
    }
    rest = Rest(lab, prefix=f"/massvc/{customer or lab.env['LAB_ADM_CUSTOMER']}")
    rest.http.trust_env = False
    url = f"{lab.adm_url}/cctrustoauth2/root/tokens/clients"
    answer = rest.http.post(url, data=form, verify=lab.ca_path, timeout=10)
    token = answer.json().get("access_token", "")
    rest.headers = {"Authorization": f"CwsAuth bearer={token}", "isCloud": "true"}
    return answer, rest


def test_the_service_takes_a_token_and_a_customer(fresh_lab: LabClient) -> None:
    """ADMTF, GetNewToken and MakeNitroRequest: a form, then ``CwsAuth bearer=`` and ``isCloud``."""
    answer, rest = service(fresh_lab)
    assert answer.status_code == 200
    assert rest.rows("managed_device") == []
    del rest.headers["isCloud"]
    assert rest.ask("GET", "managed_device").status_code == 401


def test_the_service_refuses_a_wrong_secret_and_a_strange_customer(fresh_lab: LabClient) -> None:
    """RFC 6749, 5.2: 401 with invalid_client. The refusal of a customer is the lab's own."""
    answer, rest = service(fresh_lab, secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert rest.ask("GET", "managed_device").status_code == 401
    assert service(fresh_lab, customer="another")[1].ask("GET", "managed_device").status_code == 401


def test_a_list_of_nothing_is_there_and_counted(rest: Rest) -> None:
    """CFT goes through body['managed_device'] without looking whether it is there; the envelope is recorded."""
    body = rest.ask("GET", "managed_device").json()
    assert body["managed_device"] == []
    assert {"operation", "resourceType", "username", "tenant_name", "tenant_id", "resrc_total_count"} <= set(body)


@pytest.mark.parametrize("form", ["body", "query"])
def test_a_registration_is_an_activity_that_completes(rest: Rest, box: Box, form: str) -> None:
    """CFT: params in the body; ADMREF: ?action=add_device. ADMTF and CFT: the line that is_last says how it went."""
    lab_site = next(row for row in rest.rows("mps_datacenter") if row["name"] == "lab")
    if form == "body":
        act_id = rest.register(box.address, datacenter_id=lab_site["id"])
    else:
        device = {"ip_address": box.address, "profile_name": "lab", "datacenter_id": lab_site["id"]}
        answer = rest.ask("POST", "managed_device?action=add_device;onerror=EXIT", {"managed_device": device})
        act_id = answer.json()["managed_device"][0]["act_id"]
    assert rest.rows("activity_status", act_id)[0]["is_last"] == "false"
    assert rest.rows("managed_device") == []
    assert rest.last_line(act_id)["status"] == "Completed"
    (device,) = rest.rows("managed_device")
    expected = {"ip_address": box.address, "mgmt_ip_address": box.address, "display_name": box.address}
    expected |= {"type": "nsvpx", "instance_state": "Up", "profile_name": "lab", "datacenter_id": lab_site["id"]}
    assert expected.items() <= device.items()
    assert device["hostname"] == "web-a-0"
    assert device["version"].startswith("NetScaler NS")
    assert "POST /config/login" in [call.op for call in rest.lab.calls(side="nitro")], "it did log in"
    assert box.state()["sessions"] == 0, "and out again"


def test_a_wrong_password_in_the_profile_is_a_failed_activity_with_the_reason(rest: Rest, box: Box) -> None:
    """ADMTF: "Failed", and the message of the line."""
    profile = {"name": "wrong", "username": "nsroot", "password": "not-it", "https_port": str(rest.lab.nitro_port)}
    assert rest.ask("POST", "ns_device_profile", {"ns_device_profile": profile}).status_code == 200
    line = rest.last_line(rest.register(box.address, profile_name="wrong"))
    assert (line["status"], "Invalid username or password" in line["message"]) == ("Failed", True)
    assert rest.rows("managed_device") == []


def test_an_appliance_that_does_not_answer_is_a_failed_activity(rest: Rest) -> None:
    address = rest.lab.state()["network"] + ".1.77"
    line = rest.last_line(rest.register(address))
    assert (line["status"], line["message"]) == ("Failed", f"Device {address} is not reachable.")
    assert rest.rows("managed_device") == []


def test_a_device_is_registered_once(rest: Rest, box: Box) -> None:
    """That it is refused is an inference from ns_device_profile (CFT); 409 is NITRO's status for what exists."""
    act_id = rest.register(box.address)
    body = {"params": {"action": "add_device"}, "managed_device": {"ip_address": box.address, "profile_name": "lab"}}
    assert rest.ask("POST", "managed_device", body).status_code == 409
    rest.last_line(act_id)
    assert rest.ask("POST", "managed_device", body).status_code == 409


def test_a_device_is_modified_and_deleted_by_its_id(rest: Rest, box: Box) -> None:
    """ADMREF: modify and delete; ADMTF: PUT with a list of one, and 200 for both."""
    rest.last_line(rest.register(box.address))
    (device,) = rest.rows("managed_device")
    site = next(row for row in rest.rows("mps_datacenter") if row["name"] == "lab")
    assert device["datacenter_id"] != site["id"]
    changed = {"id": device["id"], "datacenter_id": site["id"]}
    assert rest.ask("PUT", f"managed_device/{device['id']}", {"managed_device": [changed]}).status_code == 200
    assert rest.rows("managed_device", device["id"])[0]["datacenter_id"] == site["id"]
    assert rest.ask("DELETE", f"managed_device/{device['id']}").status_code == 200
    gone = rest.ask("DELETE", f"managed_device/{device['id']}")
    assert (gone.status_code, gone.json()["errorcode"]) == (404, 258)


def test_a_device_that_is_gone_stays_listed_as_down(rest: Rest, box: Box) -> None:
    """ADMREF, managed_device: instance_state is "UP only if device accessible"."""
    rest.last_line(rest.register(box.address))
    rest.lab.boto("ec2").terminate_instances(InstanceIds=[box.instance_id])
    assert [row["instance_state"] for row in rest.rows("managed_device")] == ["Down"]


def test_a_profile_is_made_with_200_and_once(rest: Rest) -> None:
    """CFT, create_new_profile: "if status != 200: # 409 CONFLICT if profile already exists"."""
    profile = {"name": "p1", "username": "nsroot", "password": "s3cret-of-p1", "snmpsecurityname": "x"}
    made = rest.ask("POST", "ns_device_profile", {"ns_device_profile": profile})
    assert made.status_code == 200
    assert rest.ask("POST", "ns_device_profile", {"ns_device_profile": profile}).status_code == 409
    assert "s3cret-of-p1" not in made.text + rest.ask("GET", "ns_device_profile").text


def test_agents_have_the_fields_that_the_vendors_lambda_reads(rest: Rest) -> None:
    """CFT, get_agent: name (an address), platform, state, datacenter_id, id."""
    for agent in rest.rows("mps_agent"):
        assert {"name", "platform", "state", "datacenter_id", "id"} <= set(agent)
    assert sorted(agent["state"] for agent in rest.rows("mps_agent")) == ["Down", "Up"]


@pytest.mark.parametrize("missing", [{"profile_name": "none"}, {"datacenter_id": "none"}, {"agent_id": "none"}])
def test_what_a_registration_names_must_be_there(rest: Rest, missing: dict[str, str]) -> None:
    device = {"ip_address": "127.1.1.1", "profile_name": "lab", **missing}
    refused = rest.ask("POST", "managed_device", {"params": {"action": "add_device"}, "managed_device": device})
    assert (refused.status_code, refused.json()["errorcode"]) == (404, 258)


def test_calls_are_logged_with_their_side_and_writes_are_counted(rest: Rest) -> None:
    rest.lab.faults()
    rest.ask("POST", "mps_datacenter", {"mps_datacenter": {"name": "second"}})
    rest.rows("mps_datacenter")
    calls = rest.lab.calls(side="adm")
    assert [(call.op, call.write) for call in calls] == [
        ("POST /config/login", False),
        ("POST /config/mps_datacenter", True),
        ("GET /config/mps_datacenter", False),
    ]
    assert rest.lab.state()["writes_seen"] == 1


def test_latency_and_faults_strike_here_too(rest: Rest) -> None:
    rest.lab.latency(adm=0.2)
    rest.rows("mps_agent")
    assert rest.lab.calls(side="adm")[-1].ms >= 200
    rest.lab.faults(adm={"error": 1.0})
    assert rest.ask("GET", "mps_agent").status_code == 503
    rest.lab.faults(adm={"throttle": 1.0})
    assert rest.ask("GET", "mps_agent").json()["errorcode"] == 10020


def test_a_reset_empties_it_and_no_secret_is_told(rest: Rest, box: Box) -> None:
    rest.last_line(rest.register(box.address))
    state = rest.lab.state()
    assert [device["ip_address"] for device in state["adm"]["devices"]] == [box.address]
    for name in ("LAB_ADM_PASSWORD", "LAB_ADM_CLIENT_SECRET", "NETSCALER_NITRO_PASS"):
        assert rest.lab.env[name] not in json.dumps(state)
    rest.lab.reset()
    assert rest.lab.state()["adm"]["devices"] == []
    assert rest.ask("GET", "managed_device").status_code == 401
