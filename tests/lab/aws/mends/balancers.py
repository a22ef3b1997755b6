"""Network load balancers have nodes: one interface a zone, with a private and, internet-facing, a public address.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html:
- SubnetMappings or Subnets, not both; ``AllocationId`` gives a zone's node an Elastic IP (internet-facing only),
  ``PrivateIPv4Address`` its private address (internal only);
- a new load balancer is ``provisioning`` for a while, then ``active``; the same name again is the same load balancer
  if nothing differs, and refused (DuplicateLoadBalancerName) if something does;
- DescribeLoadBalancers tells the static addresses (LoadBalancerAddresses).
Zones are enabled and disabled at any time by the whole list of subnets; the interface of a subnet that is not named any
more is deleted (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html).
Deleting one frees its Elastic IPs and removes its interfaces; its target groups are not in use any more.
moto has no nodes and no addresses, and keeps no name unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.ec2.utils import random_eip_association_id
from moto.elbv2.exceptions import ELBClientError, LoadBalancerNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.addresses import Holding, by_allocation, put
from tests.lab.aws.mends.interfaces import public_addresses
from tests.lab.aws.mends.patch import replaces, replaces_property


@dataclass(frozen=True, slots=True)
class Node:
    """A load balancer's end in one zone."""

    zone: str
    subnet_id: str
    interface: Any
    private_ip: str
    public_ip: str | None
    allocation_id: str | None


_create = ELBv2Backend.create_load_balancer


@replaces(ELBv2Backend, "create_load_balancer")
def create_load_balancer(
    backend: Any,
    name: str,
    security_groups: list[str],
    subnet_ids: list[str],
    subnet_mappings: list[dict[str, str]] | None = None,
    scheme: str | None = None,
    **kwargs: Any,
) -> Any:
    scheme = scheme or "internet-facing"
    mappings = list(subnet_mappings or [{"SubnetId": subnet_id} for subnet_id in subnet_ids])
    asked = (scheme, kwargs.get("loadbalancer_type"), sorted(security_groups), sorted(map(str, mappings)))
    for other in backend.load_balancers.values():
        if other.name == name:
            if other.lab_asked == asked:
                return other
            raise ELBClientError("DuplicateLoadBalancerName", f"A load balancer with the name '{name}' already exists")
    _check(backend, scheme, subnet_ids, mappings, bool(subnet_mappings))
    balancer = _create(backend, name, security_groups, subnet_ids, subnet_mappings, scheme=scheme, **kwargs)
    balancer.lab_asked = asked
    balancer.lab_active_at = ground().now() + ground().settings.provisioning
    balancer.dns_name = f"{name}-{balancer.arn.rpartition('/')[2]}.elb.{backend.region_name}.amazonaws.com"
    balancer.lab_nodes = [_node(backend, balancer, mapping) for mapping in mappings]
    return balancer


def _check(backend: Any, scheme: str, subnet_ids: list[str], mappings: list[dict[str, str]], mapped: bool) -> None:
    if subnet_ids and mapped:
        raise ELBClientError("ValidationError", "You can specify either subnets or subnet mappings, not both")
    zones = [backend.ec2_backend.get_subnet(mapping["SubnetId"]).availability_zone for mapping in mappings]
    if len(set(zones)) < len(zones):
        raise ELBClientError("InvalidConfigurationRequest", "A load balancer cannot have two subnets in one zone")
    for mapping in mappings:
        allocation_id = mapping.get("AllocationId")
        if not allocation_id:
            continue
        if scheme != "internet-facing":
            raise ELBClientError(
                "InvalidConfigurationRequest",
                "An Elastic IP address needs an internet-facing load balancer",
            )
        known = {elastic.allocation_id: elastic for elastic in backend.ec2_backend.addresses}
        if allocation_id not in known:
            raise ELBClientError("AllocationIdNotFound", f"The allocation ID '{allocation_id}' does not exist")
        if known[allocation_id].lab_holding:
            raise ELBClientError("ResourceInUse", f"The allocation ID '{allocation_id}' is already in use")


