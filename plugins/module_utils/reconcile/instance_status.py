# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What EC2 says of an instance that cannot be logged in to, for modules that have no other business with AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..core.errors import Failure
from ..core.fingerprints import canonical
from ..core.nitro_errors import NitroError
from ..core.parsing import readable
from ..nitro.arrival import InstanceReport
from ..spec.identity import AUTOSCALE_GROUP, KIND, PAIR
from .claims import client_of
from .pins import FINGERPRINT

T = TypeVar("T")

#: States that an appliance does not come back from by itself (EC2 API reference, InstanceState).
_GONE = frozenset({"stopping", "stopped", "shutting-down", "terminated"})


@readable("the status of an instance")
def report_of(
    instance_id: str, instances: Sequence[Mapping[str, Any]], checks: Sequence[Mapping[str, Any]]
) -> InstanceReport | None:
    """Return what answers of DescribeInstances and DescribeInstanceStatus say; None for an instance EC2 does not list.

    Status checks explain why a login is refused; they decide nothing.
    """
    found = next((each for each in instances if each.get("InstanceId") == instance_id), None)
    if found is None:
        return None
    state = str(found.get("State", {}).get("Name") or "unknown")
    reason = str((found.get("StateReason") or {}).get("Message") or "")
    checked = next((each for each in checks if each.get("InstanceId") == instance_id), None)
    states = [checked.get(key, {}).get("Status") for _kind, key in _CHECKS] if checked else []
    text = f"EC2 says that {instance_id} is {state}{f' ({reason})' if reason else ''}"
    if checked:
        parts = (f"{kind} status {status or 'unknown'}" for (kind, _key), status in zip(_CHECKS, states, strict=True))
        text += f", {', '.join(parts)}"
    return InstanceReport(
        is_gone=state in _GONE,
        text=text,
        impaired="impaired" in states,
        starting=state == "pending" or "initializing" in states,
        remedy=_remedy(instance_id, state, found),
    )


def _remedy(instance_id: str, state: str, found: Mapping[str, Any]) -> str:
    """Return what brings a node back, by the kind of its group; empty where the instance is gone or has no kind."""
    tags = {str(tag.get("Key")): str(tag.get("Value")) for tag in found.get("Tags", [])}
    variable = _REPLACE.get(tags.get(KIND, ""))
    if variable is None or state not in _ACTIONS:
        return ""
    action = _ACTIONS[state]
    command = f"aws ec2 {action.lower()}-instances --instance-ids {instance_id}"
    return f"{action} it ({command}), or set {variable}={instance_id}"


_REPLACE = {PAIR: "ha_pair_replace_node", AUTOSCALE_GROUP: "autoscale_group_replace_node"}
_ACTIONS = {"stopping": "Start", "stopped": "Start", "running": "Reboot"}
_CHECKS = (("instance", "InstanceStatus"), ("system", "SystemStatus"))


def ec2_client(region: str | None) -> Any:
    """Return a client by the environment, which gives up soon. Raises ImportError or Failure if there can be none."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    brief = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
    try:
        return client_of(region, "ec2", config=brief)
    except BotoCoreError as error:
        raise Failure(f"there is no client of EC2: {error}") from None


@dataclass(frozen=True, slots=True)
class FingerprintTag:
    """The fingerprint of an appliance's certificate, as the tag of its instance."""

    instance_id: str
    client: Callable[[], Any]

    def read(self) -> str | None:
        """Return it; None for an instance without the tag. Raises NitroError, also for a tag that is no fingerprint."""
        from ..aws import ec2

        found = self._asked(lambda client: ec2.describe_instances(client, {"instance-id": [self.instance_id]}))
        if not found:
            raise NitroError(f"EC2 does not list {self.instance_id}, whose tag holds the pinned certificate")
        text = boto3_tag(found[0].get("Tags", []), FINGERPRINT)
        return canonical(text, f"tag {FINGERPRINT} of {self.instance_id}") if text else None

    def write(self, fingerprint: str) -> None:
        """Write it. Raises NitroError."""
        from ..aws import ec2

        self._asked(lambda client: ec2.create_tags(client, [self.instance_id], {FINGERPRINT: fingerprint}))

    def _asked(self, call: Callable[[Any], T]) -> T:
        try:
            return call(self.client())
        except ImportError:
            raise NitroError("management_tls=pin needs boto3, for the tag with the pinned certificate") from None
        except Failure as error:
            raise NitroError(f"the certificate of {self.instance_id} cannot be pinned: {error}") from None


def boto3_tag(tags: Sequence[Mapping[str, str]], key: str) -> str:
    """Return the value of a tag as EC2 describes it, empty for none."""
    return next((str(tag.get("Value") or "") for tag in tags if tag.get("Key") == key), "")


class InstanceStatus:
    """Asks EC2 for many nodes of a task, by one client of the environment's credentials. Thread-safe.

    Where EC2 cannot be asked (no boto3, no credentials, no right) it is not asked again, and nothing is known.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._client: Any = None
        self._lock = threading.Lock()
        self._silent = False
        self._without_checks = False

    def reader(self, instance_id: str | None) -> Callable[[], InstanceReport | None]:
        """Return the question about one instance; it never raises."""
        return lambda: self._ask(instance_id) if instance_id else None

    def fingerprint(self, instance_id: str) -> FingerprintTag:
        """Return the tag of an instance that holds the fingerprint of its certificate."""
        return FingerprintTag(instance_id, self._ec2)

    def _ec2(self) -> Any:
        with self._lock:
            self._client = self._client or self._connect()
        return self._client

    def _ask(self, instance_id: str) -> InstanceReport | None:
        if self._silent:
            return None
        try:
            from ..aws import ec2  # only here: a node that lets in at once needs no boto3

            instances = ec2.describe_instances(self._ec2(), {"instance-id": [instance_id]})
        except (Failure, ImportError):
            self._silent = True
            return None
        return report_of(instance_id, instances, self._checks(instance_id))

    def _checks(self, instance_id: str) -> Sequence[Mapping[str, Any]]:
        from ..aws import ec2

        try:
            return [] if self._without_checks else ec2.describe_instance_status(self._client, instance_id)
        except Failure:
            self._without_checks = True
            return []
