"""vpx_application against an appliance of a lab: what it calls, what the appliance then has, what it refuses."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.certificates import issue
from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch
from tests.lab.client import LabClient, wait_for

SECRET = "geheimer-schluessel"
CERT, RENEWED = issue(chain=0), issue(serial=2, chain=0)
WEB: dict[str, Any] = {
    "name": "web",
    "protocol": "HTTP",
    "port": 8080,
    "virtual_ip": "127.200.2.10",
    "backends": [{"address": "127.200.3.1", "port": 8000}, {"address": "127.200.3.2", "port": 8000, "weight": 3}],
}
MONITOR: dict[str, Any] = {"type": "HTTP", "httprequest": "GET /health", "respcode": [200], "interval": 7}
TLS: dict[str, Any] = {
    "protocol": "SSL",
    "port": 8443,
    "certificate": {"content": CERT.certificate, "key": CERT.key},
}
SAVE = "POST /config/nsconfig?action=save"


@pytest.fixture
def bare(fresh_lab: LabClient) -> Box:
    """Return a bootstrapped appliance with no feature enabled."""
    box = launch(fresh_lab)[0]
    wait_for(lambda: box.state()["stage"] == "ready", f"{box.instance_id} has booted")
    assert not box.bootstrap()["failed"]
    box.options["nitro_pass"] = PASSWORD
    return box


@pytest.fixture
def box(bare: Box) -> Box:
    """Return the same with LB and SSL."""
    assert not bare.run("vpx_bootstrap", new_password=PASSWORD, features=["LB", "SSL"])["failed"]
    return bare


def application(box: Box, check: bool = False, **options: Any) -> Ran:
    ran = box.run("vpx_application", check=check, **{**WEB, **options})
    assert SECRET not in str(ran.result)
    assert CERT.key.split("\n")[1] not in str(ran.result)
    assert PASSWORD not in str(ran.result)
    assert "Traceback" not in str(ran.result)
    return ran


def done(ran: Ran) -> Ran:
    assert not ran["failed"], ran.result
    return ran


def saved(box: Box) -> dict[str, Any]:
    """Return what the appliance runs, and has saved."""
    state = box.state()
    assert state["running"] == state["saved"], "what runs is not saved"
    running: dict[str, Any] = state["running"]
    return running


def test_from_nothing_to_an_application_and_back(box: Box) -> None:
    before = saved(box)
    options: dict[str, Any] = {
        "monitor": MONITOR,
        "persistence": {"type": "SOURCEIP", "timeout": 10},
        "lb_method": "ROUNDROBIN",
    }
    predicted = done(application(box, check=True, **options))
    assert predicted.writes == []
    assert saved(box) == before

    made = done(application(box, **options))
    assert made["changed"] is True
    assert made.writes == [
        "POST /config/lbmonitor",
        "POST /config/server",
        "POST /config/server",
        "POST /config/servicegroup",
        "PUT /config/servicegroup_servicegroupmember_binding",
        "PUT /config/servicegroup_servicegroupmember_binding",
        "PUT /config/servicegroup_lbmonitor_binding",
        "POST /config/lbvserver",
        "PUT /config/lbvserver_servicegroup_binding",
        SAVE,
    ]
    assert made["diff"] == predicted["diff"]
    reported = made["application"]
    assert reported["state"] in ("UP", "DOWN")
    for entry in reported["backends"]:
        assert (entry.pop("state") == "DOWN") == ("reason" in entry)
        entry.pop("reason", None)
    del reported["state"]
    assert reported == {
        "name": "web",
        "protocol": "HTTP",
        "port": 8080,
        "virtual_ip": "127.200.2.10",
        "ipset": None,
        "backend_protocol": "HTTP",
        "lb_method": "ROUNDROBIN",
        "persistence": {"type": "SOURCEIP", "timeout": 10},
        "monitors": ["web-mon"],
        "certificate": None,
        "process_local": False,
        "enabled": True,
        "backends": [
            {"address": "127.200.3.1", "port": 8000, "weight": 1},
            {"address": "127.200.3.2", "port": 8000, "weight": 3},
        ],
    }

    again = done(application(box, **options))
    assert (again["changed"], again["saved"], again.writes) == (False, False, [])
    assert again.ops == [
        "POST /config/login 201",
        "GET /config/lbvserver 200",
        "GET /config/servicegroup 200",
        "GET /config/servicegroup_servicegroupmember_binding 200",
        "GET /config/nsfeature 200",
        "GET /config/lbvserver_servicegroup_binding 200",
        "GET /config/servicegroup_lbmonitor_binding 200",
        "GET /config/lbmonitor 200",
        "GET /config/server 200",
        # Both back ends are DOWN: the reason of each.
        "GET /config/servicegroup_servicegroupentitymonbindings_binding 200",
        "GET /config/servicegroup_servicegroupentitymonbindings_binding 200",
        "GET /config/nsconfig 200",
        "POST /config/logout 201",
    ], "the call budget"

    gone = done(application(box, state="absent"))
    assert (gone["changed"], gone["application"]) == (True, None)
    assert saved(box) == before
    assert done(application(box, state="absent"))["changed"] is False


def step(options: dict[str, Any], *writes: str) -> Any:
    return pytest.param(options, [*writes, SAVE], id="-".join(options))


MEMBER = "/config/servicegroup_servicegroupmember_binding"
ONE, TWO = WEB["backends"]


@pytest.mark.parametrize(
    ("options", "writes"),
    [
        step({"virtual_ip": "127.200.2.11"}, "PUT /config/lbvserver"),
        step({"persistence": "COOKIEINSERT"}, "PUT /config/lbvserver"),
        step({"backends": [ONE, {**TWO, "weight": 5}]}, "PUT /config/servicegroup"),
        step({"backends": [ONE, TWO, {**TWO, "port": 8001}]}, f"PUT {MEMBER}"),
        step({"backends": [ONE]}, f"DELETE {MEMBER}", "DELETE /config/server"),
        step({"monitor": "ping"}, "PUT /config/servicegroup_lbmonitor_binding"),
        step(
            {"port": 8081},
            "DELETE /config/lbvserver",
            "POST /config/lbvserver",
            "PUT /config/lbvserver_servicegroup_binding",
        ),
        step(
            {"backend_protocol": "TCP", "protocol": "TCP"},
            "DELETE /config/lbvserver",
            "DELETE /config/servicegroup",
            "POST /config/servicegroup",
            f"PUT {MEMBER}",
            f"PUT {MEMBER}",
            "POST /config/lbvserver",
            "PUT /config/lbvserver_servicegroup_binding",
        ),
    ],
)
def test_a_change_writes_what_differs_and_nothing_the_second_time(
    box: Box, options: dict[str, Any], writes: list[str]
) -> None:
    done(application(box))
    changed = done(application(box, **options))
    assert changed.writes == writes
    again = done(application(box, **options))
    assert (again["changed"], again.writes) == (False, [])
    assert again["application"]["port"] == options.get("port", 8080)
    done(application(box, state="absent"))
    assert saved(box).get("servicegroup", []) == []
    assert saved(box).get("server", []) == []


def shown(content: str) -> str:
    """How the lab's state shows a file's content, as it was sent: keys do not belong into a state."""
    return "digest:" + hashlib.sha256(base64.b64encode(content.encode())).hexdigest()[:12]


def test_a_certificate_is_uploaded_loaded_replaced_and_removed(box: Box) -> None:
    before = saved(box)
    made = done(application(box, **TLS))
    assert made["application"]["certificate"] == "web-cert"
    running = saved(box)
    files = {row["filename"]: row["filecontent"] for row in running["systemfile"]}
    assert sorted(files.values()) == sorted(shown(TLS["certificate"][part]) for part in ("content", "key"))
    assert running["sslcertkey"][0]["cert"].rpartition("/")[2] in files
    assert done(application(box, **TLS)).writes == []

    renewed = {**TLS, "certificate": {"content": RENEWED.certificate, "key": RENEWED.key}}
    changed = done(application(box, **renewed))
    assert changed.writes == [
        "POST /config/systemfile",
        "POST /config/systemfile",
        "POST /config/sslcertkey?action=update",
        "DELETE /config/systemfile",
        "DELETE /config/systemfile",
        SAVE,
    ]
    running = saved(box)
    names = {row["filename"] for row in running["systemfile"]}
    assert len(names) == 2
    assert names.isdisjoint(files)
    assert {running["sslcertkey"][0][field].rpartition("/")[2] for field in ("cert", "key")} == names
    assert done(application(box, **renewed)).writes == []

    done(application(box, state="absent"))
    after = saved(box)
    assert {kind: rows for kind, rows in after.items() if rows} == {kind: rows for kind, rows in before.items() if rows}


def test_a_password_of_a_monitor_is_in_no_result(box: Box) -> None:
    monitor: dict[str, Any] = {"type": "FTP", "username": "probe", "password": SECRET}
    done(application(box, monitor=monitor))
    assert application(box, monitor={key: value for key, value in monitor.items() if key != "type"})["failed"]
    assert done(application(box, monitor=monitor)).writes == []


def test_an_ipset_is_carried_and_its_lowest_address_is_the_virtual_one(box: Box) -> None:
    addresses = [{"ip_address": "127.200.12.10"}, {"ip_address": "127.200.2.10"}]
    assert not box.run("vpx_ipset", name="clients", addresses=addresses)["failed"]
    made = done(application(box, virtual_ip=None, ipset="clients"))
    assert (made["application"]["virtual_ip"], made["application"]["ipset"]) == ("127.200.2.10", "clients")
    off = done(application(box, virtual_ip=None, ipset=""))
    assert off.writes == ["POST /config/lbvserver?action=unset", SAVE]
    assert off["application"]["ipset"] is None


def test_a_server_that_others_use_is_reused_by_its_name_and_stays(box: Box) -> None:
    other: dict[str, Any] = {"name": "api", "port": 8082, "backends": [{"address": "127.200.3.1", "port": 9000}]}
    done(application(box, **other))
    made = done(application(box))
    assert made.writes.count("POST /config/server") == 1, "the other is there already"
    done(application(box, **other, state="absent"))
    assert len(saved(box)["server"]) == 2
    done(application(box, state="absent"))
    assert saved(box).get("server", []) == []


@pytest.mark.parametrize(("write", "when"), [(1, "after"), (4, "before"), (6, "after"), (9, "after"), (10, "before")])
def test_killed_and_run_again_it_ends_like_one_that_was_not(box: Box, write: int, when: str) -> None:
    """A sample of the ten writes; every one of them is tried on an appliance in memory by the unit tests."""
    options: dict[str, Any] = {**WEB, "monitor": MONITOR}
    done(application(box, **options))
    whole = saved(box)
    done(application(box, state="absent"))
    box.killed("vpx_application", write, when, **options)
    done(application(box, **options))
    assert saved(box) == whole
    assert done(application(box, **options)).writes == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ipset": "nope"}, "there is no IPSet 'nope'"),
        ({"monitor": "nope"}, "there is no monitor 'nope'"),
        ({**TLS, "certificate": {"certkey": "nope"}}, "there is no certkey 'nope'"),
        ({"virtual_ip": None}, "virtual_ip or ipset is needed"),
        ({"backends": [{"address": "web.example.com", "port": 80}]}, "'web.example.com' is not an IP address"),
        ({"port": None}, "state is present but all of the following are missing: port"),
        ({"certificate": {"content": CERT.certificate, "key": None}}, "must be a private key in PEM form"),
        ({"certificate": {"certkey": "a", "content": CERT.certificate, "key": CERT.key}}, "mutually exclusive"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(box: Box, options: dict[str, Any], message: str) -> None:
    refused = application(box, **options)
    assert refused["failed"]
    assert message in refused["msg"]
    assert refused.writes == []


def test_a_feature_that_is_off_is_said_first_and_is_a_warning_in_check_mode(bare: Box) -> None:
    refused = application(bare, **TLS)
    assert refused["failed"]
    assert "feature LB is not enabled" in refused["msg"]
    assert refused.writes == []
    predicted = done(application(bare, check=True, **TLS))
    assert predicted["changed"] is True
    assert "feature SSL is not enabled" in str(predicted["warnings"])


def test_a_refusal_of_the_appliance_names_what_was_wanted_and_the_code(box: Box) -> None:
    refused = application(box, monitor={"type": "HTTP", "interval": 99999999})
    assert refused["failed"]
    assert "add lbmonitor 'web-mon'" in refused["msg"]
    assert "1108" in refused["msg"]  # nitro_errors: Integer value exceeds maximum


def test_an_address_and_port_that_another_has_is_said_before_anything_is_written(box: Box) -> None:
    done(application(box))
    refused = application(box, name="web2")
    assert refused["failed"]
    assert "is taken by virtual server 'web'" in refused["msg"]
    assert refused.writes == []
