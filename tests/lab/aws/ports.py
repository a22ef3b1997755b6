"""Ports of network load balancers: how many connections a target gets without client-IP preservation, and what
CloudWatch counts beyond.

Source: Elastic Load Balancing user guide, Network Load Balancers, target groups: "55,000 simultaneous connections or
about 55,000 connections per minute to each unique target (IP address and port)"; CloudWatch metrics:
PortAllocationErrorCount, by load balancer and zone, a figure a minute.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.elbv2.models import elbv2_backends

from tests.lab.aws.ground import Ground
from tests.lab.aws.mends.targets import address_of, forwarded_to, zone_of

PORTS = 55_000
NAMESPACE = "AWS/NetworkELB"
METRIC = "PortAllocationErrorCount"
TRANSLATED = ("TCP", "TLS")


def lacking(connections: float) -> int:
    """How many of the connections that a target has or should have get no port."""
    return max(0, int(connections) - PORTS)


def count_errors(ground: Ground) -> None:
    """Put the errors of this minute into CloudWatch, once for each load balancer and zone that ever had any.

    CloudWatch's minutes are those of this machine, because those who ask for figures give its time.
    """
    minute = int(time.time() // 60)
    for region, backend in list(elbv2_backends[DEFAULT_ACCOUNT_ID].items()):
        for balancer in backend.load_balancers.values():
            if balancer.type != "network":
                continue
            for zone, errors in _errors(ground, backend, balancer).items():
                key = (balancer.arn, zone)
                known = ground.port_errors.get(key)
                if known == minute or (known is None and not errors):
                    continue
                ground.port_errors[key] = minute
                _put(region, balancer.arn, zone, errors)


def _errors(ground: Ground, backend: Any, balancer: Any) -> Counter[str]:
    found: Counter[str] = Counter({node.zone: 0 for node in balancer.lab_nodes})
    for listener in balancer.listeners.values():
        for arn in forwarded_to(listener):
            group = backend.target_groups.get(arn)
            if group is None or not translates(group):
                continue
            for target in group.lab_targets.values():
                zone, address = zone_of(group, target), address_of(group, target)
                if zone in found and address:
                    found[str(zone)] += lacking(ground.connections_at(address))
    return found


def translates(group: Any) -> bool:
    """Whether targets see the load balancer's addresses (elbv2 model, ModifyTargetGroupAttributes)."""
    default = "false" if group.target_type == "ip" and group.protocol in TRANSLATED else "true"
    return bool(group.attributes.get("preserve_client_ip.enabled", default) != "true")


def _put(region: str, arn: str, zone: str, errors: int) -> None:
    dimensions = [
        {"Name": "AvailabilityZone", "Value": zone},
        {"Name": "LoadBalancer", "Value": arn.partition(":loadbalancer/")[2]},
    ]
    now = datetime.now(UTC).replace(tzinfo=None)  # as moto has the times of requests
    datum = {"MetricName": METRIC, "Value": errors, "Dimensions": dimensions, "Timestamp": now}
    cloudwatch_backends[DEFAULT_ACCOUNT_ID][region].put_metric_data(NAMESPACE, [datum])
