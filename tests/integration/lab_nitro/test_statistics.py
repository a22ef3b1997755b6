"""Statistics: JSON types, sentinels, and load as set by a test.

Sources: recorded stat/system, stat/ns and stat/Interface replies, exporters' decoders, as collected in the project's
fact sheet §2.3 and §8; vendor NITRO statistics reference 12.1.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.lab_nitro.harness import Bench, Client, refused


def ns(node: Client) -> dict[str, Any]:
    row: dict[str, Any] = node.get("stat/ns").json()["ns"]
    return row


def test_percentages_and_rates_are_numbers_counters_are_strings(node: Client) -> None:
    row = ns(node)
    percentages = ("pktcpuusagepcnt", "cpuusagepcnt", "memusagepcnt", "mgmtcpuusagepcnt", "disk0perusage")
    for name in (*percentages, "rxmbitsrate", "txmbitsrate"):
        assert isinstance(row[name], (int, float)), name
    for name in ("cpuusage", "numcpus", "totrxmbits", "tcpcurclientconn", "tcpcurclientconnestablished", "memuseinmb"):
        assert isinstance(row[name], str), name
    assert row["hacurmasterstate"] == "Primary"


def test_one_cpu_has_no_average_over_several(bench: Bench) -> None:
    small = bench.booted("i-0small", "127.77.1.30", instance_type="m5.large")
    large = bench.booted("i-0large", "127.77.1.31", instance_type="m5.xlarge")
    assert (ns(small)["numcpus"], ns(small)["rescpuusagepcnt"]) == ("1", 4294967295)
    assert ns(small)["rescpuusage"] == "4294967295"
    assert ns(large)["numcpus"] == "3"
    assert ns(large)["rescpuusagepcnt"] <= 100


@pytest.mark.parametrize(
    ("selector", "hit"),
    [
        ({"all": "true"}, ["i-0aaa", "i-0bbb"]),
        ({"zone": "z-b"}, ["i-0bbb"]),
        ({"instance_id": "i-0aaa"}, ["i-0aaa"]),
        ({"zone": "nowhere"}, []),
    ],
)
def test_load_is_set_for_a_zone_an_instance_or_all(
    bench: Bench, node: Client, selector: dict[str, str], hit: list[str]
) -> None:
    bench.booted("i-0bbb", "127.77.21.10", zone="z-b")
    assert bench.side.load(selector, {"cpu": 91.5, "throughput": 300.0, "connections": 12}) == hit
    row = ns(node)
    if "i-0aaa" in hit:
        assert (row["pktcpuusagepcnt"], row["rxmbitsrate"] + row["txmbitsrate"]) == (91.5, 300.0)
        assert row["tcpcurclientconnestablished"] == "12"
        before = int(row["totrxmbits"])
        bench.wait(10)
        assert int(ns(node)["totrxmbits"]) == before + 1500
    else:
        assert row["pktcpuusagepcnt"] < 50


def test_load_of_a_zone_meets_instances_launched_later(bench: Bench) -> None:
    bench.side.load({"zone": "z-b"}, {"memory": 77.0})
    late = bench.booted("i-0late", "127.77.21.11", zone="z-b")
    assert ns(late)["memusagepcnt"] == 77.0


def test_statistics_of_objects(node: Client) -> None:
    node.add("lbvserver", name="web", servicetype="HTTP", ipv46="127.77.2.10", port=8080)
    node.add("service", name="s1", ip="127.77.3.1", servicetype="HTTP", port=8000)
    node.bind("lbvserver_service_binding", name="web", servicename="s1")
    (row,) = node.get("stat/lbvserver/web").json()["lbvserver"]
    assert (row["state"], row["vslbhealth"], row["actsvcs"], row["primaryport"]) == ("UP", "100", "1", 8080)
    assert isinstance(row["hitsrate"], (int, float))
    assert isinstance(row["tothits"], str)
    nested = node.get("stat/lbvserver/web?statbindings=yes").json()["lbvserver"][0]["service"]
    assert [member["name"] for member in nested] == ["s1"]
    assert node.get("stat/service/s1").json()["service"][0]["state"] == "UP"
    assert refused(node.get("stat/lbvserver/nope")) == (404, 258)
    assert refused(node.get("stat/flux")) == (400, 1232)
    assert "csvserver" not in node.get("stat/csvserver").json()


def test_interfaces_include_the_loopback_and_print_their_uptime(bench: Bench, node: Client) -> None:
    bench.side.load({"all": "true"}, {"throughput": 80.0})
    bench.wait(100_000, step=10_000)
    node.login()
    rows = {row["id"]: row for row in node.get("stat/Interface").json()["Interface"]}
    assert set(rows) == {"1/1", "1/2", "LO/1"}
    assert rows["1/2"]["rxbytesrate"] == 5_000_000
    assert rows["LO/1"]["rxbytesrate"] > 0
    assert isinstance(rows["1/2"]["totrxbytes"], str)
    assert rows["1/1"]["curlinkuptime"].startswith("1.03:46:")
    lower = node.get("stat/interface").json()
    assert "interface" in lower
    named = node.get("stat/Interface/1%252F2").json()["Interface"]
    assert [row["id"] for row in named] == ["1/2"]
