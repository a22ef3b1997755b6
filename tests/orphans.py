"""What is left of a group in the lab: ``python -m tests.orphans LAB_DIR GROUP`` prints it as JSON, {} for nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab.client import LabClient


def left_over(lab: LabClient, group: str) -> dict[str, list[str]]:
    """Ids of what carries the group's tag, or its name where AWS has no tags to search by, by kind."""
    ec2, iam = lab.boto("ec2"), lab.boto("iam")
    tagged = [{"Name": "tag:cloudadc:group", "Values": [group]}]
    found: dict[str, list[str]] = {
        "instances": _nodes(lab, group),
        "interfaces": _ids(ec2.describe_network_interfaces(Filters=tagged), "NetworkInterfaces", "NetworkInterfaceId"),
        "volumes": _ids(ec2.describe_volumes(Filters=tagged), "Volumes", "VolumeId"),
        "elastic IPs": _ids(ec2.describe_addresses(Filters=tagged), "Addresses", "AllocationId"),
        "security groups": [
            g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"].startswith(group)
        ],
        "roles": [r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].startswith(group)],
        "instance profiles": [
            p["InstanceProfileName"]
            for p in iam.list_instance_profiles()["InstanceProfiles"]
            if p["InstanceProfileName"].startswith(group)
        ],
    }
    found |= _distributed(lab, group) | {"devices": _devices(lab, group), "store records": _records(lab, group)}
    return {kind: ids for kind, ids in found.items() if ids}


def _nodes(lab: LabClient, group: str) -> list[str]:
    tagged = [{"Name": "tag:cloudadc:group", "Values": [group]}]
    reservations = lab.boto("ec2").describe_instances(Filters=tagged)["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    return [instance["InstanceId"] for instance in instances if instance["State"]["Name"] != "terminated"]


def _distributed(lab: LabClient, group: str) -> dict[str, list[str]]:
    """What leads clients to the group. A record of a node is the group's if its node is no other group's."""
    reservations = lab.boto("ec2").describe_instances()["Reservations"]
    others = {i["InstanceId"] for r in reservations for i in r["Instances"] if i["State"]["Name"] != "terminated"}
    others -= set(_nodes(lab, group))
    elb, route53 = lab.boto("elbv2"), lab.boto("route53")
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    target_groups = elb.describe_target_groups()["TargetGroups"]
    return {
        "load balancers": [one["LoadBalancerName"] for one in balancers if one["LoadBalancerName"].startswith(group)],
        "target groups": [one["TargetGroupName"] for one in target_groups if one["TargetGroupName"].startswith(group)],
        "records": [
            record["Name"]
            for zone in route53.list_hosted_zones()["HostedZones"]
            for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
            if ("SetIdentifier" in record and record["SetIdentifier"] not in others)
            or record.get("AliasTarget", {}).get("DNSName", "").startswith(f"{group}-")
        ],
    }


def _devices(lab: LabClient, group: str) -> list[str]:
    """Return the group's addresses in the console: with names of its nodes, of its nodes, or unused."""
    mine = set(_nodes(lab, group))
    reservations = lab.boto("ec2").describe_instances()["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    others = {i.get("PrivateIpAddress") for i in instances if i["InstanceId"] not in mine}
    devices = (lab.state().get("adm") or {}).get("devices", [])
    return [
        str(device["ip_address"])
        for device in devices
        if str(device.get("hostname") or "").startswith(f"{group}-") or device["ip_address"] not in others
    ]


def _records(lab: LabClient, group: str) -> list[str]:
    """What is remembered of its zones, in tables and in the lab's own folder of records."""
    dynamodb = lab.boto("dynamodb")
    rows = [row for name in dynamodb.list_tables()["TableNames"] for row in dynamodb.scan(TableName=name)["Items"]]
    in_tables = [row["zone"]["S"] for row in rows if row.get("group", {}).get("S") == group]
    return in_tables + [path.name for path in (lab.directory / "store").glob(f"{group}@*.json")]


def _ids(reply: dict[str, Any], kind: str, name: str) -> list[str]:
    return [str(item[name]) for item in reply[kind]]


if __name__ == "__main__":
    print(json.dumps(left_over(LabClient(Path(sys.argv[1])), sys.argv[2])))
