"""The hooks a resource may have, with what a plain resource does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.schema import Resource, Row, cli_name
from tests.lab.appliance.store import Key


class Behaviour:
    """A plain resource: rows are stored as given, enable and disable set ``state``, rename moves the key."""

    absent_code = 258
    changes_config = True
    implied_key: Mapping[str, Any] = MappingProxyType({})
    """What a PUT means that leaves the key out."""

    def normalise(self, body: dict[str, Any]) -> dict[str, Any]:
        """Before validation: other spellings of a field."""
        return body

    def selector(self, args: dict[str, str]) -> dict[str, str]:
        """Arguments of a delete or a read, in the fields' own names."""
        return args

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        if resource.singleton:
            return [ctx.running.single(resource.name)]
        return ctx.running.rows(resource.name)

    def table(self, ctx: Context, resource: Resource) -> dict[Key, Row]:
        """Where the rows are kept, for a delete."""
        return ctx.running.table(resource.name)

    def view(self, ctx: Context, row: Row) -> Row:
        """The row with its read-only fields."""
        return dict(row)

    def adding(self, ctx: Context, row: Row) -> None:
        """Refuse, or complete the row."""

    def added(self, ctx: Context, row: Row) -> None:
        """What follows from it."""

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """Refuse, or complete the changes; ``row`` is still as it was."""

    def updated(self, ctx: Context, row: Row) -> None:
        """What follows from it."""

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        """Refuse while in use."""

    def deleted(self, ctx: Context, row: Row) -> None:
        """What goes with it."""

    def exists_detail(self, resource: Resource, row: Row) -> tuple[object, ...]:
        if not resource.key:
            return ()
        field = resource.key[-1] if resource.is_binding else resource.key[0]
        return (cli_name(field), row.get(field, ""))

    def absent(self, resource: Resource, ident: str | None, selector: Mapping[str, str]) -> NitroFault:
        if self.absent_code != 258:
            return NitroFault(self.absent_code)
        if ident is not None and not (resource.is_binding and selector):
            return NitroFault(258, cli_name(resource.key[0]), ident)
        field = next(iter(selector), "")
        return NitroFault(258, cli_name(field), selector.get(field, ""))

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        """An action by its name in lower case; the body of the reply, if it has one."""
        match verb:
            case "enable" | "disable":
                self.find(ctx, resource, arguments)["state"] = "ENABLED" if verb == "enable" else "DISABLED"
            case "rename":
                self.rename(ctx, resource, arguments)
            case "clear" | "reset" | "flush":
                pass
            case _:
                raise NitroFault(1240, verb)
        return None

    def rename(self, ctx: Context, resource: Resource, arguments: Row) -> None:
        row = self.find(ctx, resource, arguments)
        table = ctx.running.table(resource.name)
        new = {**row, resource.key[0]: arguments["newname"]}
        if resource.key_of(new) in table:
            raise NitroFault(273, cli_name(resource.key[0]), arguments["newname"])
        del table[resource.key_of(row)]
        table[resource.key_of(new)] = new

    def find(self, ctx: Context, resource: Resource, arguments: Row) -> Row:
        found = ctx.running.table(resource.name).get(resource.key_of(arguments))
        if found is None:
            raise self.absent(resource, str(arguments.get(resource.key[0], "")), {})
        return found


PLAIN = Behaviour()
REGISTRY: dict[str, Behaviour] = {}


def behaves(*names: str) -> Callable[[type[Behaviour]], type[Behaviour]]:
    """Register one instance of a behaviour for these resources."""

    def register(kind: type[Behaviour]) -> type[Behaviour]:
        instance = kind()
        for name in names:
            REGISTRY[name] = instance
        return kind

    return register


def require(ctx: Context, name: str, field: str, value: Any, code: int = 258) -> Row:
    """The first row of another type with this value, or a refusal that names it."""
    row = ctx.running.first(name, **{field: value})
    if row is None:
        raise NitroFault(code, cli_name(field), value) if code == 258 else NitroFault(code)
    return row
