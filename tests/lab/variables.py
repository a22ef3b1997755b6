"""Complete variables for the playbooks against the seeded network, as a user would write them for an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.lab.backends import Backend
from tests.lab.files import Whereabouts
from tests.lab.seed import DOMAIN, Seed


def ha_pair(where: Whereabouts, seed: Seed, backends: Sequence[Backend], port: int) -> dict[str, Any]:
    """For ``ha_pair`` and ``ha_failover`` alike: a pair across the first two zones, a web application on ``port``."""
    return {
        "ha_pair_name": "lab-pair",
        "ha_pair_state": "present",
        "ha_pair_region": seed.region,
        "ha_pair_image_id": seed.image_id,
        "ha_pair_instance_type": "m5.xlarge",
        "ha_pair_key_name": seed.key_name,
        "ha_pair_nodes": [_node(roles) for roles in list(seed.subnets.values())[:2]],
        "ha_pair_nitro_user": "nsroot",
        "ha_pair_password": where.password,
        "ha_pair_rpc_password": where.rpc_password,
        "ha_pair_nitro_port": where.nitro_port,
        "ha_pair_validate_certs": True,
        "ha_pair_ca_path": str(where.ca_path),
        # The controller reaches the lab from 127.0.0.1, clients come from anywhere.
        "ha_pair_management_cidrs": ["127.0.0.1/32"],
        "ha_pair_client_cidrs": ["0.0.0.0/0"],
        "ha_pair_elastic_ips": [],
        "ha_pair_features": ["LB", "SSL"],
        "ha_pair_ipset": "lab-pair-vips",
        "ha_pair_application": {
            "name": "lab-web",
            "protocol": "HTTP",
            "port": port,
            "backends": [{"address": backend.address, "port": backend.port} for backend in backends],
        },
        "ha_pair_tags": {"purpose": "lab"},
        "ha_failover_name": "lab-pair",
    }


def autoscale_group(
    where: Whereabouts, seed: Seed, backends: Sequence[Backend], port: int, distributor: str
) -> dict[str, Any]:
    """For ``autoscale_group``, ``application``, ``autoscale``, ``scale_out`` and ``scale_in`` alike: independent
    nodes in two zones, a web application on ``port``. ``distributor``: nlb or dns.
    """
    by_dns = distributor == "dns"
    return {
        "autoscale_group_name": f"lab-group-{distributor}",
        "autoscale_group_state": "present",
        "autoscale_group_region": seed.region,
        "autoscale_group_topology": "independent",
        "autoscale_group_distributor": distributor,
        "autoscale_group_zones": [{"name": zone, **_node(roles)} for zone, roles in list(seed.subnets.items())[:2]],
        "autoscale_group_image_id": seed.image_id,
        "autoscale_group_instance_type": "m5.xlarge",
        "autoscale_group_key_name": seed.key_name,
        "autoscale_group_nitro_user": "nsroot",
        "autoscale_group_password": where.password,
        "autoscale_group_nitro_port": where.nitro_port,
        "autoscale_group_validate_certs": True,
        "autoscale_group_ca_path": str(where.ca_path),
        # The controller reaches the lab from 127.0.0.1, clients come from anywhere.
        "autoscale_group_management_cidrs": ["127.0.0.1/32"],
        "autoscale_group_client_cidrs": ["0.0.0.0/0"],
        "autoscale_group_features": ["LB", "SSL"],
        "autoscale_group_policy": {
            "metrics": {"memory": {"min": 40, "max": 85}},
            "watch_time": 3,
            "cooldown": 10,
            "drain_timeout": 10,
            **({"ttl": 60} if by_dns else {}),
            "min_nodes": 1,
            "max_nodes": 4,
            "step": 1,
        },
        "autoscale_group_store": {"type": "file", "path": str(where.directory / "store")},
        "autoscale_group_applications": [
            {
                "name": "web",
                "protocol": "HTTP",
                "port": port,
                "backends": [{"address": backend.address, "port": backend.port} for backend in backends],
                **({"domain": f"web.{DOMAIN}"} if by_dns else {}),
            }
        ],
        "autoscale_group_dns": {"zone": DOMAIN} if by_dns else {},
        "autoscale_group_tags": {"purpose": "lab"},
    }


def console(where: Whereabouts) -> dict[str, Any]:
    """The console of the lab, as ``autoscale_group_console`` names it; its profile ``lab`` knows the lab's password."""
    return {
        "adm_url": where.console_url,
        "adm_user": where.console.user,
        "adm_password": where.console.password,
        "profile": "lab",
        "datacenter": "lab",
        "validate_certs": True,
        "ca_path": str(where.ca_path),
    }


def _node(roles: dict[str, str]) -> dict[str, str]:
    return {f"{role}_subnet_id": subnet_id for role, subnet_id in roles.items()}
