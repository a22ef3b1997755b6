#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_replay
version_added: 0.1.0
short_description: Replay autoscale policies on recorded samples
description:
  - Runs recorded samples through the evaluator of M(cloudadc.aws.autoscale_evaluate), once for each policy, and returns
    when each would have scaled a zone out and in, the node-minutes, how long a metric was above its maximum, and how
    often a scale-in followed a scale-out too soon (flapping).
  - The recorded figures do not depend on the simulated number of nodes. The number of nodes follows the decisions.
  - Reads the recording as a stream; a year of minutes takes a second or two, and the memory needed is independent of
    its length. Writes nothing, and needs neither boto3 nor AWS, except to read a table.
options:
  path:
    description:
      - The recording, oldest sample first.
      - CSV with a header; a column C(timestamp) (or C(time), C(at), C(date), C(sampled_at)) in ISO 8601 or in seconds
        since the epoch, and a column for each metric. Empty cells are missing samples.
      - With C(nodes_total) (or C(nodes)) and C(nodes_reporting), a sample of fewer nodes causes no scale-in, as in a
        tick.
      - JSON, an array of objects or one object after another, with the same names as keys; the metrics may be under
        C(values) or C(sample).
      - The output of C(aws cloudwatch get-metric-data), one or several pages in one file, in any order.
        A result belongs to the metric whose name is its C(Id) or its C(Label).
      - Either O(path) or O(store) must be given.
    type: path
  store:
    description: Store of the group state, instead of O(path). The samples that the ticks kept there are replayed.
    type: dict
    version_added: 0.2.0
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
  group:
    description: Name of the autoscale group, with O(store).
    type: str
    version_added: 0.2.0
  zone:
    description: The zone whose samples are replayed, with O(store).
    type: str
    version_added: 0.2.0
  samples_hours:
    description: Hours of samples before the latest one, with O(store).
    type: float
    default: 24
    version_added: 0.2.0
  format:
    description: Format of the recording. V(auto) detects it by its first character.
    type: str
    choices: [auto, csv, json]
    default: auto
  metric_names:
    description: Metric to the name it has in the recording, a column, a key, or a CloudWatch C(Id) or C(Label).
    type: dict
    default: {}
  policies:
    description: Name to policy; each policy as for M(cloudadc.aws.autoscale_evaluate).
    type: dict
    required: true
  node_count:
    description: Nodes at the beginning. Defaults to each policy's C(min_nodes).
    type: int
  provision_minutes:
    description: Minutes from the decision to scale out until the nodes are in service.
    type: float
    default: 0
  max_events:
    description: Number of latest events to list for a policy. All are counted.
    type: int
    default: 1000
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
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Compare two policies on the samples of last year
  cloudadc.aws.autoscale_replay:
    path: samples-2025.csv
    provision_minutes: 6
    policies:
      calm:
        metrics:
          cpu: {min: 20, max: 80}
        watch_time: 5
        cooldown: 15
        drain_timeout: 10
        distributor: nlb
        min_nodes: 2
        max_nodes: 8
      eager:
        metrics:
          cpu: {min: 30, max: 65}
        watch_time: 2
        cooldown: 5
        drain_timeout: 10
        distributor: nlb
        min_nodes: 2
        max_nodes: 8
  register: replayed

- name: Replay the output of the AWS command line for CloudWatch metrics
  cloudadc.aws.autoscale_replay:
    path: get-metric-data.json
    metric_names:
      cpu: m1
      throughput: zone a Mbit/s
    policies: "{{ candidates }}"

- name: Replay the samples that the ticks of a zone kept
  cloudadc.aws.autoscale_replay:
    group: shop
    zone: eu-central-1a
    store:
      path: /var/lib/cloudadc
    policies: "{{ candidates }}"
