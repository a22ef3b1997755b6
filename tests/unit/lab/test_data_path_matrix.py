"""Every combination of return path, place of back ends, distributor and topology, from definition to packets.

What the product decides (definition → options of vpx_network → writes of NITRO) is applied to the forwarding table of
an appliance, and the lab's one decision about packets says whether clients are answered and back ends are reached. Then
the one route or mode that matters is taken away, and the packets must be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import network as routing
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import Change
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_network import zone_network
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_plan import interfaces as group_interfaces
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_steps import virtual_server, zone_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair import interfaces_of, network
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_steps import pair_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from tests.lab.packets.host import Connected, Host, Policy, StaticRoute
from tests.lab.packets.vpc import Hop, Interface, Rule, Target, Vpc
from tests.lab.packets.way import Flow, Steering, connection, steered, to_back_end

ROLES = ("management", "client", "server")
WORLD, VPC, PEERED = IPv4Network("0.0.0.0/0"), IPv4Network("10.0.0.0/16"), IPv4Network("192.168.0.0/16")
OPEN = Rule("-1", 0, 65535, WORLD)
PORT = 8080
# Zone a: 10.0.1 (management), 11 (client), 21 (server); zone b: 2, 12, 22; 200 is an application subnet.
SUBNETS = {f"subnet-{n}": IPv4Network(f"10.0.{n}.0/24") for n in (1, 2, 11, 12, 21, 22, 200)}
DESCRIBED = [
    {"SubnetId": name, "CidrBlock": str(network), "VpcId": "vpc-1", "AvailabilityZone": "a"}
    for name, network in SUBNETS.items()
]
BACK_ENDS = {
    "own server subnet": "10.0.21.50",
    "other zone's server subnet": "10.0.22.50",
    "application subnet": "10.0.200.50",
    "peered network": "192.168.7.50",
}
CLIENTS = {
    "dns": Flow("198.51.100.7", "10.0.11.10", "tcp", 80, public=True),
    "nlb, node of this zone": Flow("10.0.11.200", "10.0.11.10", "tcp", 80),
    "nlb, node of the other zone": Flow("10.0.12.200", "10.0.11.10", "tcp", 80),
    "nlb, client address preserved": Flow("198.51.100.7", "10.0.11.10", "tcp", 80, relayed=True),
}
OTHERS = {
    "eni-nlb-a": "10.0.11.200",
    "eni-nlb-b": "10.0.12.200",
    "eni-21": "10.0.21.50",
    "eni-22": "10.0.22.50",
    "eni-200": "10.0.200.50",
}
TOPOLOGIES = ("pair", "independent", "cluster")
PLACES = [
    {"name": zone, **{f"{role}_subnet_id": f"subnet-{10 * place + number}" for place, role in enumerate(ROLES)}}
    for number, zone in enumerate("ab", start=1)
]


def _addresses(zone: int, role: int, secondary: int) -> tuple[str, ...]:
    return tuple(f"10.0.{10 * role + zone}.{10 + number}" for number in range(1 + secondary))


def _instance(number: int, zone: int, asked: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return an instance as vpx_instance returns it, with as many addresses as its interfaces were asked to have."""
    counts = {one["role"]: one.get("secondary_private_ip_count", 0) for one in asked}
    interfaces = {}
    for place, role in enumerate(ROLES):
        addresses = _addresses(zone, place, counts[role])
        interfaces[role] = {
            "network_interface_id": f"eni-{role}-{number}",
            "private_ip_address": addresses[0],
            "private_ip_addresses": list(addresses),
        }
    common = {"state": "running", "lifecycle": "in_service", "availability_zone": "ab"[zone - 1]}
    return {
        "instance_id": f"i-{number}",
        "node_id": number,
        "tags": {"cloudadc:zone": "a"},
        "interfaces": interfaces,
        **common,
    }


