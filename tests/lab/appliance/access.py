"""Who may do what: command policies of users and groups (vendor docs: authorization, built-in command policies).

nsroot may do everything. Other users may do what a bound policy allows; without one, nothing (2138, HTTP 403).
"""

from __future__ import annotations

from typing import Literal

from .errors import NitroFault
from .store import Config

Action = Literal["show", "switch", "change"]
BUILT_IN: dict[str, tuple[Action, ...]] = {
    "superuser": ("show", "switch", "change"),
    "sysadmin": ("show", "switch", "change"),
    "network": ("show", "switch", "change"),
    "operator": ("show", "switch"),
    "read-only": ("show",),
}


def action_of(method: str, action: str) -> Action:
    """Reading, enabling and disabling, or anything else."""
    if method == "GET":
        return "show"
    return "switch" if action.lower() in ("enable", "disable") else "change"


def policies(config: Config, username: str) -> set[str]:
    """Names of command policies that hold for a user, its own and its groups'."""
    names = {row["policyname"] for row in config.find("systemuser_systemcmdpolicy_binding", username=username)}
    for member in config.find("systemgroup_systemuser_binding", username=username):
        bound = config.find("systemgroup_systemcmdpolicy_binding", groupname=member["groupname"])
        names |= {row["policyname"] for row in bound}
    return names


def allowed(config: Config, name: str, operation: Action) -> bool:
    """What one policy allows. Of one's own making only the common kind is understood: those that show and stat."""
    if name in BUILT_IN:
        return operation in BUILT_IN[name]
    row = config.first("systemcmdpolicy", policyname=name)
    if row is None or row.get("action") != "ALLOW":
        return False
    spec = str(row.get("cmdspec", ""))
    return spec in (".*", "^.*$") or (operation == "show" and ("show" in spec or "stat" in spec))


def require(config: Config, username: str, method: str, action: str, name: str) -> None:
    """2138 (403) when no policy of the user allows it."""
    operation = action_of(method, action)
    if username == "nsroot" or any(allowed(config, policy, operation) for policy in policies(config, username)):
        return
    raise NitroFault(2138, f"{operation} {name}")
