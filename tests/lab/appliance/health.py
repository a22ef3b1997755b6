"""Which back ends are up, and so which services and virtual servers are."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .schema import Row
from .store import Config

if TYPE_CHECKING:
    from .appliance import Appliance

CACHE_SECONDS = 1.0
CONNECT_SECONDS = 0.25
WITH_CERTIFICATE = ("SSL", "SSL_TCP", "SSL_BRIDGE")


def tcp_connects(address: str, port: int) -> bool:
    """The default probe: a TCP connection, as the monitor tcp-default makes."""
    try:
        with socket.create_connection((address, port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


class Prober:
    """Remembers an answer for about a real second, so that a vserver with traffic does not probe for every client."""

    def __init__(self) -> None:
        self.probe: Callable[[str, int], bool] = tcp_connects
        self.cache_seconds = CACHE_SECONDS
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], tuple[float, bool]] = {}

    def up(self, address: str, port: int) -> bool:
        with self._lock:
            at, answer = self._known.get((address, port), (float("-inf"), False))
        if time.monotonic() - at <= self.cache_seconds:
            return answer
        answer = self.probe(address, port)
        with self._lock:
            self._known[address, port] = (time.monotonic(), answer)
        return answer

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


class Probes(Protocol):
    """Interface of a health check of back ends."""

    def up(self, address: str, port: int) -> bool: ...


class Member:
    """A service, or a member of a service group, behind a virtual server."""

    __slots__ = ("address", "checked", "port", "row", "server")

    def __init__(self, row: Row, server: Row | None, address: str, port: int, checked: bool) -> None:
        self.row, self.server, self.address, self.port, self.checked = row, server, address, port, checked

    def enabled(self, now: float) -> bool:
        return not out_of_service(self.row, now) and not (self.server and out_of_service(self.server, now))

    def state(self, prober: Probes, now: float) -> str:
        for row in (self.server, self.row):
            if row and row.get("state") == "DISABLED":
                return "OUT OF SERVICE" if out_of_service(row, now) else "GOING OUT OF SERVICE"
        if not self.checked:
            return "UP"
        return "UP" if self.address and prober.up(self.address, self.port) else "DOWN"


def out_of_service(row: Row, now: float) -> bool:
    """Disabled, and the delay of a graceful shutdown is over."""
    return row.get("state") == "DISABLED" and now >= row.get("_out_at", 0.0)


def disable(row: Row, arguments: Row, now: float) -> None:
    """Disable now, or after ``delay`` lab seconds (vendor docs: graceful shutdown of services)."""
    row["state"] = "DISABLED"
    row["_out_at"] = now + float(arguments.get("delay", 0))
    for name in ("delay", "graceful"):
        if name in arguments:
            row[name] = arguments[name]


def enable(row: Row) -> None:
    row["state"] = "ENABLED"
    for name in ("_out_at", "delay", "graceful"):
        row.pop(name, None)


def service_member(config: Config, row: Row) -> Member:
    server = config.first("server", name=row.get("servername"))
    address = str((server or {}).get("ipaddress", row.get("ipaddress", "")))
    return Member(row, server, address, int(row["port"]), row.get("healthmonitor") != "NO")


def group_members(config: Config, group: Row) -> list[Member]:
    """Members of one service group; the group's own state counts for each."""
    members = []
    for row in config.find("servicegroup_servicegroupmember_binding", servicegroupname=group["servicegroupname"]):
        server = config.first("server", name=row.get("servername"))
        blocked = group if group.get("state") == "DISABLED" else server
        checked = group.get("healthmonitor") != "NO"
        members.append(Member(row, blocked, (server or {}).get("ipaddress", ""), int(row["port"]), checked))
    return members


def members_of(config: Config, vserver: str) -> list[Member]:
    """Everything bound to a load-balancing virtual server."""
    members = []
    for binding in config.find("lbvserver_service_binding", name=vserver):
        if service := config.first("service", name=binding["servicename"]):
            members.append(service_member(config, service))
    for binding in config.find("lbvserver_servicegroup_binding", name=vserver):
        if group := config.first("servicegroup", servicegroupname=binding["servicegroupname"]):
            members.extend(group_members(config, group))
    return members


def lacks_certificate(config: Config, row: Row) -> bool:
    """An SSL virtual server without a certificate is down (vendor docs: SSL offload)."""
    if row["servicetype"] not in ("SSL", "SSL_TCP"):
        return False
    return not any(
        not bound.get("ca") for bound in config.find("sslvserver_sslcertkey_binding", vservername=row["name"])
    )


def vserver_state(appliance: Appliance, row: Row, prober: Probes, now: float) -> str:
    """UP, DOWN or OUT OF SERVICE: at least one member must be up, the feature on, a certificate there if it needs
    one.
    """
    if row.get("state") == "DISABLED":
        return "OUT OF SERVICE"
    if "LB" not in appliance.features() or lacks_certificate(appliance.running, row):
        return "DOWN"
    members = members_of(appliance.running, row["name"])
    return "UP" if any(member.state(prober, now) == "UP" for member in members) else "DOWN"
