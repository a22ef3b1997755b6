"""High availability: forming, synchronisation, propagation, failover, split brain.

Sources: vendor NITRO docs 12.1 reference ha (hanode, hafailover, hasync, hafiles) and ns/nsrpcnode; vendor docs
"High availability in INC mode", "Forcing a node to fail over"; the vendor's template lambda_ha_across_az (order, RPC
nodes, password of the secondary); recorded replies as collected in the project's fact sheet §5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client, refused

A, B = "127.77.1.10", "127.77.21.10"


class Pair:
    """Two appliances in two networks, as they come out of their bootstrap, with two different passwords."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.side = bench.side
        self.a = bench.booted("i-0aaa", A, "127.77.2.10")
        self.b = bench.booted("i-0bbb", B, "127.77.22.10")
        self.b.set("systemuser", username="nsroot", password="Other-2026")

    def form(self, inc: str = "ENABLED") -> Pair:
        self.a.add("hanode", id=1, ipaddress=B, inc=inc)
        self.bench.wait(3)
        self.b.add("hanode", id=1, ipaddress=A, inc=inc)
        return self

    def synced(self) -> Pair:
        self.form()
        self.bench.wait(self.side.settings.form_seconds + self.side.settings.sync_seconds + 2)
        self.a.login()
        self.b.login()
        return self

    def roles(self) -> tuple[str, str]:
        state = self.side.state()
        return state["i-0aaa"]["ha"]["role"], state["i-0bbb"]["ha"]["role"]

    def own(self, client: Client) -> dict[str, Any]:
        return client.rows("hanode", "/0")[0]

    def peer(self, client: Client) -> dict[str, Any]:
        return client.rows("hanode", "/1")[0]


@pytest.fixture
def pair(bench: Bench) -> Pair:
    return Pair(bench)


def test_a_stand_alone_node_lists_itself_as_primary(node: Client) -> None:
    (row,) = node.rows("hanode")
    assert (row["id"], row["state"], row["hastatus"], row["ipaddress"]) == ("0", "Primary", "UP", A)
    assert (row["hellointerval"], row["deadinterval"], row["inc"]) == (200, 3, "DISABLED")
    assert isinstance(row["masterstatetime"], int)
    assert node.get("stat/hanode").json()["hanode"]["hacurstatus"] == "NO"
    assert node.get("config/nsconfig").json()["nsconfig"]["systemtype"] == "Stand-alone"
    assert refused(node.get("config/hanode/7")) == (599, 362)
    assert refused(node.post("config/hafailover?action=Force", {"hafailover": {"force": True}})) == (599, 363)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": 1, "ipaddress": B}, 414),
        ({"id": 1, "ipaddress": A, "inc": "ENABLED"}, 415),
        ({"id": 65, "ipaddress": B, "inc": "ENABLED"}, 1108),
        ({"id": 1}, 1095),
    ],
)
def test_refusals_of_a_peer(node: Client, fields: dict[str, Any], code: int) -> None:
    assert node.post("config/hanode", {"hanode": fields}).json()["errorcode"] == code


def test_a_second_peer_exists_already_and_an_address_cannot_be_put(pair: Pair) -> None:
    pair.a.add("hanode", id=1, ipaddress=B, inc="ENABLED")
    again = {"hanode": {"id": 1, "ipaddress": B, "inc": "ENABLED"}}
    assert refused(pair.a.post("config/hanode", again)) == (409, 273)
    assert refused(pair.a.put("config/hanode", {"hanode": {"id": 1, "ipaddress": B}})) == (599, 278)
    pair.a.set("hanode", id=0, deadinterval=5)
    assert pair.own(pair.a)["deadinterval"] == 5


def test_without_a_licence_for_it_there_is_no_pair(pair: Pair) -> None:
    pair.side.settings.ha_licensed = False
    assert refused(pair.a.post("config/hanode", {"hanode": {"id": 1, "ipaddress": B, "inc": "ENABLED"}})) == (599, 356)