def _node(backend: Any, balancer: Any, mapping: dict[str, str]) -> Node:
    ec2 = backend.ec2_backend
    interface = ec2.create_network_interface(
        mapping["SubnetId"],
        mapping.get("PrivateIPv4Address"),
        group_ids=list(balancer.security_groups or []),
        description=f"ELB net/{balancer.name}/{balancer.arn.rpartition('/')[2]}",
    )
    if not balancer.security_groups:
        interface._group_set = []
    interface.interface_type, interface.requester_managed = "network_load_balancer", True
    interface.status = "in-use"
    allocation_id, public_ip = mapping.get("AllocationId"), None
    if allocation_id:
        elastic = by_allocation(ec2, allocation_id)
        put(elastic, Holding(interface, interface.private_ip_address, random_eip_association_id()))
        public_ip = str(elastic.public_ip)
    elif balancer.scheme == "internet-facing":
        public_ip = ground().public.take(public_addresses(ec2))
        interface.public_ip = public_ip
    return Node(
        zone=interface.subnet.availability_zone,
        subnet_id=interface.subnet.id,
        interface=interface,
        private_ip=interface.private_ip_address,
        public_ip=public_ip,
        allocation_id=allocation_id,
    )


@replaces(ELBv2Backend, "set_subnets")
def set_subnets(
    backend: Any, arn: str, subnet_ids: list[str], subnet_mappings: list[dict[str, str]]
) -> list[AvailabilityZone]:
    balancer = backend.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    mappings = list(subnet_mappings or [{"SubnetId": subnet_id} for subnet_id in subnet_ids])
    present = {node.subnet_id: node for node in balancer.lab_nodes}
    named = {mapping["SubnetId"] for mapping in mappings}
    new = [mapping for mapping in mappings if mapping["SubnetId"] not in present]
    _check(backend, balancer.scheme, subnet_ids, new, bool(subnet_mappings))
    for subnet_id, node in present.items():
        if subnet_id not in named:
            backend.ec2_backend.delete_network_interface(node.interface.id)
    balancer.lab_nodes = [present.get(mapping["SubnetId"]) or _node(backend, balancer, mapping) for mapping in mappings]
    balancer.subnets = [backend.ec2_backend.get_subnet(mapping["SubnetId"]) for mapping in mappings]
    scheme, kind, groups, _mappings = balancer.lab_asked
    balancer.lab_asked = (scheme, kind, groups, sorted(map(str, mappings)))
    return [AvailabilityZone(subnet) for subnet in balancer.subnets]


@replaces_property(FakeLoadBalancer, "availability_zones")
def availability_zones(balancer: Any) -> list[dict[str, Any]]:
    return [
        {"ZoneName": node.zone, "SubnetId": node.subnet_id, "LoadBalancerAddresses": _addresses(node)}
        for node in balancer.lab_nodes
    ]


def _addresses(node: Node) -> list[dict[str, str]]:
    """Static addresses are told where the caller chose them."""
    return [{"IpAddress": str(node.public_ip), "AllocationId": node.allocation_id}] if node.allocation_id else []


@replaces_property(FakeLoadBalancer, "state", settable=True)
def state(balancer: Any) -> str:
    return "active" if ground().now() >= balancer.__dict__.get("lab_active_at", float("inf")) else "provisioning"


@replaces(FakeLoadBalancer, "activate")
def activate(_ignored: Any) -> None:
    """Time does that here."""


@replaces(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(backend: Any, arn: str) -> None:
    balancer = backend.load_balancers.get(arn)
    if balancer is None:
        return
    if balancer.attrs.get("deletion_protection.enabled") == "true":
        raise ELBClientError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    del backend.load_balancers[arn]
    for node in balancer.lab_nodes:
        backend.ec2_backend.delete_network_interface(node.interface.id)
    for group in backend.target_groups.values():
        if arn in group.load_balancer_arns:
            group.load_balancer_arns = [other for other in group.load_balancer_arns if other != arn]
