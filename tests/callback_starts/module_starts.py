"""Callback plugin for tests: counts the module payloads that were executed, per host, into a JSON file.

It counts results, not tasks: each item of a loop, each retry, each host. A task that was skipped, and an action plugin
that runs in the controller without starting a payload, count 0.
"""

from __future__ import annotations

DOCUMENTATION = """
name: module_starts
type: aggregate
short_description: Count executed module payloads
description: Writes which module payloads were executed for each host to a JSON file.
options:
  path:
    description: The file.
    type: path
    required: true
    env:
      - name: MODULE_STARTS_PATH
"""

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

#: Actions that run in the controller and start no payload.
CONTROLLER_ONLY = frozenset(
    {
        "add_host",
        "assert",
        "debug",
        "fail",
        "group_by",
        "include_role",
        "include_tasks",
        "include_vars",
        "meta",
        "pause",
    }
    | {"import_role", "import_tasks", "set_fact", "set_stats", "validate_argument_spec"}
)


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type hints here
    """Collects ``{host: [module, …]}`` in the order in which results came."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "module_starts"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.starts: dict[str, list[str]] = {}

    def _count(self, result: Any) -> None:
        name = str(result.task.resolved_action or result.task.action)
        if result.result.get("skipped") or name.rpartition(".")[2] in CONTROLLER_ONLY:
            return
        self.starts.setdefault(result.host.get_name(), []).append(name)

    def _task(self, result: Any, **_more: Any) -> None:
        # The items of a loop were counted one by one; this is their summary.
        if not (result.task.loop or result.task.loop_with):
            self._count(result)

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _task
    v2_runner_item_on_ok = v2_runner_item_on_failed = v2_runner_retry = _count

    def v2_playbook_on_stats(self, stats: Any) -> None:
        Path(self.get_option("path")).write_text(json.dumps(self.starts, indent=1))
