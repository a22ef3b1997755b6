# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Alerts: what is published to SNS and EventBridge, and in which form. Pure.

Sources: Amazon SNS API reference, Publish (subject: ASCII without line breaks, fewer than 100 characters; message
attributes for filter policies); Amazon EventBridge API reference, PutEventsRequestEntry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import AutoscaleError
from .times import to_iso

#: ``source`` of events on a bus, for the patterns of rules.
SOURCE = "cloudadc.aws"
_SUBJECT = 99
_KEYS = ("sns_topic_arn", "event_bus")


#: The option of modules.
ALERTS = {
    "type": "dict",
    "default": {},
    "options": {"sns_topic_arn": {"type": "str"}, "event_bus": {"type": "str"}},
}


@dataclass(frozen=True, slots=True)
class Targets:
    """Where alerts go. Empty: not there."""

    sns_topic_arn: str = ""
    event_bus: str = ""

    def __bool__(self) -> bool:
        return bool(self.sns_topic_arn or self.event_bus)

    @classmethod
    def from_option(cls, given: object, what: str = "alerts") -> Targets:
        """Return the targets of an option. Raises AutoscaleError for what is no target."""
        if given in (None, "", {}):
            return cls()
        if not isinstance(given, Mapping) or given.keys() - set(_KEYS):
            raise AutoscaleError(f"{what} must be a dictionary with sns_topic_arn, event_bus or both, not {given!r}")
        topic, bus = (str(given.get(key) or "") for key in _KEYS)
        if topic and (not topic.startswith("arn:") or ":sns:" not in topic):
            raise AutoscaleError(f"{what}.sns_topic_arn must be the ARN of a topic (arn:aws:sns:…), not {topic!r}")
        return cls(topic, bus)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something an operator should know.

    Args:
        type: A word that rules and filters compare: decision, event_failed, node_silent, …
        kind: pair or group.
        name: Of the pair or group.
        summary: one line.
        at: Seconds since the epoch.
        zone: Of a group.
        lasting: It is a condition that a later look may find again, so that it is not repeated within the hour.
        subject: What a condition is about, such as an instance id.
        detail: More, JSON-ready.
    """

    type: str
    kind: str
    name: str
    summary: str
    at: float
    zone: str = ""
    lasting: bool = False
    subject: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Return what two alerts of the same condition have in common."""
        return f"{self.type} {self.zone} {self.subject}"

    def to_json(self) -> dict[str, Any]:
        """Return the alert as it is published."""
        zone = {"zone": self.zone} if self.zone else {}
        plain = {"type": self.type, "kind": self.kind, "name": self.name, **zone, "time": to_iso(round(self.at, 3))}
        return {**plain, "summary": self.summary, "detail": dict(self.detail)}


def sns_message(alert: Alert, topic_arn: str) -> dict[str, Any]:
    """Return the parameters of Publish, without the topic. A FIFO topic gets the alerts of one name in order."""
    title = f"{alert.kind} {alert.name}{f' {alert.zone}' if alert.zone else ''}: {alert.type.replace('_', ' ')}"
    plain = "".join(each if " " <= each <= "~" else "?" for each in title)
    text = json.dumps(alert.to_json(), indent=1)
    names = {"type": alert.type, "kind": alert.kind, "name": alert.name}
    message: dict[str, Any] = {
        "Subject": plain[:_SUBJECT],
        "Message": text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in names.items() if value
        },
    }
    if topic_arn.endswith(".fifo"):
        message["MessageGroupId"] = hashlib.sha256(alert.name.encode()).hexdigest()[:32]
        message["MessageDeduplicationId"] = hashlib.sha256(text.encode()).hexdigest()
    return message


def bus_entry(alert: Alert) -> dict[str, Any]:
    """Return the entry of PutEvents, without the bus. Its detail-type is the type of the alert."""
    return {"Source": SOURCE, "DetailType": alert.type, "Detail": json.dumps(alert.to_json())}
