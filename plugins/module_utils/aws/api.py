# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 calls, one function each and nothing else: the error handler outside, the retry inside, the reply's list out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.client import Client
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import aws_call

Described = list[dict[str, Any]]
Filters = Mapping[str, str | Sequence[str]]


def _filters(filters: Filters | None) -> dict[str, Any]:
    """The keyword Filters of a describe call; no filter, no keyword."""
    if not filters:
        return {}
    return {
        "Filters": ansible_dict_to_boto3_filter_list(
            {k: v if isinstance(v, str) else list(v) for k, v in filters.items()}
        )
    }


@aws_call("describe Elastic IPs")
def describe_addresses(client: Client, filters: Filters | None = None) -> Described:
    """DescribeAddresses: a whole region is one reply, it has no pages."""
    found: Described = client.describe_addresses(**_filters(filters))["Addresses"]
    return found


@aws_call("describe network interfaces")
def describe_network_interfaces(client: Client, filters: Filters | None = None) -> Described:
    """DescribeNetworkInterfaces, all pages."""
    pages = client.get_paginator("describe_network_interfaces").paginate(**_filters(filters))
    found: Described = pages.build_full_result()["NetworkInterfaces"]
    return found


@aws_call("associate {allocation_id} with {network_interface_id} ({private_ip_address})", delay=0.1)
def associate_address(client: Client, allocation_id: str, network_interface_id: str, private_ip_address: str) -> str:
    """AssociateAddress in one atomic step, whoever holds it now; the id of the new association.

    No DisassociateAddress before it: that would only widen the outage (EC2 API reference, AssociateAddress). Safe to
    repeat: the call is idempotent.
    """
    reply = client.associate_address(
        AllocationId=allocation_id,
        NetworkInterfaceId=network_interface_id,
        PrivateIpAddress=private_ip_address,
        AllowReassociation=True,
    )
    return str(reply.get("AssociationId", ""))
