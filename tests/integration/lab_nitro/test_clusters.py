"""Clusters: forming, joining, coordinator and CLIP, draining, removal.

Sources: vendor NITRO reference 12.1 cluster (clusterinstance, clusternode, cluster, clustersync) and its statistics
pages; vendor docs "Removing a node from a cluster" and "Graceful shutdown of nodes"; the Terraform provider's
resource cluster and the vendor's template aws/cluster (order of steps); error list 2448 to 2549; the project's fact
sheet §4.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client, refused

CLIP = "127.77.1.100"
NSIPS = ["127.77.1.10", "127.77.1.11", "127.77.1.12"]


class Grown:
    """A cluster that tests grow and shrink."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.side = bench.side
        self.nodes: list[Client] = []

    def boot(self, number: int) -> Client:
        node = self.bench.booted(f"i-{number}", NSIPS[number], f"127.77.2.{10 + number}")
        self.nodes.append(node)
        return node

    def reboot(self, node: Client) -> None:
        node.do("nsconfig", "save")
        node.post("config/reboot", {"reboot": {"warm": True}})
        settings = self.side.settings
        self.bench.wait(settings.warm.total + settings.cluster_join_seconds + 2, step=1)

    def prepare(self) -> Client:
        """Return the first node up to the point where its instance could be enabled."""
        node = self.boot(0)
        self.bench.add_address("i-0", CLIP)
        node.add("clusterinstance", clid=1)
        node.add("clusternode", nodeid=0, ipaddress=NSIPS[0], state="ACTIVE", backplane="0/1/1", tunnelmode="GRE")
        node.add("nsip", ipaddress=CLIP, netmask="255.255.255.255", type="CLIP")
        return node

    def form(self) -> Grown:
        node = self.prepare()
        node.do("clusterinstance", "enable", clid=1)
        self.reboot(node)
        self.nodes[0].login()
        return self

    def clip(self) -> Client:
        return self.bench.client(CLIP).login()

    def join(self, number: int, **fields: object) -> Grown:
        node = self.boot(number)
        self.declare(number, **fields)
        node.do("cluster", "join", clip=CLIP, password=PASSWORD)
        self.reboot(node)
        node.login()
        return self

    def declare(self, number: int, **fields: object) -> None:
        desired = {"state": "ACTIVE", "backplane": f"{number}/1/1", "tunnelmode": "GRE", **fields}
        self.clip().add("clusternode", nodeid=number, ipaddress=NSIPS[number], **desired)

    def listed(self) -> dict[str, dict[str, Any]]:
        return {row["nodeid"]: row for row in self.clip().rows("clusternode")}

    def leader(self) -> str:
        return next(number for number, row in self.listed().items() if row["isconfigurationcoordinator"])


@pytest.fixture
def grown(bench: Bench) -> Grown:
    return Grown(bench)


def serving(row: dict[str, Any]) -> bool:
    return (row["state"], row["masterstate"], row["health"], row["effectivestate"]) == ("ACTIVE", "ACTIVE", "UP", "UP")


def test_a_cluster_begins_with_a_warm_reboot_of_its_first_node(grown: Grown) -> None:
    node = grown.prepare()
    assert refused(node.put("config/clusterinstance", {"clusterinstance": {"clid": 9, "deadinterval": 5}}))[1] == 2448
    node.do("clusterinstance", "enable", clid=1)
    grown.bench.wait(5)
    assert grown.side.state()["i-0"]["cluster"] is None
    with pytest.raises(AssertionError):
        grown.clip()
    grown.reboot(node)
    row = grown.listed()["0"]
    assert serving(row)
    assert (row["isconfigurationcoordinator"], row["islocalnode"], row["priority"], row["delay"]) == (
        True,
        True,
        "31",
        0,
    )
    (instance,) = grown.clip().rows("clusterinstance")
    assert (instance["clid"], instance["status"], instance["operationalstate"]) == ("1", "UP", "ENABLED")
    assert (instance["deadinterval"], instance["hellointerval"]) == (3, 200)
    assert [row["id"] for row in grown.clip().rows("Interface")] == ["0/1/1", "0/1/2", "LO/1"]
    assert grown.clip().rows("nsconfig")[0]["configchanged"] is False


