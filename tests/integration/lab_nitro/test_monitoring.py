"""What monitoring plugins and the vendor's collection ask for beside load balancing.

Sources: the vendor's NITRO 12.1 reference (statistics of aaa, cache, dns, vpnvserver, systemcpu …; configuration of
csaction, cspolicy, systemuser_systemcmdpolicy_binding, vpnglobal_staserver_binding); the endpoints that the monitoring
plugin slauger/check_netscaler and modules of netscaler.adc read.
"""

from __future__ import annotations

import pytest

from tests.integration.lab_nitro.harness import Client, refused


@pytest.mark.parametrize("page", ["vpnvserver", "gslbvserver", "authenticationvserver", "crvserver", "csvserver"])
def test_a_kind_of_vserver_of_which_there_is_none_is_an_empty_reply(node: Client, page: str) -> None:
    reply = node.get(f"stat/{page}")
    assert (reply.status_code, reply.json()) == (200, {"errorcode": 0, "message": "Done", "severity": "NONE"})


@pytest.mark.parametrize(
    ("page", "counter", "rate"),
    [
        ("aaa", "aaatotsessions", "aaaauthsuccessrate"),
        ("cache", "cachetothits", "cachehitsrate"),
        ("dns", "dnstotqueries", "dnsqueriesrate"),
        ("protocoludp", "udptotrxpkts", "udprxpktsrate"),
        ("protocolicmp", "icmptotrxpkts", "icmprxpktsrate"),
    ],
)
def test_pages_that_exist_once_are_objects_with_every_documented_field(
    node: Client, page: str, counter: str, rate: str
) -> None:
    row = node.get(f"stat/{page}").json()[page]
    assert (row[counter], row[rate]) == ("0", 0)


def test_each_cpu_has_a_row(node: Client) -> None:
    rows = node.get("stat/systemcpu").json()["systemcpu"]
    assert len(rows) == 1 + int(node.get("stat/system").json()["system"]["numcpus"])
    assert all(isinstance(row["percpuuse"], str) for row in rows)


def test_no_ticket_authority_is_an_empty_reply(node: Client) -> None:
    reply = node.get("config/vpnglobal_staserver_binding")
    assert (reply.status_code, "vpnglobal_staserver_binding" in reply.json()) == (200, False)


def test_content_switching_from_action_to_vserver_and_back(node: Client) -> None:
    node.add("lbvserver", name="web", servicetype="HTTP")
    node.add("csvserver", name="front", servicetype="HTTP", ipv46="127.77.2.90", port=8080)
    missing = {"csaction": {"name": "to-nowhere", "targetlbvserver": "nowhere"}}
    assert refused(node.post("config/csaction", missing)) == (404, 258)
    node.add("csaction", name="to-web", targetlbvserver="web")
    node.add("cspolicy", policyname="all", rule="true", action="to-web")
    node.bind("csvserver_cspolicy_binding", name="front", policyname="all", priority=100)
    node.bind("csvserver_lbvserver_binding", name="front", lbvserver="web")
    assert node.rows("csvserver_cspolicy_binding", "/front")[0]["priority"] == "100"
    assert refused(node.delete("config/csaction/to-web"))[0] == 599
    assert refused(node.delete("config/cspolicy/all"))[0] == 599
    assert node.delete("config/csvserver/front").status_code == 200
    assert node.delete("config/cspolicy/all").status_code == 200
    assert node.delete("config/csaction/to-web").status_code == 200


def test_a_user_gets_rights_by_a_built_in_command_policy(node: Client) -> None:
    node.add("systemuser", username="monitor", password="Observant-1")
    node.bind("systemuser_systemcmdpolicy_binding", username="monitor", policyname="read-only", priority=1)
    assert [row["policyname"] for row in node.rows("systemuser_systemcmdpolicy_binding", "/monitor")] == ["read-only"]
    unknown = {"systemuser_systemcmdpolicy_binding": {"username": "monitor", "policyname": "nope"}}
    assert refused(node.put("config/systemuser_systemcmdpolicy_binding", unknown)) == (404, 258)
