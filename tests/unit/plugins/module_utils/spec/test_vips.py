"""The VIPs of a pair: normalised, everything wrong told at once, and kept in tags of the instances."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.vips import (
    LONGEST_TAG_VALUE,
    Vip,
    tags_of,
    vips_of,
    vips_of_tags,
)

from .test_pair import GIVEN, NODES, WEB

PUBLIC = {"name": "public", "kind": "elastic_ip"}
PRIVATE = {"name": "web", "kind": "private_ip", "private_ip_address": "10.0.2.50"}
ROUTE = {"name": "inside", "kind": "route", "virtual_ip": "172.16.0.10", "route_table_ids": ["rtb-01", "rtb-02"]}
DUAL = {**ROUTE, "name": "both", "virtual_ip": "172.16.0.20", "ipv6_address": "FD00:7:0::10"}
EVERYONE = ["0.0.0.0/0", "::/0"]
ONE_SUBNET = [NODES[0], NODES[0]]
SHARED = {"nodes": ONE_SUBNET, "inc": False, "snip": "10.0.3.50"}
ROLE = "arn:aws:iam::123456789012:role/routes"


def read(*vips: Any, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    given = {f"ha_pair_{name}": value for name, value in changes.items()}
    return read_pair({**GIVEN, "ha_pair_vips": list(vips), **given})


def definition(*vips: Any, **changes: Any) -> dict[str, Any]:
    found, problems = read(*vips, **changes)
    assert problems == []
    return found


def test_elastic_ips_come_first_and_each_vip_has_an_ipset() -> None:
    found = definition(ROUTE, PUBLIC, {**PUBLIC, "name": "second", "elastic_ip": "203.0.113.9"})
    assert [(vip["name"], vip["ipset"]) for vip in found["vips"]] == [
        ("second", "shop-vips-second"),
        ("public", "shop-vips-public"),
        ("inside", "shop-vips-inside"),
    ]
    assert (found["elastic_ips"], found["allocate_elastic_ip"]) == (["203.0.113.9"], True)


@pytest.mark.parametrize(
    ("vips", "elastic_ips", "found", "allocated"),
    [
        ([], [], [], True),
        ([], ["203.0.113.9"], ["203.0.113.9"], False),
        ([ROUTE], [], [], False),
        ([ROUTE, PUBLIC], [], [], True),
    ],
)
def test_an_elastic_ip_is_allocated_only_where_one_is_wanted_and_none_named(
    vips: list[Any], elastic_ips: list[str], found: list[str], allocated: bool
) -> None:
    read_so = definition(*vips, elastic_ips=elastic_ips)
    assert (read_so["elastic_ips"], read_so["allocate_elastic_ip"]) == (found, allocated)


def test_a_vip_of_both_ip_versions_is_two_things_that_follow_and_turns_the_feature_on() -> None:
    found = definition(DUAL, client_cidrs=EVERYONE)
    assert [(vip.name, vip.owner, vip.address) for vip in vips_of(found)] == [
        ("both", "both", "172.16.0.20"),
        ("both.ipv6", "both", "fd00:7::10"),
    ]
    assert found["features"] == ["LB", "SSL", "IPv6PT"]
    assert vips_of_tags([tags_of(found, [])]) == vips_of(found)
    assert definition(DUAL, client_cidrs=EVERYONE, features=["lb", "ipv6pt"])["features"] == ["lb", "ipv6pt"]


def test_a_vip_may_have_an_ipv6_address_alone() -> None:
    found = definition({**ROUTE, "virtual_ip": "fd00:7::10"}, client_cidrs=["2001:db8::/32"])
    assert [vip.tag() for vip in vips_of(found)] == [{"cloudadc:vip:inside": "route fd00:7::10 rtb-01 rtb-02"}]


def test_applications_are_those_of_the_vip_or_those_of_the_pair() -> None:
    own = {**ROUTE, "applications": [{**WEB, "name": "intranet"}]}
    found = definition(PUBLIC, own, applications=[WEB])
    assert [(one["name"], one["vip"]) for one in found["applications"]] == [("web", ""), ("intranet", "inside")]


@pytest.mark.parametrize(
    ("vip", "message"),
    [
        ({"name": "x"}, "VIP x: its kind is missing, and must be one of elastic_ip, private_ip, route."),
        ({"name": "x", "kind": "eni"}, "VIP x: kind must be one of elastic_ip, private_ip, route, not 'eni'."),
        ({**PUBLIC, "name": ""}, "VIP 1: its name names an IPSet and a tag"),
        ({**PUBLIC, "name": "a b"}, "VIP a b: its name names an IPSet and a tag"),
        ({**PUBLIC, "name": "snip"}, "and not snip."),
        ({**PUBLIC, "virtual_ip": "10.1.1.1"}, "VIP public has no key virtual_ip; the keys are"),
        ({**PRIVATE, "private_ip_address": ""}, "VIP web: private_ip_address, the address of its virtual servers, is"),
        ({**PRIVATE, "private_ip_address": "10.0.2"}, "VIP web: private_ip_address 10.0.2 is not an IP address."),
        ({**ROUTE, "virtual_ip": "fe80::10"}, "VIP inside: virtual_ip fe80::10 is no address at which clients"),
        ({**ROUTE, "virtual_ip": "::ffff:10.1.1.1"}, "is no address at which clients"),
        (
            {**ROUTE, "ipv6_address": "fd00:ec2::9"},
            "VIP inside: ipv6_address fd00:ec2::9 is in fd00:ec2::/32, which AWS",
        ),
        ({**ROUTE, "ipv6_address": "172.16.0.11"}, "VIP inside: ipv6_address 172.16.0.11 is no IPv6 address."),
        ({**ROUTE, "virtual_ip": "fd00::1", "ipv6_address": "fd00::2"}, "virtual_ip and ipv6_address are both IPv6"),
        ({**PUBLIC, "ipv6_address": "2001:db8::1"}, "VIP public: an Elastic IP is an IPv4 address, and no IPv6"),
        (
            {**PRIVATE, "private_ip_address": "2001:db8::9", "elastic_ip": "203.0.113.9"},
            "VIP web: elastic_ip 203.0.113.9 needs an IPv4 address, and private_ip_address 2001:db8::9 is none.",
        ),
        ({**ROUTE, "virtual_ip": "224.0.0.1"}, "VIP inside: virtual_ip 224.0.0.1 is no address at which clients"),
        ({**ROUTE, "route_table_ids": []}, "VIP inside: route_table_ids or route_table_tags, the route tables of its"),
        ({**ROUTE, "route_table_tags": {"a": "b"}}, "must be given, and not both."),
        ({**ROUTE, "route_table_ids": ["main"]}, "VIP inside: main is no id of a route table"),
        ({**ROUTE, "route_table_ids": ["rtb-1", "rtb-1"]}, "VIP inside: route_table_ids names rtb-1 more than once."),
        ({**ROUTE, "role_arn": "routes"}, "VIP inside: role_arn routes is no ARN of a role."),
        (
            {**ROUTE, "route_table_ids": [f"rtb-{number:017x}" for number in range(12)]},
            "VIP inside: its route tables and role do not fit into a tag of an instance (256 characters).",
        ),
        (
            {**ROUTE, "route_table_ids": [], "route_table_tags": {"use": "a b"}},
            "VIP inside: route_table_tags: use and its value must be of letters",
        ),
        (
            PRIVATE,
            "VIP web: a private address belongs to one subnet, and the client interfaces of the nodes are in two.",
        ),
    ],
)
def test_what_a_vip_cannot_be_is_told(vip: dict[str, Any], message: str) -> None:
    assert message in " ".join(read(vip)[1])


@pytest.mark.parametrize(
    ("vips", "changes", "message"),
    [
        ([PUBLIC], {"elastic_ips": ["203.0.113.9"]}, "ha_pair_elastic_ips and ha_pair_vips are both given."),
        ([PUBLIC, {**PUBLIC, "name": "b"}], {}, "VIPs public, b name no elastic_ip: one Elastic IP is allocated"),
        ([ROUTE, {**ROUTE, "name": "b"}], {}, "Several VIPs have the address 172.16.0.10."),
        ([DUAL, {**ROUTE, "virtual_ip": "FD00:7::10"}], {}, "Several VIPs have the address fd00:7::10."),
        ([DUAL], {}, "VIP both has an IPv6 address, and ha_pair_client_cidrs names no IPv6 network"),
        ([DUAL], {"client_cidrs": EVERYONE, "return_path": "pbr"}, "ha_pair_return_path=pbr: policy-based routes are"),
        ([ROUTE], {"client_cidrs": EVERYONE}, "ha_pair_client_cidrs: ::/0 is an IPv6 network, which clients of no VIP"),
        ([PUBLIC, {**ROUTE, "name": "public"}], {}, "Several VIPs are named public."),
        (
            [{**ROUTE, "applications": [WEB]}],
            {"applications": [{**WEB, "name": "mail"}]},
            "ha_pair_applications would be served at no VIP",
        ),
        ([{**ROUTE, "applications": [WEB]}, PUBLIC], {"applications": [WEB]}, "Several applications are named web."),
        (
            [ROUTE, {**PUBLIC, "applications": [{**WEB, "name": "web-inside"}]}],
            {"applications": [WEB]},
            "Application web-inside has the name of the virtual server of application web at VIP inside.",
        ),
        ([PRIVATE], {"nodes": ONE_SUBNET, "snip": "10.0.3.50"}, "ha_pair_snip is the address that nodes with"),
        (
            [PRIVATE],
            {**SHARED, "snip": ""},
            "ha_pair_inc=false needs ha_pair_snip: a free address of the server subnet",
        ),
        ([PRIVATE], {**SHARED, "nodes": NODES}, "ha_pair_inc=false needs both nodes in the same subnets"),
        ([PRIVATE], {**SHARED, "return_path": "pbr"}, "ha_pair_return_path=pbr needs a SNIP of each node"),
        ([PUBLIC], SHARED, "ha_pair_inc=false: VIP public is of kind elastic_ip, which joins an address of each node."),
        ([], SHARED, "ha_pair_inc=false: without ha_pair_vips its VIP is of kind elastic_ip"),
    ],
)
def test_what_a_pair_cannot_have_is_told(vips: list[Any], changes: dict[str, Any], message: str) -> None:
    assert message in " ".join(read(*vips, **changes)[1])


def test_everything_wrong_is_told_at_once() -> None:
    problems = read({"kind": "route"}, PRIVATE, elastic_ips=["203.0.113.9"])[1]
    assert len(problems) == 5, problems


def test_ports_may_be_the_same_at_different_vips() -> None:
    definition({**ROUTE, "applications": [{**WEB, "name": "a"}]}, {**PUBLIC, "applications": [{**WEB, "name": "b"}]})


@pytest.mark.parametrize(
    ("vip", "value"),
    [
        (Vip("a", "private_ip", "10.0.2.50"), "private_ip 10.0.2.50"),
        (Vip("snip", "private_ip", "10.0.3.50", "server"), "private_ip 10.0.3.50 server"),
        (Vip("a", "elastic_ip", "eipalloc-1"), "elastic_ip eipalloc-1"),
        (
            Vip("a", "route", "172.16.0.10", tables=("rtb-1", "rtb-2"), role_arn=ROLE),
            f"route 172.16.0.10 rtb-1 rtb-2 {ROLE}",
        ),
        (Vip("a", "route", "172.16.0.10", table_tags=(("use", "web"),)), "route 172.16.0.10 tag:use=web"),
    ],
)
def test_a_vip_is_kept_in_a_tag(vip: Vip, value: str) -> None:
    assert vip.tag() == {f"cloudadc:vip:{vip.name}": value}
    assert vips_of_tags([vip.tag(), {"Name": "node"}]) == (vip,)
    assert len(value) <= LONGEST_TAG_VALUE


def test_what_a_definition_has_is_what_its_tags_say() -> None:
    tables = {**ROUTE, "name": "tagged", "virtual_ip": "172.16.0.11", "route_table_tags": {"use": "web"}}
    found = definition(PRIVATE, ROUTE, {**tables, "route_table_ids": []}, **SHARED)
    assert set(vips_of_tags([tags_of(found, [])])) == set(vips_of(found))


def test_a_vip_that_is_left_out_is_not_moved_any_more() -> None:
    found = definition(ROUTE)
    tags = tags_of(found, [{"cloudadc:vip:old": "route 172.16.0.9 rtb-1"}])
    assert tags == {"cloudadc:vip:old": "", "cloudadc:vip:inside": "route 172.16.0.10 rtb-01 rtb-02"}
    assert [vip.name for vip in vips_of_tags([tags])] == ["inside"]


def test_a_pair_of_elastic_ips_alone_has_no_such_tag() -> None:
    assert tags_of(definition(elastic_ips=["203.0.113.9"]), []) == {}
