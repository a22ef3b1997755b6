#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_evaluate
version_added: 0.1.0
short_description: Decide whether a zone of an autoscale group scales out, scales in, or waits
description:
  - Takes one sample of a zone's metrics, keeps the zone's state (sample window, phase, open scaling event, history) in
    a store, and decides by thresholds.
  - It decides to scale out when any metric was above its maximum in every sample of the watch window, and to scale in
    when all metrics were below their minimum in every sample of it. Exactly at a limit is no breach. A missing sample,
    or a gap of more than one and a half intervals, restarts the window; two samples within half an interval of each
    other are one.
  - A missing figure is not low. A sample of fewer nodes than are in service can cause a scale-out, never a scale-in.
  - Nothing is evaluated while a scaling event is open, in the cooldown after a scale-out, and in the drain (with
    O(policy.distributor=dns) also the TTL) of a scale-in. A phase of length L that begins at t is in effect for
    every tick up to and including t + L, and ticks that come up to half an interval early or late change nothing.
  - A zone with fewer nodes than O(policy.min_nodes) is scaled out to it independent of its metrics, unless a phase is
    in effect. More nodes than O(policy.max_nodes) alone cause no scale-in.
  - One policy drives a zone. A tick whose O(policy.metrics), times or distributor differ from it is not evaluated,
    warns, and keeps the sample window; its policy takes over when the other policy has had no tick for two intervals.
    O(policy.min_nodes), O(policy.max_nodes) and O(policy.step) may change at any tick.
  - It changes only the stored state. The executor of a decision reports it with O(event).
  - RV(ignore:changed) is true when phase, event or history change; keeping samples alone is not a change.
