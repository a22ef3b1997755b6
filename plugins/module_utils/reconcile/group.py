# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that a role must know of an autoscale group before it starts: state, problems and plan, in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import parse_interfaces
from ..aws.client import Client
from ..core.errors import Failure, Refusal
from ..core.fingerprints import PIN
from ..core.parallel import attempt_all
from ..distributors.base import Observed, Question
from ..distributors.dns.records import canonical, within
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import domains, nsip
from . import group_changes as changes
from . import group_drift as drifts
from . import group_plan as plans
from . import group_replacement
from .group_network import route_problems, subnet_problems, zone_network
from .group_reading import (
    Backends,
    Names,
    Nodes,
    as_message,
    followed_of,
    read_backends,
    read_names,
    read_nodes,
    read_other_domains,
    refused,
)
from .pins import clips_of, pins_of_results

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

    @property
    def launches(self) -> bool:
        """Whether nodes may be launched for the whole group, so that image, type and key pair matter."""
        return self.whole and not self.existing


@dataclass(slots=True)
class Distribution(Observed):
    """How clients reach the nodes: what the distributor has, the record sets of domains, and followed back ends."""

    names: Names = field(default_factory=Names)
    backends: Backends = field(default_factory=Backends)


def survey(connect: Connect, request: Request) -> dict[str, Any]:
    """Read everything, and return the state of the group, its problems and its plan. Raises Failure if AWS refuses."""
    definition = request.deployed
    nodes = read_nodes(connect("ec2"), definition, launches=request.launches)
    ids = plans.group_ids(definition, nodes)
    problems = _node_problems(request, nodes, ids)
    replacement = _replacement(request, nodes, problems)
    distribution = _distribution(connect, request, nodes, ids, problems)
    zones = [one for one in definition["zones"] if request.zone in ("", one["name"])]
    records = _records(distribution.names)
    ensured = DISTRIBUTORS[definition["distributor"]].ensure(definition)
    sets = [plans.instance_set(definition, one, nodes, ids, request.nodes) for one in zones]
    removed = changes.zone_removal(definition, nodes, distribution.target_groups, records)
    result = {
        "definition": dict(definition),
        "problems": list(dict.fromkeys(problems)),
        "instances": _of_zone(plans.instance_results(nodes), request.zone),
        "fingerprints": _fingerprints(definition, nodes),
        "security_groups": ids,
        "zones": [_zone(one, definition, nodes, distribution.backends) for one in zones],
        "balancer": distribution.balancer,
        "target_groups": distribution.target_groups,
        "records": records,
        **plans.cleanup(distribution.target_groups, records, nodes),
        "aliases": _aliases(distribution.names),
        "backends": dict(distribution.backends.by_application),
        "unknown_backends": list(distribution.backends.unknown),
        "plan": {
            "shared": plans.shared(request.definition, nodes),
            "balancer": {"zones": ensured["zones"], "changes": distribution.balancer_changes},
            "listeners": {
                "listeners": ensured["listeners"],
                "others": [one["name"] for one in definition["applications"]] if not request.existing else None,
                "changes": distribution.listener_changes,
            },
            "instances": [one for one in sets if not plans.is_there(definition, one, nodes)],
            "replacement": replacement,
            "removed_zones": removed,
        },
    }
    drift = drifts.findings(definition, nodes, distribution, result) if request.launches else []
    return {**result, "drift": [one.result() for one in drift]}


def _fingerprints(definition: Definition, nodes: Nodes) -> dict[str, list[str]]:
    """Return the pinned fingerprints by address, none unless they are asked for."""
    if definition.get("management_tls") != PIN:
        return {}
    return pins_of_results(plans.instance_results(nodes), clips=clips_of(definition["zones"]))


def _of_zone(instances: Sequence[dict[str, Any]], zone: str) -> list[dict[str, Any]]:
    return [one for one in instances if not zone or one["tags"].get(t.ZONE) == zone]


def _node_problems(request: Request, nodes: Nodes, ids: Mapping[str, str]) -> list[str]:
    definition = request.definition
    problems = plans.ownership_problems(definition, nodes)
    if request.whole:
        problems += subnet_problems(definition, nodes.subnets)
        problems += route_problems(definition, nodes.subnets)
        problems += plans.clip_problems(definition, nodes)
    if request.launches:
        problems += plans.launch_problems(definition, nodes)
        problems += group_replacement.stopped_problems(definition, nodes.instances)
        problems += changes.definition_problems(definition, nodes, ids)
        problems += drifts.incomplete_nodes(definition, nodes)
    if request.zone or (request.existing and definition["state"] == "present"):
        problem = refused(lambda: plans.unprepared(definition, ids))
        problems += [problem] if problem else []
    return problems


