"""The contract of distributors, over every entry of the registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.base import (
    Distributor,
    Leaving,
    Observed,
    Port,
    Present,
    Question,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.entry import Dns
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.entry import NetworkLoadBalancer
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.registry import REGISTRY
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_plan import interfaces
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_summary import group_summary
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import PolicyError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group_security import SECURITY_ROLES, security_groups
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.preflight import read_request
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.protocols import PROTOCOLS
from ansible_collections.cloudadc.aws.plugins.modules import vpx_shared_resources

from .groups import NAMES, POLICY, WEB, World, group, node, refused, variables

ROOT = Path(__file__).parents[2]
NODES = [node(1), node(2)]
CLIENT_NETWORKS = ["10.0.2.0/24"]


def check_definition(entry: Distributor) -> None:
    """A complete group is valid; one without a hosted zone is if the distributor needs none."""
    assert read_group(variables(entry.name))[1] == []
    without = read_group(variables(entry.name, dns={}, applications=[{**WEB, "domain": ""}]))[1]
    assert any("names neither zone nor hosted_zone_id" in one for one in without) == entry.needs_zone


def check_policy(entry: Distributor) -> None:
    """A TTL is needed where clients keep answers, and refused where they do not."""
    for ttl in ({}, {"ttl": 60}):
        given = {**POLICY, **ttl, "distributor": entry.name}
        if bool(ttl) == entry.cached:
            assert Policy.from_dict(given).cached == entry.cached
        else:
            with pytest.raises(PolicyError, match="ttl"):
                Policy.from_dict(given)


def check_ports(entry: Distributor) -> None:
    """Every transport of every application is open to clients, on the nodes or on the distributor, and only once."""
    for protocol in PROTOCOLS:
        [read] = group(entry.name, applications=[{**NAMES, "protocol": protocol}])["applications"]
        assert set(entry.transports(read)) <= {"tcp", "udp"}
        assert entry.port(read) == Port(
            "names", 53, entry.transports(read), entry.port(read).visible, entry.port(read).checked
        )
    definition = group(entry.name)
    found = {each["role"]: each["rules"] for each in security_groups(definition, CLIENT_NETWORKS)}
    assert set(found) == {"management", "client", "server"} | ({entry.security_role} - {""})
    assert set(found) <= set(SECURITY_ROLES)
    front = found[entry.security_role or "client"]
    for application in definition["applications"]:
        for transport in entry.transports(application):
            assert _sources(front, transport, application["port"]) >= {"198.51.100.0/24"}
            assert _sources(found["client"], transport, application["port"]), "nodes allow no client"
    for rules in found.values():
        keys = [(each["protocol"], each["from_port"], each["to_port"]) for each in rules]
        assert len(keys) == len(set(keys))
    assert refused("vpx_shared_resources", "security_groups", security_groups(definition, CLIENT_NETWORKS)) == []


def _sources(rules: Sequence[Mapping[str, Any]], transport: str, port: int) -> set[str]:
    mine = [one for one in rules if one["protocol"] == transport and one["from_port"] <= port <= one["to_port"]]
    return {source for one in mine for source in one.get("cidrs", ())}


def check_ensure(entry: Distributor) -> None:
    """What the group needs are options of the modules that make it."""
    ensured = entry.ensure(group(entry.name))
    assert set(ensured) == {"zones", "listeners"}
    assert refused("nlb_adc_balancer", "zones", ensured["zones"]) == []
    assert refused("nlb_adc_listener", "listeners", ensured["listeners"]) == []


def check_observe(entry: Distributor) -> None:
    """Nothing is asked before the reads are called; without AWS nothing is found."""

    def connect(service: str) -> Any:
        raise AssertionError(f"{service} was connected to before a read was called")

    for definition in (group(entry.name), {**group(entry.name), "state": "absent"}):
        found = Observed()
        assert all(callable(each) for each in entry.observe(Question(connect, definition, {}), found))
        assert found == Observed()


def check_register(entry: Distributor) -> None:
    """All nodes are registered for all applications; registered again, there is nothing to do."""
    world = World(group(entry.name))
    work = entry.register(world.state, NODES)
    assert set(work) == {"targets", "replaced", "records", "unreachable"}
    assert work["replaced"] == []
    assert work["unreachable"] == []
    world.register(work)
    assert world.known() == {"i-1", "i-2"}
    assert world.for_applications() == {"web": 2, "names": 2}
    again = entry.register(world.state, NODES)
    assert again == {"targets": [], "replaced": [], "records": [], "unreachable": []}
    more = entry.register(world.state, [*NODES, node(3)])
    world.register({**more, "targets": _new(more["targets"], world), "records": _new_names(more["records"], world)})
    assert "i-3" in world.known()


def _new(targets: Sequence[Mapping[str, Any]], world: World) -> list[dict[str, Any]]:
    known = world.known()
    return [
        {**each, "targets": [one for one in each["targets"] if f"i-{one['id'].rpartition('.')[2]}" not in known]}
        for each in targets
    ]


def _new_names(records: Sequence[Mapping[str, Any]], world: World) -> list[dict[str, Any]]:
    known = world.known()
    return [
        {**each, **({"nodes": [o for o in each["nodes"] if o["identifier"] not in known]} if "nodes" in each else {})}
        for each in records
    ]


def check_no_nodes(entry: Distributor) -> None:
    """Without nodes nothing is written anywhere."""
    world = World(group(entry.name))
    assert entry.register(world.state, []) == {"targets": [], "replaced": [], "records": [], "unreachable": []}
    assert not any(entry.deregister([], [], []).values())


def check_unreachable(entry: Distributor) -> None:
    """A node without a public address is reported exactly where clients need one, and instances get one there."""
    hidden = [node(1), node(2, public=False)]
    work = entry.register(World(group(entry.name)).state, hidden)
    assert work["unreachable"] == (["i-2"] if entry.public_nodes else [])
    definition = group(entry.name)
    given = {each["role"]: each["elastic_ip"] for each in interfaces(definition, definition["zones"][0], {})}
    assert given == {"management": False, "client": entry.public_nodes, "server": False}


def check_deregister(entry: Distributor) -> None:
    """What a scale-in names removes the leaving node everywhere, and no other."""
    world = World(group(entry.name))
    world.register(entry.register(world.state, NODES))
    options = entry.scale_in_options(world.state["definition"])
    assert set(options) == {"load_balancer", "domains"}
    assert refused("autoscale_candidates", "load_balancer", options["load_balancer"]) == []
    ports = {each["name"]: each["port"] for each in world.state["definition"]["applications"]}
    groups = [
        {"target_group_arn": each["target_group_arn"], "port": ports[each["application"]], "target_port": None}
        for each in (world.state["target_groups"] if options["load_balancer"] else ())
    ]
    work = entry.deregister([Leaving("i-1", "10.0.2.1")], groups, options["domains"])
    assert set(work) <= {"target_groups", "record_sets"}
    world.deregister(work.get("target_groups", []), work.get("record_sets", []))
    assert world.known() == {"i-2"}
    assert world.for_applications() == {"web": 1, "names": 1}


def check_cleanup(entry: Distributor) -> None:
    """What a node that is gone left behind is removed; what other nodes have stays."""
    world = World(group(entry.name))
    world.register(entry.register(world.state, NODES))
    present = Present({"i-2"}, {"10.0.2.2"})
    work = entry.cleanup(world.state["target_groups"], world.state["records"], present)
    assert set(work) <= {"stale_targets", "stale_records"}
    world.deregister(work.get("stale_targets", []), work.get("stale_records", []))
    assert world.known() == {"i-2"}
    again = entry.cleanup(world.state["target_groups"], world.state["records"], present)
    assert not any(again.values())


def check_remove(entry: Distributor) -> None:
    """Applications that are removed leave nothing; without any there is nothing to remove."""
    world = World(group(entry.name))
    before = json.dumps(world.state, sort_keys=True)
    work = entry.remove(world.state["definition"], world.state)
    assert set(work) == {"target_groups", "listeners", "records"}
    assert refused("nlb_adc_listener", "listeners", work["listeners"]) == []
    world.register(entry.register(world.state, NODES))
    work = entry.remove(world.state["definition"], world.state)
    world.deregister(work["target_groups"], work["records"])
    assert (world.known(), world.state["aliases"]) == (set(), {})
    assert json.dumps({**world.state, "records": {}}, sort_keys=True) == before
    assert entry.drain_seconds(world.state["definition"]) >= 0


def check_unprepared(entry: Distributor) -> None:
    """With what :meth:`ensure` makes, a group is prepared."""
    definition = group(entry.name)
    assert entry.unprepared(definition, Observed(balancer=World(definition).state["balancer"])) == []
    assert bool(entry.unprepared(definition, Observed())) == bool(entry.ensure(definition)["zones"])


def check_summary(entry: Distributor) -> None:
    """A reader is told where clients reach each application."""
    world = World(group(entry.name))
    for application in world.state["definition"]["applications"]:
        found = entry.addresses(application, world.state)
        assert found
        assert all(f":{application['port']}" in each for each in found)
        assert f"{application['name']}: {application['protocol']} at {found[0]}" in group_summary(world.state)


def check_costs(entry: Distributor) -> None:
    """A reader is told what is billed; what exists already is not predicted again."""
    world = World(group(entry.name))
    assert entry.billed(world.state["definition"], 2)
    assert entry.predicted_costs(world.state, 0) == []
    predicted = entry.predicted_costs({**world.state, "balancer": None}, 2)
    assert predicted
    assert all("billed" in each for each in predicted)


def check_needs(entry: Distributor) -> None:
    """A preflight counts an Elastic IP for each node exactly where nodes have one."""
    zones = [{"name": name} for name in ("a", "b")]
    for internal in (False, True):
        needs = entry.needs(zones, 3, internal=internal)
        assert (needs.elastic_ips == 6) == entry.public_nodes
        assert needs.elastic_ips >= 0
    request = read_request({"autoscale_group": variables(entry.name)}, "autoscale_group")
    assert entry.statement not in request["without"]
    others = {each.statement for each in REGISTRY.values() if each is not entry and not each.used_by([WEB])}
    assert others <= set(request["without"])


def check_documentation(entry: Distributor) -> None:
    """Policies have its statements, options name it, and the guide has a section about it."""
    policies = [path.read_text(encoding="utf-8") for path in (ROOT / "roles/preflight/files/policies").glob("*.json")]
    assert any(f'{entry.statement}"' in text for text in policies), "no policy has a statement for it"
    options = yaml.safe_load((ROOT / "roles/autoscale_group/meta/argument_specs.yml").read_text(encoding="utf-8"))
    option = options["argument_specs"]["main"]["options"]["autoscale_group_distributor"]
    assert option["choices"] == list(REGISTRY)
    assert option["default"] == next(iter(REGISTRY))
    assert f"V({entry.name})" in " ".join(option["description"])
    guide = (ROOT / "docs/groups.md").read_text(encoding="utf-8")
    assert f"`autoscale_group_distributor: {entry.name}`" in guide
    roles = vpx_shared_resources.argument_spec()["security_groups"]["options"]["role"]["choices"]
    assert entry.security_role in (*roles, "")


CHECKS: list[Callable[[Distributor], None]] = [
    *(check_definition, check_policy, check_ports, check_ensure, check_observe, check_register, check_no_nodes),
    *(
        check_unreachable,
        check_deregister,
        check_cleanup,
        check_remove,
        check_unprepared,
        check_summary,
        check_needs,
        check_costs,
    ),
    check_documentation,
]
EVERY = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


@EVERY
@pytest.mark.parametrize("entry", REGISTRY.values(), ids=list(REGISTRY))
def test_entry_keeps_the_contract(entry: Distributor, check: Callable[[Distributor], None]) -> None:
    check(entry)


def test_entries_do_not_answer_for_each_other() -> None:
    assert [entry.name for entry in REGISTRY.values()] == list(REGISTRY)
    assert len({entry.statement for entry in REGISTRY.values()}) == len(REGISTRY)
    present = Present({"i-1"}, {"10.0.2.1"})
    for keys in (
        [set(entry.cleanup([], {}, present)) for entry in REGISTRY.values()],
        [set(entry.deregister([], [], [])) for entry in REGISTRY.values()],
    ):
        assert sum(map(len, keys)) == len(set().union(*keys)), "one entry overwrites what another one returned"


# -- wrong entries, each of which a check refuses ---------------------------------------------------------------------


class ForgetsANode(NetworkLoadBalancer):
    def register(self, state: Mapping[str, Any], clients: Sequence[Any]) -> dict[str, Any]:
        return super().register(state, clients[1:])


class RegistersAgain(Dns):
    def register(self, state: Mapping[str, Any], clients: Sequence[Any]) -> dict[str, Any]:
        return super().register({**state, "records": {}}, clients)


class OpensNothing(NetworkLoadBalancer):
    proxied = False


class ReturnsNoOptions(NetworkLoadBalancer):
    def ensure(self, definition: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        return {"zones": [{"zone": "a"}], "listeners": []}


class AsksAtOnce(NetworkLoadBalancer):
    def observe(self, question: Question, found: Observed) -> list[Callable[[], None]]:
        question.connect("elbv2")
        return []


class LeavesANode(Dns):
    def deregister(self, nodes: Sequence[Leaving], *others: Any) -> dict[str, list[dict[str, Any]]]:
        return super().deregister([], *others)


class CleansEverything(Dns):
    def cleanup(self, *observed: Any) -> dict[str, list[dict[str, Any]]]:
        return super().cleanup(*observed[:2], Present())


class LeavesTargets(NetworkLoadBalancer):
    def remove(self, *observed: Any) -> dict[str, list[dict[str, Any]]]:
        return {**super().remove(*observed), "target_groups": []}


class HidesNodes(Dns):
    public_nodes = False


class IsUndocumented(NetworkLoadBalancer):
    statement = "WithSomethingElse"


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (ForgetsANode, check_register),
        (RegistersAgain, check_register),
        (OpensNothing, check_ports),
        (ReturnsNoOptions, check_ensure),
        (AsksAtOnce, check_observe),
        (LeavesANode, check_deregister),
        (CleansEverything, check_cleanup),
        (LeavesTargets, check_remove),
        (HidesNodes, check_unreachable),
        (IsUndocumented, check_documentation),
    ],
)
def test_a_wrong_entry_is_refused(
    wrong: type[Distributor], check: Callable[[Distributor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = wrong()
    monkeypatch.setitem(REGISTRY, entry.name, entry)
    with pytest.raises(AssertionError):
        check(entry)
