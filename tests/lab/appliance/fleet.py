"""The side of the lab that answers NITRO: every VPX instance of the region, behind one WSGI application."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from werkzeug.wrappers import Request

from tests.lab.packets.host import Host
from tests.lab.packets.way import Steering
from tests.lab.settings import PESSIMISTIC_IMAGE
from tests.lab.world import Clock, Door, Environ, FaultKind, Region, Vserver

from . import cluster_views, health
from .app import Api, payload, raw_path, split_path
from .appliance import DOORS, Appliance, Stage
from .behaviours.tls import ServedCertificate, management_certificate
from .behaviours.upgrading import finish
from .cluster import Clusters
from .context import Context, Room
from .errors import NitroFault
from .ha import Pairs
from .owned import IPV6, ipsets_of, row_of
from .schema import catalogue
from .settings import Settings
from .wire import dumps, envelope

UNAVAILABLE = (
    b"<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>\n"
)
LANDING = b"<html><head><title>Citrix Login</title></head><body>NetScaler</body></html>\n"
HTML = [("Content-Type", "text/html; charset=utf-8")]
JSON = ("Content-Type", "application/json; charset=utf-8")
Start = Callable[[str, list[tuple[str, str]]], Any]


class ApplianceSide:
    """Implements ``Side`` (name "nitro") and ``Fleet`` of tests/lab/world.py. Thread-safe."""

    name: Literal["nitro"] = "nitro"

    def __init__(self, clock: Clock, region: Region, *, pessimistic_image: bool = PESSIMISTIC_IMAGE) -> None:
        """``pessimistic_image``: what the setting of this name is after a reset."""
        self._pessimistic_image = pessimistic_image
        self.room = Room(clock, region)
        self.room.settings = self._defaults()
        self.room.ha = Pairs(self.room)
        self.room.clusters = Clusters(self.room)
        self.api = Api(self.room)
        self._loads: list[tuple[dict[str, str], dict[str, float]]] = []

    @property
    def settings(self) -> Settings:
        """Times and switches; change them at will, they hold from the next event on. A reset puts defaults back."""
        return self.room.settings

    def set_backend_probe(self, probe: Callable[[str, int], bool]) -> None:
        """How a monitor finds out whether a back end is up (default: a TCP connection). Answers are kept about a
        second.
        """
        self.room.prober.probe = probe
        self.room.prober.forget()

    def set_address_mover(self, mover: Callable[[str, str], None]) -> None:
        """Called with (CLIP, instance id) when another node becomes coordinator: the appliance moves it in EC2
        itself.
        """
        self.room.clusters.move_address = mover

    def set_elastic_ip_mover(self, mover: Callable[[str, dict[str, str]], None]) -> None:
        """Called with (instance id, private address → the node's own) when a new primary moves its Elastic IPs."""
        self.room.ha.move_elastic_ips = mover

    # -- Side --------------------------------------------------------------------------------------------------------

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        with self.room.lock:
            status, headers, body = self._answer(environ)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        address = str(environ.get("lab.local_address", ""))
        self._advance(address)
        appliance, on_clip = self._reached(address)
        if appliance is None or not appliance.ready(self.room.clock.now()):
            return "503 Service Unavailable", HTML, UNAVAILABLE
        path = raw_path(environ).split("?", 1)[0]
        if not path.startswith("/nitro/"):
            return ("200 OK", HTML, LANDING) if path in ("", "/") else ("404 Not Found", HTML, LANDING)
        reply = self.api.answer(appliance, Request(environ), on_clip)
        return reply.status_line(), [JSON, *reply.headers], reply.data()

    def describe(self, environ: Environ) -> tuple[str, bool]:
        """``POST /config/lbvserver?action=disable``: verb, type and action.

        Login and logout are no writes, but for a login that sets a new password.
        """
        request = Request(environ)
        method = request.method
        try:
            path = split_path(raw_path(environ))
        except NitroFault:
            return f"{method} {request.path}", method not in ("GET", "HEAD")
        action = request.args.get("action")
        operation = f"{method} /{path.kind}/{path.name}" + (f"?action={action}" if action else "")
        if path.name in ("login", "logout"):
            return operation, path.name == "login" and method == "POST" and sets_password(environ)
        return operation, method in ("POST", "PUT", "DELETE")

    def refusal(self, kind: FaultKind, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        """``throttle``: too many sessions (445); ``error``: the control plane is not up (503, no JSON)."""
        if kind == "throttle":
            body = dumps(envelope(445, NitroFault(445).message, "ERROR")).encode()
            return "503 Service Unavailable", [JSON, ("Content-Length", str(len(body)))], body
        return "503 Service Unavailable", [*HTML, ("Content-Length", str(len(UNAVAILABLE)))], UNAVAILABLE

    # -- Fleet -------------------------------------------------------------------------------------------------------

    def appliance_at(self, address: str) -> str | None:
        """The instance id of the appliance that answers at an address, None for none."""
        with self.room.lock:
            appliance, _ignored = self._reached(address)
            return None if appliance is None else appliance.instance_id

    def certificate_at(self, address: str) -> ServedCertificate | None:
        """The management certificate that was installed on the appliance at an address; None: its own."""
        with self.room.lock:
            appliance, _ignored = self._reached(address)
            return None if appliance is None else management_certificate(appliance.running)

    def door(self, address: str) -> Door:
        with self.room.lock:
            self._refresh(address)
            appliance, _ignored = self._reached(address)
            if appliance is not None:
                return DOORS[appliance.stage(self.room.clock.now())]
            facts = self.room.region.instance_at(address)
            if facts is None:
                return Door.ABSENT
            owner = self.room.appliance_of(facts)
            ready = owner.stage(self.room.clock.now()) not in (Stage.OFF, Stage.DARK)
            owned = row_of(owner.running, address) is not None
            return Door.CLOSED if ready and owned else Door.DARK

    def vserver(self, address: str, port: int) -> Vserver | None:
        with self.room.lock:
            facts = self.room.region.instance_at(address)
            if facts is None:
                return None
            appliance = self.room.appliance_of(facts)
            now = self.room.clock.now()
            if not self._serves(appliance, now):
                return None
            row = listener(appliance, address, port)
            if row is None or row.get("state") == "DISABLED" or health.lacks_certificate(appliance.running, row):
                return None
            members = [
                member
                for member in health.members_of(appliance.running, row["name"])
                if member.enabled(now) and member.address
            ]
        # Without a monitor a member is taken for UP, yet connections to it are lost if there is no way.
        up = [
            member
            for member in members
            if self._way(appliance, member.address, member.port)
            and (not member.checked or self.room.prober.up(member.address, member.port))
        ]
        if not up:
            return None
        backends = tuple((member.address, member.port) for member in up)
        return Vserver(appliance.instance_id, row["name"], row["servicetype"], backends)

    def _serves(self, appliance: Appliance, now: float) -> bool:
        return (
            appliance.ready(now)
            and appliance.ha.role == "Primary"
            and "LB" in appliance.features()
            and self.room.clusters.serves(appliance, now)
        )

    def _way(self, appliance: Appliance, address: str, port: int) -> bool:
        with self.room.lock:
            return self.room.way(appliance, address, port).passes

    @property
    def guarded(self) -> bool:
        return self.room.settings.guarded

    def host(self, instance_id: str) -> Host | None:
        with self.room.lock:
            return self.room.host(instance_id)

    def steerings(self, vserver: Vserver) -> Sequence[Steering | None]:
        with self.room.lock:
            appliance = self.room.appliances.get(vserver.instance_id)
            return self.room.clusters.steerings(appliance, vserver.name) if appliance else [None]

    def vserver_ports(self) -> Iterable[int]:
        with self.room.lock:
            return sorted(
                {
                    int(row["port"])
                    for appliance in self.room.appliances.values()
                    for row in appliance.running.rows("lbvserver")
                    if 0 < int(row["port"]) < 65535
                }
            )

    def power(self, instance_id: str, on: bool) -> None:
        with self.room.lock:
            self._refresh_all()
            appliance = self.room.appliances.get(instance_id)
            if appliance is None:
                raise KeyError(f"no VPX instance {instance_id}")
            if appliance.powered == on:
                return
            now = self.room.clock.now()
            self.room.ha.about_to_vanish(appliance)
            appliance.powered = on
            appliance.boot(now, self.settings.cold)
            self.room.restarted(appliance)

    def is_alive(self, instance_id: str) -> bool:
        """Whether the machine has power. Asked with the region's lock held, hence without that of the room."""
        appliance = self.room.appliances.get(instance_id)
        return appliance is None or appliance.powered

    def connections_at(self, address: str) -> float:
        """How many client connections the appliance with this address has. Asked like ``is_alive``."""
        for appliance in list(self.room.appliances.values()):
            if any(address in interface.addresses for interface in appliance.facts.interfaces):
                return appliance.figures.connections
        return 0.0

    def load(self, selector: dict[str, str], figures: dict[str, float]) -> list[str]:
        with self.room.lock:
            self._refresh_all()
            if "instance_id" not in selector:
                self._loads.append((dict(selector), dict(figures)))
            touched = [one for one in self.room.appliances.values() if selected(one, selector)]
            for appliance in touched:
                appliance.figures.set(self.room.clock.now(), figures)
            return [appliance.instance_id for appliance in touched]

    def tick(self) -> None:
        with self.room.lock:
            self._refresh_all()
            self._step()

    def reset(self) -> None:
        with self.room.lock:
            self.room.appliances.clear()
            self.room.prober.forget()
            self.room.clusters.reset()
            self.room.settings = self._defaults()
            self._loads.clear()

    def _defaults(self) -> Settings:
        return Settings(pessimistic_image=self._pessimistic_image)

    @property
    def lock(self) -> AbstractContextManager[Any]:
        return self.room.lock

    def memory(self) -> dict[str, Any]:
        """What a reset forgets, alive, and the settings; to be looked at under the lock."""
        return {"room": self.room.memory(), "clusters": self.room.clusters.clusters, "loads": self._loads}

    def recall(self, kept: dict[str, Any]) -> None:
        """Take over what ``memory`` gave, instead of what is there now. Sessions and boots are those of then."""
        with self.room.lock:
            self.room.recall(kept["room"])
            self.room.clusters.clusters = kept["clusters"]
            self._loads = kept["loads"]

    def state(self) -> dict[str, Any]:
        with self.room.lock:
            self._refresh_all()
            self._step()
            return {instance_id: self._state_of(one) for instance_id, one in sorted(self.room.appliances.items())}

    def _state_of(self, appliance: Appliance) -> dict[str, Any]:
        now = self.room.clock.now()
        pair = self.room.ha.peer_row(appliance)
        return {
            "power": appliance.powered,
            "stage": appliance.stage(now).value,
            "ready_in": max(0.0, appliance.ready_at - now),
            "nsip": appliance.nsip,
            "ha": {
                "role": appliance.ha.role,
                "peer": (pair or {}).get("ipaddress"),
                "hears_peer": appliance.ha.hears is not None,
                "sync": appliance.ha.sync or None,
            },
            "cluster": cluster_views.describe(self.room.clusters, appliance, now),
            "sessions": len(appliance.sessions.list(now)),
            "unsaved": appliance.running != appliance.saved,
            "running": appliance.running.public(),
            "saved": appliance.saved.public(),
        }

    # -- time and place ----------------------------------------------------------------------------------------------

    def _reached(self, address: str) -> tuple[Appliance | None, bool]:
        """The appliance whose API answers at this address, and whether it does so as a cluster's coordinator."""
        now = self.room.clock.now()
        if coordinator := self.room.clusters.coordinator_at(address, now):
            return coordinator, True
        facts = self.room.region.instance_at(address)
        if facts is None:
            return None, False
        appliance = self.room.appliance_of(facts)
        return (appliance, False) if address in appliance.management_addresses() else (None, False)

    def _refresh(self, address: str) -> None:
        known = len(self.room.appliances)
        if facts := self.room.region.instance_at(address):
            self.room.appliance_of(facts)
        if len(self.room.appliances) != known:
            self._apply_loads()

    def _refresh_all(self) -> None:
        """Take over what the hypervisor has: new machines, restarts from outside, terminations."""
        observed = set()
        known = len(self.room.appliances)
        for facts in self.room.region.instances():
            observed.add(facts.instance_id)
            self.room.appliance_of(facts)
        for gone in self.room.appliances.keys() - observed:
            del self.room.appliances[gone]
        if len(self.room.appliances) != known:
            self._apply_loads()

    def _apply_loads(self) -> None:
        for appliance in self.room.appliances.values():
            if not appliance.loaded:
                appliance.loaded = True
                for selector, figures in self._loads:
                    if selected(appliance, selector):
                        appliance.figures.set(self.room.clock.now(), figures)

    def _advance(self, address: str) -> None:
        self._refresh(address)
        self._step()

    def _step(self) -> None:
        now = self.room.clock.now()
        for appliance in self.room.ready():
            finish(Context(self.room, appliance, now))
        self.room.ha.step(now)
        self.room.clusters.step(now)
        self.room.licences.step(now)


def sets_password(environ: Environ) -> bool:
    """Whether a login carries a new password. ``wsgi.input`` begins anew afterwards."""
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(raw)
    try:
        login = payload(Request({**environ, "wsgi.input": io.BytesIO(raw)}), "login")
    except NitroFault:
        return False
    return isinstance(login, dict) and bool(login.get("new_password"))


def selected(appliance: Appliance, selector: dict[str, str]) -> bool:
    """Whether a load for a zone, an instance, or all is meant for this one."""
    if "instance_id" in selector:
        return appliance.instance_id == selector["instance_id"]
    if "zone" in selector:
        return appliance.facts.zone == selector["zone"]
    return "all" in selector


def listener(appliance: Appliance, address: str, port: int) -> dict[str, Any] | None:
    """The virtual server that answers at an address and port: its own address, or one of its IPSet as this node has
    it.
    """
    config = appliance.running
    nsip = row_of(config, address)
    if nsip is None or nsip.get("state") == "DISABLED" or (":" in address and IPV6 not in appliance.features()):
        return None
    sets = ipsets_of(config, address)
    for row in config.rows("lbvserver"):
        if int(row["port"]) in (port, 65535) and (row["ipv46"] == address or row.get("ipset") in sets):
            return row
    return None


def known_types() -> list[str]:
    """Every configuration type this side answers for."""
    return sorted(path.split("/", 1)[1] for path in catalogue() if path.startswith("config/"))