"""

RETURN = r"""
results:
  description: One for each policy, in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The policy's name.
      type: str
    events:
      description: Its decisions; C(scale_out), C(scale_in), and C(deprovision) at the end of its drain.
      type: list
      elements: dict
      sample:
        - at: "2026-03-01T10:06:00Z"
          event_id: adc-20260301T100600Z-1-fbe8f416f8b8
          action: scale_out
          count: 1
          nodes_before: 2
          nodes_after: 3
          flapping: false
          reason: memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6
    events_left_out:
      description: Number of earlier events not listed because of O(max_events).
      type: int
    scale_outs:
      description: Times it would have scaled out.
      type: int
    scale_ins:
      description: Times it would have begun to scale in.
      type: int
    deprovisions:
      description: Times it would have removed nodes.
      type: int
    flapping:
      description: Scale-ins within two cooldowns of a scale-out.
      type: int
    node_minutes:
      description: Nodes times minutes, from the first sample to one interval after the last. Draining nodes count.
      type: float
    minutes_above_max:
      description: Minutes in which a watched metric was above its maximum, in any phase.
      type: float
    nodes_at_end:
      description: Nodes after the last sample.
      type: int
    most_nodes:
      description: Most nodes at any time.
      type: int
    fewest_nodes:
      description: Fewest nodes at any time.
      type: int
    phase_at_end:
      description: Phase after the last sample.
      type: str
samples:
  description: The replayed samples; C(count), C(first), C(last) and the C(metrics) found.
  returned: always
  type: dict
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, TextIO

from ..module_utils.aws.module import run
from ..module_utils.reconcile.kept_samples import read_samples, recorded, valid_hours
from ..module_utils.scaling.recordings import read_recording
from ..module_utils.scaling.replay import Options, replay
from ..module_utils.spec.errors import AutoscaleError, PolicyError
from ..module_utils.spec.policy import Policy
from ..module_utils.spec.times import as_instant
from ..module_utils.stores.kept import DEFAULT_HOURS, HOUR
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path"},
    "store": {**store_argument_spec(create=CREATE), "required": False},
    "group": {"type": "str"},
    "zone": {"type": "str"},
    "samples_hours": {"type": "float", "default": DEFAULT_HOURS},
    "format": {"type": "str", "choices": ["auto", "csv", "json"], "default": "auto"},
    "metric_names": {"type": "dict", "default": {}},
    "policies": {"type": "dict", "required": True},
    "node_count": {"type": "int"},
    "provision_minutes": {"type": "float", "default": 0},
    "max_events": {"type": "int", "default": 1000},
}


def policy_of(name: str, raw: object) -> Policy:
    try:
        return Policy.from_dict(raw)
    except PolicyError as error:
        raise PolicyError(f"policies.{name}: {error}") from error


def options_of(params: dict[str, Any]) -> Options:
    for name, least in (("node_count", 0), ("provision_minutes", 0), ("max_events", 0)):
        if params[name] is not None and not params[name] >= least:
            raise AutoscaleError(f"{name} must be at least {least}, not {params[name]:g}")
    return Options(params["node_count"], params["provision_minutes"] * 60, params["max_events"])


@contextlib.contextmanager
def opened(module: Any) -> Iterator[TextIO]:
    """Open the recording: the file, or the samples that a store keeps."""
    params = module.params
    if params["store"] is None:
        with open(params["path"], encoding="utf-8-sig", newline="") as stream:
            yield stream
        return
    store, hours = open_store(module, params["group"], params["zone"]), valid_hours(params["samples_hours"])
    samples = read_samples(store, 0.0)
    if not samples:
        raise AutoscaleError("no samples are kept: ticks keep them unless samples_hours is 0")
    since = as_instant(samples[-1]["at"]) - hours * HOUR
    yield io.StringIO(recorded([each for each in samples if as_instant(each["at"]) >= since]))


def work(module: Any) -> dict[str, Any]:
    """Replay the policies over the recording."""
    params = module.params
    policies = {str(name): policy_of(name, raw) for name, raw in params["policies"].items()}
    if not policies:
        raise AutoscaleError("policies is empty; give at least one, by name")
    names = {str(metric): str(name) for metric, name in params["metric_names"].items()}
    options, where = options_of(params), params["path"] or f"{params['group']} {params['zone']}"
    try:
        with opened(module) as stream:
            result = replay(policies, read_recording(stream, names, params["format"]), options)
    except UnicodeDecodeError as error:
        raise AutoscaleError(f"{where} is not text in UTF-8: {error}") from error
    except OSError as error:
        raise AutoscaleError(f"cannot read {where}: {error.strerror}") from error
    except AutoscaleError as error:
        raise AutoscaleError(f"{where}: {error}") from error
    return {"changed": False, **result}


def main() -> None:
    run(
        ARGUMENT_SPEC,
        work,
        check_boto3=False,
        required_one_of=[("path", "store")],
        mutually_exclusive=[("path", "store")],
        required_by={"store": ("group", "zone")},
    )


if __name__ == "__main__":
    main()
