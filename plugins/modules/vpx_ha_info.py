#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_info
version_added: 0.1.0
short_description: Gather HA status and Elastic IP placement of a VPX pair
description:
  - Reads the instances, interfaces and Elastic IPs of an HA pair from AWS, and the HA state from both appliances, in
    parallel, and determines the primary. It writes nothing.
  - There is a primary only if exactly one node is certainly primary. A stand-alone appliance reports Primary as well;
    one without a peer and without virtual servers is new or rebuilt, and does not count. The other node may be without
    an answer, stopped, or refuse the login; RV(verdict) has the role that each node reports.
  - RV(moves) is empty while a node that may still serve clients has one of the Elastic IPs, see
    M(cloudadc.aws.vpx_ha_reconcile); RV(verdict) has the reason. Silence of a node counts only after the pair's dead
    interval (3 seconds), so set O(settle_timeout) longer than that.
  - Calls. One C(DescribeInstances) and one C(DescribeAddresses) side by side (two of the former if O(nodes) names some
    nodes by instance and some not). On each node, all nodes at once, a login, C(hanode), then C(lbvserver),
    C(csvserver), C(ipset_nsip_binding) and C(ipset_nsip6_binding) side by side, and a logout. While O(settle_timeout)
    lasts, C(hanode) again about ten times a second.
  - Needs the rights C(ec2:DescribeInstances) and C(ec2:DescribeAddresses), for VIPs that tags C(cloudadc:vip:<name>) of
    the instances name C(ec2:DescribeNetworkInterfaces) and, for routes, C(ec2:DescribeRouteTables).
options:
  group:
    description:
      - The group whose instances (tag C(cloudadc:group)) are the nodes. One of this and O(nodes) is required.
    type: str
  nodes:
    description:
      - The nodes, if they are not all instances of O(group).
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - The management address of the node, with C(:port) where it is not O(nitro_port).
        type: str
        required: true
      instance_id:
        description:
          - Its instance. By default the one with the private address O(nodes[].nsip).
        type: str
  elastic_ips:
    description:
      - The Elastic IPs of the pair, public addresses or allocation ids (C(eipalloc-...)).
      - By default those tagged with C(cloudadc:group) of O(group) and C(cloudadc:role=client); without O(group),
        those on the client interfaces of the nodes.
    type: list
    elements: str
  nitro_port:
    description:
      - Port of NITRO. By default that of O(nitro_protocol).
    type: int
  probe_timeout:
    description:
      - Seconds after which a node that has not answered counts as silent.
    type: float
    default: 1.0
  settle_timeout:
    description:
      - Seconds to wait for exactly one primary, for example during the dead interval of the other node, and until it is
        certain that a silent node serves no clients.
    type: float
    default: 0
extends_documentation_fragment:
  - cloudadc.aws.nitro.session_and_aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes.read_only
  - cloudadc.aws.attributes.action_group_aws_and_nitro
notes:
  - O(save_config) has no effect, because nothing is written. It is accepted for use in
    C(module_defaults).
author:
  - The cloudadc.aws contributors (@cloudadc)
seealso:
  - module: cloudadc.aws.eip_failover
  - module: cloudadc.aws.vpx_ha_node
"""

EXAMPLES = r"""
- name: Gather the HA status
  cloudadc.aws.vpx_ha_info:
    group: shop
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    settle_timeout: 10
  register: pair

- name: Move the Elastic IPs to the primary
  cloudadc.aws.eip_failover:
    moves: "{{ pair.moves }}"
  when: pair.primary is not none
"""

RETURN = r"""
nodes:
  description: One entry per node, by node id, or in the order of O(nodes).
  returned: success
  type: list
  elements: dict
  contains:
    node_id: {type: int, description: "By the tag C(cloudadc:node_id); else its place in the list.", sample: 0}
    instance_id: {type: str, description: "Its instance, or null.", sample: i-0123456789abcdef0}
    instance_state: {type: str, description: "State of the instance in EC2, or null.", sample: running}
    nsip: {type: str, description: "Its management address.", sample: 10.0.1.10}
    reachable: {type: bool, description: "Whether it answered, also with a refusal.", sample: true}
    claim: {type: str, description: "The role that it reports; null without an answer.", sample: Primary}
    node_state: {type: str, description: "The state that it reports.", sample: UP}
    sync_state: {type: str, description: "The synchronisation state that it reports.", sample: SUCCESS}
    peer: {type: str, description: "The address of its peer, or null.", sample: 10.0.2.10}
    peer_state: {type: str, description: "The role of its peer that it reports.", sample: Secondary}
    inc: {type: bool, description: "Whether it runs with independent network configuration.", sample: true}
    client:
      description: Its client interface.
      type: dict
      sample: {"network_interface_id": "eni-0123456789abcdef0", "private_ip_addresses": ["10.0.11.10"]}
    served_addresses:
      description: The addresses of virtual servers with an IPSet, and of these IPSets, on this node.
      type: list
      sample: ["10.0.11.10", "10.0.12.10"]
    served_known: {type: bool, description: "Whether RV(nodes[].served_addresses) was read.", sample: true}
    error: {type: str, description: "The error of its query, or null.", sample: null}
