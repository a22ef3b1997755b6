# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Network Load Balancer with one static address a zone; domains of applications are aliases of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ...spec.group_nodes import Node, address, domains
from ...spec.protocols import LISTENER_TRANSPORTS, PROTOCOLS
from ..base import Application, Definition, Distributor, Entry, Leaving, Needs, Observed, Port, Present, Question
from .names import target_group_name_problem
from .options import balancer_zones, carried, deregistration_delay, listeners


class NetworkLoadBalancer(Distributor):
    """One load balancer a group, one listener and one target group an application, one target a node."""

    name = "nlb"
    statement = "WithNlb"
    proxied = True
    security_role = "nlb"

    def validate_name(self, group: str, application: str) -> list[str]:
        """Refuse names of which no target group can be named."""
        problem = target_group_name_problem(group, application)
        return [f"{problem[0].upper()}{problem[1:]}. Choose a shorter name."] if problem else []

    def validate_application(self, application: Application) -> list[str]:
        """Check the protocol of the listener, its certificate, and the health check of datagrams."""
        problems, chosen = [], application["nlb_protocol"]
        if chosen and chosen not in LISTENER_TRANSPORTS:
            problems.append(f"nlb_protocol must be one of {', '.join(LISTENER_TRANSPORTS)}, not {chosen}.")
        if (carried(application) == "TLS") != bool(application["certificate_arn"]):
            problems.append("certificate_arn goes with protocol TLS and only with it.")
        known = PROTOCOLS.get(application["protocol"])
        if known and known.datagram and not application["health_check"].get("port"):
            problems.append(
                "a load balancer cannot check the health of a UDP port; health_check.port must be a TCP port at "
                "which every node answers, such as that of another application."
            )
        return problems

    def transports(self, application: Application) -> tuple[str, ...]:
        """Return the transports of the listener."""
        return LISTENER_TRANSPORTS.get(carried(application), ("tcp",))

    def port(self, application: Application) -> Port:
        """Clients are visible behind UDP listeners always, behind others with ``preserve_client_ip``."""
        return Port(
            name=application["name"],
            number=application["port"],
            transports=self.transports(application),
            visible=carried(application) in ("UDP", "TCP_UDP") or bool(application["preserve_client_ip"]),
            checked=int(application["health_check"].get("port") or application["port"]),
        )

    def validate_ports(self, applications: Sequence[Application]) -> list[tuple[str, str, str]]:
        """Refuse a port used twice: a load balancer has one listener a port, whatever the transport."""
        first: dict[int, str] = {}
        clashes = []
        for application in applications:
            name, port = application["name"], application["port"]
            other = first.setdefault(port, name)
            if port and other != name:
                clashes.append(
                    (other, name, f"port {port}, and a load balancer has one listener a port. Use protocol ANY.")
                )
        return clashes

    def ensure(self, definition: Definition) -> dict[str, list[Entry]]:
        """Return the zones of the load balancer and its listeners."""
        return {"zones": balancer_zones(definition), "listeners": listeners(definition)}

    def observe(self, question: Question, found: Observed) -> list[Callable[[], None]]:
        """Read the load balancer, its listeners and the health of the targets. Nothing to do without a subnet."""
        from .observe import reads

        return reads(question, found)

    def unprepared(self, definition: Definition, found: Observed) -> list[str]:
        """Nodes cannot be registered without the load balancer."""
        if found.balancer is not None:
            return []
        return [f"There is no load balancer {definition['name']} in this account and region."]

    def register(self, state: Mapping[str, Any], clients: Sequence[Node]) -> dict[str, Any]:
        """Return targets for each target group that lacks one or does not find it healthy, and aliases that differ.

        The targets at a port that an application had before are deregistered once the new ones are healthy.

        In check mode a new target group has no ARN yet, and nothing can be registered with it.
        """
        ports = {each["name"]: each["port"] for each in state["definition"]["applications"]}
        targets, replaced = [], []
        for group in state["target_groups"]:
            if group["application"] not in ports or not group["target_group_arn"] or not clients:
                continue
            port = ports[group["application"]]
            desired = [{"id": address(one, "client"), "port": port} for one in clients]
            known = {(one["id"], one["port"]): one["state"] for one in group["targets"]}
            former = _former(group["targets"], {one["id"] for one in desired}, port)
            if former:
                replaced.append({"target_group_arn": group["target_group_arn"], "targets": former})
            if any(known.get((each["id"], each["port"])) != "healthy" for each in desired):
                targets.append({"target_group_arn": group["target_group_arn"], "targets": desired})
        records = _aliases(state) if clients else []
        return {"targets": targets, "replaced": replaced, "records": records, "unreachable": []}

    def deregister(
        self, nodes: Sequence[Leaving], target_groups: Sequence[Mapping[str, Any]], domains: Sequence[str]
    ) -> dict[str, list[Entry]]:
        """Name the targets of nodes that have an address; a target group knows addresses only."""
        held = [node.address for node in nodes if node.address]
        return {
            "target_groups": [
                {
                    "target_group_arn": group["target_group_arn"],
                    "targets": [{"id": each, "port": group["port"] or group["target_port"]} for each in held],
                }
                for group in (target_groups if held else ())
            ]
        }

    def scale_in_options(self, definition: Definition) -> dict[str, Any]:
        """Return the options of a scale-in; the load balancer has the name of the group."""
        return {"load_balancer": definition["name"], "domains": []}

    def cleanup(
        self,
        target_groups: Sequence[Mapping[str, Any]],
        records: Mapping[str, Sequence[Mapping[str, Any]]],
        present: Present,
    ) -> dict[str, list[Entry]]:
        """Return the targets whose address no interface of the group has any more."""
        found: list[Entry] = []
        for group in target_groups:
            gone = [
                {"id": one["id"], "port": one["port"]}
                for one in group["targets"]
                if one["id"] not in present.addresses and not one["state"].startswith("draining")
            ]
            if gone:
                found.append({"target_group_arn": group["target_group_arn"], "targets": gone})
        return {"stale_targets": found}

    def remove(self, definition: Definition, state: Mapping[str, Any]) -> dict[str, list[Entry]]:
        """Return all targets and listeners of the applications, and those of their domains that are aliases."""
        names, balancer = [one["name"] for one in definition["applications"]], state["balancer"]
        arns = [one["target_group_arn"] for one in state["target_groups"] if one["application"] in names]
        return {
            "target_groups": [{"target_group_arn": arn, "targets": [], "purge": True} for arn in arns],
            "listeners": [{"application": name} for name in names],
            "records": [
                {"record": domain, "alias": alias}
                for domain, alias in state["aliases"].items()
                if balancer and alias["dns_name"] == _dns_name(balancer)
            ],
        }

    def drain_seconds(self, definition: Definition) -> int:
        """Return the deregistration delay of target groups."""
        return deregistration_delay(definition)

    def addresses(self, application: Application, state: Mapping[str, Any]) -> list[str]:
        """Return the address of the load balancer in each zone."""
        found = []
        for zone in (state["balancer"] or {}).get("zones", []):
            where = zone["ip_address"] or zone["private_ip_address"] or f"an address of {zone['name']}"
            found.append(f"{where}:{application['port']} ({zone['name']})")
        return found

    def billed(self, definition: Definition, nodes: int) -> str:
        """One load balancer, whatever the number of nodes."""
        return f"1 Network Load Balancer{_static_addresses(definition)}"

    def predicted_costs(self, state: Mapping[str, Any], launched: int) -> list[str]:
        """Return the load balancer that would be created, if there is none yet."""
        if state["balancer"]:
            return []
        addresses = _static_addresses(state["definition"])
        return [f"would create a Network Load Balancer{addresses}, billed by the hour and by traffic"]

    def needs(self, zones: Sequence[Mapping[str, Any]], most: int, *, internal: bool) -> Needs:
        """One load balancer, and one Elastic IP for each zone to which the user gave none."""
        given = tuple(zone["nlb_allocation_id"] for zone in zones if zone.get("nlb_allocation_id"))
        return Needs(
            elastic_ips=0 if internal else len(zones) - len(given),
            given_addresses=given,
            load_balancers=1,
            public_clients=not internal,
        )


def _former(targets: Sequence[Mapping[str, Any]], addresses: Collection[str], port: int) -> list[Entry]:
    """Return the targets of these nodes at another port than the application's."""
    return [
        {"id": one["id"], "port": one["port"]}
        for one in targets
        if one["id"] in addresses and one["port"] != port and not one["state"].startswith("draining")
    ]


def _static_addresses(definition: Definition) -> str:
    count = len(definition["zones"])
    return f" with {count} Elastic IP" if definition["nlb_scheme"] == "internet-facing" else ""


def _dns_name(balancer: Mapping[str, Any]) -> str:
    return f"{balancer['dns_name'].lower().rstrip('.')}."


def _aliases(state: Mapping[str, Any]) -> list[Entry]:
    """Return one alias for the load balancer for each domain that has another one or none."""
    balancer = state["balancer"]
    if not balancer:
        return []
    zone_id = balancer["canonical_hosted_zone_id"]
    alias = {"dns_name": _dns_name(balancer), "hosted_zone_id": zone_id, "evaluate_target_health": True}
    return [
        {"record": domain, "alias": alias}
        for domain in domains(state["definition"])
        if state["aliases"].get(domain) != alias
    ]
