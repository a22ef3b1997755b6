"""The contract of attachments, over every entry of the registry, against an EC2 in process (moto with the lab's mends).

``SCENES`` makes the thing of a kind at one interface and can name it: what is tested is the same for all kinds.
"""

from __future__ import annotations

import inspect
import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.base import Attachment
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip import ElasticIp
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_changes import Outcome
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_plan import AssociationChange
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.registry import REGISTRY
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from tests.lab.aws import ground, mends
from tests.lab.world import Clock

Any4 = Attachment[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """A thing that interface ``here`` holds. ``to``: the entry of ``moves`` that gives it to an interface, ``here`` or
    ``there``; ``holder``: the interface that EC2 says has it; ``writes``: calls that move it."""

    here: str
    there: str
    to: Callable[[str], dict[str, Any]]
    unknown: Mapping[str, Any]
    holder: Callable[[], str]
    writes: int = 1


def elastic_ip(client: Any, here: str, there: str) -> Scene:
    allocation = client.allocate_address(Domain="vpc")["AllocationId"]
    client.associate_address(AllocationId=allocation, NetworkInterfaceId=here)

    def holder() -> str:
        return str(client.describe_addresses(AllocationIds=[allocation])["Addresses"][0]["NetworkInterfaceId"])

    return Scene(
        here,
        there,
        lambda interface: {"elastic_ip": allocation, "network_interface_id": interface},
        {"elastic_ip": "eipalloc-0000000", "network_interface_id": there},
        holder,
    )


def private_ip(client: Any, here: str, there: str) -> Scene:
    address = "10.0.1.77"
    client.assign_private_ip_addresses(NetworkInterfaceId=here, PrivateIpAddresses=[address])

    def holder() -> str:
        found = client.describe_network_interfaces(NetworkInterfaceIds=[here, there])["NetworkInterfaces"]
        return next(
            str(one["NetworkInterfaceId"])
            for one in found
            if address in [item["PrivateIpAddress"] for item in one["PrivateIpAddresses"]]
        )

    return Scene(
        here,
        there,
        lambda interface: {"private_ip_address": address, "network_interface_id": interface},
        {"private_ip_address": "10.0.1.0/24", "network_interface_id": there},
        holder,
    )


def private_ipv6(client: Any, here: str, there: str) -> Scene:
    described = client.describe_network_interfaces(NetworkInterfaceIds=[here])["NetworkInterfaces"][0]
    subnet = client.describe_subnets(SubnetIds=[described["SubnetId"]])["Subnets"][0]
    block = ipaddress.IPv6Network(subnet["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    address = str(block[0x77])
    client.assign_ipv6_addresses(NetworkInterfaceId=here, Ipv6Addresses=[address])

    def holder() -> str:
        found = client.describe_network_interfaces(NetworkInterfaceIds=[here, there])["NetworkInterfaces"]
        return next(
            str(one["NetworkInterfaceId"])
            for one in found
            if address in [item["Ipv6Address"] for item in one["Ipv6Addresses"]]
        )

    return Scene(
        here,
        there,
        lambda interface: {"private_ip_address": address, "network_interface_id": interface},
        {"private_ip_address": str(block), "network_interface_id": there},
        holder,
        writes=2,
    )


def route(client: Any, here: str, there: str, destination: str = "10.99.0.9/32") -> Scene:
    argument = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    described = client.describe_network_interfaces(NetworkInterfaceIds=[here])["NetworkInterfaces"][0]
    table = client.create_route_table(VpcId=described["VpcId"])["RouteTable"]["RouteTableId"]
    client.create_route(RouteTableId=table, NetworkInterfaceId=here, **{argument: destination})
    for interface in (here, there):
        client.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})

    def holder() -> str:
        routes = client.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return next(str(one["NetworkInterfaceId"]) for one in routes if one.get(argument) == destination)

    def to(interface: str) -> dict[str, Any]:
        return {"destination": destination, "route_table_ids": [table], "network_interface_id": interface}

    return Scene(here, there, to, {**to(there), "route_table_ids": ["rtb-00000000"]}, holder)


def ipv6_route(client: Any, here: str, there: str) -> Scene:
    return route(client, here, there, "fd00:99::9/128")


#: By kind, and by kind and what differs of it.
SCENES: dict[str, Callable[[Any, str, str], Scene]] = {
    "elastic_ip": elastic_ip,
    "private_ip": private_ip,
    "private_ip, IPv6": private_ipv6,
    "route": route,
    "route, IPv6": ipv6_route,
}


class Ec2:
    """A client of EC2, and the writes that went through it. ``refuse``: answer every further write with an error."""

    def __init__(self) -> None:
        self.client = boto3.client("ec2", region_name="eu-central-1")
        self.writes: list[str] = []
        self.refuse = False
        self.client.meta.events.register("before-call.ec2", self._count)

    def _count(self, model: Any, **_more: Any) -> None:
        if model.name.startswith("Describe"):
            return
        self.writes.append(model.name)
        if self.refuse:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, model.name)

    def interfaces(self) -> tuple[str, str]:
        made = self.client.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        vpc, block = made["VpcId"], made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        gateway = self.client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        [range_, *_others] = ipaddress.IPv6Network(block).subnets(new_prefix=64)
        found = self.client.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=str(range_))
        subnet = found["Subnet"]["SubnetId"]
        made = [self.client.create_network_interface(SubnetId=subnet)["NetworkInterface"] for _number in range(2)]
        return made[0]["NetworkInterfaceId"], made[1]["NetworkInterfaceId"]


