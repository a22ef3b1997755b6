"""Everything in the lab's account as AWS describes it, and stable names for ids and addresses.

The account holds only the group under test and the seeded network. So everything is read, and nothing is looked up by a
tag or a name: resources that were left without either show up as well.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.lab.client import LabClient

Thing = dict[str, Any]
ALIVE = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True, slots=True)
class Inventory:
    """Descriptions as boto3 gives them. ``records``: name of a hosted zone → its record sets but NS and SOA;
    ``backups``: keys of all objects in S3.
    """

    instances: list[Thing]
    interfaces: list[Thing]
    volumes: list[Thing]
    addresses: list[Thing]
    groups: list[Thing]
    balancers: list[Thing]
    listeners: list[Thing]
    target_groups: list[Thing]
    targets: dict[str, list[Thing]]
    records: dict[str, list[Thing]]
    scaled: list[Thing]
    routes: list[Thing]
    backups: list[str]
    items: dict[str, list[Thing]]


def read_inventory(lab: LabClient) -> Inventory:
    """Read the whole account."""
    ec2, elb = lab.boto("ec2"), lab.boto("elbv2")
    live = [{"Name": "instance-state-name", "Values": list(ALIVE)}]
    reservations = ec2.describe_instances(Filters=live)["Reservations"]
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    target_groups = elb.describe_target_groups()["TargetGroups"]
    return Inventory(
        instances=sorted((i for r in reservations for i in r["Instances"]), key=_place),
        interfaces=ec2.describe_network_interfaces()["NetworkInterfaces"],
        volumes=ec2.describe_volumes()["Volumes"],
        addresses=sorted(ec2.describe_addresses()["Addresses"], key=lambda address: str(address["PublicIp"])),
        groups=ec2.describe_security_groups()["SecurityGroups"],
        balancers=[_tagged(elb, one, "LoadBalancerArn") for one in balancers],
        listeners=[
            _tagged(elb, listener, "ListenerArn")
            for one in balancers
            for listener in elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
        ],
        target_groups=[_tagged(elb, one, "TargetGroupArn") for one in target_groups],
        targets={
            one["TargetGroupArn"]: elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
            for one in target_groups
        },
        records=_records(lab.boto("route53")),
        scaled=lab.boto("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        routes=ec2.describe_route_tables()["RouteTables"],
        backups=_objects(lab.boto("s3")),
        items=_items(lab.boto("dynamodb")),
    )


def tags_of(thing: Thing) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or []}


def node_name(instance: Thing) -> str:
    """Return the stable name of a node: its number in its zone, if the group has zones."""
    tags = tags_of(instance)
    zone, number = tags.get("cloudadc:zone"), tags.get("cloudadc:node_id")
    return f"node {number} in {zone}" if zone else f"node {number}"


def names_of(inventory: Inventory) -> dict[str, str]:
    """Map ids and addresses to stable names."""
    names: dict[str, str] = {}
    for instance in inventory.instances:
        names |= _names_of_node(instance, f"{node_name(instance)}")
    for balancer in inventory.balancers:
        names |= _names_of_balancer(balancer)
    for interface in inventory.interfaces:
        if interface.get("InterfaceType") == "network_load_balancer":
            end = f"<end of {interface['Description'].split('/')[1]} in {interface['AvailabilityZone']}>"
            names |= {interface["NetworkInterfaceId"]: end, interface["PrivateIpAddress"]: f"{end[:-1]}, address>"}
            if public := interface.get("Association", {}).get("PublicIp"):
                names[public] = f"{end[:-1]}, public address>"  # unless it is an Elastic IP: see below
    for group in inventory.target_groups:
        names[group["TargetGroupArn"]] = f"<target group {group['TargetGroupName']}>"
    for group in inventory.groups:
        names[group["GroupId"]] = f"<group {group['GroupName']} of {group['VpcId']}>"
    return names | _names_of_addresses(inventory, names)


def _names_of_node(instance: Thing, association: str) -> dict[str, str]:
    names = {instance["InstanceId"]: f"<{association}>"}
    for interface in instance["NetworkInterfaces"]:
        role = f"<{association}, interface {interface['Attachment']['DeviceIndex']}"
        names[interface["NetworkInterfaceId"]] = f"{role}>"
        for place, address in enumerate(interface["PrivateIpAddresses"]):
            names[address["PrivateIpAddress"]] = f"{role}, address {place}>"
    return names


def _names_of_balancer(balancer: Thing) -> dict[str, str]:
    name = balancer["LoadBalancerName"]
    host = balancer["DNSName"].lower()
    return {
        balancer["LoadBalancerArn"]: f"<load balancer {name}>",
        balancer["DNSName"]: f"<host name of {name}>",
        host: f"<host name of {name}>",
        f"{host}.": f"<host name of {name}>",
        f"dualstack.{host}.": f"<host name of {name}>",
    }


def _names_of_addresses(inventory: Inventory, known: dict[str, str]) -> dict[str, str]:
    """Name Elastic IPs by their association, idle ones by their tags: the order of allocation says nothing."""
    names: dict[str, str] = {}
    observed: Counter[str] = Counter()
    for address in inventory.addresses:
        interface = str(address.get("NetworkInterfaceId") or "")
        place = known.get(interface, interface) if interface else json.dumps(tags_of(address), sort_keys=True)
        observed[place] += 1
        number = f" no. {observed[place]}" if observed[place] > 1 else ""
        names[address["PublicIp"]] = f"<elastic IP{number} of {place}>"
        names[address["AllocationId"]] = f"<allocation{number} of {place}>"
    return names


def _place(instance: Thing) -> tuple[str, str, str]:
    tags = tags_of(instance)
    return tags.get("cloudadc:zone", ""), tags.get("cloudadc:node_id", ""), instance["InstanceId"]


def _tagged(elb: Any, thing: Thing, arn: str) -> Thing:
    """Return the description with tags and attributes, which Elastic Load Balancing describes in calls of their own."""
    described = elb.describe_tags(ResourceArns=[thing[arn]])["TagDescriptions"][0]["Tags"]
    attributes: list[Thing] = []
    if arn == "LoadBalancerArn":
        attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=thing[arn])["Attributes"]
    elif arn == "TargetGroupArn":
        attributes = elb.describe_target_group_attributes(TargetGroupArn=thing[arn])["Attributes"]
    return {**thing, "Tags": described, "Attributes": {one["Key"]: one["Value"] for one in attributes}}


def _records(route53: Any) -> dict[str, list[Thing]]:
    """Return the record sets by hosted zone, with what their health checks ask; all checks are a zone of their own."""
    checks = {one["Id"]: one["HealthCheckConfig"] for one in route53.list_health_checks()["HealthChecks"]}
    return {
        "health checks": sorted(checks.values(), key=str),
        **{
            zone["Name"]: [
                {**record, "HealthCheckId": checks.get(record["HealthCheckId"])}
                if "HealthCheckId" in record
                else record
                for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
                for record in page["ResourceRecordSets"]
                if record["Type"] not in ("NS", "SOA")
            ]
            for zone in route53.list_hosted_zones()["HostedZones"]
        },
    }


def _items(dynamodb: Any) -> dict[str, list[Thing]]:
    return {name: dynamodb.scan(TableName=name)["Items"] for name in dynamodb.list_tables()["TableNames"]}


def _objects(s3: Any) -> list[str]:
    """Return the keys of all objects in all buckets."""
    return [
        one["Key"]
        for bucket in s3.list_buckets()["Buckets"]
        for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
    ]
