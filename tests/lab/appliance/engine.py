"""Add, update, unset, act, delete, read: what every resource has in common. What is special is in ``behaviours``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import schema
from .behaviours import behaviour_of
from .context import Context, ordered
from .errors import NitroFault
from .schema import SECRET_FIELDS, Resource, Row, cli_name
from .store import Key

Body = Mapping[str, Any]


def add(ctx: Context, name: str, body: Body, *, idempotent: bool = False) -> None:
    """Create an object or bind one to another. 273 (409) when it exists; with ``idempotent`` an equal one is
    accepted.
    """
    resource = schema.config(name)
    if "add" not in resource.operations:
        raise NitroFault(1240, "add")
    behaviour = behaviour_of(name)
    row = resource.validate("add", behaviour.normalise(dict(body)))
    full = {**resource.defaults(), **row}
    behaviour.adding(ctx, full)
    table = ctx.running.table(name)
    key = resource.key_of(full)
    if key in table:
        if idempotent and _equal(table[key], row):
            return
        raise NitroFault(273, *behaviour.exists_detail(resource, full))
    table[key] = full
    behaviour.added(ctx, full)
    ctx.appliance.changed_at = ctx.now


def _equal(existing: Row, desired: Row) -> bool:
    return all(existing.get(field) == value for field, value in desired.items() if field not in SECRET_FIELDS)


def update(ctx: Context, name: str, body: Body, ident: str | None = None) -> None:
    """Change fields of one object; what it does not name stays. 258 (404) when there is none."""
    resource = schema.config(name)
    if "update" not in resource.operations:
        raise NitroFault(1240, "set")
    body = dict(body)
    if ident is not None and resource.key:
        body.setdefault(resource.key[0], ident)
    behaviour = behaviour_of(name)
    body = {**behaviour.implied_key, **body}
    changes = resource.validate("update", behaviour.normalise(body))
    row = _target(ctx, resource, changes)
    changes = {field: value for field, value in changes.items() if field not in resource.key}
    behaviour.updating(ctx, row, changes)
    row.update(changes)
    behaviour.updated(ctx, row)
    ctx.appliance.changed_at = ctx.now


def unset(ctx: Context, name: str, body: Body) -> None:
    """Put fields back to their defaults: each is named with the value true."""
    resource = schema.config(name)
    _ignored, operation = resource.operation("unset")
    for field in body:
        if field not in resource.fields:
            raise NitroFault(1090, field)
        if field not in operation.fields and field not in resource.key:
            raise NitroFault(278, cli_name(field))
    named = {**behaviour_of(name).implied_key, **body}
    selector = {field: resource.fields[field].coerce(value) for field, value in named.items() if field in resource.key}
    row = _target(ctx, resource, selector)
    defaults = resource.defaults()
    changes = {field: defaults.get(field) for field in body if field not in resource.key}
    behaviour_of(name).updating(ctx, row, changes)
    for field, value in changes.items():
        if value is None:
            row.pop(field, None)
        else:
            row[field] = value
    behaviour_of(name).updated(ctx, row)
    ctx.appliance.changed_at = ctx.now


def act(ctx: Context, name: str, action: str, body: Body) -> Row | None:
    """``?action=``: a verb of the resource's own. 1240 when it has no such verb. May return a body."""
    resource = schema.config(name)
    match action.lower():
        case "unset":
            unset(ctx, name, body)
            return None
        case "remove":
            delete(ctx, name, None, {field: str(value) for field, value in body.items()})
            return None
        case "add":
            add(ctx, name, body)
            return None
        case "update" if "change" not in resource.operations:
            update(ctx, name, body)
            return None
    spelled = {"update": "change"}.get(action.lower(), action)
    verb, _ignored = resource.operation(spelled)
    behaviour = behaviour_of(name)
    arguments = resource.validate(verb, behaviour.normalise(dict(body)))
    result = behaviour.act(ctx, resource, verb.lower(), arguments)
    if behaviour.changes_config:
        ctx.appliance.changed_at = ctx.now
    return result


