# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role autoscale: which zones a tick is about, and the message of a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.spec.tick_call import read_call

#: Characters of a message that the stored state keeps.
LONGEST = 600


def tick_call(variables: Mapping[str, Any], group_variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of module autoscale_tick that the variables of two roles lead to, and their problems."""
    return read_call(variables, group_variables)


def failure_message(result: Any, task: Any = None) -> str:
    """Return one line about a failed task: its name and its message, cut to a length that a store keeps."""
    name = getattr(task, "name", None) or (task.get("name") if isinstance(task, Mapping) else None) or "a task"
    message = result.get("msg") if isinstance(result, Mapping) else None
    text = " ".join(str(message or "no message").split())
    return f"{name}: {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}"


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"tick_call": tick_call, "failure_message": failure_message}
