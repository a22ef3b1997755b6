# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter of role report: what was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def report_summary(result: Mapping[str, Any]) -> list[str]:
    """Return lines about a page that autoscale_report or vpx_status_report has written: size and panels."""
    lines = [f"{result['page']}: {result['size']} bytes, {'written' if result['changed'] else 'as it was'}."]
    for panel in result["panels"]:
        if "samples" not in panel:  # of a status
            lines.append(f"{panel['name']}: {panel['events']} events, problems: {panel['problems']}.")
            continue
        drawn = ", ".join(f"{name} {count}" for name, count in panel["samples"].items()) or "none"
        lines.append(f"{panel['name']}: {panel['events']} events, samples drawn: {drawn}.")
    return lines


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"report_summary": report_summary}
