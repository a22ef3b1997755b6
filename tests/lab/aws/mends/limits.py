"""Quotas of Service Quotas that moto does not know, or knows as a constant, as the lab's account has them.

Codes: the links of the quotas in https://docs.aws.amazon.com/general/latest/gr/vpc-service.html (network interfaces),
https://docs.aws.amazon.com/general/latest/gr/elb.html (Network Load Balancers) and
https://docs.aws.amazon.com/general/latest/gr/ec2-service.html (standard On-Demand instances, in vCPUs).
"""

from __future__ import annotations

from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend

from tests.lab.aws.ground import ground
from tests.lab.aws.mends import quotas
from tests.lab.aws.mends.patch import replaces

# (service, code) → name, and the lab's setting.
LIMITS = {
    ("vpc", "L-DF5E4CA3"): ("Network interfaces per Region", "interface_quota"),
    ("elasticloadbalancing", "L-69A177A2"): ("Network Load Balancers per Region", "balancer_quota"),
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "vcpu_quota"),
}

_get = quotas.get_service_quota


@replaces(ServiceQuotasBackend, "get_service_quota")
def get_service_quota(backend: Any, service_code: str, quota_code: str) -> Any:
    found = LIMITS.get((service_code, quota_code))
    if found is None:
        return _get(backend, service_code, quota_code)
    name, setting = found
    where = f"{backend.region_name}:{backend.account_id}:{service_code}/{quota_code}"
    return {
        "ServiceCode": service_code,
        "QuotaArn": f"arn:{backend.partition}:servicequotas:{where}",
        "QuotaCode": quota_code,
        "QuotaName": name,
        "Value": float(getattr(ground().settings, setting)),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
