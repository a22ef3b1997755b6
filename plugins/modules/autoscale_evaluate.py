#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_evaluate
version_added: 0.1.0
short_description: Decide whether a zone of an autoscale group grows, shrinks, or waits
description:
  - Takes one sample of a zone's metrics, keeps the zone's record (sample window, phase, scaling event in progress,
    history) in a store, and decides by thresholds.
  - It asks to grow when any metric was above its maximum in every sample of the watch window, and to shrink when all
    metrics were below their minimum in every sample of it. Exactly at a limit is no breach. A missing sample, or a
    gap of more than one and a half intervals, begins the window again; two samples within half an interval of each
    other are one.
  - Nothing is evaluated while a scaling event is open, in the cooldown after a growth, and in the drain (with
    O(policy.distributor=dns) also the TTL) of a shrinking. A phase of length L that begins at t is in effect for
    every tick up to and including t + L, and ticks that come up to half an interval early or late change nothing.
  - A zone with fewer nodes than O(policy.min_nodes) is asked to grow to it whatever its metrics say, unless a phase
    is in effect. A zone with more than O(policy.max_nodes) is not shrunk for that alone.
  - It changes nothing but the record. Whoever carries a decision out reports it with O(event).
  - RV(ignore:changed) is true when phase, event or history change; keeping samples alone is not a change.
