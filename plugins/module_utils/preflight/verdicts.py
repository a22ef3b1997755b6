# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From all answers to rows. An answer that is missing makes a row of its own and hides no other. Pure.

Answers go by the names that ``inspection`` asked them under; one that did not come is a Failure.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import Failure
from ..core.parallel import attempt
from . import data_path as packets
from . import launching, quotas, reach, rights, routes, subnets
from . import licences as pools
from .identity import Caller
from .plan import BackEnd, Plan, Zone
from .rows import Row, skipped, unknown

Rows = list[Row]
#: The tag that EC2 Auto Scaling puts on its instances.
OF_AUTO_SCALING = "aws:autoscaling:groupName"


@dataclass(frozen=True, slots=True)
class Answers:
    """AWS's answers by name. ``of`` raises the Failure of a question that was not answered."""

    by_name: Mapping[str, Any]

    def of(self, name: str) -> Any:
        answer = self.by_name[name]
        if isinstance(answer, Failure):
            raise answer
        return answer

    def that_begin(self, prefix: str) -> dict[str, Any]:
        """Return the answers, or their Failures, by the part of their name after the prefix."""
        return {name.removeprefix(prefix): message for name, message in self.by_name.items() if name.startswith(prefix)}


def sure(check: str, subject: str, decide: Callable[[], Rows]) -> Rows:
    """Return the rows, or one that says why they are unknown."""
    rows = attempt(decide)
    return [unknown(check, subject, rows)] if isinstance(rows, Failure) else rows


# ------------------------------------------------------------------ what the questions of a later round depend on


def missing(plan: Plan, zone: Zone, answers: Answers) -> int:
    """How many instances are to be launched in a zone: its own are those in its management subnet."""
    own = quotas.nodes(answers.of("instances"), plan.group)
    there = sum(1 for item in own if item.get("SubnetId") == zone.subnet_of("management"))
    return max(0, zone.instances - there)


def vpcs(answers: Answers) -> list[str]:
    return sorted({str(item["VpcId"]) for item in answers.of("subnets")})


def node_endpoints(plan: Plan, answers: Answers) -> list[str]:
    """``address:port`` of NITRO of the nodes that run already."""
    own = quotas.nodes(answers.of("instances"), plan.group)
    running = [item for item in own if item["State"]["Name"] == "running" and item.get("PrivateIpAddress")]
    return [f"{item['PrivateIpAddress']}:{plan.nitro_port}" for item in running]


def with_followed(plan: Plan, answers: Answers) -> Plan:
    """Return the plan with the instances of followed Auto Scaling groups as back ends, found by EC2's tag."""
    found = []
    for each in plan.followed:
        for item in answers.of("instances"):
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags") or ()}
            if tags.get(OF_AUTO_SCALING) == each.group and item.get("PrivateIpAddress"):
                found.append(BackEnd(each.application, item["PrivateIpAddress"], each.port, each.transport))
    return replace(plan, back_ends=(*plan.back_ends, *found))


def groups_of_back_ends(plan: Plan, answers: Answers) -> list[str]:
    """Return the security groups of the interfaces that have the addresses of back ends."""
    addresses = {each.address for each in plan.back_ends}
    return sorted(
        {
            str(group["GroupId"])
            for item in answers.of("interfaces")
            if addresses & {one.get("PrivateIpAddress") for one in item.get("PrivateIpAddresses") or ()}
            for group in item.get("Groups") or ()
        }
    )


# ------------------------------------------------------------------ the rows


def simulated(needs: Sequence[rights.Need], answers: Answers) -> tuple[Rows, list[str], Failure | None]:
    """Rows of what the policy simulator answered; the actions it did not tell, and why not."""
    rows: Rows = []
    untold: list[str] = []
    why = None
    for number, need in enumerate(needs):
        message = answers.by_name.get(f"simulation {number}")
        if message is None or isinstance(message, Failure):
            untold += need.actions
            why = why or message
        else:
            rows += sure(rights.CHECK, ", ".join(need.actions), functools.partial(rights.judge, need, message))
    return rights.strictest(rows), list(dict.fromkeys(untold)), why


