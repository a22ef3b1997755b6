# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module object of all modules that call AWS."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


class AwsModule(AnsibleAWSModule):  # type: ignore[misc]  # amazon.aws has no type hints for ansible-core's part
    """The module of amazon.aws, whose warnings are printed without a deprecation.

    That of amazon.aws hands every warning to ``exit_json`` once more, which ansible-core reports as deprecated from
    2.19 on, in each run that has something to warn of.
    """

    def warn(self, *args: Any, **kwargs: Any) -> None:
        """Emit a warning once, by ansible-core."""
        self._module.warn(*args, **kwargs)