def test_the_node_configured_first_stays_primary_and_synchronises_the_other(pair: Pair) -> None:
    pair.a.add("hanode", id=1, ipaddress=B, inc="ENABLED")
    pair.bench.wait(10)
    assert pair.roles() == ("Primary", "Primary")
    assert pair.peer(pair.a)["state"] == "UNKNOWN"
    pair.b.add("hanode", id=1, ipaddress=A, inc="ENABLED")
    pair.bench.wait(pair.side.settings.form_seconds + 1)
    assert pair.roles() == ("Primary", "Secondary")
    assert pair.own(pair.b)["hasync"] == "IN PROGRESS"
    pair.bench.wait(pair.side.settings.sync_seconds + 1)
    assert pair.own(pair.b)["hasync"] == "SUCCESS"
    assert (pair.peer(pair.a)["state"], pair.peer(pair.a)["hasync"]) == ("Secondary", "SUCCESS")
    assert pair.peer(pair.b)["state"] == "Primary"
    assert (pair.own(pair.a)["inc"], pair.peer(pair.a)["inc"]) == ("ENABLED", "ENABLED")
    assert pair.a.get("config/nsconfig").json()["nsconfig"]["systemtype"] == "HA"


def test_the_secondary_takes_the_primarys_password_and_keeps_its_sessions(pair: Pair) -> None:
    pair.form()
    pair.bench.wait(30)
    assert pair.b.get("config/nsversion").status_code == 200
    old = {"login": {"username": "nsroot", "password": "Other-2026"}}
    assert refused(pair.bench.client(B).post("config/login", old)) == (401, 354)
    pair.bench.client(B).login(PASSWORD)


def test_what_is_synchronised_in_inc_mode_and_what_is_not(pair: Pair) -> None:
    pair.a.do("nsfeature", "enable", feature=["LB"])
    pair.a.set("nshostname", hostname="adc-a")
    pair.a.add("nsip", ipaddress="127.77.2.20", netmask="255.255.255.0", type="SNIP")
    pair.a.add("nsip", ipaddress="127.77.22.10", netmask="255.255.255.255", type="VIP")
    pair.a.add("ipset", name="ips")
    pair.a.add("vlan", id=10)
    pair.a.add("route", network="127.78.0.0", netmask="255.255.0.0", gateway="127.77.2.1")
    pair.a.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=8080)
    pair.synced()
    assert pair.b.get("config/nsfeature").json()["nsfeature"]["feature"] == ["LB"]
    assert [row["name"] for row in pair.b.rows("lbvserver")] == ["web"]
    kinds = {row["ipaddress"]: row["type"] for row in pair.b.rows("nsip")}
    assert kinds == {B: "NSIP", "127.77.22.10": "VIP", "127.77.2.10": "VIP"}
    assert pair.b.rows("ipset") == []
    assert [row["id"] for row in pair.b.rows("vlan")] == ["1"]
    assert [row["network"] for row in pair.b.rows("route")] == ["0.0.0.0"]
    assert pair.own(pair.b)["name"] == ""


def test_ipsets_travel_when_the_switch_says_so(pair: Pair) -> None:
    pair.side.settings.ipset_synced = True
    pair.a.add("ipset", name="ips")
    pair.synced()
    assert [row["name"] for row in pair.b.rows("ipset")] == ["ips"]


def test_commands_on_the_primary_are_propagated_and_those_on_the_secondary_are_not(pair: Pair) -> None:
    pair.synced()
    pair.a.add("server", name="s1", ipaddress="127.77.3.1")
    assert [row["name"] for row in pair.b.rows("server")] == ["s1"]
    reply = pair.b.post("config/server?warning=yes", {"server": {"name": "s2", "ipaddress": "127.77.3.2"}})
    assert reply.status_code == 209
    assert reply.headers["X-NITRO-WARNING"].startswith("1028 - ")
    assert [row["name"] for row in pair.a.rows("server")] == ["s1"]
    pair.a.do("hasync", "Force", force=True)
    pair.bench.wait(pair.side.settings.sync_seconds + 1)
    assert [row["name"] for row in pair.b.rows("server")] == ["s1"]


def test_an_rpc_password_set_on_the_primary_travels_one_set_on_the_secondary_breaks_the_sync(pair: Pair) -> None:
    pair.synced()
    for address in (A, B):
        pair.a.set("nsrpcnode", ipaddress=address, password="rpc-1", secure="YES")
    pair.bench.wait(2)
    assert pair.own(pair.b)["hasync"] == "SUCCESS"
    assert {row["secure"] for row in pair.b.rows("nsrpcnode")} == {"YES"}
    assert all("password" not in row for row in pair.b.rows("nsrpcnode"))
    pair.b.set("nsrpcnode", ipaddress=A, password="rpc-2")
    pair.bench.wait(2)
    assert pair.own(pair.b)["hasync"] == "FAILED"
    pair.b.set("nsrpcnode", ipaddress=A, password="rpc-1")
    pair.bench.wait(pair.side.settings.sync_retry_seconds + pair.side.settings.sync_seconds + 2)
    assert pair.own(pair.b)["hasync"] == "SUCCESS"


