"""IPSets: what is written for what is wanted and found, and that a run killed anywhere ends like one that was not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import ipset
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ipset import DesiredIpset
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import Change, carry_out
from tests.unit.plugins.module_utils.nitro.memory_appliance import Killed, MemoryAppliance

NSIP = {"ipaddress": "10.0.1.10", "netmask": "255.255.255.0", "type": "NSIP", "iptype": ["NSIP"]}
VIP = {"ipaddress": "10.0.2.10", "netmask": "255.255.255.0", "type": "VIP", "iptype": ["VIP"]}
SNIP = {"ipaddress": "10.0.3.10", "netmask": "255.255.255.0", "type": "SNIP"}
WEB = {"name": "web", "servicetype": "HTTP", "ipv46": "10.0.2.10", "port": 80}
CS = {"name": "switch", "servicetype": "HTTP", "ipv46": "10.0.2.12", "port": 80}


def requested(*ips: str, **more: Any) -> DesiredIpset:
    return DesiredIpset("clients", ipset.desired_addresses([{"ip_address": ip} for ip in ips]), **more)


def appliance(**objects: list[dict[str, Any]]) -> MemoryAppliance:
    return MemoryAppliance({"nsip": [NSIP, VIP, SNIP], "lbvserver": [WEB], "csvserver": [CS], **objects})


def with_set(*bound: str, carriers: tuple[str, ...] = ()) -> MemoryAppliance:
    """Return an appliance that has the IPSet ``clients``."""
    there = appliance(
        ipset=[{"name": "clients"}],
        ipset_nsip_binding=[{"name": "clients", "ipaddress": ip} for ip in bound],
        lbvserver=[{**WEB, "ipset": "clients"} if "web" in carriers else WEB],
        csvserver=[{**CS, "ipset": "clients"} if "switch" in carriers else CS],
    )
    known = {row["ipaddress"] for row in there.objects["nsip"]}
    there.objects["nsip"] += [
        {"ipaddress": ip, "netmask": "255.255.255.255", "type": "VIP"} for ip in bound if ip not in known
    ]
    there.save()
    there.writes.clear()
    return there


def converge(there: MemoryAppliance, desired: DesiredIpset) -> dict[str, Any] | None:
    found = ipset.read(there, desired)
    predicted = ipset.predict(desired, found)
    carry_out(there, ipset.plan(desired, found), save=True)
    reported = ipset.describe(desired, ipset.read(there, desired))
    assert reported == predicted, "check mode promised something else"
    return reported


def test_a_new_set_has_its_addresses_before_a_vserver_carries_it() -> None:
    there = appliance()
    reported = converge(there, requested("10.0.2.10", "10.0.12.10", vservers=("web", "switch")))
    assert there.writes == [
        "add nsip",
        "add ipset",
        "bind ipset_nsip_binding",
        "bind ipset_nsip_binding",
        "set lbvserver",
        "set csvserver",
        "save",
    ]
    assert reported == {
        "name": "clients",
        "addresses": [
            {"ip_address": "10.0.2.10", "netmask": "255.255.255.0"},
            {"ip_address": "10.0.12.10", "netmask": "255.255.255.255"},
        ],
        "vservers": ["switch", "web"],
    }
    assert there.objects["nsip"][-1] == {"ipaddress": "10.0.12.10", "netmask": "255.255.255.255", "type": "VIP"}


@pytest.mark.parametrize(
    ("there", "desired", "writes"),
    [
        (with_set("10.0.2.10"), requested("10.0.2.10"), []),
        (with_set("10.0.2.10", carriers=("web",)), requested("10.0.2.10", vservers=("web",)), []),
        (with_set("10.0.2.10", "10.0.3.10"), requested("10.0.3.10", "10.0.2.10"), []),
        (with_set("10.0.2.10", "10.0.12.10"), requested("10.0.2.10"), ["delete ipset_nsip_binding", "save"]),
        (with_set("10.0.2.10", "10.0.12.10"), requested("10.0.2.10", purge_addresses=False), []),
        (with_set("10.0.2.10", "10.0.12.10"), requested(), ["delete ipset_nsip_binding"] * 2 + ["save"]),
        (with_set("10.0.2.10"), DesiredIpset("clients"), []),
        (with_set("10.0.2.10", carriers=("web",)), DesiredIpset("clients", vservers=()), []),
        (
            with_set("10.0.2.10"),
            requested("10.0.3.10"),
            ["bind ipset_nsip_binding", "delete ipset_nsip_binding", "save"],
        ),
        (appliance(), DesiredIpset("clients"), ["add ipset", "save"]),
        (appliance(), DesiredIpset("clients", present=False), []),
        (
            with_set("10.0.2.10", carriers=("web", "switch")),
            DesiredIpset("clients", present=False),
            ["unset lbvserver", "unset csvserver", "delete ipset_nsip_binding", "delete ipset", "save"],
        ),
    ],
)
def test_only_what_differs_is_written(there: MemoryAppliance, desired: DesiredIpset, writes: list[str]) -> None:
    converge(there, desired)
    assert there.writes == writes
    there.writes.clear()
    converge(there, desired)
    assert there.writes == [], "the second run has nothing to do"


def test_a_vserver_is_taken_from_another_set() -> None:
    there = appliance(ipset=[{"name": "old"}], lbvserver=[{**WEB, "ipset": "old"}])
    converge(there, requested("10.0.2.10", vservers=("web",)))
    assert there.objects["lbvserver"][0]["ipset"] == "clients"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2001:db8::a", "2001:db8:0:0:0:0:0:A"),
        ("2001:0DB8::0a", "2001:db8::a"),
        (" 10.0.2.10 ", "10.0.2.10"),
    ],
)
def test_two_spellings_of_one_address_are_one(written: str, stored: str) -> None:
    kind, key, value = ("nsip", "ipaddress", stored) if "." in stored else ("nsip6", "ipv6address", f"{stored}/64")
    there = MemoryAppliance(
        {
            kind: [{key: value, "netmask": "255.255.255.0", "type": "VIP"}],
            "ipset": [{"name": "clients"}],
            f"ipset_{kind}_binding": [{"name": "clients", "ipaddress": stored}],
        }
    )
    converge(there, requested(written))
    assert there.writes == []


def test_ipv6_addresses_are_bound_by_their_own_kind_of_binding() -> None:
    there = appliance()
    reported = converge(there, requested("2001:db8::1"))
    assert there.objects["nsip6"] == [{"ipv6address": "2001:db8::1/128", "type": "VIP"}]
    assert reported is not None
    assert reported["addresses"] == [{"ip_address": "2001:db8::1", "netmask": "128"}]
    converge(there, DesiredIpset("clients", present=False))
    assert there.objects["ipset_nsip6_binding"] == []


@pytest.mark.parametrize("mask", ["255.255.255.0", "24", "/24", None])
def test_a_mask_that_is_the_same_is_not_written(mask: str | None) -> None:
    there = with_set("10.0.2.10")
    desired = DesiredIpset("clients", ipset.desired_addresses([{"ip_address": "10.0.2.10", "netmask": mask}]))
    converge(there, desired)
    assert there.writes == []


def test_another_mask_is_set_and_a_new_vip_gets_it() -> None:
    there = with_set("10.0.2.10")
    addresses = [{"ip_address": ip, "netmask": "255.255.255.128"} for ip in ("10.0.2.10", "10.0.12.10")]
    converge(there, DesiredIpset("clients", ipset.desired_addresses(addresses)))
    masks = {row["ipaddress"]: row["netmask"] for row in there.objects["nsip"]}
    assert (masks["10.0.2.10"], masks["10.0.12.10"]) == ("255.255.255.128", "255.255.255.128")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"ip_address": "10.0.2.300"}], "'10.0.2.300' is not an IP address"),
        ([{"ip_address": "web.example.com"}], "'web.example.com' is not an IP address"),
        ([{"ip_address": "10.0.2.10", "netmask": "0.0.0.255"}], "'0.0.0.255' is not a netmask"),
        ([{"ip_address": "10.0.2.10", "netmask": "33"}], "'33' is not a netmask"),
        ([{"ip_address": "10.0.2.10", "netmask": "255.0.255.0"}], "'255.0.255.0' is not a netmask"),
        ([{"ip_address": "2001:db8::1", "netmask": "255.255.255.0"}], "is not a netmask for address 2001:db8::1"),
        (
            [{"ip_address": "10.0.2.10", "netmask": "24"}, {"ip_address": "10.0.2.10", "netmask": "25"}],
            "10.0.2.10 is given twice",
        ),
    ],
)
def test_addresses_that_cannot_be_meant_are_refused(entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        ipset.desired_addresses(entries)


def test_one_address_given_twice_is_one() -> None:
    entries = [{"ip_address": "10.0.2.10", "netmask": "24"}, {"ip_address": "10.0.2.10", "netmask": "255.255.255.0"}]
    assert ipset.desired_addresses(entries) == (ipset.Address("10.0.2.10", "255.255.255.0"),)


@pytest.mark.parametrize("kind", ["NSIP", "CLIP", "GSLBsiteIP"])
def test_the_appliances_own_addresses_are_refused_before_anything_is_written(kind: str) -> None:
    there = appliance(nsip=[{**NSIP, "type": kind, "iptype": [kind]}])
    desired = requested("10.0.12.10", "10.0.1.10")
    with pytest.raises(NitroInputError, match=f"10.0.1.10 is of type {kind} on this appliance"):
        ipset.plan(desired, ipset.read(there, desired))


def test_a_prefix_length_cannot_be_changed() -> None:
    there = appliance(nsip6=[{"ipv6address": "2001:db8::1/64", "type": "VIP"}])
    desired = DesiredIpset("clients", ipset.desired_addresses([{"ip_address": "2001:db8::1", "netmask": "128"}]))
    with pytest.raises(NitroInputError, match="has prefix length 64"):
        ipset.plan(desired, ipset.read(there, desired))


def test_vservers_that_do_not_exist_are_named() -> None:
    desired = requested("10.0.2.10", vservers=("web", "shop", "switch", "api"))
    assert ipset.missing_vservers(desired, ipset.read(appliance(), desired)) == ["shop", "api"]
    gone = requested("10.0.2.10", vservers=("shop",), present=False)
    assert ipset.missing_vservers(gone, ipset.read(appliance(), gone)) == []


def test_vips_stay_unless_asked_and_one_that_a_vserver_answers_on_always_stays() -> None:
    there = with_set("10.0.2.10", "10.0.12.10", "10.0.3.10")
    converge(there, requested("10.0.12.10", present=False))
    assert len(there.objects["nsip"]) == 4
    converge(there, requested("10.0.2.10", "10.0.12.10", "10.0.3.10", present=False, purge_vips=True))
    assert [row["ipaddress"] for row in there.objects["nsip"]] == ["10.0.1.10", "10.0.2.10", "10.0.3.10"]


def scenarios() -> Iterator[Any]:
    new = requested("10.0.2.10", "10.0.12.10", "10.0.12.11", vservers=("web", "switch"))
    gone = requested("10.0.12.10", present=False, purge_vips=True)
    yield pytest.param(appliance, new, id="new")
    yield pytest.param(lambda: with_set("10.0.2.10", "10.0.12.12", "10.0.12.13"), new, id="changed")
    yield pytest.param(lambda: with_set("10.0.2.10", "10.0.12.10", carriers=("web", "switch")), gone, id="gone")


@pytest.mark.parametrize(("make", "desired"), list(scenarios()))
def test_killed_at_any_write_and_run_again_it_ends_the_same(make: Any, desired: DesiredIpset) -> None:
    straight = make()
    converge(straight, desired)
    for number, when in itertools.product(range(1, len(straight.writes) + 1), ("before", "after")):
        there = make()
        there.kill_at = (number, when)
        with pytest.raises(Killed):
            converge(there, desired)
        there.kill_at = None
        converge(there, desired)
        for kind in there.objects:
            assert sorted(map(repr, there.objects[kind])) == sorted(map(repr, straight.objects[kind])), (number, when)
        assert there.saved == there.objects, (number, when)


def test_the_call_budget_of_reading() -> None:
    there = with_set("10.0.2.10", carriers=("web",))
    ipset.read(there, requested("10.0.2.10"))
    assert len(there.reads) == 6
    there.reads.clear()
    ipset.read(there, requested("2001:db8::1"))
    assert len(there.reads) == 7


def test_a_step_shows_no_body() -> None:
    assert "geheim" not in repr(Change("add", "systemfile", body={"filecontent": "geheim"}))
