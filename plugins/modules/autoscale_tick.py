#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_tick
version_added: 0.1.0
short_description: One tick of zones of an autoscale group, from the load of their nodes to the decision
description:
  - Takes the lease and the zone's record, asks every node in service for its load, all side by side, decides as
    M(cloudadc.aws.autoscale_evaluate) does, and stores the record, in one process. It launches and removes nothing.
  - Nothing is asked that the decision does not need. While a phase is in effect, an event is open, or the interval has
    been counted already, no node is asked and no session is opened.
  - The record learns which nodes the zone has. When it does not know them, when a node gives no answer, and after an
    event that was closed without naming them, one C(DescribeInstances) finds those that run and carry the tags
    C(cloudadc:group), C(cloudadc:zone) and C(cloudadc:lifecycle) C(in_service), as M(cloudadc.aws.vpx_instance) sets
    them.
  - Calls of an idle tick are one login, one C(stat/ns) and one logout a node; to AWS two with the DynamoDB store, none
    with a store of files.
  - RV(ignore:changed) is true when phase, event or history change; keeping samples alone is not a change.
options:
  zone:
    description:
      - Availability zone. Each zone of a group has a record, and takes decisions, of its own.
      - Either O(zone) or O(zones) must be given.
    type: str
    required: false
  zones:
    description:
      - Many zones in one call. Records are read and written side by side, one C(DescribeInstances) finds the nodes of
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
        description: Address of the zone's cluster, where the back ends of its applications are read.
        type: str
  followed:
    description:
      - Applications whose back ends are the instances of an EC2 Auto Scaling group. The tick compares them with what
        the nodes have, and returns the differences in RV(ignore:backends_differ). It changes nothing.
      - Calls. One C(DescribeAutoScalingGroups) and one C(DescribeInstances) for all zones, and one session more a node.
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
    description: Ids of failed events of which nothing is left. They are removed from RV(unfinished). Without O(sample)
      the call is only this report.
    type: list
    elements: str
    version_added: 0.2.0
  nodes:
    description:
      - Management addresses (NSIP) of the zone's nodes in service, with C(:port) where it is not the protocol's own.
      - Left out, those that the record knows. Given, EC2 is not asked and the record's nodes stay as they are.
    type: list
    elements: str
  node_count:
    description: Nodes of the zone that are in service. Defaults to as many as there are nodes.
    type: raw
  nitro_port:
    description: Port of NITRO on the nodes that are found by their tags, where it is not the protocol's own.
    type: int
  sample:
    description:
      - The zone's figures by name of metric, null where there is none. Given, no node is asked.
      - A percentage beyond 0 to 100 and NITRO's 4294967295 count as missing.
    type: dict
  now:
    description:
      - The instant to decide for, ISO 8601. Defaults to the current time. More than one interval before the latest
        instant of the record is refused.
    type: str
  event:
    description:
      - How a scaling event goes, as O(cloudadc.aws.autoscale_evaluate#module:event) takes it. Without O(sample) the
        call is only a report.
    type: dict
  request:
    description:
      - Scale by hand. Opens an event in the same record, whatever the figures say. No node is asked; how many there are
        is looked up in EC2, unless O(nodes) or O(node_count) say it.
      - Fails, and changes nothing, while another event is open, and when O(policy.min_nodes) or O(policy.max_nodes) are
        in the way. A cooldown, and the back-off after a failure, are passed over.
      - Asked again by the same O(owner) while its event is open, or under the same O(request.id) at any time, it is the
        same event. One that is closed is not begun again; the decision is then V(none) and says how it went.
      - It waits up to 10 s for the lease.
    type: dict
    suboptions:
      action:
        description: What is asked for.
        type: str
        choices: [scale_out, scale_in]
        required: true
      count:
        description: Nodes to add or remove. The policy's step does not limit it.
        type: raw
        default: 1
      id:
        description: A name for this request, so that a job that is started again does not scale again; or the id of the
          event that it led to.
        type: str
  swept:
    description:
      - Instance ids out of RV(missing) of which nothing is left, neither in the cluster nor in the distributor nor
        elsewhere. They are forgotten. Without O(sample) the call is only this report.
    type: list
    elements: str
  announce:
    description: Whoever asks begins at once with what is decided, and reports it. Then the next tick notices when a
      shrinking was decided and its nodes may still be in the distributor, and says V(scale_in) again.
    type: bool
    default: false
  owner:
    description: Who asks, and carries a decision out. Give one name to all calls of one job, and each job its own.
      Defaults to this process.
    type: str
  lease_seconds:
    description:
      - How long the event belongs to an owner that gave no sign of life. After it others are told to go on with that
        event, under the same id. Give more than the longest step of an event takes, or report V(running) meanwhile.
      - The record itself is held for the length of the tick only, and by a tick that was killed for no longer than a
        minute and four times O(nitro_timeout).
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
  publish:
    description:
      - Publish this tick to CloudWatch, as O(cloudadc.aws.autoscale_evaluate#module:publish) does. Nothing is published
        of a tick that has no figures.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether the nodes' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
notes:
  - Not having the lease is no failure. The result then has RV(decision.evaluated) false and the reason.
  - In check mode the nodes are asked, the decision is foretold, nothing is written and no lease is taken.
  - A node that does not answer fails nothing. The figures are those of the others, and RV(nodes[].error) says why.
  - O(save_config) has no meaning here, as nothing is written to a node. It is accepted so that it can stand in
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
- name: One tick of a zone whose nodes are found by their tags
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

- name: One tick of all zones of a group
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

- name: Two more nodes, asked for by hand
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
zones:
  description: The result of each zone, in the order of O(zones), with the keys that are documented here for one zone.
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
      description: Why it failed.
      type: str
      returned: when the tick of this zone failed
due:
  description: Names of the zones that failed or have something to do, see RV(work).
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
    - What is to be done in the zone now. V(act), carry RV(decision) out. V(missing), clean up after the nodes in
      RV(missing). V(failed_events), clean up as RV(remains) says. V(backends), configure the back ends of followed
      Auto Scaling groups.
    - Empty for an idle tick.
  returned: for each zone
  type: list
  elements: str
  sample: [act]
settled:
  description: What is settled when the decided event is done, for O(swept) and O(cleaned_up) of its report.
  returned: for each zone
  type: dict
  contains:
    missing:
      description: Instance ids out of RV(missing).
      type: list
      elements: str
    failed_events:
      description: Ids of events out of RV(unfinished).
      type: list
      elements: str
lost_addresses:
  description: Management addresses of the nodes in RV(missing), without a port.
  returned: for each zone
  type: list
  elements: str
  sample: [10.0.1.10]
summary:
  description: What the tick decided and what follows from it, as lines for an operator.
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
  description: Why the back ends of followed Auto Scaling groups are unknown; null if they are known.
  returned: when O(followed) is given
  type: str
zone:
  description: The zone.
  returned: for each zone
  type: str
decision:
  description: What is to be done now.
  returned: for each zone
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
      description: Whether the action was decided by an earlier tick and is to be resumed.
      type: bool
    takeover:
      description: How often the open event has changed its owner; to be named in reports. Null when no event is open.
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
  description: The samples that count; on a deciding tick those that led to the decision.
  returned: for each zone
  type: list
  elements: dict
  sample: [{"at": "2026-03-01T10:04:00Z", "values": {"memory": 91.2}}]
event:
  description: The open event with its owner and what it has begun, or null.
  returned: for each zone
  type: dict
backoff:
  description: Failed events in a row, until when they keep the zone waiting, and the last failure's message.
  returned: for each zone
  type: dict
  sample: {"failures": 1, "until": "2026-03-01T10:09:00Z", "message": "InsufficientInstanceCapacity"}
unfinished:
  description: Failed events and what they had begun, until somebody reports them done.
  returned: for each zone
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
nodes:
  description: One entry a node that was asked, as RV(cloudadc.aws.vpx_stat_info#module:nodes).
  returned: for each zone
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was asked.
      type: str
    reachable:
      description: Whether it answered at all.
      type: bool
    error:
      description: Why it could not be asked, or which figures are missing and why. Null when all is well.
      type: str
aggregate:
  description: The figures that were weighed, null where there were none. Where the nodes were asked, it is
    RV(cloudadc.aws.vpx_stat_info#module:aggregate).
  returned: for each zone
  type: dict
in_service:
  description: The nodes in service that the record knows, or null where it does not.
  returned: for each zone
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "instance_id": "i-0123456789abcdef0", "node_id": 0}]
missing:
  description: Nodes that were in service and are gone from EC2, until they are named in O(swept).
  returned: for each zone
  type: list
  elements: dict
node_count:
  description: Nodes in service that the decision was taken for; null where nobody needed to know.
  returned: for each zone
  type: int
remains:
  description:
    - What is to be done now about that which failed events left behind, each with C(event_id), C(stage) (where it
      failed), C(action), V(scale_in) (take its nodes out of the distributor) or V(deprovision) (remove them), and
      C(step), that of role P(cloudadc.aws.scale_in#role) which does it.
    - Empty unless the zone watches again and nothing else is to be done. Whoever has removed them reports that event
      C(done).
  returned: for each zone
  type: list
  elements: dict
leased:
  description: Whether the lease could be had; in check mode, where none is taken, true.
  returned: for each zone
  type: bool
searched:
  description: Whether EC2 was asked which nodes there are.
  returned: for each zone
  type: bool
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws.cloudwatch import metric_data, publish
from ..module_utils.core.errors import Failure
from ..module_utils.nitro.module import nitro_argument_spec
from ..module_utils.reconcile.tick import TickSpec
from ..module_utils.reconcile.tick_call import TickCall, spec_from
from ..module_utils.reconcile.zone_ticks import ZoneResult, tick_zones
from ..module_utils.scaling.samples import all_figures, reporting_of
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
    "announce": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "lease_seconds": {"type": "float", "default": 300},
    "publish": {"type": "bool", "default": False},
    "load_balancer": {"type": "str"},
}
_ONE_ZONE_ONLY = ("event", "request", "swept", "cleaned_up")


def published(module: Any, spec: TickSpec, ticked: ZoneResult) -> bool:
    """Hand the tick's figures and its decision, as returned, to CloudWatch. Whatever comes of it, the tick is over."""
    if module.check_mode or ticked.ticked.sample is None:
        return False
    group, zone, at = module.params["group"], ticked.result["zone"], as_instant(spec.now)
    figures = all_figures(ticked.ticked.sample)
    decision = ticked.result["decision"]
    reporting = reporting_of(ticked.ticked.sample)
    data = metric_data(group, zone, at, figures, ticked.ticked.count or 0, decision, spec.policy.interval, reporting)
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


def run(module: Any) -> dict[str, Any]:
    """Tick the zone, or the zones, that the options name. Raises Failure."""
    params = module.params
    entries = params["zones"]
    if entries is not None:
        spec_from({**params, "nodes": None, "sample": None}, "")  # what is wrong for all zones is refused at once
        return of_many(module, entries)
    one = {"zone": params["zone"]}
    return finished(module, *TickCall.from_module(module, [one]).tick(one))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[
            ("request", "event"),
            ("request", "sample"),
            ("request", "swept"),
            ("request", "cleaned_up"),
            ("zones", "zone"),
            *(("zones", name) for name in _ONE_ZONE_ONLY),
        ],
        required_one_of=[("zone", "zones")],
        supports_check_mode=True,
        check_boto3=False,
    )
    try:
        result = run(module)
    except Failure as error:
        where = f"{module.params['group']} {module.params['zone']}" if module.params["zone"] else module.params["group"]
        message = f"{where}: {error}"
    else:
        module.exit_json(**result)
    # Outside of the except block, so that no traceback is attached to the result.
    module.fail_json(msg=message)


if __name__ == "__main__":
    main()
