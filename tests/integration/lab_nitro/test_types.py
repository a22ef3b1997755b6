"""JSON types of every property that the appliances send, and that they send none that the reference does not have.

Recordings: elastic/integrations, packages/citrix_adc/data_stream/*/_dev/test/pipeline (system, lbvserver, service,
interface); the samples of the module netscaler_facts (service, servicegroup, server, lbmonitor, lbvserver, Interface);
whole replies in comments of a Terraform provider (service, lbvserver). What they agree on:
Double is a string, but for rates, percentages and those named here; Integer is a number; Boolean is true or false.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client
from tests.lab.appliance.fleet import known_types
from tests.lab.appliance.schema import Resource, catalogue
from tests.lab.appliance.stats import READERS

SENSORS = ["12n", "5n", "sen2", "5sb", "tt", "bat", "12p", "5p", "33stby", "33main", "cc1", "cc0"]
RECORDED_NUMBERS: dict[str, set[str]] = {
    "stat/system": {
        *(f"auxvolt{number}" for number in range(8)),
        *(f"voltagev{name}" for name in SENSORS),
        *(f"auxtemp{number}" for number in range(4)),
        *(f"disk{disk}{what}" for disk in (0, 1) for what in ("size", "used", "avail", "perusage")),
        *(f"fan{number}speed" for number in (0, 2, 3, 4, 5)),
        *("cpufan0speed", "cpufan1speed", "systemfanspeed", "fanspeed", "cpu0temp", "cpu1temp", "internaltemp"),
    },
    "stat/lbvserver": {"cltresponsetimeapdex"},
    "config/lbvserver": {"timeout", "backuppersistencetimeout"},
    "config/service": {"clttimeout", "svrtimeout", "delay", "numofconnections"},
    "config/servicegroup": {"clttimeout", "svrtimeout", "delay", "numofconnections"},
    "config/server": {"delay"},
    "config/lbmonitor": {
        *("interval", "resptimeout", "retries", "downtime", "successretries", "failureretries", "alertretries"),
        *("lrtmconf",),
    },
}
# Type assertions of the vendor's own clients (nitro.md, section 2.3).
ASSERTED_NUMBERS: dict[str, set[str]] = {
    "config/hanode": {"hellointerval", "deadinterval", "masterstatetime"},
    "config/clusternode": {"delay"},
    "config/clusterinstance": {"deadinterval", "hellointerval"},
}
KINDS = {"s": str, "b": bool, "i": int, "S": list, "I": list}


@pytest.fixture
def full(bench: Bench) -> Client:
    """Return an appliance with one object at least of whatever the product configures, and a peer."""
    node = bench.booted("i-0aaa", "127.77.1.10", "127.77.2.10", "127.77.2.11")
    peer = bench.booted("i-0bbb", "127.77.21.10", "127.77.22.10")
    node.do("nsfeature", "enable", feature=["LB", "SSL", "CS"])
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP")
    node.add("nsip", ipaddress="127.77.2.10", netmask="255.255.255.255", type="VIP")
    node.add("ipset", name="ips")
    node.bind("ipset_nsip_binding", name="ips", ipaddress="127.77.2.10")
    node.add("vlan", id=10)
    node.add("route", network="127.77.200.0", netmask="255.255.255.0", gateway="127.77.2.1")
    node.add("nspbr", name="back", action="ALLOW", srcip=True, srcipval="127.77.2.10", priority=10)
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=8080, ipset="ips")
    node.add("lbvserver", name="secure", servicetype="SSL", ipv46="127.77.2.10", port=8443)
    node.add("csvserver", name="switch", servicetype="HTTP", ipv46="127.77.2.10", port=8081)
    node.add("lbmonitor", monitorname="probe", type="HTTP", interval=7)
    node.add("service", name="s", ip="127.77.3.1", servicetype="HTTP", port=80)
    node.add("servicegroup", servicegroupname="g", servicetype="HTTP")
    node.bind("servicegroup_servicegroupmember_binding", servicegroupname="g", ip="127.77.3.2", port=80)
    node.bind("lbvserver_service_binding", name="web", servicename="s")
    node.bind("lbvserver_servicegroup_binding", name="web", servicegroupname="g")
    node.bind("service_lbmonitor_binding", name="s", monitor_name="probe")
    node.add("sslcertkey", certkey="shipped", cert="ns-server.cert", key="ns-server.key")
    node.bind("sslvserver_sslcertkey_binding", vservername="secure", certkeyname="shipped")
    node.add("systemfile", filename="f", filelocation="/nsconfig/ssl", filecontent="eA==")
    node.add("nslicenseserver", servername="console", port=27000)
    node.add("hanode", id=1, ipaddress="127.77.21.10", inc="ENABLED")
    peer.add("hanode", id=1, ipaddress="127.77.1.10", inc="ENABLED")
    bench.wait(30)
    return node.login(PASSWORD)


def _number(name: str, path: str) -> bool:
    named = RECORDED_NUMBERS.get(path, set()) | ASSERTED_NUMBERS.get(path, set())
    return name.endswith(("rate", "pcnt", "perusage")) or name in named


def _faults(path: str, resource: Resource, row: dict[str, Any]) -> list[str]:
    found = []
    for name, value in row.items():
        field = resource.fields.get(name)
        if field is None:
            found.append(f"{path}: {name} is no property of the reference")
            continue
        if field.kind == "d":
            desired: Any = (int, float) if _number(name, path) else str
        else:
            desired = KINDS[field.kind]
        if not isinstance(value, desired) or (isinstance(value, bool) and field.kind != "b"):
            found.append(f"{path}: {name} is {value!r}, not {desired}")
    return found


def _rows(content: Any) -> list[dict[str, Any]]:
    return content if isinstance(content, list) else [content] if content else []


def _config(node: Client, name: str) -> list[dict[str, Any]]:
    reply = node.get(f"config/{name}")
    return _rows(reply.json().get(name)) if reply.ok else []


def test_every_property_of_the_configuration_has_its_type(full: Client) -> None:
    observed, faults = 0, []
    for name in known_types():
        for row in [] if name.endswith("_binding") else _config(full, name):
            observed += len(row)
            faults += _faults(f"config/{name}", catalogue()[f"config/{name}"], row)
    assert not faults, "\n".join(faults)
    assert observed > 1000


def test_every_property_of_a_cluster_has_its_type(bench: Bench) -> None:
    node = bench.booted("i-0aaa", "127.77.1.10")
    node.add("clusterinstance", clid=1)
    node.add("clusternode", nodeid=0, ipaddress="127.77.1.10", state="ACTIVE", backplane="0/1/1")
    faults = []
    for path in ("config/clusterinstance", "config/clusternode"):
        for row in _config(node, path.partition("/")[2]):
            faults += _faults(path, catalogue()[path], row)
    assert not faults, "\n".join(faults)


def test_every_property_of_the_statistics_has_its_type(full: Client) -> None:
    observed, faults = 0, []
    for name in READERS:
        rows = _rows(full.get(f"stat/{name}").json().get(name))
        for row in rows:
            observed += len(row)
            faults += _faults(f"stat/{name}", catalogue()[f"stat/{name}"], row)
    assert not faults, "\n".join(faults)
    assert observed > 500


def test_bindings_have_their_types(full: Client) -> None:
    faults = []
    for name, ident in (
        ("ipset_nsip_binding", "ips"),
        ("lbvserver_service_binding", "web"),
        ("lbvserver_servicegroup_binding", "web"),
        ("servicegroup_servicegroupmember_binding", "g"),
        ("service_lbmonitor_binding", "s"),
        ("sslvserver_sslcertkey_binding", "secure"),
    ):
        rows = _rows(full.get(f"config/{name}/{ident}").json()[name])
        for row in rows:
            faults += _faults(f"config/{name}", catalogue()[f"config/{name}"], row)
    assert not faults, "\n".join(faults)
