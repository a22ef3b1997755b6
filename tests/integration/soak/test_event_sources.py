"""Both event sources for minutes among healthy, slow, dripping and dead appliances: what they hold does not grow.

SOAK_SECONDS says for how long (600). Prints memory, descriptors, threads and sessions as they were along the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import AwsAccess, Given
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch import cloud, watcher
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.settings import Settings
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.watcher import Watcher
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.settings import settings_from
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.ticker import Ticker
from tests.lab.settings import CHECKOUT

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
PAIRS, ZONES = 4, 4
#: What may come and go while it runs: a thread or a connection of a question that is on its way.
MEBIBYTES, DESCRIPTORS, THREADS = 12.0, 16, 16
#: The session that is kept, and two logins that were answered too late, within one idle time.
SESSIONS = 3


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at one moment."""

    mebibytes: float
    descriptors: int
    threads: int
    sessions: int


class Ec2:
    """Knows five nodes a zone: zone z<n> has 127.1.<n>.10 to .50."""

    def get_paginator(self, _call: str) -> Ec2:
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> Ec2:
        [self._zone] = next(each["Values"] for each in Filters if each["Name"] == "tag:cloudadc:zone")
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"Reservations": [{"Instances": [self._instance(number) for number in range(10, 60, 10)]}]}

    def _instance(self, number: int) -> dict[str, Any]:
        zone = self._zone
        address = {"PrivateIpAddress": f"127.1.{zone.removeprefix('z')}.{number}", "Primary": True}
        tags = {"group": "fleet", "zone": zone, "node_id": str(number), "lifecycle": "in_service"}
        return {
            "InstanceId": f"i-{zone}-{number}",
            "State": {"Name": "running"},
            "Tags": [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()],
            "NetworkInterfaces": [
                {"NetworkInterfaceId": "eni", "Attachment": {"DeviceIndex": 0}, "PrivateIpAddresses": [address]}
            ],
        }

    def close(self) -> None:
        """Give nothing back."""


class Access:
    def client(self, _service: str) -> Ec2:
        return Ec2()


def pair(number: int) -> cloud.ObservedPair:
    """The first node is healthy, the other one as its tens say: slow, dripping, dead, changing."""
    nodes = []
    for index, last in enumerate((10, 21 + 10 * (number - 1))):
        nsip = f"127.2.{number}.{last}"
        instance = Instance(f"i-{number}-{index}", "running", interfaces=(Attached("eni", 0, (nsip,)),))
        nodes.append(Node(nsip, instance, instance.instance_id, index))
    return cloud.ObservedPair(tuple(nodes), ())


@pytest.fixture
def port() -> Iterator[int]:
    """Yield the appliances, in a process of their own."""
    program = Path(__file__).with_name("troubled_appliances.py")
    command, environment = [sys.executable, str(program)], {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def held(port: int) -> Held:
    sessions = requests.get(f"http://127.0.0.1:{port}/stubs", timeout=10).json()["open"]
    me = psutil.Process()
    most = max(sessions.values(), default=0)
    return Held(round(me.memory_info().rss / 2**20, 1), me.num_fds(), me.num_threads(), most)


async def put(_event: dict[str, Any]) -> None:
    """Take an event."""


def watchers(port: int) -> list[Watcher]:
    connection = Connection("", password="secret", protocol="http", timeout=0.5, connect_timeout=0.5)
    return [
        Watcher(Settings(str(number), connection, AwsAccess(), nitro_port=port, interval=0.3, aws_interval=1.0), put)
        for number in range(1, PAIRS + 1)
    ]


def ticker(port: int, folder: Path) -> Ticker:
    policy = {
        "metrics": {"cpu": {"min": 1, "max": 99}},
        "interval": 1,
        "watch_time": 1,
        "cooldown": 10,
        "drain_timeout": 10,
        "min_nodes": 1,
        "max_nodes": 9,
    }
    args = {
        "group": "fleet",
        "zones": [f"z{number}" for number in range(1, ZONES + 1)],
        "policy": {**policy, "distributor": "nlb"},
        "store": {"path": str(folder)},
        "nitro_pass": "secret",
        "nitro_protocol": "http",
        "nitro_port": port,
        "timeout": 0.5,
    }
    settings = settings_from(Given(args, {}))
    object.__setattr__(settings, "aws", Access())
    return Ticker(settings, put)


async def soak(port: int, folder: Path, seconds: float) -> list[Held]:
    tasks = [asyncio.create_task(each.run()) for each in (*watchers(port), ticker(port, folder))]
    seen: list[Held] = []
    ends = time.monotonic() + seconds
    try:
        while (left := ends - time.monotonic()) > 0:
            await asyncio.sleep(min(left, max(1.0, seconds / 60)))
            seen.append(await asyncio.to_thread(held, port))
            assert not [task for task in tasks if task.done()], "a source has ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
    return seen


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 120)
def test_sources_hold_no_more_at_the_end_than_in_the_middle(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher.Region, "read", lambda region: pair(int(region.settings.group)))
    # pytest keeps every record that reaches the root, 0.1 MiB a minute.
    monkeypatch.setattr(logging.getLogger("cloudadc.aws"), "propagate", False)
    seen = asyncio.run(soak(port, tmp_path, SECONDS))
    for one in seen[:: max(1, len(seen) // 12)]:
        print(one, flush=True)
    third = len(seen) // 3
    middle, end = seen[third : 2 * third], seen[2 * third :]
    limits = {"mebibytes": MEBIBYTES, "descriptors": DESCRIPTORS, "threads": THREADS}
    for what, more in limits.items():
        was, now = (max(getattr(one, what) for one in part) for part in (middle, end))
        assert now <= was + more, f"{what}: {was} in the middle third, {now} in the last one"
    assert max(one.sessions for one in seen) <= SESSIONS
