# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs a module in the process that Ansible forks for its task, instead of in an interpreter of its own.

An interpreter costs a second of processor for each task: Python, boto3 and the collection are loaded once more. The
action plugin of a module imports it in Ansible's main process, so that each task's fork has it. Network collections do
the same (``import_modules`` of ansible.netcommon). The module itself does not know the difference: it takes its
arguments from where AnsibleModule looks for them, and prints its result.

It is started as any other module where it has to be: on other hosts, as another user, in the background, with another
Python, and with ``ANSIBLE_KEEP_REMOTE_FILES``, which is for looking at what was started.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible import constants
from ansible.module_utils import _internal, basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from .filters import load_filters
from .progress import shown

load_filters()

#: How arguments and results are written as JSON, as for every module that names no other profile.
PROFILE = "legacy"
#: Variables that an interpreter reads when it starts begin so.
_OF_INTERPRETER = ("PYTHON", "LD_")


class InProcessAction(NormalAction):  # type: ignore[misc]  # ansible-core has no type hints here
    """Run the module of the task, and print what it waits for."""

    #: What the module's own process would call.
    main: Callable[[], None]

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the module."""
        if not self._local() or self._task.async_val:
            return dict(super().run(tmp, task_vars))
        host = str((task_vars or {}).get("inventory_hostname", ""))
        display = Display()
        with shown(lambda text: display.display(f"{host}: {text}" if host else text)):
            return dict(super().run(tmp, task_vars))

    def _execute_module(
        self,
        module_name: str | None = None,
        module_args: dict[str, Any] | None = None,
        tmp: Any = None,
        task_vars: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Return what the module printed, in the form in which Ansible takes it from a process."""
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        variables = task_vars or {}
        if module_name or module_args or more.get("wrap_async") or not self._possible(variables, environment):
            return dict(super()._execute_module(module_name, module_args, tmp, task_vars, **more))
        Display().vvv(f"Running {self._task.action} in the process of its task")
        self._update_module_args(self._task.action, self._task.args, variables)
        with _environment(environment):
            printed = call(type(self).main, self._task.args)
        return result_of(self, printed)

    def _local(self) -> bool:
        return bool(getattr(self._connection, "transport", "") == "local")

    def _possible(self, variables: Mapping[str, Any], environment: Mapping[str, Any]) -> bool:
        """Whether the module would be started by this user, here, with this Python."""
        if not self._local() or self._task.async_val or constants.DEFAULT_KEEP_REMOTE_FILES:
            return False
        if self._play_context.become or self._connection.become:
            return False
        if any(name.startswith(_OF_INTERPRETER) for name in environment):
            return False
        setting = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        interpreter = str(self._templar.template(setting))
        return interpreter == sys.executable or interpreter.startswith("auto")


def call(main: Callable[[], None], args: dict[str, Any]) -> str:
    """Return what the module prints for these arguments, which have Ansible's own among them.

    Args:
        main: The function of the module that its process would call.
    """
    out = io.StringIO()
    with _arguments(args), _warnings_in_result(), contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit:
            pass
        except Exception:  # noqa: BLE001 (in a process of its own too, a traceback is a module that has failed)
            return json.dumps({"failed": True, "msg": "MODULE FAILURE", "exception": traceback.format_exc()})
    return out.getvalue()


@contextlib.contextmanager
def _arguments(args: dict[str, Any]) -> Iterator[None]:
    """Have AnsibleModule find the arguments where the start of a process puts them."""
    encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    before = basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}, cls=encoder).encode()
    basic._ANSIBLE_PROFILE = PROFILE
    try:
        yield
    finally:
        basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = before


@contextlib.contextmanager
def _warnings_in_result() -> Iterator[None]:
    """Have warnings returned with the result, as from a process in which there is no controller."""
    before = _internal.is_controller
    _internal.is_controller = False
    try:
        yield
    finally:
        _internal.is_controller = before


@contextlib.contextmanager
def _environment(more: Mapping[str, Any]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in more.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def result_of(action: ActionBase, printed: str) -> dict[str, Any]:
    """Return what ``_execute_module`` makes of a module's output; since ansible-core 2.21 by an object."""
    parsed = action._parse_returned_data({"rc": 0, "stdout": printed, "stderr": ""}, PROFILE)
    if isinstance(parsed, dict):
        from ansible.vars.clean import remove_internal_keys

        remove_internal_keys(parsed)
        return parsed
    parsed.remove_internal_keys()
    return dict(parsed.as_result_dict(for_round_trip=True))
