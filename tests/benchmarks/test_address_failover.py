"""25 Elastic IPs and 100 routes in one failover, at 0.15 s a call: how long it takes, and what it calls.

Prints seconds; gates nothing but the calls. The second turn has EC2's request token buckets as AWS documents them for
an account without raised quotas: ReplaceRoute takes 50 calls at once and 5 a second after that, so 100 routes cannot be
moved in less than 10 s. The third turn moves one prefix list of 25 addresses instead, in four route tables.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.aws.conftest import Cloud
from tests.lab.client import LabClient, running

ADDRESSES, TABLES, LATENCY = 25, 4, 0.15


@pytest.fixture
def cloud(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with running(tmp_path) as lab:
        for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, lab.env[name])
        yield Cloud(lab, lab.boto("ec2"), lab.state()["seed_data"])


def _interface(cloud: Cloud) -> tuple[str, list[str]]:
    interface, addresses = cloud.interface(0, secondaries=ADDRESSES - 1)
    cloud.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    return interface, addresses


def _run(cloud: Cloud, name: str, moves: list[dict[str, Any]]) -> dict[str, Any]:
    lab: LabClient = cloud.lab
    lab.latency(aws=LATENCY)
    began = time.monotonic()
    result = cloud.run("vpx_address_failover", moves=moves, verify_timeout=60)
    seconds = time.monotonic() - began
    lab.latency(aws=0)
    assert not result["failed"], result
    print(f"\n{name}: {seconds:.2f} s ({result['duration_ms']} ms in the module), {dict(cloud.calls)}")
    return result


def test_25_elastic_ips_and_100_routes(cloud: Cloud) -> None:
    cloud.lab.settings(aws={"eip_quota": ADDRESSES + 5})
    ends = [_interface(cloud) for _turn in range(2)]
    elastic = [cloud.allocate()[1] for _turn in range(ADDRESSES)]
    tables = [
        cloud.ec2.create_route_table(VpcId=cloud.seed["vpc_id"])["RouteTable"]["RouteTableId"]
        for _turn in range(TABLES)
    ]
    base = cloud.seed["routed_cidr"].rpartition(".")[0]
    destinations = [f"{base}.{number}/32" for number in range(1, ADDRESSES + 1)]
    vips = cloud.ec2.create_managed_prefix_list(
        PrefixListName="vips",
        AddressFamily="IPv4",
        MaxEntries=ADDRESSES,
        Entries=[{"Cidr": one} for one in destinations],
    )["PrefixList"]["PrefixListId"]

    def addresses(end: int) -> list[dict[str, Any]]:
        interface, privates = ends[end]
        return [
            {"kind": "elastic_ip", "elastic_ip": one, "network_interface_id": interface, "private_ip_address": private}
            for one, private in zip(elastic, privates, strict=True)
        ]

    def routes(end: int, to: list[str]) -> list[dict[str, Any]]:
        target = {"route_table_ids": tables, "network_interface_id": ends[end][0]}
        return [{"kind": "route", "destination": one, **target} for one in to]

    created = cloud.run("vpx_address_failover", moves=[*addresses(0), *routes(0, [*destinations, vips])])
    assert not created["failed"], created

    _run(cloud, "no limits", [*addresses(1), *routes(1, destinations)])
    assert cloud.calls == Counter(
        DescribeAddresses=2, DescribeNetworkInterfaces=1, DescribeRouteTables=2,
        AssociateAddress=ADDRESSES, ReplaceRoute=ADDRESSES * TABLES,
    )  # fmt: skip
    cloud.lab.settings(aws={"throttled": True})
    _run(cloud, "buckets as documented", [*addresses(0), *routes(0, destinations)])
    assert cloud.calls["ReplaceRoute"] <= 2 * ADDRESSES * TABLES
    time.sleep(3.0)  # ReplaceRoute's bucket has tokens again
    _run(cloud, "a prefix list", [*addresses(1), *routes(1, [vips])])
    assert cloud.calls["ReplaceRoute"] == TABLES
