"""RunInstances as EC2 does it: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html

- ``ClientToken``, at most 64 characters: the same request again gives the same answer, but for the state of the
  instances, also after their termination; another one with that token is refused (IdempotentParameterMismatch;
  https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html).
- Several interface specifications, with their subnets, groups, addresses and DeleteOnTermination, for any count; all in
  one zone; no more, and with no more addresses, than the instance type carries (AttachmentLimitExceeded,
  PrivateIpAddressLimitExceeded).
- TagSpecifications for instances, interfaces and volumes.
- What does not exist is refused before anything is made: image, subnet, group, instance profile, key pair.
- An image of the marketplace is for subscribers (OptInRequired), also in a dry run.

moto gives every instance of a reservation the same interfaces, ignores the token and tags no interface.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.instances import BLOCK_DEVICE_MAPPING_TEMPLATE, InstanceResponse
from moto.ec2.utils import convert_tag_spec, parse_user_data
from moto.iam.models import iam_backends

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.images import VPX_PRODUCT_CODE
from tests.lab.aws.mends.interfaces import addresses_in, check_address
from tests.lab.aws.mends.patch import replaces

_run = InstanceResponse.run_instances

LONGEST_TOKEN = 64

# moto says "pending" whatever the state; a repeated request must tell what has become of the instances.
EC2BaseResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.pop("RunInstances.Reservation.Instances.Instance.State", None)

_NOT_WITH_INTERFACES = {
    "SubnetId": "subnet ID",
    "SecurityGroupIds": "security groups",
    "PrivateIpAddress": "private address",
}


@dataclass(frozen=True, slots=True)
class InterfaceRequest:
    """One interface of every instance to launch; ``existing`` is one that is attached instead of made."""

    device_index: int
    subnet: Any
    groups: tuple[str, ...]
    addresses: tuple[str, ...]
    secondary_count: int
    delete_on_termination: bool
    description: str
    public: bool
    existing: Any


@replaces(InstanceResponse, "run_instances")
def run_instances(response: Any) -> Any:
    params = dict(response._get_params())
    if "LaunchTemplate" in params:
        return _run(response)
    backend = response.ec2_backend
    token = params.pop("ClientToken", None)
    if token and len(token) > LONGEST_TOKEN:
        raise refuse("InvalidParameterValue", f"The client token is longer than {LONGEST_TOKEN} characters")
    asked = json.dumps({k: v for k, v in params.items() if k != "DryRun"}, sort_keys=True, default=str)
    known = ground().launches.get((backend.region_name, token)) if token else None
    if known:
        if known[0] != asked:
            raise refuse("IdempotentParameterMismatch", "The client token has been used with different parameters.")
        return ActionResult(known[1])
    orders = plan(params, backend)
    profile = check_profile(params, backend)
    check_key(params, backend)
    check_subscription(params)
    response.error_on_dryrun()
    check_capacity(orders[0].subnet.availability_zone, params)
    reservation = launch(response, params, orders, profile, token)
    if token:
        answer = copy.copy(reservation)
        answer.instances = list(reservation.instances)
        ground().launches[(backend.region_name, token)] = (asked, answer)
    return ActionResult(reservation)


def check_subscription(params: dict[str, Any]) -> None:
    if params.get("ImageId") in ground().settings.unsubscribed:
        raise refuse(
            "OptInRequired",
            "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please "
            f"visit https://aws.amazon.com/marketplace/pp?sku={VPX_PRODUCT_CODE}",
        )


def plan(params: dict[str, Any], backend: Any) -> list[InterfaceRequest]:
    """What interfaces each instance gets; refuses what cannot be."""
    image_id, instance_type = params.get("ImageId"), params.get("InstanceType", "m1.small")
    if not image_id:
        raise refuse("MissingParameter", "The request must contain the parameter ImageId")
    backend.describe_images(ami_ids=[image_id])
    if instance_type not in INSTANCE_TYPES:
        raise refuse("InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType.")
    specifications = params.get("NetworkInterfaces") or []
    if specifications:
        for key, words in _NOT_WITH_INTERFACES.items():
            if params.get(key):
                raise refuse(
                    "InvalidParameterCombination",
                    f"Network interfaces and an instance-level {words} may not be specified on the same request",
                )
        orders = [_order(spec, params, backend) for spec in specifications]
    else:
        orders = [_order(_single(params), params, backend)]
    _check_together(orders, params, instance_type)
    return orders


def check_capacity(zone: str, params: dict[str, Any]) -> None:
    if zone in ground().settings.exhausted:
        kind = params.get("InstanceType", "m1.small")
        raise refuse(
            "InsufficientInstanceCapacity",
            f"We currently do not have sufficient {kind} capacity in the Availability "
            f"Zone you requested ({zone}). Our system will be working on provisioning additional capacity.",
        )


def _single(params: dict[str, Any]) -> dict[str, Any]:
    """A request without interface specifications, as one that has one."""
    single = {"DeviceIndex": 0, "SubnetId": params.get("SubnetId"), "Groups": params.get("SecurityGroupIds", [])}
    for key in ("PrivateIpAddress", "SecondaryPrivateIpAddressCount"):
        if key in params:
            single[key] = params[key]
    return single


def _order(spec: dict[str, Any], params: dict[str, Any], backend: Any) -> InterfaceRequest:
    existing = None
    if spec.get("NetworkInterfaceId"):
        existing = backend.get_network_interface(spec["NetworkInterfaceId"])
        if existing.instance is not None:
            raise refuse("InvalidNetworkInterface.InUse", f"Network interface '{existing.id}' is currently in use.")
    subnet = existing.subnet if existing else _subnet(spec.get("SubnetId"), params, backend)
    groups = tuple(spec.get("Groups") or ())
    for group_id in groups:
        _check_group(backend, group_id, subnet)
    return InterfaceRequest(
        device_index=int(spec.get("DeviceIndex", 0)),
        subnet=subnet,
        groups=groups,
        addresses=_addresses(spec, subnet, backend),
        secondary_count=int(spec.get("SecondaryPrivateIpAddressCount") or 0),
        delete_on_termination=bool(spec.get("DeleteOnTermination", existing is None)),
        description=spec.get("Description", ""),
        public=bool(spec.get("AssociatePublicIpAddress", subnet.map_public_ip_on_launch)),
        existing=existing,
    )


def _subnet(subnet_id: str | None, params: dict[str, Any], backend: Any) -> Any:
    if subnet_id:
        return backend.get_subnet(subnet_id)
    defaults = backend.get_default_subnets()
    zone = (params.get("Placement") or {}).get("AvailabilityZone") or min(defaults, default="")
    if zone not in defaults:
        raise refuse("MissingInput", f"No default subnet for availability zone: '{zone or backend.region_name}'.")
    return defaults[zone]


def _check_group(backend: Any, group_id: str, subnet: Any) -> None:
    group = backend.get_security_group_from_id(group_id)
    if group is None:
        raise refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    if group.vpc_id != subnet.vpc_id:
        raise refuse(
            "InvalidParameter", f"Security group {group_id} and subnet {subnet.id} belong to different networks."
        )


def _addresses(spec: dict[str, Any], subnet: Any, backend: Any) -> tuple[str, ...]:
    """The addresses a specification names, the primary first, checked against the subnet."""
    items = spec.get("PrivateIpAddresses") or []
    primary = spec.get("PrivateIpAddress") or next((i["PrivateIpAddress"] for i in items if i.get("Primary")), None)
    named = ([primary] if primary else []) + [i["PrivateIpAddress"] for i in items if i["PrivateIpAddress"] != primary]
    used = addresses_in(backend, subnet)
    return tuple(check_address(subnet, address, used) for address in named)


def _check_together(orders: list[InterfaceRequest], params: dict[str, Any], instance_type: str) -> None:
    count = int(params.get("MaxCount", 1))
    indices = sorted(order.device_index for order in orders)
    if indices != list(range(len(orders))):
        raise refuse("InvalidParameterValue", f"Device indices {indices} do not begin at 0 or are not consecutive")
    if count > 1 and any(order.addresses or order.existing for order in orders):
        raise refuse(
            "InvalidParameterCombination",
            "The number of instances to launch must be 1 when a private address or network interface is specified",
        )
    if len({order.subnet.availability_zone for order in orders}) > 1:
        raise refuse("InvalidParameterCombination", "All network interfaces must be in one availability zone")
    if len(orders) > 1 and any(o.public and o.existing is None for o in orders) and _asks_public(params):
        raise refuse(
            "InvalidParameterCombination",
            "The associatePublicIPAddress parameter cannot be specified when launching with "
            "multiple network interfaces.",
        )
    network = INSTANCE_TYPES[instance_type]["NetworkInfo"]
    if len(orders) > network["MaximumNetworkInterfaces"]:
        raise refuse("AttachmentLimitExceeded", f"Interface count {len(orders)} exceeds the limit for {instance_type}")
    most = max(max(len(o.addresses), 1) + o.secondary_count for o in orders)
    if most > network["Ipv4AddressesPerInterface"]:
        raise refuse(
            "PrivateIpAddressLimitExceeded", f"Number of private addresses will exceed limit for {instance_type}."
        )


def _asks_public(params: dict[str, Any]) -> bool:
    return any(spec.get("AssociatePublicIpAddress") for spec in params.get("NetworkInterfaces") or [])


def check_profile(params: dict[str, Any], backend: Any) -> Any:
    """The instance profile named, or None; EC2 refuses one that IAM does not have (yet), or that has no role.

    A profile that was just made is not known to EC2 at once:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html (eventual consistency).
    """
    desired = params.get("IamInstanceProfile") or {}
    if not desired:
        return None
    iam = iam_backends[backend.account_id][backend.partition]
    key = "Name" if "Name" in desired else "Arn"
    profile = next((p for p in iam.instance_profiles.values() if getattr(p, key.lower()) == desired[key]), None)
    young = profile is not None and ground().now() - profile.lab_made_at < ground().settings.profile_lag
    if profile is None or young:
        raise refuse(
            "InvalidParameterValue",
            f"Value ({desired[key]}) for parameter iamInstanceProfile.{key.lower()} is invalid. "
            f"Invalid IAM Instance Profile {'name' if key == 'Name' else 'ARN'}",
        )
    if not profile.roles:
        raise refuse("InvalidParameterValue", f'IAM Instance Profile "{profile.arn}" has no associated IAM Roles')
    return profile


def check_key(params: dict[str, Any], backend: Any) -> None:
    name = params.get("KeyName")
    if name and name not in backend.key_pairs:
        raise refuse("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")


def launch(
    response: Any, params: dict[str, Any], orders: list[InterfaceRequest], profile: Any, token: str | None
) -> Any:
    """Make the interfaces, then one instance after another; one reservation holds them all."""
    backend = response.ec2_backend
    tags = convert_tag_spec(params.get("TagSpecifications") or [])
    reservation = None
    for index in range(int(params.get("MaxCount", 1))):
        interfaces = [
            _make_interface(backend, order, tags.get("network-interface", {}), len(orders)) for order in orders
        ]
        made = backend.run_instances(
            params["ImageId"],
            1,
            parse_user_data(params.get("UserData")),
            [],
            **_details(params, backend, orders, interfaces, token),
            tags={"instance": tags.get("instance", {}), "volume": tags.get("volume", {})},
        )
        instance = made.instances[0]
        instance.ami_launch_index = index
        instance._placement.zone = orders[0].subnet.availability_zone
        instance.source_dest_check = True
        if profile is not None:
            backend.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_name=profile.name)
        if reservation is None:
            reservation = made
        else:
            reservation.instances.append(instance)
            del backend.reservations[made.id]
    return reservation


def _make_interface(backend: Any, order: InterfaceRequest, tags: dict[str, str], of: int) -> Any:
    if order.existing is not None:
        order.existing.delete_on_termination = order.delete_on_termination
        return order.existing
    return backend.create_network_interface(
        order.subnet,
        order.addresses[0] if order.addresses else None,
        list(order.addresses[1:]),
        group_ids=list(order.groups),
        description=order.description,
        tags=tags,
        delete_on_termination=order.delete_on_termination,
        device_index=order.device_index,
        secondary_ips_count=order.secondary_count,
        public_ip_auto_assign=order.public and of == 1,
    )


def _details(
    params: dict[str, Any], backend: Any, orders: list[InterfaceRequest], interfaces: list[Any], token: str | None
) -> dict[str, Any]:
    """moto's keyword arguments for one instance."""
    return {
        "instance_type": params.get("InstanceType", "m1.small"),
        "is_instance_type_default": not params.get("InstanceType"),
        "placement": orders[0].subnet.availability_zone,
        "region_name": backend.region_name,
        "key_name": params.get("KeyName"),
        "security_group_ids": [],
        "nics": [
            {"DeviceIndex": order.device_index, "NetworkInterfaceId": interface.id}
            for order, interface in zip(orders, interfaces, strict=True)
        ],
        "ebs_optimized": params.get("EbsOptimized") or False,
        "disable_api_termination": params.get("DisableApiTermination") or False,
        "disable_api_stop": params.get("DisableApiStop") or False,
        "instance_initiated_shutdown_behavior": params.get("InstanceInitiatedShutdownBehavior"),
        "monitoring_state": "enabled" if (params.get("Monitoring") or {}).get("Enabled") else "disabled",
        "metadata_options": params.get("MetadataOptions") or {},
        "client_token": token or "",
        "block_device_mappings": _volumes(params, backend),
    }


def _volumes(params: dict[str, Any], backend: Any) -> list[dict[str, Any]]:
    """The volumes of one instance: the image's root volume, as the request may have changed it, and what it adds.

    Root volumes go with the instance unless told otherwise, added ones stay
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html).
    """
    root = backend.amis[params["ImageId"]].root_device_name
    asked = {item.get("DeviceName"): item for item in params.get("BlockDeviceMappings") or []}
    volumes = []
    for name in dict.fromkeys([root, *asked]):
        item = asked.get(name, {})
        if "NoDevice" in item:
            continue
        ebs = item.get("Ebs") or {}
        default = {"VolumeSize": 15, "VolumeType": "gp3", "Encrypted": False, "DeleteOnTermination": name == root}
        template = dict(BLOCK_DEVICE_MAPPING_TEMPLATE, DeviceName=name, NoDevice=None)
        template["Ebs"] = {**BLOCK_DEVICE_MAPPING_TEMPLATE["Ebs"], **default, **ebs}
        volumes.append(template)
    return volumes
