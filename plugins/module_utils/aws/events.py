# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The call to EventBridge. IAM: events:PutEvents, on the event bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import Failure
from .client import Client
from .errors import aws_call

#: Entries in one PutEvents (EventBridge API reference, PutEvents).
MOST = 10


@aws_call("put events on bus {bus}", retries=0)
def _put_events(client: Client, bus: str, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    reply = client.put_events(Entries=[{**entry, "EventBusName": bus} for entry in entries])
    return [entry for entry in reply.get("Entries", []) if entry.get("ErrorCode")]


def put_events(client: Client, bus: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """PutEvents, once for ten entries. Raises Failure if the bus refused an entry: the call itself succeeds then."""
    for first in range(0, len(entries), MOST):
        refused = _put_events(client, bus, entries[first : first + MOST])
        if refused:
            one = refused[0]
            raise Failure(
                f"bus {bus} refused {len(refused)} of {len(entries)} events: "
                f"{one.get('ErrorCode')}: {one.get('ErrorMessage', '')}"
            )
