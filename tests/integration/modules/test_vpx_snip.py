"""vpx_snip on a cluster of a lab: addresses that one node owns, and what an appliance refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, on
from tests.integration.modules.test_vpx_cluster_node import cluster_of, managed
from tests.lab.client import LabClient

MASK = "255.255.255.0"
OWN = ("127.200.21.10", "127.200.21.11")


@pytest.fixture
def cluster(fresh_lab: LabClient) -> Box:
    """Two nodes, spoken to at their CLIP."""
    first = cluster_of(managed(fresh_lab, 2))[0]
    return Box(fresh_lab, first.instance_id, first.options["clip"], {"nitro_pass": PASSWORD})


def snip(box: Box, *, check: bool = False, **options: Any) -> Ran:
    return box.run("vpx_snip", check=check, **{"ip_address": OWN[0], "netmask": MASK, **options})


def test_every_node_of_a_cluster_owns_an_address(cluster: Box) -> None:
    entries = [{"ip_address": ip_address, "owner_node": owner} for owner, ip_address in enumerate(OWN)]
    reported = [{**entry, "netmask": MASK} for entry in entries]
    options = {**cluster.options, "netmask": MASK}
    predicted = on([cluster, cluster], "vpx_snip", entries, check=True, **options)
    assert (predicted["changed"], predicted.writes) == (True, [])
    done = on([cluster, cluster], "vpx_snip", entries, **options)
    assert not done["failed"], done["msg"]
    assert [node["snip"] for node in done["nodes"]] == [node["snip"] for node in predicted["nodes"]] == reported
    assert done.writes == [*2 * ["POST /config/nsip"], "POST /config/nsconfig?action=save"], "one session, one save"
    assert [op for op in done.ops if "/login" in op] == ["POST /config/login 201"]
    again = on([cluster, cluster], "vpx_snip", entries, **options)
    assert (again["changed"], again.writes) == (False, [])


def test_the_owner_of_an_address_is_changed_by_making_it_anew(cluster: Box) -> None:
    assert snip(cluster)["snip"] == {"ip_address": OWN[0], "netmask": MASK}, "an address of all nodes has no owner"
    predicted = snip(cluster, check=True, owner_node=1)
    done = snip(cluster, owner_node=1)
    assert done.writes == ["DELETE /config/nsip", "POST /config/nsip", "POST /config/nsconfig?action=save"]
    assert done["snip"] == predicted["snip"] == {"ip_address": OWN[0], "netmask": MASK, "owner_node": 1}
    assert done["diff"] == {"before": {"ip_address": OWN[0], "netmask": MASK}, "after": done["snip"]}
    # Not spoken of, it stays, also when the mask changes.
    wider = snip(cluster, netmask="255.255.0.0")
    assert wider["snip"] == {"ip_address": OWN[0], "netmask": "255.255.0.0", "owner_node": 1}
    assert snip(cluster, netmask=None, state="absent")["snip"] is None


def test_what_the_appliance_says_of_an_owner_is_passed_on(cluster: Box) -> None:
    assert "362" in snip(cluster, owner_node=7)["msg"], "no such node"
    node = cluster.state()["running"]["nsip"][0]["ipaddress"]
    alone = snip(Box(cluster.lab, cluster.instance_id, node, cluster.options), owner_node=0)
    assert (alone["failed"], alone["nitro_errorcode"]) == (True, 2547), "only on the CLIP"
