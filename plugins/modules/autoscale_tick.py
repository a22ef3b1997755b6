#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_tick
version_added: 0.1.0
short_description: Run one tick of zones of an autoscale group
description:
  - Takes the lease, reads the group state, queries the load of every node in service in parallel, decides as
    M(cloudadc.aws.autoscale_evaluate) does, and writes the group state, in one process. It launches and removes
    nothing.
  - It queries only what the decision needs. While a phase is in effect, an event is open, or the interval already has a
    sample, no node is queried and no session is opened.
  - The group state lists the nodes of the zone. If the list is missing, if a node does not answer, and after an event
    that was closed without a list, one C(DescribeInstances) finds the running instances with the tags
    C(cloudadc:group), C(cloudadc:zone) and C(cloudadc:lifecycle) C(in_service), which M(cloudadc.aws.vpx_instance)
    sets.
  - Calls of an idle tick are one login, one C(stat/ns) and one logout per node; to AWS three with the DynamoDB store
    (one of them keeps the sample), none with a store of files.
  - RV(ignore:changed) is true when phase, event or history change; keeping samples alone is not a change.
options:
  zone:
    description:
      - Availability zone. Each zone of a group has its own state and decisions.
      - Either O(zone) or O(zones) must be given.
    type: str
    required: false
  zones:
    description:
      - Many zones in one call. Group states are read and written in parallel, one C(DescribeInstances) finds the nodes
        of
        all zones, and all nodes are queried at once.
      - A zone that fails is an entry of RV(zones) with C(failed) and C(msg); the other zones are not affected, and the
        task does not fail.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      zone:
        description: Name of the zone.
        type: str
        required: true
      nodes:
        description: As O(nodes), for this zone.
        type: list
        elements: str
      node_count:
        description: As O(node_count), for this zone.
        type: raw
      sample:
        description: As O(sample), for this zone.
        type: dict
      clip:
        description: Address of the zone's cluster, at which the back ends of its applications are read.
        type: str
  followed:
    description:
      - Applications whose back ends are the instances of an EC2 Auto Scaling group. The tick compares them with those
        of the nodes, and returns the differences in RV(ignore:backends_differ). It changes nothing.
      - Calls. One C(DescribeAutoScalingGroups) and one C(DescribeInstances) for all zones, and one more session per
        node.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      application:
        description: Name of the application, as O(cloudadc.aws.vpx_application#module:name).
        type: str
        required: true
      autoscaling_group:
        description: Name of the Auto Scaling group.
        type: str
        required: true
      port:
        description: Port of its instances.
        type: int
        required: true
  cleaned_up:
    description: Ids of failed events whose orphans are cleaned up. They are removed from RV(unfinished). Without
      O(sample) the call only reports.
    type: list
    elements: str
    version_added: 0.2.0
  nodes:
    description:
      - Management addresses (NSIP) of the zone's nodes in service, with C(:port) if it is not the default of the
        protocol.
      - By default the nodes in the group state. If given, EC2 is not queried and the list in the group state is not
        changed.
    type: list
    elements: str
  node_count:
    description: Nodes of the zone that are in service. Defaults to as many as there are nodes.
    type: raw
  nitro_port:
    description: Port of NITRO on the nodes that are found by their tags, if it is not the default of the protocol.
    type: int
  sample:
    description:
      - The zone's figures by name of metric, null where there is none. If given, no node is queried.
      - A percentage beyond 0 to 100 and NITRO's 4294967295 count as missing.
    type: dict
  now:
    description:
      - The instant to decide for, ISO 8601. Defaults to the current time. More than one interval before the latest tick
        is refused.
    type: str
  event:
    description:
      - A report about a scaling event, as in O(cloudadc.aws.autoscale_evaluate#module:event). Without O(sample) the
        call only reports.
    type: dict
  request:
    description:
      - Manual scaling. Opens an event in the same group state, independent of the figures. No node is queried; their
        number is read from EC2, unless O(nodes) or O(node_count) is given.
      - Fails, and changes nothing, while another event is open, and beyond O(policy.min_nodes) or O(policy.max_nodes).
        It is allowed during a cooldown and the back-off after a failure.
      - A repeated request of the same O(owner) while its event is open, or with the same O(request.id) at any time,
        refers to the same event. A closed event is not started again; the decision is then V(none) with the outcome of
        the event.
      - It waits up to 10 s for the lease.
    type: dict
    suboptions:
      action:
        description: The requested action.
        type: str
        choices: [scale_out, scale_in]
        required: true
      count:
        description: Nodes to add or remove. The policy's step does not limit it.
        type: raw
        default: 1
      id:
        description: A unique name of this request, so that a repeated job does not scale again; or the id of its event.
        type: str
  swept:
    description:
      - Instance ids from RV(missing) whose orphans are cleaned up in the cluster, the distributor and elsewhere. They
        are removed from the group state. Without O(sample) the call only reports.
    type: list
    elements: str
  withdraw_after:
    description:
      - After how many ticks in a row in which a node does not answer while others do RV(silent) names it, so that the
        caller withdraws its DNS records; V(0) for never. At least one node that answers is never named.
    type: int
    default: 0
    version_added: 0.2.0
  domains:
    description: The domains of the applications, for RV(silent_record_sets).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  restored:
    description: Instance ids from RV(recovered) whose DNS records were written again. Without O(sample) the call only
      reports.
    type: list
    elements: str
    version_added: 0.2.0
  announce:
    description: Whether the caller executes the decision at once and reports it. Then a tick returns V(scale_in) again
      if the nodes of a decided scale-in may still be in the distributor.
    type: bool
    default: false
  owner:
    description: The executor of decisions. Use a unique name for each job, the same for all calls of that job. Defaults
      to this process.
    type: str
  lease_seconds:
    description:
      - How long the claim of an owner on an event lasts without a renewal. Afterwards another owner resumes the event,
        under the same id. Give more than the duration of the longest step, or report V(running) meanwhile.
      - The lease on the group state lasts only for the tick; after an interrupted tick it expires within a minute and
        four times O(nitro_timeout).
    type: float
    default: 300
  load_balancer:
    description:
      - Name of the Network Load Balancer in front of the group. Connections that it could not open because it had no
        port left (CloudWatch, C(PortAllocationErrorCount)) are reported as a warning, and are the metric C(port_errors)
        of O(policy).
      - It takes two calls for all zones, C(elasticloadbalancing:DescribeLoadBalancers) and C(cloudwatch:GetMetricData).
    type: str
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
  alerts:
    description:
      - Where decisions, the ends of scaling events, nodes that do not answer or refuse the login, and failed ticks are
        published, and nodes in the grace period of their licence. Nothing is published in check mode.
      - It happens after the decision is stored. If it fails or takes longer than 10 seconds, there is a warning,
        and the decision stands.
      - A condition that lasts (a silent node, a failed tick) is published once an hour.
    type: dict
    default: {}
    version_added: 0.2.0
    suboptions:
      sns_topic_arn:
        description: ARN of an SNS topic. It needs the right C(sns:Publish).
        type: str
      event_bus:
        description: Name or ARN of an EventBridge bus, V(default) for the account's own. It needs the right
          C(events:PutEvents).
        type: str
  publish:
    description:
      - Publish this tick to CloudWatch, as O(cloudadc.aws.autoscale_evaluate#module:publish) does. A tick without
        figures is not published.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether the nodes' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
notes:
  - A call without the lease is not a failure. The result then has RV(decision.evaluated) false and the reason.
  - In check mode the nodes are queried and the decision is predicted; nothing is written and no lease is taken.
  - A node that does not answer does not fail the task. The sample covers the others, and RV(nodes[].error) has the
    reason.
  - O(save_config) has no effect, because nothing is written to a node. It is accepted for use in
    C(module_defaults).
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
extends_documentation_fragment:
  - cloudadc.aws.autoscale
  - cloudadc.aws.nitro.session
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.autoscale_evaluate
  - module: cloudadc.aws.autoscale_info
  - module: cloudadc.aws.vpx_stat_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Run one tick of a zone whose nodes are found by their tags
  cloudadc.aws.autoscale_tick:
    group: shop
    zone: eu-central-1a
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
      type: dynamodb
      table: cloudadc-autoscale
    nitro_pass: "{{ vpx_password }}"
    region: eu-central-1
    owner: "job {{ job_id }}"
  register: tick

- name: Run one tick of all zones of a group
  cloudadc.aws.autoscale_tick:
    group: shop
    zones:
      - zone: eu-central-1a
      - zone: eu-central-1b
    policy:
      metrics:
        cpu: {min: 20, max: 80}
      watch_time: 3
      cooldown: 10
      drain_timeout: 10
      distributor: nlb
      min_nodes: 2
      max_nodes: 6
    store:
      type: dynamodb
      table: cloudadc-autoscale
    nitro_pass: "{{ vpx_password }}"
    region: eu-central-1
  register: tick

- name: Add two nodes manually
  cloudadc.aws.autoscale_tick:
    group: shop
    zone: eu-central-1a
    request:
      action: scale_out
      count: 2
      id: "change 4711"
    policy:
      metrics:
        cpu: {min: 20, max: 80}
      watch_time: 3
      cooldown: 10
      drain_timeout: 10
      distributor: nlb
      min_nodes: 2
      max_nodes: 6
    store:
      path: /var/lib/cloudadc
    region: eu-central-1
"""

RETURN = r"""
check_mode:
  description: Whether the task ran in check mode. A role may be included in check mode by itself, which the variable
    C(ansible_check_mode) does not say.
  returned: always
  type: bool
zones:
  description: The result of each zone, in the order of O(zones), with the keys documented here for one zone.
  returned: when O(zones) is given
  type: list
  elements: dict
  contains:
    zone:
      description: The zone.
      type: str
      returned: always
    failed:
      description: Whether the tick of this zone failed.
      type: bool
      returned: always
    msg:
      description: The error message.
      type: str
      returned: when the tick of this zone failed
due:
  description: Names of the zones that failed or have pending work, see RV(work).
  returned: when O(zones) is given
  type: list
  elements: str
  sample: [eu-central-1a]
failed_zones:
  description: Names of the zones that failed.
  returned: when O(zones) is given
  type: list
  elements: str
work:
  description:
    - Pending work of the zone. V(act), execute RV(decision). V(missing), clean up after the nodes in RV(missing).
      V(failed_events), clean up the events in RV(remains). V(backends), configure the back ends of followed
      Auto Scaling groups.
    - Empty for an idle tick.
  returned: for each zone
  type: list
  elements: str
  sample: [act]
settled:
  description: The cleanup that the decided event completes, for O(swept) and O(cleaned_up) of its report.
  returned: for each zone
  type: dict
  contains:
    missing:
      description: Instance ids from RV(missing).
      type: list
      elements: str
    failed_events:
      description: Ids of events from RV(unfinished).
      type: list
      elements: str
lost_addresses:
  description: Management addresses of the nodes in RV(missing), without a port.
  returned: for each zone
  type: list
  elements: str
  sample: [10.0.1.10]
summary:
  description: The decision and the next steps, as lines for an operator.
  returned: always
  type: list
  elements: str
  sample: ["shop, eu-central-1a: none; memory between its limits; phase watching."]
backends_differ:
  description: Applications in O(followed) whose back ends differ from the instances of their Auto Scaling group.
  returned: when O(followed) is given
  type: list
  elements: str
backends_error:
  description: The reason why the back ends of followed Auto Scaling groups are unknown; null if they are known.
  returned: when O(followed) is given
  type: str
zone:
  description: The zone.
  returned: for each zone
  type: str
decision:
  description: The decision of this tick.
  returned: for each zone
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
      description: Whether samples were evaluated. False in a phase, for a second sample of an interval, and without the
        lease.
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
  returned: for each zone
  type: str
phase_until:
  description: Last instant of the phase; null where a report ends it.
  returned: for each zone
  type: str
  sample: "2026-03-01T10:16:00Z"
window:
  description: The samples that count; on a deciding tick those of the decision.
  returned: for each zone
  type: list
  elements: dict
  sample: [{"at": "2026-03-01T10:04:00Z", "values": {"memory": 91.2}}]
event:
  description: The open event with its owner and its resources, or null.
  returned: for each zone
  type: dict
backoff:
  description: Failed events in a row, the end of the back-off, and the last failure's message.
  returned: for each zone
  type: dict
  sample: {"failures": 1, "until": "2026-03-01T10:09:00Z", "message": "InsufficientInstanceCapacity"}
unfinished:
  description: Failed events and their resources, until they are reported done.
  returned: for each zone
  type: list
  elements: dict
reported:
  description: Whether O(event) was stored; false without the lease, then report again.
  returned: when O(event) is given
  type: bool
licence_grace:
  description:
    - A message for each node in the grace period of its licence. Null where licences were not read; with O(alerts) or
      O(publish) they are, by the first tick of each quarter of an hour that queries the nodes.
  returned: for each zone
  type: list
  elements: str
published:
  description: Whether this tick was published to CloudWatch.
  returned: when O(publish) is true
  type: bool
nodes:
  description: One entry per queried node, as RV(cloudadc.aws.vpx_stat_info#module:nodes).
  returned: for each zone
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as given.
      type: str
    reachable:
      description: Whether it answered at all.
      type: bool
    error:
      description: The error of the query, or the missing figures with the reason; null without an error.
      type: str
aggregate:
  description: The evaluated figures, null where there were none. If the nodes were queried, it is
    RV(cloudadc.aws.vpx_stat_info#module:aggregate).
  returned: for each zone
  type: dict
in_service:
  description: The nodes in service in the group state, or null if they are unknown.
  returned: for each zone
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "instance_id": "i-0123456789abcdef0", "node_id": 0}]
silent:
  description: Instance ids of nodes whose DNS records are to be withdrawn, see O(withdraw_after).
  returned: for each zone
  type: list
  elements: str
silent_record_sets:
  description: The record sets of the nodes in RV(silent) for O(domains), for M(cloudadc.aws.route53_adc_record).
  returned: for each zone
  type: list
  elements: dict
recovered:
  description: Instance ids of withdrawn nodes that answer again, until they are named in O(restored).
  returned: for each zone
  type: list
  elements: str
missing:
  description: Nodes that were in service and have no instance any more, until they are named in O(swept).
  returned: for each zone
  type: list
  elements: dict
node_count:
  description: Number of nodes in service used for the decision; null if it was not needed.
  returned: for each zone
  type: int
remains:
  description:
    - The next cleanup of failed events, each with C(event_id), C(stage) (where it failed), C(action), V(scale_in)
      (deregister its nodes from the distributor) or V(deprovision) (remove them), and C(step) of role
      P(cloudadc.aws.scale_in#role).
    - Empty unless the zone watches again and has no other work. The executor reports the event C(done) after the
      removal.
  returned: for each zone
  type: list
  elements: dict
leased:
  description: Whether the lease was taken; true in check mode, which needs none.
  returned: for each zone
  type: bool
searched:
  description: Whether EC2 was queried for the nodes.
  returned: for each zone
  type: bool
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure
from ..module_utils.nitro.module import nitro_argument_spec
from ..module_utils.reconcile.kept_samples import SAMPLES_HOURS, valid_hours
from ..module_utils.reconcile.tick import TickSpec
from ..module_utils.reconcile.tick_call import TickCall, spec_from
from ..module_utils.reconcile.tick_metrics import metric_data, publish
from ..module_utils.reconcile.zone_ticks import ZoneResult, tick_zones
from ..module_utils.scaling.samples import all_figures, reporting_of
from ..module_utils.spec.alerts import ALERTS, Targets
from ..module_utils.spec.times import as_instant
from ..module_utils.stores.options import zone_argument_spec

#: What an entry of ``zones`` may say for its zone; it goes before the module's own option.
ENTRY: dict[str, Any] = {
    "zone": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "str"},
    "node_count": {"type": "raw"},
    "sample": {"type": "dict"},
    "clip": {"type": "str"},
}
FOLLOWED: dict[str, Any] = {
    "application": {"type": "str", "required": True},
    "autoscaling_group": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
}
ARGUMENT_SPEC: dict[str, Any] = {
    **nitro_argument_spec(nsip=False),
    **zone_argument_spec(),
    "zone": {"type": "str"},
    "zones": {"type": "list", "elements": "dict", "options": ENTRY},
    "nodes": {"type": "list", "elements": "str"},
    "node_count": {"type": "raw"},
    "nitro_port": {"type": "int"},
    "followed": {"type": "list", "elements": "dict", "default": [], "options": FOLLOWED},
    "sample": {"type": "dict"},
    "now": {"type": "str"},
    "event": {"type": "dict"},
    "request": {
        "type": "dict",
        "options": {
            "action": {"type": "str", "choices": ["scale_out", "scale_in"], "required": True},
            "count": {"type": "raw", "default": 1},
            "id": {"type": "str"},
        },
    },
    "swept": {"type": "list", "elements": "str"},
    "cleaned_up": {"type": "list", "elements": "str"},
    "restored": {"type": "list", "elements": "str"},
    "withdraw_after": {"type": "int", "default": 0},
    "domains": {"type": "list", "elements": "str", "default": []},
    "announce": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "lease_seconds": {"type": "float", "default": 300},
    "publish": {"type": "bool", "default": False},
    "samples_hours": SAMPLES_HOURS,
    "alerts": ALERTS,
    "load_balancer": {"type": "str"},
}
_ONE_ZONE_ONLY = ("event", "request", "swept", "cleaned_up", "restored")


def published(module: Any, spec: TickSpec, ticked: ZoneResult) -> bool:
    """Hand the tick's figures and its decision, as returned, to CloudWatch. Whatever comes of it, the tick is over."""
    if module.check_mode or ticked.ticked.sample is None:
        return False
    group, zone, at = module.params["group"], ticked.result["zone"], as_instant(spec.now)
    figures = all_figures(ticked.ticked.sample)
    decision = ticked.result["decision"]
    reporting = reporting_of(ticked.ticked.sample)
    grace, interval = ticked.result["licence_grace"], spec.policy.interval
    in_grace = None if grace is None else len(grace)
    count = ticked.ticked.count or 0
    data = metric_data(group, zone, at, figures, count, decision, interval, reporting, in_grace)
    return publish(module, data, f"{group} {zone}")


def finished(module: Any, spec: TickSpec, ticked: ZoneResult) -> dict[str, Any]:
    """Return the result of one zone, with its warnings given and its figures published."""
    for warning in ticked.warnings:
        module.warn(f"{module.params['group']} {ticked.result['zone']}: {warning}")
    if not module.params["publish"]:
        return ticked.result
    return {**ticked.result, "published": ticked.result["leased"] and published(module, spec, ticked)}


def of_many(module: Any, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tick many zones; a zone that failed is an entry with C(failed) and C(msg)."""
    group, call = module.params["group"], TickCall.from_module(module, entries)
    if not entries:
        raise Failure("zones is empty: name the zones of the group")
    if len(call.names) != len(entries):
        raise Failure("zones names a zone more than once")
    results = []
    for entry, outcome in zip(entries, tick_zones([partial(call.tick, entry) for entry in entries]), strict=True):
        if isinstance(outcome, Failure):
            reported = f"{group} {entry['zone']}: {outcome}"
            failed = {"zone": entry["zone"], "failed": True, "msg": reported, "work": [], "summary": [reported]}
            results.append(failed)
        else:
            results.append(finished(module, *outcome))
    return {
        "changed": any(each.get("changed") for each in results),
        "zones": results,
        "due": [each["zone"] for each in results if each["failed"] or each["work"]],
        "failed_zones": [each["zone"] for each in results if each["failed"]],
        "summary": [line for each in results for line in each["summary"]],
    }


def where(params: Mapping[str, Any]) -> str:
    """Return what a message is about: the group, and the zone if the task is about one."""
    return f"{params['group']} {params['zone']}" if params["zone"] else str(params["group"])


def work(module: Any) -> dict[str, Any]:
    """Tick the zone, or the zones, that the options name. Raises Failure."""
    params = module.params
    entries = params["zones"]
    valid_hours(params["samples_hours"])
    Targets.from_option(params["alerts"])
    if entries is not None:
        spec_from({**params, "nodes": None, "sample": None}, "")  # what is wrong for all zones is refused at once
        return {**of_many(module, entries), "check_mode": module.check_mode}
    one = {"zone": params["zone"]}
    result = finished(module, *TickCall.from_module(module, [one]).tick(one))
    return {**result, "check_mode": module.check_mode}


def main() -> None:
    run(
        ARGUMENT_SPEC,
        work,
        name=where,
        mutually_exclusive=[
            ("request", "event"),
            ("request", "sample"),
            ("request", "swept"),
            ("request", "cleaned_up"),
            ("request", "restored"),
            ("zones", "zone"),
            *(("zones", name) for name in _ONE_ZONE_ONLY),
        ],
        required_one_of=[("zone", "zones")],
        check_boto3=False,
    )


if __name__ == "__main__":
    main()
