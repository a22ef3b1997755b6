"""Variables of role autoscale_group that are complete and right, for tests that change one thing."""

from __future__ import annotations

from typing import Any

ZONE = {
    "name": "eu-central-1a",
    "management_subnet_id": "subnet-m",
    "client_subnet_id": "subnet-c",
    "server_subnet_id": "subnet-s",
}
POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 75}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "min_nodes": 1,
    "max_nodes": 4,
}
WEB = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": "10.0.3.11", "port": 8080}]}


def variables(**changes: Any) -> dict[str, Any]:
    """Return the variables with ``changes``, whose names go without the prefix; None removes one."""
    given = {
        "name": "shop",
        "image_id": "ami-1",
        "zones": [ZONE],
        "password": "not-a-secret",
        "policy": POLICY,
        "store": {"type": "file", "path": "/var/lib/shop"},
        "applications": [WEB],
        **changes,
    }
    return {f"autoscale_group_{name}": value for name, value in given.items() if value is not None}
