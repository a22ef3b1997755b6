"""How clients get to an autoscale group, as AWS tells it: ``python -m tests.ways LAB_DIR GROUP`` prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab.client import LabClient


def ways(lab: LabClient, group: str) -> dict[str, Any]:
    """``address``: the static one in the first zone; ``ports`` of the listeners; ``targets``: state by address:port."""
    elb = lab.boto("elbv2")
    [balancer] = elb.describe_load_balancers(Names=[group])["LoadBalancers"]
    zones = sorted(balancer["AvailabilityZones"], key=lambda zone: zone["ZoneName"])
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    targets = {}
    for item in elb.describe_target_groups()["TargetGroups"]:
        for health in elb.describe_target_health(TargetGroupArn=item["TargetGroupArn"])["TargetHealthDescriptions"]:
            targets[f"{health['Target']['Id']}:{health['Target']['Port']}"] = health["TargetHealth"]["State"]
    return {
        "address": zones[0]["LoadBalancerAddresses"][0]["IpAddress"],
        "ports": sorted(item["Port"] for item in listeners),
        "targets": targets,
    }


if __name__ == "__main__":
    print(json.dumps(ways(LabClient(Path(sys.argv[1])), sys.argv[2])))
