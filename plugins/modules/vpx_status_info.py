#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_status_info
version_added: 0.2.0
short_description: Show the state of all pairs and autoscale groups of a region
description:
  - Finds the pairs and groups of the account in the region by their tags, or those that O(pairs) and O(groups) name,
    and returns for each its nodes, its addresses, its latest events, and what is wrong with it. Writes nothing.
  - Of a pair also the primary, whether the nodes are synchronised, and whether each Elastic IP, each private address
    and each route of its VIPs leads to the primary. Of a group also the phase of each zone.
  - What could not be read is named in RV(status.unseen) and in C(unseen) of each pair and group, and does not fail the
    task. Without O(nitro_pass) no appliance is queried; without O(store) no phase and no event is known.
  - A name in O(pairs) or O(groups) that is not there fails the task.
  - Whether nodes differ from the variables of their playbook is not known here; those playbooks report it in check
    mode. Nodes of one pair or group with different images are reported.
options:
  pairs:
    description: Names of pairs. If neither this nor O(groups) names one, all pairs and groups are shown.
    type: list
    elements: str
    default: []
  groups:
    description: Names of autoscale groups.
    type: list
    elements: str
    default: []
  store:
    description: Where the groups keep their state, and C(ha_watch) the events of pairs.
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
  passwords:
    description: Passwords by name of a pair or group, where they differ from O(nitro_pass).
    type: dict
    default: {}
  nitro_port:
    description: Port of NITRO, if it is not the default of the protocol.
    type: int
  probe_timeout:
    description: Seconds after which a node that has not answered counts as silent.
    type: float
    default: 3
  validate_certs:
    description:
      - Whether the nodes' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
notes:
  - Calls to AWS are one C(DescribeInstances), one C(DescribeAddresses) and one C(GetCallerIdentity) for all, and one
    C(DescribeLoadBalancers) for each group. Pairs with VIPs of other kinds than Elastic IPs need one
    C(DescribeNetworkInterfaces) and, for routes, one C(DescribeRouteTables) each.
  - With O(management_tls=pin) the nodes of a pair or group are held to the fingerprints in the tags of its instances;
    the nodes of one without such tags are verified.
attributes:
  check_mode:
    support: full
    description: This module reads only and does the same in check mode.
  diff_mode:
    support: none
    description: This module changes nothing.
extends_documentation_fragment:
  - cloudadc.aws.nitro.session
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.vpx_ha_info
  - module: cloudadc.aws.autoscale_info
  - module: cloudadc.aws.vpx_status_report
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Show all pairs and groups of the region
  cloudadc.aws.vpx_status_info:
    region: eu-central-1
    nitro_pass: "{{ vpx_password }}"
    store:
      type: dynamodb
      table: cloudadc-autoscale
  register: fleet

- name: Read the state of a pair
  cloudadc.aws.vpx_status_info:
    pairs: [edge]
    region: eu-central-1
    nitro_pass: "{{ vpx_password }}"
  register: edge

- name: Fail if something is wrong with it
  ansible.builtin.assert:
    that: edge.status.problems | length == 0
"""

RETURN = r"""
status:
  description: The state of pairs and groups.
  returned: always
  type: dict
  contains:
    account:
      description: Number of the AWS account; empty if it is unknown.
      type: str
    region:
      description: The region.
      type: str
    at:
      description: When it was read, ISO 8601.
      type: str
    pairs:
      description:
        - One for each pair, with C(name), C(primary) (node id, null if there is not exactly one or it is not known),
          C(primary_instance_id), C(verdict), C(healthy), C(in_sync), C(nodes), C(addresses) (its Elastic IPs), C(vips)
          (private addresses and routes, each with C(kind), C(vip), C(network_interface_id), C(node_id) and
          C(misplaced)), C(events), C(problems) and C(unseen).
      type: list
      elements: dict
    groups:
      description:
        - One for each group, with C(name), C(endpoint) (DNS name of its load balancer), C(zones), C(addresses),
          C(problems) and C(unseen). Each zone has C(zone), C(nodes), C(in_service), C(phase), C(phase_until),
          C(updated), C(event), C(backoff), C(unfinished) and C(events).
      type: list
      elements: dict
    problems:
      description: All problems, each with the name of the pair or group.
      type: list
      elements: str
      sample: ["edge: node 1 (i-0123456789abcdef0) is stopped"]
    unseen:
      description: What could not be read for all of them.
      type: list
      elements: str
table:
  description: The same as lines to print.
  returned: always
  type: list
  elements: str
"""

import time
from typing import Any

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.module import run
from ..module_utils.nitro.module import nitro_argument_spec, require_requests
from ..module_utils.reconcile.status import owners_of
from ..module_utils.reconcile.status_reading import StatusReader, chosen
from ..module_utils.reconcile.status_table import status_lines
from ..module_utils.spec.times import to_iso
from ..module_utils.stores.options import CREATE, StoreOptions, open_store, store_argument_spec, stored_keys


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        "pairs": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
        "store": {**store_argument_spec(create=CREATE), "required": False},
        "passwords": {"type": "dict", "default": {}, "no_log": True},
        "nitro_port": {"type": "int"},
        "probe_timeout": {"type": "float", "default": 3},
    }


def reader_of(module: Any, clients: dict[str, Client]) -> StatusReader:
    """Return the reader with the module's clients, which are made before threads need them."""
    options = StoreOptions(module.params, lambda service, **_options: clients[service])
    return StatusReader(
        params=module.params,
        client=clients.__getitem__,
        store=(lambda name, zone: open_store(options, name, zone)) if module.params["store"] else None,
        keys=lambda name: stored_keys(options, name),
        now=time.time(),
        probe_timeout=module.params["probe_timeout"],
    )


def work(module: Any) -> dict[str, Any]:
    """Return the result of the module. Raises Failure."""
    require_requests(module)
    status = status_of(module)
    return {"changed": False, "status": status, "table": status_lines(status)}


def status_of(module: Any) -> dict[str, Any]:
    """Read and return the state of what is chosen. Raises Failure."""
    params = module.params
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    verify = params["aws_ca_bundle"] or True
    named = params["store"] and params["store"]["type"] == "dynamodb"
    services = ("ec2", "sts", "elbv2", *(("dynamodb",) if named else ()))
    clients = {service: connect(module, service, read_timeout=10, verify=verify) for service in services}
    clients["ec2"] = connect_accounts(module, clients["ec2"], read_timeout=10, verify=verify)
    reader = reader_of(module, clients)
    region = reader.region()
    name = clients["ec2"].meta.region_name
    where = f"account {region.account or 'unknown'}, region {name}"
    owners = chosen(owners_of(region.instances), params["pairs"], params["groups"], where)
    found = reader.read(region, owners)
    return {
        "account": region.account,
        "region": name,
        "at": to_iso(round(reader.now)),
        "pairs": [each for each in found if each["kind"] == "pair"],
        "groups": [each for each in found if each["kind"] == "group"],
        "problems": [f"{each['name']}: {text}" for each in found for text in each["problems"]],
        "unseen": [] if region.account else ["the account: GetCallerIdentity was not answered"],
    }


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
