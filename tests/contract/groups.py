"""Groups, nodes and their state, for the suites of distributors and topologies."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.registry import REGISTRY as DISTRIBUTORS
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group

ZONE = {
    "name": "a",
    "management_subnet_id": "subnet-m",
    "client_subnet_id": "subnet-c",
    "server_subnet_id": "subnet-s",
}
NETWORK = {
    "clip_interface": "",
    "server_netmask": "255.255.255.0",
    "client_netmask": "255.255.255.0",
    "routes": [{"network": "10.0.9.0/24", "gateway": "10.0.3.1"}],
    "return_gateways": [],
    "protected_networks": ["10.0.1.0/24"],
}
BACK_END = {"address": "10.0.9.11", "port": 8080}
WEB = {"name": "web", "protocol": "HTTP", "port": 80, "domain": "web.example.com", "backends": [BACK_END]}
NAMES = {
    "name": "names",
    "protocol": "DNS",
    "port": 53,
    "domain": "names.example.com",
    "backends": [BACK_END],
    "health_check": {"port": 80},
}
POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 75}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "min_nodes": 1,
    "max_nodes": 4,
}


def variables(distributor: str, topology: str = "independent", **changes: Any) -> dict[str, Any]:
    """Return the variables of a complete group with any distributor and topology."""
    ttl = {"ttl": 60} if DISTRIBUTORS[distributor].cached else {}
    given = {
        "name": "shop",
        "distributor": distributor,
        "topology": topology,
        "image_id": "ami-1",
        "zones": [ZONE],
        "password": "not-a-secret",
        "policy": {**POLICY, **ttl},
        "store": {"type": "file", "path": "/var/lib/shop"},
        "dns": {"zone": "example.com"},
        "client_cidrs": ["198.51.100.0/24"],
        "applications": [WEB, NAMES],
        **changes,
    }
    return {f"autoscale_group_{name}": value for name, value in given.items()}


def group(distributor: str = "nlb", topology: str = "independent", **changes: Any) -> dict[str, Any]:
    """Return the definition of a complete group, which must be valid."""
    definition, problems = read_group(variables(distributor, topology, **changes))
    assert problems == []
    return definition


def node(number: int, lifecycle: str = "in_service", *, public: bool = True) -> dict[str, Any]:
    """Return a node in the form of vpx_instance."""
    return {
        "instance_id": f"i-{number}",
        "node_id": number,
        "lifecycle": lifecycle,
        "state": "running",
        "tags": {"cloudadc:zone": "a", "cloudadc:group": "shop"},
        "interfaces": {
            role: {
                "private_ip_address": f"10.0.{net}.{number}",
                "private_ip_addresses": [f"10.0.{net}.{number}"],
                "network_interface_id": f"eni-{role}-{number}",
                "public_ip": f"203.0.113.{number}" if public and role == "client" else None,
            }
            for net, role in enumerate(("management", "client", "server"), start=1)
        },
    }


def state(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what vpx_group_info says of a group whose nodes are not distributed yet."""
    return {
        "definition": definition,
        "zones": [{**zone, **NETWORK} for zone in definition["zones"]],
        "target_groups": [
            {"application": each["name"], "target_group_arn": f"arn:{each['name']}", "targets": []}
            for each in definition["applications"]
        ],
        "balancer": {
            "dns_name": "Shop.elb.amazonaws.com",
            "canonical_hosted_zone_id": "Z9",
            "zones": [{"name": "a", "ip_address": "203.0.113.99", "private_ip_address": None}],
        },
        "records": {},
        "aliases": {},
        "backends": {},
        "instances": [],
        "check_mode": False,
    }


def refused(module: str, option: str, value: object) -> list[str]:
    """Return what a module says against a value of one of its options."""
    spec = importlib.import_module(f"ansible_collections.cloudadc.aws.plugins.modules.{module}").argument_spec()
    if option == "nodes" and "nodes" not in spec:
        spec["nodes"] = {"type": "list", "elements": "dict", "options": _of_one_node(spec)}
    messages: list[str] = ArgumentSpecValidator({option: spec[option]}).validate({option: value}).error_messages
    return messages


def _of_one_node(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the suboptions of ``nodes`` of modules that take one appliance or many: none of them is required there."""
    optional = {name: {**option, "required": False} for name, option in spec.items()}
    return {**optional, "nsip": {"type": "str", "required": True}}


class World:
    """What carries out the options that a distributor returns, as the modules do: targets and record sets in memory."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.state = state(definition)

    def register(self, work: Mapping[str, Any]) -> None:
        """nlb_adc_target and route53_adc_record with state present."""
        assert refused("nlb_adc_target", "target_groups", work["targets"]) == []
        assert refused("route53_adc_record", "record_sets", work["records"]) == []
        for each in work["targets"]:
            self._targets(each)[:] += [{**one, "state": "healthy"} for one in each["targets"]]
        for each in work["records"]:
            if each.get("alias"):
                self.state["aliases"][each["record"]] = each["alias"]
            known = self.state["records"].setdefault(each["record"], [])
            known += [{**one, "ttl": each["ttl"]} for one in each.get("nodes", ())]

    def deregister(self, target_groups: Sequence[Mapping[str, Any]], record_sets: Sequence[Mapping[str, Any]]) -> None:
        """nlb_adc_target and route53_adc_record with state absent."""
        assert refused("nlb_adc_target", "target_groups", target_groups) == []
        assert refused("route53_adc_record", "record_sets", record_sets) == []
        for each in target_groups:
            gone = {(one["id"], one["port"]) for one in each["targets"]}
            targets = self._targets(each)
            targets[:] = [one for one in targets if not each.get("purge") and (one["id"], one["port"]) not in gone]
        for each in record_sets:
            if each.get("alias"):
                self.state["aliases"].pop(each["record"], None)
            gone_names = {one["identifier"] for one in each.get("nodes", ())}
            known = self.state["records"].get(each["record"], [])
            known[:] = [one for one in known if not each.get("purge") and one["identifier"] not in gone_names]

    def _targets(self, work: Mapping[str, Any]) -> list[dict[str, Any]]:
        [found] = [one for one in self.state["target_groups"] if one["target_group_arn"] == work["target_group_arn"]]
        targets: list[dict[str, Any]] = found["targets"]
        return targets

    def known(self) -> set[str]:
        """Return the ids of the nodes of ``node`` to which clients are sent, by target or record set."""
        targets = {
            f"i-{one['id'].rpartition('.')[2]}" for each in self.state["target_groups"] for one in each["targets"]
        }
        return targets | {one["identifier"] for listed in self.state["records"].values() for one in listed}

    def for_applications(self) -> dict[str, int]:
        """Return how many targets and record sets there are of each application."""
        found = {}
        for each in self.state["definition"]["applications"]:
            [of_group] = [one for one in self.state["target_groups"] if one["application"] == each["name"]]
            found[each["name"]] = len(of_group["targets"]) + len(self.state["records"].get(each["domain"], []))
        return found
