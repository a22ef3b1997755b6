# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks AWS and the network what the checks want to know, side by side, and has the answers judged.

Rounds, because what is asked depends on what is known: who asks; what the region has; what EC2 and IAM would say; and
dry runs for what IAM did not tell.
"""

from __future__ import annotations

import functools
import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..aws import ec2 as ec2_api
from ..aws.client import Client
from ..aws.errors import AwsError
from ..core.errors import Failure
from ..core.parallel import ask_all, attempt
from ..reconcile.launch import Prerequisites, request
from . import (
    api,
    clock,
    dry_runs,
    launching,
    network,
    quotas,
    reach,
    rights,
    routes,
    subnets,
    verdicts,
)
from .identity import Caller, Kind, read_caller
from .plan import Plan, Zone
from .rows import Row, failed, ok, skipped
from .verdicts import Answers

CREDENTIALS = "credentials"
# Seconds for a connection. Who takes longer has dropped the packet.
TIMEOUTS = 5.0
Question = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a service."""

    sts: Client
    ec2: Client
    iam: Client
    quotas: Client
    balancers: Client


@dataclass(frozen=True, slots=True)
class Inspection:
    """``timeout``: seconds that each round may take. ``vpc_id``: for the dry run of a security group, without zones."""

    plan: Plan
    needs: tuple[rights.Need, ...]
    clients: Clients
    region: str
    timeout: float
    vpc_id: str | None = None
    now: Callable[[], float] = time.time

    def rows(self) -> list[Row]:
        caller, first = self._who()
        if caller is None:
            return [*first, *self._left_out()]
        known = Answers(self._ask(self._questions(caller)))
        found = Answers({**known.by_name, **self._ask(self._attempts(caller, known))})
        plan = self.plan
        rows = [*first, *self._rights(caller, found)]
        if plan.zones:
            rows += [
                *verdicts.launches(plan, found),
                *verdicts.networks(plan, found),
                *verdicts.data_path(plan, found),
                *verdicts.limits(plan, found),
            ]
        return [*rows, *verdicts.reached(plan, found, self._sources(found))]

    def _ask(self, questions: Mapping[str, Question]) -> dict[str, Any]:
        return ask_all(questions, self.timeout)

    # Who asks

    def _who(self) -> tuple[Caller | None, list[Row]]:
        """Who asks, and what the date of the answer says of the clock. Without an answer nothing else is asked."""

        def ask() -> tuple[dict[str, Any] | Failure, float]:
            return attempt(lambda: api.get_caller_identity(self.clients.sts)), self.now()

        message = self._ask({"caller": ask})["caller"]
        answer, received = (message, self.now()) if isinstance(message, Failure) else message
        date = _date(answer)
        reported = [clock.judge(clock.skew(date, received))] if date or not isinstance(answer, Failure) else []
        caller = answer if isinstance(answer, Failure) else attempt(lambda: read_caller(answer))
        if isinstance(caller, Failure):
            return None, [failed(CREDENTIALS, "AWS", str(caller)), *reported]
        return caller, [ok(CREDENTIALS, f"account {caller.account}", f"{caller.arn} in {self.region}"), *reported]

    def _left_out(self) -> list[Row]:
        plan = self.plan
        names = [(rights.CHECK, f"{len(rights.actions_of(self.needs))} actions")] if self.needs else []
        if plan.zones:
            image = plan.launch_spec.image_id or "none"
            names += [(launching.IMAGE, image), (launching.SUBSCRIPTION, image)]
            names += [(launching.TYPE, plan.launch_spec.instance_type)]
            names += [(check, zone.name) for check in (launching.LAUNCH, subnets.CHECK) for zone in plan.zones]
            names += [(routes.CHECK, "all subnets"), (quotas.CHECK, "all quotas")]
        return [skipped(*name, "not without an answer from AWS") for name in [*names, (reach.CHECK, "management")]]

    # What the region has

    def _questions(self, caller: Caller) -> dict[str, Question]:
        clients, plan = self.clients, self.plan
        questions: dict[str, Question] = {"instances": lambda: api.describe_instances(clients.ec2)}
        if {f"ec2:{each}" for each in dry_runs.OF_A_SECURITY_GROUP} & set(rights.actions_of(self.needs)):
            questions["groups"] = lambda: api.describe_security_groups_of(clients.ec2, plan.group)
        if self.needs and caller.kind is Kind.ROLE:
            questions["role"] = lambda: api.get_role_arn(clients.iam, caller.name)
        if not plan.zones:
            return questions
        image = plan.launch_spec.image_id
        questions |= {
            "types": lambda: ec2_api.describe_instance_type(clients.ec2, plan.launch_spec.instance_type),
            "images": lambda: ec2_api.describe_image(clients.ec2, image) if image else [],
            "subnets": lambda: ec2_api.describe_subnets(clients.ec2, plan.subnet_ids),
            "interfaces": lambda: ec2_api.describe_network_interfaces(clients.ec2),
        }
        limits = [quotas.INTERFACES, quotas.VCPUS]
        if plan.elastic_ips or plan.given_addresses:
            questions["addresses"] = lambda: ec2_api.describe_addresses(clients.ec2)
        if plan.elastic_ips:
            limits.append(quotas.ELASTIC_IPS)
            questions["attributes"] = lambda: ec2_api.describe_elastic_ip_quota(clients.ec2)
        if plan.load_balancers:
            limits.append(quotas.LOAD_BALANCERS)
            questions["balancers"] = lambda: api.describe_load_balancers(clients.balancers)
        for quota in limits:
            questions[quota.code] = functools.partial(api.get_quota, clients.quotas, quota.service, quota.code)
        return questions

    # What EC2 and IAM would say

    def _attempts(self, caller: Caller, known: Answers) -> dict[str, Question]:
        questions = {**self._simulations(caller, known), **self._connections(known)}
        vpcs = attempt(lambda: verdicts.vpcs(known)) if self.plan.zones else []
        if vpcs and not isinstance(vpcs, Failure):
            questions["tables"] = lambda: api.describe_route_tables(self.clients.ec2, vpcs)
            questions["endpoints"] = lambda: api.describe_vpc_endpoints(self.clients.ec2, vpcs)
            questions |= self._about_back_ends(known, vpcs)
        for zone in self.plan.zones:
            launch = self._launch(zone, known)
            if launch is not None:
                questions[f"launch {zone.name}"] = functools.partial(api.try_out, self.clients.ec2, launch)
        return questions

    def _about_back_ends(self, known: Answers, vpcs: list[str]) -> dict[str, Question]:
        """The subnets in which back ends can be, and the security groups that must let the nodes in."""
        found = attempt(lambda: verdicts.with_followed(self.plan, known))
        if isinstance(found, Failure) or not found.back_ends:
            return {}
        groups = attempt(lambda: verdicts.groups_of_back_ends(found, known))
        ids = [] if isinstance(groups, Failure) else groups
        return {
            "vpc_subnets": lambda: api.describe_subnets_of(self.clients.ec2, vpcs),
            "own_groups": lambda: api.describe_security_groups_of(self.clients.ec2, found.group),
            "back_end_groups": lambda: ec2_api.describe_security_groups(self.clients.ec2, ids) if ids else [],
        }

    def _simulations(self, caller: Caller, known: Answers) -> dict[str, Question]:
        role = known.by_name.get("role")
        principal = caller.principal(role if isinstance(role, str) else None)
        if principal is None:
            return {}
        needs = [rights.concrete(need, caller, self.region, self.plan.group) for need in self.needs]
        return {
            f"simulation {number}": functools.partial(api.simulate, self.clients.iam, principal, need)
            for number, need in enumerate(needs)
        }

    def _launch(self, zone: Zone, known: Answers) -> dry_runs.DryRun | None:
        """RunInstances as vpx_instance would send it; None if nothing is to be launched, or nobody could say what."""

        def parameters() -> dict[str, Any] | None:
            count, images = verdicts.missing(self.plan, zone, known), known.of("images")
            if not count or not images:
                return None
            return request(self.plan.desired(zone, count), self.plan.launch_spec, Prerequisites(images=images), count)

        requested = attempt(parameters)
        if requested is None or isinstance(requested, Failure):
            return None
        return dry_runs.DryRun("ec2:RunInstances", "RunInstances", requested)

    def _connections(self, known: Answers) -> dict[str, Question]:
        nodes = attempt(lambda: verdicts.node_endpoints(self.plan, known))
        wait = min(TIMEOUTS, self.timeout)
        return {
            f"reach {name}": functools.partial(network.connect, *where, wait)
            for name in [*([] if isinstance(nodes, Failure) else nodes), *self.plan.reach]
            if (where := reach.endpoint(name)) is not None
        }

    # What IAM did not tell

    def _rights(self, caller: Caller, found: Answers) -> list[Row]:
        if caller.kind is Kind.ROOT:
            return rights.everything(self.needs)
        rows, untold, why = verdicts.simulated(self.needs, found)
        if not untold:
            return rows
        runs = {f"try {action}": run for action in untold if (run := self._dry_run(action, found)) is not None}
        outcomes = self._ask(
            {name: functools.partial(api.try_out, self.clients.ec2, run) for name, run in runs.items()}
        )
        return rows + verdicts.tried_out(untold, caller, why, Answers(outcomes))

    def _dry_run(self, action: str, found: Answers) -> dry_runs.DryRun | None:
        operation = action.rpartition(":")[2]
        model = self.clients.ec2.meta.service_model
        shape = model.operation_model(operation).input_shape if operation in model.operation_names else None
        launch = next((run for zone in self.plan.zones if (run := self._launch(zone, found)) is not None), None)
        vpcs = attempt(lambda: verdicts.vpcs(found)) if self.plan.zones else []
        groups = found.by_name.get("groups")
        known = dry_runs.ExistingResources(
            launch=launch.parameters if launch else None,
            vpc_id=vpcs[0] if vpcs and not isinstance(vpcs, Failure) else self.vpc_id,
            security_group_id=groups[0]["GroupId"] if groups and not isinstance(groups, Failure) else None,
        )
        return dry_runs.dry_run(action, shape.members if shape else (), shape.required_members if shape else (), known)

    def _sources(self, found: Answers) -> dict[str, str | None]:
        """Network of each management subnet → the address from which this machine would speak to it."""
        named = {zone.subnet_of("management") for zone in self.plan.zones}
        listed = attempt(lambda: [item["CidrBlock"] for item in found.of("subnets") if item["SubnetId"] in named])
        networks = [] if isinstance(listed, Failure) else listed
        return {each: network.source_towards(_an_address_of(each)) for each in networks}


def _an_address_of(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr, strict=False)[-2])


def _date(answer: object) -> str | None:
    """The Date of an answer of AWS, also of a refusal."""
    if isinstance(answer, AwsError):
        answer = getattr(answer.exception, "response", None)
    if not isinstance(answer, Mapping):
        return None
    headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    return str(headers["date"]) if "date" in headers else None
