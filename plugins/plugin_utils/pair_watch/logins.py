# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When to report that a node refuses the login: at once, and again each minute while it lasts. Pure.

A node that answers and lets nobody in looks like a lost one otherwise, and nothing else of the pair can be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

#: Seconds after which a refusal that lasts is reported again.
REPEAT_SECONDS = 60.0


class Refusing(Protocol):
    """What is needed of a watched node."""

    @property
    def node_id(self) -> int: ...
    @property
    def who(self) -> dict[str, Any]: ...
    @property
    def refusal(self) -> str | None: ...


def refused_logins(
    reported: Mapping[int, float], nodes: Iterable[Refusing], now: float
) -> tuple[dict[int, float], list[dict[str, Any]]]:
    """Return when each refusal was last reported, and the events that are due.

    Args:
        reported: Node id to the time of its last report (seconds of a monotonic clock).
        nodes: All nodes as they were last asked.
        now: The time of this observation.
    """
    times: dict[int, float] = {}
    events: list[dict[str, Any]] = []
    for node in nodes:
        if node.refusal is None:
            continue
        last = reported.get(node.node_id)
        due = last is None or now - last >= REPEAT_SECONDS
        times[node.node_id] = now if last is None or due else last
        if due:
            events.append({"type": "login_refused", "node": node.who, "reason": node.refusal})
    return times, events