options:
  sample:
    description:
      - The zone's figures by name of metric; null where there is none.
        RV(cloudadc.aws.vpx_stat_info#module:aggregate) can be used directly; other keys are ignored.
      - A percentage beyond 0 to 100 and NITRO's 4294967295 count as missing.
      - With C(nodes_reporting), and C(nodes_total) or O(node_count), a sample of fewer nodes is not low.
        C(figures_reporting) has the number of nodes for each metric.
      - Without it the tick has no sample, or, with O(event), only reports.
    type: dict
  node_count:
    description: Nodes of the zone that are in service.
    type: raw
    required: true
  now:
    description:
      - The instant to decide for, ISO 8601. Defaults to the current time. More than one interval before the latest
        instant of the stored state is refused.
      - Without it, a latest instant that lies in the future (written by a machine whose clock was ahead) is corrected,
        if the store's own time (DynamoDB's, the file system's) agrees with this machine's clock.
      - For O(event) without O(sample), where the current time is more than a day away from the latest instant of the
        stored state, it defaults to that instant; such a group runs on simulated time.
    type: str
  event:
    description:
      - A report about a scaling event. It can be repeated.
      - C(id) (required) is the RV(decision.event_id).
      - C(outcome) (required) is C(done), C(failed) or C(running).
      - C(takeover) is the RV(decision.takeover). A report with another number is refused
        and changes nothing, because another run has taken the event over. Without a number a report is accepted only
        while the event was never taken over.
      - C(done) ends a scale-out, or a scale-in whose nodes are deprovisioned. During the drain of a scale-in, C(done)
        reports that the nodes are deregistered from the distributor; the event stays open.
      - C(failed) ends the event with a back-off of two intervals, doubled with every failure in a row up to an hour
        (or the cooldown, if that is longer). Its resources stay listed in RV(unfinished) until that event is reported
        C(done).
      - C(running) renews the claim of O(owner) for another O(claim_seconds).
      - C(message) is the error, for the history.
      - C(resources) is a list of ids of the event's resources (instances, interfaces, addresses), so that the next run
        completes or removes them.
      - C(nodes) is a list of the nodes that the zone has in service now, each with C(nsip), C(instance_id) and
        C(node_id), for M(cloudadc.aws.autoscale_tick).
    type: dict
  owner:
    description: The executor of decisions. Use a unique name for each job, the same for all calls of that job. Defaults
      to this process.
    type: str
  lease_seconds:
    description: How long the lease on the stored state lasts if this process dies in the middle of the call.
    type: float
    default: 300
  claim_seconds:
    description:
      - How long the claim of an owner on an open event lasts without a renewal. Afterwards the next tick of another
        owner takes the event over, under the same id and with the next takeover number.
      - By default O(lease_seconds), and at most 300. Runs that take longer renew the claim, with C(running) in O(event)
        or with the option C(event) of the modules that wait.
    type: float
    version_added: 0.2.0
  samples_hours:
    description:
      - Hours for which the sample of this tick is kept in O(store), for M(cloudadc.aws.autoscale_report),
        M(cloudadc.aws.autoscale_replay) and M(cloudadc.aws.autoscale_info). V(0) keeps none; at most 168.
      - It is one more write after the decision is stored. If it fails or takes longer than 5 seconds, there is a
        warning, and the decision stands.
      - Samples are kept by the hour, one for each 10 seconds at most. A DynamoDB table removes old ones by its time to
        live, attribute C(expires).
    type: float
    default: 24
    version_added: 0.2.0
  publish:
    description:
      - Publish this tick to CloudWatch, namespace C(CloudADC/Autoscale), dimensions C(group) and C(zone); the zone's
        figures under the names of the metrics, C(nodes), C(nodes_reporting), and C(decision) (nodes to add, negative
        for nodes to remove, 0 for none).
      - One PutMetricData at most; none in check mode, without the lease, and for a call that only reports. A failure is
        a warning and does not change the decision. Needs boto3 and the permission cloudwatch:PutMetricData.
    type: bool
    default: false
notes:
  - A call without the lease is not a failure. The result then has RV(decision.evaluated) false and the reason.
  - In check mode the decision is predicted from the stored state; nothing is written and no lease is taken.
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
- name: Run one tick with the zone's figures
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

- name: Report that the event is done
  cloudadc.aws.autoscale_evaluate:
    group: shop
    zone: eu-central-1a
    node_count: 3
    event:
      id: "{{ tick.decision.event_id }}"
      takeover: "{{ tick.decision.takeover }}"
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

- name: Run one tick with a DynamoDB store, for nodes behind DNS
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
  description: The decision of this tick.
  returned: always
  type: dict
  contains:
    action:
      description: V(none), V(scale_out), V(scale_in) (deregister nodes from the distributor), or V(deprovision) (remove
        them).
      type: str
      sample: scale_out
    count:
      description: Nodes to add or remove; 0 with V(none).
      type: int
      sample: 1
    reason:
      description: A message with the figures.
      type: str
      sample: "memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6"
    evaluated:
      description: Whether samples were evaluated. False in a phase, for a second sample of an interval, for another
        policy than the one that drives the zone, and without the lease.
      type: bool
    event_id:
      description: The open event. Unique, valid as (part of) a ClientToken; null when none is open.
      type: str
      sample: adc-20260301T100600Z-1-fbe8f416f8b8
    resumed:
      description: Whether an earlier tick decided the action, and it is to be resumed.
      type: bool
    takeover:
      description: Number of takeovers of the open event; to be named in reports. Null when no event is open.
      type: int
      sample: 0
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
  description: The samples that count; on a deciding tick those of the decision.
  returned: always
  type: list
  elements: dict
  sample: [{"at": "2026-03-01T10:04:00Z", "values": {"memory": 91.2}}]
event:
  description: The open event with its owner and its resources, or null.
  returned: always
  type: dict
backoff:
  description: Failed events in a row, the end of the back-off, and the last failure's message.
  returned: always
  type: dict
  sample: {"failures": 1, "until": "2026-03-01T10:09:00Z", "message": "InsufficientInstanceCapacity"}
unfinished:
  description: Failed events and their resources, until they are reported done.
  returned: always
  type: list
  elements: dict
reported:
  description: Whether the report was stored; false without the lease, then report again.
  returned: when O(event) is given
  type: bool
published:
  description: Whether this tick was published to CloudWatch.
  returned: when O(publish) is true
  type: bool
"""

import time
from datetime import UTC, datetime
from typing import Any

from ..module_utils.aws.module import run
from ..module_utils.reconcile.kept_samples import SAMPLES_HOURS, keep_sample, valid_hours
from ..module_utils.reconcile.session import Plan, carry_out, loaded, patiently, predict
from ..module_utils.reconcile.tick_metrics import metric_data, publish
from ..module_utils.scaling.clock import clock_warnings, reported_at
from ..module_utils.scaling.decision import Decision, refused
from ..module_utils.scaling.engine import CLAIM_SECONDS
from ..module_utils.scaling.evaluator import Report, evaluate, report
from ..module_utils.scaling.group_state import Record
from ..module_utils.scaling.samples import all_figures, figures, node_count, reporting_of
from ..module_utils.scaling.view import difference, state, was_changed
from ..module_utils.spec.errors import AutoscaleError
from ..module_utils.spec.policy import LONGEST_TIME, Policy
from ..module_utils.spec.times import as_instant
from ..module_utils.stores.base import LeaseLost, LeaseRefused
from ..module_utils.stores.options import default_owner, open_store, zone_argument_spec

#: How long, in seconds, a report waits for the lease. It must not get lost; leases are held for milliseconds.
REPORT_TIMEOUT = 10.0

ARGUMENT_SPEC: dict[str, Any] = {
    **zone_argument_spec(),
    "sample": {"type": "dict"},
    "node_count": {"type": "raw", "required": True},
    "now": {"type": "str"},
    "event": {"type": "dict"},
    "owner": {"type": "str"},
    "lease_seconds": {"type": "float", "default": 300},
    "claim_seconds": {"type": "float"},
    "publish": {"type": "bool", "default": False},
    "samples_hours": SAMPLES_HOURS,
}


def plan_of(params: dict[str, Any], owner: str) -> Plan[Decision]:
    """Return what these options do to a record: a report, a tick, or one after the other."""
    policy = Policy.from_dict(params["policy"])
    message = None if params["event"] is None else Report.from_dict(params["event"])
    now = params["now"] or datetime.now(UTC)
    if not 0 < params["lease_seconds"] <= LONGEST_TIME["seconds"]:
        raise AutoscaleError(f"lease_seconds must be more than 0 and at most a year, not {params['lease_seconds']:g}")
    claim_seconds = params["claim_seconds"]
    if claim_seconds is None:
        claim_seconds = min(params["lease_seconds"], CLAIM_SECONDS)
    if not 0 < claim_seconds <= CLAIM_SECONDS:
        raise AutoscaleError(f"claim_seconds must be more than 0 and at most {CLAIM_SECONDS:g}, not {claim_seconds:g}")
    # Input that is wrong by itself is refused before the lease is taken.
    as_instant(now)
    figures(policy, params["sample"])
    node_count(params["node_count"])

    def plan(record: Record) -> tuple[Record, Decision]:
        if message:
            at = params["now"] or reported_at(record, time.time())
            record, decision = report(policy, record, message, at, owner=owner, claim_seconds=claim_seconds)
            if params["sample"] is None:
                return record, decision
        count = params["node_count"]
        return evaluate(policy, record, params["sample"], count, now, owner=owner, claim_seconds=claim_seconds)

    return plan


def published(module: Any, shown: dict[str, Any]) -> bool:
    """Publish the tick's figures and its decision to CloudWatch, and return whether they are there."""
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
        reporting_of(params["sample"]),
    )
    return publish(module, data, f"{params['group']} {params['zone']}")


