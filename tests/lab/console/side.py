"""The side of the lab that is the console: one WSGI application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from werkzeug.wrappers import Request

from tests.lab.world import Clock, Environ, FaultKind

from .api import Api, is_write, operation
from .store import Account, Store
from .wire import Refused, too_many_sessions

UNAVAILABLE = b"<html><head><title>503 Service Unavailable</title></head><body>The service is not up.</body></html>\n"
LANDING = b"<html><head><title>NetScaler Console</title></head><body>Login</body></html>\n"
HTML = [("Content-Type", "text/html; charset=utf-8")]
Start = Callable[[str, list[tuple[str, str]]], Any]


class ConsoleSide:
    """Implements ``Side`` (name "adm") of tests/lab/world.py. Thread-safe."""

    name: Literal["adm"] = "adm"

    def __init__(self, clock: Clock, account: Account, ca_path: Path) -> None:
        self.account = account
        self.lock = threading.RLock()
        self.api = Api(clock, account, str(ca_path), self.lock)

    def sow(self, network: str, password: str, nitro_port: int) -> None:
        """What a console holds before the first registration: data centres, agents, and the profile ``lab``, with the
        password that appliances of this lab are given.
        """
        with self.lock:
            store = self.api.store = Store()
            store.put("mps_datacenter", {"name": "Default", "is_default": "true", "city": "", "country": ""})
            lab = store.put("mps_datacenter", {"name": "lab", "is_default": "false", "city": "", "country": ""})
            for number, state in ((10, "Up"), (11, "Down")):
                agent = {"name": f"{network}.200.{number}", "state": state, "platform": "AWS"}
                store.put("mps_agent", {**agent, "datacenter_id": lab["id"]})
            profile = {"name": "lab", "username": "nsroot", "password": password, "https_port": str(nitro_port)}
            store.put("ns_device_profile", profile)

    def set_device_probe(self, answers: Callable[[str], bool]) -> None:
        """How the console finds out whether a registered device is accessible (default: all are)."""
        self.api.answers = answers

    def memory(self) -> dict[str, Any]:
        """All it knows, alive: to be looked at under the lock."""
        return {"store": self.api.store}

    def recall(self, kept: dict[str, Any]) -> None:
        """Take over what ``memory`` gave. A registration that was in progress is dropped."""
        with self.lock:
            self.api.store = kept["store"]
            self.api.store.arriving.clear()

    def state(self) -> dict[str, Any]:
        with self.lock:
            self.api.read_devices()
            return self.api.store.state()

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        request = Request(environ)
        if "/nitro/" in request.path or "/tokens/" in request.path:
            with self.lock:
                try:
                    status, headers, body = self.api.answer(request).parts()
                except Refused as refusal:
                    status, headers, body = refusal.reply().parts()
        else:
            status, headers, body = "200 OK", HTML, LANDING
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def describe(self, environ: Environ) -> tuple[str, bool]:
        """``POST /config/managed_device?action=add_device``; logins, logouts and tokens are no writes."""
        request = Request(environ)
        described = operation(request), is_write(request)
        # The action may have been in the body, which is to be read again.
        environ["wsgi.input"].seek(0)
        return described

    def refusal(self, kind: FaultKind, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        """``throttle``: too many sessions (10020); ``error``: the console is not up (503, no JSON)."""
        if kind == "throttle":
            return too_many_sessions().reply().parts()
        return "503 Service Unavailable", [*HTML, ("Content-Length", str(len(UNAVAILABLE)))], UNAVAILABLE
