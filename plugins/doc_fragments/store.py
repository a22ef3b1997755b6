# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The option ``store`` of modules that read the group state and do not create its table."""

from __future__ import annotations

_OPTION = r"""
options:
  store:
    description: Store of the group state.
    type: dict
"""
_REQUIRED = r"""    required: true
"""
_SINCE_0_2_0 = r"""    version_added: 0.2.0
"""
_SUBOPTIONS = r"""    suboptions:
      type:
        description: V(file) needs neither boto3 nor credentials nor a region.
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: For V(file), the file or the folder of them.
        type: path
      table:
        description: For V(dynamodb), the name of the table.
        type: str
      create:
        description: Accepted for a common variable of all modules; a missing table is read as empty.
        type: bool
        default: false
"""


class ModuleDocFragment:
    """``cloudadc.aws.store``; in ``.optional`` it is not required, in ``.since_0_2_0`` neither, and new in 0.2.0."""

    def __init__(self) -> None:
        # Put together here, because what checks documentation wants class attributes to be plain texts.
        self.DOCUMENTATION = _OPTION + _REQUIRED + _SUBOPTIONS
        self.OPTIONAL = _OPTION + _SUBOPTIONS
        self.SINCE_0_2_0 = _OPTION + _SINCE_0_2_0 + _SUBOPTIONS
