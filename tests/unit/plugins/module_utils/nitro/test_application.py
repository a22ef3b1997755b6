"""Applications: what is written for what is wanted and found, and that a run killed anywhere ends like a whole one."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import application, certificates
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.application_plan import plan_absent, plan_present
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.application_read import read
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import carry_out
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.certificates import digest
from tests.unit.plugins.module_utils.nitro.memory_appliance import Killed, MemoryAppliance

CERT = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
OPTIONS: dict[str, Any] = {
    "name": "web",
    "protocol": "HTTP",
    "port": 80,
    "virtual_ip": "10.0.2.10",
    "ipset": None,
    "backends": [{"address": "10.0.3.1", "port": 8080}, {"address": "10.0.3.2", "port": 8080, "weight": 2}],
    "purge_backends": True,
    "backend_protocol": None,
    "monitor": None,
    "lb_method": None,
    "persistence": None,
    "certificate": None,
    "state": "present",
}
MONITOR = {"type": "http", "httprequest": "GET /health", "respcode": [200], "interval": 5, "secure": False}
TLS: dict[str, Any] = {"protocol": "SSL", "port": 443}


def certificate(text: str, *chain: str, name: str | None = None) -> dict[str, Any]:
    """Return the option: a certificate and its key, and intermediates behind it."""
    content = "".join(CERT.format(each) for each in (text, *chain))
    return {"certkey": None, "name": name, "content": content, "key": KEY.format(text), "passphrase": None}


def chained(text: str, *chain: str) -> dict[str, Any]:
    return {**TLS, "certificate": certificate(text, *chain)}


def appliance(**objects: list[dict[str, Any]]) -> MemoryAppliance:
    builtin = [{"monitorname": "ping", "type": "PING"}, {"monitorname": "tcp", "type": "TCP"}]
    there = MemoryAppliance({"lbmonitor": builtin, "ipset": [{"name": "clients"}], **objects})
    there.objects["nsip"] = [{"ipaddress": ip, "type": "VIP"} for ip in ("10.0.12.10", "10.0.2.10")]
    there.objects["ipset_nsip_binding"] = [{"name": "clients", "ipaddress": ip} for ip in ("10.0.12.10", "10.0.2.10")]
    there.save()
    there.writes.clear()
    return there


def converge(there: MemoryAppliance, **options: Any) -> dict[str, Any] | None:
    params = {**OPTIONS, **options}
    present = params["state"] == "present"
    spec = application.desired_from(params)
    found = read(there, spec, present=present)
    if present:
        assert application.obstacles(spec, found) == []
    steps = plan_present(spec, found) if present else plan_absent(spec, found)
    predicted = application.predict(spec, found) if present else None
    carry_out(there, steps, save=True)
    reported = application.describe(spec, read(there, spec, present=present))
    assert application.configuration(reported) == application.configuration(predicted), (
        "check mode promised something else"
    )
    return reported


def test_a_new_application_is_built_from_the_back() -> None:
    there = appliance()
    reported = converge(there, monitor=MONITOR, persistence={"type": "sourceip", "timeout": 10}, ipset="clients")
    assert there.writes == [
        "add lbmonitor",
        "add server",
        "add server",
        "add servicegroup",
        "bind servicegroup_servicegroupmember_binding",
        "bind servicegroup_servicegroupmember_binding",
        "bind servicegroup_lbmonitor_binding",
        "add lbvserver",
        "bind lbvserver_servicegroup_binding",
        "save",
    ]
    assert reported == {
        "name": "web",
        "protocol": "HTTP",
        "port": 80,
        "virtual_ip": "10.0.2.10",
        "ipset": "clients",
        "state": "UP",
        "backend_protocol": "HTTP",
        "lb_method": "LEASTCONNECTION",
        "persistence": {"type": "SOURCEIP", "timeout": 10},
        "process_local": False,
        "enabled": True,
        "monitors": ["web-mon"],
        "certificate": None,
        "backends": [
            {"address": "10.0.3.1", "port": 8080, "weight": 1, "state": "UP", "reason": None},
            {"address": "10.0.3.2", "port": 8080, "weight": 2, "state": "UP", "reason": None},
        ],
    }
    monitor = there.objects["lbmonitor"][-1]
    assert (monitor["type"], monitor["respcode"], monitor["secure"]) == ("HTTP", ["200"], "NO")


def test_tls_is_ended_with_the_certificate_that_was_handed_in() -> None:
    there = appliance()
    reported = converge(there, **TLS, certificate=certificate("one"))
    assert reported is not None
    assert (reported["certificate"], reported["backend_protocol"]) == ("web-cert", "HTTP")
    names = [row["filename"] for row in there.objects["systemfile"]]
    assert [name.rpartition(".")[2] for name in names] == ["crt", "key"]
    assert all(len(name) <= 63 for name in names)
    assert there.objects["sslcertkey"][0]["cert"] == f"/nsconfig/ssl/{names[0]}"


def changed(before: dict[str, Any], after: dict[str, Any], writes: list[str]) -> Any:
    name = "-".join(after) or "nothing"
    return pytest.param(before, after, writes, id=f"{name}: {', '.join(writes) or 'no write'}")


MEMBER, UNBIND = "bind servicegroup_servicegroupmember_binding", "delete servicegroup_servicegroupmember_binding"
ONE = {"address": "10.0.3.1", "port": 8080}
TWO = {"address": "10.0.3.2", "port": 8080}
CHANGES = [
    changed({}, {"process_local": True}, ["set lbvserver"]),
    changed({"process_local": True}, {"process_local": False}, ["set lbvserver"]),
    changed({"process_local": True}, {}, []),
    changed({}, {"process_local": False}, []),
    changed({}, {}, []),
    changed({}, {"virtual_ip": None}, []),
    changed({}, {"virtual_ip": "10.0.2.11"}, ["set lbvserver"]),
    changed({}, {"lb_method": "LEASTCONNECTION"}, []),
    changed({}, {"lb_method": "ROUNDROBIN"}, ["set lbvserver"]),
    changed({}, {"persistence": "NONE"}, []),
    changed({}, {"persistence": {"type": "NONE", "timeout": 2}}, []),
    changed({}, {"persistence": "COOKIEINSERT"}, ["set lbvserver"]),
    changed({"persistence": {"type": "SOURCEIP", "timeout": 0}}, {"persistence": "SOURCEIP"}, []),
    changed({"persistence": "SOURCEIP"}, {"persistence": {"type": "SOURCEIP", "timeout": "20"}}, ["set lbvserver"]),
    changed({}, {"ipset": "clients"}, ["set lbvserver"]),
    changed({"ipset": "clients"}, {}, []),
    changed({"ipset": "clients"}, {"ipset": ""}, ["unset lbvserver"]),
    changed({}, {"ipset": ""}, []),
    changed({}, {"backends": None}, []),
    changed({}, {"backends": [TWO, ONE]}, []),
    changed({}, {"backends": [ONE]}, [UNBIND, "delete server"]),
    changed({}, {"backends": [ONE], "purge_backends": False}, []),
    changed({}, {"backends": [{**ONE, "weight": 5}, TWO]}, ["set servicegroup"]),
    changed({}, {"backends": [ONE, TWO, {"address": "10.0.3.2", "port": 8081}]}, [MEMBER]),
    changed({}, {"backends": [{"address": "10.0.3.1", "port": 81}]}, [MEMBER, UNBIND, UNBIND, "delete server"]),
    changed({}, {"backends": []}, [UNBIND, UNBIND, "delete server", "delete server"]),
    changed({}, {"monitor": "ping"}, ["bind servicegroup_lbmonitor_binding"]),
    changed(
        {"monitor": "tcp"},
        {"monitor": "ping"},
        ["bind servicegroup_lbmonitor_binding", "delete servicegroup_lbmonitor_binding"],
    ),
    changed({"monitor": MONITOR}, {"monitor": {**MONITOR, "respcode": ["200"], "interval": "5"}}, []),
    changed({"monitor": MONITOR}, {"monitor": {**MONITOR, "interval": 7}}, ["set lbmonitor"]),
    changed(
        {"monitor": MONITOR},
        {"monitor": {"type": "TCP"}},
        [
            "delete servicegroup_lbmonitor_binding",
            "delete lbmonitor",
            "add lbmonitor",
            "bind servicegroup_lbmonitor_binding",
        ],
    ),
    changed(
        {},
        {"port": 81},
        ["delete lbvserver", "add lbvserver", "bind lbvserver_servicegroup_binding"],
    ),
    changed(
        {},
        {"backend_protocol": "SSL"},
        [
            "delete lbvserver_servicegroup_binding",
            "delete servicegroup",
            "add servicegroup",
            MEMBER,
            MEMBER,
            "bind lbvserver_servicegroup_binding",
        ],
    ),
    changed(
        {},
        {"protocol": "TCP"},
        [
            "delete lbvserver",
            "delete servicegroup",
            "add servicegroup",
            MEMBER,
            MEMBER,
            "add lbvserver",
            "bind lbvserver_servicegroup_binding",
        ],
    ),
    changed({**TLS, "certificate": certificate("one")}, {**TLS, "certificate": certificate("one")}, []),
    changed({**TLS, "certificate": certificate("one")}, {**TLS, "certificate": None}, []),
    changed(
        {**TLS, "certificate": certificate("one")},
        {**TLS, "certificate": certificate("two")},
        ["add systemfile", "add systemfile", "update sslcertkey", "delete systemfile", "delete systemfile"],
    ),
    changed(chained("one", "R3", "X1"), chained("one", "R3", "X1"), []),
    changed(  # a renewal by the same issuer
        chained("one", "R3"),
        chained("two", "R3"),
        ["add systemfile", "add systemfile", "update sslcertkey", "delete systemfile", "delete systemfile"],
    ),
    changed(  # a renewal by another issuer
        chained("one", "R3", "X1"),
        chained("two", "R4"),
        [
            *["add systemfile"] * 3,
            "add sslcertkey",
            "unlink sslcertkey",
            "update sslcertkey",
            "link sslcertkey",
            *["delete sslcertkey"] * 2,
            *["delete systemfile"] * 4,
        ],
    ),
    changed(chained("one"), chained("one", "R3"), ["add systemfile", "add sslcertkey", "link sslcertkey"]),
    changed(chained("one", "R3"), chained("one"), []),
]


@pytest.mark.parametrize(("before", "after", "writes"), CHANGES)
def test_only_what_differs_is_written(before: dict[str, Any], after: dict[str, Any], writes: list[str]) -> None:
    there = appliance()
    converge(there, **before)
    there.writes.clear()
    converge(there, **after)
    assert there.writes == (writes and [*writes, "save"])
    there.writes.clear()
    converge(there, **after)
    assert there.writes == [], "the second run has nothing to do"


@pytest.mark.parametrize(("before", "after", "writes"), [*CHANGES, changed({}, {"state": "absent"}, ["all"])])
def test_killed_at_any_write_and_run_again_it_ends_the_same(
    before: dict[str, Any], after: dict[str, Any], writes: list[str]
) -> None:
    straight = appliance()
    converge(straight, **before)
    straight.writes.clear()
    converge(straight, **after)
    assert bool(straight.writes) == bool(writes)
    for number, when in itertools.product(range(1, len(straight.writes) + 1), ("before", "after")):
        there = appliance()
        converge(there, **before)
        there.kill_at = (len(there.writes) + number, when)
        with pytest.raises(Killed):
            converge(there, **after)
        there.kill_at = None
        converge(there, **after)
        assert_same(there, straight)


@pytest.mark.parametrize(
    "options",
    [
        {"monitor": MONITOR, "ipset": "clients"},
        chained("x", "R3", "X1"),
        {**TLS, "certificate": certificate("x", "R3", name="shared")},
    ],
)
def test_killed_while_building_or_removing_all_of_it(options: dict[str, Any]) -> None:
    built, gone = appliance(), appliance()
    converge(built, **options)
    for number, when in itertools.product(range(1, len(built.writes) + 1), ("before", "after")):
        there = appliance()
        there.kill_at = (number, when)
        with pytest.raises(Killed):
            converge(there, **options)
        there.kill_at = None
        converge(there, **options)
        assert_same(there, built)
        there.kill_at = (len(there.writes) + number, when)
        try:
            converge(there, state="absent")
        except Killed:
            there.kill_at = None
            converge(there, state="absent")
        assert_same(there, gone)


def assert_same(there: MemoryAppliance, other: MemoryAppliance) -> None:
    for kind in there.objects:
        assert sorted(map(repr, there.objects[kind])) == sorted(map(repr, other.objects[kind])), kind
    assert there.saved == there.objects


def test_a_server_known_under_another_name_is_used_by_it_and_left_there() -> None:
    there = appliance(server=[{"name": "db-one", "ipaddress": "10.0.3.1", "comment": "by hand"}])
    converge(there)
    members = there.objects["servicegroup_servicegroupmember_binding"]
    assert [row["servername"] for row in members] == ["db-one", "10.0.3.2"]
    converge(there, state="absent")
    assert [row["name"] for row in there.objects["server"]] == ["db-one"]


def test_a_server_that_another_application_uses_goes_with_the_last_of_them() -> None:
    there = appliance()
    converge(there)
    converge(there, name="api", port=81)
    converge(there, state="absent")
    assert [row["name"] for row in there.objects["server"]] == ["10.0.3.1", "10.0.3.2"]
    converge(there, name="api", state="absent")
    assert there.objects["server"] == []


def test_a_server_that_a_service_uses_stays() -> None:
    there = appliance(service=[{"name": "svc", "servername": "10.0.3.1", "ipaddress": "10.0.3.1"}])
    converge(there)
    converge(there, state="absent")
    assert [row["name"] for row in there.objects["server"]] == ["10.0.3.1"]


def test_absent_leaves_what_is_not_its_own() -> None:
    others = {
        "sslcertkey": [{"certkey": "bought", "cert": "bought.crt", "key": "bought.key"}],
        "systemfile": [{"filename": "bought.crt", "filelocation": "/nsconfig/ssl"}],
    }
    there, untouched = appliance(**others), appliance(**others)
    converge(there, **TLS, certificate={"certkey": "bought"}, monitor="ping", ipset="clients")
    converge(there, state="absent")
    assert_same(there, untouched)
    assert converge(there, state="absent") is None


@pytest.mark.parametrize(("enabled", "steps"), [(True, ["enable lbvserver web"]), (False, [])])
def test_virtual_server_that_was_disabled_is_enabled_on_request(enabled: bool, steps: list[str]) -> None:
    there = appliance()
    converge(there)
    there.objects["lbvserver"][0]["curstate"] = "OUT OF SERVICE"
    spec = application.desired_from({**OPTIONS, "enabled": enabled})
    found = read(there, spec, present=True)
    assert [step.phrase for step in plan_present(spec, found)] == steps
    assert (application.describe(spec, found) or {})["enabled"] is False
    assert application.predict(spec, found)["enabled"] is enabled


def test_only_what_was_made_here_is_known_by_its_mark() -> None:
    there = appliance()
    converge(there)
    spec = application.desired_from({**OPTIONS, "state": "absent", "only_own": True})
    assert application.made_here(spec, read(there, spec, present=False))
    for server in there.objects["server"]:
        server["comment"] = "of the network team"
    assert not application.made_here(spec, read(there, spec, present=False))


def test_without_a_virtual_ip_a_new_vserver_takes_the_lowest_of_its_ipset() -> None:
    there = appliance()
    reported = converge(there, virtual_ip=None, ipset="clients")
    assert reported is not None
    assert reported["virtual_ip"] == "10.0.2.10"
    reported = converge(there, virtual_ip=None, ipset="clients", port=81)
    assert reported is not None
    assert (reported["virtual_ip"], reported["port"]) == ("10.0.2.10", 81)


def test_another_certificate_is_bound_before_the_first_is_unbound() -> None:
    there = appliance(sslcertkey=[{"certkey": "bought", "cert": "bought.crt", "key": "bought.key"}])
    converge(there, **TLS, certificate=certificate("one"))
    there.writes.clear()
    reported = converge(there, **TLS, certificate={"certkey": "bought"})
    assert there.writes == ["bind sslvserver_sslcertkey_binding", "delete sslvserver_sslcertkey_binding", "save"]
    assert reported is not None
    assert reported["certificate"] == "bought"


def test_a_passphrase_goes_with_its_key() -> None:
    there = appliance()
    converge(there, **TLS, certificate={**certificate("one"), "passphrase": "geheim"})
    loaded = there.objects["sslcertkey"][0]
    assert (loaded["password"], loaded["passplain"]) == (True, "geheim")


def links(there: MemoryAppliance) -> dict[str, str]:
    return {row["certkey"]: row.get("linkcertkeyname", "") for row in there.objects["sslcertkey"]}


def authority(text: str) -> str:
    return f"cloudadc-ca-{digest(CERT.format(text))}"


def test_intermediates_are_loaded_once_and_linked_from_the_server_up() -> None:
    there = appliance()
    converge(there, **chained("one", "R3", "X1"))
    converge(there, name="api", **{**chained("two", "R3", "X1"), "port": 444})
    issuers = {authority("R3"): authority("X1"), authority("X1"): ""}
    assert links(there) == {"web-cert": authority("R3"), "api-cert": authority("R3"), **issuers}
    assert all(len(name) <= 31 for name in links(there))
    converge(there, state="absent")
    assert links(there) == {"api-cert": authority("R3"), **issuers}
    converge(there, name="api", state="absent")
    assert (there.objects["sslcertkey"], there.objects["systemfile"]) == ([], [])


def test_an_intermediate_of_another_name_is_linked_by_its_name() -> None:
    """273, "Resource already exists [certkeyName Contents, …]": an appliance takes a certificate once."""
    there = appliance()
    content = base64.b64encode(CERT.format("R3").encode()).decode()
    there.objects["systemfile"].append({"filename": "r3.pem", "filelocation": "/nsconfig/ssl", "filecontent": content})
    there.objects["sslcertkey"].append({"certkey": "R3", "cert": "r3.pem", "certificatetype": ["INTM_CERT"]})
    converge(there, **chained("one", "R3"))
    assert links(there) == {"R3": "", "web-cert": "R3"}
    there.writes.clear()
    converge(there, **chained("one", "R3"))
    assert there.writes == []
    converge(there, state="absent")
    assert links(there) == {"R3": ""}


def test_an_intermediate_that_is_linked_keeps_its_link() -> None:
    there = appliance()
    converge(there, **chained("one", "R3", "X1"))
    converge(there, name="api", **{**chained("two", "R3", "X2"), "port": 444})
    assert links(there)[authority("R3")] == authority("X1")
    there.writes.clear()
    converge(there, **chained("one", "R3", "X1"))
    converge(there, name="api", **{**chained("two", "R3", "X2"), "port": 444})
    assert there.writes == []


def test_applications_share_a_certificate_under_a_name_and_the_last_one_removes_it() -> None:
    there = appliance()
    shared = {**TLS, "certificate": certificate("wild", "R3", name="wildcard")}
    converge(there, **shared)
    there.writes.clear()
    converge(there, name="api", **{**shared, "port": 444})
    assert "add sslcertkey" not in there.writes
    renewed = {**TLS, "certificate": certificate("new", "R3", name="wildcard")}
    converge(there, **renewed)
    there.writes.clear()
    converge(there, name="api", **{**renewed, "port": 444})
    assert there.writes == []
    converge(there, state="absent")
    assert set(links(there)) == {"wildcard", authority("R3")}
    converge(there, name="api", state="absent")
    assert (there.objects["sslcertkey"], there.objects["systemfile"]) == ([], [])


def test_a_certificate_that_another_application_has_is_an_obstacle_that_says_the_way_out() -> None:
    there = appliance()
    converge(there, **chained("one"))
    spec = application.desired_from({**OPTIONS, **chained("one"), "name": "api", "port": 444})
    [message] = application.obstacles(spec, read(there, spec, present=True))
    assert "certkey 'web-cert' on this appliance holds the same certificate" in message
    assert "certificate.name" in message


@pytest.mark.parametrize(("systemtype", "sync"), [("HA", "sync hafiles"), ("Cluster", "sync clusterfiles")])
def test_files_are_synchronised_before_the_first_certkey_that_needs_them(systemtype: str, sync: str) -> None:
    there = appliance()
    there.systemtype = systemtype
    converge(there, **chained("one", "R3"))
    assert there.writes[:5] == [*["add systemfile"] * 3, sync, "add sslcertkey"]
    there.writes.clear()
    converge(there, **chained("one", "R3"))
    assert there.writes == []


def test_files_that_an_interrupted_run_left_are_synchronised_by_the_next() -> None:
    there = appliance()
    there.systemtype = "HA"
    there.kill_at = (2, "after")
    with pytest.raises(Killed):
        converge(there, **chained("one"))
    there.kill_at = None
    there.writes.clear()
    converge(there, **chained("one"))
    assert there.writes[:2] == ["sync hafiles", "add sslcertkey"]


def test_an_appliance_may_list_its_default_monitor_which_cannot_be_unbound() -> None:
    there = appliance()
    converge(there)
    there.objects["lbmonitor"].append({"monitorname": "tcp-default", "type": "TCP"})
    there.objects["servicegroup_lbmonitor_binding"].append(
        {"servicegroupname": "web-sg", "monitor_name": "tcp-default"}
    )
    spec = application.desired_from({**OPTIONS, "monitor": "ping"})
    steps = plan_present(spec, read(there, spec, present=True))
    assert [(step.verb, step.resource) for step in steps] == [("bind", "servicegroup_lbmonitor_binding")]


@pytest.mark.parametrize(
    ("there", "options", "message"),
    [
        (appliance(nsfeature=[{"feature": ["SSL"], "lb": False}]), {}, ["feature LB is not enabled"]),
        (appliance(nsfeature=[{"feature": ["LB"]}]), TLS, ["feature SSL is not enabled"]),
        (appliance(nsfeature=[{"feature": ["LB"]}]), {"backend_protocol": "SSL"}, ["feature SSL is not enabled"]),
        (appliance(), {"ipset": "nope"}, ["there is no IPSet 'nope' on this appliance"]),
        (appliance(), {"monitor": "nope"}, ["there is no monitor 'nope' on this appliance"]),
        (
            appliance(),
            {**TLS, "certificate": {"certkey": "nope"}},
            ["there is no certkey 'nope' on this appliance"],
        ),
        (appliance(), {"virtual_ip": None}, ["virtual_ip or ipset is needed to create its virtual server"]),
        (
            appliance(ipset=[{"name": "empty"}]),
            {"virtual_ip": None, "ipset": "empty"},
            ["virtual_ip is needed, for IPSet 'empty' holds no address to take"],
        ),
    ],
)
def test_what_must_be_there_first_is_said(there: MemoryAppliance, options: dict[str, Any], message: list[str]) -> None:
    spec = application.desired_from({**OPTIONS, **options})
    obstacles = application.obstacles(spec, read(there, spec, present=True))
    assert obstacles == [f"application 'web': {sentence}" for sentence in message]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "-web"}, "'-web' is not a name"),
        ({"port": 0}, "port must be from 1 to 65535, not 0"),
        ({"port": 65536}, "port must be from 1 to 65535, not 65536"),
        ({"virtual_ip": "vip"}, "'vip' is not an IP address"),
        ({"backends": [{"address": "a", "port": 80}]}, "'a' is not an IP address"),
        ({"backends": [{"address": "10.0.3.1", "port": 70000}]}, "the port of back end 10.0.3.1 must be from 1"),
        ({"backends": [{**ONE, "weight": 101}]}, "weight of back end 10.0.3.1 port 8080 must be from 1 to 100"),
        ({"backends": [{**ONE, "weight": 1}, {**ONE, "weight": 2}]}, "given twice with different weights"),
        ({"persistence": {"timeout": 5}}, "persistence must be a type, or"),
        ({"persistence": {"type": "SOURCEIP", "timeout": 1441}}, "from 0 to 1440 minutes, not '1441'"),
        ({"persistence": ["SOURCEIP"]}, "persistence must be a type, or"),
        ({"monitor": {"interval": 5}}, "monitor must be the name of a monitor, or"),
        ({"monitor": {"type": "HTTP", "monitorname": "x"}}, "always named 'web-mon'"),
        ({"certificate": certificate("x")}, "needs a protocol that ends TLS, not HTTP"),
        ({**TLS, "certificate": {**certificate("x"), "content": "text"}}, "must hold a certificate in PEM form"),
        ({**TLS, "certificate": {**certificate("x"), "content": CERT.format("a") * 11}}, "9 intermediates at most"),
        ({**TLS, "certificate": {**certificate("x"), "name": "n" * 32}}, "certificate.name 'n+' is not a name"),
        ({**TLS, "certificate": {**certificate("x"), "key": "text"}}, "certificate.key must be a private key"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        application.desired_from({**OPTIONS, **options})


def test_secrets_are_in_no_representation() -> None:
    secret = {"type": "LDAP", "password": "geheim-1"}
    spec = application.desired_from({**OPTIONS, **TLS, "monitor": secret, "certificate": certificate("geheim-2")})
    found = read(appliance(), spec, present=True)
    shown = repr(spec) + repr(plan_present(spec, found)) + repr(application.predict(spec, found))
    assert "geheim" not in shown
    assert application.secrets_in(secret) == {"geheim-1"}
    assert application.secrets_in("ping") == application.secrets_in(None) == set()


def test_a_password_of_a_monitor_is_no_eternal_change() -> None:
    there = appliance()
    converge(there, monitor={"type": "LDAP", "password": "geheim"})
    there.objects["lbmonitor"][-1].pop("password")
    there.save()
    there.writes.clear()
    converge(there, monitor={"type": "LDAP", "password": "geheim"})
    assert there.writes == []


@pytest.mark.parametrize(
    ("options", "reads"),
    [({}, 7), ({"monitor": MONITOR}, 8), ({**TLS, "certificate": certificate("x")}, 10), ({"backends": None}, 6)],
)
def test_the_call_budget_of_reading(options: dict[str, Any], reads: int) -> None:
    there = appliance()
    converge(there, **options)
    there.reads.clear()
    converge(there, **options)
    once = (len(there.reads) - 1) / 2  # converge reads twice, and asks once whether something is unsaved
    assert once == reads


def test_file_names_differ_for_applications_whose_names_do() -> None:
    names = ["web", "web.1", "web 1", "web-1", "w" * 60, "w" * 61]
    stems = set()
    for name in names:
        spec = application.desired_from({**OPTIONS, **TLS, "name": name, "certificate": certificate("x")})
        assert spec.certificate is not None
        stems |= set(spec.certificate.files)
        assert [other for other in names if certificates.is_own_file(other, next(iter(spec.certificate.files)))] == [
            name
        ]
    assert len(stems) == 2 * len(names)


def test_a_member_known_by_a_domain_name_has_no_address() -> None:
    there = appliance()
    converge(there)
    there.objects["server"].append({"name": "db", "ipaddress": "0.0.0.0", "domain": "db.example.com"})
    member = {"servicegroupname": "web-sg", "servername": "db", "port": 5432}
    there.objects["servicegroup_servicegroupmember_binding"].append(member)
    reported = converge(there, purge_backends=False)
    assert reported is not None
    assert reported["backends"][0] == {"address": None, "port": 5432, "weight": 1, "state": "UP", "reason": None}
    assert converge(there) is not None
    assert there.writes[-2:] == ["delete servicegroup_servicegroupmember_binding", "save"]
    assert "db" in [row["name"] for row in there.objects["server"]], "a server that was not made here stays"


@pytest.mark.parametrize(
    ("row", "taken"),
    [
        ({"ipv46": "10.0.2.10", "port": 80}, True),
        ({"ipv46": "10.0.2.10", "port": "65535"}, True),
        ({"ipv46": "10.0.2.10", "port": 81}, False),
        ({"ipv46": "10.0.2.11", "port": 80}, False),
        ({"ipv46": "10.0.2.10", "port": 80, "name": "web", "servicetype": "HTTP"}, False),
    ],
)
def test_an_address_and_port_that_another_has_is_an_obstacle(row: dict[str, Any], taken: bool) -> None:
    there = appliance(lbvserver=[{"name": "shop", "servicetype": "TCP", **row}])
    spec = application.desired_from(OPTIONS)
    message = (
        ["application 'web': 10.0.2.10 port 80 is taken by virtual server 'shop' on this appliance"] if taken else []
    )
    there.objects["nsfeature"] = [{"feature": ["LB"]}]
    assert application.obstacles(spec, read(there, spec, present=True)) == message


def test_one_that_moves_to_where_another_is_meets_the_same_obstacle() -> None:
    there = appliance()
    converge(there)
    there.objects["lbvserver"].append({"name": "shop", "servicetype": "HTTP", "ipv46": "10.0.12.10", "port": 80})
    spec = application.desired_from({**OPTIONS, "virtual_ip": "10.0.12.10"})
    [message] = application.obstacles(spec, read(there, spec, present=True))
    assert "is taken by virtual server 'shop'" in message
    assert converge(there) is not None, "an unchanged address has no conflict"
