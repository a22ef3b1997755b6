# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The option of the modules that wait, or do what cannot be taken back, for a scaling event."""

from __future__ import annotations


class ModuleDocFragment:
    """``cloudadc.aws.event``."""

    DOCUMENTATION = r"""
options:
  event:
    description:
      - The scaling event for which the module works. While it works it renews the claim of this run on the event, once
        a minute. If another run has taken the event over, the module fails before it does anything.
    type: dict
    version_added: 0.2.0
    suboptions:
      id:
        description: Id of the event.
        type: str
        required: true
      takeover:
        description: The takeover number of the event, from the decision.
        type: int
        required: true
      group:
        description: The autoscale group. By default that of the module.
        type: str
      zone:
        description: The zone. By default that of the module.
        type: str
      owner:
        description: The run that owns the event. By default any run with this takeover number.
        type: str
        default: ""
      region:
        description:
          - For V(dynamodb), the region of the table. By default that of the module, or of the environment for a module
            without one.
        type: str
      store:
        description: Store of the group state.
        type: dict
        required: true
        suboptions:
          type:
            description: V(file), or V(dynamodb) for jobs that run on several machines.
            type: str
            choices: [file, dynamodb]
            default: file
          path:
            description: For V(file), the file or a folder of them.
            type: path
          table:
            description: For V(dynamodb), the name of the table.
            type: str
          create:
            description: Accepted for a common variable of all modules; a missing table is read as empty.
            type: bool
            default: false
"""
