"""HTTP: which appliance, who is asking, which operation; and the reply in the appliance's own envelope."""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.wrappers import Request

from . import access, engine, passwords, schema, stats
from .appliance import Appliance
from .context import Context, Room
from .errors import REASONS, NitroFault
from .wire import decode, dumps, envelope, pairs

API = ("nitro", "v1")
TOKEN_COOKIES = ("NITRO_AUTH_TOKEN", "sessionid", "SESSID")
GONE = "deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/; httponly"
Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Reply:
    """Status, body and headers; a body of None is an empty one."""

    status: int
    body: dict[str, Any] | None = None
    headers: Headers = field(default_factory=list)

    def status_line(self) -> str:
        return f"{self.status} {REASONS.get(self.status, 'OK')}"

    def data(self) -> bytes:
        return (dumps(self.body) if self.body is not None else "").encode()


def done(status: int = 200, extra: Mapping[str, Any] | None = None) -> Reply:
    return Reply(status, {**envelope(), **(extra or {})})


def refused(fault: NitroFault) -> Reply:
    return Reply(fault.status, envelope(fault.code, fault.message, "ERROR"))


@dataclass(frozen=True, slots=True)
class Path:
    """``/nitro/v1/<kind>/<name>[/<ident>]``, decoded; the reply's key is the name as the client spelled it."""

    kind: str
    name: str
    spelled: str
    ident: str | None


def split_path(raw: str) -> Path:
    """Parts of the undecoded request path. 1232 for anything that is not the API's."""
    parts = [part for part in raw.split("?", 1)[0].split("/") if part]
    if tuple(parts[:2]) != API or len(parts) < 4 or parts[2] not in ("config", "stat"):
        raise NitroFault(1232, "/".join(decode(part) for part in parts[2:]))
    ident = decode("/".join(parts[4:])) if len(parts) > 4 else None
    spelled = decode(parts[3])
    return Path(parts[2], schema.canonical(parts[2], spelled), spelled, ident)


def raw_path(environ: Mapping[str, Any]) -> str:
    """The path as it was sent (a name may hold an encoded slash), or the nearest to it that the server kept."""
    for name in ("REQUEST_URI", "RAW_URI"):
        if name in environ:
            uri = str(environ[name])
            return uri.split("://", 1)[1].partition("/")[2] if "://" in uri.split("?", maxsplit=1)[0] else uri
    return quote(str(environ.get("PATH_INFO", "")).encode("latin-1"))


