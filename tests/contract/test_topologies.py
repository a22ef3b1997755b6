"""The contract of topologies, over every entry of the registry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_steps import zone_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.candidates import Node as Candidate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.candidates import choose
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.preflight import read_request
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.scale_in import read_scale_in
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.tick_call import read_call
from ansible_collections.cloudadc.aws.plugins.module_utils.topologies.base import NOTHING_TO_FORM, Topology
from ansible_collections.cloudadc.aws.plugins.module_utils.topologies.cluster import Cluster
from ansible_collections.cloudadc.aws.plugins.module_utils.topologies.independent import Independent
from ansible_collections.cloudadc.aws.plugins.module_utils.topologies.registry import REGISTRY, named
from ansible_collections.cloudadc.aws.plugins.modules import autoscale_candidates

from .groups import NETWORK, ZONE, group, node, refused, state, variables

ROOT = Path(__file__).parents[2]
ROLES = {"management", "client", "server"}
CLIPS = ("", "10.0.1.250")


def zone_for(entry: Topology) -> dict[str, Any]:
    """Return a zone that is valid in this topology: with the address of the whole if it must have one."""
    for clip in CLIPS:
        zone = {**ZONE, "clip": clip}
        if not read_group(variables("nlb", entry.name, zones=[zone]))[1]:
            return zone
    raise AssertionError(f"no zone is valid with topology {entry.name}")


def built(entry: Topology) -> dict[str, Any]:
    return group("nlb", entry.name, zones=[zone_for(entry)])


def check_definition(entry: Topology) -> None:
    """A zone is valid with the address of a whole exactly if the topology configures zones at one."""
    zone = zone_for(entry)
    assert entry.endpoint(zone) == zone["clip"]
    assert entry.endpoint({}) == ""
    other = {**ZONE, "clip": next(each for each in CLIPS if each != zone["clip"])}
    assert read_group(variables("nlb", entry.name, zones=[other]))[1]
    assert entry.validate_size(1) == []


def check_steps(entry: Topology) -> None:
    """Every node that is new is bootstrapped once, and every node has its SNIP in exactly one place."""
    nodes = [node(1), node(2, "joining"), node(3, "joining")]
    given = {**state(built(entry)), "instances": nodes}
    steps = zone_steps(given, nodes, "a")
    assert refused("vpx_bootstrap", "nodes", steps["bootstrap"]) == []
    assert refused("vpx_network", "nodes", steps["network"]) == []
    assert refused("vpx_cluster_node", "nodes", steps["cluster"]) == []
    started = [each["instance_id"] for each in steps["bootstrap"]]
    assert len(set(started)) == len(started)
    assert {"i-2", "i-3"} <= set(started)
    snips = [snip["ip_address"] for each in steps["network"] for snip in each["snips"]]
    assert sorted(snips) == ["10.0.3.1", "10.0.3.2", "10.0.3.3"]
    assert all(each["nsip"].endswith(":443") for each in (*steps["bootstrap"], *steps["network"]))
    hosts = [each["hostname"] for each in steps["bootstrap"] if "hostname" in each]
    assert len(set(hosts)) == len(hosts)


def check_admit(entry: Topology) -> None:
    """What forms the zone has always the same keys, and without nodes there is nothing to form."""
    definition, place = built(entry), {**zone_for(entry), **NETWORK}
    assert entry.admit(definition, place, [], [], []) == NOTHING_TO_FORM
    new = [node(1, "joining")]
    assert set(entry.admit(definition, place, new, new, new)) == set(NOTHING_TO_FORM)
    serving = [node(1), node(2, "joining")]
    assert not entry.admit(definition, place, serving, serving[1:], serving)["form"], "the zone serves already"


def check_admission_seconds(entry: Topology) -> None:
    """More nodes never take less time; a claim on the event lasts as long."""
    definition = built(entry)
    times = [entry.admission_seconds(definition, count) for count in range(5)]
    assert times == sorted(times)
    assert times[0] == 0
    request = {"autoscale_group": "shop", "autoscale_act": True, "autoscale_request": {"count": 3}}
    given = variables("nlb", entry.name, zones=[zone_for(entry)])
    lease = read_call(request, given)["lease_seconds"]
    assert lease - entry.admission_seconds(definition, 3) >= 2 * definition["boot_timeout"]


def check_endpoints(entry: Topology) -> None:
    """The address of every node that gets applications is in one IPSet; that of a terminating node is in none."""
    definition = built(entry)
    places = [{**zone_for(entry), **NETWORK}]
    there = [node(1), node(2), node(3, "draining"), node(4, "terminating")]
    found = entry.endpoints(definition, there[:2], there, places)
    addresses = [one["ip_address"] for each in found for one in each["addresses"]]
    assert len(set(addresses)) == len(addresses)
    assert {"10.0.2.1", "10.0.2.2"} <= set(addresses) <= {"10.0.2.1", "10.0.2.2", "10.0.2.3"}
    assert len({each["nsip"] for each in found}) == len(found)
    assert all(each["virtual_ip"] in [one["ip_address"] for one in each["addresses"]] for each in found)
    assert entry.endpoints(definition, [], there, places) == []


def check_evict(entry: Topology) -> None:
    """A drain begins only on members; nothing is evicted that does not leave, nor without an address."""
    assert entry.evict(["10.0.1.1", ""], set(), draining=True) == []
    assert set(entry.evict(["10.0.1.1", ""], {"10.0.1.1", "10.0.1.2"}, draining=True)) <= {"10.0.1.1"}
    assert set(entry.evict(["10.0.1.1", ""], set(), draining=False)) <= {"10.0.1.1"}


def check_most_leaving(entry: Topology) -> None:
    """A limit leaves a node, shrinks with those that leave already, and is what a scale-in keeps to."""
    for members in range(1, 33):
        limits = [entry.most_leaving(members, leaving) for leaving in range(members)]
        numbers = [limit[0] for limit in limits if limit]
        assert numbers == sorted(numbers, reverse=True)
        assert all(0 <= number < members for number in numbers)
        assert all(limit[1] for limit in limits if limit)
    nodes = [Candidate(f"i-{number}", number, "in_service") for number in range(5)]
    chosen = choose(nodes, 4, "e", 1, limit=entry.most_leaving, coordinator=None).selected
    limit = entry.most_leaving(5, 0)
    assert len(chosen) == (min(4, limit[0]) if limit else 4)


def check_security_rules(entry: Topology) -> None:
    """Nodes open ports to each other only: by security group, and to no network."""
    rules = entry.security_rules(built(entry))
    assert set(rules) <= ROLES
    for role, each in rules.items():
        groups = [{"role": role, "description": "x", "rules": each}]
        assert refused("vpx_shared_resources", "security_groups", groups) == []
        assert all(one.get("group") in ROLES and "cidrs" not in one for one in each)


def check_documentation(entry: Topology) -> None:
    """Options name it, policies have its rights, and the guide has a section about it."""
    options = yaml.safe_load((ROOT / "roles/autoscale_group/meta/argument_specs.yml").read_text(encoding="utf-8"))
    option = options["argument_specs"]["main"]["options"]["autoscale_group_topology"]
    assert option["choices"] == list(REGISTRY)
    assert option["default"] == next(iter(REGISTRY))
    assert f"V({entry.name})" in " ".join(option["description"])
    documented = yaml.safe_load(autoscale_candidates.DOCUMENTATION)["options"]["topology"]
    assert documented["choices"] == autoscale_candidates.argument_spec()["topology"]["choices"] == list(REGISTRY)
    policies = ROOT / "roles/preflight/files/policies"
    assert (policies / f"appliance_group_{entry.name}.json").is_file()
    texts = [path.read_text(encoding="utf-8") for path in policies.glob("*.json")]
    assert not entry.statement or any(f'{entry.statement}"' in text for text in texts)
    request = read_request({"autoscale_group": variables("nlb", entry.name)}, "autoscale_group")
    assert entry.statement not in request["without"]
    assert f"\n| `{entry.name}`" in (ROOT / "docs/groups.md").read_text(encoding="utf-8")


def check_scale_in(entry: Topology) -> None:
    """A scale-in and a tick work at the address of the whole, where there is one."""
    given, zone = variables("nlb", entry.name, zones=[zone_for(entry)]), zone_for(entry)
    assert read_scale_in({}, given, "a")["clip"] == entry.endpoint(zone)
    [entry_of_zone] = read_call({"autoscale_group": "shop"}, given)["zones"]
    assert entry_of_zone.get("clip", "") == entry.endpoint(zone)


CHECKS: list[Callable[[Topology], None]] = [
    *(check_definition, check_steps, check_admit, check_admission_seconds, check_endpoints, check_evict),
    *(check_most_leaving, check_security_rules, check_documentation, check_scale_in),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("entry", REGISTRY.values(), ids=list(REGISTRY))
def test_entry_keeps_the_contract(entry: Topology, check: Callable[[Topology], None]) -> None:
    check(entry)


def test_entries_are_found_by_their_names() -> None:
    assert [entry.name for entry in REGISTRY.values()] == list(REGISTRY)
    assert all(named(name, whole=False) is entry for name, entry in REGISTRY.items())
    assert [named(None, whole=whole).name for whole in (False, True)] == ["independent", "cluster"]


# -- wrong entries, each of which a check refuses ---------------------------------------------------------------------


class TakesAnyZone(Independent):
    def validate_zone(self, zone: Mapping[str, Any]) -> list[str]:
        return []


class BootstrapsMembersOnly(Cluster):
    def bootstrap(self, definition: Mapping[str, Any], zone: str, *nodes: Any) -> list[dict[str, Any]]:
        return super().bootstrap(definition, zone, nodes[0][1:], nodes[1])


class ForgetsASnip(Independent):
    def network(self, *given: Any) -> list[dict[str, Any]]:
        return super().network(*given)[1:]


class FormsAgain(Cluster):
    def admit(self, *given: Any) -> dict[str, Any]:
        return {**super().admit(*given), "form": True}


class IsQuickerWithMore(Cluster):
    def admission_seconds(self, definition: Mapping[str, Any], count: int) -> float:
        return -super().admission_seconds(definition, count)


class KeepsTerminating(Cluster):
    def endpoints(self, definition: Mapping[str, Any], served: Sequence[Any], *more: Any) -> list[dict[str, Any]]:
        return super().endpoints(definition, [*served, *more[0]], *more)


class DrainsStrangers(Cluster):
    def evict(self, nodes: Sequence[str], members: Collection[str], *, draining: bool) -> list[str]:
        return super().evict(nodes, members, draining=False)


class LetsAllLeave(Cluster):
    def most_leaving(self, members: int, leaving: int) -> tuple[int, str] | None:
        return members, "all may leave"


class OpensToTheWorld(Cluster):
    def security_rules(self, definition: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        rules = super().security_rules(definition)
        return {role: [{**each, "cidrs": ["0.0.0.0/0"]} for each in listed] for role, listed in rules.items()}


class HasNoPolicy(Cluster):
    statement = "WithSomethingElse"


class HidesItsAddress(Cluster):
    def endpoint(self, zone: Mapping[str, Any]) -> str:
        return ""


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (TakesAnyZone, check_definition),
        (BootstrapsMembersOnly, check_steps),
        (ForgetsASnip, check_steps),
        (FormsAgain, check_admit),
        (IsQuickerWithMore, check_admission_seconds),
        (KeepsTerminating, check_endpoints),
        (DrainsStrangers, check_evict),
        (LetsAllLeave, check_most_leaving),
        (OpensToTheWorld, check_security_rules),
        (HasNoPolicy, check_documentation),
        (HidesItsAddress, check_definition),
    ],
)
def test_a_wrong_entry_is_refused(
    wrong: type[Topology], check: Callable[[Topology], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = wrong()
    monkeypatch.setitem(REGISTRY, entry.name, entry)
    with pytest.raises(AssertionError):
        check(entry)
