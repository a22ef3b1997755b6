"""Plans and answers of AWS that the tables below vary."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.plan import Plan, read_plan

ROLES = ("management", "client", "server")
OPTIONS: dict[str, Any] = {
    "kind": "pair",
    "group": "shop",
    "image_id": "ami-1",
    "instance_type": "m5.xlarge",
    "key_name": None,
    "encrypt_volumes": True,
    "elastic_ips": 0,
    "given_addresses": [],
    "load_balancers": 0,
    "public_clients": True,
    "public_management": False,
    "management_cidrs": [],
    "nitro_port": 443,
    "reach": [],
    "return_path": None,
    "clustered": False,
    "back_ends": [],
    "backend_cidrs": [],
}


def zone(name: str = "eu-west-1a", instances: int = 1, **more: Any) -> dict[str, Any]:
    subnets = {f"{role}_subnet_id": f"subnet-{role}" for role in ROLES}
    return {"name": name, "instances": instances, "secondary_private_ip_count": 0, **subnets, **more}


def plan(*zones: dict[str, Any], **options: Any) -> Plan:
    return read_plan({**OPTIONS, "zones": list(zones) or [zone()], **options})


def subnet(role: str, **more: Any) -> dict[str, Any]:
    return {
        "SubnetId": f"subnet-{role}",
        "AvailabilityZone": "eu-west-1a",
        "VpcId": "vpc-1",
        "CidrBlock": "10.0.0.0/24",
        "AvailableIpAddressCount": 250,
        **more,
    }


def refusal(code: str, message: str = "no") -> AwsError:
    """Return what a call raises that AWS refused."""
    return AwsError("Failed to ask", ClientError({"Error": {"Code": code, "Message": message}}, "Ask"))
