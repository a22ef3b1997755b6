"""Elastic IPs: which private address holds which, with one truth for everything that describes it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html:
- the address goes to ``PrivateIpAddress`` of the interface, or to its primary one;
- "If the Elastic IP address is already associated with a different instance, it is disassociated from that instance and
  associated with the specified instance"; ``AllowReassociation=false`` refuses instead (Resource.AlreadyAssociated);
- "If you associate an Elastic IP address with an instance that has an existing Elastic IP address, the existing address
  is disassociated from the instance, but remains allocated": per private address, which holds one;
- an instance with more than one interface needs the interface to be named;
- "This is an idempotent operation."
Each move makes a new AssociationId. ReleaseAddress refuses an address in use (InvalidIPAddress.InUse:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html); AllocateAddress refuses beyond the
quota (AddressLimitExceeded). moto knows no private address, leaves the interface it came from pointing at the Elastic
IP, and has neither quota nor refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses
from moto.ec2.utils import add_tag_specification, random_eip_association_id

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.interfaces import public_addresses
from tests.lab.aws.mends.patch import replaces, replaces_property


@dataclass(frozen=True, slots=True)
class Holding:
    """An Elastic IP's place: an interface's private address, under the association that put it there."""

    interface: Any
    private_ip: str
    association_id: str


def _observed(elastic: Any) -> Holding | None:
    """The place as a Describe call sees it."""
    return ground().observed(f"eip:{elastic.allocation_id}", elastic.lab_holding)  # type: ignore[no-any-return]


_init = ElasticAddress.__init__


@replaces(ElasticAddress, "__init__")
def init_elastic_address(elastic: Any, backend: Any, domain: str, *args: Any, **kwargs: Any) -> None:
    elastic.lab_holding = None
    _init(elastic, backend, domain, *args, **kwargs)


def put(elastic: Any, holding: Holding | None) -> None:
    """Move an Elastic IP. What was true until now is what lagging readers still see."""
    ground().remember(f"eip:{elastic.allocation_id}", elastic.lab_holding)
    elastic.lab_holding = holding
    if holding:
        ground().associations.add(holding.association_id)


@replaces(ElasticAddress, "lab_detach")
def lab_detach(elastic: Any) -> None:
    put(elastic, None)


@replaces_property(ElasticAddress, "lab_private_ip")
def lab_private_ip(elastic: Any) -> str | None:
    return elastic.lab_holding.private_ip if elastic.lab_holding else None


@replaces_property(ElasticAddress, "eni", settable=True)
def eni(elastic: Any) -> Any:
    return elastic.lab_holding.interface if elastic.lab_holding else None


@replaces_property(ElasticAddress, "instance", settable=True)
def instance(elastic: Any) -> Any:
    return elastic.lab_holding.interface.instance if elastic.lab_holding else None


@replaces_property(ElasticAddress, "association_id", settable=True)
def association_id(elastic: Any) -> str | None:
    return elastic.lab_holding.association_id if elastic.lab_holding else None


@replaces(EC2Backend, "lab_elastic_at")
def lab_elastic_at(backend: Any, interface: Any, private_ip: str) -> Any:
    """The Elastic IP that a reader sees at this private address, or None."""
    for elastic in backend.addresses:
        holding = _observed(elastic)
        if holding and holding.interface is interface and holding.private_ip == private_ip:
            return elastic
    return None


@replaces(EC2Backend, "lab_association_of")
def lab_association_of(_ignored: Any, elastic: Any) -> str | None:
    holding = _observed(elastic)
    return holding.association_id if holding else None


def describe(elastic: Any) -> dict[str, Any]:
    """One item of DescribeAddresses: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html"""
    described = {
        "AllocationId": elastic.allocation_id,
        "PublicIp": elastic.public_ip,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": elastic.ec2_backend.region_name,
        "Tags": [{"Key": t["key"], "Value": t["value"]} for t in elastic.get_tags()],
    }
    holding = _observed(elastic)
    if holding:
        described |= {
            "AssociationId": holding.association_id,
            "NetworkInterfaceId": holding.interface.id,
            "NetworkInterfaceOwnerId": holding.interface.owner_id,
            "PrivateIpAddress": holding.private_ip,
        }
        if holding.interface.instance:
            described["InstanceId"] = holding.interface.instance.id
    return described


_FILTERS = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "domain": "Domain",
    "instance-id": "InstanceId",
    "network-border-group": "NetworkBorderGroup",
    "network-interface-id": "NetworkInterfaceId",
    "network-interface-owner-id": "NetworkInterfaceOwnerId",
    "private-ip-address": "PrivateIpAddress",
    "public-ip": "PublicIp",
}


@replaces(ElasticAddress, "get_filter_value")
def get_filter_value(elastic: Any, filter_name: str, method_name: str | None = None) -> Any:
    described = describe(elastic)
    if filter_name in _FILTERS:
        return described.get(_FILTERS[filter_name])
    return super(ElasticAddress, elastic).get_filter_value(filter_name, "DescribeAddresses")


@replaces(ElasticIPAddresses, "describe_addresses")
def describe_addresses(response: Any) -> Any:
    response.error_on_dryrun()
    backend = response.ec2_backend
    for allocation_id in response._get_param("AllocationIds", []):
        by_allocation(backend, allocation_id)
    for public_ip in response._get_param("PublicIps", []):
        by_public_ip(backend, public_ip)
    found = backend.describe_addresses(
        response._get_param("AllocationIds", []),
        response._get_param("PublicIps", []),
        response._filters_from_querystring(),
    )
    return ActionResult({"Addresses": [describe(elastic) for elastic in found]})


def by_allocation(backend: Any, allocation_id: str) -> Any:
    for elastic in backend.addresses:
        if elastic.allocation_id == allocation_id:
            return elastic
    raise refuse("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")


def by_public_ip(backend: Any, public_ip: str) -> Any:
    for elastic in backend.addresses:
        if elastic.public_ip == public_ip:
            return elastic
    raise refuse("InvalidAddress.NotFound", f"Address '{public_ip}' not found.")


def named_address(response: Any, missing: str) -> Any:
    """The Elastic IP that a request names by allocation or by public address."""
    allocation_id, public_ip = response._get_param("AllocationId"), response._get_param("PublicIp")
    if allocation_id and public_ip:
        raise refuse(
            "InvalidParameterCombination", "You may specify public IP or allocation id, but not both in the same call"
        )
    if allocation_id:
        return by_allocation(response.ec2_backend, allocation_id)
    if public_ip:
        return by_public_ip(response.ec2_backend, public_ip)
    raise refuse("MissingParameter", missing)


@replaces(ElasticIPAddresses, "allocate_address")
def allocate_address(response: Any) -> Any:
    backend = response.ec2_backend
    tags = add_tag_specification(response._get_param("TagSpecifications", []))
    if len(backend.addresses) >= ground().settings.eip_quota:
        raise refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    response.error_on_dryrun()
    public_ip = response._get_param("Address") or ground().public.take(public_addresses(backend))
    elastic = ElasticAddressBackend.allocate_address(backend, "vpc", address=public_ip, tags=tags)
    return ActionResult(
        {
            "PublicIp": elastic.public_ip,
            "AllocationId": elastic.allocation_id,
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": backend.region_name,
            "Domain": "vpc",
        }
    )


@replaces(ElasticIPAddresses, "associate_address")
def associate_address(response: Any) -> Any:
    backend = response.ec2_backend
    elastic = named_address(response, "Either public IP or allocation id must be specified")
    interface = _target_interface(response)
    private_ip = response._get_param("PrivateIpAddress") or interface.private_ip_address
    if private_ip not in {item["PrivateIpAddress"] for item in interface.private_ip_addresses}:
        raise refuse(
            "InvalidParameterValue",
            f"Invalid value '{private_ip}' for PrivateIpAddress. It is not assigned to interface {interface.id}",
        )
    here = elastic.lab_holding
    same = here is not None and here.interface is interface and here.private_ip == private_ip
    if here and not same and response._get_param("AllowReassociation") is False:
        raise refuse(
            "Resource.AlreadyAssociated",
            f"resource {elastic.allocation_id} is already associated with associate-id {here.association_id}",
        )
    response.error_on_dryrun()
    if not same:
        for other in backend.addresses:
            holding = other.lab_holding
            if holding and holding.interface is interface and holding.private_ip == private_ip:
                put(other, None)
        put(elastic, Holding(interface, private_ip, random_eip_association_id()))
    return ActionResult({"AssociationId": elastic.association_id})


def _target_interface(response: Any) -> Any:
    backend = response.ec2_backend
    interface_id, instance_id = response._get_param("NetworkInterfaceId"), response._get_param("InstanceId")
    if interface_id:
        return backend.get_network_interface(interface_id)
    if not instance_id:
        raise refuse("MissingParameter", "Either instance ID or network interface id must be specified")
    machine = backend.get_instance(instance_id)
    if machine.state not in ("running", "stopped"):
        raise refuse("InvalidInstanceID", f"The instance '{instance_id}' is not in a valid state for this operation.")
    if len(machine.nics) > 1:
        raise refuse(
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance_id}'. "
            "Please specify an interface ID for the operation instead.",
        )
    return machine.nics[0]


@replaces(ElasticIPAddresses, "disassociate_address")
def disassociate_address(response: Any) -> Any:
    """ "This is an idempotent operation. If you perform the operation more than once, Amazon EC2 doesn't return an
    error": https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateAddress.html
    An association that never was is refused; one that was replaced by a move is gone and moves nothing.
    """
    backend = response.ec2_backend
    association, public_ip = response._get_param("AssociationId"), response._get_param("PublicIp")
    if not association and not public_ip:
        raise refuse("MissingParameter", "Either public IP or association id must be specified")
    elastic = by_public_ip(backend, public_ip) if public_ip else None
    if association:
        elastic = next((item for item in backend.addresses if item.association_id == association), None)
        gone = association in ground().associations and not ground().settings.strict_associations
        if elastic is None and not gone:
            raise refuse("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
    response.error_on_dryrun()
    if elastic is not None and elastic.lab_holding:
        put(elastic, None)
    return EmptyResult()


@replaces(ElasticIPAddresses, "release_address")
def release_address(response: Any) -> Any:
    elastic = named_address(response, "Either public IP or allocation id must be specified")
    if elastic.lab_holding:
        raise refuse("InvalidIPAddress.InUse", f"Address {elastic.public_ip} is in use.")
    response.error_on_dryrun()
    response.ec2_backend.addresses.remove(elastic)
    response.ec2_backend.tags.pop(elastic.allocation_id, None)
    return EmptyResult()


@replaces(ElasticAddressBackend, "associate_address")
def associate_for_others(
    backend: Any,
    instance: Any = None,
    eni: Any = None,
    address: str | None = None,
    allocation_id: str | None = None,
    reassociate: bool = False,
) -> Any:
    """What moto's other services (NAT gateways) call."""
    elastic = by_public_ip(backend, address) if address else by_allocation(backend, allocation_id or "")
    interface = eni or instance.nics[0]
    put(elastic, Holding(interface, interface.private_ip_address, random_eip_association_id()))
    return elastic


@replaces(ElasticAddressBackend, "disassociate_address")
def disassociate_for_others(backend: Any, address: str | None = None, association_id: str | None = None) -> None:
    """What moto's other services call."""
    for elastic in backend.addresses:
        if elastic.lab_holding and (elastic.public_ip == address or elastic.association_id == association_id):
            put(elastic, None)
