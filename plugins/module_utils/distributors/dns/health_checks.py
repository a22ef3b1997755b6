# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53 health checks of the nodes of a name: without one, a record is answered for ever.

A check belongs to one record and one node. Its caller reference names both, so a check that an interrupted run made and
did not use, or whose record it had removed, is found again, and no check of others is ever removed.

A check is made before the record that names it and deleted after it: the status of a check that is deleted while a
record names it cannot be predicted.

Source: Route 53 API reference, CreateHealthCheck ("CallerReference", 1 to 64 characters; "IPAddress" must be public)
and DeleteHealthCheck ("If you delete a health check and you don't update the associated records, the future status of
the health check can't be predicted").
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...aws import route53
from ...aws.client import Client
from ...aws.errors import AwsError
from ...core.errors import Refusal
from .record_plan import Batch, DesiredRecord, Node

TYPES = ("TCP", "HTTP", "HTTPS")
INTERVALS = (10, 30)
_PREFIX = "cloudadc-"


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """How the nodes of a record are checked. ``interval``: seconds; ``failure_threshold``: 1 to 10 checks."""

    port: int
    type: str = "TCP"
    resource_path: str | None = None
    interval: int = 30
    failure_threshold: int = 3

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> CheckSpec | None:
        """Parse the option ``health_check``. Raises Refusal."""
        if option is None:
            return None
        spec = cls(**{key: value for key, value in option.items() if value is not None})
        if not 1 <= spec.port <= 65535:
            raise Refusal(f"health_check.port must be from 1 to 65535, not {spec.port}; nothing was written")
        if not 1 <= spec.failure_threshold <= 10:
            raise Refusal("health_check.failure_threshold must be from 1 to 10; nothing was written")
        if spec.resource_path and spec.type == "TCP":
            raise Refusal("health_check.resource_path needs type HTTP or HTTPS; nothing was written")
        return spec

    def config(self, address: str) -> dict[str, Any]:
        """HealthCheckConfig for a node."""
        path = {} if self.type == "TCP" else {"ResourcePath": self.resource_path or "/"}
        return {
            "IPAddress": address,
            "Port": self.port,
            "Type": self.type,
            **path,
            "RequestInterval": self.interval,
            "FailureThreshold": self.failure_threshold,
        }


def prefix_of_record(zone_id: str, record: str) -> str:
    """Return how the caller references of the checks of a record begin."""
    return f"{_PREFIX}{_digest(zone_id, record)}-"


def prefix_of(zone_id: str, record: str, identifier: str) -> str:
    """Return how the caller references of a node's checks begin."""
    return f"{prefix_of_record(zone_id, record)}{_digest(identifier)}-"


def _digest(*parts: str) -> str:
    return hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]


def matches(config: Mapping[str, Any], check: Mapping[str, Any]) -> bool:
    """Whether a check as Route 53 has it is the desired one. Fields that the desired one does not name do not count."""
    found = check.get("HealthCheckConfig") or {}
    return all(str(found.get(key)) == str(value) for key, value in config.items())


def choose(
    config: Mapping[str, Any], current: str | None, prefix: str, checks: Iterable[Mapping[str, Any]]
) -> str | None:
    """Return the id of the check to use: that of the record if it fits, else one that was made for the node before."""
    fitting = [check for check in checks if matches(config, check)]
    own = [str(check["Id"]) for check in fitting if str(check.get("CallerReference", "")).startswith(prefix)]
    named = [str(check["Id"]) for check in fitting if check["Id"] == current]
    return next(iter((*named, *own)), None)


def unused(prefixes: Iterable[str], used: Iterable[str], checks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of checks that were made for these nodes and that no record names."""
    begins, kept = tuple(prefixes), set(used)
    return [
        str(check["Id"])
        for check in checks
        if begins and str(check.get("CallerReference", "")).startswith(begins) and check["Id"] not in kept
    ]


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """The health checks of a hosted zone's nodes. ``check_mode``: nothing is written."""

    client: Client
    zone_id: str
    check_mode: bool

    def ensured(self, requests: Sequence[Any], batch: Batch) -> tuple[list[Any], list[str]]:
        """Return the requests with the check of each node, and the ids of checks that were made.

        Args:
            requests: what the task asks for; nodes that name a check themselves are left alone.
            batch: the plans of the requests, with the record sets that exist.
        """
        if not any(_checks(request) for request in requests):
            return list(requests), []
        known = route53.list_health_checks(self.client)
        made: list[str] = []
        found = []
        for request, plan in zip(requests, batch.plans, strict=True):
            spec = _checks(request)
            current = {str(item.get("SetIdentifier")): item.get("HealthCheckId") for item in plan.before}
            if spec is None:
                found.append(request)
                continue
            named = [(node, current.get(node.identifier)) for node in request.nodes]
            nodes = [self._node(request, spec, node, check, known, made) for node, check in named]
            found.append(replace(request, nodes=tuple(nodes)))
        return found, made

    def _node(
        self,
        request: DesiredRecord,
        spec: CheckSpec,
        node: Node,
        current: str | None,
        known: Sequence[Mapping[str, Any]],
        made: list[str],
    ) -> Node:
        if node.health_check_id is not None or not node.value:
            return node
        config, prefix = spec.config(node.value), prefix_of(self.zone_id, request.name, node.identifier)
        check_id = choose(config, current, prefix, known)
        if check_id is None and not self.check_mode:
            check_id = route53.create_health_check(self.client, f"{prefix}{int(time.time())}", config)
            made.append(check_id)
        return replace(node, health_check_id=check_id)

    def cleaned_up(self, requests: Sequence[Any], batch: Batch) -> list[str]:
        """Delete the checks of named and leaving nodes that no record names any more, after records were written.

        Returns:
            The ids of the checks.
        """
        leaving = [self._leaving(request, plan) for request, plan in zip(requests, batch.plans, strict=True)]
        if not any(leaving):
            return []
        kept = {str(one["HealthCheckId"]) for plan in batch.plans for one in plan.after if one.get("HealthCheckId")}
        had_checks = any(one.get("HealthCheckId") for plan in batch.plans for one in plan.before)
        try:
            known = route53.list_health_checks(self.client)
        except AwsError as error:
            if error.missing and not had_checks:
                return []  # a group without health checks needs no rights to them
            raise
        ids = unused([prefix for prefixes in leaving for prefix in prefixes], kept, known)
        for check_id in [] if self.check_mode else ids:
            route53.delete_health_check(self.client, check_id)
        return ids

    def _leaving(self, request: Any, plan: Any) -> list[str]:
        """Return the prefixes of checks that may be unused now.

        Alias and simple record sets have no identifier, and no check of a node. Of nodes that shall have no record the
        record may be gone already: then an interrupted run removed it, and its check may be left.
        """
        before = {str(item.get("SetIdentifier")): item.get("HealthCheckId") for item in plan.before}
        after = {str(item.get("SetIdentifier")): item.get("HealthCheckId") for item in plan.after}
        changed = {name for name, check in before.items() if check and check != after.get(name)}
        if isinstance(request, DesiredRecord) and not request.present:
            if request.purge and not after:
                return [prefix_of_record(self.zone_id, request.name)]
            changed |= {node.identifier for node in request.nodes} - set(after)
        return [prefix_of(self.zone_id, request.name, name) for name in sorted(changed)]


def _checks(request: Any) -> CheckSpec | None:
    return request.health_check if isinstance(request, DesiredRecord) and request.present else None
