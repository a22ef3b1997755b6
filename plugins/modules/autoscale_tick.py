#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_tick
version_added: 0.1.0
short_description: One tick of a zone of an autoscale group, from its nodes' load to the decision
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
zone:
  description: The zone.
  returned: always
  type: str
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
      description: Whether the action was decided by an earlier tick and is to be resumed.
      type: bool
    takeover:
      description: How often the open event has changed its owner; to be named in reports. Null when no event is open.
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
nodes:
  description: One entry a node that was asked, as RV(cloudadc.aws.vpx_stat_info#module:nodes).
  returned: always
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
  returned: always
  type: dict
in_service:
  description: The nodes in service that the record knows, or null where it does not.
  returned: always
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "instance_id": "i-0123456789abcdef0", "node_id": 0}]
missing:
  description: Nodes that were in service and are gone from EC2, until they are named in O(swept).
  returned: always
  type: list
  elements: dict
node_count:
  description: Nodes in service that the decision was taken for; null where nobody needed to know.
  returned: always
  type: int
remains:
  description:
    - What is to be done now about that which failed events left behind, each with C(event_id), C(stage) (where it
      failed) and C(action), V(scale_in) (take its nodes out of the distributor) or V(deprovision) (remove them).
    - Empty unless the zone watches again and nothing else is to be done. Whoever has removed them reports that event
      C(done).
  returned: always
  type: list
  elements: dict
leased:
  description: Whether the lease could be had; in check mode, where none is taken, true.
  returned: always
  type: bool
searched:
  description: Whether EC2 was asked which nodes there are.
  returned: always
  type: bool
"""

from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.cloudwatch import metric_data, publish
from ..module_utils.core.errors import Failure
from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.nitro.module import nitro_argument_spec
from ..module_utils.reconcile.session import carry_out, foretell, loaded, patiently
from ..module_utils.reconcile.tick import Effects, Order, Ticked, plan_for
from ..module_utils.reconcile.tick_effects import in_ec2, over_nitro
from ..module_utils.scaling.cleanup import remains
from ..module_utils.scaling.clock import clock_warnings
from ..module_utils.scaling.decision import refused
from ..module_utils.scaling.evaluator import Report, reported_at
from ..module_utils.scaling.group_state import node_to_json
from ..module_utils.scaling.manual import Request
from ..module_utils.scaling.samples import all_figures, node_count, reporting_of
from ..module_utils.scaling.view import difference, state, was_changed
from ..module_utils.spec.errors import AutoscaleError
from ..module_utils.spec.policy import LONGEST_TIME, Policy
from ..module_utils.spec.times import as_instant
from ..module_utils.stores.base import LeaseLost, LeaseRefused, StoreError
from ..module_utils.stores.options import default_owner, open_store, zone_argument_spec

#: How long, in seconds, a report or a request waits for the lease: it must not get lost.
PATIENCE = 10.0

ARGUMENT_SPEC: dict[str, Any] = {
    **nitro_argument_spec(nsip=False),
    **zone_argument_spec(),
    "nodes": {"type": "list", "elements": "str"},
    "node_count": {"type": "raw"},
    "nitro_port": {"type": "int"},
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
    "announce": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "lease_seconds": {"type": "float", "default": 300},
    "publish": {"type": "bool", "default": False},
}


def order_from(params: dict[str, Any], owner: str) -> Order:
    """What the options ask for. Raises AutoscaleError for what is wrong whatever the record says."""
    if not 0 < params["lease_seconds"] <= LONGEST_TIME["seconds"]:
        raise AutoscaleError(f"lease_seconds must be more than 0 and at most a year, not {params['lease_seconds']:g}")
    now = datetime.now(UTC)
    return Order(
        policy=Policy.from_dict(params["policy"]),
        now=params["now"] or now,
        owner=owner,
        lease_seconds=params["lease_seconds"],
        nodes=None if params["nodes"] is None else tuple(dict.fromkeys(params["nodes"])),
        count=None if params["node_count"] is None else node_count(params["node_count"]),
        sample=params["sample"],
        report=None if params["event"] is None else Report.from_dict(params["event"]),
        reported_at=None if params["now"] else lambda record: reported_at(record, now.timestamp()),
        request=None if params["request"] is None else Request.from_dict(params["request"]),
        swept=tuple(params["swept"] or ()),
        announce=params["announce"],
    )


def effects_of(module: Any) -> Effects:
    """What this module may ask: appliances with its NITRO options, EC2 with its AWS options."""
    params = module.params

    def ec2() -> Client:
        if not HAS_BOTO3:
            raise Failure(missing_required_lib("botocore and boto3", reason="to find the zone's nodes"))
        # validate_certs speaks of the appliances here; AWS's certificates are always validated.
        return connect(module, "ec2", read_timeout=10, verify=params["aws_ca_bundle"] or True)

    return Effects(over_nitro(params), in_ec2(ec2, params["group"], params["zone"], params["nitro_port"]))


def published(module: Any, order: Order, ticked: Ticked, shown: dict[str, Any]) -> bool:
    """Hand the tick's figures and its decision, as shown, to CloudWatch. Whatever comes of it, the tick is over."""
    if module.check_mode or ticked.sample is None:
        return False
    group, zone, at = module.params["group"], module.params["zone"], as_instant(order.now)
    seen = all_figures(ticked.sample)
    reporting = reporting_of(ticked.sample)
    data = metric_data(group, zone, at, seen, ticked.count or 0, shown["decision"], order.policy.interval, reporting)
    return publish(module, data, f"{group} {zone}")


