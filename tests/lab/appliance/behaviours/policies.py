"""Content switching policies, and the command policies of users and groups."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.schema import Resource, Row

from .base import Behaviour, behaves, require

# What every appliance has from the factory (vendor documentation, "Built-in policies and privileges").
BUILTIN = ("read-only", "operator", "network", "superuser", "sysadmin")


@behaves("csaction")
class CsAction(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if target := row.get("targetlbvserver"):
            require(ctx, "lbvserver", "name", target)

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if ctx.running.first("cspolicy", action=row["name"]):
            raise NitroFault(1070)


@behaves("cspolicy")
class CsPolicy(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if action := row.get("action"):
            require(ctx, "csaction", "name", action)

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if ctx.running.first("csvserver_cspolicy_binding", policyname=row["policyname"]):
            raise NitroFault(1070)


@behaves("csvserver_cspolicy_binding")
class CsPolicyBinding(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "csvserver", "name", row["name"])
        require(ctx, "cspolicy", "policyname", row["policyname"])


@behaves("csvserver_lbvserver_binding")
class CsDefault(Behaviour):
    """The load balancing virtual server for what no policy matches."""

    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "csvserver", "name", row["name"])
        require(ctx, "lbvserver", "name", row["lbvserver"])


@behaves("systemcmdpolicy")
class CommandPolicy(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        own = super().rows(ctx, resource)
        return [
            {"policyname": name, "action": "ALLOW", "cmdspec": ".*", "builtin": ["IMMUTABLE"]} for name in BUILTIN
        ] + own


@behaves("systemuser_systemcmdpolicy_binding")
class UserPolicy(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "systemuser", "username", row["username"])
        if row["policyname"] not in BUILTIN:
            require(ctx, "systemcmdpolicy", "policyname", row["policyname"])
