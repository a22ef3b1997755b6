# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the monitors of each node say of the back ends, as lines for a reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def backend_report(served: Mapping[str, Any] | None, prefix: str = "") -> list[str]:
    """Return lines about the back ends of applications: how many are UP on each node, and each that is DOWN.

    Args:
        served: a result of vpx_application with ``nodes``; in check mode it has no states.
        prefix: how each line begins.
    """
    lines: list[str] = []
    for result in (served or {}).get("nodes") or ():
        application = result.get("application")
        if not application:
            continue
        seen = [(result.get("nsip") or "", application["backends"])]
        seen += [(each["nsip"], each["backends"]) for each in application.get("observers") or ()]
        for nsip, backends in seen:
            lines += _lines(f"{prefix}{application['name']}", nsip.partition(":")[0], backends)
    return lines


def _lines(name: str, nsip: str, backends: Sequence[Mapping[str, Any]]) -> list[str]:
    up = sum(1 for one in backends if one["state"] == "UP")
    down = [one for one in backends if one["state"] == "DOWN"]
    if not backends or all(one["state"] is None for one in backends):
        return []
    where = f" on {nsip}" if nsip else ""
    return [
        f"{name}: {up} of {len(backends)} back ends are UP{where}",
        *(
            f"{name}: back end {one['address']}:{one['port']} is DOWN{where}"
            + (f": {one['reason']}" if one.get("reason") else "")
            for one in down
        ),
    ]
