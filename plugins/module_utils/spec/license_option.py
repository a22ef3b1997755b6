# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option ``license`` of appliances: which settings go together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The names on the price list and the names in NITRO (facts of the vendor's licensing guide).
EDITIONS = {
    "Standard": "Standard",
    "Advanced": "Enterprise",
    "Enterprise": "Enterprise",
    "Premium": "Platinum",
    "Platinum": "Platinum",
}
_KINDS = ("bandwidth", "platform", "vcpu")
_KEYS = frozenset(
    {*_KINDS, "mode", "server", "port", "username", "password", "unit", "edition", "offline", "activations"}
)


def option_problem(option: Mapping[str, Any]) -> str | None:
    """Return why an option ``license`` cannot be meant; None if nothing is wrong with it."""
    kinds = [kind for kind in _KINDS if option.get(kind)]
    las = option.get("mode") == "las"
    if las and set(kinds) & {"platform", "vcpu"}:
        return (
            "the License Activation Service gives bandwidth with an edition; platform and vcpu are licences of mode "
            "pooled, which the vendor no longer supports"
        )
    if option.get("offline"):
        return _offline_problem(option, las=las)
    if option.get("activations"):
        return "activations go with offline"
    if len(kinds) != 1:
        return f"give exactly one of bandwidth, platform and vcpu, not {' and '.join(kinds) or 'none'}"
    if kinds != ["platform"] and option.get("edition") not in EDITIONS:
        return f"{kinds[0]} needs an edition"
    if las and not (option.get("server") and option.get("username") and option.get("password")):
        return "mode las needs server, username and password, or offline"
    return None


def _offline_problem(option: Mapping[str, Any], *, las: bool) -> str | None:
    if not las:
        return "offline goes with mode las"
    given = [name for name in ("server", "username", "password", "bandwidth") if option.get(name)]
    if given:
        return f"offline has no use for {', '.join(given)}: the activation file holds the entitlement"
    return None


def license_mode(option: object) -> str:
    """Return the mode of a role's licence variable, empty where it holds none."""
    return str(option.get("mode") or "pooled") if isinstance(option, Mapping) and option else ""


def license_demand(option: object) -> str:
    """Return what a node checks out and from which server, without credentials; empty where there is no server."""
    if not isinstance(option, Mapping) or not option.get("server"):
        return ""
    edition = f" {option['edition']}" if option.get("edition") else ""
    if option.get("bandwidth"):
        amount = f"{option['bandwidth']} {option.get('unit') or 'Mbps'}{edition}"
    else:
        amount = f"vCPU{edition}" if option.get("vcpu") else str(option.get("platform") or "one licence")
    return f"{amount} of {option['server']}"


def variable_problems(variable: str, option: object, *, launches_by_itself: bool = False) -> list[str]:
    """Return what is wrong with a role's variable that holds the option. Nothing of it is quoted but names of keys.

    ``launches_by_itself``: nodes are launched without an operator who could have them activated.
    """
    if not isinstance(option, Mapping) or not option:
        return []
    unknown = sorted(str(key) for key in option if key not in _KEYS)
    if unknown:
        return [f"{variable} has no key {', '.join(unknown)}; it has {', '.join(sorted(_KEYS))}."]
    if launches_by_itself and option.get("offline"):
        return [f"{variable}: offline needs an operator who has each node activated; a group launches nodes by itself."]
    problem = option_problem(option)
    return [f"{variable}: {problem}."] if problem else []
