# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A session with one appliance: logs in when first needed, calls NITRO, logs out.

Facts are the vendor's: NITRO documentation (performing-*.md, error-and-exception-handling.md) and what its own clients
do (adc-nitro-go, netscaler.adc).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from ..core import nitro_wire as wire
from ..core.nitro_errors import (
    ABSENT_CODES,
    BAD_CREDENTIALS,
    BUSY,
    SESSION_GONE,
    NitroCut,
    NitroError,
    NitroInputError,
)
from ..core.nitro_transport import Peer, Transport, absent
from .logins import LoginGate

Body = Mapping[str, Any]
Row = dict[str, Any]

# For the logout: a host that is going away may not answer any more.
_FAREWELL_TIMEOUT = 3.0
_BUSY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)


@dataclass(frozen=True, slots=True)
class Connection:
    """Address and credentials of an appliance. ``timeout`` in seconds, for each answer.

    ``login_timeout``: the same for the answer to a login (None: ``timeout``); a login without an answer leaves a
    session that cannot be closed. ``idle_timeout``: idle seconds after which the appliance ends the session (None: its
    own default).

    ``other_password`` is tried where ``password`` is refused: a secondary takes over the primary's passwords.
    ``connect_timeout``: a host that takes longer to accept a connection, TLS included, counts as not there.

    With ``token`` the session belongs to the caller: it is never logged out here. With both, the
    credentials are used once the token is no longer accepted.

    ``fingerprints``: SHA-256, of the certificates that are accepted instead of those that verify.

    ``wrote`` is called for every write that was carried out, in words like ``add nsip '10.0.2.10'``, without secrets.
    """

    nsip: str
    user: str = "nsroot"
    password: str | None = field(default=None, repr=False)
    other_password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    protocol: Literal["http", "https"] = "https"
    validate_certs: bool = True
    ca_path: str | None = None
    fingerprints: tuple[str, ...] = ()
    timeout: float = 30.0
    connect_timeout: float = 10.0
    login_timeout: float | None = None
    idle_timeout: int | None = None
    wrote: Callable[[str], None] | None = field(default=None, repr=False, compare=False)


