# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Collect the variables of a role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: role_variables
short_description: Collect the variables of a role
version_added: 0.2.0
description:
  - Returns a dictionary of all variables that begin with the name of a role and an underscore, templated.
  - A variable that is not set, or whose template needs a variable that is not set, is left out.
  - The dictionary contains secrets if a variable of the role does. The plugin prints nothing; pass the result only to
    filters and modules that do not print secrets.
author:
  - The cloudadc.aws contributors (@cloudadc)
options:
  _terms:
    description: Name of the role, which is the prefix of its variables.
    required: true
    type: list
    elements: str
  exclude:
    description:
      - Prefixes of variables that belong to another role whose name begins with this role's name.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Validate the variables of role autoscale_group
  ansible.builtin.assert:
    that: checked.problems | length == 0
    fail_msg: "{{ checked.problems | join(' ') }}"
  vars:
    checked: "{{ lookup('cloudadc.aws.role_variables', 'autoscale_group') | cloudadc.aws.group_definition }}"
"""

RETURN = r"""
_raw:
  description: Dictionaries of variable names and values, one for each role that was named.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no type hints here
    """Read variables by prefix."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return one dictionary of variables for each role in ``terms``."""
        self.set_options(var_options=variables, direct=kwargs)
        excluded = tuple(f"{prefix}_" for prefix in self.get_option("exclude"))
        return [self._collect(str(term), excluded, variables or {}) for term in terms]

    def _collect(self, role: str, excluded: tuple[str, ...], variables: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in variables if name.startswith(f"{role}_") and not name.startswith(excluded)]
        found: dict[str, Any] = {}
        for name in sorted(names):
            try:
                found[name] = self._templar.template(variables[name])
            except AnsibleUndefinedVariable:
                continue
            except AnsibleError as error:
                # The original text may quote a value, which may be a secret.
                raise AnsibleError(
                    f"Variable {name} cannot be templated ({type(error).__name__}). A value that contains '{{{{' or "
                    "'{{%' is written with !unsafe before it, or taken from the environment by a lookup."
                ) from None
        return found
