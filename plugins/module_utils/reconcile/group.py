# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that a role must know of an autoscale group before it starts: state, problems and plan, in one process."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import parse_interfaces
from ..aws.client import Client
from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all
from ..distributors.dns.record_plan import DesiredRecord, Node
from ..distributors.dns.record_plan import plan as plan_records
from ..distributors.dns.records import canonical, within
from ..distributors.nlb.balancer_work import Balancing
from ..distributors.nlb.balancers import Attachment, DesiredBalancer
from ..distributors.nlb.listener_work import ListenerWork
from ..distributors.nlb.listeners import ObservedListeners, check_requests, owner_of, request_of
from ..spec.identity import belongs
from . import group_plan as plans
from .group_network import route_problems, subnet_problems, zone_network
from .group_reading import (
    Backends,
    Names,
    Nodes,
    followed_of,
    read_backends,
    read_names,
    read_nodes,
    read_targets,
    refused,
    sentence,
)
from .group_steps import domains, nsip

#: A documentation address (RFC 5737) in place of a node that does not exist yet.
_EXAMPLE_NODE = Node("cloudadc", "192.0.2.1")

#: Returns a client of this AWS service.
Connect = Callable[[str], Client]
Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    ``zone``: of one zone only, empty for the whole group. ``nodes``: how many nodes a zone shall have in service.
    ``existing``: the group must have been built, and other applications than the declared ones may have target groups.
    ``applications``: names of the applications that are deployed, None for all; security groups are always for all.
    """

    definition: Definition
    zone: str = ""
    nodes: int = 0
    existing: bool = False
    applications: tuple[str, ...] | None = None

    @property
    def deployed(self) -> Definition:
        """The definition with the applications that are deployed."""
        if self.applications is None:
            return self.definition
        chosen = [one for one in self.definition["applications"] if one["name"] in self.applications]
        return {**self.definition, "applications": chosen}

    @property
    def whole(self) -> bool:
        return not self.zone and self.definition["state"] == "present"


@dataclass(slots=True)
class Distribution:
    """How clients reach the nodes: what the distributor has, and what it needs."""

    balancer: Mapping[str, Any] | None = None
    balancer_changes: list[str] = field(default_factory=list)
    listener_changes: list[str] = field(default_factory=list)
    target_groups: list[dict[str, Any]] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    backends: Backends = field(default_factory=Backends)


def survey(connect: Connect, request: Request) -> dict[str, Any]:
    """Read everything, and return the state of the group, its problems and its plan. Raises Failure if AWS refuses."""
    definition = request.deployed
    nodes = read_nodes(connect("ec2"), definition, whole=request.whole)
    ids = plans.group_ids(definition, nodes)
    problems = _node_problems(request, nodes, ids)
    distribution = _distribution(connect, request, nodes, ids, problems)
    zones = [one for one in definition["zones"] if request.zone in ("", one["name"])]
    records = _records(distribution.names)
    sets = [plans.instance_set(definition, one, nodes, ids, request.nodes) for one in zones]
    return {
        "definition": dict(definition),
        "problems": list(dict.fromkeys(problems)),
        "instances": _of_zone(plans.instance_results(nodes), request.zone),
        "security_groups": ids,
        "zones": [_zone(one, definition, nodes, distribution.backends) for one in zones],
        "balancer": distribution.balancer,
        "target_groups": distribution.target_groups,
        "stale_targets": plans.stale_targets(distribution.target_groups, nodes),
        "records": records,
        "stale_records": plans.stale_records(records, nodes),
        "aliases": _aliases(distribution.names),
        "backends": dict(distribution.backends.by_application),
        "unknown_backends": list(distribution.backends.unknown),
        "plan": {
            "shared": plans.shared(request.definition, nodes),
            "balancer": {"zones": plans.balancer_zones(definition), "changes": distribution.balancer_changes},
            "listeners": {
                "listeners": plans.listeners(definition),
                "others": [one["name"] for one in definition["applications"]] if not request.existing else None,
                "changes": distribution.listener_changes,
            },
            "instances": [one for one in sets if not plans.is_there(definition, one, nodes)],
        },
    }


def _of_zone(instances: Sequence[dict[str, Any]], zone: str) -> list[dict[str, Any]]:
    return [one for one in instances if not zone or one["tags"].get(t.ZONE) == zone]


def _node_problems(request: Request, nodes: Nodes, ids: Mapping[str, str]) -> list[str]:
    definition = request.definition
    problems = plans.ownership_problems(definition, nodes)
    if request.whole:
        problems += subnet_problems(definition, nodes.subnets)
        problems += route_problems(definition, nodes.subnets)
        problems += plans.clip_problems(definition, nodes)
        problems += plans.launch_problems(definition, nodes)
    if request.zone or (request.existing and definition["state"] == "present"):
        problem = refused(lambda: plans.unprepared(definition, ids))
        problems += [problem] if problem else []
    return problems


def _zone(zone: Mapping[str, Any], definition: Definition, nodes: Nodes, backends: Backends) -> dict[str, Any]:
    holder = next((one for one in nodes.clips if zone["clip"] in one.addresses), None)
    network = zone_network(zone, definition, nodes.subnets, backends.subnet_ids)
    return {**zone, "clip_interface": holder.network_interface_id if holder else "", **network}


def _distribution(
    connect: Connect, request: Request, nodes: Nodes, ids: Mapping[str, str], problems: list[str]
) -> Distribution:
    """Read load balancer, listeners, targets, record sets and back ends side by side. A Refusal becomes a problem."""
    definition, found = request.deployed, Distribution()
    reads: list[Callable[[], None]] = []
    if definition["state"] == "absent":
        reads.append(lambda: _find_balancer(connect, definition, found))
        reads.append(lambda: _read_listeners(connect, request, found))
    elif definition["distributor"] == "nlb" and definition["zones"] and nodes.subnets:
        reads.append(lambda: _read_balancer(connect, request, ids, found))
        reads.append(lambda: _read_listeners(connect, request, found))
    if domains(definition) and (definition["dns"]["zone"] or definition["dns"]["hosted_zone_id"]):
        reads.append(lambda: _read_names(connect, definition, found))
    if followed_of(definition) and definition["state"] == "present":
        reads.append(lambda: _read_backends(connect, definition, found))
    for outcome in attempt_all(reads):
        if isinstance(outcome, Refusal):
            problems.append(sentence(str(outcome)))
        elif isinstance(outcome, Failure):
            raise outcome
    if request.whole:
        problems += _name_problems(definition, found.names)
    if request.existing and definition["distributor"] == "nlb" and reads and found.balancer is None:
        problems.append(f"There is no load balancer {definition['name']} in this account and region.")
    return found


def _read_balancer(connect: Connect, request: Request, ids: Mapping[str, str], found: Distribution) -> None:
    definition = request.definition
    nlb = ids.get("nlb")
    desired = DesiredBalancer(
        name=definition["name"],
        group=definition["name"],
        scheme=definition["nlb_scheme"],
        places=tuple(Attachment.from_option(option) for option in plans.balancer_zones(definition)),
        security_groups=frozenset([nlb]) if nlb else None,
        tags=definition["tags"],
    )
    job = Balancing(desired=desired, elb=connect("elbv2"), ec2=connect("ec2"), timeout=None, check=True)
    answer = job.converge()
    found.balancer, found.balancer_changes = answer["balancer"], answer["actions"]


def _find_balancer(connect: Connect, definition: Definition, found: Distribution) -> None:
    """Find the load balancer of a group that is to be removed; one of this name that is not its own is left out."""
    desired = DesiredBalancer(name=definition["name"], group=definition["name"])
    job = Balancing(desired=desired, elb=connect("elbv2"), ec2=connect("ec2"), timeout=None, check=True)
    balancer, _addresses = job.observation()
    if balancer and belongs(desired.owner, balancer.tags):
        found.balancer = balancer.result()


def removal(definition: Definition, result: Mapping[str, Any], orphans: Sequence[str]) -> dict[str, Any]:
    """Return what is removed by name: record sets, targets and listeners of applications, devices of the console."""
    by_node = [{"record": one, "nodes": [], "purge": True} for one, listed in result["records"].items() if listed]
    balancer = result["balancer"]
    aliases = [
        {"record": domain, "alias": alias}
        for domain, alias in result["aliases"].items()
        if balancer and alias["dns_name"] == f"{balancer['dns_name'].lower().rstrip('.')}."
    ]
    nsips = [nsip(one) for one in result["instances"] if nsip(one)]
    names = [one["name"] for one in definition["applications"]]
    arns = [one["target_group_arn"] for one in result["target_groups"] if one["application"] in names]
    return {
        "target_groups": [{"target_group_arn": arn, "targets": [], "purge": True} for arn in arns],
        "listeners": [{"application": name} for name in names],
        "drain_seconds": plans.drain_seconds(definition),
        "records": by_node if definition["distributor"] == "dns" else aliases,
        "devices": list(dict.fromkeys([*nsips, *orphans])),
    }


def _read_listeners(connect: Connect, request: Request, found: Distribution) -> None:
    definition, name = request.deployed, request.definition["name"]
    present = definition["state"] == "present"
    requests = tuple(request_of(name, option) for option in plans.listeners(definition)) if present else ()
    check_requests(requests)
    applications = tuple(one["name"] for one in definition["applications"])
    listener_changes_of = ListenerWork(
        client=connect("elbv2"),
        load_balancer=name,
        group=name,
        requests=requests,
        applications=applications,
        present=present,
        purge=False,
        tags={**definition["tags"], **owner_of(name).tags},
        others=applications if not request.existing else None,
        only_read=True,
    )
    observed, changes = listener_changes_of.observation()
    found.listener_changes = [change.message for change in changes]
    found.target_groups = _targets(connect, name, observed)


def _targets(connect: Connect, name: str, observed: ObservedListeners) -> list[dict[str, Any]]:
    return read_targets(connect("elbv2"), name, observed)


def _read_names(connect: Connect, definition: Definition, found: Distribution) -> None:
    found.names = read_names(connect("route53"), definition)


def _read_backends(connect: Connect, definition: Definition, found: Distribution) -> None:
    found.backends = read_backends(connect("autoscaling"), connect("ec2"), definition)


def _name_problems(definition: Definition, names: Names) -> list[str]:
    """Return a message for each domain that the hosted zone cannot hold, or that is used otherwise."""
    if not names.zone_id:
        return []
    problems = [
        f"Domain {domain} does not belong into the hosted zone {names.zone_name}."
        for domain in names.records
        if names.zone_name and not within(domain, names.zone_name)
    ]
    for domain, listed in names.records.items() if definition["distributor"] == "dns" else ():
        desired_listener = DesiredRecord(
            record=domain,
            type="A",
            ttl=int(float(definition["policy"].get("ttl") or 60)),
            policy=definition["dns"]["policy"],
            nodes=(_EXAMPLE_NODE,),
            present=True,
            purge=False,
        )
        problem = refused(functools.partial(plan_records, desired_listener, listed))
        problems += [problem] if problem else []
    return problems


def _records(names: Names) -> dict[str, list[dict[str, Any]]]:
    """Return the record sets of nodes by domain."""
    found: dict[str, list[dict[str, Any]]] = {}
    for domain, listed in names.records.items():
        forms = [canonical(one) for one in listed]
        found[domain] = [
            {
                "identifier": one.identifier,
                "value": one.values[0] if one.values else None,
                "ttl": one.ttl,
                "health_check_id": one.health_check_id,
            }
            for one in forms
            if one.identifier
        ]
    return found


def _aliases(names: Names) -> dict[str, dict[str, Any]]:
    """Return the alias of each domain that is one."""
    found: dict[str, dict[str, Any]] = {}
    for domain, listed in names.records.items():
        for one in listed:
            alias = canonical(one).alias
            if alias:
                zone, name, evaluate = alias
                found[domain] = {"dns_name": name, "hosted_zone_id": zone, "evaluate_target_health": evaluate}
    return found


def orphaned(client: Client, addresses: Sequence[str], subnet_ids: Sequence[str]) -> list[str]:
    """Return those of the management addresses that no network interface has. One DescribeNetworkInterfaces."""
    if not addresses:
        return []
    filters: dict[str, Any] = {"addresses.private-ip-address": list(addresses)}
    if subnet_ids:
        filters["subnet-id"] = sorted(set(subnet_ids))
    held = {
        one for each in parse_interfaces(api.describe_network_interfaces(client, filters)) for one in each.addresses
    }
    return [address for address in addresses if address not in held]
