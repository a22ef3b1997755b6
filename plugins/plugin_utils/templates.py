# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Templates within variables, which ansible-rulebook hands to event sources as they are written.

ansible-playbook resolves a template that stands in a file of variables; ansible-rulebook resolves only those of the
rulebook, once. So the same file would give an event source the text of the template as its password. Lookups of the
environment are resolved here as Ansible does it; every other template is refused with the name of its argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..module_utils.core.errors import Failure

_OPENING = ("{{", "{%")
_TEXT = r"""(?:'(?P<{0}_single>[^'\\]*)'|"(?P<{0}_double>[^"\\]*)")"""
_ENVIRONMENT = re.compile(
    r"\{\{-?\s*(?:lookup|query|q)\(\s*['\"](?:ansible\.builtin\.)?env['\"]\s*,\s*"
    + _TEXT.format("name")
    + r"\s*\)\s*(?:\|\s*default\(\s*"
    + _TEXT.format("default")
    + r"\s*(?:,\s*[Tt]rue\s*)?\)\s*)?-?\}\}"
)


class TemplateError(Failure):
    """A template that cannot be resolved; the message names its argument and holds no value."""


def resolved(args: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments with every lookup of the environment replaced by its value.

    Args:
        args: Arguments of an event source, nested as they may be.
        environ: The environment of the process.

    Raises:
        TemplateError: A template is something else, or names a variable that is not set and has no default.
    """
    return {name: _resolve(value, name, environ) for name, value in args.items()}


def _resolve(value: Any, where: str, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _resolve(item, f"{where}.{name}", environ) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{where}[{index}]", environ) for index, item in enumerate(value)]
    if not isinstance(value, str) or not any(opening in value for opening in _OPENING):
        return value
    return _from_environment(value, where, environ)


def _from_environment(value: str, where: str, environ: Mapping[str, str]) -> str:
    lookup = _ENVIRONMENT.fullmatch(value.strip())
    if lookup is None:
        raise TemplateError(
            f"{where} contains a template, and ansible-rulebook does not resolve templates within variables. Write the "
            "value itself, a vaulted value, or nothing but a lookup of the environment; a password that contains '{{' "
            "goes into the environment as NETSCALER_NITRO_PASS"
        )
    name = lookup["name_single"] or lookup["name_double"] or ""
    default = lookup["default_single"] if lookup["default_single"] is not None else lookup["default_double"]
    found = environ.get(name) or default
    if found is None:
        raise TemplateError(f"{where} is taken from the environment, where ansible-rulebook runs without {name}")
    return found
