# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The boundary between the work of a module and Ansible: a result ends the task, and so does an error, as a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .errors import Failure

Result = Mapping[str, Any]


def end(module: Any, work: Callable[[], Result], *, done: Callable[[], Result] = dict, name: str = "") -> NoReturn:
    """Do ``work`` and end the task with its result, or with the message of its Failure.

    A result with ``msg`` is a failure that says how far the task came.

    Args:
        module: The AnsibleModule, or what stands for it.
        work: What the module does. Raises Failure.
        done: Returns what had been done when the Failure was raised, as keys of the failed result.
        name: What the message is about, where the error does not name it.
    """
    outcome = _outcome(work)
    if isinstance(outcome, Failure):
        # Not inside an except block, so that no traceback is attached to the result.
        fail(module, outcome, name=name, **done())
    module.fail_json(**outcome) if "msg" in outcome else module.exit_json(**outcome)
    raise AssertionError("exit_json and fail_json end the process")


def fail(module: Any, error: Failure, *, name: str = "", **facts: Any) -> NoReturn:
    """End the task with the message of ``error`` and the other side's code; ``facts`` say what had been done."""
    module.fail_json(msg=f"{name}: {error}" if name else str(error), **{**facts, **error.codes()})
    raise AssertionError("fail_json ends the process")


def _outcome(work: Callable[[], Result]) -> Result | Failure:
    try:
        return work()
    except Failure as error:
        return error
