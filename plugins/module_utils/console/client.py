# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A session with NetScaler Console, on premises or the vendor's service.

Facts are the vendor's: its API reference (citrix/mas-nitro-api-reference) and what its own clients do
(terraform-provider-citrixadm, service/client.go; the CloudFormation lambda that registers an ADC).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

from ..core import nitro_wire as wire
from ..core.nitro_errors import ABSENT_CODES, SESSION_GONE, NitroError, NitroInputError
from ..core.nitro_transport import Peer, Transport, absent

Row = dict[str, Any]

VENDOR_TOKENS = "https://api-us.cloud.com/cctrustoauth2/root/tokens/clients"
VENDOR_DOMAIN = ".cloud.com"
_API = "/nitro/v2"
_LOGIN = "/config/login"
_LOGOUT = "/config/logout"
_FAREWELL_TIMEOUT = 3.0
# Of a console that says there is always one more; a fleet of a hundred thousand devices has fewer.
_MAX_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """Where a console is and how to be let in: ``user`` and ``password``, or ``client_id`` and ``client_secret``.

    ``url`` without the API's path; that of the service holds the customer. ``timeout`` in seconds, for each answer.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = None
    validate_certs: bool = True
    ca_path: str | None = None
    timeout: float = 30.0

    @property
    def by_token(self) -> bool:
        return self.client_id is not None


def base_url(url: str) -> str:
    """``https://10.0.0.5`` → ``https://10.0.0.5/nitro/v2``; a URL that ends in an API's version keeps it.

    Raises NitroInputError for what is no URL, and for one that would send secrets in the clear.
    """
    try:
        parts = urlsplit(url.strip())
        named = bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        named, parts = False, urlsplit("")
    if parts.scheme != "https" or not named or parts.query or parts.fragment:
        raise NitroInputError(f"adm_url {url!r} is not the https URL of a console, such as https://10.0.0.5")
    if parts.username is not None or parts.password is not None:
        raise NitroInputError("adm_url holds credentials; give adm_user and adm_password instead")
    path = parts.path.rstrip("/")
    if not path.endswith(("/nitro/v1", "/nitro/v2")):
        path += _API
    return f"https://{parts.netloc}{path}"


def token_url(access: Access) -> str:
    """Where a client's id and secret are exchanged for a token: the vendor's for its own service, unless it is named.

    For a console elsewhere the same path on its own host, so that a secret is sent only to hosts that the user named.
    """
    if access.token_url:
        base_url(access.token_url)  # for its refusals
        return access.token_url
    host = urlsplit(access.url.strip())
    if (host.hostname or "").endswith(VENDOR_DOMAIN):
        return VENDOR_TOKENS
    return f"https://{host.netloc}{urlsplit(VENDOR_TOKENS).path}"


class ConsoleClient:
    """A client of one console with one session for all calls. Use as a context manager.

    Every method raises NitroError (or one of its kinds) with a message that names the console, what was desired and
    what it answered. ``changed`` is true once a write was carried out.
    """

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.changed = False
        base = base_url(access.url)
        peer = Peer(
            name=urlsplit(base).netloc,
            base=base,
            what="the console",
            validate_certs=access.validate_certs,
            ca_path=access.ca_path,
            timeout=access.timeout,
        )
        self._http = Transport(peer, secrets={access.password or "", access.client_secret or ""}, sleep=sleep)
        self._credential: Mapping[str, str] = {}

    def __enter__(self) -> ConsoleClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ the session

    def login(self) -> None:
        """Log in now: a session on premises, a token for the service."""
        self._credential = self._token() if self.access.by_token else self._session()

    def _session(self) -> Mapping[str, str]:
        doing = f"log in as {self.access.user!r}"
        login = {"username": self.access.user, "password": self.access.password}
        reply = self._http.exchange(doing, "POST", _LOGIN, {"login": login}, repeatable=True)
        if not reply.ok:
            raise self._http.refused(doing, reply)
        rows = wire.rows(reply.body, "login")
        return {"Cookie": f"NITRO_AUTH_TOKEN={self._secret(doing, rows[0] if rows else {}, 'sessionid')}"}

    def _token(self) -> Mapping[str, str]:
        """Return the headers of the service's own authentication scheme."""
        doing = f"get a token for client {self.access.client_id!r}"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.access.client_id or "",
            "client_secret": self.access.client_secret or "",
        }
        reply = self._http.exchange(doing, "POST", token_url(self.access), form=form, repeatable=True)
        if not reply.ok:
            # RFC 6749, 5.2: the refusal is in error and error_description.
            text = (str(reply.body[name]) for name in ("error", "error_description") if reply.body.get(name))
            raise self._http.refused(doing, replace(reply, message=reply.message or ": ".join(text)))
        return {
            "Authorization": f"CwsAuth bearer={self._secret(doing, reply.body, 'access_token')}",
            "isCloud": "true",
        }

    def _secret(self, doing: str, body: Mapping[str, Any], name: str) -> str:
        found = body.get(name)
        if not isinstance(found, str) or not found:
            raise self._http.garbled(doing, f"no {name}")
        self._http.secrets.add(found)
        return found

    def close(self) -> None:
        """End a session that was opened; a token ends by itself. Never raises NitroError."""
        try:
            if self._credential and not self.access.by_token:
                body: Row = {"logout": {}}
                timeout = min(_FAREWELL_TIMEOUT, self.access.timeout)
                self._http.exchange("log out", "POST", _LOGOUT, body, headers=self._credential, timeout=timeout)
        except NitroError:
            pass  # the session then ends by itself, on the console's idle timeout
        finally:
            self._credential = {}
            self._http.close()

    # ------------------------------------------------------------------ the API

    def get(self, kind: str, ident: str | None = None) -> list[Row]:
        """All objects of a kind, however many pages they fill; or what there is under an id, ``[]`` for nothing."""
        rows, total = self._page(kind, ident, "")
        size = len(rows)
        if ident is not None or not size:
            return rows
        for page in range(2, _MAX_PAGES + 1):
            if len(rows) >= total:
                return rows
            more, total = self._page(kind, None, f"?pageno={page}&pagesize={size}")
            if not more or more == rows[-len(more) :]:
                return rows
            rows += more
        raise self._http.garbled(f"get {kind}", f"more than {_MAX_PAGES} pages")

    def _page(self, kind: str, ident: str | None, query: str) -> tuple[list[Row], int]:
        doing = f"get {kind}{_called(ident)}"
        reply = self._call(doing, "GET", _path(kind, ident) + query, repeatable=True)
        if absent(reply, ABSENT_CODES):
            return [], 0
        self._require(doing, reply, kind)
        if wire.misshapen(reply.body, kind):
            raise self._http.garbled(doing, "something that is neither an object nor a list of objects", reply.status)
        return wire.rows(reply.body, kind), wire.as_int(reply.body.get("resrc_total_count"), 0) or 0

    def hide(self, secret: str) -> None:
        """Keep a text out of every message."""
        self._http.secrets.add(secret)

    def act(self, kind: str, action: str, body: Row) -> Row:
        """Carry out a named action and return the console's answer about the object, such as the id of an activity."""
        doing = f"{action} {body.get('ip_address', '')}".strip()
        return self._write(doing, "POST", kind, None, {"params": {"action": action}, kind: body})

    def update(self, kind: str, ident: str, body: Row) -> Row:
        """Change an object: what is named, and nothing else."""
        doing = f"modify {body.get('ip_address', ident)}"
        return self._write(doing, "PUT", kind, ident, {kind: {"id": ident, **body}})

    def delete(self, kind: str, ident: str) -> bool:
        """Remove an object. False when there was none."""
        doing = f"delete {kind}{_called(ident)}"
        reply = self._call(doing, "DELETE", _path(kind, ident), repeatable=True)
        if absent(reply, ABSENT_CODES):
            return False
        self._require(doing, reply, kind)
        self.changed = True
        return True

    # ------------------------------------------------------------------ below

    def _write(self, doing: str, method: str, kind: str, ident: str | None, body: Row) -> Row:
        reply = self._call(doing, method, _path(kind, ident), body)
        self._require(doing, reply, kind)
        self.changed = True
        rows = wire.rows(reply.body, kind)
        return rows[0] if rows else {}

    def _call(
        self, doing: str, method: str, path: str, body: Row | None = None, *, repeatable: bool = False
    ) -> wire.Reply:
        """One call within a session: logs in first, and once more when the console no longer knows the session."""
        if not self._credential:
            self.login()
        reply = self._http.exchange(doing, method, path, body, headers=self._credential, repeatable=repeatable)
        if reply.code in SESSION_GONE or reply.status == 401:
            self.login()
            reply = self._http.exchange(doing, method, path, body, headers=self._credential, repeatable=repeatable)
        return reply

    def _require(self, doing: str, reply: wire.Reply, kind: str) -> None:
        if not reply.ok:
            raise self._http.refused(doing, reply, kind)


def _path(kind: str, ident: str | None) -> str:
    """Return the path of an object, or of all (None). Raises NitroInputError for an id that a URL takes for all."""
    if ident is not None and ident in wire.UNSPEAKABLE:
        raise NitroInputError(f"{kind} {ident!r}: the console gave no id by which this one object can be named")
    return f"/config/{kind}" + (f"/{quote(ident, safe='')}" if ident is not None else "")


def _called(ident: str | None) -> str:
    return f" {ident!r}" if ident is not None else ""