class Api:
    """The REST API of whichever appliance a request reaches."""

    def __init__(self, room: Room) -> None:
        self.room = room

    def answer(self, appliance: Appliance, request: Request, on_clip: bool) -> Reply:
        try:
            path = split_path(raw_path(request.environ))
            if path.kind == "config" and path.name in ("login", "logout"):
                return self._session_request(appliance, request, path.name)
            ctx = self._authenticated(appliance, request)
            ctx.on_clip = on_clip
            access.require(ctx.running, ctx.username, request.method, request.args.get("action", ""), path.name)
            return Call(ctx, request, path).reply()
        except NitroFault as fault:
            reply = refused(fault)
            if fault.code == 445:
                reply.status = self.room.settings.session_limit_status
            return reply

    # -- sessions ----------------------------------------------------------------------------------------------------

    def _session_request(self, appliance: Appliance, request: Request, name: str) -> Reply:
        if request.method != "POST":
            raise NitroFault(1240, request.method)
        body = payload(request, name)
        return self._login(appliance, request, body) if name == "login" else self._logout(appliance, request)

    def _login(self, appliance: Appliance, request: Request, body: Any) -> Reply:
        """201 with the session id in the body and as a cookie whose name depends on the content type (recorded
        logins).
        """
        if not isinstance(body, dict):
            raise NitroFault(1234, "login")
        for name in body:
            if name not in ("username", "password", "new_password", "timeout"):
                raise NitroFault(1090, name)
        for name in ("username", "password"):
            if not body.get(name):
                raise NitroFault(1095, schema.cli_name(name))
        username, password, now = str(body["username"]), str(body["password"]), self.room.clock.now()
        if body.get("new_password"):
            user = passwords.change_at_login(appliance, username, password, str(body["new_password"]), now)
            appliance.changed_at = now
        else:
            user = passwords.check(appliance, username, password, now)
        timeout = self._timeout(appliance, user, body.get("timeout"))
        session = appliance.sessions.open(username, now, timeout, int(user.get("maxsession", 20)))
        cookie = "NITRO_AUTH_TOKEN" if "vnd.com.citrix" in (request.content_type or "") else "sessionid"
        reply = done(201, {"sessionid": session.token})
        reply.headers = [
            ("Set-Cookie", f"SESSID={GONE}"),
            ("Set-Cookie", f"{cookie}={quote(session.token, safe='')}; path=/nitro/v1; httponly"),
        ]
        return reply

    def _timeout(self, appliance: Appliance, user: schema.Row, desired: Any) -> float:
        parameters = appliance.running.single("systemparameter")
        if desired is None:
            return float(user.get("timeout") or parameters.get("timeout") or 900)
        return float(schema.Field("timeout", "d", low=1, high=100000000).coerce(desired))

    def _logout(self, appliance: Appliance, request: Request) -> Reply:
        token = token_of(request)
        if token is None:
            raise NitroFault(1027)
        appliance.sessions.use(token, self.room.clock.now())
        appliance.sessions.close(token)
        return done(201)

    def _authenticated(self, appliance: Appliance, request: Request) -> Context:
        """By cookie, by X-NITRO-USER and X-NITRO-PASS, or by basic authentication, in this order."""
        now = self.room.clock.now()
        token = token_of(request)
        if token is not None:
            session = appliance.sessions.use(token, now)
            return Context(self.room, appliance, now, session.username, token=token)
        username, password = self._credentials(appliance, request)
        user = passwords.check(appliance, username, password, now)
        appliance.sessions.require_room(username, now, int(user.get("maxsession", 20)))
        return Context(self.room, appliance, now, username)

    def _credentials(self, appliance: Appliance, request: Request) -> tuple[str, str]:
        username = request.headers.get("X-NITRO-USER")
        if username is not None:
            return username, request.headers.get("X-NITRO-PASS", "")
        authorization = request.headers.get("Authorization", "")
        if not authorization.lower().startswith("basic "):
            raise NitroFault(1027)
        if appliance.running.single("systemparameter").get("basicauth") == "DISABLED":
            raise NitroFault(1244)
        try:
            username, _ignored, password = base64.b64decode(authorization[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise NitroFault(354) from None
        return username, password


def token_of(request: Request) -> str | None:
    """The session id, from the Cookie header or (one official client) a request header named Set-Cookie; raw or
    encoded.
    """
    for header in ("Cookie", "Set-Cookie"):
        for part in request.headers.get(header, "").split(";"):
            name, _ignored, value = part.strip().partition("=")
            if name in TOKEN_COOKIES and value and value != "deleted":
                return unquote(_unquoted(value))
    return None


def _unquoted(value: str) -> str:
    """Some clients put cookie values in double quotes."""
    if not value.startswith('"'):
        return value
    try:
        return next(iter(SimpleCookie(f"x={value}").values())).value
    except (CookieError, StopIteration):
        return value.strip('"')


def payload(request: Request, name: str) -> Any:
    """What stands under the resource's name in the body: an object, or a list of them. 1233 when it is not JSON
    (400).
    """
    text = request.get_data(as_text=True)
    if request.mimetype == "application/x-www-form-urlencoded" and text.startswith("object="):
        text = unquote(text.removeprefix("object=").replace("+", " "))
    try:
        body = json.loads(text or "{}")
    except ValueError:
        raise NitroFault(1233) from None
    if not isinstance(body, dict):
        raise NitroFault(1233)
    content = {key.lower(): value for key, value in body.items()}.get(name.lower())
    if content is None and not body.keys() - {"params"}:
        content = {}
    if content is None:
        raise NitroFault(1232, next(iter(body), ""))
    if not isinstance(content, (dict, list)):
        raise NitroFault(1234, name)
    return content


class Call:
    """One authenticated request."""

    def __init__(self, ctx: Context, request: Request, path: Path) -> None:
        self.ctx, self.request, self.path = ctx, request, path
        self.query = request.args
        self.params: dict[str, Any] = {}

    def reply(self) -> Reply:
        match self.request.method:
            case "GET":
                return self._stat() if self.path.kind == "stat" else self._get()
            case "POST" | "PUT" | "DELETE" if self.path.kind == "config":
                return self._write()
        raise NitroFault(1240, self.request.method)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _stat(self) -> Reply:
        """Statistics: an object for what exists once, a list for the rest."""
        args = pairs(self.query.get("args", ""))
        found = stats.read(self.ctx, self.path.name, self.path.ident, args, self._flag("statbindings"))
        return self._found(found)

    def _get(self) -> Reply:
        name = self.path.name
        args = pairs(self.query.get("args", ""))
        if engine.is_aggregate(name):
            return self._found(engine.all_bindings(self.ctx, name, self.path.ident))
        resource = schema.config(name)
        self.ctx.args = args
        rows = engine.read(self.ctx, name, self.path.ident, args)
        filters = pairs(self.query.get("filter", ""))
        rows = [row for row in rows if all(self._passes(row, name, desired) for name, desired in filters.items())]
        if self._flag("count"):
            return done(200, {self.path.spelled: [{"__count": len(rows)}]})
        rows = [resource.print(row) for row in self._page(rows)]
        if resource.singleton:
            return self._found(rows[0])
        return self._found(rows)

    def _passes(self, row: schema.Row, name: str, desired: str) -> bool:
        return stats.passes(row.get(name), desired)

    def _page(self, rows: list[schema.Row]) -> list[schema.Row]:
        size = int(self.query.get("pagesize", 0) or 0)
        if size:
            start = (max(1, int(self.query.get("pageno", 1))) - 1) * size
            rows = rows[start : start + size]
        if attrs := self.query.get("attrs"):
            desired = attrs.split(",")
            rows = [{name: value for name, value in row.items() if name in desired} for row in rows]
        return rows

    def _found(self, content: Any) -> Reply:
        """A list with nothing in it is a reply without the key (recorded)."""
        return done(200, {self.path.spelled: content} if content or isinstance(content, dict) else {})

    def _flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("yes", "true")

    # -- writing -----------------------------------------------------------------------------------------------------

    def _write(self) -> Reply:
        name = self.path.name
        if self.request.method == "DELETE":
            args = pairs(self.query.get("args", ""))
            self._run(lambda ctx: engine.delete(ctx, name, self.path.ident, args), name, self._doomed(args))
            return self._warned(200)
        content = payload(self.request, name)
        if isinstance(content, list):
            return self._bulk(content)
        status, extra = self._one(content)
        if self.request.headers.get("X-NITRO-SAVECONFIG", "").lower() == "yes":
            self.ctx.appliance.save(self.ctx.now)
        return self._warned(status, extra)

    def _doomed(self, args: Mapping[str, str]) -> schema.Row:
        """The row a delete is about, so that propagation can tell whose it is."""
        resource = schema.config(self.path.name)
        for row in self.ctx.running.rows(self.path.name):
            if engine.matches(resource, row, self.path.ident, {name: args[name] for name in args if name in row}):
                return row
        return {}

    def _one(self, content: dict[str, Any]) -> tuple[int, schema.Row | None]:
        """Carry out one object of the body; the status of its success and what the reply holds besides."""
        name, action = self.path.name, self._action()
        if self.request.method == "PUT":
            resource = schema.config(name)
            if resource.is_binding:
                self._run(lambda ctx: engine.add(ctx, name, content), name, content)
                return 201, None
            self._run(lambda ctx: engine.update(ctx, name, content, self.path.ident), name, self._named(content))
            return 200, None
        if action:
            result = self._run(lambda ctx: engine.act(ctx, name, action, content), name, self._named(content))
            return 200, result
        operations = schema.config(name).operations
        if "add" in operations:
            idempotent = self._flag("idempotent")
            self._run(lambda ctx: engine.add(ctx, name, content, idempotent=idempotent), name, content)
            return 201, None
        if len(operations) == 1:  # a command such as reboot, which needs no ?action=
            only = next(iter(operations))
            return 200, self._run(lambda ctx: engine.act(ctx, name, only, content), name, content)
        raise NitroFault(1240, "add")

    def _named(self, content: dict[str, Any]) -> schema.Row:
        """The stored row that a body means, or the body."""
        resource = schema.config(self.path.name)
        field = resource.key[0] if resource.key else ""
        return self.ctx.running.first(self.path.name, **{field: content.get(field)}) or content if field else content

    def _action(self) -> str:
        """``?action=``, or the older form in the body: ``{"params": {"action": "disable"}, …}``."""
        if action := self.query.get("action"):
            return action
        try:
            body = json.loads(self.request.get_data(as_text=True) or "{}")
        except ValueError:
            return ""
        return str(body.get("params", {}).get("action", "")) if isinstance(body.get("params", {}), dict) else ""

    def _run(self, command: Callable[[Context], schema.Row | None], name: str, row: schema.Row) -> schema.Row | None:
        """Carry it out here, and on the other node of a pair or of a cluster if it is theirs too."""
        room, box = self.ctx.room, self.ctx.appliance
        secondary = room.ha.peer_row(box) is not None and box.ha.role != "Primary"
        if secondary:
            self.ctx.warn(1028)
        target = room.ha.link(box)
        room.clusters.before_write(self.ctx, name)
        result = command(self.ctx)
        if target is not None:
            room.ha.propagate(self.ctx, target, name, row, command)
        room.clusters.propagate(self.ctx, name, row, command)
        return result

    def _warned(self, status: int, extra: schema.Row | None = None) -> Reply:
        """With ``?warning=yes`` a warning turns the reply into 209 and stands in a header (vendor docs, error
        handling).
        """
        body = {**envelope(), **(extra or {})}
        if not self.ctx.warnings or not self._flag("warning"):
            return Reply(status, body)
        code, _ignored, text = self.ctx.warnings[0].partition(" - ")
        body.update(envelope(int(code), text, "WARNING"))
        return Reply(209, body, [("X-NITRO-WARNING", warning) for warning in self.ctx.warnings[:1]])

    def _bulk(self, items: list[Any]) -> Reply:
        """A list: ``X-NITRO-ONERROR`` exit (default), continue or rollback; any failure makes it 207 with 1243."""
        mode = self.request.headers.get("X-NITRO-ONERROR", "exit").lower()
        before = copy.deepcopy(self.ctx.running.tables)
        results: list[dict[str, Any]] = []
        failed, status = False, 200
        for item in items:
            try:
                if not isinstance(item, dict):
                    raise NitroFault(1234, self.path.name)
                status, _ignored = self._one(item)
                results.append(envelope())
            except NitroFault as fault:
                failed = True
                results.append(envelope(fault.code, fault.message, "ERROR"))
                if mode != "continue":
                    break
        if not failed:
            return self._warned(status)
        if mode == "rollback":
            self.ctx.appliance.running.tables = before
        return Reply(207, {**envelope(1243, NitroFault(1243).message, "ERROR"), "response": results})
