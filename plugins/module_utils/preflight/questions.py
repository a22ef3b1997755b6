# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What checks ask: facts of the region by name, and what EC2, IAM and the network would say."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from ..aws import ec2 as ec2_api
from ..core.errors import Failure
from ..core.parallel import attempt
from ..reconcile.launch import Prerequisites, request
from ..spec.identity import Owner
from . import api, dry_runs, network, quotas, reach, rights, verdicts
from .checks import Context, Questions
from .identity import Kind
from .plan import Zone
from .verdicts import Answers

#: Seconds for a connection. A destination that takes longer has dropped the packet.
CONNECT_TIMEOUT = 5.0


def _quota(quota: quotas.Quota) -> Callable[[Context], Any]:
    return lambda context: api.get_quota(context.clients.quotas, quota.service, quota.code)


#: Fact by the name under which checks find its answer; each is one call.
FACTS: Mapping[str, Callable[[Context], Any]] = {
    "instances": lambda context: api.describe_instances(context.clients.ec2),
    "groups": lambda context: api.describe_security_groups_of(context.clients.ec2, context.plan.group),
    "role": lambda context: api.get_role_arn(context.clients.iam, context.caller.name),
    "types": lambda context: ec2_api.describe_instance_type(
        context.clients.ec2, context.plan.launch_spec.instance_type
    ),
    "images": lambda context: (
        ec2_api.describe_image(context.clients.ec2, context.plan.launch_spec.image_id)
        if context.plan.launch_spec.image_id
        else []
    ),
    "subnets": lambda context: ec2_api.describe_subnets(context.clients.ec2, context.plan.subnet_ids),
    "interfaces": lambda context: ec2_api.describe_network_interfaces(context.clients.ec2),
    "addresses": lambda context: ec2_api.describe_addresses(context.clients.ec2),
    "attributes": lambda context: ec2_api.describe_elastic_ip_quota(context.clients.ec2),
    "balancers": lambda context: api.describe_load_balancers(context.clients.balancers),
    **{
        quota.code: _quota(quota)
        for quota in (quotas.INTERFACES, quotas.VCPUS, quotas.ELASTIC_IPS, quotas.LOAD_BALANCERS)
    },
}


# -- rights -----------------------------------------------------------------------------------------------------------


def simulations(context: Context, known: Answers) -> Questions:
    """Return what the policy simulator is asked, one question for each statement of the policy."""
    role = known.by_name.get("role")
    principal = context.caller.principal(role if isinstance(role, str) else None)
    if principal is None or context.caller.kind is Kind.ROOT:
        return {}
    needs = [rights.concrete(need, context.caller, context.region, context.plan.group) for need in context.needs]
    return {
        f"simulation {number}": functools.partial(api.simulate, context.clients.iam, principal, need)
        for number, need in enumerate(needs)
    }


def tries(context: Context, known: Answers) -> Questions:
    """Return dry runs of the actions that the simulator did not tell."""
    if context.caller.kind is Kind.ROOT:
        return {}
    _rows, untold, _why = verdicts.simulated(context.needs, known)
    runs = {f"try {action}": run for action in untold if (run := _dry_run(context, action, known)) is not None}
    return {name: functools.partial(api.try_out, context.clients.ec2, run) for name, run in runs.items()}


def _dry_run(context: Context, action: str, found: Answers) -> dry_runs.DryRun | None:
    operation = action.rpartition(":")[2]
    model = context.clients.ec2.meta.service_model
    shape = model.operation_model(operation).input_shape if operation in model.operation_names else None
    launch = next((run for zone in context.plan.zones if (run := launch_of(context, zone, found)) is not None), None)
    vpcs = _vpcs(context, found)
    groups = found.by_name.get("groups")
    known = dry_runs.ExistingResources(
        launch=launch.parameters if launch else None,
        vpc_id=vpcs[0] if vpcs else context.vpc_id,
        security_group_id=groups[0]["GroupId"] if groups and not isinstance(groups, Failure) else None,
        tags=Owner(context.plan.group, context.plan.kind).tags,
    )
    return dry_runs.dry_run(action, shape.members if shape else (), shape.required_members if shape else (), known)


