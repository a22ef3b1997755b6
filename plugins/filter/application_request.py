# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter: the variables of roles application and autoscale_group to a request and its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.spec.deployment import read_deployment


def application_request(
    variables: Mapping[str, Any],
    group: Mapping[str, Any],
    one_step: bool = False,
    definition: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the request, its group's ``definition``, and ``problems``, one message each."""
    request, problems = read_deployment(group, variables, one_step=one_step, given=definition)
    return {
        "definition": dict(request.definition),
        "names": list(request.names),
        "applications": list(request.applications),
        "drain": request.drain,
        "wait_timeout": request.wait_timeout,
        "zone": request.zone,
        "problems": problems,
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"application_request": application_request}
