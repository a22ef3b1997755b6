"""vpx_ha_failover, vpx_ha_reconcile and vpx_snip over HTTP, on a real pair of the lab's appliances."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.lab.client import wait_for

from .pairs import IPSET, PASSWORD, Pair


def target(pair: Pair, number: int) -> dict[str, str]:
    """Where the pair's Elastic IP belongs when this node is primary."""
    client = pair.client(number)
    return {"network_interface_id": client["network_interface_id"], "private_ip_address": client["private_ip_address"]}


def nitro_writes(pair: Pair, since: int) -> list[str]:
    return [call.op for call in pair.cloud.lab.calls(side="nitro")[since:] if call.write]


def failover(pair: Pair, this: int, other: int, **more: Any) -> dict[str, Any]:
    options = {"nsip": pair.at(this), "peer": pair.at(other), **pair.nitro()}
    moves = [{"elastic_ip": pair.public_ip, **target(pair, other)}]
    return pair.cloud.run("vpx_ha_failover", **{**options, "moves": moves, **more})


def reconcile(pair: Pair, **more: Any) -> dict[str, Any]:
    options = {"group": "shop", "nitro_port": pair.cloud.lab.nitro_port, **pair.nitro(), "settle_timeout": 0.5, **more}
    return pair.cloud.run("vpx_ha_reconcile", **options)


def test_the_primary_role_changes_hands_and_the_address_goes_with_it(pair: Pair) -> None:
    """One scenario on one , because building it takes most of the time."""
    asked = len(pair.cloud.lab.calls(side="nitro"))
    predicted = failover(pair, 0, 1, check=True)
    assert (predicted["failed"], predicted["changed"]) == (False, True), predicted
    assert [node["master_state"] for node in predicted["after"]] == ["Secondary", "Primary"]
    assert pair.cloud.writes == Counter()
    assert nitro_writes(pair, asked) == []

    done = failover(pair, 0, 1)
    assert (done["failed"], done["changed"]) == (False, True), done
    assert done["before"] == [
        {"nsip": pair.nsip(0), "master_state": "Primary"},
        {"nsip": pair.nsip(1), "master_state": "Secondary"},
    ]
    assert [node["master_state"] for node in done["after"]] == ["Secondary", "Primary"]
    assert done["moves"][0]["after"] == target(pair, 1)
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 1).values())
    assert pair.cloud.calls == Counter(DescribeAddresses=2, AssociateAddress=1)
    assert nitro_writes(pair, asked) == ["POST /config/hafailover?action=Force"]
    assert 0 < done["switch_ms"] < 5000
    assert PASSWORD not in str(done)

    again = failover(pair, 0, 1)
    assert (again["failed"], again["changed"], again["switch_ms"]) == (False, False, 0), again
    assert pair.cloud.writes == Counter()
    assert nitro_writes(pair, asked) == ["POST /config/hafailover?action=Force"], "it must not fail back"

    unknown = failover(pair, 1, 0, moves=[{"elastic_ip": "203.0.113.99", **target(pair, 0)}])
    assert unknown["failed"]
    assert "203.0.113.99" in unknown["msg"]
    assert nitro_writes(pair, asked) == ["POST /config/hafailover?action=Force"], "refused before anything is written"

    pair.cloud.lab.power(pair.nodes[0]["instance_id"], on=False)
    dead = failover(pair, 1, 0, nitro_timeout=0.5)
    assert dead["failed"]
    assert pair.nsip(0) in dead["msg"]
    assert pair.info(settle_timeout=5)["primary"] == 1


def planned(pair: Pair, **more: Any) -> dict[str, Any]:
    options = {"group": "shop", "nitro_port": pair.cloud.lab.nitro_port, **pair.nitro(), "settle_timeout": 0.5, **more}
    return pair.cloud.run("vpx_ha_failover", **options)