def run(module: Any) -> dict[str, Any]:
    params = module.params
    owner = params["owner"] or default_owner()
    order = order_from(params, owner)
    verify = params["aws_ca_bundle"] or True
    store = open_store(module, params["group"], params["zone"], may_create=True, verify=verify)
    plan, insists = plan_for(order, effects_of(module)), bool(order.report or order.request or order.swept)
    own_time = bool(params["now"]) or insists
    held = min(params["lease_seconds"], 60.0 + 4 * params["nitro_timeout"])
    try:
        if module.check_mode:
            before, after, ticked = foretell(store, plan, own_time=own_time)
        else:
            patience = PATIENCE if insists else 0.0
            before, after, ticked = patiently(lambda: carry_out(store, plan, owner, held, own_time=own_time), patience)
    except (LeaseRefused, LeaseLost) as error:
        before = after = loaded(store.read(), store)
        ticked, had = Ticked(refused(after, f"not evaluated: {error}")), False
    else:
        had = True
    for warning in (*ticked.warnings, *clock_warnings(before, after)):
        module.warn(f"{params['group']} {params['zone']}: {warning}")
    result = {
        "zone": params["zone"],
        **ticked.decision.to_json(),
        **state(after),
        "changed": was_changed(before, after),
        "nodes": [reading.as_dict() for reading in ticked.readings],
        "aggregate": ticked.sample,
        "in_service": None if after.nodes is None else [node_to_json(node) for node in after.nodes],
        "missing": [node_to_json(node) for node in after.missing],
        "node_count": ticked.count,
        "remains": [each.to_json() for each in remains(order.policy, after, ticked.decision)],
        "leased": had,
        "searched": ticked.searched,
    }
    if insists:
        result["reported"] = had
    if params["publish"]:
        result["published"] = had and published(module, order, ticked, result)
    if module._diff:
        result["diff"] = difference(before, after)
    return result


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        mutually_exclusive=[("request", "event"), ("request", "sample"), ("request", "swept")],
        supports_check_mode=True,
        check_boto3=False,
    )
    try:
        result = run(module)
    except (AutoscaleError, StoreError, NitroError, Failure) as error:
        said = f"{module.params['group']} {module.params['zone']}: {error}"
    else:
        module.exit_json(**result)
    # Outside of the except block, so that no traceback is attached to the result.
    module.fail_json(msg=said)


if __name__ == "__main__":
    main()