def _replacement(request: Request, nodes: Nodes, problems: list[str]) -> dict[str, Any] | None:
    """Return how the instance is replaced that the definition names; None without one. A Refusal becomes a problem."""
    if not request.launches:
        return None
    try:
        found = group_replacement.plan(request.definition, nodes.instances)
    except Refusal as refusal:
        problems.append(as_message(str(refusal)))
        return None
    return found.result() if found else None


def _zone(zone: Mapping[str, Any], definition: Definition, nodes: Nodes, backends: Backends) -> dict[str, Any]:
    holder = next((one for one in nodes.clips if zone["clip"] in one.addresses), None)
    network = zone_network(zone, definition, nodes.subnets, backends.subnet_ids)
    return {**zone, "clip_interface": holder.network_interface_id if holder else "", **network}


def _distribution(
    connect: Connect, request: Request, nodes: Nodes, ids: Mapping[str, str], problems: list[str]
) -> Distribution:
    """Read load balancer, listeners, targets, record sets and back ends side by side. A Refusal becomes a problem."""
    definition, found = request.deployed, Distribution()
    question = Question(connect, definition, ids, request.existing)
    reads = _distributor_reads(question, found, known=bool(nodes.subnets))
    if domains(definition) and (definition["dns"]["zone"] or definition["dns"]["hosted_zone_id"]):
        reads.append(lambda: _read_names(connect, definition, found))
    if followed_of(definition) and definition["state"] == "present":
        reads.append(lambda: _read_backends(connect, definition, found))
    for outcome in attempt_all(reads):
        if isinstance(outcome, Refusal):
            problems.append(as_message(str(outcome)))
        elif isinstance(outcome, Failure):
            raise outcome
    if request.whole:
        problems += _name_problems(definition, found.names)
    if request.launches and found.names.zone_id and nodes.live:
        problems += _other_domains(connect, definition, found.names, nodes)
    if request.existing and reads:
        problems += DISTRIBUTORS[definition["distributor"]].unprepared(definition, found)
    return found


def _distributor_reads(question: Question, found: Observed, *, known: bool) -> list[Callable[[], None]]:
    """Return the reads of the distributor; of a group that is removed those of all, whichever was chosen before.

    ``known``: EC2 has subnets of the group, without which nothing can be planned.
    """
    if not question.present:
        return [read for each in DISTRIBUTORS.values() for read in each.observe(question, found)]
    return DISTRIBUTORS[question.definition["distributor"]].observe(question, found) if known else []


def removal(definition: Definition, result: Mapping[str, Any], orphans: Sequence[str]) -> dict[str, Any]:
    """Return what is removed by name: record sets, targets and listeners of applications, devices of the console."""
    nsips = [nsip(one) for one in result["instances"] if nsip(one)]
    distributor = DISTRIBUTORS[definition["distributor"]]
    return {
        **distributor.remove(definition, result),
        "drain_seconds": distributor.drain_seconds(definition),
        "nodes": nsips,
        "devices": list(dict.fromkeys([*nsips, *orphans])),
    }


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
    conflicts = DISTRIBUTORS[definition["distributor"]].validate_records(definition, names.records)
    return problems + [as_message(one) for one in conflicts]


def _other_domains(connect: Connect, definition: Definition, names: Names, nodes: Nodes) -> list[str]:
    """Return a message for each domain that sends clients to nodes and that no application has (any more)."""
    if not DISTRIBUTORS[definition["distributor"]].public_nodes:
        return []
    ids = {one.instance_id for one in nodes.live}
    return [
        f"{domain} sends clients to nodes of this group, and no application of autoscale_group_applications has that "
        "domain. Declare its application, or remove it under its old name and domain: ansible-playbook "
        "cloudadc.aws.application with -e application_state=absent, and its name and domain in application_definition."
        for domain in read_other_domains(connect("route53"), names.zone_id, list(names.records), ids)
    ]


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
                "health_check_port": _checked_port(one.health_check_id, names),
            }
            for one in forms
            if one.identifier
        ]
    return found


def _checked_port(check_id: str | None, names: Names) -> int | None:
    """Return the port of a health check, 0 for one that does not exist any more; None: it was not read."""
    return None if check_id is None or names.checked_ports is None else names.checked_ports.get(check_id, 0)


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
