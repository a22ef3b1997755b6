#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_instance
version_added: 0.1.0
short_description: Manage fixed-size sets of VPX instances, with their interfaces and Elastic IPs
description:
  - Manages sets of NetScaler VPX instances. A set is identified by the tags C(cloudadc:group), C(cloudadc:kind),
    C(cloudadc:zone) and C(cloudadc:node_id) of its instances. No state on the controller is needed, and a run completes
    an interrupted one.
  - Instances, interfaces and Elastic IPs of the same name that carry another kind are refused by name before the first
    write. Resources of an earlier release carry no kind; with O(state=present) they get the tag of the kind if nothing
    of the other kind has the name, with a warning.
  - All missing instances are launched by one C(RunInstances), all of them or none, with up to three interfaces
    each. The order of the devices is management (0), client (1), server (2), because a VPX derives their roles from it.
    The request carries a client token that is derived from the set and its instances, so that repeating an interrupted
    run does not launch twice.
  - Surplus instances are terminated. First those whose C(cloudadc:lifecycle) is not C(in_service), then those with the
    highest C(cloudadc:node_id) (one without a node id counts as highest), then the newest.
  - Instances, interfaces, volumes and Elastic IPs are tagged with the set's tags, O(tags), C(Name) and
    C(cloudadc:created_by=vpx_instance); interfaces and Elastic IPs also with C(cloudadc:role); new instances with
    C(cloudadc:lifecycle=provisioning), which becomes C(joining) as soon as they run. Other tags are not changed.
  - Right before C(TerminateInstances) the instances are read again. An instance that belongs to another owner, or is no
    longer marked for O(event), is refused. If the lifecycle of a surplus instance has changed, the surplus is selected
    again.
  - Refused before the first write are an unknown image, instance type, subnet or security group; an instance type
    with too few interfaces or addresses; a management interface that shares its subnet with another one; subnets in
    different zones or VPCs; and an insufficient quota of Elastic IPs.
  - Calls. Sets in the desired state need three parallel reads (C(DescribeInstances), C(DescribeNetworkInterfaces),
    C(DescribeAddresses)) and no write, for any number of sets. Launching instances of a set needs one C(RunInstances),
    after up to five more parallel reads, one C(DescribeInstances) per poll while they start,
    one C(CreateTags) per role, and one for the lifecycle.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeNetworkInterfaces), C(ec2:DescribeAddresses); to launch
    also C(ec2:RunInstances), C(ec2:CreateTags), C(ec2:DescribeImages), C(ec2:DescribeInstanceTypes),
    C(ec2:DescribeSubnets), C(ec2:DescribeSecurityGroups) and, with an instance profile, C(iam:PassRole); with Elastic
    IPs also C(ec2:AllocateAddress), C(ec2:AssociateAddress), C(ec2:ReleaseAddress) and, to check the quota,
    C(ec2:DescribeAccountAttributes); and C(ec2:ModifyNetworkInterfaceAttribute), C(ec2:StartInstances),
    C(ec2:StopInstances), C(ec2:TerminateInstances), C(ec2:DeleteNetworkInterface) for the corresponding changes.
