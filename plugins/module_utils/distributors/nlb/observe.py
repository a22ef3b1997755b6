# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what a group has of its load balancer, in check mode of the modules that would converge it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...aws import elbv2
from ...aws.client import Client
from ...core.parallel import gather
from ...spec.identity import belongs
from ..base import Observed, Question
from .balancer_work import Balancing
from .balancers import Attachment, DesiredBalancer
from .listener_work import ListenerWork
from .listeners import check_requests, describe, owner_of, request_of
from .options import balancer_zones, listeners


def reads(question: Question, found: Observed) -> list[Callable[[], None]]:
    """Return the reads of load balancer and listeners. A load balancer that is to be created needs zones."""
    if not question.present:
        return [lambda: _find_balancer(question, found), lambda: _read_listeners(question, found)]
    if not question.definition["zones"]:
        return []
    return [lambda: _read_balancer(question, found), lambda: _read_listeners(question, found)]


def _read_balancer(question: Question, found: Observed) -> None:
    definition = question.definition
    own = question.security_groups.get("nlb")
    desired = DesiredBalancer(
        name=definition["name"],
        group=definition["name"],
        scheme=definition["nlb_scheme"],
        places=tuple(Attachment.from_option(option) for option in balancer_zones(definition)),
        security_groups=frozenset([own]) if own else None,
        tags=definition["tags"],
    )
    answer = _work(question, desired).converge()
    found.balancer, found.balancer_changes = answer["balancer"], answer["actions"]


def _find_balancer(question: Question, found: Observed) -> None:
    """Find the load balancer of a group that is to be removed; one of this name that is not its own is left out."""
    name = question.definition["name"]
    desired = DesiredBalancer(name=name, group=name)
    balancer, _addresses = _work(question, desired).observation()
    if balancer and belongs(desired.owner, balancer.tags):
        found.balancer = balancer.result()


def _work(question: Question, desired: DesiredBalancer) -> Balancing:
    elb, ec2 = question.connect("elbv2"), question.connect("ec2")
    return Balancing(desired=desired, elb=elb, ec2=ec2, timeout=None, check=True)


def _read_listeners(question: Question, found: Observed) -> None:
    definition, name = question.definition, question.definition["name"]
    requests = tuple(request_of(name, option) for option in listeners(definition)) if question.present else ()
    check_requests(requests)
    applications = tuple(one["name"] for one in definition["applications"])
    client = question.connect("elbv2")
    work = ListenerWork(
        client=client,
        load_balancer=name,
        group=name,
        requests=requests,
        applications=applications,
        present=question.present,
        purge=False,
        tags={**definition["tags"], **owner_of(name).tags},
        others=applications if not question.existing else None,
        only_read=True,
    )
    observed, changes = work.observation()
    found.listener_changes = [change.message for change in changes]
    found.applications = [change.application for change in changes]
    found.target_groups = _with_health(client, observed.of_group(name))


def _with_health(client: Client, groups: Sequence[Any]) -> list[dict[str, Any]]:
    """Return target groups with the state of each target: one DescribeTargetHealth each, side by side."""
    healths = gather([functools.partial(elbv2.describe_target_health, client, one.arn) for one in groups])
    return [
        {
            "application": str(one.application),
            "target_group_arn": one.arn,
            "targets": [
                {
                    "id": health["Target"]["Id"],
                    "port": int(health["Target"]["Port"]),
                    "state": health["TargetHealth"]["State"],
                }
                for health in described
            ],
        }
        for one, described in zip(groups, healths, strict=True)
    ]


def target_groups(client: Client, load_balancer: str, group: str) -> Sequence[Mapping[str, Any]]:
    """Return the target groups of a group's load balancer, as nlb_adc_listener returns them, without any write."""
    work = ListenerWork(
        client=client,
        load_balancer=load_balancer,
        group=group,
        requests=(),
        applications=(),
        present=False,
        purge=False,
        tags={},
        only_read=True,
    )
    observed, _changes = work.observation()
    return describe(group, observed)
