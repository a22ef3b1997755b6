"""HTTP: who asks, for which resource; and what a registration does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request

from tests.lab.world import Clock

from . import wire
from .discovery import Credentials, Undiscovered, discover
from .store import TOKEN_SECONDS, Account, Store, identity
from .wire import Refused, Reply, Row

TOKENS = "/cctrustoauth2/root/tokens/clients"
DISCOVERY_SECONDS = 6.0
READABLE = ("managed_device", "ns_device_profile", "mps_datacenter", "mps_agent")
COOKIES = ("NITRO_AUTH_TOKEN", "SESSID")


def split_path(path: str) -> tuple[str | None, str, str]:
    """(customer or None on premises, resource, id or ""). 404 for what is not the API.

    On premises ``/nitro/v1|v2/config/…`` (ADMREF has v1, its clients speak v2), the service
    ``/massvc/<customer>/nitro/v2/config/…`` (ADMTF, CFT).
    """
    parts = [unquote(part) for part in path.split("/") if part]
    customer = None
    if parts[:1] == ["massvc"] and len(parts) > 1:
        customer, parts = parts[1], parts[2:]
    if len(parts) < 4 or parts[0] != "nitro" or parts[1] not in ("v1", "v2") or parts[2] != "config":
        raise wire.absent("path", path)
    return customer, parts[3], "/".join(parts[4:])


def payload(request: Request) -> Row:
    """The body: JSON, or a form whose only field ``object`` holds the JSON (clients of the on-premises product)."""
    text = request.get_data(as_text=True)
    if text.startswith("object="):
        text = unquote(text.removeprefix("object=").replace("+", " "))
    try:
        body = json.loads(text or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, 1233, "Invalid JSON input")
    return body


def action_of(request: Request) -> str:
    """Named in the query (ADMREF: ``?action=add_device``) or in the body (CFT: ``params.action``)."""
    if request.method != "POST":
        return ""
    try:
        params = payload(request).get("params")
    except Refused:
        params = None
    inside = params.get("action") if isinstance(params, dict) else None
    # ADMREF separates the parameters of a query by semicolons.
    return str(inside or request.args.get("action", "")).partition(";")[0]


def operation(request: Request) -> str:
    if request.path == TOKENS:
        return f"{request.method} {TOKENS}"
    try:
        resource = split_path(request.path)[1]
    except Refused:
        return f"{request.method} {request.path}"
    action = action_of(request)
    return f"{request.method} /config/{resource}" + (f"?action={action}" if action else "")


def is_write(request: Request) -> bool:
    talk = request.path == TOKENS or request.path.rstrip("/").endswith(("/login", "/logout"))
    return request.method in ("POST", "PUT", "DELETE") and not talk


class Api:
    """Called with ``lock`` held; registrations go on in threads that take it when they have something to say."""

    def __init__(self, clock: Clock, account: Account, ca_path: str, lock: AbstractContextManager[Any]) -> None:
        self.store = Store()
        self.answers: Callable[[str], bool] | None = None
        self._clock, self._account, self._ca_path, self._lock = clock, account, ca_path, lock

    def answer(self, request: Request) -> Reply:
        if request.path == TOKENS:
            return self._token(request)
        customer, resource, ident = split_path(request.path)
        if resource == "login" and request.method == "POST":
            return self._login(payload(request))
        sessionid = self._authenticate(request, customer)
        if resource == "logout" and request.method == "POST":
            self.store.sessions.close(sessionid)
            return wire.listed("logout", "delete", [], self._account.user)
        return self._resource(request, resource, ident)

    # -- who asks ----------------------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Reply:
        """An access token for a client's id and secret, as a form (ADMTF GetNewToken). Refused as RFC 6749 5.2 says."""
        given = (request.form.get("grant_type"), request.form.get("client_id"), request.form.get("client_secret"))
        if given != ("client_credentials", self._account.client_id, self._account.client_secret):
            return Reply(401, {"error": "invalid_client", "error_description": "The client is not known."})
        token = self.store.sessions.issue(self._clock.now())
        return Reply(200, {"token_type": "bearer", "access_token": token, "expires_in": str(int(TOKEN_SECONDS))})

    def _login(self, body: Row) -> Reply:
        """200, and the session id in a list of one (ADMREF login; ELO). ADMTF logs in to the service with ID/Secret."""
        login = body.get("login")
        given = login if isinstance(login, dict) else {}
        pair = (given.get("username", given.get("ID")), given.get("password", given.get("Secret")))
        known = self._account
        if pair not in ((known.user, known.password), (known.client_id, known.client_secret)):
            raise wire.wrong_credentials()
        sessionid = self.store.sessions.open(self._clock.now())
        row = {"username": pair[0], "sessionid": sessionid, "token": identity(), "tenant_name": "Owner"}
        return wire.listed("login", "add", [row], str(pair[0]))

    def _authenticate(self, request: Request, customer: str | None) -> str:
        """Return the session id; "" for a token or a password in the headers. Refuse a request without any of them."""
        now = self._clock.now()
        if customer is not None:
            return self._bearer(request, customer, now)
        for part in request.headers.get("Cookie", "").split(";"):
            name, _equals, value = part.strip().partition("=")
            if name in COOKIES and value:
                self.store.sessions.use(unquote(value), now)
                return unquote(value)
        user = request.headers.get("X-NITRO-USER")
        if user is None:
            raise wire.not_logged_in()
        if (user, request.headers.get("X-NITRO-PASS")) != (self._account.user, self._account.password):
            raise wire.wrong_credentials()
        return ""

    def _bearer(self, request: Request, customer: str, now: float) -> str:
        """The service: ``Authorization: CwsAuth bearer=…`` with ``isCloud: true`` (ADMTF MakeNitroRequest)."""
        scheme, _space, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme != "CwsAuth" or not rest.startswith("bearer=") or request.headers.get("isCloud") != "true":
            raise wire.not_logged_in()
        if customer != self._account.customer:
            raise wire.wrong_credentials()
        self.store.sessions.accept(rest.removeprefix("bearer="), now)
        return ""

    # -- what is asked -----------------------------------------------------------------------------------------------

    def _resource(self, request: Request, resource: str, ident: str) -> Reply:
        if request.method == "GET":
            return self._get(request, resource, ident)
        writes: dict[tuple[str, str], Callable[[], list[Row]]] = {
            ("POST", "managed_device"): lambda: [self._add_device(self._content(request, resource))],
            ("PUT", "managed_device"): lambda: [self._modify_device(ident, self._content(request, resource))],
            ("DELETE", "managed_device"): lambda: self._remove(resource, ident),
            ("POST", "ns_device_profile"): lambda: [self._add_profile(self._content(request, resource))],
            ("PUT", "ns_device_profile"): lambda: [self._modify_profile(ident, self._content(request, resource))],
            ("DELETE", "ns_device_profile"): lambda: self._remove(resource, ident),
            ("POST", "mps_datacenter"): lambda: [self._add_datacenter(self._content(request, resource))],
            ("DELETE", "mps_datacenter"): lambda: self._remove(resource, ident),
        }
        write = writes.get((request.method or "", resource))
        if write is None:
            raise wire.absent(resource, ident)
        operation = {"POST": "add", "PUT": "modify"}.get(request.method or "", "delete")
        return wire.listed(resource, action_of(request) or operation, write(), self._account.user)

    def _content(self, request: Request, resource: str) -> Row:
        """The object under the resource's name, or the only one in a list of them (ADMTF sends a list)."""
        content = payload(request).get(resource)
        if isinstance(content, list) and len(content) == 1:
            content = content[0]
        if not isinstance(content, dict):
            raise wire.missing(resource)
        return content

    def _get(self, request: Request, resource: str, ident: str) -> Reply:
        """A list is there even when nothing is in it: CFT goes through it without looking whether it is."""
        if resource == "activity_status":
            every = [line for log in self.store.activities.values() for line in log]
            lines = self.store.activities.get(ident) if ident else every
            if lines is None:
                raise wire.absent(resource, ident)
            return wire.listed(resource, "get", lines, self._account.user)
        if resource not in READABLE:
            raise wire.absent(resource, ident)
        if resource == "managed_device":
            self.read_devices()
        rows = [row for row in self.store.all(resource) if ident in ("", row["id"])]
        if ident and not rows:
            raise wire.absent(resource, ident)
        size = int(request.args.get("pagesize", 0) or 0)
        start = (int(request.args.get("pageno", 1)) - 1) * size if size else 0
        page = rows[start : start + size] if size else rows
        shown = [{name: value for name, value in row.items() if name != "password"} for row in page]
        return wire.listed(resource, "get", shown, self._account.user, total=len(rows))

    def _remove(self, resource: str, ident: str) -> list[Row]:
        self.store.drop(resource, ident)
        return []

    def _add_profile(self, content: Row) -> Row:
        """200, 409 where the name is taken (CFT create_new_profile)."""
        for name in ("name", "username", "password"):
            if not content.get(name):
                raise wire.missing(name)
        if self.store.first("ns_device_profile", name=str(content["name"])):
            raise wire.exists("ns_device_profile", str(content["name"]))
        stored = self.store.put("ns_device_profile", {"https_port": "443", **content})
        return {name: value for name, value in stored.items() if name != "password"}

    def _modify_profile(self, ident: str, content: Row) -> Row:
        """What is named changes (vendor's reference of the console, ns_device_profile, update)."""
        profile = self._known("ns_device_profile", "id", ident)
        profile.update({name: value for name, value in content.items() if name != "id"})
        return {name: value for name, value in profile.items() if name != "password"}

    def _add_datacenter(self, content: Row) -> Row:
        if not content.get("name"):
            raise wire.missing("name")
        if self.store.first("mps_datacenter", name=str(content["name"])):
            raise wire.exists("mps_datacenter", str(content["name"]))
        return self.store.put("mps_datacenter", {"is_default": "false", **content})

    # -- devices -----------------------------------------------------------------------------------------------------

    def _known(self, kind: str, field: str, value: Any) -> Row:
        found = self.store.first(kind, **{field: str(value)})
        if found is None:
            raise wire.absent(kind, str(value))
        return found

    def _references(self, content: Row) -> Row:
        """The parts of a registration that name something else, each of which must be there."""
        for name, kind, field in (
            ("profile_name", "ns_device_profile", "name"),
            ("datacenter_id", "mps_datacenter", "id"),
            ("agent_id", "mps_agent", "id"),
        ):
            if content.get(name):
                self._known(kind, field, content[name])
        return {name: content[name] for name in ("profile_name", "datacenter_id", "agent_id") if content.get(name)}

    def _add_device(self, content: Row) -> Row:
        """Answers at once with the id of an activity; the rest happens while its log is looked at (CFT, ADMTF)."""
        address = str(content.get("ip_address") or "")
        if not address:
            raise wire.missing("ip_address")
        if not content.get("profile_name"):
            raise wire.missing("profile_name")
        given = self._references(content)
        if address in self.store.arriving or self.store.first("managed_device", ip_address=address):
            raise wire.exists("managed_device", address)
        default = self.store.first("mps_datacenter", is_default="true")
        row = {"datacenter_id": default["id"] if default else "", "agent_id": "", **given, "ip_address": address}
        profile = self._known("ns_device_profile", "name", row["profile_name"])
        credentials = Credentials(
            str(profile["username"]), str(profile["password"]), str(profile["https_port"]), self._ca_path
        )
        act_id = identity()
        self.store.arriving.add(address)
        self.store.say(act_id, "Started", f"Adding device {address}.", last=False, now=self._clock.now())
        threading.Thread(target=self._arrive, args=(self.store, act_id, row, credentials), daemon=True).start()
        return {"ip_address": address, "act_id": act_id}

    def _arrive(self, store: Store, act_id: str, row: Row, credentials: Credentials) -> None:
        """In a thread of its own. A console that was emptied meanwhile has another store and never sees the end."""
        address = row["ip_address"]
        self._clock.sleep(DISCOVERY_SECONDS)
        try:
            observed = discover(address, credentials)
        except Undiscovered as reason:
            with self._lock:
                store.arriving.discard(address)
                store.say(act_id, "Failed", str(reason), last=True, now=self._clock.now())
            return
        fixed = {"mgmt_ip_address": address, "display_name": address, "type": "nsvpx", "instance_state": "Up"}
        with self._lock:
            store.arriving.discard(address)
            store.put("managed_device", {**row, **fixed, **observed, "ha_ip_address": "", "is_managed": "true"})
            store.say(act_id, "Completed", f"Device {address} added.", last=True, now=self._clock.now())

    def read_devices(self) -> None:
        """``instance_state``: "UP only if device accessible" (ADMREF). A device that is gone stays listed."""
        for device in self.store.all("managed_device"):
            up = self.answers is None or self.answers(device["ip_address"])
            device["instance_state"] = "Up" if up else "Down"

    def _modify_device(self, ident: str, content: Row) -> Row:
        """ADMREF modify; what is not named stays."""
        device = self._known("managed_device", "id", ident)
        device.update(self._references(content))
        return device
