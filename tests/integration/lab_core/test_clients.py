"""The clients against a server that is taken away, and against names whose answers change."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import clients
from tests.lab.backends import Backends
from tests.lab.client import LabClient, wait_for
from tests.lab.settings import CHECKOUT

FOREVER = float("inf")
NETWORK = "127.222"


def test_nothing_is_cut_while_all_goes_well_and_everything_when_the_server_goes(tmp_path: Path) -> None:
    backends = Backends(NETWORK)
    backends.start()
    address, port = backends.all[0].address, backends.all[0].port
    command = [sys.executable, "-m", "tests.lab.clients", "--addresses", address, "--port", str(port), "--life", "0.5"]
    observed_by_it = tmp_path / "clients.json"
    process = subprocess.Popen(
        [*command, "--json", str(observed_by_it)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(2.0)  # what is measured is time
    went = time.time()
    backends.stop()
    time.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)
    assert process.returncode == 0
    observed = clients.read(observed_by_it)
    assert len(observed.quick.requests) > 20
    assert {one.error for one in observed.slow.requests if one.end < went} == {None}
    assert [one for one in observed.sessions if one.cut is None and one.requests >= 2]
    assert observed.failures(0.0, went) == []
    assert observed.cuts(0.0, went) == []
    assert observed.failures(went, FOREVER)


def test_a_resolver_keeps_an_answer_for_its_ttl_and_not_longer(fresh_lab: LabClient) -> None:
    names = fresh_lab.boto("route53")
    zone = names.create_hosted_zone(Name="clients.example", CallerReference="clients")["HostedZone"]["Id"]

    def point(address: str) -> None:
        record = {"Name": "www.clients.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
        change = {"Action": "UPSERT", "ResourceRecordSet": record}
        names.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
        wait_for(lambda: _addresses(fresh_lab) == [address], "the name servers know")

    async def ask() -> list[str]:
        resolver = clients.Resolver(fresh_lab.url, "www.clients.example")
        first = await resolver.next()
        await asyncio.to_thread(point, "192.0.2.2")
        still = await resolver.next()
        fresh_lab.pace(60_000)  # a minute of the lab is a millisecond: every answer from now on is old at once
        fresher = clients.Resolver(fresh_lab.url, "www.clients.example")
        return [first, still, await fresher.next()]

    fresh_lab.pace(10)
    point("192.0.2.1")
    assert asyncio.run(ask()) == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]


def _addresses(lab: LabClient) -> list[str]:
    return list(lab.post("resolve", {"name": "www.clients.example."})["addresses"])
