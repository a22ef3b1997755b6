#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_info
version_added: 0.1.0
short_description: Show the state of the zones of an autoscale group
description:
  - Reads the state that M(cloudadc.aws.autoscale_evaluate) stores; phase, sample window, scaling event in progress,
    back-off after failures, resources of failed events, and history. Writes nothing and takes no lease.
  - The state is that of the latest tick. An elapsed phase ends at the next tick.
options:
  group:
    description: Name of the autoscale group.
    type: str
    required: true
  zone:
    description: Availability zone. By default all zones of the group in the store.
    type: str
  store:
    description: Store of the group state.
    type: dict
    required: true
    suboptions:
      type:
        description: V(file) needs neither boto3 nor credentials nor a region.
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: For V(file), the file or the folder of them.
        type: path
      table:
        description: For V(dynamodb), the name of the table.
        type: str
      create:
        description: Accepted for a common variable of all modules; a missing table is read as empty.
        type: bool
        default: false
  samples_hours:
    description: Return the samples that the ticks kept in the last so many hours before the latest tick, as
      RV(records[].samples). V(0) returns none and reads none.
    type: float
    default: 0
    version_added: 0.2.0
attributes:
  check_mode:
    support: full
    description: This module reads only and does the same in check mode.
  diff_mode:
    support: none
    description: This module changes nothing.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.autoscale_evaluate
  - module: cloudadc.aws.vpx_status_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Show the state of every zone of the group
  cloudadc.aws.autoscale_info:
    group: shop
    store:
      path: /var/lib/cloudadc
    samples_hours: 24
  register: shop

- name: Write the samples of a day of a zone to a file
  ansible.builtin.copy:
    dest: samples.json
    content: "{{ (shop.records | first).samples | to_json }}"

- name: Show one zone, from a table
  cloudadc.aws.autoscale_info:
    group: shop
    zone: eu-central-1a
    store:
      type: dynamodb
      table: cloudadc-autoscale
    region: eu-central-1
"""

RETURN = r"""
records:
  description: The state of each zone, in the order of their names.
  returned: always
  type: list
  elements: dict
  contains: &record
    group:
      description: The group.
      type: str
    zone:
      description: The zone.
      type: str
    updated:
      description: Time of the latest tick; null if there was none.
      type: str
      sample: "2026-03-01T10:07:00Z"
    phase:
      description: V(watching), V(scaling_out), V(cooldown), V(draining), V(ttl) or V(deprovisioning).
      type: str
    phase_since:
      description: The decision that the phase counts from; null while watching.
      type: str
    phase_until:
      description: Last instant of the phase; null while watching and where a report ends it.
      type: str
    window:
      description: The samples that count.
      type: list
      elements: dict
    event:
      description: The open event with its owner, its resources, and its number of takeovers; or null.
      type: dict
    backoff:
      description: Failed events in a row, the end of the back-off, and the last failure's message.
      type: dict
      sample: {"failures": 1, "until": "2026-03-01T10:09:00Z", "message": "InsufficientInstanceCapacity"}
    unfinished:
      description: Failed events and their resources, until they are reported done.
      type: list
      elements: dict
    nodes:
      description: The nodes in service at the latest query of EC2, or null if they have to be queried.
      type: list
      elements: dict
      sample: [{"nsip": "10.0.1.10", "instance_id": "i-0123456789abcdef0", "node_id": 0}]
    earlier:
      description: Nodes that were in service before a scale-out, until EC2 is queried again.
      type: list
      elements: dict
    missing:
      description: Nodes that were in service and have no instance any more, until their orphans are cleaned up.
      type: list
      elements: dict
    policy:
      description: The policy that drives the zone (C(fingerprint), C(interval)) and its latest tick (C(seen_at),
        C(owner)); null before the first tick.
      type: dict
      sample: {"fingerprint": "4f0c2ab1", "interval": 60.0, "seen_at": "2026-03-01T10:06:00Z", "owner": "job 4711"}
    history:
      description: The latest closed events, oldest first, at most 50.
      type: list
      elements: dict
    samples:
      description:
        - The kept samples, oldest first, with C(at), C(values) (metric to figure, null where there is none), C(nodes)
          and C(nodes_reporting). Written to a file as they are, M(cloudadc.aws.autoscale_replay) reads them.
      returned: when O(samples_hours) is more than 0
      type: list
      elements: dict
      sample: [{"at": "2026-03-01T10:06:00Z", "values": {"cpu": 41.5}, "nodes": 2, "nodes_reporting": 2}]
    version:
      description: Number of writes.
      type: int
    fence:
      description: Number of leases.
      type: int
    lease:
      description: The present lease (C(owner), C(expires)), or null.
      type: dict
record:
  description: The state of O(zone), also if there is none yet (then RV(record.version) is 0).
  returned: when O(zone) is given
  type: dict
  contains: *record
"""

import time
from typing import Any

from ..module_utils.aws.module import run
from ..module_utils.reconcile.kept_samples import read_samples, valid_hours
from ..module_utils.scaling.view import load, overview
from ..module_utils.spec.times import to_iso
from ..module_utils.stores.kept import HOUR
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec, stored_keys

ARGUMENT_SPEC: dict[str, Any] = {
    "group": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "store": store_argument_spec(create=CREATE),
    "samples_hours": {"type": "float", "default": 0},
}


def shown(module: Any, group: str, zone: str) -> dict[str, Any]:
    """One zone's record with its version, fence and lease."""
    store = open_store(module, group, zone)
    snapshot = store.read()
    lease, record = snapshot.lease, load(snapshot.document, group, zone, store.where)
    hours = valid_hours(module.params["samples_hours"])
    samples = {"samples": read_samples(store, (record.updated or time.time()) - hours * HOUR)} if hours else {}
    return {
        **overview(record),
        **samples,
        "version": snapshot.version,
        "fence": snapshot.fence,
        "lease": lease and {"owner": lease.owner, "expires": to_iso(round(lease.expires, 3))},
    }


def work(module: Any) -> dict[str, Any]:
    group, zone = module.params["group"], module.params["zone"]
    if zone:
        record = shown(module, group, zone)
        return {"changed": False, "record": record, "records": [record] if record["version"] else []}
    return {"changed": False, "records": [shown(module, key.group, key.zone) for key in stored_keys(module, group)]}


def main() -> None:
    run(
        ARGUMENT_SPEC,
        work,
        name=lambda params: f"{params['group']} {params['zone'] or ''}".strip(),
        check_boto3=False,
    )


if __name__ == "__main__":
    main()