def test_synchronisation_needs_its_port(pair: Pair) -> None:
    pair.bench.region.closed = {(A, B, 3010)}
    pair.form()
    pair.bench.wait(30)
    assert pair.roles() == ("Primary", "Secondary")
    assert pair.own(pair.b)["hasync"] == "FAILED"
    for client in (pair.a, pair.b):
        for address in (A, B):
            client.set("nsrpcnode", ipaddress=address, password="rpc-1", secure="YES")
    pair.bench.wait(30)
    assert pair.own(pair.b)["hasync"] == "SUCCESS"


def test_nothing_travels_between_nodes_of_different_builds(pair: Pair) -> None:
    facts = pair.bench.region.facts
    facts["i-0bbb"] = replace(facts["i-0bbb"], image_id="ami-newer")
    pair.side.settings.builds = {"ami-newer": "NetScaler NS14.1: Build 80.10.nc, Date: x"}
    pair.form()
    pair.bench.wait(120)
    assert pair.roles() == ("Primary", "Secondary")
    assert pair.own(pair.b)["hasync"] == "ENABLED"
    assert "Build 80.10" in pair.b.rows("nsversion")[0]["version"]
    pair.a.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=80)
    assert pair.b.rows("lbvserver") == []
    pair.a.do("hafailover", "Force", force=True)
    assert pair.roles() == ("Secondary", "Primary")


def test_nodes_that_do_not_hear_each_other_are_both_primary(pair: Pair) -> None:
    pair.bench.region.closed = {(A, B, 3003), (B, A, 3003)}
    pair.form()
    pair.bench.wait(30)
    assert pair.roles() == ("Primary", "Primary")
    assert refused(pair.a.post("config/hafailover?action=Force", {"hafailover": {"force": True}})) == (599, 1449)
    pair.bench.region.closed = set()
    pair.bench.wait(5)
    assert pair.roles() == ("Primary", "Secondary")
    pair.side.settings.partitions.add(frozenset(("i-0aaa", "i-0bbb")))
    pair.bench.wait(2)
    assert pair.roles() == ("Primary", "Secondary")
    pair.bench.wait(2)
    assert pair.roles() == ("Primary", "Primary")
    assert pair.peer(pair.a)["hastatus"] == "DOWN"
    pair.side.settings.partitions.clear()
    pair.bench.wait(5)
    assert pair.roles() == ("Primary", "Secondary")


@pytest.mark.parametrize("asked", ["a", "b"])
@pytest.mark.parametrize("spelling", ["Force", "force"])
def test_a_forced_failover_swaps_at_once_whichever_node_is_asked(pair: Pair, asked: str, spelling: str) -> None:
    pair.synced()
    before = pair.a.get("stat/hanode").json()["hanode"]
    getattr(pair, asked).do("hafailover", spelling, force=True)
    assert pair.roles() == ("Secondary", "Primary")
    after = pair.a.get("stat/hanode").json()["hanode"]
    assert (before["hacurmasterstate"], after["hacurmasterstate"]) == ("Primary", "Secondary")
    assert before["transtime"] != after["transtime"]
    pair.bench.wait(30)
    assert pair.roles() == ("Secondary", "Primary")
    assert pair.own(pair.a)["hasync"] == "SUCCESS"


def test_a_node_told_to_stay_is_not_failed_over(pair: Pair) -> None:
    pair.synced()
    pair.a.set("hanode", id=0, hastatus="STAYPRIMARY")
    assert refused(pair.a.post("config/hafailover?action=Force", {"hafailover": {"force": True}})) == (599, 1441)
    pair.a.set("hanode", id=0, hastatus="ENABLED")
    pair.b.set("hanode", id=0, hastatus="STAYSECONDARY")
    assert refused(pair.a.post("config/hafailover?action=Force", {"hafailover": {"force": True}})) == (599, 364)
    pair.side.power("i-0aaa", on=False)
    pair.bench.wait(10)
    assert pair.roles()[1] == "Secondary"


