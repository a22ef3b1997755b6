#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_stat_info
short_description: Load of many NetScaler VPX at once
version_added: 0.1.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Asks every appliance for its statistics, all side by side, and returns the figures of each and of all together.
  - An appliance that cannot be asked, and a figure that cannot be believed, is no failure of the task. The figure is
    null, never a number made up, and RV(nodes[].error) says which and why.
  - Calls - one login, one C(stat/ns) and one logout an appliance. The whole takes little longer than the slowest of up
    to 32 appliances, and no appliance costs more than O(nitro_timeout) in all.
options:
  nodes:
    description:
      - Management addresses (NSIP) of the appliances, with C(:port) where it is not the protocol's own.
      - Name every node of a cluster. Whether statistics of a cluster's own address (CLIP) cover all of its nodes is not
        documented.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - cloudadc.aws.nitro.session
  - cloudadc.aws.attributes.read_only
  - cloudadc.aws.attributes.action_group_nitro
notes:
  - O(save_config) has no meaning here, as nothing is written. It is accepted so that it can stand in
    C(module_defaults).
seealso:
  - module: cloudadc.aws.autoscale_evaluate
"""

EXAMPLES = r"""
- name: How busy are they
  cloudadc.aws.vpx_stat_info:
    nodes: [10.0.1.10, 10.0.1.11]
    nitro_pass: "{{ vpx_password }}"
  register: load

- name: Say it
  ansible.builtin.debug:
    msg: >-
      {{ load.aggregate.nodes_reporting }} of {{ load.aggregate.nodes_total }} report,
      CPU {{ load.aggregate.cpu }} %, memory {{ load.aggregate.memory }} %
"""

RETURN = r"""
nodes:
  description: One entry an appliance, in the order asked; an address given twice is asked once.
  returned: always
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was asked.
      type: str
      returned: always
    reachable:
      description: Whether it answered at all, be it with a refusal or with something that is not NITRO.
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
    cpu_management:
      description: Use of the management CPU in percent (C(mgmtcpuusagepcnt)).
      type: float
      returned: always
    error:
      description: Why it could not be asked, or which figures are missing and why. Null when all is well.
      type: str
      returned: always
  sample:
    - nsip: 10.0.1.10
      reachable: true
      cpu: 41.5
      memory: 21.1
      throughput: 350.2
      connections: 1210
      cpu_management: 3.0
      error: null
aggregate:
  description: Over the appliances that report the figure in question. Null where none does.
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
    nodes_total:
      description: How many were asked.
      type: int
      returned: always
    nodes_reporting:
      description: How many gave at least one of these figures.
      type: int
      returned: always
  sample:
    cpu: 41.5
    memory: 21.1
    throughput: 350.2
    connections: 1210
    nodes_total: 1
    nodes_reporting: 1
sampled_at:
  description: When the polling began, ISO 8601 in UTC.
  returned: always
  type: str
  sample: "2026-03-01T12:00:00Z"
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import stats
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.errors import NitroError, NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.module import client_from, nitro_argument_spec, run


def probe_with(params: Mapping[str, Any]) -> stats.Probe:
    """A probe that asks one appliance over NITRO, in a session of its own.

    Raises NitroInputError for an address or options with which no appliance could be asked.
    """
    clients = {nsip: client_from(params, nsip=nsip) for nsip in params["nodes"]}

    def probe(nsip: str, report: Callable[[stats.Reading], None]) -> None:
        try:
            with clients[nsip] as client:
                report(stats.reading_of(nsip, client.stat("ns")))
        except NitroError as error:
            report(stats.Reading(nsip, not isinstance(error, NitroUnreachable), stats.Figures(), str(error)))

    return probe


def sample(params: Mapping[str, Any]) -> dict[str, Any]:
    """Poll all of them; the result of the module."""
    sampled_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    nodes = list(dict.fromkeys(params["nodes"]))
    readings = stats.poll(nodes, probe_with(params), params["nitro_timeout"])
    return {
        "changed": False,
        "nodes": [reading.as_dict() for reading in readings],
        "aggregate": stats.aggregate(readings),
        "sampled_at": sampled_at,
    }


def main() -> None:
    spec = {**nitro_argument_spec(nsip=False), "nodes": {"type": "list", "elements": "str", "required": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    run(module, lambda: sample(module.params))


if __name__ == "__main__":
    main()