def test_a_clip_that_ec2_does_not_know_is_not_reachable(grown: Grown) -> None:
    node = grown.prepare()
    grown.bench.remove_address("i-0", CLIP)
    node.do("clusterinstance", "enable", clid=1)
    grown.reboot(node)
    assert grown.side.door(CLIP).name == "ABSENT"
    grown.bench.add_address("i-0", CLIP)
    grown.bench.wait(1)
    assert grown.side.door(CLIP).name == "OPEN"


def test_refusals_while_forming(grown: Grown) -> None:
    node = grown.boot(0)
    clip = {"nsip": {"ipaddress": CLIP, "netmask": "255.255.255.255", "type": "CLIP"}}
    assert refused(node.post("config/clusternode", {"clusternode": {"nodeid": 0, "ipaddress": NSIPS[0]}})) == (
        599,
        2448,
    )
    assert refused(node.post("config/nsip", clip)) == (599, 2473)
    node.add("clusterinstance", clid=1)
    assert refused(node.post("config/clusterinstance?action=enable", {"clusterinstance": {"clid": 1}})) == (599, 2452)
    assert refused(node.post("config/clusterinstance", {"clusterinstance": {"clid": 1}})) == (409, 273)
    assert refused(node.post("config/clusterinstance", {"clusterinstance": {"clid": 17}})) == (400, 1108)
    assert refused(node.post("config/clusternode", {"clusternode": {"nodeid": 32, "ipaddress": NSIPS[0]}})) == (
        400,
        1108,
    )
    grouped = {"clusternode": {"nodeid": 0, "ipaddress": NSIPS[0], "nodegroup": "ng0"}}
    assert refused(node.post("config/clusternode", grouped)) == (599, 2548)
    node.add("clusternode", nodeid=0, ipaddress=NSIPS[0])
    assert node.rows("clusternode")[0]["state"] == "PASSIVE"
    clip["nsip"]["netmask"] = "255.255.255.0"
    assert refused(node.post("config/nsip", clip)) == (599, 2459)
    peer = {"hanode": {"id": 1, "ipaddress": NSIPS[1]}}
    assert refused(node.post("config/hanode", peer)) == (599, 2453)


def test_a_pair_cannot_cluster(grown: Grown) -> None:
    node = grown.boot(0)
    node.add("hanode", id=1, ipaddress=NSIPS[1])
    assert refused(node.post("config/clusterinstance", {"clusterinstance": {"clid": 1}})) == (599, 2453)


def test_the_vendors_documents_say_that_aws_has_no_clusters(grown: Grown) -> None:
    grown.side.settings.cluster_supported = False
    node = grown.boot(0)
    assert refused(node.post("config/clusterinstance", {"clusterinstance": {"clid": 1}})) == (599, 1103)


def test_a_node_joins_when_it_was_declared_and_the_password_is_right(grown: Grown) -> None:
    grown.form()
    node = grown.boot(1)
    join = {"cluster": {"clip": CLIP, "password": PASSWORD}}
    assert refused(node.post("config/cluster?action=join", join)) == (599, 2452)
    grown.declare(1)
    assert grown.listed()["1"]["masterstate"] == "INACTIVE"
    wrong = {"cluster": {"clip": CLIP, "password": "wrong"}}
    assert node.post("config/cluster?action=join", wrong).json()["errorcode"] == 354
    lost = {"cluster": {"clip": "127.77.1.101", "password": PASSWORD}}
    assert refused(node.post("config/cluster?action=join", lost)) == (599, 2481)
    node.add("ipset", name="own")
    node.do("cluster", "join", clip=CLIP, password=PASSWORD)
    assert node.rows("ipset") == []
    assert refused(node.post("config/cluster?action=join", join)) == (599, 2455)
    node.do("nsconfig", "save")
    node.post("config/reboot", {"reboot": {"warm": True}})
    grown.bench.wait(grown.side.settings.warm.total + 1, step=1)
    assert (grown.listed()["1"]["health"], grown.listed()["1"]["masterstate"]) == ("INIT", "INACTIVE")
    grown.bench.wait(grown.side.settings.cluster_join_seconds + 1)
    assert serving(grown.listed()["1"])
    assert grown.leader() == "0"
    assert grown.clip().rows("clusterinstance")[0]["status"] == "UP"


def test_a_join_that_was_not_saved_is_forgotten(grown: Grown) -> None:
    grown.form()
    node = grown.boot(1)
    node.do("nsconfig", "save")
    grown.declare(1)
    node.do("cluster", "join", clip=CLIP, password=PASSWORD)
    node.post("config/reboot", {"reboot": {"warm": True}})
    grown.bench.wait(80, step=1)
    assert grown.listed()["1"]["masterstate"] == "INACTIVE"
    assert node.login().rows("clusterinstance") == []


