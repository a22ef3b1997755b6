# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a definition that a module was given is one that a filter returned. Pure.

A filter validates what a user wrote. A module that is given a definition made otherwise must not end with a traceback.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ..core.errors import Refusal
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .group import read_group
from .pair import read_pair

_STATES = ("present", "absent")


def require_group(definition: Mapping[str, Any]) -> None:
    """Raise Refusal that names every key that the definition of a group lacks."""
    choices = {"state": _STATES, "distributor": tuple(DISTRIBUTORS), "topology": tuple(TOPOLOGIES)}
    _require(definition, _group(), choices, "group_definition")


def require_pair(definition: Mapping[str, Any]) -> None:
    """Raise Refusal that names every key that the definition of a pair lacks."""
    _require(definition, _pair(), {"state": _STATES}, "pair_definition")


@functools.cache
def _group() -> dict[str, Any]:
    return read_group({"autoscale_group_zones": [{}], "autoscale_group_applications": [{}]})[0]


@functools.cache
def _pair() -> dict[str, Any]:
    return read_pair({"ha_pair_nodes": [{}], "ha_pair_application": {"name": "web"}})[0]


def _require(
    definition: Mapping[str, Any], template: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]], made_by: str
) -> None:
    wrong = _differences(definition, template, "")
    others = [key for key, allowed in choices.items() if key in definition and definition[key] not in allowed]
    wrong += [f"{key} (one of {', '.join(choices[key])})" for key in others]
    if not wrong and not definition["name"]:
        wrong = ["name (a text)"]
    if wrong:
        raise Refusal(
            f"definition is incomplete, {', '.join(wrong)} missing or of another form. Give what filter "
            f"cloudadc.aws.{made_by} returns. Nothing was read."
        )


def _differences(given: Any, template: Any, where: str) -> list[str]:
    """Return the paths of keys that are missing, and of values that are no dictionary or list where one belongs."""
    if isinstance(template, Mapping):
        if not isinstance(given, Mapping):
            return [f"{where} (a dictionary)"]
        prefix = f"{where}." if where else ""
        found = [f"{prefix}{key}" for key in template if key not in given]
        known = [key for key in template if key in given]
        return found + [path for key in known for path in _differences(given[key], template[key], f"{prefix}{key}")]
    if isinstance(template, list):
        if not isinstance(given, list | tuple):
            return [f"{where} (a list)"]
        inner = template[0] if template and isinstance(template[0], Mapping) else None
        entries = enumerate(given) if inner is not None else ()
        return [path for at, each in entries for path in _differences(each, inner, f"{where}[{at}]")]
    return []