def tried_out(actions: Iterable[str], caller: Caller, why: Failure | None, answers: Answers) -> Rows:
    """Rows of actions that the simulator did not tell, by dry runs as far as there are any."""
    outcomes = answers.that_begin("try ")
    otherwise = rights.not_simulated(caller, why)
    return [
        rights.of_dry_run(action, outcomes[action]) if action in outcomes else unknown(rights.CHECK, action, otherwise)
        for action in actions
    ]


def launches(plan: Plan, answers: Answers) -> Rows:
    launch_spec, outcomes = plan.launch_spec, answers.that_begin("launch ")
    rows = [
        *sure(launching.IMAGE, str(launch_spec.image_id), lambda: [launching.image(plan, answers.of("images"))]),
        *sure(
            launching.TYPE,
            launch_spec.instance_type,
            lambda: [launching.instance_type(plan, answers.of("types"), answers.of("images"))],
        ),
    ]
    if outcomes:
        rows.insert(1, launching.subscription(plan, answers.of("images"), outcomes))
    for zone in plan.zones:
        rows += sure(launching.LAUNCH, zone.name, lambda zone=zone: [_launch(plan, zone, answers, outcomes)])  # type: ignore[misc]
    return rows


def _launch(plan: Plan, zone: Zone, answers: Answers, outcomes: Mapping[str, object]) -> Row:
    count = missing(plan, zone, answers)
    if not count:
        return launching.nothing_to_launch(zone.name)
    if zone.name not in outcomes:
        return skipped(launching.LAUNCH, zone.name, "not without the image")
    return launching.launch(zone.name, count, outcomes[zone.name])


def licences(plan: Plan, answers: Answers) -> Rows:
    """Return the rows of the build and of the pool, where the appliances get a licence."""

    def of_pool() -> Rows:
        return [pools.pool(plan, sum(missing(plan, zone, answers) for zone in plan.zones))]

    decide = {pools.BUILD: lambda: [pools.build(plan, answers.of("images"))], pools.POOL: of_pool}
    return [row for check, subject in pools.subjects(plan) for row in sure(check, subject, decide[check])]


def networks(plan: Plan, answers: Answers) -> Rows:
    """Subnets, a row a zone, and their routes, a row a subnet."""
    rows: Rows = []
    for zone in plan.zones:
        rows += sure(subnets.CHECK, zone.name, lambda zone=zone: [_subnets(plan, zone, answers)])  # type: ignore[misc]
    roles: dict[str, str] = {}
    for request in (request for zone in plan.zones for request in zone.interfaces):
        roles.setdefault(request.subnet_id, request.role)
    return rows + sure(routes.CHECK, "all subnets", lambda: _routes(plan, roles, answers))


def _subnets(plan: Plan, zone: Zone, answers: Answers) -> Row:
    mine = {request.subnet_id for request in zone.interfaces}
    found = [item for item in answers.of("subnets") if item["SubnetId"] in mine]
    return subnets.judge(plan, zone, missing(plan, zone, answers), found)


def _routes(plan: Plan, roles: Mapping[str, str], answers: Answers) -> Rows:
    found = {item["SubnetId"]: item for item in answers.of("subnets")}
    if not found:
        return [skipped(routes.CHECK, "all subnets", "not without the subnets")]
    tables = answers.of("tables")
    endpoints = answers.by_name["endpoints"]
    served = set() if isinstance(endpoints, Failure) else routes.vpcs_with_endpoint(endpoints)
    return [
        routes.judge(plan, role, found[subnet_id], tables, found[subnet_id]["VpcId"] in served)
        for subnet_id, role in roles.items()
        if subnet_id in found
    ]