def test_refusals_while_growing(grown: Grown) -> None:
    grown.form()
    clip = grown.clip()
    body = {"clusternode": {"nodeid": 1, "ipaddress": NSIPS[0]}}
    assert refused(clip.post("config/clusternode", body)) == (599, 2455)
    body = {"clusternode": {"nodeid": 0, "ipaddress": NSIPS[1]}}
    assert refused(clip.post("config/clusternode", body)) == (409, 273)
    assert refused(clip.post("config/cluster?action=join", {"cluster": {"clip": CLIP, "password": "x"}})) == (599, 1065)
    assert refused(clip.delete(f"config/nsip/{CLIP}")) == (599, 2482)
    assert refused(clip.delete("config/clusterinstance/1")) == (599, 1065)
    spotted = {"nsip": {"ipaddress": "127.77.2.30", "netmask": "255.255.255.0", "ownernode": 32}}
    assert refused(clip.post("config/nsip", spotted)) == (599, 2484)
    spotted["nsip"]["ownernode"] = 0
    assert refused(grown.nodes[0].post("config/nsip", spotted)) == (599, 2547)
    assert clip.post("config/nsip", spotted).status_code == 201
    del spotted["nsip"]["ownernode"]
    spotted["nsip"].update(ipaddress="127.77.2.31", ownerdownresponse="NO")
    assert refused(clip.post("config/nsip", spotted)) == (599, 2522)
    mismatch = grown.bench.booted("i-small", NSIPS[2], instance_type="m5.large")
    grown.declare(2)
    join = {"cluster": {"clip": CLIP, "password": PASSWORD}}
    assert refused(mismatch.post("config/cluster?action=join", join)) == (599, 2549)


def test_with_inc_every_snip_belongs_to_one_node(grown: Grown) -> None:
    grown.form()
    clip = grown.clip()
    striped = {"nsip": {"ipaddress": "127.77.2.30", "netmask": "255.255.255.0"}}
    inc = {"clusterinstance": {"clid": 1, "inc": "ENABLED"}}
    assert clip.post("config/nsip", striped).status_code == 201
    assert refused(clip.put("config/clusterinstance", inc)) == (599, 2494)
    assert clip.delete("config/nsip/127.77.2.30").status_code == 200
    assert clip.put("config/clusterinstance", inc).status_code == 200
    assert refused(clip.post("config/nsip", striped)) == (599, 2494)
    striped["nsip"]["ownernode"] = 0
    assert clip.post("config/nsip", striped).status_code == 201


def test_what_is_configured_on_the_clip_is_on_every_node_and_on_an_nsip_on_one(grown: Grown) -> None:
    grown.form()
    grown.clip().add("server", name="before", ipaddress="127.77.3.1")
    grown.join(1)
    assert [row["name"] for row in grown.nodes[1].rows("server")] == ["before"]
    grown.clip().add("server", name="after", ipaddress="127.77.3.2")
    assert [row["name"] for row in grown.nodes[1].rows("server")] == ["before", "after"]
    body = {"server": {"name": "alone", "ipaddress": "127.77.3.3"}}
    reply = grown.nodes[1].post("config/server?warning=yes", body)
    assert reply.status_code == 209
    assert reply.headers["X-NITRO-WARNING"].startswith("1044 - ")
    assert len(grown.clip().rows("server")) == 2
    grown.nodes[1].do("clustersync", "Force")
    assert [row["name"] for row in grown.nodes[1].rows("server")] == ["before", "after"]
    assert refused(grown.nodes[0].post("config/clustersync?action=Force", {"clustersync": {}})) == (599, 2478)
    grown.clip().set("nshostname", hostname="adc-1", ownernode=1)
    assert grown.nodes[1].rows("nshostname")[0]["hostname"] == "adc-1"
    assert grown.nodes[0].rows("nshostname")[0]["hostname"] == ""
    grown.clip().do("nsconfig", "save")
    assert [one["unsaved"] for one in grown.side.state().values()] == [False, False]