options:
  state:
    description:
      - V(present) converges the set to O(count) instances and sets their interfaces' settings, tags and Elastic IPs.
      - V(absent) terminates the set and removes the Elastic IPs and interfaces that this module created for it. With
        O(instance_ids), those without an instance of the set.
      - V(started) and V(stopped) start and stop existing instances; they neither launch nor terminate.
    type: str
    choices: [present, absent, started, stopped]
    default: present
  group:
    description:
      - The name of the HA pair or autoscale group the set belongs to.
    type: str
    required: true
  kind:
    description:
      - Whether O(group) is the name of an HA pair or of an autoscale group.
      - By default the kind of the instances of that name; without instances nothing is tagged with a kind.
    type: str
    choices: [pair, group]
    version_added: 0.2.0
  zone:
    description:
      - The zone of the group; usually an availability zone, and then the subnets must be in it.
      - Without it the set is the whole group, and new instances are tagged with the availability zone of their subnets.
    type: str
  node_id:
    description:
      - The number of the only node of the set. An HA pair consists of two such sets.
    type: int
  count:
    description:
      - Desired number of live instances (pending, running, stopping or stopped).
    type: int
    default: 1
  terminate_surplus:
    description:
      - Whether O(state=present) terminates instances beyond O(count). With V(false) they are kept, and RV(surplus)
        lists them. Terminate instances by O(instance_ids) then.
    type: bool
    default: true
    version_added: 0.2.0
  lifecycle:
    description:
      - The lifecycle (tag C(cloudadc:lifecycle)) of O(instance_ids), or of all instances of the set.
      - The lifecycle of an instance only advances in the order V(provisioning), V(joining), V(in_service), V(draining),
        V(terminating). An instance with a later lifecycle keeps it.
    type: str
    choices: [provisioning, joining, in_service, draining, terminating, spare]
    version_added: 0.2.0
  sets:
    description:
      - Several sets of O(group), instead of the one of the options. They are read together, checked before the first
        write, and changed in parallel. An entry overrides the module's options of the same names.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      zone:
        description: As O(zone).
        type: str
      node_id:
        description: As O(node_id).
        type: int
      count:
        description: As O(count).
        type: int
      number_nodes:
        description: As O(number_nodes).
        type: bool
      instance_ids:
        description: As O(instance_ids).
        type: list
        elements: str
      lifecycle:
        description: As O(lifecycle).
        type: str
        choices: [provisioning, joining, in_service, draining, terminating, spare]
      image_id:
        description: As O(image_id).
        type: str
      instance_type:
        description: As O(instance_type).
        type: str
      interfaces:
        description: As O(interfaces).
        type: list
        elements: dict
        suboptions:
          role:
            description: As O(interfaces[].role).
            type: str
            choices: [management, client, server]
            required: true
          subnet_id:
            description: As O(interfaces[].subnet_id).
            type: str
            required: true
          security_groups:
            description: As O(interfaces[].security_groups).
            type: list
            elements: str
          private_ip_address:
            description: As O(interfaces[].private_ip_address).
            type: str
          secondary_private_ip_count:
            description: As O(interfaces[].secondary_private_ip_count).
            type: int
            default: 0
          elastic_ip:
            description: As O(interfaces[].elastic_ip).
            type: bool
            default: false
          source_dest_check:
            description: As O(interfaces[].source_dest_check).
            type: bool
      user_data:
        description: As O(user_data).
        type: str
      tags:
        description: As O(tags).
        type: dict
      client_token:
        description: As O(client_token).
        type: str
  number_nodes:
    description:
      - Whether every instance of the set that has no C(cloudadc:node_id) yet gets the lowest free number of the set,
        the oldest instance first.
    type: bool
    default: false
  instance_ids:
    description:
      - Change only these instances of the set, none if the list is empty. With O(state=present) no instance is launched
        or terminated then.
    type: list
    elements: str
  image_id:
    description:
      - The VPX image of new instances. Required if one has to be launched.
    type: str
  instance_type:
    description:
      - The type of new instances.
    type: str
    default: m5.xlarge
  interfaces:
    description:
      - The interfaces of each instance, one for each role, in any order. Required if an instance has to be launched.
    type: list
    elements: dict
    suboptions:
      role:
        description:
          - Role of the interface. A VPX must have a V(management) interface.
        type: str
        choices: [management, client, server]
        required: true
      subnet_id:
        description:
          - Its subnet. All subnets must be in one zone, and management in a separate one.
        type: str
        required: true
      security_groups:
        description:
          - The ids of its security groups. Changed on existing instances too. Default is the VPC's default group.
        type: list
        elements: str
      private_ip_address:
        description:
          - Its primary private address; only where a single instance is launched.
        type: str
      secondary_private_ip_count:
        description:
          - Number of secondary private addresses at launch. They are never changed later.
        type: int
        default: 0
      elastic_ip:
        description:
          - Whether its primary private address has an Elastic IP. An associated one is kept; else an orphaned one of an
            earlier run is used; else one is allocated.
        type: bool
        default: false
      source_dest_check:
        description:
          - Whether EC2 drops traffic that is neither from nor to one of its addresses. Not changed by default.
        type: bool
  iam_instance_profile:
    description:
      - Name or ARN of the instance profile, with which the appliance can move Elastic IPs itself.
      - An instance that has none gets it as well, because without its rights an appliance moves no address at a
        failover.
    type: str
  key_name:
    description:
      - The key pair of new instances.
    type: str
  user_data:
    description:
      - The user data of new instances, for example C(NS-PRE-BOOT-CONFIG).
    type: str
  tags:
    description:
      - More tags for instances and their interfaces, also existing ones, and for new volumes and Elastic IPs.
    type: dict
  client_token:
    description:
      - The client token of RunInstances, for example the id of a scaling event. By default it is derived.
    type: str
  encrypt_volumes:
    description:
      - Whether the volumes of new instances are encrypted, with the account's default key.
    type: bool
    default: true
  http_tokens:
    description:
      - Whether the instance metadata service of new instances requires session tokens (IMDSv2). A VPX before release
        13.1-48 reads its user data only with V(optional).
    type: str
    choices: [required, optional]
    default: required
  metadata_hop_limit:
    description:
      - How many network hops an answer of the instance metadata service of new instances may make, from 1 to 64. Left
        out, it is what image and account say, and AWS's default of 1 otherwise, which is enough for a VPX.
    type: int
    version_added: 0.2.0
  wait:
    description:
      - Whether to wait until the instances are in the desired state. The module always waits for Elastic IPs, because
        they can be associated only after the start of an instance, and released only after its termination.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds for all waits together.
    type: int
    default: 600