primary:
  description: The index in RV(nodes) of the one primary; null if there is not exactly one.
  returned: success
  type: int
  sample: 0
verdict:
  description: The primary, and the role that each node reports.
  returned: success
  type: str
  sample: "node 0 is primary: node 0 (10.0.1.10) says Primary; node 1 (10.0.2.10) says Secondary"
healthy:
  description: Whether one is primary and one secondary, both up, paired, and synchronised.
  returned: success
  type: bool
  sample: true
elastic_ips:
  description: The Elastic IPs of the pair and their associations (null without one).
  returned: success
  type: list
  elements: dict
  sample:
    - elastic_ip: 203.0.113.10
      allocation_id: eipalloc-0123456789abcdef0
      network_interface_id: eni-0123456789abcdef0
      private_ip_address: 10.0.11.10
moves:
  description:
    - The desired association of every Elastic IP, on the client interface of the primary, in the form of
      O(cloudadc.aws.eip_failover#module:moves). Empty if there is no primary, or if it is not certain that the Elastic
      IPs may be moved.
    - The k-th private address of one node corresponds to the k-th of the other; k is the index of the present address
      of the Elastic IP, or else the index of the Elastic IP in the list.
  returned: success
  type: list
  elements: dict
  sample:
    - elastic_ip: 203.0.113.10
      network_interface_id: eni-0123456789abcdef0
      private_ip_address: 10.0.11.10
vips:
  description:
    - The VIPs of the pair that are no Elastic IPs. C(before) is the present place, C(after) the one on the primary, and
      C(changed) says whether they differ. Empty if there is no primary.
  returned: success
  type: list
  elements: dict
  sample: []
address_moves:
  description:
    - The desired places of everything that follows the primary, Elastic IPs among them, in the form of option C(moves)
      of M(cloudadc.aws.vpx_address_failover). Empty like RV(moves).
  returned: success
  type: list
  elements: dict
  sample:
    - kind: elastic_ip
      elastic_ip: 203.0.113.10
      network_interface_id: eni-0123456789abcdef0
      private_ip_address: 10.0.11.10
"""

from typing import Any

from ..module_utils.aws import ec2 as api
from ..module_utils.aws import tags as t
from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.addresses import parse_addresses
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.instances import Instance, parse_instances
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.core.nitro_wire import parse_address
from ..module_utils.core.parallel import gather
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import nitro_argument_spec, probe_from, require_requests, require_usable
from ..module_utils.reconcile import pair_associations
from ..module_utils.reconcile.pair_claims import claim_result
from ..module_utils.reconcile.pair_observation import observe_vips
from ..module_utils.reconcile.pair_probe import Panel, ProbeTimeouts, Target
from ..module_utils.reconcile.pair_repair import Observation, observe
from ..module_utils.reconcile.pair_vips import PairAttachments, own_nodes, pick_addresses, vips_of_nodes
from ..module_utils.reconcile.pair_writes import results as predicted
from ..module_utils.reconcile.pins import learn_pins
from ..module_utils.spec.vips import ELASTIC_IP


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        "group": {"type": "str"},
        "nodes": {
            "type": "list",
            "elements": "dict",
            "options": {"nsip": {"type": "str", "required": True}, "instance_id": {"type": "str"}},
        },
        "elastic_ips": {"type": "list", "elements": "str"},
        "nitro_port": {"type": "int"},
        "probe_timeout": {"type": "float", "default": 1.0},
        "settle_timeout": {"type": "float", "default": 0},
    }


def read_aws(client: Client, params: dict[str, Any]) -> tuple[list[pair_associations.Node], PairAttachments]:
    """Read the nodes and the Elastic IPs in one round trip, and what VIPs of other kinds need in a second one."""
    given = params["nodes"]
    hosts = [parse_address(entry["nsip"])[0] for entry in given or []]
    searches = [{f"tag:{t.GROUP}": params["group"]}] if not given else _searches(given, hosts)
    described = gather(
        [lambda: api.describe_addresses(client)]
        + [lambda search=search: api.describe_instances(client, search) for search in searches]  # type: ignore[misc]
    )
    addresses, instances = (
        parse_addresses(described[0]),
        parse_instances(item for part in described[1:] for item in part),
    )
    nodes = _nodes(params, hosts, instances)
    vips = vips_of_nodes(nodes)
    nodes = list(own_nodes(nodes, vips))
    own = pick_addresses(addresses, params["elastic_ips"], params["group"] or None, nodes, vips)
    ids = tuple(address.allocation_id for address in own)
    return nodes, PairAttachments(tuple(addresses), ids, vips, observe_vips(client, nodes, vips))


def _searches(given: list[dict[str, Any]], hosts: list[str]) -> list[dict[str, list[str]]]:
    """Return filters that find the instances of all nodes; one DescribeInstances cannot ask for an id or an address."""
    ids = sorted({entry["instance_id"] for entry in given if entry["instance_id"]})
    rest = sorted({host for entry, host in zip(given, hosts, strict=True) if not entry["instance_id"]})
    by_id = [{"instance-id": ids}] if ids else []
    return by_id + ([{"network-interface.addresses.private-ip-address": rest}] if rest else [])


def _nodes(params: dict[str, Any], hosts: list[str], instances: list[Instance]) -> list[pair_associations.Node]:
    if params["nodes"]:
        return pair_associations.nodes_as_given(params["nodes"], hosts, instances)
    return pair_associations.nodes_of_group(instances, params["group"])


def targets(params: dict[str, Any], nodes: list[pair_associations.Node]) -> list[Target]:
    asked = [entry["nsip"] for entry in params["nodes"] or []] or [node.nsip for node in nodes]
    return [
        Target(node.name, node.nsip, "" if node.idle else endpoint(nsip, params["nitro_port"]), node.idle)
        for node, nsip in zip(nodes, asked, strict=True)
    ]


def endpoint(nsip: str, port: int | None) -> str:
    """Where to connect: the port of the address itself, else ``port``, else (None) that of the protocol."""
    host, own_port = parse_address(nsip)
    at = f"[{host}]" if ":" in host else host
    return f"{at}:{own_port or port}" if own_port or port else at


def ask(params: dict[str, Any], nodes: list[pair_associations.Node], attached: PairAttachments) -> Observation:
    """Read the appliances."""
    timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])

    def client(nsip: str) -> NitroClient:
        return probe_from(params, nsip, params["probe_timeout"])

    with Panel(targets(params, nodes), client, timeouts) as panel:
        return panel.settle(lambda claims: observe(nodes, attached, claims))


def result(
    module: Any, nodes: list[pair_associations.Node], attached: PairAttachments, found: Observation
) -> dict[str, Any]:
    addresses, entries = attached.own_addresses, []
    for node, claim in zip(nodes, found.claims, strict=True):
        others = [other for other in found.claims if other is not claim]
        entries.append({**node.result(), **claim_result(claim, others)})
    primary = found.verdict.primary
    if primary is not None:
        homeless = [str(address) for address in addresses if address.allocation_id not in found.holders]
        if homeless:
            module.warn(f"{nodes[primary].name} has no client address left for Elastic IP {', '.join(homeless)}")
    return {
        "changed": False,
        "nodes": entries,
        "primary": primary,
        "verdict": "; ".join([found.verdict.message, *found.doubts]),
        "healthy": found.verdict.healthy,
        "elastic_ips": [pair_associations.address_result(address) for address in addresses],
        "moves": [] if found.doubts else pair_associations.moves_to(found.holders, addresses),
        "vips": predicted([change for change in found.changes if change.kind != ELASTIC_IP], []),
        "address_moves": [] if found.doubts else [target.move for target in found.targets],
    }


def work(module: Any) -> dict[str, Any]:
    """Return the result of the module. Raises Failure."""
    require_requests(module)
    params = module.params
    if not (params["group"] or params["nodes"]):
        raise Refusal("one of the following is required: group, nodes")
    require_usable(params)
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    options = {"read_timeout": 10, "verify": params["aws_ca_bundle"] or True}
    client = connect_accounts(module, connect(module, "ec2", **options), **options)
    nodes, attached = read_aws(client, params)
    learn_pins(params, pair_associations.tagged(nodes))
    return result(module, nodes, attached, ask(params, nodes, attached))


def main() -> None:
    run(argument_spec(), work, required_one_of=[["group", "nodes"]])


if __name__ == "__main__":
    main()
