#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_stat_info
short_description: Gather the load of many NetScaler VPX
version_added: 0.1.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Queries the statistics of all appliances in parallel, and returns the figures of each and of all together.
  - An appliance without an answer and an invalid figure do not fail the task. The figure is null, and RV(nodes[].error)
    has the reason.
  - Calls - one login, one C(stat/ns) and one logout per appliance. Up to 32 appliances are queried in parallel, each
    for at most O(nitro_timeout).
  - With O(source=cloudwatch) no appliance is queried. One C(GetMetricData) for each 500 figures reads the published
    figures; it needs boto3 and the right C(cloudwatch:GetMetricData). Otherwise neither boto3 nor AWS settings are
    needed.
options:
  nodes:
    description:
      - Management addresses (NSIP) of the appliances, with C(:port) if it is not the default of the protocol.
      - With O(source=cloudwatch), the values of O(cloudwatch.dimension) instead, usually instance ids.
      - Name every node of a cluster. Whether statistics of a cluster's own address (CLIP) cover all of its nodes is not
        documented.
    type: list
    elements: str
    required: true
  source:
    description:
      - Source of the figures, the appliances or CloudWatch.
    type: str
    choices: [nitro, cloudwatch]
    default: nitro
  cloudwatch:
    description:
      - Namespace, dimension and names of the metrics in CloudWatch. Required with O(source=cloudwatch), no effect
        otherwise.
      - Appliances publish if their user data enable it (C(PublishCloudwatchMetrics) of the vendor's templates). The
        names of the metrics are not documented; C(aws cloudwatch list-metrics) shows them.
    type: dict
    suboptions:
      namespace:
        description: The namespace of the metrics.
        type: str
        required: true
      dimension:
        description: The one dimension whose values are O(nodes). Metrics with further dimensions are not found.
        type: str
        default: InstanceId
      metrics:
        description:
          - Figure to the name of its metric, at least one. The others are null, without an error.
        type: dict
        required: true
        suboptions:
          cpu:
            description: Use of the packet engines' CPUs in percent.
            type: str
          memory:
            description: Use of memory in percent.
            type: str
          throughput:
            description: Received plus sent in Mbit/s. The figure is not converted.
            type: str
          connections:
            description: Open client connections.
            type: str
          http_requests:
            description: HTTP requests per second.
            type: str
            version_added: 0.2.0
          ena_limited:
            description: Events per minute in which a network allowance of the instance was exceeded. Not converted.
            type: str
            version_added: 0.2.0
          cpu_management:
            description: Use of the management CPU in percent.
            type: str
      statistic:
        description: The CloudWatch statistic over each period, for example V(Maximum) or V(p90).
        type: str
        default: Average
      period:
        description: Seconds that each figure covers; V(1), V(5), V(10), V(20), V(30), or a multiple of 60.
        type: int
        default: 60
      max_age:
        description:
          - A latest figure that is older than this many seconds is null, with an error. Its age counts from its
            CloudWatch timestamp, the start of its period.
          - At least O(cloudwatch.period), at most a day.
        type: float
        default: 180.0
  earlier:
    description:
      - An earlier result of this module, to convert counters into rates. Without it, figures of counters are null.
      - Only its C(sampled_at), and C(nsip) and C(counters) of its C(nodes), are used.
    type: dict
    version_added: 0.2.0
  validate_certs:
    description:
      - Whether the appliances' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudadc.aws.nitro.session
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes.read_only
attributes:
  action_group:
    description: Options can be given once for all modules of these groups in C(module_defaults).
    support: full
    membership: [cloudadc.aws.aws, cloudadc.aws.nitro, cloudadc.aws.all]
notes:
  - O(save_config) has no effect, because nothing is written. It is accepted for use in
    C(module_defaults).
seealso:
  - module: cloudadc.aws.autoscale_evaluate
"""

EXAMPLES = r"""
- name: Read the load of two nodes
  cloudadc.aws.vpx_stat_info:
    nodes: [10.0.1.10, 10.0.1.11]
    nitro_pass: "{{ vpx_password }}"
  register: load

- name: Show it
  ansible.builtin.debug:
    msg: >-
      {{ load.aggregate.nodes_reporting }} of {{ load.aggregate.nodes_total }} report,
      CPU {{ load.aggregate.cpu }} %, memory {{ load.aggregate.memory }} %

- name: Read the load of nodes that publish to CloudWatch
  cloudadc.aws.vpx_stat_info:
    nodes: [i-0123456789abcdef0, i-0fedcba9876543210]
    source: cloudwatch
    cloudwatch:
      namespace: "{{ vpx_metrics_namespace }}"
      metrics:
        cpu: "{{ vpx_metrics_cpu }}"
        memory: "{{ vpx_metrics_memory }}"
    region: eu-central-1
"""

RETURN = r"""
nodes:
  description: One entry per appliance, in the given order; an address given twice is queried once.
  returned: always
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as given; with O(source=cloudwatch), the value of the dimension.
      type: str
      returned: always
    reachable:
      description:
        - Whether it answered at all, also with a refusal or with something that is not NITRO.
        - With O(source=cloudwatch), whether any figure is not older than O(cloudwatch.max_age).
      type: bool
      returned: always
    cpu:
      description: Use of the packet engines' CPUs in percent (C(pktcpuusagepcnt)).
      type: float
      returned: always
    memory:
      description: Use of memory in percent (C(memusagepcnt)).
      type: float
      returned: always
    throughput:
      description: Received plus sent in Mbit/s (C(rxmbitsrate) + C(txmbitsrate)).
      type: float
      returned: always
    connections:
      description: Open client connections (C(tcpcurclientconn)).
      type: int
      returned: always
    http_requests:
      description: HTTP requests per second (C(httprequestsrate)).
      type: float
      returned: always
    ena_limited:
      description:
        - Events per minute since O(earlier) in which a network allowance of the instance was exceeded
          (C(enainbwlimitexceeded), C(enaoutbwlimitexceeded), C(enappslimitexceeded), C(enaconntracklimitexceeded)).
        - Null without O(earlier), after a restart of the node, and where its release does not report the counters.
      type: float
      returned: always
    cpu_management:
      description: Use of the management CPU in percent (C(mgmtcpuusagepcnt)).
      type: float
      returned: always
    counters:
      description: The present counters, by metric.
      type: dict
      returned: always
    error:
      description: The error of the query, or the missing figures with the reason; null without an error.
      type: str
      returned: always
  sample:
    - nsip: 10.0.1.10
      reachable: true
      cpu: 41.5
      memory: 21.1
      throughput: 350.2
      connections: 1210
      http_requests: 420.5
      ena_limited: 0.0
      cpu_management: 3.0
      counters: {ena_limited: 17.0}
      error: null
aggregate:
  description: Aggregate over the appliances that report the figure. Null if none does.
  returned: always
  type: dict
  contains:
    cpu:
      description: Mean in percent.
      type: float
      returned: always
    memory:
      description: Mean in percent.
      type: float
      returned: always
    throughput:
      description: Sum in Mbit/s.
      type: float
      returned: always
    connections:
      description: Sum.
      type: int
      returned: always
    http_requests:
      description: Sum per second.
      type: float
      returned: always
    ena_limited:
      description: Sum, events per minute.
      type: float
      returned: always
    figures_reporting:
      description: Number of appliances that reported each figure, by metric.
      type: dict
      returned: always
    nodes_total:
      description: Number of queried appliances.
      type: int
      returned: always
    nodes_reporting:
      description: Number of appliances that reported at least one figure.
      type: int
      returned: always
  sample:
    cpu: 41.5
    memory: 21.1
    throughput: 350.2
    connections: 1210
    http_requests: 420.5
    ena_limited: 0.0
    figures_reporting: {cpu: 1, memory: 1, throughput: 1, connections: 1, http_requests: 1, ena_limited: 1}
    nodes_total: 1
    nodes_reporting: 1
sampled_at:
  description: Start of the queries, ISO 8601 in UTC.
  returned: always
  type: str
  sample: "2026-03-01T12:00:00Z"
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.core.nitro_errors import NitroInputError
from ..module_utils.nitro.asking import probe_with
from ..module_utils.nitro.module import nitro_argument_spec, require_requests
from ..module_utils.nitro.polling import poll
from ..module_utils.reconcile.published_figures import Source, read_figures
from ..module_utils.spec import figures as stats
from ..module_utils.spec.errors import AutoscaleError
from ..module_utils.spec.metrics import REGISTRY
from ..module_utils.spec.times import parse_instant

CLOUDWATCH = {
    "namespace": {"type": "str", "required": True},
    "dimension": {"type": "str", "default": "InstanceId"},
    "metrics": {
        "type": "dict",
        "required": True,
        "options": {name: {"type": "str"} for name in REGISTRY},
    },
    "statistic": {"type": "str", "default": "Average"},
    "period": {"type": "int", "default": 60},
    "max_age": {"type": "float", "default": 180.0},
}


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        "nodes": {"type": "list", "elements": "str", "required": True},
        "source": {"type": "str", "choices": ["nitro", "cloudwatch"], "default": "nitro"},
        "cloudwatch": {"type": "dict", "options": CLOUDWATCH},
        "earlier": {"type": "dict"},
    }