# -- launch -----------------------------------------------------------------------------------------------------------


def launches(context: Context, known: Answers) -> Questions:
    """Return a dry run of the launch in each zone."""
    runs = {zone.name: launch_of(context, zone, known) for zone in context.plan.zones}
    return {
        f"launch {name}": functools.partial(api.try_out, context.clients.ec2, run)
        for name, run in runs.items()
        if run is not None
    }


def launch_of(context: Context, zone: Zone, known: Answers) -> dry_runs.DryRun | None:
    """Return RunInstances as vpx_instance would send it; None if nothing is to be launched, or it is not known what."""

    def parameters() -> dict[str, Any] | None:
        count, images = verdicts.missing(context.plan, zone, known), known.of("images")
        if not count or not images:
            return None
        spec = context.plan.launch_spec
        return request(context.plan.desired(zone, count), spec, Prerequisites(images=images), count)

    found = attempt(parameters)
    if found is None or isinstance(found, Failure):
        return None
    return dry_runs.DryRun("ec2:RunInstances", "RunInstances", found)


# -- network ----------------------------------------------------------------------------------------------------------


def routing(context: Context, known: Answers) -> Questions:
    """Return the questions about route tables and endpoints of the VPC of the subnets."""
    vpcs = _vpcs(context, known)
    if not vpcs:
        return {}
    ec2 = context.clients.ec2
    return {
        "tables": lambda: api.describe_route_tables(ec2, vpcs),
        "endpoints": lambda: api.describe_vpc_endpoints(ec2, vpcs),
    }


def back_ends(context: Context, known: Answers) -> Questions:
    """Return the questions about subnets in which back ends can be, and security groups that must let the nodes in."""
    plan = attempt(lambda: verdicts.with_followed(context.plan, known))
    vpcs = _vpcs(context, known)
    if isinstance(plan, Failure) or not plan.back_ends or not vpcs:
        return {}
    groups = attempt(lambda: verdicts.groups_of_back_ends(plan, known))
    ids = [] if isinstance(groups, Failure) else groups
    ec2 = context.clients.ec2
    return {
        "vpc_subnets": lambda: api.describe_subnets_of(ec2, vpcs),
        "own_groups": lambda: api.describe_security_groups_of(ec2, plan.group),
        "back_end_groups": lambda: ec2_api.describe_security_groups(ec2, ids) if ids else [],
    }


def _vpcs(context: Context, known: Answers) -> list[str]:
    found = attempt(lambda: verdicts.vpcs(known)) if context.plan.zones else []
    return [] if isinstance(found, Failure) else found


def connections(context: Context, known: Answers) -> Questions:
    """Return connections from this machine to nodes that run, and to what else it must reach."""
    nodes = attempt(lambda: verdicts.node_endpoints(context.plan, known))
    wait = min(CONNECT_TIMEOUT, context.timeout)
    return {
        f"reach {name}": functools.partial(network.connect, *where, wait)
        for name in [*([] if isinstance(nodes, Failure) else nodes), *context.plan.reach]
        if (where := reach.endpoint(name)) is not None
    }


def sources(context: Context, found: Answers) -> dict[str, str | None]:
    """Return, by network of a management subnet, the address from which this machine would reach it."""
    named = {zone.subnet_of("management") for zone in context.plan.zones}
    listed = attempt(lambda: [item["CidrBlock"] for item in found.of("subnets") if item["SubnetId"] in named])
    networks = [] if isinstance(listed, Failure) else listed
    return {each: network.source_towards(_an_address_of(each)) for each in networks}


def _an_address_of(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr, strict=False)[-2])