def work(module: Any) -> dict[str, Any]:
    params = module.params
    owner, hours = params["owner"] or default_owner(), valid_hours(params["samples_hours"])
    plan = plan_of(params, owner)
    store = open_store(module, params["group"], params["zone"], may_create=True)
    reports = params["event"] is not None
    own_time = bool(params["now"]) or (reports and params["sample"] is None)
    try:
        if module.check_mode:
            before, after, decision = predict(store, plan, own_time=own_time)
        else:
            timeouts = REPORT_TIMEOUT if reports else 0.0
            before, after, decision = patiently(
                lambda: carry_out(store, plan, owner, params["lease_seconds"], own_time=own_time), timeouts
            )
    except (LeaseRefused, LeaseLost) as error:
        before = after = loaded(store.read(), store)
        decision, reported = refused(after, f"not evaluated: {error}"), False
    else:
        reported = True
    kept = tuple[str, ...]()
    if reported and not module.check_mode:
        at, count = as_instant(params["now"] or datetime.now(UTC)), node_count(params["node_count"])
        kept = keep_sample(store, at, params["sample"], count, hours)
    for warning in (*decision.warnings, *clock_warnings(before, after), *kept):
        module.warn(f"{params['group']} {params['zone']}: {warning}")
    result = {**decision.to_json(), **state(after), "changed": was_changed(before, after)}
    if reports:
        result["reported"] = reported
    if params["publish"]:
        result["published"] = reported and published(module, result)
    if module._diff:
        result["diff"] = difference(before, after)
    return result


def main() -> None:
    run(ARGUMENT_SPEC, work, name=lambda params: f"{params['group']} {params['zone']}", check_boto3=False)


if __name__ == "__main__":
    main()