def test_planned_failover_of_a_group_is_one_call(pair: Pair) -> None:
    """One scenario on one , because building it takes most of the time."""
    asked = len(pair.cloud.lab.calls(side="nitro"))
    predicted = planned(pair, check=True)
    assert (predicted["failed"], predicted["changed"], predicted["primary"]["node_id"]) == (False, True, 1), predicted
    assert predicted["moves"][0]["after"] == target(pair, 1)
    assert pair.cloud.writes == Counter()
    assert nitro_writes(pair, asked) == []

    done = planned(pair)
    assert (done["failed"], done["changed"], done["primary"]["node_id"]) == (False, True, 1), done
    assert done["primary"]["nsip"] == pair.nsip(1)
    assert done["verdict"].startswith("node 0 is primary")
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 1).values())
    assert pair.cloud.calls == Counter(DescribeInstances=1, DescribeAddresses=2, AssociateAddress=1)
    assert nitro_writes(pair, asked) == ["POST /config/hafailover?action=Force"]
    assert 0 < done["switch_ms"] < 5000
    assert PASSWORD not in str(done)

    again = planned(pair, to=1)
    assert (again["failed"], again["changed"], again["switch_ms"]) == (False, False, 0), again
    assert pair.cloud.writes == Counter()

    # As if the run had been interrupted between the two writes: the address is finished, the roles stay.
    client = target(pair, 0)
    pair.cloud.ec2.associate_address(
        AllocationId=pair.allocation_id,
        NetworkInterfaceId=client["network_interface_id"],
        PrivateIpAddress=client["private_ip_address"],
        AllowReassociation=True,
    )
    finished = planned(pair)
    assert (finished["failed"], finished["changed"], finished["primary"]["node_id"]) == (False, True, 1), finished
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 1).values())
    assert nitro_writes(pair, asked) == ["POST /config/hafailover?action=Force"], "the roles must not change"

    assert planned(pair)["primary"]["node_id"] == 0
    vip = pair.client(1)["private_ip_address"]
    # As if the address had been removed from the IPSet by hand.
    rest = [{"ip_address": pair.client(0)["private_ip_address"]}]
    pair.done("vpx_ipset", **pair.nitro(nsip=pair.at(1), name=IPSET), addresses=rest)
    guarded = planned(pair)
    assert guarded["failed"]
    assert f"no virtual server of node 1 ({pair.nsip(1)}) answers at {vip}" in guarded["msg"]
    assert pair.cloud.writes == Counter()
    assert planned(pair, ignore_guard=True)["primary"]["node_id"] == 1
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 1).values())

    pair.cloud.lab.power(pair.nodes[0]["instance_id"], on=False)
    unfit = planned(pair, probe_timeout=0.3)
    assert unfit["failed"]
    assert unfit["msg"].startswith("shop is not fit for a planned failover: ")
    assert pair.cloud.writes == Counter()
    both_ways = pair.cloud.run("vpx_ha_failover", **pair.nitro(), group="shop", peer=pair.at(1))
    assert "mutually exclusive" in both_ways["msg"]


def test_the_addresses_are_put_where_the_primary_is(pair: Pair) -> None:
    """One scenario on one , because building it takes most of the time."""
    lab = pair.cloud.lab
    asked = len(lab.calls(side="nitro"))
    predicted = reconcile(pair, check=True)
    assert (predicted["failed"], predicted["changed"]) == (False, True), predicted
    assert predicted["moves"][0]["after"] == target(pair, 0)
    assert pair.cloud.writes == Counter()

    done = reconcile(pair)
    assert (done["failed"], done["changed"], done["primary"]["node_id"]) == (False, True, 0), done
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 0).values())
    assert pair.cloud.calls == Counter(DescribeInstances=1, DescribeAddresses=2, AssociateAddress=1)

    again = reconcile(pair)
    assert (again["failed"], again["changed"]) == (False, False), again
    assert pair.cloud.calls == Counter(DescribeInstances=1, DescribeAddresses=1)
    assert nitro_writes(pair, asked) == []
    assert PASSWORD not in str(done)

    wrong = reconcile(pair, nitro_pass="not-the-password")
    assert wrong["failed"]
    assert "354" in wrong["msg"]
    assert wrong["msg"].endswith("nothing was touched")

    lab.power(pair.nodes[0]["instance_id"], on=False)
    wait_for(lambda: pair.info()["primary"] == 1, "node 1 is primary")
    vip = pair.client(1)["private_ip_address"]
    # As if the address had been removed from the IPSet by hand.
    rest = [{"ip_address": pair.client(0)["private_ip_address"]}]
    pair.done("vpx_ipset", **pair.nitro(nsip=pair.at(1), name=IPSET), addresses=rest)
    lab.latency(nitro=0.7)  # the survivor is slow: what it serves is read all the same, and not taken for nothing
    guarded = reconcile(pair, settle_timeout=10)
    assert guarded["failed"]
    assert f"answers at {vip}" in guarded["msg"]
    assert pair.cloud.writes == Counter()
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 0).values())
    assert reconcile(pair, guard=False, settle_timeout=10)["changed"]
    assert pair.cloud.association(pair.allocation_id) == tuple(target(pair, 1).values())
    lab.latency(nitro=0)

    lab.power(pair.nodes[1]["instance_id"], on=False)
    dark = reconcile(pair, probe_timeout=0.3)
    assert dark["failed"]
    assert "no node is primary" in dark["msg"]
    assert dark["msg"].endswith("nothing was touched")
    assert pair.cloud.writes == Counter()

    pair.cloud.ec2.disassociate_address(PublicIp=pair.public_ip)
    pair.cloud.ec2.release_address(AllocationId=pair.allocation_id)
    released = reconcile(pair)
    assert released["failed"]
    assert "the pair has no Elastic IP" in released["msg"]
    assert "no client reaches it" in released["msg"]


