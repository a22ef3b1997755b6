# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where Ansible meets AWS: the module object of all modules that call AWS, and their start and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..core import boundary


class AwsModule(AnsibleAWSModule):  # type: ignore[misc]  # amazon.aws has no type hints for ansible-core's part
    """The module of amazon.aws, whose warnings are printed without a deprecation.

    That of amazon.aws hands every warning to ``exit_json`` once more, which ansible-core reports as deprecated from
    2.19 on, in each run that has something to warn of.
    """

    def warn(self, *args: Any, **kwargs: Any) -> None:
        """Emit a warning once, by ansible-core."""
        self._module.warn(*args, **kwargs)


def run(
    argument_spec: Mapping[str, Any],
    work: Callable[[AwsModule], boundary.Result],
    *,
    done: Callable[[], boundary.Result] = dict,
    name: Callable[[Mapping[str, Any]], str] = lambda _params: "",
    **rules: Any,
) -> NoReturn:
    """Do the ``work`` of a module with these options, and end the task with its result or the message of its Failure.

    A result with ``msg`` is a failure that says how far the task came. The result of a Failure has ``error_code``, the
    code that AWS gave (None: none), and ``nitro_errorcode`` where an appliance gave one.

    Args:
        argument_spec: The options, without those of amazon.aws.
        work: What the module does. Raises Failure.
        done: Returns what had been done when a Failure was raised, as keys of the failed result.
        name: Returns what messages are about, from the options, where errors do not name it.
        rules: More arguments of AnsibleAWSModule, such as ``required_one_of``.
    """
    module = AwsModule(argument_spec=dict(argument_spec), supports_check_mode=True, **rules)
    boundary.end(
        module,
        lambda: work(module),
        done=lambda: {"error_code": None, **done()},
        name=name(module.params),
    )