options:
  sample:
    description:
      - The zone's figures by name of metric; null where there is none.
        RV(cloudadc.aws.vpx_stat_info#module:aggregate) fits as it is, other keys are ignored.
      - A percentage beyond 0 to 100 and NITRO's 4294967295 count as missing.
      - Left out, the tick has no sample, or, with O(event), is only a report.
    type: dict
  node_count:
    description: Nodes of the zone that are in service.
    type: raw
    required: true
  now:
    description:
      - The instant to decide for, ISO 8601. Defaults to the current time. More than one interval before the latest
        instant of the record is refused.
      - For O(event) without O(sample), where the current time is more than a day away from the record's latest
        instant, it defaults to that instant; such a group is driven with instants of its own.
    type: str
  event:
    description:
      - How a scaling event goes. Reporting the same twice does no harm.
      - C(id) (required) is the event, as RV(decision.event_id) named it.
      - C(outcome) (required) is C(done), C(failed) or C(running).
      - C(done) ends a growth, or a shrinking whose nodes are deprovisioned. Of a shrinking that still drains it says
        that the nodes have left the distributor; the event goes on.
      - C(failed) ends the event with a back-off of two intervals, doubled with every failure in a row up to an hour
        (or the cooldown, if that is longer). What it began stays named in RV(unfinished) until that event is reported
        C(done).
      - C(running) says that O(owner) is alive and at it, for another O(lease_seconds).
      - C(message) says what went wrong, for the history.
      - C(resources) is a list of ids of what the event has begun (instances, interfaces, addresses), so that whoever
        comes next finishes or removes it.
      - C(nodes) is a list of the nodes that the zone has in service now, each with C(nsip), C(instance_id) and
        C(node_id), for M(cloudadc.aws.autoscale_tick).
    type: dict
  owner:
    description: Who asks, and carries a decision out. Give one name to all calls of one job, and each job its own.
      Defaults to this process.
    type: str
  lease_seconds:
    description:
      - How long an owner that gave no sign of life keeps the store's lease, and the event it was told to carry out.
        After it others are told to go on with that event, under the same id.
      - Give more than the longest step of an event takes, or report V(running) meanwhile.
    type: float
    default: 300
  publish:
    description:
      - Publish this tick to CloudWatch, namespace C(CloudADC/Autoscale), dimensions C(group) and C(zone); the zone's
        figures under the names of the metrics, C(nodes), and C(decision) (nodes to add, negative for nodes to take
        away, 0 for none).
      - One PutMetricData at most; none in check mode, without the lease, and for a mere report. If it fails there is a
        warning, and the decision stands. Needs boto3 and the permission cloudwatch:PutMetricData.
    type: bool
    default: false
notes:
  - Not having the lease is no failure. The result then has RV(decision.evaluated) false and the reason.
  - In check mode the decision is foretold from the stored record; nothing is written and no lease is taken.
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
extends_documentation_fragment:
  - cloudadc.aws.autoscale
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.autoscale_tick
  - module: cloudadc.aws.autoscale_info
  - module: cloudadc.aws.autoscale_replay
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: One tick with the zone's figures
  cloudadc.aws.autoscale_evaluate:
    group: shop
    zone: eu-central-1a
    node_count: 2
    sample:
      cpu: 91.2
      memory: 55
    policy:
      metrics:
        cpu: {min: 20, max: 80}
        memory: {min: 40, max: 85}
      watch_time: 3
      cooldown: 10
      drain_timeout: 10
      distributor: nlb
      min_nodes: 2
      max_nodes: 6
    store:
      path: /var/lib/cloudadc
  register: tick

- name: Tell that the event is done
  cloudadc.aws.autoscale_evaluate:
    group: shop
    zone: eu-central-1a
    node_count: 3
    event:
      id: "{{ tick.decision.event_id }}"
      outcome: done
    policy:
      metrics:
        cpu: {min: 20, max: 80}
        memory: {min: 40, max: 85}
      watch_time: 3
      cooldown: 10
      drain_timeout: 10
      distributor: nlb
      min_nodes: 2
      max_nodes: 6
    store:
      path: /var/lib/cloudadc
  when: tick.decision.action != 'none'

- name: The same record for jobs on many machines, nodes behind DNS
  cloudadc.aws.autoscale_evaluate:
    group: shop
    zone: eu-central-1b
    node_count: 4
    sample:
      throughput: 812.5
    policy:
      metrics:
        throughput: {min: 200, max: 800}
      watch_time: 5
      cooldown: 10
      drain_timeout: 15
      distributor: dns
      ttl: 60
      min_nodes: 2
      max_nodes: 8
      step: 2
    store:
      type: dynamodb
      table: cloudadc-autoscale
      create: true
    region: eu-central-1
"""

RETURN = r"""
decision:
  description: What is to be done now.
  returned: always
  type: dict
  contains:
    action:
      description: V(none), V(scale_out), V(scale_in) (take nodes out of the distributor), or V(deprovision) (remove
        them).
      type: str
      sample: scale_out
    count:
      description: Nodes to add or remove; 0 with V(none).
      type: int
      sample: 1
    reason:
      description: A sentence with the figures.
      type: str
      sample: "memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6"
    evaluated:
      description: Whether samples were weighed. False in a phase, for a second sample of an interval, and without the
        lease.
      type: bool
    event_id:
      description: The open event. Unique and fit to be (part of) a ClientToken; null when none is open.
      type: str
      sample: adc-20260301T100600Z-1-fbe8f416f8b8
    resumed:
      description: Whether the action was decided by an earlier tick and is to be gone on with.
      type: bool
phase:
  description: V(watching), V(scaling_out), V(cooldown), V(draining), V(ttl) or V(deprovisioning); on an acting tick
    the one that begins.
  returned: always
  type: str
phase_until:
  description: Last instant of the phase; null where a report ends it.
  returned: always
  type: str
  sample: "2026-03-01T10:16:00Z"
window:
  description: The samples that count; on a deciding tick those that led to the decision.
  returned: always
  type: list
  elements: dict
  sample: [{"at": "2026-03-01T10:04:00Z", "values": {"memory": 91.2}}]
event:
  description: The open event with its owner and what it has begun, or null.
  returned: always
  type: dict
backoff:
  description: Failed events in a row, until when they keep the zone waiting, and the last failure's message.
  returned: always
  type: dict
  sample: {"failures": 1, "until": "2026-03-01T10:09:00Z", "message": "InsufficientInstanceCapacity"}
unfinished:
  description: Failed events and what they had begun, until somebody reports them done.
  returned: always
  type: list
  elements: dict
reported:
  description: Whether O(event) was taken down; false when the lease could not be had in time, then report again.
  returned: when O(event) is given
  type: bool
published:
  description: Whether CloudWatch has this tick.
  returned: when O(publish) is true
  type: bool
"""

import time
from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws.cloudwatch import metric_data, publish
from ..module_utils.reconcile.session import Plan, carry_out, foretell, loaded, patiently
from ..module_utils.scaling.decision import Decision, refused
from ..module_utils.scaling.evaluator import Report, evaluate, report, reported_at
from ..module_utils.scaling.group_state import Record
from ..module_utils.scaling.samples import all_figures, figures, node_count
from ..module_utils.scaling.view import difference, state, was_changed
from ..module_utils.spec.errors import AutoscaleError
from ..module_utils.spec.policy import LONGEST_TIME, Policy
from ..module_utils.spec.times import as_instant
from ..module_utils.stores.base import LeaseLost, LeaseRefused, StoreError
from ..module_utils.stores.options import default_owner, open_store, zone_argument_spec

#: How long, in seconds, a report waits for the lease: it must not get lost, and leases are held for milliseconds.
REPORT_PATIENCE = 10.0

ARGUMENT_SPEC: dict[str, Any] = {
    **zone_argument_spec(),
    "sample": {"type": "dict"},
    "node_count": {"type": "raw", "required": True},
    "now": {"type": "str"},
    "event": {"type": "dict"},
    "owner": {"type": "str"},
    "lease_seconds": {"type": "float", "default": 300},
    "publish": {"type": "bool", "default": False},
}


def plan_of(params: dict[str, Any], owner: str) -> Plan[Decision]:
    """What these options do to a record: a report, a tick, or one after the other. Pure; policy and report are read."""
    policy = Policy.from_dict(params["policy"])
    said = None if params["event"] is None else Report.from_dict(params["event"])
    now, lease_seconds = params["now"] or datetime.now(UTC), params["lease_seconds"]
    if not 0 < lease_seconds <= LONGEST_TIME["seconds"]:
        raise AutoscaleError(f"lease_seconds must be more than 0 and at most a year, not {lease_seconds:g}")
    # What is refused whatever the record says is refused before the lease is asked for.
    as_instant(now)
    figures(policy, params["sample"])
    node_count(params["node_count"])

    def plan(record: Record) -> tuple[Record, Decision]:
        if said:
            at = params["now"] or reported_at(record, time.time())
            record, decision = report(policy, record, said, at, owner=owner, claim_seconds=lease_seconds)
            if params["sample"] is None:
                return record, decision
        count = params["node_count"]
        return evaluate(policy, record, params["sample"], count, now, owner=owner, claim_seconds=lease_seconds)

    return plan


def published(module: Any, shown: dict[str, Any]) -> bool:
    """Hand the tick's figures and its decision, as shown, to CloudWatch. Whatever comes of it, the tick is over."""
    params = module.params
    if module.check_mode or params["sample"] is None:
        return False
    data = metric_data(
        params["group"],
        params["zone"],
        as_instant(params["now"] or datetime.now(UTC)),
        all_figures(params["sample"]),
        node_count(params["node_count"]),
        shown["decision"],
        Policy.from_dict(params["policy"]).interval,
    )
    return publish(module, data, f"{params['group']} {params['zone']}")


def run(module: Any) -> dict[str, Any]:
    params = module.params
    owner = params["owner"] or default_owner()
    plan = plan_of(params, owner)
    store = open_store(module, params["group"], params["zone"], may_create=True)
    reports = params["event"] is not None
    try:
        if module.check_mode:
            before, after, decision = foretell(store, plan)
        else:
            patience = REPORT_PATIENCE if reports else 0.0
            before, after, decision = patiently(
                lambda: carry_out(store, plan, owner, params["lease_seconds"]), patience
            )
    except (LeaseRefused, LeaseLost) as error:
        before = after = loaded(store.read(), store)
        decision, reported = refused(after, f"not evaluated: {error}"), False
    else:
        reported = True
    result = {**decision.to_json(), **state(after), "changed": was_changed(before, after)}
    if reports:
        result["reported"] = reported
    if params["publish"]:
        result["published"] = reported and published(module, result)
    if module._diff:
        result["diff"] = difference(before, after)
    return result


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, check_boto3=False)
    try:
        result = run(module)
    except (AutoscaleError, StoreError) as error:
        module.fail_json(msg=f"{module.params['group']} {module.params['zone']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