extends_documentation_fragment:
  - cloudadc.aws.event
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Launch the first node of an HA pair, with a public management address
  cloudadc.aws.vpx_instance:
    group: shop
    node_id: 0
    image_id: ami-0123456789abcdef0
    iam_instance_profile: shop-vpx
    interfaces:
      - role: management
        subnet_id: subnet-0aaaaaaaaaaaaaaaa
        security_groups: [sg-0aaaaaaaaaaaaaaaa]
        elastic_ip: true
      - role: client
        subnet_id: subnet-0bbbbbbbbbbbbbbbb
        security_groups: [sg-0bbbbbbbbbbbbbbbb]
      - role: server
        subnet_id: subnet-0cccccccccccccccc
        security_groups: [sg-0cccccccccccccccc]
        source_dest_check: false

- name: Launch three nodes of an autoscale group in one zone
  cloudadc.aws.vpx_instance:
    group: shop
    zone: eu-west-1a
    count: 3
    image_id: ami-0123456789abcdef0
    interfaces:
      - {role: management, subnet_id: subnet-0aaaaaaaaaaaaaaaa}
      - {role: client, subnet_id: subnet-0bbbbbbbbbbbbbbbb}
      - {role: server, subnet_id: subnet-0cccccccccccccccc}
    client_token: scale-out-4711

- name: Launch the nodes of a group in two zones in parallel; keep a surplus
  cloudadc.aws.vpx_instance:
    kind: group
    group: shop
    image_id: ami-0123456789abcdef0
    number_nodes: true
    terminate_surplus: false
    sets:
      - zone: eu-west-1a
        count: 2
        interfaces:
          - {role: management, subnet_id: subnet-0aaaaaaaaaaaaaaaa}
          - {role: client, subnet_id: subnet-0bbbbbbbbbbbbbbbb}
          - {role: server, subnet_id: subnet-0cccccccccccccccc}
      - zone: eu-west-1b
        count: 2
        interfaces:
          - {role: management, subnet_id: subnet-0dddddddddddddddd}
          - {role: client, subnet_id: subnet-0eeeeeeeeeeeeeeee}
          - {role: server, subnet_id: subnet-0ffffffffffffffff}

- name: Mark nodes as in service
  cloudadc.aws.vpx_instance:
    kind: group
    group: shop
    zone: eu-west-1a
    instance_ids: [i-0123456789abcdef0]
    lifecycle: in_service

- name: Terminate the node that a scaling event removes
  cloudadc.aws.vpx_instance:
    state: absent
    kind: group
    group: shop
    zone: eu-west-1a
    instance_ids: [i-0123456789abcdef0]
    event:
      id: 0f2f7d1c
      takeover: 0
      store:
        path: /var/lib/cloudadc/records

- name: Remove the whole group, with its Elastic IPs
  cloudadc.aws.vpx_instance:
    state: absent
    kind: group
    group: shop
