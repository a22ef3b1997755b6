"""Applications: what is written for what is wanted and found, and that a run killed anywhere ends like a whole one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import application
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.application_plan import plan_absent, plan_present
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.application_read import read
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import carry_out
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


def certificate(text: str) -> dict[str, Any]:
    return {"certkey": None, "content": CERT.format(text), "key": KEY.format(text), "passphrase": None}


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
    desired = application.desired_from(params)
    found = read(there, desired, present=present)
    if present:
        assert application.obstacles(desired, found) == []
    steps = plan_present(desired, found) if present else plan_absent(desired, found)
    predicted = application.predict(desired, found) if present else None
    carry_out(there, steps, save=True)
    reported = application.describe(desired, read(there, desired, present=present))
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
    "options", [{"monitor": MONITOR, "ipset": "clients"}, {**TLS, "certificate": certificate("x")}]
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
    assert there.objects["sslcertkey"][0]["passplain"] == "geheim"


def test_an_appliance_may_list_its_default_monitor_which_cannot_be_unbound() -> None:
    there = appliance()
    converge(there)
    there.objects["lbmonitor"].append({"monitorname": "tcp-default", "type": "TCP"})
    there.objects["servicegroup_lbmonitor_binding"].append(
        {"servicegroupname": "web-sg", "monitor_name": "tcp-default"}
    )
    desired = application.desired_from({**OPTIONS, "monitor": "ping"})
    steps = plan_present(desired, read(there, desired, present=True))
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
    desired = application.desired_from({**OPTIONS, **options})
    obstacles = application.obstacles(desired, read(there, desired, present=True))
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
        ({**TLS, "certificate": {**certificate("x"), "content": "text"}}, "exactly one certificate"),
        ({**TLS, "certificate": {**certificate("x"), "content": CERT.format("a") * 2}}, "exactly one certificate"),
        ({**TLS, "certificate": {**certificate("x"), "key": "text"}}, "certificate.key must be a private key"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        application.desired_from({**OPTIONS, **options})


def test_secrets_are_in_no_representation() -> None:
    secret = {"type": "LDAP", "password": "geheim-1"}
    desired = application.desired_from({**OPTIONS, **TLS, "monitor": secret, "certificate": certificate("geheim-2")})
    found = read(appliance(), desired, present=True)
    shown = repr(desired) + repr(plan_present(desired, found)) + repr(application.predict(desired, found))
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
        desired = application.desired_from({**OPTIONS, **TLS, "name": name, "certificate": certificate("x")})
        assert desired.certificate is not None
        stems |= set(desired.certificate.files)
        assert [other for other in names if application.is_own_file(other, next(iter(desired.certificate.files)))] == [
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
    desired = application.desired_from(OPTIONS)
    message = (
        ["application 'web': 10.0.2.10 port 80 is taken by virtual server 'shop' on this appliance"] if taken else []
    )
    there.objects["nsfeature"] = [{"feature": ["LB"]}]
    assert application.obstacles(desired, read(there, desired, present=True)) == message


def test_one_that_moves_to_where_another_is_meets_the_same_obstacle() -> None:
    there = appliance()
    converge(there)
    there.objects["lbvserver"].append({"name": "shop", "servicetype": "HTTP", "ipv46": "10.0.12.10", "port": 80})
    desired = application.desired_from({**OPTIONS, "virtual_ip": "10.0.12.10"})
    [message] = application.obstacles(desired, read(there, desired, present=True))
    assert "is taken by virtual server 'shop'" in message
    assert converge(there) is not None, "an unchanged address has no conflict"