def test_the_clip_moves_when_its_node_is_lost_and_sessions_on_it_end(grown: Grown) -> None:
    moves: list[tuple[str, str]] = []
    grown.form().join(1).join(2)
    grown.side.set_address_mover(lambda address, instance: moves.append((address, instance)))
    clip = grown.clip()
    grown.clip().do("nsconfig", "save")
    grown.side.power("i-0", on=False)
    grown.bench.wait(grown.side.settings.cluster_dead_seconds + 1)
    assert moves == [(CLIP, "i-1")]
    assert refused(clip.get("config/clusternode")) == (401, 444)
    rows = grown.listed()
    assert grown.leader() == "1"
    assert (rows["0"]["health"], rows["0"]["masterstate"], rows["0"]["effectivestate"]) == (
        "DOWN",
        "INACTIVE",
        "NOT UP",
    )
    assert grown.clip().rows("clusterinstance")[0]["status"] == "PARTIAL-UP"
    grown.side.power("i-0", on=True)
    grown.bench.wait(100, step=1)
    assert serving(grown.listed()["0"])
    assert grown.leader() == "1"


def test_the_lowest_priority_number_leads_and_preempts(grown: Grown) -> None:
    grown.form().join(1).join(2, priority=5)
    grown.bench.wait(2)
    assert grown.leader() == "2"


def test_without_a_majority_there_is_no_coordinator_unless_quorum_is_none(grown: Grown) -> None:
    grown.form().join(1)
    grown.side.power("i-0", on=False)
    grown.bench.wait(10)
    assert grown.side.state()["i-1"]["cluster"]["coordinator"] is False
    assert grown.bench.client(CLIP).get("config/nsversion").status_code == 503


def test_draining_takes_its_minutes_and_ends_passive(grown: Grown) -> None:
    grown.form().join(1)
    grown.side.load({"instance_id": "i-1"}, {"connections": 100})
    grown.clip().set("clusterinstance", clid=1, retainconnectionsoncluster="YES")
    grown.clip().set("clusternode", nodeid=1, state="PASSIVE", delay=2)
    row = grown.listed()["1"]
    assert (row["state"], row["masterstate"], row["delay"]) == ("PASSIVE", "ACTIVE", 2)
    grown.bench.wait(60, step=5)
    assert grown.nodes[1].get("stat/ns").json()["ns"]["tcpcurclientconnestablished"] == "50"
    grown.bench.wait(61, step=5)
    assert grown.listed()["1"]["masterstate"] == "INACTIVE"
    assert grown.nodes[1].get("stat/ns").json()["ns"]["tcpcurclientconnestablished"] == "0"
    grown.clip().set("clusternode", nodeid=1, state="ACTIVE")
    assert serving(grown.listed()["1"])
    grown.nodes[1].set("clusternode", nodeid=1, state="PASSIVE")
    assert grown.listed()["1"]["masterstate"] == "INACTIVE"
    assert refused(grown.clip().put("config/clusternode", {"clusternode": {"nodeid": 1, "delay": 1441}})) == (400, 1108)
    moved = {"clusternode": {"nodeid": 1, "ipaddress": "127.0.0.9"}}
    assert refused(grown.clip().put("config/clusternode", moved)) == (599, 278)


def test_only_active_nodes_serve(grown: Grown) -> None:
    grown.form().join(1, state="PASSIVE")
    clip = grown.clip()
    clip.do("nsfeature", "enable", feature=["LB"])
    for last in (10, 11):
        clip.add("nsip", ipaddress=f"127.77.2.{last}", netmask="255.255.255.255", type="VIP")
    clip.add("ipset", name="ips")
    clip.bind("ipset_nsip_binding", name="ips", ipaddress="127.77.2.11")
    clip.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=8080, ipset="ips")
    clip.add("service", name="s1", ip="127.77.3.1", servicetype="HTTP", port=8000)
    clip.bind("lbvserver_service_binding", name="web", servicename="s1")
    assert grown.side.vserver("127.77.2.10", 8080) is not None
    assert grown.side.vserver("127.77.2.11", 8080) is None
    clip.set("clusternode", nodeid=1, state="ACTIVE")
    assert grown.side.vserver("127.77.2.11", 8080) is not None