"""

RETURN = r"""
instances:
  description:
    - The live instances of the set (or those of O(instance_ids)), by node id and age, set after set. Empty with
      O(state=absent).
    - In check mode, a new one is listed with state C(planned) and null where AWS would decide.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {type: str, description: Its id., sample: i-0123456789abcdef0}
    state: {type: str, description: Its state., sample: running}
    availability_zone: {type: str, description: Where it runs., sample: eu-west-1a}
    lifecycle: {type: str, description: The value of its tag C(cloudadc:lifecycle)., sample: provisioning}
    node_id: {type: int, description: The value of its tag C(cloudadc:node_id)., sample: 0}
    tags: {type: dict, description: All its tags., sample: {"cloudadc:group": "shop"}}
    image_id: {type: str, description: The image that it was launched from., sample: ami-0123456789abcdef0}
    instance_type: {type: str, description: Its instance type., sample: m5.xlarge}
    launch_time: {type: str, description: When it was launched., sample: "2026-01-31T12:00:00+00:00"}
    interfaces:
      description: Its interfaces by role (V(management), V(client), V(server)).
      type: dict
      sample:
        client:
          network_interface_id: eni-0123456789abcdef0
          device_index: 1
          mac_address: 0a:1b:2c:3d:4e:5f
          private_ip_address: 10.0.2.10
          private_ip_addresses: [10.0.2.10]
          public_ip: null
          allocation_id: null
          subnet_id: subnet-0bbbbbbbbbbbbbbbb
          security_groups: [sg-0bbbbbbbbbbbbbbbb]
          source_dest_check: true
launched:
  description: The ids of the instances launched by this task; in check mode one placeholder for each.
  returned: always
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
terminated:
  description: The ids of the instances terminated by this task, or predicted in check mode.
  returned: always
  type: list
  elements: str
  sample: []
surplus:
  description: The ids of instances beyond O(count) that are kept because of O(terminate_surplus=false).
  returned: success
  type: list
  elements: str
  sample: []
  version_added: 0.2.0
actions:
  description: The writes (in check mode the predicted ones), one phrase each; also when the task fails after some.
  returned: always
  type: list
  elements: str
  sample: [launch i-0123456789abcdef0]
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.aws import tags as t
from ..module_utils.aws.client import connect
from ..module_utils.aws.instances import in_order, instance_result, profile_name
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.reconcile import instance_sets
from ..module_utils.reconcile.claims import claim_of, event_argument_spec, guarded
from ..module_utils.reconcile.instance_plan import (
    DesiredInterface,
    DesiredSet,
    ObservedSet,
    Plan,
    adopted,
    surplus,
    unreleased,
)
from ..module_utils.reconcile.instance_set import InstanceSet, Journal
from ..module_utils.reconcile.launch import LaunchSpec, in_device_order
from ..module_utils.spec.identity import KINDS, adoption_warning

INTERFACE = {
    "role": {"type": "str", "choices": ["management", "client", "server"], "required": True},
    "subnet_id": {"type": "str", "required": True},
    "security_groups": {"type": "list", "elements": "str"},
    "private_ip_address": {"type": "str"},
    "secondary_private_ip_count": {"type": "int", "default": 0},
    "elastic_ip": {"type": "bool", "default": False},
    "source_dest_check": {"type": "bool"},
}
#: Options that a set may have of its own.
OF_A_SET: dict[str, dict[str, Any]] = {
    "zone": {"type": "str"},
    "node_id": {"type": "int"},
    "count": {"type": "int"},
    "number_nodes": {"type": "bool"},
    "instance_ids": {"type": "list", "elements": "str"},
    "lifecycle": {"type": "str", "choices": list(t.LIFECYCLES)},
    "image_id": {"type": "str"},
    "instance_type": {"type": "str"},
    "interfaces": {"type": "list", "elements": "dict", "options": INTERFACE},
    # Boot configurations carry passwords.
    "user_data": {"type": "str", "no_log": True},
    "tags": {"type": "dict"},
    "client_token": {"type": "str", "no_log": False},
}
LAUNCH_SPEC = (
    "image_id",
    "instance_type",
    "iam_instance_profile",
    "key_name",
    "user_data",
    "encrypt_volumes",
    "http_tokens",
    "metadata_hop_limit",
)


