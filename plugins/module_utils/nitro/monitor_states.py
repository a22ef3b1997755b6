# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the monitors of one appliance say of an application's back ends, and the likely reason where one is DOWN.

Source: NITRO reference, servicegroup_servicegroupmember_binding (svrstate) and
servicegroup_servicegroupentitymonbindings_binding (monitor_state, lastresponse). The wording of ``lastresponse`` is not
documented, so a response that is not recognised is returned as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .steps import Row, canonical_or_none, text_of, whole

#: Members whose monitors are read: one call a member.
MOST_READ = 8
_SECONDS_BETWEEN = 1.0
DOWN = "DOWN"
Entry = dict[str, Any]


class Reader(Protocol):
    """What is needed of a NITRO client."""

    def get(
        self,
        resource: str,
        name: str | int | None = None,
        *,
        args: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Row]: ...


def states(
    client: Reader,
    group: str,
    timeout: float = 0.0,
    *,
    first: Sequence[Row] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Entry]:
    """Return ``address``, ``port``, ``state`` and ``reason`` of each member of a service group, in order.

    Args:
        client: a session with the appliance.
        group: name of the service group.
        timeout: seconds for which members that are DOWN are looked at again; a monitor that was just bound has no
            answer yet.
        first: the members as they were just read; None: read them.
        clock: the time in seconds.
        sleep: waits so many seconds.
    """
    deadline = clock() + timeout
    rows = _members(client, group) if first is None else list(first)
    while clock() < deadline and any(text_of(row, "svrstate") == DOWN for row in rows):
        sleep(min(_SECONDS_BETWEEN, max(0.0, deadline - clock())))
        rows = _members(client, group)
    down = [row for row in rows if text_of(row, "svrstate") == DOWN]
    reasons = {_key(row): _reason(client, group, row) for row in down[:MOST_READ]}
    found = [
        {
            "address": canonical_or_none(row.get("ip")),
            "port": whole(row.get("port")),
            "state": text_of(row, "svrstate"),
            "reason": reasons.get(_key(row)),
        }
        for row in rows
    ]
    return sorted(found, key=lambda entry: (entry["address"] or "", entry["port"] or 0))


def _members(client: Reader, group: str) -> list[Row]:
    return client.get("servicegroup_servicegroupmember_binding", group)


def _key(row: Row) -> tuple[str, str]:
    return text_of(row, "servername") or text_of(row, "ip"), text_of(row, "port")


def _reason(client: Reader, group: str, row: Row) -> str | None:
    """Return the last response of the first monitor that failed, and its likely meaning."""
    entity = "?".join((group, *_key(row)))
    monitors = client.get(
        "servicegroup_servicegroupentitymonbindings_binding", group, filters={"servicegroupentname2": entity}
    )
    failing = [one for one in monitors if text_of(one, "monitor_state") != "UP" and text_of(one, "lastresponse")]
    return likely(text_of(failing[0], "lastresponse")) if failing else None


_MEANINGS = (
    (("reset", "refused"), "nothing listens at this port of the server"),
    (
        ("connection establishment", "syn sent", "no route", "probe timed out", "arp"),
        "no answer came: the server is off, its security groups do not admit the SNIP of the node, or no route of the "
        "node leads there",
    ),
    (
        ("application timed out", "response timed out"),
        "the server takes the connection, but answers no request",
    ),
    (("response code", "pattern", "http"), "the server answers otherwise than the monitor expects"),
)


def likely(response: str) -> str:
    """Return the response of a monitor with what it is likely to mean."""
    lowered = response.lower()
    for words, meaning in _MEANINGS:
        if any(word in lowered for word in words):
            return f"{response.rstrip('.')} ({meaning})"
    return response