def delete(ctx: Context, name: str, ident: str | None, args: Mapping[str, str]) -> None:
    """Remove what the name and arguments select. 258 (404) when nothing does; 1095 when a binding's member is not
    named.
    """
    resource = schema.config(name)
    if "delete" not in resource.operations:
        raise NitroFault(1240, "rm")
    behaviour = behaviour_of(name)
    options = {field: value for field, value in args.items() if field in resource.operations["delete"].fields}
    selector = behaviour.selector({field: value for field, value in args.items() if field not in options})
    if resource.is_binding and ident is not None and not selector:
        raise NitroFault(1095, cli_name(resource.key[-1]))
    if ident is None and not selector:
        raise NitroFault(1095, cli_name(resource.key[0] if resource.key else "name"))
    table = behaviour.table(ctx, resource)
    chosen = [(key, row) for key, row in table.items() if matches(resource, row, ident, selector)]
    if not chosen:
        raise behaviour.absent(resource, ident, selector)
    for key, row in chosen:
        behaviour.deleting(ctx, row, options)
        table.pop(key, None)
        behaviour.deleted(ctx, row)
    ctx.appliance.changed_at = ctx.now


def matches(resource: Resource, row: Row, ident: str | None, selector: Mapping[str, str]) -> bool:
    """Whether a row is the one named, by its first key field and by arguments."""
    names = resource.key if resource.either else resource.key[:1]
    if ident is not None and names and all(str(row.get(name, "")) != ident for name in names):
        return False
    for field, desired in selector.items():
        known = resource.fields.get(field)
        if known is None:
            raise NitroFault(1090, field)
        have = row.get(field, 0 if known.kind in "di" else "")
        if _text(have).lower() != str(desired).lower():
            return False
    return True


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(ctx: Context, name: str, ident: str | None, args: Mapping[str, str]) -> list[Row]:
    """Rows as they are shown, native types. A named object that is not there: 258 (404) or the type's own code."""
    resource = schema.config(name)
    behaviour = behaviour_of(name)
    rows = behaviour.rows(ctx, resource)
    if resource.singleton:
        return [ordered(resource.fields, behaviour.view(ctx, row)) for row in rows]
    selector = behaviour.selector({field: value for field, value in args.items() if field in resource.fields})
    shown = [ordered(resource.fields, behaviour.view(ctx, row)) for row in rows if matches(resource, row, ident, {})]
    found = [row for row in shown if matches(resource, row, None, selector)]
    named = ident is not None or (bool(selector) and not resource.is_binding)
    if not found and named:
        if not resource.is_binding:
            raise behaviour.absent(resource, ident, selector)
        if ident is not None:
            require_parent(ctx, resource, ident)
    return found


def require_parent(ctx: Context, resource: Resource, ident: str) -> None:
    """A binding of an object that is not there is a missing object, not an empty list."""
    parent = resource.name.split("_", 1)[0]
    owner = schema.catalogue().get(f"config/{parent}")
    if owner is None or not owner.key:
        return
    if not any(str(row.get(owner.key[0])) == ident for row in behaviour_of(parent).rows(ctx, owner)):
        raise behaviour_of(parent).absent(owner, ident, {})


def is_aggregate(name: str) -> bool:
    """Whether this is ``<a>_binding``: an object with all that is bound to it."""
    return name.endswith("_binding") and f"config/{name.removesuffix('_binding')}" in schema.catalogue()


def all_bindings(ctx: Context, name: str, ident: str | None) -> list[Row]:
    """``<a>_binding``: an object with everything bound to it, one key a kind of binding."""
    parent = name.removesuffix("_binding")
    owner = schema.config(parent)
    kinds = [
        path.split("/", 1)[1]
        for path, resource in schema.catalogue().items()
        if path.startswith(f"config/{parent}_") and path.endswith("_binding") and resource.name != name
    ]
    objects = read(ctx, parent, ident, {})
    out = []
    for item in objects:
        row: Row = {owner.key[0]: item[owner.key[0]]}
        for kind in kinds:
            if members := read(ctx, kind, str(item[owner.key[0]]), {}):
                row[kind] = [schema.config(kind).print(member) for member in members]
        out.append(row)
    return out


def _target(ctx: Context, resource: Resource, row: Row) -> Row:
    """The stored row that a body with its key fields means."""
    table = ctx.running.table(resource.name)
    if resource.singleton or not resource.key:
        return ctx.running.single(resource.name)
    named = [field for field in (resource.key if resource.either else resource.key[:1]) if field in row]
    if not named:
        raise NitroFault(1095, cli_name(resource.key[0]))
    key: Key = resource.key_of(row)
    found = table.get(key)
    if found is None:
        ident = str(row[named[0]])
        raise behaviour_of(resource.name).absent(resource, ident, {})
    return found