def argument_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["present", "absent", "started", "stopped"], "default": "present"},
        "kind": {"type": "str", "choices": list(KINDS)},
        "group": {"type": "str", "required": True},
        **OF_A_SET,
        "count": {"type": "int", "default": 1},
        "number_nodes": {"type": "bool", "default": False},
        "instance_type": {"type": "str", "default": "m5.xlarge"},
        "terminate_surplus": {"type": "bool", "default": True},
        "event": event_argument_spec(),
        "sets": {"type": "list", "elements": "dict", "options": OF_A_SET},
        "iam_instance_profile": {"type": "str"},
        "key_name": {"type": "str", "no_log": False},
        "encrypt_volumes": {"type": "bool", "default": True},
        "http_tokens": {"type": "str", "choices": ["required", "optional"], "default": "required", "no_log": False},
        "metadata_hop_limit": {"type": "int"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
    }


def requested(params: Mapping[str, Any]) -> DesiredSet:
    """Return the set that the options describe; raises Refusal where they contradict each other."""
    if params["count"] < 0:
        raise Refusal(f"count is {params['count']}, but a set cannot have fewer than no instances")
    if params["metadata_hop_limit"] is not None and not 1 <= params["metadata_hop_limit"] <= 64:
        raise Refusal(f"metadata_hop_limit must be from 1 to 64, not {params['metadata_hop_limit']}")
    if params["node_id"] is not None and params["count"] > 1:
        raise Refusal(f"node_id {params['node_id']} names one node, so count cannot be {params['count']}")
    ids = params["instance_ids"]
    if params["number_nodes"] and (params["node_id"] is not None or ids is not None):
        raise Refusal("number_nodes numbers a whole set; it goes neither with node_id nor with instance_ids")
    desired = DesiredSet(
        state=params["state"],
        group=params["group"],
        zone=params["zone"],
        node_id=params["node_id"],
        count=params["count"],
        instance_ids=None if ids is None else tuple(ids),
        interfaces=in_device_order(DesiredInterface.from_option(item) for item in params["interfaces"] or []),
        tags={str(key): str(value) for key, value in (params["tags"] or {}).items()},
        number_nodes=params["number_nodes"],
        kind=params["kind"],
        terminate_surplus=params["terminate_surplus"],
        lifecycle=params["lifecycle"],
        event=params["event"]["id"] if params["event"] else None,
        profile=profile_name(params["iam_instance_profile"] or "") or None,
    )
    _refuse_tags(desired)
    return desired


def _refuse_tags(desired: DesiredSet) -> None:
    """Refuse user tags that contradict an option."""
    options = {**desired.identity, **({t.LIFECYCLE: desired.lifecycle} if desired.lifecycle else {})}
    for key in (t.GROUP, t.KIND, t.ZONE, t.NODE_ID, *([t.LIFECYCLE] if desired.lifecycle else [])):
        if key in desired.tags and desired.tags[key] != options.get(key):
            raise Refusal(f"tag {key} is set by an option of its own, but tags has {desired.tags[key]!r}")


def sets_of(module: Any) -> list[InstanceSet]:
    """Return the sets that the options describe: the entries of ``sets``, or the one of the module's own options."""
    params = module.params
    entries = [{}] if params["sets"] is None else params["sets"]
    given = [{**params, **{key: value for key, value in each.items() if value is not None}} for each in entries]
    wants = [requested(each) for each in given]
    instance_sets.refuse_overlap(wants)
    claim = claim_of(module)
    client = guarded(connect(module, "ec2"), claim, ["TerminateInstances", "ReleaseAddress"])
    return [
        InstanceSet(
            desired=desired,
            client=client,
            launch_spec=LaunchSpec(**{key: each[key] for key in LAUNCH_SPEC}),
            wait=params["wait"],
            wait_timeout=params["wait_timeout"],
            warn=module.warn,
            token=each["client_token"],
            claim=claim,
        )
        for desired, each in zip(wants, given, strict=True)
    ]


