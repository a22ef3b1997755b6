"""Whatever shape an answer has, parsers return a result or raise an error of ours: thousands of cases each."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import parse_addresses, parse_interfaces
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import parse_instances
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.routes import parse_route_tables
from ansible_collections.cloudadc.aws.plugins.module_utils.console import devices
from ansible_collections.cloudadc.aws.plugins.module_utils.core import nitro_wire as wire
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.targets import parse_healths
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import cluster, ha, ipset
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import (
    Claim,
    claim_result,
    judge,
    served_addresses,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_evidence import doubt
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.trial import VirtualServers
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec import figures

# The words that answers are made of, so that wrong values come at the places where right ones are expected.
WORDS = """
    id ipaddress state hastatus hasync inc masterstatetime deadinterval hellointerval maxflips maxfliptime
    name ipv46 ipset type netmask sessionid errorcode message severity hanode lbvserver Primary Secondary
    UP DOWN ENABLED VIP pktcpuusagepcnt memusagepcnt rxmbitsrate txmbitsrate tcpcurclientconn
    mgmtcpuusagepcnt cpuusagepcnt PublicIp AllocationId NetworkInterfaceId PrivateIpAddress AssociationId
    Tags TagSet Key Value Attachment Status InstanceId DeviceIndex PrivateIpAddresses Primary SubnetId
    Description State Name Placement AvailabilityZone LaunchTime NetworkInterfaces StateReason Message
    ImageId Groups GroupId SourceDestCheck eipalloc-1 eni-1 i-1 ip_address mgmt_ip_address profile_name
    datacenter_id agent_id instance_state version hostname is_last status 10.0.1.10 10.0.2.10 0.0.0.0
    RouteTableId Routes DestinationCidrBlock VpcId Target Id Port TargetHealth Reason curstate nodeid nodestate
    schema group zone updated window phase since until samples event stage nodes history metrics count
    reason owner failures unfinished grid interval
""".split()  # noqa: SIM905 - a list of them would fill a page
NUMBERS = (0, 1, -1, 64, 10**400, -(10**400), 2**63, float("inf"), float("-inf"), float("nan"), 1e308, -1e-320, 0.5)
TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "nan",
    "1_000",
    "\x00",
    "\ud800",
    "é" * 300,
    "Primary",
    "10.0.1.10",
    "2001:db8::1/64",
)


def anything(dice: random.Random, depth: int = 0) -> Any:
    """Return a value of any kind and shape, made of the words of real answers."""
    match dice.randrange(9 if depth < 4 else 6):
        case 0:
            return None
        case 1:
            return dice.random() < 0.5
        case 2:
            return dice.choice(NUMBERS)
        case 3:
            return dice.choice(TEXTS)
        case 4 | 5:
            return dice.choice(WORDS)
        case 6:
            return [anything(dice, depth + 1) for _one in range(dice.randrange(4))]
    return {dice.choice(WORDS): anything(dice, depth + 1) for _one in range(dice.randrange(9))}


def an_answer(seed: int) -> Any:
    """Rows most of the time, with the keys that identify one, else anything."""
    dice = random.Random(seed)
    if dice.random() < 0.2:
        return anything(dice)
    start = ({}, {"id": "0"}, {"AllocationId": "eipalloc-1", "PublicIp": "203.0.113.1"}, {"ip_address": "10.0.1.10"})
    more = [anything(dice, 1) for _row in range(3)]
    return [{**dice.choice(start), **(one if isinstance(one, dict) else {})} for one in more]


def deep(levels: int = 50_000) -> Any:
    found: Any = {}
    for _level in range(levels):
        found = [{"id": found}]
    return found


def rows_of(answer: Any) -> list[dict[str, Any]]:
    return wire.rows({"hanode": answer}, "hanode")


def hanode(answer: Any) -> None:
    view = ha.ObservedHa.from_rows(rows_of(answer))
    ha.in_sync(view, "10.0.2.10")
    ha.describe(view, "10.0.2.10")
    ha.summary(view, "10.0.2.10")
    one = Claim("node 0", "10.0.1.10", True, view, ())
    other = Claim("node 1", "10.0.2.10", True, view, ("10.0.12.10",))
    judge([one, other])
    doubt(one, other, [one, other])
    json.dumps(claim_result(one, [other]))


def served(answer: Any) -> None:
    served_addresses(rows_of(answer), rows_of(answer))


class _Reader:
    """An appliance that gives one answer to everything."""

    def __init__(self, answer: Any) -> None:
        self._rows = rows_of(answer)

    def get(self, *_args: Any, **_kwargs: Any) -> list[dict[str, Any]]:
        return self._rows

    get_bulk = get


def ipsets(answer: Any) -> None:
    ipset.read(_Reader(answer), ipset.DesiredIpset("vips", None, True, None, True))  # type: ignore[arg-type]


def console(answer: Any) -> None:
    found = devices.parse_devices(rows_of(answer), ["10.0.1.10"])
    for device in found.values():
        json.dumps(device.result())
    str(devices.last_word(rows_of(answer)))


def record(answer: Any) -> None:
    Record.from_json(answer)


def stats(answer: Any) -> None:
    figures.reading_of("10.0.0.1", {"ns": answer})


def members(answer: Any) -> None:
    for row in rows_of(answer):
        cluster.Member.from_row(row)


def virtual_servers(answer: Any) -> None:
    VirtualServers.of(rows_of(answer))


def reply(answer: Any) -> None:
    text = json.dumps(answer).encode()
    for status in (200, 503):
        found = wire.parse_reply(status, "application/json", text, body_expected=True)
        assert isinstance(found.ok, bool)
        wire.rows(found.body, "hanode")
        wire.misshapen(found.body, "hanode")


PARSERS: dict[str, Callable[[Any], object]] = {
    "hanode": hanode,
    "served addresses": served,
    "ipset": ipsets,
    "stat/ns": stats,
    "addresses of EC2": parse_addresses,
    "interfaces of EC2": parse_interfaces,
    "route tables of EC2": parse_route_tables,
    "health of targets": parse_healths,
    "members of a cluster": members,
    "virtual servers": virtual_servers,
    "instances of EC2": parse_instances,
    "console": console,
    "group state": record,
    "NITRO": reply,
}


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 2**40))
def test_any_answer_is_a_result_or_an_error_of_ours(name: str, first: int) -> None:
    """Fifty answers an example: making an example costs more than reading an answer."""
    for seed in range(first, first + 50):
        with contextlib.suppress(Failure):
            PARSERS[name](an_answer(seed))


@pytest.mark.parametrize("name", sorted(set(PARSERS) - {"NITRO"}))
def test_deep_answer_is_a_result_or_an_error_of_ours(name: str) -> None:
    with contextlib.suppress(Failure):
        PARSERS[name](deep())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(100, 599), st.text(max_size=20), st.booleans())
def test_any_bytes_are_a_reply(content: bytes, status: int, kind: str, expected: bool) -> None:
    found = wire.parse_reply(status, kind, content, body_expected=expected)
    assert isinstance(found.code, int)
