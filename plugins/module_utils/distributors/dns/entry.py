# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: one record set a node and domain; each node has an Elastic IP on its client interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import Refusal
from ...spec.group_nodes import Node, domains
from ...spec.protocols import TCP, transports
from ..base import Application, Definition, Distributor, Entry, Leaving, Needs, Port, Present

#: A documentation address (RFC 5737) in place of a node that does not exist yet.
_EXAMPLE_ADDRESS = "192.0.2.1"


class Dns(Distributor):
    """Answers live on in caches for the TTL, so a node is drained a TTL later than its record set is removed."""

    name = "dns"
    statement = "WithDns"
    cached = True
    public_nodes = True
    needs_zone = True

    def validate_application(self, application: Application) -> list[str]:
        """Clients find an application by its domain."""
        return [] if application["domain"] else ["it has no domain, and DNS distributes its clients."]

    def transports(self, application: Application) -> tuple[str, ...]:
        """Return the transports of the virtual server."""
        return transports(application["protocol"])

    def port(self, application: Application) -> Port:
        """Clients reach the nodes themselves."""
        return Port(
            name=application["name"],
            number=application["port"],
            transports=self.transports(application),
            visible=True,
            checked=0,
        )

    def validate_records(self, definition: Definition, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
        """Refuse domains whose record sets are no record sets of nodes."""
        from .record_plan import DesiredRecord, plan
        from .record_plan import Node as RecordNode

        problems = []
        for domain, listed in records.items():
            desired = DesiredRecord(
                record=domain,
                type="A",
                ttl=_ttl(definition),
                policy=definition["dns"]["policy"],
                nodes=(RecordNode("cloudadc", _EXAMPLE_ADDRESS),),
                present=True,
                purge=False,
            )
            try:
                plan(desired, listed)
            except Refusal as refusal:
                problems.append(str(refusal))
        return problems

    def register(self, state: Mapping[str, Any], clients: Sequence[Node]) -> dict[str, Any]:
        """Return a record set for each node, for each domain that lacks one of them."""
        definition = state["definition"]
        checks = health_checks(definition)
        nodes = [
            {"identifier": one["instance_id"], "value": one["interfaces"]["client"]["public_ip"]}
            for one in clients
            if one["interfaces"]["client"].get("public_ip")
        ]
        ttl = _ttl(definition)
        return {
            "targets": [],
            "replaced": [],
            "records": [
                {
                    "record": domain,
                    "nodes": nodes,
                    "ttl": ttl,
                    "policy": definition["dns"]["policy"],
                    **({"health_check": checks[domain]} if domain in checks else {}),
                }
                for domain in domains(definition)
                if nodes and not _answers(state["records"].get(domain, []), nodes, ttl, checks.get(domain))
            ],
            "unreachable": [one["instance_id"] for one in clients if not one["interfaces"]["client"].get("public_ip")],
        }

    def deregister(
        self, nodes: Sequence[Leaving], target_groups: Sequence[Mapping[str, Any]], domains: Sequence[str]
    ) -> dict[str, list[Entry]]:
        """Name the record sets of the nodes, also of those that have no address any more."""
        leaving = [{"identifier": node.instance_id} for node in nodes]
        return {"record_sets": [{"record": domain, "nodes": leaving} for domain in (domains if leaving else ())]}

    def scale_in_options(self, definition: Definition) -> dict[str, Any]:
        """Every domain has a record set for each node."""
        return {"load_balancer": "", "domains": domains(definition)}

    def withdraw_after(self, definition: Definition) -> int:
        """DNS leads clients to a node that is silent, unless its records have health checks."""
        return int(definition["dns"]["withdraw_after"])

    def cleanup(
        self,
        target_groups: Sequence[Mapping[str, Any]],
        records: Mapping[str, Sequence[Mapping[str, Any]]],
        present: Present,
    ) -> dict[str, list[Entry]]:
        """Return the record sets of instances that the group does not have any more."""
        found: list[Entry] = []
        for domain, listed in records.items():
            names = [str(one["identifier"]) for one in listed if str(one["identifier"]).startswith("i-")]
            gone = [{"identifier": name} for name in names if name not in present.instance_ids]
            if gone:
                found.append({"record": domain, "nodes": gone})
        return {"stale_records": found}

    def remove(self, definition: Definition, state: Mapping[str, Any]) -> dict[str, list[Entry]]:
        """Return all record sets of nodes, and domains without any: a killed run may have left their health checks."""
        return {
            "target_groups": [],
            "listeners": [],
            "records": [{"record": domain, "nodes": [], "purge": True} for domain in state["records"]],
        }

    def addresses(self, application: Application, state: Mapping[str, Any]) -> list[str]:
        """Return the domain of the application."""
        return [f"{application['domain']}:{application['port']}"]

    def billed(self, definition: Definition, nodes: int) -> str:
        """One Elastic IP a node, and the hosted zone."""
        return f"{nodes} Elastic IP and the hosted zone"

    def predicted_costs(self, state: Mapping[str, Any], launched: int) -> list[str]:
        """One Elastic IP for each node that is launched."""
        return [f"would allocate {launched} Elastic IP, one a node, billed by the hour"] if launched else []

    def needs(self, zones: Sequence[Mapping[str, Any]], most: int, *, internal: bool) -> Needs:
        """Each node has an Elastic IP, and all zones may scale out to their limit."""
        return Needs(elastic_ips=len(zones) * most)

    def used_by(self, applications: Sequence[Mapping[str, Any]]) -> bool:
        """Return the record set of a domain; an alias of a load balancer has one as well."""
        return any(each.get("domain") for each in applications)


def _ttl(definition: Definition) -> int:
    return int(float(definition["policy"].get("ttl") or 60))


def health_checks(definition: Mapping[str, Any]) -> dict[str, Entry]:
    """Return how the nodes of each domain are checked from the Internet: at the port of its first TCP application."""
    found: dict[str, Entry] = {}
    for each in definition["applications"] if definition["dns"]["health_check"] else ():
        if each["domain"] and transports(each["protocol"])[0] == TCP:
            found.setdefault(each["domain"], {"port": each["port"]})
    return found


def _answers(
    known: Sequence[Mapping[str, Any]],
    nodes: Sequence[Mapping[str, Any]],
    ttl: int,
    check: Mapping[str, Any] | None,
) -> bool:
    """Tell whether each node has its record set. ``check``: its health check, None if it needs none."""
    present = {
        (one["identifier"], one["value"], one["ttl"]) for one in known if check is None or _is_checked(one, check)
    }
    return all((one["identifier"], one["value"], ttl) in present for one in nodes)


def _is_checked(record: Mapping[str, Any], check: Mapping[str, Any]) -> bool:
    """Tell whether a record set has a health check, and not one of a port that the application had before."""
    return bool(record.get("health_check_id")) and record.get("health_check_port") in (None, check["port"])
