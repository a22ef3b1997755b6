"""adm_device against the lab's console: what it calls, what the console then has, and every way to be refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.lab_adm.conftest import Rest
from tests.integration.modules.appliances import Box, Ran, launch
from tests.lab.client import LabClient, wait_for
from tests.lab.settings import CHECKOUT
from tests.modules import run_module

OBSERVATION = "GET /config/managed_device 200"
IN, OUT = "POST /config/login 200", "POST /config/logout 200"
ADD = "POST /config/managed_device?action=add_device 200"
HEARD = "GET /config/activity_status 200"


@dataclass
class Console:
    """The module with the credentials of a console on premises, and plain requests to the same."""

    lab: LabClient
    rest: Rest
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, *, check: bool = False, **options: Any) -> Ran:
        since = time.time()
        given = {**self.options, **options}
        params = {name: value for name, value in given.items() if value is not None}
        result = run_module("adm_device", params, check=check, diff=True)
        return Ran(result, self.lab.calls(since, side="adm"))

    def killed(self, write: int, when: str, **options: Any) -> None:
        """The module in a process of its own that is killed at its n-th write; AssertionError if it ends before."""
        code = (
            "import json, sys\n"
            "from tests.modules import run_module\n"
            "sys.stdin.readline()\n"
            "run_module('adm_device', json.loads(sys.argv[1]))\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, json.dumps({**self.options, **options})],
            cwd=CHECKOUT,
            env=self.lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
            stdin=subprocess.PIPE,
            text=True,
        ) as process:
            self.lab.kill_at(write, process.pid, when)
            process.communicate("go\n", timeout=60)
        self.lab.faults()
        assert process.returncode == -signal.SIGKILL, f"it ended by itself: it has no write {write}"

    def listed(self) -> list[str]:
        return sorted(device["ip_address"] for device in self.lab.state()["adm"]["devices"])

    def site(self, name: str) -> str:
        return next(str(row["id"]) for row in self.lab.state()["adm"]["datacenters"] if row["name"] == name)

    def agent(self, state: str) -> dict[str, Any]:
        return next(row for row in self.lab.state()["adm"]["agents"] if row["state"] == state)


@pytest.fixture
def console(fresh_lab: LabClient) -> Iterator[Console]:
    rest = Rest(fresh_lab)
    options = {
        "adm_url": fresh_lab.adm_url,
        "adm_user": fresh_lab.env["LAB_ADM_USER"],
        "adm_password": fresh_lab.env["LAB_ADM_PASSWORD"],
        "ca_path": fresh_lab.ca_path,
        "profile": "lab",
        "wait_timeout": 30,
    }
    yield Console(fresh_lab, rest, options)
    rest.http.close()


def boxes_of(lab: LabClient, zones: str) -> list[Box]:
    boxes = launch(lab, zones)
    wait_for(lambda: all(box.state()["stage"] == "ready" for box in boxes), "the appliances have booted")
    for number, box in enumerate(boxes):
        made = box.bootstrap(new_password=lab.env["NETSCALER_NITRO_PASS"], hostname=f"node-{number}")
        assert not made["failed"], made.result
    return boxes


@pytest.fixture
def box(console: Console) -> Box:
    return boxes_of(console.lab, "a")[0]


def quiet(ran: Ran, *secrets: str) -> None:
    """Neither a traceback nor a secret in what a task says (``invocation`` is Ansible's, and masks them itself)."""
    message = str({key: value for key, value in ran.result.items() if key != "invocation"})
    assert "Traceback" not in message
    for secret in secrets:
        assert secret not in message


def test_registered_found_registered_and_gone(console: Console, box: Box) -> None:
    predicted = console.run(check=True, ip_address=box.address, datacenter="lab")
    assert predicted.writes == []
    assert (predicted["changed"], predicted["registered"]) == (True, [box.address])
    assert predicted["devices"][0]["id"] is None

    done = console.run(ip_address=box.address, datacenter="lab")
    assert not done["failed"], done.result
    assert (done["changed"], done["registered"], done["deregistered"]) == (True, [box.address], [])
    (device,) = done["devices"]
    assert device["id"]
    expected = {"ip_address": box.address, "profile": "lab", "datacenter_id": console.site("lab"), "agent_id": None}
    assert (expected | {"instance_state": "Up", "hostname": "node-0"}).items() <= device.items()
    assert done["diff"] == predicted["diff"]
    assert done["diff"]["before"] == {}
    before, after = done.ops[:5], done.ops[-2:]
    assert before == [IN, OBSERVATION, "GET /config/mps_datacenter 200", "GET /config/ns_device_profile 200", ADD]
    assert after == [OBSERVATION, OUT], "the call budget"
    assert set(done.ops[5:-2]) == {HEARD}

    again = console.run(ip_address=box.address, datacenter="lab")
    assert (again["changed"], again["devices"], again["diff"]["before"]) == (False, [device], done["diff"]["after"])
    assert again.ops == [IN, OBSERVATION, "GET /config/mps_datacenter 200", OUT], "the call budget"
    assert console.run(ip_address=box.address).ops == [IN, OBSERVATION, OUT], "the call budget"

    predicted = console.run(check=True, ip_address=box.address, state="absent")
    assert (predicted["changed"], predicted["deregistered"], console.listed()) == (True, [box.address], [box.address])
    gone = console.run(ip_address=box.address, state="absent", profile=None)
    assert (gone["changed"], gone["deregistered"], gone["devices"], console.listed()) == (True, [box.address], [], [])
    assert gone.ops == [IN, OBSERVATION, "DELETE /config/managed_device 200", OBSERVATION, OUT], "the call budget"
    again = console.run(ip_address=box.address, state="absent", profile=None)
    assert (again["changed"], again.ops) == (False, [IN, OBSERVATION, OUT])
    assert console.lab.state()["adm"]["sessions"] == 0
    quiet(done, console.options["adm_password"])


def test_many_in_one_session_and_their_registrations_side_by_side(console: Console) -> None:
    boxes = boxes_of(console.lab, "aab")
    addresses = [box.address for box in boxes]
    done = console.run(ip_addresses=[*addresses, addresses[0]])
    assert not done["failed"], done.result
    assert (done["registered"], console.listed()) == (addresses, sorted(addresses))
    assert [device["ip_address"] for device in done["devices"]] == addresses
    assert (done.ops.count(IN), done.ops.count(ADD), done.ops.count(OBSERVATION)) == (1, 3, 2)
    assert done.ops[3:6] == [ADD] * 3, "all are asked for before any is waited for"

    two = console.run(ip_addresses=addresses[:2], state="absent", profile=None)
    assert (two["deregistered"], console.listed()) == (addresses[:2], addresses[2:])
    nothing = console.run(ip_addresses=[], state="absent", profile=None)
    assert (nothing["changed"], nothing.calls) == (False, []), "nothing to do: no session"


def test_a_device_registered_otherwise_is_changed_in_place(console: Console, box: Box) -> None:
    assert not console.run(ip_address=box.address)["failed"]
    ident = console.lab.state()["adm"]["devices"][0]["id"]
    agent = console.agent("Up")
    options = {"ip_address": box.address, "datacenter": "lab", "agent": agent["name"]}
    predicted = console.run(check=True, **options)
    assert (predicted["changed"], predicted["registered"], predicted.writes) == (True, [], [])
    moved = console.run(**options)
    assert moved.writes == ["PUT /config/managed_device"]
    assert moved["diff"] == predicted["diff"]
    (device,) = moved["devices"]
    assert (device["id"], device["datacenter_id"], device["agent_id"]) == (ident, console.site("lab"), agent["id"])
    assert "GET /config/ns_device_profile 200" not in moved.ops, "the profile stays, and is not looked up"
    assert console.run(**options)["changed"] is False


def test_password_of_the_profile_is_replaced_in_place(console: Console, box: Box) -> None:
    assert not console.run(ip_address=box.address)["failed"]
    predicted = console.run(check=True, ip_address=box.address, profile_password="N3w-0ne!")
    assert (predicted["changed"], predicted["profile_updated"], predicted.writes) == (True, True, [])
    written = console.run(ip_address=box.address, profile_password="N3w-0ne!")
    assert (written["changed"], written["profile_updated"]) == (True, True)
    assert [op for op in written.writes if "ns_device_profile" in op]
    assert "N3w-0ne!" not in json.dumps({key: value for key, value in written.result.items() if key != "invocation"})
    [former] = [row for row in console.rest.rows("ns_device_profile") if row["name"] == "lab"]
    assert "password" not in former
    missing = console.run(ip_address=box.address, profile="nowhere", profile_password="N3w-0ne!")
    assert missing["failed"]
    assert "there is no device profile 'nowhere'" in missing["msg"]
    nameless = console.run(ip_address=box.address, profile=None, profile_password="N3w-0ne!")
    assert "profile_password needs profile" in nameless["msg"]


def test_a_new_device_goes_where_its_agent_is(console: Console, box: Box) -> None:
    done = console.run(ip_address=box.address, agent=console.agent("Up")["name"])
    assert done["devices"][0]["datacenter_id"] == console.site("lab")


def test_the_service_with_a_token_and_a_customer_in_the_path(console: Console, box: Box) -> None:
    env = console.lab.env
    service = {
        "adm_url": f"{console.lab.adm_url}/massvc/{env['LAB_ADM_CUSTOMER']}",
        "adm_user": None,
        "adm_password": None,
        "client_id": env["LAB_ADM_CLIENT_ID"],
        "client_secret": env["LAB_ADM_CLIENT_SECRET"],
    }
    done = console.run(ip_address=box.address, **service)
    assert not done["failed"], done.result
    assert done.ops[0] == "POST /cctrustoauth2/root/tokens/clients 200"
    assert IN not in done.ops
    assert OUT not in done.ops
    assert console.run(ip_address=box.address, **service)["changed"] is False
    wrong = console.run(ip_address=box.address, **{**service, "client_secret": "wr0ng-secret"})
    assert wrong["failed"]
    assert "the console answered invalid_client: The client is not known. (HTTP 401)" in wrong["msg"]
    assert wrong.writes == []
    quiet(wrong, "wr0ng-secret")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adm_password": "n0t-it"}, "log in as 'nsroot': the console answered 354 Invalid username or password"),
        ({"profile": "none"}, "there is no device profile 'none'; known: 'lab'"),
        ({"profile": None}, "give profile: without one, 10.9.8.7 cannot be registered"),
        ({"datacenter": "none"}, "there is no data centre 'none'; known: 'Default', 'lab'"),
        ({"agent": "10.9.9.9"}, "there is no agent '10.9.9.9'; known: "),
        ({"ip_address": "10.9.8.7:9443"}, "'10.9.8.7:9443' is not an IP address; a port belongs in the device profile"),
        ({"ip_address": "adc"}, "ip_address 'adc' is not an IP address"),
        ({"adm_url": "http://10.0.0.5"}, "'http://10.0.0.5' is not the https URL of a console"),
        ({"adm_url": "https://me:secret@10.0.0.5"}, "adm_url holds credentials"),
        ({"ca_path": None}, "its certificate is not trusted by the system's authorities"),
        ({"ca_path": "/no/such/file"}, "/no/such/file"),
        ({"wait_timeout": 0}, "wait_timeout must be above 0 seconds, not 0"),
        ({"timeout": -1}, "timeout must be above 0 seconds, not -1"),
        ({"adm_url": "https://127.0.0.1:9"}, "log in as 'nsroot': Connection refused"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    console: Console, options: dict[str, Any], message: str
) -> None:
    refused = console.run(**{"ip_address": "10.9.8.7", **options})
    assert refused["failed"]
    assert message in refused["msg"]
    assert refused.writes == []
    assert console.lab.state()["adm"]["sessions"] == 0
    quiet(refused, "n0t-it")


def test_no_address_yet_finds_out_whether_the_console_can_be_used(console: Console) -> None:
    fine = console.run(ip_addresses=[], datacenter="lab", agent=console.agent("Up")["name"])
    assert (fine["failed"], fine["changed"], fine["devices"], fine.writes) == (False, False, [], [])
    for options, message in (
        ({"profile": "none"}, "there is no device profile 'none'"),
        ({"datacenter": "none"}, "there is no data centre 'none'"),
        ({"adm_password": "n0t-it"}, "354 Invalid username or password"),
    ):
        refused = console.run(ip_addresses=[], **options)
        assert refused["failed"]
        assert message in refused["msg"]


def test_an_agent_that_is_down_is_refused(console: Console) -> None:
    name = console.agent("Down")["name"]
    refused = console.run(ip_address="10.9.8.7", agent=name)
    assert f"agent '{name}' is Down and cannot reach a device" in refused["msg"]
    assert refused.writes == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("error", "NITRO is not up (HTTP 503)"),
        ("throttle", "10020 Login failed. The user session count has exceeded"),
        ("html", "expected NITRO's JSON, got an HTML page"),
        ("truncate", "expected NITRO's JSON, got JSON that breaks off"),
        ("reset", "log in as 'nsroot': "),
    ],
)
def test_a_console_that_cannot_answer_is_a_sentence(console: Console, fault: str, message: str) -> None:
    console.lab.faults(adm={fault: 1.0})
    refused = console.run(ip_address="10.9.8.7")
    assert refused["failed"]
    assert message in refused["msg"]
    assert refused.writes == []


