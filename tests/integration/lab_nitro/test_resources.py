"""Addresses, IPSets, load balancing, certificates, licences: what their behaviours add to plain CRUD.

Sources: vendor NITRO reference 12.1 (ns/nsip, network/ipset, lb/lbvserver, basic/service, basic/servicegroup,
ssl/sslcertkey, system/systemfile, ns/nscapacity, ns/nslicenseserver), error list 12.1; the project's fact sheet §3,
§6, §7.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.integration.lab_nitro.harness import Bench, Client, refused

VIP, SECOND = "127.77.2.10", "127.77.2.11"
FILE = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()


def vip(node: Client, address: str = VIP, kind: str = "VIP") -> None:
    node.add("nsip", ipaddress=address, netmask="255.255.255.255", type=kind)


def application(node: Client, **vserver: object) -> None:
    """Create a virtual server with a service and a service group of two members."""
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46=VIP, port=8080, **vserver)
    node.add("service", name="s1", ip="127.77.3.1", servicetype="HTTP", port=8000)
    node.bind("lbvserver_service_binding", name="web", servicename="s1", weight=10)
    node.add("servicegroup", servicegroupname="sg1", servicetype="HTTP")
    for last in (2, 3):
        node.bind("servicegroup_servicegroupmember_binding", servicegroupname="sg1", ip=f"127.77.3.{last}", port=8000)
    node.bind("lbvserver_servicegroup_binding", name="web", servicegroupname="sg1")


def test_an_address_reads_back_with_its_defaults(node: Client) -> None:
    node.add("nsip", ipaddress=SECOND, netmask="255.255.255.0")
    (row,) = node.rows("nsip", f"/{SECOND}")
    assert (row["type"], row["iptype"], row["arp"], row["td"], row["ownernode"]) == (
        "SNIP",
        ["SNIP"],
        "ENABLED",
        "0",
        "255",
    )
    assert (row["mgmtaccess"], row["ssh"], row["gui"]) == ("DISABLED", "DISABLED", "DISABLED")
    assert [row["ipaddress"] for row in node.rows("nsip", "?filter=type:SNIP")] == [SECOND]
    assert refused(node.put("config/nsip", {"nsip": {"ipaddress": SECOND, "type": "VIP"}})) == (599, 278)
    assert refused(node.post("config/nsip", {"nsip": {"ipaddress": "127.77.2.12"}})) == (400, 1095)
    assert refused(node.post("config/nsip", {"nsip": {"ipaddress": "x", "netmask": "255.0.0.0"}})) == (400, 1110)


def test_the_nsip_cannot_be_removed(node: Client) -> None:
    assert refused(node.delete("config/nsip/127.77.1.10")) == (599, 2510)


def test_addresses_in_use_cannot_be_removed(node: Client) -> None:
    vip(node)
    vip(node, SECOND)
    node.add("ipset", name="ips")
    node.bind("ipset_nsip_binding", name="ips", ipaddress=SECOND)
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46=VIP, port=8080, ipset="ips")
    assert refused(node.delete(f"config/nsip/{SECOND}")) == (599, 2407)
    assert refused(node.delete(f"config/nsip/{VIP}")) == (599, 2407)
    assert node.delete("config/lbvserver/web").status_code == 200
    assert node.delete(f"config/nsip?args=ipaddress:{VIP},td:0").status_code == 200


def test_an_ipset_in_use_cannot_be_removed_until_it_is_unset(bench: Bench, node: Client) -> None:
    node.add("ipset", name="ips")
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46=VIP, port=8080, ipset="ips")
    assert refused(node.delete("config/ipset/ips")) == (599, 1070)
    bench.side.settings.ipset_in_use_code = 3952
    assert refused(node.delete("config/ipset/ips")) == (599, 3952)
    node.do("lbvserver", "unset", name="web", ipset=True)
    assert node.delete("config/ipset/ips").status_code == 200


@pytest.mark.parametrize("kind", [None, "NSIP"])
def test_only_an_address_the_appliance_has_as_vip_or_snip_joins_an_ipset(node: Client, kind: str | None) -> None:
    node.add("ipset", name="ips")
    address = "127.77.1.10" if kind else SECOND
    body = {"ipset_nsip_binding": {"name": "ips", "ipaddress": address}}
    assert refused(node.put("config/ipset_nsip_binding", body))[0] == 599
    if kind is None:
        vip(node, SECOND, "SNIP")
        assert node.put("config/ipset_nsip_binding", body).status_code == 201


def test_a_vserver_brings_its_vip_and_takes_it_away(node: Client) -> None:
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46=VIP, port=8080)
    assert [row["type"] for row in node.rows("nsip", f"/{VIP}")] == ["VIP"]
    same = {"lbvserver": {"name": "x", "servicetype": "TCP", "ipv46": VIP, "port": 8080}}
    assert refused(node.post("config/lbvserver", same)) == (409, 273)
    node.add("lbvserver", name="api", servicetype="HTTP", ipv46=VIP, port=8081)
    node.delete("config/lbvserver/web")
    assert node.get(f"config/nsip/{VIP}").status_code == 200
    node.delete("config/lbvserver/api")
    assert node.get(f"config/nsip/{VIP}").status_code == 404


def test_states_of_an_application(bench: Bench, node: Client) -> None:
    up = {("127.77.3.1", 8000), ("127.77.3.2", 8000)}
    bench.side.set_backend_probe(lambda address, port: (address, port) in up)
    application(node)
    (row,) = node.rows("lbvserver", "/web")
    assert (row["curstate"], row["totalservices"], row["activeservices"], row["health"]) == ("UP", "3", "2", "66")
    members = node.rows("servicegroup_servicegroupmember_binding", "/sg1")
    assert [(one["ip"], one["port"], one["svrstate"], one["weight"]) for one in members] == [
        ("127.77.3.2", 8000, "UP", "1"),
        ("127.77.3.3", 8000, "DOWN", "1"),
    ]
    assert node.rows("service", "/s1")[0]["svrstate"] == "UP"
    assert node.rows("service", "/s1")[0]["ipaddress"] == "127.77.3.1"
    assert node.rows("lbvserver_service_binding", "/web")[0]["weight"] == "10"
    up.clear()
    assert node.rows("lbvserver", "/web")[0]["curstate"] == "DOWN"
    assert set(node.rows("lbvserver_binding", "/web")[0]) == {
        "name",
        "lbvserver_service_binding",
        "lbvserver_servicegroup_binding",
    }


def test_traffic_goes_to_members_that_are_up_and_enabled(bench: Bench, node: Client) -> None:
    up = {("127.77.3.1", 8000), ("127.77.3.2", 8000)}
    bench.side.set_backend_probe(lambda address, port: (address, port) in up)
    application(node)
    found = bench.side.vserver(VIP, 8080)
    assert found is not None
    assert (found.name, found.protocol, set(found.backends)) == ("web", "HTTP", up)
    assert list(bench.side.vserver_ports()) == [8080]
    assert bench.side.vserver(VIP, 8081) is None
    assert bench.side.vserver(SECOND, 8080) is None
    node.do("server", "disable", name="127.77.3.2")
    assert bench.side.vserver(VIP, 8080).backends == (("127.77.3.1", 8000),)  # type: ignore[union-attr]
    node.do("service", "disable", name="s1")
    assert bench.side.vserver(VIP, 8080) is None
    node.do("service", "enable", name="s1")
    node.do("lbvserver", "disable", name="web")
    assert bench.side.vserver(VIP, 8080) is None
    node.do("lbvserver", "enable", name="web")
    node.do("nsfeature", "disable", feature=["LB"])
    assert bench.side.vserver(VIP, 8080) is None


def test_a_vserver_answers_at_the_addresses_of_its_ipset(bench: Bench, node: Client) -> None:
    vip(node, SECOND)
    node.add("ipset", name="ips")
    application(node, ipset="ips")
    assert bench.side.vserver(SECOND, 8080) is None
    node.bind("ipset_nsip_binding", name="ips", ipaddress=SECOND)
    assert bench.side.vserver(SECOND, 8080) is not None
    node.delete(f"config/ipset_nsip_binding/ips?args=ipaddress:{SECOND}")
    assert bench.side.vserver(SECOND, 8080) is None


def test_a_graceful_shutdown_takes_its_delay(bench: Bench, node: Client) -> None:
    application(node)
    node.do("service", "disable", name="s1", delay=60, graceful="YES")
    assert node.rows("service", "/s1")[0]["svrstate"] == "GOING OUT OF SERVICE"
    bench.wait(61, step=10)
    assert node.rows("service", "/s1")[0]["svrstate"] == "OUT OF SERVICE"
    member = {"servicegroupname": "sg1", "servername": "127.77.3.2", "port": 8000}
    node.do("servicegroup", "disable", **member, delay=30)
    states = {row["ip"]: row["svrstate"] for row in node.rows("servicegroup_servicegroupmember_binding", "/sg1")}
    assert states == {"127.77.3.2": "GOING OUT OF SERVICE", "127.77.3.3": "UP"}
    reply = node.post("config/lbvserver?action=disable", {"lbvserver": {"name": "web", "delay": 5}})
    assert refused(reply)[0] == 400


def test_members_are_named_by_address_or_by_server_but_not_by_both(node: Client) -> None:
    node.add("server", name="one", ipaddress="127.77.3.1")
    node.add("servicegroup", servicegroupname="sg1", servicetype="HTTP")
    kind = "servicegroup_servicegroupmember_binding"
    both = {kind: {"servicegroupname": "sg1", "ip": "127.77.3.1", "servername": "one", "port": 80}}
    assert refused(node.put(f"config/{kind}", both)) == (400, 1092)
    node.bind(kind, servicegroupname="sg1", servername="one", port=80)
    node.bind(kind, servicegroupname="sg1", ip="127.77.3.1", port=81)
    assert [row["servername"] for row in node.rows(kind, "/sg1")] == ["one", "one"]
    assert node.delete(f"config/{kind}/sg1?args=ip:127.77.3.1,port:81").status_code == 200
    assert node.delete(f"config/{kind}/sg1?args=servername:one,port:80").status_code == 200
    assert node.rows(kind, "/sg1") == []
    assert refused(node.post("config/server", {"server": {"name": "two", "ipaddress": "127.77.3.1"}})) == (409, 1335)


def test_monitors_are_bound_and_read_from_both_ends(node: Client) -> None:
    application(node)
    node.add("lbmonitor", monitorname="m1", type="HTTP", interval=5)
    node.bind("service_lbmonitor_binding", name="s1", monitor_name="m1")
    node.bind("servicegroup_lbmonitor_binding", servicegroupname="sg1", monitor_name="m1")
    assert refused(node.delete("config/lbmonitor/m1"))[0] in (400, 599)
    assert node.rows("lbmonitor_service_binding", "/m1")[0]["servicename"] == "s1"
    assert node.delete("config/lbmonitor_service_binding/m1?args=servicename:s1").status_code == 200
    assert node.rows("service_lbmonitor_binding", "/s1") == []
    assert node.delete("config/servicegroup_lbmonitor_binding/sg1?args=monitor_name:m1").status_code == 200
    unknown = {"service_lbmonitor_binding": {"name": "s1", "monitor_name": "nope"}}
    assert refused(node.put("config/service_lbmonitor_binding", unknown)) == (404, 258)


def test_an_ssl_vserver_needs_a_certificate_to_be_up(bench: Bench, node: Client) -> None:
    node.add("lbvserver", name="tls", servicetype="SSL", ipv46=VIP, port=8443)
    node.add("service", name="s1", ip="127.77.3.1", servicetype="HTTP", port=8000)
    node.bind("lbvserver_service_binding", name="tls", servicename="s1")
    assert node.rows("lbvserver", "/tls")[0]["curstate"] == "DOWN"
    key = {"sslcertkey": {"certkey": "ck", "cert": "web.pem", "key": "web.key"}}
    assert refused(node.post("config/sslcertkey", key)) == (599, 1647)
    for name in ("web.pem", "web.key"):
        node.add("systemfile", filename=name, filelocation="/nsconfig/ssl/", filecontent=FILE, fileencoding="BASE64")
    again = {"systemfile": {"filename": "web.pem", "filelocation": "/nsconfig/ssl", "filecontent": FILE}}
    assert refused(node.post("config/systemfile", again)) == (409, 1642)
    assert node.rows("systemfile", "/web.pem?args=filelocation:%2Fnsconfig%2Fssl")[0]["filecontent"] == FILE
    assert node.post("config/sslcertkey", key).status_code == 201
    node.bind("sslvserver_sslcertkey_binding", vservername="tls", certkeyname="ck")
    assert node.rows("lbvserver", "/tls")[0]["curstate"] == "UP"
    assert bench.side.vserver(VIP, 8443) is not None
    assert refused(node.delete("config/sslcertkey/ck")) == (599, 1541)
    assert refused(node.get("config/sslcertkey/nope"))[1] == 1540
    node.delete("config/sslvserver_sslcertkey_binding/tls?args=certkeyname:ck")
    assert node.rows("lbvserver", "/tls")[0]["curstate"] == "DOWN"
    assert node.delete("config/systemfile/web.pem?args=filelocation:%252Fnsconfig%252Fssl").status_code == 200


def test_a_pooled_licence_is_in_force_after_a_saved_configuration_and_a_reboot(bench: Bench, node: Client) -> None:
    desired = {"nscapacity": {"bandwidth": 1000, "unit": "Mbps", "edition": "Platinum"}}
    assert refused(node.put("config/nscapacity", desired)) == (599, 3571)
    node.add("nslicenseserver", licenseserverip="127.77.9.9", port=27000)
    assert node.put("config/nscapacity", desired).status_code == 200
    assert node.rows("nslicense")[0]["licensingmode"] == "Local"
    assert refused(node.put("config/nscapacity", {"nscapacity": {"bandwidth": 10}})) == (400, 1093)
    node.do("nsconfig", "save")
    node.post("config/reboot", {"reboot": {"warm": True}})
    bench.wait(bench.side.settings.warm.total + 1, step=5)
    node.login()
    licence = node.rows("nslicense")[0]
    assert (licence["licensingmode"], licence["modelid"], licence["isplatinumlic"]) == ("Pooled", "1000", True)
    assert node.rows("nscapacity")[0]["bandwidth"] == "1000"


def test_users_log_in_with_their_passwords(bench: Bench, node: Client) -> None:
    node.add("systemuser", username="joe", password="Joe-2026")
    assert all("password" not in row for row in node.rows("systemuser"))
    bench.client("127.77.1.10").login("Joe-2026", "joe")
    assert refused(node.delete("config/systemuser/nsroot"))[0] == 599
    node.set("systemuser", username="nsroot", password="Another-1")
    assert node.get("config/nsversion").status_code == 200
    bench.client("127.77.1.10").login("Another-1")
    reply: Any = node.put("config/systemuser", {"systemuser": {"username": "nsroot", "password": "nsroot"}})
    assert reply.json()["errorcode"] == 1047


def test_features_are_switched_by_name_in_any_spelling(node: Client) -> None:
    node.do("nsfeature", "enable", feature=["cs", "LoadBalancing"])
    assert node.rows("nsfeature")[0]["feature"] == ["LB", "SSL", "CS"]
    node.do("nsfeature", "disable", feature="LB,CS")
    assert node.rows("nsfeature")[0]["feature"] == ["SSL"]
    assert refused(node.post("config/nsfeature?action=enable", {"nsfeature": {"feature": ["FLUX"]}})) == (400, 1074)


def test_a_user_may_do_what_a_bound_command_policy_allows(bench: Bench, node: Client) -> None:
    node.add("systemuser", username="watcher", password="Watch-2026")
    watcher = bench.client("127.77.1.10").login("Watch-2026", "watcher")
    assert refused(watcher.get("config/nsversion")) == (403, 2138)
    node.bind("systemuser_systemcmdpolicy_binding", username="watcher", policyname="read-only", priority=100)
    assert watcher.get("config/nsversion").status_code == 200
    assert watcher.get("stat/ns").status_code == 200
    assert refused(watcher.post("config/ipset", {"ipset": {"name": "x"}})) == (403, 2138)
    assert refused(watcher.post("config/nsfeature?action=enable", {"nsfeature": {"feature": ["CS"]}})) == (403, 2138)


def test_the_address_of_the_appliance_is_amazons_to_set(node: Client) -> None:
    moved = {"nsconfig": {"ipaddress": "127.77.1.99", "netmask": "255.255.255.0"}}
    assert refused(node.put("config/nsconfig", moved)) == (599, 1103)
    node.set("nsconfig", ipaddress="127.77.1.10", netmask="255.255.255.0")


def test_plain_objects_of_the_current_release(node: Client) -> None:
    node.set("nsparam", maxconn=10)
    assert node.rows("nsparam")[0]["maxconn"] in (10, "10")
    node.add("nshttpprofile", name="web", http2="ENABLED")
    assert node.rows("nshttpprofile", "/web")[0]["http2"] == "ENABLED"
    node.add("responderpolicy", name="p", rule="true", action="NOOP")
    node.add("lbvserver", name="web", servicetype="HTTP")
    node.bind("lbvserver_responderpolicy_binding", name="web", policyname="p", priority=10)
    assert [row["policyname"] for row in node.rows("lbvserver_responderpolicy_binding", "/web")] == ["p"]


def test_a_header_saves_with_the_write(bench: Bench, node: Client) -> None:
    header = {"X-NITRO-SAVECONFIG": "yes"}
    assert node.post("config/ipset", {"ipset": {"name": "kept"}}, headers=header).status_code == 201
    assert bench.side.state()["i-0aaa"]["unsaved"] is False
