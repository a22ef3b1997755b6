"""A fleet of 200 zones of 4 nodes in one event source on one core: how late its ticks are, and what it holds.

Appliances are stubs over TLS that close every connection (the lab's own are too slow for 800 of them); the stores are
files, EC2 is a stub that knows the nodes. One zone has a node with hostile answers. Prints lateness, CPU, memory and
sessions; gates that every zone is ticked in every interval and that no appliance has more than one session.

AUTOSCALE_TICKS_INTERVAL (60) and AUTOSCALE_TICKS_INTERVALS (3) say how long it takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import Given
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.settings import Settings, settings_from
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.ticker import Ticker, Zone

ZONES, NODES = 200, 4
INTERVAL = float(os.environ.get("AUTOSCALE_TICKS_INTERVAL", "60"))
INTERVALS = int(os.environ.get("AUTOSCALE_TICKS_INTERVALS", "3"))
LATEST = 5.0
STUBS = Path(__file__).with_name("stub_appliances.py")


class Ec2:
    """Knows four nodes a zone: zone number z has 127.0.z+1.1 to .4; those of zone 0 include a hostile one."""

    def get_paginator(self, _call: str) -> Ec2:
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> Ec2:
        [self._zone] = next(each["Values"] for each in Filters if each["Name"] == "tag:cloudadc:zone")
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"Reservations": [{"Instances": [instance(self._zone, number) for number in range(NODES)]}]}


def instance(zone: str, number: int) -> dict[str, Any]:
    at = int(zone.removeprefix("z"))
    last = 66 if (at, number) == (0, 3) else number + 1
    interface = {
        "NetworkInterfaceId": f"eni-{at}-{number}",
        "Attachment": {"DeviceIndex": 0},
        "PrivateIpAddresses": [{"PrivateIpAddress": f"127.0.{at + 1}.{last}", "Primary": True}],
    }
    tags = {"group": "fleet", "zone": zone, "node_id": str(number), "lifecycle": "in_service"}
    return {
        "InstanceId": f"i-{at}-{number}",
        "State": {"Name": "running"},
        "Tags": [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()],
        "NetworkInterfaces": [interface],
    }


class Access:
    def client(self, _service: str) -> Ec2:
        return Ec2()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The stub appliances, in a process of their own."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=stub", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    made = ["openssl", "req", "-x509", *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = [sys.executable, str(STUBS), str(number), str(certificate), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield number
        process.terminate()


def stubs(port: int) -> dict[str, dict[str, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/stubs", context=context, timeout=30) as reply:
        found: dict[str, dict[str, int]] = json.load(reply)
    return found


def settings(port: int, folder: Path) -> Settings:
    policy = {"metrics": {"memory": {"min": 20, "max": 90}}, "watch_time": max(3, INTERVAL / 60), "interval": INTERVAL}
    limits = {"cooldown": 10, "drain_timeout": 10, "distributor": "nlb", "min_nodes": 1, "max_nodes": 6}
    args = {
        "group": "fleet",
        "zones": [f"z{number}" for number in range(ZONES)],
        "policy": {**policy, **limits},
        "store": {"path": str(folder)},
        "nitro_pass": "Pa55-word",
        "nitro_port": port,
        "validate_certs": False,
    }
    return settings_from(Given(args, {}))


def memory() -> int:
    """Resident memory of this process in kB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.timeout(1200)
def test_fleet_ticks_every_interval(port: int, tmp_path: Path) -> None:
    from dataclasses import replace

    (tmp_path / "store").mkdir()
    chosen = replace(settings(port, tmp_path / "store"), aws=Access())  # type: ignore[arg-type]
    ticks: Counter[str] = Counter()
    lateness: list[float] = []
    events: list[dict[str, Any]] = []

    def begun(zone: Zone, late: float) -> None:
        ticks[zone.name] += 1
        lateness.append(late)

    async def put(event: dict[str, Any]) -> None:
        events.append(event)

    held: list[tuple[int, int]] = []

    async def run() -> None:
        task = asyncio.create_task(Ticker(chosen, put, begun).run())
        for _interval in range(INTERVALS):
            await asyncio.sleep(INTERVAL)
            held.append((memory(), threading.active_count()))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    core = {min(os.sched_getaffinity(0))}
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    began, used = time.monotonic(), cpu()
    try:
        asyncio.run(run())
    finally:
        os.sched_setaffinity(0, everywhere)
    lasted, used = time.monotonic() - began, cpu() - used
    reported = stubs(port)
    in_order = sorted(lateness)
    print(
        f"\n{ZONES} zones of {NODES} nodes, interval {INTERVAL:g} s, {INTERVALS} intervals, one core, stub appliances: "
        f"{sum(ticks.values())} ticks, late by {in_order[len(in_order) // 2]:.3f} s (median), "
        f"{in_order[int(len(in_order) * 0.99)]:.3f} s (99 %), {in_order[-1]:.3f} s (worst); "
        f"CPU {100 * used / lasted:.0f} % of one core; memory {' → '.join(f'{kb // 1024} MiB' for kb, _n in held)}, "
        f"threads {' → '.join(str(n) for _kb, n in held)}; sessions a node at most {max(reported['most'].values())}, "
        f"left open {sum(reported['open'].values())}; {sum(reported['queries'].values())} queries"
    )
    assert min(ticks.values()) >= INTERVALS, "a zone was not ticked in every interval"
    assert len(ticks) == ZONES
    assert in_order[-1] < LATEST
    assert max(reported["most"].values()) == 1
    assert len(reported["most"]) == ZONES * NODES
    assert events == []


def cpu() -> float:
    """Seconds of CPU that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