def test_split_brain_moves_nothing_with_either_node_late(pair: Pair) -> None:
    """Both nodes serve and hear each other no more; the one that has the address answers late."""
    lab = pair.cloud.lab
    assert reconcile(pair)["changed"]
    ids = [node["instance_id"] for node in pair.nodes]
    lab.settings(nitro={"partitions": [ids]})
    wait_for(lambda: pair.info()["verdict"].startswith("2 nodes claim"), "both are primary")
    began = len(lab.calls(side="aws"))
    lab.latency(nitro=0.35)  # three answers, each later than the probe
    late = reconcile(pair, probe_timeout=0.3, settle_timeout=3)
    lab.latency(nitro=0)
    assert late["failed"], late
    assert late["msg"].endswith("nothing was touched")
    assert pair.nsip(0) in late["msg"]
    assert pair.nsip(1) in late["msg"]
    undecided = reconcile(pair)
    assert undecided["failed"]
    assert "2 nodes claim to be primary" in undecided["msg"]
    assert undecided["msg"].endswith("nothing was touched")
    assert not [call for call in lab.calls(side="aws")[began:] if call.write]

    # One of them is taken out of the pair, for an upgrade say: it takes nothing from the other.
    pair.done("vpx_ha_node", **pair.nitro(nsip=pair.at(1), peer=pair.nsip(0)), state="absent", wait=False)
    lab.power(ids[0], on=False)
    alone = reconcile(pair, probe_timeout=0.3)
    assert alone["failed"]
    assert "node 1 has no peer while node 0 is running" in alone["msg"]
    assert pair.cloud.writes == Counter()
    accepted = reconcile(pair, probe_timeout=0.3, accept_standalone=True)
    assert accepted["failed"]
    assert "node 1 says of it: not my peer" in accepted["msg"], "nor is its word a witness against the other"


def test_a_node_gets_the_address_from_which_it_reaches_back_ends(pair: Pair) -> None:
    address = pair.nodes[1]["interfaces"]["server"]["private_ip_address"]
    options = {**pair.nitro(nsip=pair.at(1)), "ip_address": address, "netmask": "24"}
    asked = len(pair.cloud.lab.calls(side="nitro"))
    assert pair.cloud.run("vpx_snip", check=True, **options)["changed"]
    assert nitro_writes(pair, asked) == []
    made = pair.cloud.run("vpx_snip", **options)
    assert (made["changed"], made["saved"]) == (True, True), made
    assert made["snip"] == {"ip_address": address, "netmask": "255.255.255.0"}
    assert not pair.cloud.run("vpx_snip", **options)["changed"]
    assert nitro_writes(pair, asked) == ["POST /config/nsip", "POST /config/nsconfig?action=save"]
    theirs = pair.cloud.run("vpx_snip", **{**options, "ip_address": pair.nsip(1)})
    assert theirs["failed"]
    assert f"{pair.nsip(1)} is a NSIP there" in theirs["msg"]
    assert pair.cloud.run("vpx_snip", **{**options, "netmask": None}, state="absent")["snip"] is None
