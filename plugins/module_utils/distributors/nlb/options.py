# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the definition of a group to the options of nlb_adc_balancer and nlb_adc_listener. Pure."""

from __future__ import annotations

from ...spec.protocols import listener_protocol
from ..base import Application, Definition, Entry

#: AWS allows a deregistration delay of an hour at most (API reference, TargetGroupAttribute).
LONGEST_DELAY = 3600
#: What nlb_adc_listener assumes of a health check.
_CHECK = {"protocol": "TCP", "interval": 10, "healthy_threshold": 2, "unhealthy_threshold": 2}
_LISTENER_KEYS = ("certificate_arn", "ssl_policy", "preserve_client_ip", "connection_termination")


def carried(application: Application) -> str:
    """Return the protocol of the listener of an application."""
    return listener_protocol(application["protocol"], application["nlb_protocol"])


def deregistration_delay(definition: Definition) -> int:
    """Return the deregistration delay of target groups, in seconds."""
    minutes = float(definition["policy"].get("drain_timeout") or 10)
    return min(int(minutes * 60), LONGEST_DELAY)


def balancer_zones(definition: Definition) -> list[Entry]:
    """Return option ``zones`` of nlb_adc_balancer."""
    return [
        {
            "name": zone["name"],
            "subnet_id": zone["client_subnet_id"],
            "allocation_id": zone["nlb_allocation_id"] or None,
            "private_ip_address": zone["nlb_private_ip_address"] or None,
        }
        for zone in definition["zones"]
    ]


def listeners(definition: Definition) -> list[Entry]:
    """Return option ``listeners`` of nlb_adc_listener."""
    delay, found = deregistration_delay(definition), []
    for one in definition["applications"]:
        protocol = carried(one)
        listener = {
            "application": one["name"],
            "port": one["port"],
            "protocol": protocol,
            "deregistration_delay": delay,
            "health_check": {**_CHECK, **one["health_check"]},
            **{key: one[key] for key in _LISTENER_KEYS if one[key] not in (None, "")},
        }
        if protocol == "TLS":
            listener["target_protocol"] = "TLS" if one["protocol"] in ("SSL", "SSL_TCP") else "TCP"
        found.append(listener)
    return found