def counted_before(earlier: Mapping[str, Any] | None) -> dict[str, stats.Counted]:
    """Return the counters of an earlier result by address. Raises NitroInputError for what is none."""
    if not earlier:
        return {}
    try:
        at = parse_instant(str(earlier["sampled_at"]), "earlier.sampled_at")
        return {
            str(node["nsip"]): stats.Counted(at, {str(name): float(each) for name, each in node["counters"].items()})
            for node in earlier["nodes"]
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NitroInputError(f"earlier is no result of vpx_stat_info: {type(error).__name__}: {error}") from error
    except AutoscaleError as error:
        raise NitroInputError(str(error)) from error


def sample(
    nodes: list[str],
    read: Callable[[list[str]], list[stats.Reading]],
    earlier: Mapping[str, stats.Counted] | None = None,
) -> dict[str, Any]:
    """Read the figures of all nodes, each once, and return the result of the module."""
    at = datetime.now(UTC)
    sampled_at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    readings = stats.with_rates(read(list(dict.fromkeys(nodes))), earlier or {}, at.timestamp())
    return {
        "changed": False,
        "nodes": [reading.as_dict() for reading in readings],
        "aggregate": stats.aggregate(readings),
        "sampled_at": sampled_at,
    }


def from_nitro(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result with figures of the appliances themselves. Raises NitroInputError."""
    probe = probe_with(params, params["nodes"])
    earlier = counted_before(params["earlier"])
    return sample(params["nodes"], lambda nodes: poll(nodes, probe, params["nitro_timeout"]), earlier)


def from_cloudwatch(module: Any) -> dict[str, Any]:
    """Return the result with CloudWatch's figures. Raises Failure if they cannot be read."""
    params = module.params
    source = Source.from_options(params["cloudwatch"])
    if not all(node.strip() for node in params["nodes"]):
        raise Refusal(f"nodes has an empty entry where a value of the dimension {source.dimension} belongs")
    if not HAS_BOTO3:
        raise Failure(missing_required_lib("botocore and boto3", reason="for source cloudwatch"))
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    client = connect(module, "cloudwatch", read_timeout=10, verify=params["aws_ca_bundle"] or True)
    return sample(params["nodes"], lambda nodes: read_figures(client, source, nodes, time.time()))


def work(module: Any) -> dict[str, Any]:
    """Return the figures of the source that the options name. Raises Failure."""
    if module.params["source"] == "cloudwatch":
        return from_cloudwatch(module)
    require_requests(module)
    return from_nitro(module.params)


def main() -> None:
    run(argument_spec(), work, required_if=[["source", "cloudwatch", ["cloudwatch"]]], check_boto3=False)


if __name__ == "__main__":
    main()
