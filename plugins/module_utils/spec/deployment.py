# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request to deploy applications on an autoscale group, or to remove them: variables of role application. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from .group import PREFIX, read_group
from .reading import Reader

ROLE = "application_"
VARIABLES = frozenset(f"{ROLE}{name}" for name in ("name", "definition", "state", "drain", "wait_timeout", "zone"))
_APPLICATIONS = f"{PREFIX}applications"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is requested.

    ``definition``: of the group, with every application that is declared and those that are deployed. ``names``: the
    applications that are meant. ``applications``: the entries with their secrets. ``zone``: only this one, empty for
    all.
    """

    definition: Mapping[str, Any]
    names: tuple[str, ...]
    applications: tuple[Mapping[str, Any], ...]
    present: bool
    drain: bool
    wait_timeout: int
    zone: str


def read_deployment(
    group: Mapping[str, Any],
    variables: Mapping[str, Any],
    *,
    one_step: bool = False,
    given: Mapping[str, Any] | None = None,
) -> tuple[Deployment, list[str]]:
    """Return the request and one message for each problem.

    Args:
        group: variables of role autoscale_group by name.
        variables: variables of role application by name.
        one_step: the caller only brings addresses or back ends up to date, so nothing is deployed that could be wrong.
        given: with ``one_step``, a definition of the group that was normalised before, used instead of ``group``.
    """
    problems: list[str] = []
    unknown = sorted(set(variables) - VARIABLES)
    if unknown:
        problems.append(f"The role application has no variable {', '.join(unknown)}. Its README.md names those it has.")
    plain = {name.removeprefix(ROLE): value for name, value in variables.items()}
    reader = Reader(plain, problems, ROLE, ("definition",))
    present = reader.choice("state", ("present", "absent"), "present") == "present"
    declared = Reader(dict(group), [], "").mappings(_APPLICATIONS)
    name, own = reader.text("name"), reader.mapping("definition")
    chosen = _chosen(name, own, declared)
    if present and name and not chosen:
        problems.append(f"{_APPLICATIONS} names no application {name}.")
    if not present and not chosen:
        chosen = [{"name": name}] if name else []
    names = tuple(str(each.get("name") or "") for each in chosen)
    merged = (
        [*(each for each in declared if each.get("name") not in names), *chosen] if own or not present else declared
    )
    state = {} if present else {f"{PREFIX}state": "absent"}
    definition, wrong = read_group({**group, _APPLICATIONS: merged, **state}, building=False)
    if one_step:
        definition, wrong = dict(given or definition), []
    problems += wrong
    problems += [] if present else _unknown_domains(definition, names)
    zone = _zone(plain.get("zone"))
    if zone and zone not in [one["name"] for one in definition["zones"]]:
        problems.append(f"There is no zone {zone} in {PREFIX}zones.")
    deployment = Deployment(
        definition=definition,
        names=names,
        applications=tuple(merged),
        present=present,
        drain=reader.flag("drain", False),
        wait_timeout=reader.whole("wait_timeout", 600, 1),
        zone=zone,
    )
    return deployment, list(dict.fromkeys(problems))


def _chosen(name: str, given: Mapping[str, Any], declared: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if given:
        return [{"name": name, **given} if name else dict(given)]
    return [each for each in declared if each.get("name") == name] if name else declared


def _zone(given: object) -> str:
    """Return the zone, given by name or as an element of autoscale_group_zones."""
    return str(given.get("name") or "") if isinstance(given, Mapping) else str(given or "")


def _unknown_domains(definition: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """Record sets of nodes are removed by the domain, so it must be known."""
    if not DISTRIBUTORS[definition["distributor"]].public_nodes:
        return []
    return [
        f"Application {each['name']}: its domain is not known; give it in application_definition."
        for each in definition["applications"]
        if each["name"] in names and not each["domain"]
    ]