def data_path(plan: Plan, answers: Answers) -> Rows:
    """How replies find back to clients, and the way to each back end and its security groups."""

    def of_back_ends() -> Rows:
        complete = with_followed(plan, answers)
        if not complete.back_ends:
            return []
        own = answers.of("own_groups")
        around = packets.Surroundings(
            subnets=answers.of("vpc_subnets"),
            tables=answers.of("tables"),
            interfaces=answers.of("interfaces"),
            groups=answers.of("back_end_groups"),
            server_groups=frozenset(item["GroupId"] for item in own if item["GroupName"] == f"{plan.group}-server"),
        )
        return packets.back_ends(complete, around)

    rows = packets.return_path(plan)
    if not (plan.back_ends or plan.followed):
        return rows
    if isinstance(answers.by_name.get("subnets"), Failure) or not answers.of("subnets"):
        return [*rows, skipped(packets.BACK_END, "all", "not without the subnets")]
    return rows + sure(packets.BACK_END, "all", of_back_ends)


def limits(plan: Plan, answers: Answers) -> Rows:
    """Return one row per quota that the plan uses."""
    judged: dict[quotas.Quota, Callable[[], quotas.Usage]] = {}
    if plan.elastic_ips:
        judged[quotas.ELASTIC_IPS] = lambda: quotas.of_elastic_ips(
            answers.of("addresses"), plan.group, plan.elastic_ips
        )
    judged[quotas.INTERFACES] = lambda: quotas.of_interfaces(answers.of("interfaces"), plan.group, plan.interfaces)
    if plan.load_balancers:
        judged[quotas.LOAD_BALANCERS] = lambda: quotas.of_load_balancers(
            answers.of("balancers"), plan.group, plan.load_balancers
        )
    rows: Rows = []
    if plan.given_addresses:
        rows += sure(quotas.GIVEN, "all", lambda: quotas.given(plan.given_addresses, answers.of("addresses")))
    for quota, usage in judged.items():
        rows += sure(
            quotas.CHECK,
            quota.what,
            lambda quota=quota, usage=usage: [quotas.judge(quota, usage(), _limit(quota, answers))],  # type: ignore[misc]
        )
    return rows + sure(quotas.CHECK, quotas.VCPUS.what, lambda: [_vcpus(plan, answers)])


def _limit(quota: quotas.Quota, answers: Answers) -> int | None:
    if quota is not quotas.ELASTIC_IPS:
        limit: int | None = answers.of(quota.code)
        return limit
    answer = quotas.limit_of(answers.by_name[quota.code], answers.by_name["attributes"])
    if isinstance(answer, Failure):
        raise answer
    return answer


def _vcpus(plan: Plan, answers: Answers) -> Row:
    name = plan.launch_spec.instance_type
    if not quotas.is_standard(name):
        return skipped(quotas.CHECK, f"vCPUs of {name}", "its family has a quota of its own, which is not looked at")
    types = answers.of("types")
    if not types:
        return skipped(quotas.CHECK, quotas.VCPUS.what, "not without the instance type")
    each = launching.vcpus(types)
    known = {name: each}
    usage = quotas.of_vcpus(answers.of("instances"), known, plan.group, plan.instances * each)
    return quotas.judge(quotas.VCPUS, usage, answers.of(quotas.VCPUS.code))


def reached(plan: Plan, answers: Answers, sources: Mapping[str, str | None]) -> Rows:
    """Return the rows of reachability. ``sources``: management subnet network → address this machine would use."""
    outcomes = {
        name: str(message) if isinstance(message, Failure) else None
        for name, message in answers.that_begin("reach ").items()
    }
    nodes = attempt(lambda: node_endpoints(plan, answers))
    known = [] if isinstance(nodes, Failure) else nodes
    rows = reach.tried(outcomes, [name for name in known if name in outcomes])
    rows += [reach.nonsense(text) for text in plan.reach if reach.endpoint(text) is None]
    if not known:
        rows += [
            reach.predicted(network, source, plan.management_cidrs, plan.nitro_port)
            for network, source in sources.items()
        ]
    return rows or [reach.no_network()]