class NitroClient:
    """A client of one appliance with one session for all calls. Use as a context manager.

    Every method raises NitroError (or one of its kinds) with a message that names the address, what was desired and
    what the appliance answered. ``changed`` is true once a write was carried out.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        sleep: Callable[[float], None] = time.sleep,
        gate: LoginGate | None = None,
    ) -> None:
        """``gate``: decides when a login may be sent; None: whenever one is needed."""
        self.connection = connection
        self.changed = False
        self._gate = gate
        self._sleep = sleep
        self._password, self._other_password = connection.password, connection.other_password
        self._token = connection.token
        self._own_session = False
        secrets = {connection.password or "", connection.other_password or "", connection.token or ""}
        self._http = Transport(_peer(connection), secrets=secrets, sleep=sleep)

    def __repr__(self) -> str:
        return f"NitroClient({self.connection.nsip!r})"

    def __enter__(self) -> NitroClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def other_password_accepted(self) -> bool:
        """Whether the last login was accepted with ``other_password``, and not with ``password``."""
        return self._token is not None and self._password != self.connection.password

    # ------------------------------------------------------------------ the session

    def login(self, *, new_password: str | None = None) -> None:
        """Log in now. ``new_password``: also replace the first password (1046); a write, and never repeated blindly."""
        if self._password is None:
            raise NitroInputError(f"{self.connection.nsip}: neither a password nor a session token was given")
        if self._gate is None:
            self._login(self._password, new_password)
            return
        self._gate.require(self.connection.nsip)
        try:
            self._login(self._password, new_password)
        except NitroError as error:
            self._gate.failed(error)
            raise
        self._gate.accepted()

    def _login(self, password: str, new_password: str | None) -> None:
        self._http.secrets |= {password, new_password or ""}
        doing = f"log in as {self.connection.user!r}"
        self._token = None
        reply = self._try_login(doing, password, new_password)
        if reply.code in BAD_CREDENTIALS and self._other_password is not None:
            self._password, self._other_password = self._other_password, password
            reply = self._try_login(doing, self._password, new_password)
        if new_password is not None and reply.ok:
            self._password = new_password
            self._wrote(f"{doing} and replace the password")
            if not reply.body.get("sessionid"):
                self._login(new_password, None)
                return
        token = reply.body.get("sessionid") if reply.ok else None
        if not isinstance(token, str) or not token:
            refused = reply.code or not reply.ok
            raise self._http.refused(doing, reply) if refused else self._http.garbled(doing, "no session id")
        self._token, self._own_session = token, True
        self._http.secrets.add(token)

    def _try_login(self, doing: str, password: str, new_password: str | None) -> wire.Reply:
        body: Row = {"username": self.connection.user, "password": password}
        if new_password is not None:
            body["new_password"] = new_password
        if self.connection.idle_timeout is not None:
            body["timeout"] = self.connection.idle_timeout
        return self._http.exchange(
            doing,
            "POST",
            "/config/login",
            {"login": body},
            repeatable=new_password is None,
            timeout=self.connection.login_timeout,
            repeats=1,
        )

    def attempt(self, timeout: float) -> None:
        """Ask for nothing, without a session: an appliance that works refuses. Raises NitroUnreachable if none answers.

        ``timeout`` in seconds. It opens no session, so that it can be repeated as often as needed.
        """
        self._http.exchange("look whether it answers", "GET", wire.path("config", "nsversion"), timeout=timeout)

    def session_alive(self) -> bool:
        """Whether the appliance still knows this very session; no session is opened. Raises NitroUnreachable."""
        reply = self._exchange("look whether the session lives", "GET", wire.path("config", "nsversion"), None)
        return reply.ok

    def forget_session(self) -> None:
        """Forget the session, which ended with the appliance (a reboot): the next call logs in again."""
        self._token, self._own_session = None, False
        self._http.close()

    def close(self) -> None:
        """Log out of a session that was opened here, and let go of the connection. Never raises NitroError."""
        try:
            if self._own_session and self._token:
                self._exchange("log out", "POST", "/config/logout", {"logout": {}}, timeout=self._farewell)
        except NitroError:
            pass  # the session then ends by itself, on the appliance's idle timeout
        finally:
            self.forget_session()

    @property
    def _farewell(self) -> float:
        return min(_FAREWELL_TIMEOUT, self.connection.timeout)

    # ------------------------------------------------------------------ reading

    def get(
        self, resource: str, name: str | int | None = None, *, args: Body | None = None, filters: Body | None = None
    ) -> list[Row]:
        """Return the objects of a type, or the one of that name; ``[]`` when there is none."""
        return self._read("config", resource, name, args, filters)

    def get_bulk(self, resource: str) -> list[Row]:
        """Return a type of binding of every object at once (``bulkbindings=yes``); ``[]`` when nothing is bound."""
        return self._read("config", resource, None, None, None, bulk=True)

    def stat(self, resource: str, name: str | int | None = None) -> list[Row]:
        """Return the statistics of a type; ``[]`` when there are none."""
        return self._read("stat", resource, name, None, None)

    # ------------------------------------------------------------------ writing

    def add(self, resource: str, body: Body) -> None:
        """Create an object: POST."""
        self._write("add", "POST", wire.path("config", resource), resource, body)

    def update(self, resource: str, body: Body) -> None:
        """Change an object: PUT, with its key and only what changes."""
        self._write("set", "PUT", wire.path("config", resource), resource, body)

    def unset(self, resource: str, body: Body) -> None:
        """Put settings back to their defaults: the key, and ``true`` for each field."""
        self._write("unset", "POST", wire.path("config", resource, action="unset"), resource, body)

    def act(self, resource: str, action: str, body: Body | None = None) -> None:
        """Execute a named action, such as enable, disable, Force or sync."""
        self._write(action, "POST", wire.path("config", resource, action=action), resource, body or {})

    def command(self, resource: str, body: Body, *, timeout: float | None = None, secrets: Iterable[str] = ()) -> Row:
        """Execute a command that is a POST without ``?action=``, and return the object of its answer, empty for none.

        ``timeout``: seconds for the answer, None: those of the connection. ``secrets``: texts of the body that no
        message may have.
        """
        self._http.secrets |= set(secrets)
        doing = f"execute {resource}"
        reply = self._call(doing, "POST", wire.path("config", resource), {resource: dict(body)}, timeout=timeout)
        self._require(doing, reply, resource)
        self._wrote(doing)
        answered = wire.rows(reply.body, resource) if not wire.misshapen(reply.body, resource) else []
        return answered[0] if answered else {}

    def bind(self, resource: str, body: Body) -> None:
        """Create a binding: PUT on ``<a>_<b>_binding``."""
        self._write("bind", "PUT", wire.path("config", resource), resource, body)

    def delete(self, resource: str, name: str | int | None = None, *, args: Body | None = None) -> bool:
        """Remove an object or a binding. False when there was none."""
        doing = f"delete {resource}{_called(name, args)}"
        reply = self._call(doing, "DELETE", wire.path("config", resource, name, args=args), None)
        if _absent(reply):
            return False
        self._require(doing, reply, resource)
        self._wrote(doing)
        return True

    def save(self) -> None:
        """Make the running configuration the one that survives a reboot; waits for other saves to end."""
        for pause in (*_BUSY_PAUSES, None):
            reply = self._call(
                "save the configuration",
                "POST",
                wire.path("config", "nsconfig", action="save"),
                {"nsconfig": {}},
                repeatable=True,
            )
            if reply.code not in BUSY or pause is None:
                break
            self._sleep(pause)
        self._require("save the configuration", reply, "nsconfig")

    def reboot(self, *, warm: bool = True) -> None:
        """Restart the appliance. It may hang up before it answers; the session dies with it, soon.

        ``warm``: without the kernel, so that an installed build does not take effect.

        Connections are not kept: packets sent into one would wait long for a host that has forgotten it.
        """
        doing = "reboot warm" if warm else "reboot"
        try:
            path, body = wire.path("config", "reboot"), {"reboot": {"warm": warm}}
            reply = self._call(doing, "POST", path, body, timeout=self._farewell)
        except NitroCut:
            pass  # the answer got lost with the web server that should have sent it
        else:
            self._require(doing, reply, "reboot")
        self._http.close()
        self._wrote(doing)

    # ------------------------------------------------------------------ below

    def _read(
        self,
        kind: str,
        resource: str,
        name: str | int | None,
        args: Body | None,
        filters: Body | None,
        *,
        bulk: bool = False,
    ) -> list[Row]:
        doing = f"{'get' if kind == 'config' else 'stat'} {resource}{_called(name, args)}"
        reply = self._call(doing, "GET", wire.path(kind, resource, name, args=args, filters=filters, bulk=bulk), None)
        if _absent(reply):
            return []
        self._require(doing, reply, resource)
        if wire.misshapen(reply.body, resource):
            raise self._http.garbled(doing, "something that is neither an object nor a list of objects", reply.status)
        return wire.rows(reply.body, resource)

    def _write(self, verb: str, method: str, path: str, resource: str, body: Body) -> None:
        self._http.secrets |= {str(v) for k, v in body.items() if "password" in k.lower() and isinstance(v, str)}
        doing = f"{verb} {resource}{_subject(body)}"
        self._require(doing, self._call(doing, method, path, {resource: dict(body)}), resource)
        self._wrote(doing)

    def _wrote(self, doing: str) -> None:
        self.changed = True
        if self.connection.wrote is not None:
            self.connection.wrote(doing)

    def _call(
        self,
        doing: str,
        method: str,
        path: str,
        body: Body | None,
        *,
        repeatable: bool | None = None,
        timeout: float | None = None,
    ) -> wire.Reply:
        """One call within a session: logs in first, and once more when the appliance no longer knows the session."""
        repeatable = method == "GET" if repeatable is None else repeatable
        if self._token is None:
            self.login()
        reply = self._exchange(doing, method, path, body, repeatable=repeatable, timeout=timeout)
        if (reply.code in SESSION_GONE or reply.status == 401) and self._password is not None:
            self.login()
            reply = self._exchange(doing, method, path, body, repeatable=repeatable, timeout=timeout)
        return reply

    def _exchange(
        self,
        doing: str,
        method: str,
        path: str,
        body: Body | None,
        *,
        repeatable: bool = False,
        timeout: float | None = None,
    ) -> wire.Reply:
        headers = {"Cookie": f"NITRO_AUTH_TOKEN={self._token}"} if self._token else {}
        return self._http.exchange(doing, method, path, body, headers=headers, repeatable=repeatable, timeout=timeout)

    def _require(self, doing: str, reply: wire.Reply, resource: str = "") -> None:
        if not reply.ok:
            raise self._http.refused(doing, reply, resource)


def _peer(connection: Connection) -> Peer:
    return Peer(
        name=connection.nsip,
        base=wire.base_url(connection.protocol, connection.nsip),
        validate_certs=connection.validate_certs,
        ca_path=connection.ca_path,
        fingerprints=connection.fingerprints,
        timeout=connection.timeout,
        connect_timeout=connection.connect_timeout,
    )


def _absent(reply: wire.Reply) -> bool:
    return absent(reply, ABSENT_CODES)


def _called(name: str | int | None, args: Body | None) -> str:
    message = f" {str(name)!r}" if name is not None else ""
    return message + (" " + ", ".join(f"{k}={v}" for k, v in args.items()) if args else "")


_KEYS = ("name", "servicegroupname", "certkey", "monitorname", "ipaddress", "id", "hostname", "username")


def _subject(body: Body) -> str:
    """Return the object of a body for messages: the first of the usual keys it has."""
    return next((f" {str(body[key])!r}" for key in _KEYS if key in body), "")
