"""What is left of a group in the lab: ``python -m tests.left_over LAB_DIR GROUP`` prints it as JSON, {} for nothing."""

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
    reservations = ec2.describe_instances(Filters=tagged)["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    found: dict[str, list[str]] = {
        "instances": [i["InstanceId"] for i in instances if i["State"]["Name"] != "terminated"],
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
    return {kind: ids for kind, ids in found.items() if ids}


def _ids(reply: dict[str, Any], kind: str, name: str) -> list[str]:
    return [str(item[name]) for item in reply[kind]]


if __name__ == "__main__":
    print(json.dumps(left_over(LabClient(Path(sys.argv[1])), sys.argv[2])))
