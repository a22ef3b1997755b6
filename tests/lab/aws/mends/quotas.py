"""The Elastic IP quota, as the two services that know it say it.

DescribeAccountAttributes: ``vpc-max-elastic-ips`` (only the attributes asked for; moto gives all, and 5 always;
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html). Service Quotas: quota
L-0263D0A3 of service ec2, "EC2-VPC Elastic IPs" (https://docs.aws.amazon.com/general/latest/gr/ec2-service.html).
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.account_attributes import AccountAttributes
from moto.servicequotas.models import ServiceQuotasBackend

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.patch import replaces

ELASTIC_IPS = "L-0263D0A3"
DEFAULT_QUOTA = 5


@replaces(AccountAttributes, "describe_account_attributes")
def describe_account_attributes(response: Any) -> Any:
    response.error_on_dryrun()
    quota = ground().settings.eip_quota
    known = {
        "supported-platforms": "VPC",
        "vpc-max-security-groups-per-interface": "5",
        "max-elastic-ips": str(quota),
        "max-instances": "20",
        "vpc-max-elastic-ips": str(quota),
        "default-vpc": response.ec2_backend.default_vpc.id,
    }
    desired = response._get_param("AttributeNames", []) or list(known)
    return ActionResult(
        {
            "AccountAttributes": [
                {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]}
                for name, value in known.items()
                if name in desired
            ]
        }
    )


def _quota(backend: Any, value: int) -> dict[str, Any]:
    where = f"{backend.region_name}:{backend.account_id}:ec2/{ELASTIC_IPS}"
    return {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": f"arn:{backend.partition}:servicequotas:{where}",
        "QuotaCode": ELASTIC_IPS,
        "QuotaName": "EC2-VPC Elastic IPs",
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


_get = ServiceQuotasBackend.get_service_quota
_list = ServiceQuotasBackend.list_aws_default_service_quotas


@replaces(ServiceQuotasBackend, "get_service_quota")
def get_service_quota(backend: Any, service_code: str, quota_code: str) -> Any:
    if (service_code, quota_code) == ("ec2", ELASTIC_IPS):
        return _quota(backend, ground().settings.eip_quota)
    return _get(backend, service_code, quota_code)


@replaces(ServiceQuotasBackend, "list_aws_default_service_quotas")
def list_aws_default_service_quotas(backend: Any, service_code: str) -> Any:
    return [_quota(backend, DEFAULT_QUOTA)] if service_code == "ec2" else _list(backend, service_code)