def test_the_secondary_takes_over_after_the_dead_interval_and_keeps_it(pair: Pair) -> None:
    pair.synced()
    for client in (pair.a, pair.b):
        client.do("nsconfig", "save")
    pair.side.power("i-0aaa", on=False)
    pair.bench.wait(2.5)
    assert pair.roles()[1] == "Secondary"
    pair.bench.wait(1)
    assert pair.roles()[1] == "Primary"
    pair.b.add("server", name="later", ipaddress="127.77.3.9")
    pair.side.power("i-0aaa", on=True)
    pair.bench.wait(pair.side.settings.cold.total + 30, step=1)
    assert pair.roles() == ("Secondary", "Primary")
    pair.a.login()
    assert [row["name"] for row in pair.a.rows("server")] == ["later"]


def test_a_primary_that_reboots_comes_back_as_secondary(pair: Pair) -> None:
    pair.synced()
    pair.a.do("nsconfig", "save")
    pair.a.post("config/reboot", {"reboot": {"warm": True}})
    pair.bench.wait(pair.side.settings.warm.total + 20, step=1)
    assert pair.roles() == ("Secondary", "Primary")


def test_a_secondary_that_misses_a_command_catches_up(pair: Pair) -> None:
    pair.synced()
    pair.bench.region.closed = {(A, B, 3010)}
    pair.a.add("server", name="s1", ipaddress="127.77.3.1")
    assert pair.b.rows("server") == []
    pair.bench.region.closed = set()
    pair.bench.wait(pair.side.settings.sync_retry_seconds + pair.side.settings.sync_seconds + 2)
    assert [row["name"] for row in pair.b.rows("server")] == ["s1"]


def test_removing_the_peer_makes_both_stand_alone(pair: Pair) -> None:
    pair.synced()
    assert pair.b.delete("config/hanode/1").status_code == 200
    pair.bench.wait(5)
    assert pair.roles() == ("Primary", "Primary")
    assert len(pair.b.rows("hanode")) == 1
    assert [row["ipaddress"] for row in pair.b.rows("nsrpcnode")] == [B]
    assert pair.a.delete("config/hanode/1").status_code == 200
    assert pair.a.get("stat/hanode").json()["hanode"]["hacurstatus"] == "NO"


def test_a_secondary_serves_no_traffic(pair: Pair) -> None:
    pair.a.do("nsfeature", "enable", feature=["LB"])
    for client in (pair.a, pair.b):
        client.add("nsip", ipaddress="127.77.22.10", netmask="255.255.255.255", type="VIP")
        client.add("ipset", name="ips")
        client.bind("ipset_nsip_binding", name="ips", ipaddress="127.77.22.10")
    pair.a.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=8080, ipset="ips")
    pair.a.add("service", name="s", ip="127.77.3.1", servicetype="HTTP", port=8000)
    pair.a.bind("lbvserver_service_binding", name="web", servicename="s")
    pair.synced()
    assert pair.side.vserver("127.77.2.10", 8080) is not None
    assert pair.side.vserver("127.77.22.10", 8080) is None
    pair.a.do("hafailover", "Force", force=True)
    assert pair.side.vserver("127.77.2.10", 8080) is None
    found = pair.side.vserver("127.77.22.10", 8080)
    assert found is not None
    assert (found.instance_id, found.name, found.backends) == ("i-0bbb", "web", (("127.77.3.1", 8000),))


def test_a_non_inc_pair_in_one_network_shares_everything_but_the_nodes_own(bench: Bench) -> None:
    a, b = bench.booted("i-0aaa", "127.77.1.10"), bench.booted("i-0bbb", "127.77.1.11")
    a.add("nsip", ipaddress="127.77.1.50", netmask="255.255.255.0", type="SNIP")
    a.add("ipset", name="ips")
    a.add("hanode", id=1, ipaddress="127.77.1.11")
    b.add("hanode", id=1, ipaddress="127.77.1.10")
    bench.wait(20)
    assert [row["name"] for row in b.rows("ipset")] == ["ips"]
    assert {row["ipaddress"] for row in b.rows("nsip")} == {"127.77.1.11", "127.77.1.50"}
    assert b.rows("hanode", "/1")[0]["inc"] == "DISABLED"
