# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of preflight checks, in the order in which the table shows them."""

from __future__ import annotations

from collections.abc import Iterable

from . import data_path, dry_runs, launching, licences, questions, quotas, reach, rights, routes, subnets, verdicts
from .checks import Check, Context
from .identity import Kind
from .plan import Plan
from .rows import Row
from .verdicts import Answers

Needs = tuple[rights.Need, ...]
Subjects = list[tuple[str, str]]


def _facts_of_rights(context: Context) -> Iterable[str]:
    if {f"ec2:{each}" for each in dry_runs.OF_A_SECURITY_GROUP} & set(rights.actions_of(context.needs)):
        yield "groups"
    if context.needs and context.caller.kind is Kind.ROLE:
        yield "role"


def _rows_of_rights(context: Context, found: Answers) -> list[Row]:
    if context.caller.kind is Kind.ROOT:
        return rights.everything(context.needs)
    rows, untold, why = verdicts.simulated(context.needs, found)
    return rows + verdicts.tried_out(untold, context.caller, why, found) if untold else rows


def _subjects_of_launches(plan: Plan, _needs: Needs) -> Subjects:
    image = plan.launch_spec.image_id or "none"
    return [
        (launching.IMAGE, image),
        (launching.SUBSCRIPTION, image),
        (launching.TYPE, plan.launch_spec.instance_type),
        *((launching.LAUNCH, zone.name) for zone in plan.zones),
    ]


def _facts_of_quotas(context: Context) -> Iterable[str]:
    plan = context.plan
    yield from ("instances", "types", "interfaces", quotas.INTERFACES.code, quotas.VCPUS.code)
    if plan.elastic_ips or plan.given_addresses:
        yield "addresses"
    if plan.elastic_ips:
        yield from ("attributes", quotas.ELASTIC_IPS.code)
    if plan.load_balancers:
        yield from ("balancers", quotas.LOAD_BALANCERS.code)


CHECKS: tuple[Check, ...] = (
    Check(
        name="rights",
        rows=_rows_of_rights,
        subjects=lambda _plan, needs: [(rights.CHECK, f"{len(rights.actions_of(needs))} actions")] if needs else [],
        facts=_facts_of_rights,
        attempts=questions.simulations,
        follow_up=questions.tries,
        building=False,
    ),
    Check(
        name="launch",
        rows=lambda context, found: verdicts.launches(context.plan, found),
        subjects=_subjects_of_launches,
        facts=lambda _context: ("instances", "types", "images"),
        attempts=questions.launches,
    ),
    Check(
        name="licence",
        rows=lambda context, found: verdicts.licences(context.plan, found),
        subjects=lambda plan, _needs: licences.subjects(plan),
        facts=lambda context: ("instances", "images") if licences.subjects(context.plan) else (),
    ),
    Check(
        name="network",
        rows=lambda context, found: verdicts.networks(context.plan, found),
        subjects=lambda plan, _needs: [
            *((subnets.CHECK, zone.name) for zone in plan.zones),
            (routes.CHECK, "all subnets"),
        ],
        facts=lambda _context: ("instances", "subnets"),
        attempts=questions.routing,
    ),
    Check(
        name="data_path",
        rows=lambda context, found: verdicts.data_path(context.plan, found),
        subjects=lambda plan, _needs: [
            *([(data_path.RETURN, "clients")] if plan.return_path else []),
            *([(data_path.BACK_END, "all"), (data_path.ADMITTED, "all")] if plan.back_ends or plan.followed else []),
        ],
        facts=lambda context: (
            ("instances", "interfaces", "subnets") if context.plan.back_ends or context.plan.followed else ()
        ),
        attempts=questions.back_ends,
    ),
    Check(
        name="quota",
        rows=lambda context, found: verdicts.limits(context.plan, found),
        subjects=lambda _plan, _needs: [(quotas.CHECK, "all quotas")],
        facts=_facts_of_quotas,
    ),
    Check(
        name="reach",
        rows=lambda context, found: verdicts.reached(context.plan, found, questions.sources(context, found)),
        subjects=lambda _plan, _needs: [(reach.CHECK, "management")],
        facts=lambda context: ("instances", "subnets") if context.plan.zones else ("instances",),
        attempts=questions.connections,
        building=False,
    ),
)

#: Check by name.
REGISTRY: dict[str, Check] = {check.name: check for check in CHECKS}