def test_the_sentence_of_a_failure_has_the_activitys_last_word_and_others_go_on(console: Console, box: Box) -> None:
    unknown = console.lab.state()["network"] + ".1.77"
    half = console.run(ip_addresses=[unknown, box.address])
    assert half["failed"]
    assert f"{unknown} was not registered; the console says 'Failed: Device {unknown} is not reachable.'" in half["msg"]
    assert (half["changed"], half["registered"], console.listed()) == (True, [box.address], [box.address])

    profile = {"name": "wrong", "username": "nsroot", "password": "n0t-it", "https_port": str(console.lab.nitro_port)}
    assert console.rest.login().ok
    assert console.rest.ask("POST", "ns_device_profile", {"ns_device_profile": profile}).ok
    console.run(ip_address=box.address, state="absent")
    wrong = console.run(ip_address=box.address, profile="wrong")
    assert "Invalid username or password" in wrong["msg"]
    assert console.listed() == []
    quiet(wrong, "n0t-it")


def test_a_wait_that_runs_out_says_the_last_word_and_the_next_run_waits_on(console: Console, box: Box) -> None:
    console.lab.pace(2)
    short = console.run(ip_address=box.address, wait_timeout=0.3)
    assert short["failed"]
    last = "the console's last word was 'Started: Adding device"
    assert f"{box.address} is not registered after 0.3 s; {last}" in short["msg"]
    console.lab.pace(6)
    again = console.run(ip_address=box.address)
    assert not again["failed"], again.result
    assert (again["changed"], again["registered"], console.listed()) == (True, [box.address], [box.address])
    assert console.run(ip_address=box.address)["changed"] is False


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_killed_at_its_write_and_started_again(console: Console, box: Box, state: str, when: str) -> None:
    if state == "absent":
        assert not console.run(ip_address=box.address)["failed"]
    console.killed(1, when, ip_address=box.address, state=state)
    again = console.run(ip_address=box.address, state=state)
    assert not again["failed"], again.result
    assert console.listed() == ([box.address] if state == "present" else [])
    assert console.run(ip_address=box.address, state=state)["changed"] is False


@pytest.mark.parametrize("fault", ["reset", "lose", "truncate"])
def test_broken_connections_lose_nothing(console: Console, box: Box, fault: str) -> None:
    """Run until one succeeds; writes whose answers were lost are found by the next run."""
    for seed in range(12):
        console.lab.faults(adm={fault: 0.25}, seed=seed)
        ran = console.run(ip_address=box.address)
        quiet(ran)
        if not ran["failed"]:
            break
    console.lab.faults()
    assert console.run(ip_address=box.address)["changed"] is False
    assert console.listed() == [box.address]


def test_a_device_that_leaves_meanwhile_is_gone(console: Console, box: Box) -> None:
    console.run(ip_address=box.address)
    ident = console.lab.state()["adm"]["devices"][0]["id"]
    assert console.rest.login().ok
    console.lab.latency(adm=0.3)
    results: list[Ran] = []
    other = threading.Thread(target=lambda: results.append(console.run(ip_address=box.address, state="absent")))
    other.start()
    console.rest.ask("DELETE", f"managed_device/{ident}")
    other.join()
    assert not results[0]["failed"], results[0].result
    assert console.listed() == []
