# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53 calls, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]
Start = Mapping[str, str]

INVALID_BATCH = "InvalidChangeBatch"


@aws_call("look up the hosted zone {name}")
def list_hosted_zones_by_name(client: Client, name: str) -> Described:
    """ListHostedZonesByName from this name on, one page: zones of one name follow each other."""
    found: Described = client.list_hosted_zones_by_name(DNSName=name, MaxItems="100")["HostedZones"]
    return found


@aws_call("read hosted zone {zone_id}")
def get_hosted_zone(client: Client, zone_id: str) -> dict[str, Any]:
    """GetHostedZone."""
    found: dict[str, Any] = client.get_hosted_zone(Id=zone_id)["HostedZone"]
    return found


@aws_call("list record sets of hosted zone {zone_id}")
def list_record_sets(client: Client, zone_id: str, start: Start) -> tuple[Described, Start | None]:
    """ListResourceRecordSets, one page of at most 300 from ``start`` on, and where the next page starts."""
    reply = client.list_resource_record_sets(HostedZoneId=zone_id, **start)
    following = {
        f"StartRecord{part}": reply[f"NextRecord{part}"]
        for part in ("Name", "Type", "Identifier")
        if reply.get("IsTruncated") and reply.get(f"NextRecord{part}")
    }
    return reply["ResourceRecordSets"], following or None


@aws_call("change record sets of hosted zone {zone_id}", retry_on=("PriorRequestNotComplete",), retries=10, delay=0.5)
def change_record_sets(client: Client, zone_id: str, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """ChangeResourceRecordSets: all of the batch or nothing. ChangeInfo, with Id and Status.

    Route 53 carries out one batch of a zone at a time and refuses another one meanwhile: that passes.
    """
    batch = {"Comment": "cloudadc.aws", "Changes": list(changes)}
    found: dict[str, Any] = client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)["ChangeInfo"]
    return found


@aws_call("list health checks")
def list_health_checks(client: Client) -> Described:
    """ListHealthChecks, all pages: those of the whole account."""
    found: Described = client.get_paginator("list_health_checks").paginate().build_full_result()["HealthChecks"]
    return found


@aws_call("create a health check")
def create_health_check(client: Client, reference: str, config: Mapping[str, Any]) -> str:
    """CreateHealthCheck; the id. The same reference and configuration once more give the same check."""
    reply = client.create_health_check(CallerReference=reference, HealthCheckConfig=dict(config))
    return str(reply["HealthCheck"]["Id"])


@aws_call("delete health check {check_id}")
def delete_health_check(client: Client, check_id: str) -> None:
    """DeleteHealthCheck; one that is gone is deleted."""
    try:
        client.delete_health_check(HealthCheckId=check_id)
    except is_boto3_error_code("NoSuchHealthCheck"):
        return


@aws_call("read the status of change {change_id}")
def get_change(client: Client, change_id: str) -> str:
    """GetChange: PENDING, or INSYNC once every name server of Route 53 knows."""
    return str(client.get_change(Id=change_id)["ChangeInfo"]["Status"])