def test_a_removed_node_loses_its_configuration_and_must_be_saved_itself(grown: Grown) -> None:
    grown.form().join(1)
    clip = grown.clip()
    assert refused(grown.nodes[1].delete("config/clusternode/1")) == (599, 2450)
    clip.add("nsip", ipaddress="127.77.2.30", netmask="255.255.255.0", ownernode=1)
    assert refused(clip.delete("config/clusternode/1")) == (599, 2479)
    clip.delete("config/nsip/127.77.2.30")
    clip.add("server", name="s", ipaddress="127.77.3.1")
    assert clip.delete("config/clusternode/1?args=clearnodegroupconfig:YES").status_code == 200
    clip.do("nsconfig", "save")
    assert set(grown.listed()) == {"0"}
    node = grown.bench.client(NSIPS[1]).login()
    assert node.rows("server") == []
    assert node.rows("clusterinstance") == []
    assert [row["type"] for row in node.rows("nsip")] == ["NSIP"]
    assert grown.side.state()["i-1"]["unsaved"] is True
    node.do("nsconfig", "save")
    grown.reboot(node)
    assert set(grown.listed()) == {"0"}
    assert grown.side.state()["i-1"]["cluster"] is None


def test_removing_the_coordinator_resets_the_connection_and_moves_the_clip(grown: Grown) -> None:
    grown.form().join(1).join(2)
    with pytest.raises(requests.ConnectionError):
        grown.clip().delete("config/clusternode/0")
    grown.bench.wait(grown.side.settings.cluster_dead_seconds + 1)
    assert set(grown.listed()) == {"1", "2"}
    assert grown.leader() == "1"
    assert grown.bench.client(NSIPS[0]).login().rows("clusternode") == []


def test_a_node_whose_instance_is_gone_is_removed_on_the_clip(grown: Grown) -> None:
    grown.form().join(1).join(2)
    del grown.bench.region.facts["i-2"]
    grown.bench.wait(5)
    assert grown.listed()["2"]["health"] == "DOWN"
    assert grown.clip().delete("config/clusternode/2").status_code == 200
    assert set(grown.listed()) == {"0", "1"}
    assert grown.clip().rows("clusterinstance")[0]["status"] == "UP"


def test_a_cluster_whose_instances_are_all_gone_leaves_its_address_to_the_next(grown: Grown) -> None:
    grown.form().join(1)
    for gone in ("i-0", "i-1"):
        del grown.bench.region.facts[gone]
    grown.bench.wait(5)
    grown.nodes.clear()
    grown.boot(2)
    grown.bench.add_address("i-2", CLIP)
    node = grown.nodes[0]
    node.add("clusterinstance", clid=1)
    node.add("clusternode", nodeid=0, ipaddress=NSIPS[2], state="ACTIVE", backplane="0/1/1", tunnelmode="GRE")
    node.add("nsip", ipaddress=CLIP, netmask="255.255.255.255", type="CLIP")
    node.do("clusterinstance", "enable", clid=1)
    grown.reboot(node)
    assert serving(grown.listed()["0"])


def test_a_node_leaves_by_itself_when_the_clip_cannot_be_reached(grown: Grown) -> None:
    grown.form().join(1).join(2)
    assert grown.nodes[1].delete("config/clusterinstance/1").status_code == 200
    assert grown.nodes[1].rows("clusternode") == []
    assert grown.listed()["1"]["masterstate"] == "INACTIVE"


def test_heartbeats_need_their_port(grown: Grown) -> None:
    grown.form().join(1)
    grown.bench.region.closed = {(NSIPS[0], NSIPS[1], 7000)}
    grown.bench.wait(1)
    assert grown.listed()["1"]["health"] == "DOWN"


def test_statistics_are_whole_on_the_clip_only(grown: Grown) -> None:
    grown.form().join(1)
    rows = {row["nodeid"]: row for row in grown.clip().get("stat/clusternode").json()["clusternode"]}
    assert [row["clmasterstate"] for row in rows.values()] == ["ACTIVE", "ACTIVE"]
    assert (rows["0"]["clptpstate"], rows["1"]["clptpstate"]) == ("Master", "Slave")
    assert int(rows["1"]["cltothbtx"]) > 0
    local = {row["nodeid"]: row for row in grown.nodes[1].get("stat/clusternode").json()["clusternode"]}
    assert (local["0"]["clmasterstate"], local["0"]["cltothbtx"]) == ("UNKNOWN", "0")
    assert local["1"]["clmasterstate"] == "ACTIVE"
    (instance,) = grown.clip().get("stat/clusterinstance/1").json()["clusterinstance"]
    assert (instance["clviewleader"], instance["clnumnodes"], instance["clcurstatus"]) == (NSIPS[0], "2", "UP")
    assert grown.clip().rows("clusterpropstatus")[0]["numpropcmdfailed"] == "0"
