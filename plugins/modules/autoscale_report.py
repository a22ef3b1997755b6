#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_report
version_added: 0.1.0
short_description: Write a page about an autoscale group, or about a replay
description:
  - Writes one self-contained HTML page; no network, no script, no second file. It follows the reader's light or dark
    colour scheme and can be printed.
  - For each zone of a group (or each policy of a replay) it shows the metrics with their limits over time, the
    phases shaded, the scaling events with their reasons, the number of nodes, and a table of the events.
  - It draws the samples that the ticks keep in the store (O(cloudadc.aws.autoscale_tick#module:samples_hours)), and the
    latest 50 events. To draw metrics over a longer time give recorded samples with O(recordings), for instance what
    CloudWatch returns for a zone whose ticks run with O(cloudadc.aws.autoscale_evaluate#module:publish=true).
  - While a phase is in effect no node is queried, so that the curves have a gap.
  - The same data give the same page, byte for byte, and an unchanged page is not written again.
requirements:
  - matplotlib >= 3.8 (on the host that runs the module; nothing else of this collection needs it)
options:
  path:
    description: The page to write. Its folder must exist.
    type: path
    required: true
  title:
    description: Title of the page. By default the name of the group, or a title for a replay.
    type: str
  group:
    description: Name of the autoscale group.
    type: str
  zones:
    description: The zones to show. By default all zones in the store.
    type: list
    elements: str
  store:
    description: Store of the group state. Nothing is written there and no lease is taken.
    type: dict
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
  policy:
    description: The group's policy, as for M(cloudadc.aws.autoscale_evaluate). The group state does not contain it;
      without it the page shows no limits and no past cooldowns.
    type: dict
  recordings:
    description: Zone to a file of its samples, in a form that M(cloudadc.aws.autoscale_replay) reads; instead of those
      in the store.
    type: dict
    default: {}
  node_counts:
    description: Zone to the number of its nodes now. By default derived from the events.
    type: dict
    default: {}
  hours:
    description: Hours to look back from the latest tick. The table lists all events.
    type: float
    default: 24
  replay:
    description: The result of M(cloudadc.aws.autoscale_replay), instead of a group.
    type: dict
  recording:
    description: The file that was replayed, to draw its samples. Without O(replay), the file to replay now.
    type: path
  format:
    description: Format of recordings. V(auto) detects it by the first character.
    type: str
    choices: [auto, csv, json]
    default: auto
  metric_names:
    description: Metric to the name it has in the recordings, as for M(cloudadc.aws.autoscale_replay).
    type: dict
    default: {}
  policies:
    description: Name to policy, the policies of the replay. With O(replay) only their limits are used.
    type: dict
    default: {}
  node_count:
    description: Nodes at the beginning of a replay by this module. Defaults to each policy's C(min_nodes).
    type: int
  provision_minutes:
    description: Minutes from the decision to scale out until the nodes are in service, for a replay by this module.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: none
    description: The page is not shown as a difference.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.autoscale_info
  - module: cloudadc.aws.autoscale_replay
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Write the page about a group
  cloudadc.aws.autoscale_report:
    path: /srv/www/shop.html
    group: shop
    store:
      path: /var/lib/cloudadc
    policy: "{{ shop_policy }}"

- name: Write it with samples of one zone from CloudWatch
  cloudadc.aws.autoscale_report:
    path: /srv/www/shop.html
    group: shop
    zones: [eu-central-1a]
    store:
      type: dynamodb
      table: cloudadc-autoscale
    policy: "{{ shop_policy }}"
    recordings:
      eu-central-1a: get-metric-data.json
    region: eu-central-1

- name: Write a page about a replay of two policies
  cloudadc.aws.autoscale_report:
    path: /srv/www/replay.html
    recording: samples-2025.csv
    policies:
      calm: "{{ calm_policy }}"
      eager: "{{ eager_policy }}"
"""

RETURN = r"""
page:
  description: The page.
  returned: always
  type: str
size:
  description: Its length in bytes.
  returned: always
  type: int
panels:
  description: One panel for each zone or policy.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The zone or the policy.
      type: str
    samples:
      description: Metric to the number of points drawn. Long recordings are reduced; peaks are kept.
      type: dict
      sample: {"cpu": 720}
    events:
      description: Number of events in the table.
      type: int
"""

from typing import Any

from ansible.module_utils.basic import missing_required_lib

from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure
from ..module_utils.reconcile.kept_samples import read_samples
from ..module_utils.report.chart import HAS_MATPLOTLIB, draw
from ..module_utils.report.from_record import Counts, page_of_group
from ..module_utils.report.from_replay import page_of_replay
from ..module_utils.report.model import Page, Trails
from ..module_utils.report.output import differs, put
from ..module_utils.report.page import render
from ..module_utils.report.sources import kept_in, number_of_nodes, policies_of, replayed, samples_in
from ..module_utils.scaling.view import load
from ..module_utils.spec.errors import AutoscaleError
from ..module_utils.spec.policy import Policy
from ..module_utils.stores.kept import HOUR
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec, stored_keys

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "title": {"type": "str"},
    "group": {"type": "str"},
    "zones": {"type": "list", "elements": "str"},
    "store": {**store_argument_spec(create=CREATE), "required": False},
    "policy": {"type": "dict"},
    "recordings": {"type": "dict", "default": {}},
    "node_counts": {"type": "dict", "default": {}},
    "hours": {"type": "float", "default": 24},
    "replay": {"type": "dict"},
    "recording": {"type": "path"},
    "format": {"type": "str", "choices": ["auto", "csv", "json"], "default": "auto"},
    "metric_names": {"type": "dict", "default": {}},
    "policies": {"type": "dict", "default": {}},
    "node_count": {"type": "int"},
    "provision_minutes": {"type": "float", "default": 0},
}


def group_page(module: Any) -> Page:
    """Return the page of a group, from its store."""
    params = module.params
    group, zones = params["group"], params["zones"]
    if params["hours"] <= 0:
        raise AutoscaleError(f"hours must be more than 0, not {params['hours']:g}")
    policy = Policy.from_dict(params["policy"]) if params["policy"] else None
    records, trails, counted = [], dict[str, Trails](), dict[str, Counts]()
    for zone in zones or [key.zone for key in stored_keys(module, group)]:
        store = open_store(module, group, zone)
        document = store.read().document
        if document is not None:
            records.append(record := load(document, group, zone, store.where))
            since = (record.updated or 0.0) - params["hours"] * HOUR
            trails[zone], counted[zone] = kept_in(read_samples(store, since))
        elif zones:
            raise AutoscaleError(f"{store.where} has no record of {group} {zone}")
    if not records:
        raise AutoscaleError(f"the store has no record of a zone of {group}")
    there = [record.zone for record in records]
    strangers = sorted({*params["recordings"], *params["node_counts"]} - set(there))
    if strangers:
        raise AutoscaleError(f"{', '.join(strangers)}: no such zone on this page; it shows {', '.join(there)}")
    for zone, path in params["recordings"].items():
        trails[zone] = samples_in(str(path), params["metric_names"], params["format"])
    counts = {zone: number_of_nodes(zone, count) for zone, count in params["node_counts"].items()}
    return page_of_group(group, records, policy, trails, hours=params["hours"], counts=counts, counted=counted)


def replay_page(module: Any) -> Page:
    """Return the page of a replay: one that was done before, or done now."""
    params = module.params
    policies = policies_of(params["policies"])
    if params["replay"] is None:
        result, trails = replayed(params, policies)
    else:
        result, path = params["replay"], params["recording"]
        trails = samples_in(path, params["metric_names"], params["format"]) if path else {}
    return page_of_replay(result, policies, trails)


def work(module: Any) -> dict[str, Any]:
    if not HAS_MATPLOTLIB:
        raise Failure(missing_required_lib("matplotlib", reason="to draw the report"))
    params = module.params
    page = group_page(module) if params["store"] else replay_page(module)
    if params["title"]:
        page = Page(params["title"], page.lead, page.panels)
    content = render(page, draw).encode()
    changed = differs(params["path"], content)
    if changed and not module.check_mode:
        put(params["path"], content)
    shown = [
        {
            "name": panel.name,
            "samples": {series.name: len(series.points) for series in panel.series},
            "events": len(panel.marks),
        }
        for panel in page.panels
    ]
    return {"changed": changed, "page": params["path"], "size": len(content), "panels": shown}


def main() -> None:
    run(
        ARGUMENT_SPEC,
        work,
        check_boto3=False,
        required_one_of=[("store", "replay", "recording")],
        mutually_exclusive=[("store", "replay"), ("store", "recording")],
        required_by={"store": "group"},
    )


if __name__ == "__main__":
    main()