def results(desired: DesiredSet, observed: ObservedSet, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    stay = [instance for instance in observed.live if instance.instance_id not in without]
    return [instance_result(item, desired.order, observed.interfaces, observed.addresses) for item in in_order(stay)]


def planned(desired: DesiredSet, names: list[str]) -> list[dict[str, Any]]:
    """Return instances that would be launched, in the shape of real ones, so that a play in check mode continues."""
    unknown: dict[str, Any] = {
        "network_interface_id": None,
        "mac_address": None,
        "private_ip_addresses": [],
        "public_ip": None,
        "allocation_id": None,
    }
    interfaces = {
        request.role: {
            **unknown,
            "device_index": index,
            "private_ip_address": request.private_ip_address,
            "subnet_id": request.subnet_id,
            "security_groups": list(request.security_groups or ()),
            "source_dest_check": request.source_dest_check is not False,
        }
        for index, request in enumerate(desired.interfaces)
    }
    shape = {
        "state": "planned",
        "availability_zone": desired.zone,
        "lifecycle": t.PROVISIONING,
        "node_id": desired.node_id,
        "tags": desired.common_tags(),
        "launch_time": None,
        "image_id": None,
        "instance_type": None,
        "interfaces": interfaces,
    }
    return [{"instance_id": name, **shape} for name in names]


def predict(sets: list[InstanceSet], observed: list[ObservedSet], plans: list[Plan]) -> dict[str, Any]:
    """Return what a run would do."""
    live: list[dict[str, Any]] = []
    launched: list[str] = []
    for each, state, plan in zip(sets, observed, plans, strict=True):
        names = [f"planned-{len(launched) + number}" for number in range(1, plan.launch + 1)]
        launched += names
        if each.desired.state != "absent":
            live += [*results(each.desired, state, plan.terminate), *planned(each.desired, names)]
    return {
        "changed": any(plan.writes for plan in plans),
        "instances": live,
        "launched": launched,
        "terminated": [name for plan in plans for name in plan.terminate],
        "actions": [message for plan in plans for message in plan.messages()],
    }


def journal_of(sets: list[InstanceSet]) -> dict[str, Any]:
    """Return what all sets have written so far."""
    whole = Journal()
    for each in sets:
        whole.launched += each.journal.launched
        whole.terminated += each.journal.terminated
        whole.actions += each.journal.actions
    return whole.result()


def carry_out(module: Any, sets: list[InstanceSet], observed: list[ObservedSet]) -> dict[str, Any]:
    """Change all sets until nothing differs; what is true now."""
    after = instance_sets.converge(sets, observed)
    live: list[dict[str, Any]] = []
    for each, state in zip(sets, after, strict=True):
        if each.desired.state != "absent":
            live += results(each.desired, state)
            continue
        for address in unreleased(each.desired, state):
            module.warn(
                f"Elastic IP {address} is kept: it serves {address.association}, which is not of {each.desired.name}"
            )
    return {"instances": live, **journal_of(sets)}


def work(module: Any, sets: list[InstanceSet]) -> dict[str, Any]:
    """Read, decide, act until nothing differs; what is true now, and the diff. Raises Failure.

    ``sets``: empty; filled with those that the options name, whose journals say what was written.
    """
    sets += sets_of(module)
    before = instance_sets.observe(sets)
    plans = instance_sets.plan(sets, before, lenient=module.check_mode)
    if module.params["state"] == "present":
        _warn_of_adoption(module, sets, before)
    result = predict(sets, before, plans) if module.check_mode else carry_out(module, sets, before)
    was = {
        item["instance_id"]: item["state"]
        for each, state in zip(sets, before, strict=True)
        for item in results(each.desired, state)
    }
    now = {item["instance_id"]: item["state"] for item in result["instances"]}
    done = {"actions": result["actions"]} if result["actions"] else {}
    return {
        **result,
        "surplus": [name for each, state in zip(sets, before, strict=True) for name in _kept(each.desired, state)],
        "diff": {"before": {"instances": was}, "after": {"instances": now, **done}},
    }


def _kept(desired: DesiredSet, observed: ObservedSet) -> tuple[str, ...]:
    exact = desired.state != "present" or desired.terminate_surplus or desired.instance_ids is not None
    return () if exact else surplus(observed.live, desired.count)


def _warn_of_adoption(module: Any, sets: list[InstanceSet], observed: list[ObservedSet]) -> None:
    found = {
        item.what: item for each, state in zip(sets, observed, strict=True) for item in adopted(each.desired, state)
    }
    warning = adoption_warning(sets[0].desired.owner, found.values()) if found else None
    if warning:
        module.warn(warning)


def main() -> None:
    sets: list[InstanceSet] = []
    run(
        argument_spec(),
        lambda module: work(module, sets),
        done=lambda: journal_of(sets),
        mutually_exclusive=[("sets", name) for name in ("zone", "node_id", "instance_ids", "client_token")],
    )


if __name__ == "__main__":
    main()
