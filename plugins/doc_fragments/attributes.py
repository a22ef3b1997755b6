# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a module supports, in the same words everywhere."""

from __future__ import annotations


class ModuleDocFragment:
    """``cloudadc.aws.attributes`` and its parts."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing anything.
    support: full
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when run with C(--diff).
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""
    READ_ONLY = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing anything.
    support: full
    details:
      - Read-only; it does the same in check mode.
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when run with C(--diff).
    support: N/A
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""
    ACTION_GROUP_AWS = r"""
attributes:
  action_group:
    description: Options can be given once for all modules of these groups in C(module_defaults).
    support: full
    membership: [cloudadc.aws.aws, cloudadc.aws.all]
"""
    ACTION_GROUP_NITRO = r"""
attributes:
  action_group:
    description: Options can be given once for all modules of these groups in C(module_defaults).
    support: full
    membership: [cloudadc.aws.nitro, cloudadc.aws.all]
"""
    ACTION_GROUP_AWS_AND_NITRO = r"""
attributes:
  action_group:
    description: Options can be given once for all modules of these groups in C(module_defaults).
    support: full
    membership: [cloudadc.aws.aws, cloudadc.aws.nitro, cloudadc.aws.all]
"""
    ACTION_GROUP_ALL = r"""
attributes:
  action_group:
    description: Options can be given once for all modules of these groups in C(module_defaults).
    support: full
    membership: [cloudadc.aws.all]
"""