def _pair(return_path: str, back_end: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entry of vpx_network for the first node of a pair, and its instance."""
    application = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": back_end, "port": PORT}]}
    places = [{key: value for key, value in place.items() if key != "name"} for place in PLACES]
    given = {"name": "shop", "nodes": places, "applications": [application], "return_path": return_path}
    definition, _problems = read_pair(
        {f"ha_pair_{key}": value for key, value in {**given, "backend_cidrs": _named(back_end)}.items()}
    )
    instances = [
        _instance(number, number + 1, interfaces_of(definition, place))
        for number, place in enumerate(definition["nodes"])
    ]
    plan = {
        "name": "shop",
        "nitro_port": 443,
        "elastic_ips": [],
        "ipset": "shop-vips",
        "return_path": definition["return_path"],
        "applications": [],
        "network": network(definition, DESCRIBED),
        "shared": {"observed": {"security_groups": {}, "elastic_ip": None}},
        "instances": {"sets": []},
    }
    steps = pair_steps({"plan": plan, "instances": instances})
    assert [one["ip_address"] for front in steps["fronts"] for one in front["addresses"]] == [
        "10.0.11.10",
        "10.0.12.10",
    ]
    return steps["network"][0], instances[0]


def _group(topology: str, return_path: str, back_end: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entry of vpx_network for a node of a group (of a cluster: for its CLIP), and the instance."""
    clustered = topology == "cluster"
    application = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": back_end, "port": PORT}]}
    zones = [
        {**place, **({"clip": f"10.0.{number}.250"} if clustered else {})} for number, place in enumerate(PLACES, 1)
    ]
    given = {"name": "shop", "topology": topology, "zones": zones, "applications": [application]}
    given |= {"return_path": return_path, "backend_cidrs": _named(back_end)}
    definition, _problems = read_group({f"autoscale_group_{key}": value for key, value in given.items()})
    place = {
        **definition["zones"][0],
        **zone_network(definition["zones"][0], definition, DESCRIBED),
        "clip_interface": "eni-0",
    }
    state = {
        **{key: {} for key in ("records", "aliases", "backends", "balancer")},
        "definition": definition,
        "zones": [place],
        "target_groups": [],
        "instances": [],
        "check_mode": False,
    }
    node = _instance(0, 1, group_interfaces(definition, definition["zones"][0], {}))
    return zone_steps(state, [node], "a")["network"][0], node


def _named(back_end: str) -> list[str]:
    return [str(PEERED)] if back_end.startswith("192.168.") else []


class Appliance:
    """The rows of NITRO that decide about packets, to which the writes of a plan are applied."""

    def __init__(self, node: dict[str, Any], *, clustered: bool) -> None:
        nsip = node["interfaces"]["management"]["private_ip_address"]
        self.clustered = clustered
        self.addresses = [{"ipaddress": nsip, "netmask": "255.255.255.0", "type": "NSIP"}]
        if clustered:
            self.addresses.append({"ipaddress": "10.0.1.250", "netmask": "255.255.255.255", "type": "CLIP"})
        self.routes = [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.1.1", "permanent": True}]
        self.policies: list[dict[str, Any]] = []
        self.applied: list[dict[str, Any]] = []
        self.mbf = False

    def observed(self, *, returned: bool) -> routing.Observed:
        return routing.Observed(
            addresses=tuple(self.addresses),
            routes=tuple(self.routes),
            mbf=self.mbf if returned else None,
            pbrs=tuple(self.policies),
        )

    def write(self, step: Change) -> None:
        match step.verb, step.resource:
            case "add", "nsip":
                self.addresses.append(dict(step.body))
            case "add", "route":
                self.routes.append(dict(step.body))
            case "add", "nspbr":
                self.policies.append(dict(step.body))
            case "act", "nspbrs":
                self.applied = list(self.policies)
            case "act", "nsmode":
                self.mbf = step.action == "enable"
            case other:
                raise AssertionError(f"the matrix does not know {other}")

    def host(self) -> Host:
        """In a cluster MAC-based forwarding needs a linkset, and the product makes none."""
        nsip, *others = [row for row in self.addresses if row["type"] != "CLIP"]
        return Host(
            instance_id="i-0",
            nsip=_connected(nsip),
            snips=tuple(_connected(row) for row in others),
            routes=tuple(StaticRoute(_network(row["network"], row["netmask"]), row["gateway"]) for row in self.routes),
            policies=tuple(_policy(row) for row in sorted(self.applied, key=lambda row: int(row["priority"]))),
            mbf=self.mbf and not self.clustered,
        )


def _network(address: str, netmask: str) -> IPv4Network:
    return IPv4Network(f"{address}/{netmask}", strict=False)


def _connected(row: dict[str, Any]) -> Connected:
    return Connected(row["ipaddress"], _network(row["ipaddress"], row["netmask"]))


def _policy(row: dict[str, Any]) -> Policy:
    """``destipop`` != is a policy for other destinations: what stays in the subnet is found by the table before."""
    low, high = row["srcipval"].split("-")
    return Policy((low, high), None, row["nexthopval"])


def _configured(topology: str, return_path: str, back_end: str) -> tuple[Appliance, dict[str, Any]]:
    entry, node = _pair(return_path, back_end) if topology == "pair" else _group(topology, return_path, back_end)
    params = {"return_path": return_path, "return_gateways": None, "purge_routes": True, "state": "present", **entry}
    snips = [{"netmask": None, "owner_node": None, **snip} for snip in entry["snips"]]
    if return_path != "pbr":
        params["return_gateways"] = None
    desired = routing.Desired.from_params({**params, "snips": snips})
    appliance = Appliance(node, clustered=topology == "cluster")
    for step in routing.plan(desired, appliance.observed(returned=True)):
        appliance.write(step)
    assert routing.plan(desired, appliance.observed(returned=True)) == []
    return appliance, node


def _vpc(node: dict[str, Any]) -> Vpc:
    groups = frozenset({"open"})
    interfaces = [
        Interface(
            interface_id=one["network_interface_id"],
            subnet_id=f"subnet-{10 * place + 1}",
            network=SUBNETS[f"subnet-{10 * place + 1}"],
            addresses=tuple(one["private_ip_addresses"]),
            groups=groups,
            instance_id="i-0",
            public={"10.0.11.10": "203.0.113.1"} if role == "client" else {},
        )
        for place, (role, one) in enumerate(node["interfaces"].items())
    ]
    for name, address in OTHERS.items():
        subnet = f"subnet-{address.split('.')[2]}"
        interfaces.append(Interface(name, subnet, SUBNETS[subnet], (address,), groups=groups, instance_id=name))
    hops = (Hop(VPC, Target.LOCAL), Hop(PEERED, Target.PEER), Hop(WORLD, Target.INTERNET))
    rules = {"open": (OPEN,)}
    return Vpc(
        interfaces, ingress=rules, egress=rules, subnets=SUBNETS, tables=dict.fromkeys(SUBNETS, hops), networks=[VPC]
    )


def _answered(appliance: Appliance, node: dict[str, Any], flow: Flow) -> bool:
    host = appliance.host()
    return connection(_vpc(node), _hosts(host), flow).passes


def _reached(appliance: Appliance, node: dict[str, Any], back_end: str) -> bool:
    host = appliance.host()
    return to_back_end(_vpc(node), _hosts(host), host, back_end, PORT).passes


def _hosts(host: Host) -> Callable[[str], Host | None]:
    return {"i-0": host}.get


BROKEN = ("cluster", "mbf")
WORKING = [(one, path) for one in TOPOLOGIES for path in ("mbf", "pbr") if (one, path) != BROKEN]


@pytest.mark.parametrize("place", BACK_ENDS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("topology", "return_path"), WORKING)
def test_clients_are_answered_and_only_by_what_was_configured(
    topology: str, return_path: str, client: str, place: str
) -> None:
    back_end, flow = BACK_ENDS[place], CLIENTS[client]
    appliance, node = _configured(topology, return_path, back_end)
    assert _answered(appliance, node, flow)
    assert _reached(appliance, node, back_end)
    # The way back: without its mode or its policies clients of other subnets get no answer.
    without = _configured(topology, return_path, back_end)[0]
    without.mbf, without.applied = False, []
    near = return_path == "pbr" and client == "nlb, node of this zone"  # the SNIP's own subnet is connected
    assert _answered(without, node, flow) is near
    # The way to the back end: without its route it is out of reach, unless its subnet is connected, or policies route.
    cut = _configured(topology, return_path, back_end)[0]
    cut.routes = cut.routes[:1]
    connected = place == "own server subnet"
    assert _reached(cut, node, back_end) is (connected or return_path == "pbr")
    cut.applied = []
    assert _reached(cut, node, back_end) is connected


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("topology", "return_path"), [*((one, "none") for one in TOPOLOGIES), ("cluster", "mbf")])
def test_without_a_return_path_that_works_clients_get_no_answer(topology: str, return_path: str, client: str) -> None:
    """``none`` leaves it to the image; in a cluster MAC-based forwarding alone does nothing (no linkset)."""
    appliance, node = _configured(topology, return_path, BACK_ENDS["application subnet"])
    assert not _answered(appliance, node, CLIENTS[client])


@pytest.mark.parametrize("place", BACK_ENDS)
@pytest.mark.parametrize(("topology", "return_path"), WORKING)
def test_management_traffic_keeps_its_way(topology: str, return_path: str, place: str) -> None:
    """Heartbeats to the other zone and NITRO from elsewhere in the VPC leave by the management interface."""
    appliance, node = _configured(topology, return_path, BACK_ENDS[place])
    vpc, host = _vpc(node), appliance.host()
    for flow in (
        Flow("10.0.1.10", "10.0.2.10", "udp", 3003, one_way=True),
        Flow("10.0.12.200", "10.0.1.10", "tcp", 443),
    ):
        assert connection(vpc, _hosts(host), flow).passes


@pytest.mark.parametrize("process_local", [True, False])
def test_a_cluster_answers_every_connection_only_while_none_is_steered(process_local: bool) -> None:
    """The virtual server of a cluster keeps connections where they arrive, because the other node cannot answer."""
    given = {"name": "shop", "topology": "cluster", "process_local": process_local, "applications": [{"name": "web"}]}
    definition, _problems = read_group({f"autoscale_group_{key}": value for key, value in given.items()})
    options = virtual_server(definition["applications"][0], {"definition": definition, "backends": {}}, {})
    assert options["process_local"] is process_local
    _appliance, node = _configured("cluster", "pbr", BACK_ENDS["application subnet"])
    client = next(one for one in _vpc(node).interfaces if one.interface_id == "eni-client-0")
    other = replace(client, interface_id="eni-client-1", addresses=("10.0.11.60",), instance_id="i-1", public={})
    vpc = Vpc([client, other], ingress={"open": (OPEN,)}, egress={"open": (OPEN,)}, subnets=SUBNETS)
    hosts = _hosts(_appliance.host())
    steering = Steering("GRE", "10.0.11.10", "10.0.11.60", owner="i-1")
    assert not steered(vpc, hosts, CLIENTS["nlb, node of the other zone"], steering).passes