@pytest.fixture(scope="module")
def region() -> Iterator[Ec2]:
    """One EC2 for all tests, because a client takes long to make; every test makes what it needs."""
    mends.install()
    before = ground._ground
    ground.stand_on(ground.Ground(Clock(1.0), "127.60"))
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "in-process")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Ec2()
    if before is not None:
        ground.stand_on(before)  # of a lab in this process


@pytest.fixture
def ec2(region: Ec2) -> Ec2:
    region.refuse = False
    return region


def _scene(entry: Any4, ec2: Ec2, name: str = "") -> Scene:
    scene = SCENES[name or entry.kind](ec2.client, *ec2.interfaces())
    ec2.writes.clear()
    return scene


def _plan(entry: Any4, ec2: Ec2, moves: Sequence[Mapping[str, Any]], **more: Any) -> list[Any]:
    desired = [entry.desired(each) for each in moves]
    return entry.plan(desired, entry.observe(ec2.client, desired), **more)


def _move(entry: Any4, ec2: Ec2, changes: Sequence[Any]) -> list[Any]:
    return entry.move(ec2.client, changes, 5.0, permit=lambda _change: None)


def check_a_thing_in_place_is_not_written(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    [change] = _plan(entry, ec2, [scene.to(scene.here)])
    assert change.changed is False
    outcomes = _move(entry, ec2, [change])
    [result] = entry.results([change], outcomes)
    assert (result["changed"], entry.verify(outcomes), ec2.writes) == (False, None, [])


def check_a_plan_predicts_the_result(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    changes = _plan(entry, ec2, [scene.to(scene.there)])
    predicted = entry.results(changes, [])
    assert (predicted[0]["changed"], ec2.writes, scene.holder()) == (True, [], scene.here)
    assert predicted == entry.results(changes, _move(entry, ec2, changes))


def check_one_write_moves_it_and_a_second_run_none(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    changes = _plan(entry, ec2, [scene.to(scene.there)])
    outcomes = _move(entry, ec2, changes)
    assert (entry.verify(outcomes), scene.holder(), len(ec2.writes)) == (None, scene.there, scene.writes)
    [result] = entry.results(changes, outcomes)
    assert result["changed"] is True
    assert result["before"] != result["after"]
    again = _plan(entry, ec2, [scene.to(scene.there)])
    _move(entry, ec2, again)
    assert ([each.changed for each in again], len(ec2.writes)) == ([False], scene.writes)
    assert [each.key for each in again] == [each.key for each in changes]


def check_it_is_taken_from_expected_owners_only(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    with pytest.raises(Refusal, match=scene.here):
        _plan(entry, ec2, [scene.to(scene.there)], expected_owners=["eni-other"])
    assert _plan(entry, ec2, [scene.to(scene.there)], expected_owners=[scene.here])[0].changed
    assert (ec2.writes, scene.holder()) == ([], scene.here)


def check_what_cannot_be_meant_is_refused(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    with pytest.raises(Refusal):
        _plan(entry, ec2, [scene.unknown])
    with pytest.raises(Refusal):
        _plan(entry, ec2, [scene.to("eni-00000000")])
    with pytest.raises(Refusal):
        _plan(entry, ec2, [scene.to(scene.here), scene.to(scene.there)])
    without = {name: value for name, value in scene.to(scene.there).items() if name != "network_interface_id"}
    with pytest.raises(Refusal):
        entry.desired(without)
    assert ec2.writes == []


def check_a_write_that_fails_is_reported(entry: Any4, ec2: Ec2, name: str = "") -> None:
    scene = _scene(entry, ec2, name)
    changes = _plan(entry, ec2, [scene.to(scene.there)])
    ec2.refuse = True
    outcomes = _move(entry, ec2, changes)
    message = entry.verify(outcomes)
    assert message is not None
    assert all(word in message for word in changes[0].key.split())
    assert (entry.results(changes, outcomes)[0]["changed"], scene.holder()) == (False, scene.here)


def check_options(entry: Any4, _ec2: Ec2, _name: str = "") -> None:
    """The options are those of an argument spec, and the kind is its name in the registry."""
    assert REGISTRY[entry.kind].kind == entry.kind
    known = {"type", "required", "default", "choices", "elements"}
    assert all(set(option) <= known for option in entry.options.values())
    assert {"network_interface_id", "instance_id", "device_index"} <= set(entry.options)
    assert not inspect.isabstract(type(entry))


CHECKS: list[Callable[..., None]] = [
    *(check_a_thing_in_place_is_not_written, check_a_plan_predicts_the_result),
    *(check_one_write_moves_it_and_a_second_run_none, check_it_is_taken_from_expected_owners_only),
    *(check_what_cannot_be_meant_is_refused, check_a_write_that_fails_is_reported, check_options),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SCENES)
def test_entry_keeps_the_contract(name: str, check: Callable[..., None], ec2: Ec2) -> None:
    check(REGISTRY[name.partition(",")[0]], ec2, name)


def test_every_kind_has_a_scene() -> None:
    assert {name.partition(",")[0] for name in SCENES} == set(REGISTRY)


# -- wrong entries, each of which a check refuses ---------------------------------------------------------------------


class WritesAlways(ElasticIp):
    def move(self, client: Any, changes: Sequence[AssociationChange], *given: Any, **more: Any) -> list[Outcome]:
        for change in changes:
            client.associate_address(
                AllocationId=change.key, NetworkInterfaceId=change.after.network_interface_id, AllowReassociation=True
            )
        return super().move(client, changes, *given, **more)


class WritesNothing(ElasticIp):
    def move(self, *_given: Any, **_more: Any) -> list[Outcome]:
        return []


class TakesFromAnyone(ElasticIp):
    def plan(self, desired: Any, observed: Any, *_given: Any, **_more: Any) -> list[AssociationChange]:
        return super().plan(desired, observed)


class HidesFailures(ElasticIp):
    def verify(self, outcomes: Sequence[Outcome]) -> str | None:
        return None


class ClaimsChanges(ElasticIp):
    def results(self, changes: Sequence[AssociationChange], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        return [{**each, "changed": True} for each in super().results(changes, outcomes)]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (WritesAlways, check_a_thing_in_place_is_not_written),
        (WritesAlways, check_one_write_moves_it_and_a_second_run_none),
        (WritesNothing, check_one_write_moves_it_and_a_second_run_none),
        (TakesFromAnyone, check_it_is_taken_from_expected_owners_only),
        (HidesFailures, check_a_write_that_fails_is_reported),
        (ClaimsChanges, check_a_thing_in_place_is_not_written),
    ],
)
def test_a_wrong_entry_is_refused(wrong: type[ElasticIp], check: Callable[..., None], ec2: Ec2) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(wrong(), ec2)
