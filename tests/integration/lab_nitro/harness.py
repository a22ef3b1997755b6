"""A region that holds still, and the appliances of it behind a real HTTP server."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.lab.appliance import ApplianceSide
from tests.lab.appliance.wire import Json
from tests.lab.packets.vpc import Hop, Interface, Protocol, Target, Vpc
from tests.lab.world import Clock, Environ, InstanceFacts, InterfaceFacts

PASSWORD = "Sesame-2026"
VPC, EVERYWHERE = IPv4Network("127.0.0.0/8"), IPv4Network("0.0.0.0/0")


class TestClock(Clock):
    """A clock that a test moves, without sleeping."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


def _network(address: str) -> IPv4Network:
    return IPv4Network(f"{address}/24", strict=False)


class OpenVpc(Vpc):
    """Security groups that let everything in but what is ``closed``."""

    def __init__(self, interfaces: list[Interface], closed: set[tuple[str, str, int]]) -> None:
        subnets = {one.subnet_id: one.network for one in interfaces}
        tables = dict.fromkeys(subnets, (Hop(VPC, Target.LOCAL), Hop(EVERYWHERE, Target.INTERNET)))
        super().__init__(interfaces, subnets=subnets, tables=tables, networks=[VPC])
        self.closed = closed

    def admits(self, source: str, interface: Interface, protocol: Protocol, port: int) -> bool:
        return all((source, address, port) not in self.closed for address in interface.addresses)

    def emits(self, interface: Interface, destination: str, protocol: Protocol, port: int) -> bool:
        return True


@dataclass
class FakeRegion:
    """Instances as a test made them; security groups that let everything in but what a test closes."""

    facts: dict[str, InstanceFacts] = field(default_factory=dict)
    closed: set[tuple[str, str, int]] = field(default_factory=set)

    def instances(self) -> Sequence[InstanceFacts]:
        return list(self.facts.values())

    def instance_at(self, address: str) -> InstanceFacts | None:
        for facts in self.facts.values():
            if any(address in interface.addresses for interface in facts.interfaces):
                return facts
        return None

    def elastic_ips(self) -> dict[str, str | None]:
        return {}

    def network(self) -> Vpc:
        """Return a subnet a /24; every subnet has the local route and one to the internet gateway."""
        interfaces = [
            Interface(
                one.network_interface_id,
                str(_network(one.addresses[0])),
                _network(one.addresses[0]),
                one.addresses,
                frozenset({"sg"}),
                instance_id=facts.instance_id,
            )
            for facts in self.facts.values()
            for one in facts.interfaces
        ]
        return OpenVpc(interfaces, self.closed)

    def state(self) -> dict[str, Any]:
        return {}

    def reset(self) -> None:
        self.facts.clear()


class QuietHandler(WSGIRequestHandler):
    def log(self, *_ignored: Any) -> None:
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Close the connection, as the application did."""
        self.close_connection = True


@dataclass
class Bench:
    """Clock, region, appliances, and the port at which every loopback address answers for its appliance."""

    clock: TestClock
    region: FakeRegion
    side: ApplianceSide
    port: int = 0

    def launch(
        self, instance_id: str, nsip: str, *client: str, instance_type: str = "m5.xlarge", zone: str = "z-a"
    ) -> str:
        """Return an instance that is booting: management interface, and a client interface with these addresses."""
        interfaces = [InterfaceFacts(f"eni-{instance_id}-0", 0, (nsip,), "255.255.255.0")]
        if client:
            interfaces.append(InterfaceFacts(f"eni-{instance_id}-1", 1, client, "255.255.255.0"))
        self.region.facts[instance_id] = InstanceFacts(
            instance_id, "ami-vpx", instance_type, zone, "running", self.clock.now(), 0, "", tuple(interfaces)
        )
        return nsip

    def add_address(self, instance_id: str, address: str, index: int = 0) -> None:
        facts = self.region.facts[instance_id]
        interfaces = tuple(
            replace(one, addresses=(*one.addresses, address)) if one.device_index == index else one
            for one in facts.interfaces
        )
        self.region.facts[instance_id] = replace(facts, interfaces=interfaces)

    def remove_address(self, instance_id: str, address: str) -> None:
        facts = self.region.facts[instance_id]
        interfaces = tuple(
            replace(one, addresses=tuple(other for other in one.addresses if other != address))
            for one in facts.interfaces
        )
        self.region.facts[instance_id] = replace(facts, interfaces=interfaces)

    def wait(self, seconds: float, step: float = 0.5) -> None:
        """Lab time passes, with the ticks that the lab makes of it."""
        left = seconds
        while left > 0:
            self.clock.pass_(min(step, left))
            left -= step
            self.side.tick()

    def booted(self, instance_id: str, nsip: str, *client: str, **options: Any) -> Client:
        """Return a launched appliance, after its boot and its first change of password, with a session."""
        self.launch(instance_id, nsip, *client, **options)
        self.wait(self.side.settings.cold.total + 1, step=5)
        node = self.client(nsip)
        body = {"login": {"username": "nsroot", "password": instance_id, "new_password": PASSWORD}}
        assert node.post("config/login", body).status_code == 201
        return node

    def client(self, address: str) -> Client:
        return Client(f"http://{address}:{self.port}/nitro/v1/")


class Client:
    """requests with the few words a test needs; cookies as they come."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = requests.Session()

    def call(self, method: str, path: str, body: Json = None, **options: Any) -> requests.Response:
        return self.http.request(method, self.base + path, json=body, timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Json, **options: Any) -> requests.Response:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Json, **options: Any) -> requests.Response:
        return self.call("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.call("DELETE", path, **options)

    def login(self, password: str = PASSWORD, username: str = "nsroot") -> Client:
        self.http.cookies.clear()
        reply = self.post("config/login", {"login": {"username": username, "password": password}})
        assert reply.status_code == 201, reply.text
        return self

    def add(self, kind: str, **fields: Json) -> None:
        """Add an object; anything but 201 fails the test."""
        reply = self.post(f"config/{kind}", {kind: fields})
        assert reply.status_code == 201, reply.text

    def bind(self, kind: str, **fields: Json) -> None:
        reply = self.put(f"config/{kind}", {kind: fields})
        assert reply.status_code == 201, reply.text

    def set(self, kind: str, **fields: Json) -> None:
        reply = self.put(f"config/{kind}", {kind: fields})
        assert reply.status_code == 200, reply.text

    def do(self, kind: str, action: str, **fields: Json) -> None:
        reply = self.post(f"config/{kind}?action={action}", {kind: fields})
        assert reply.status_code == 200, reply.text

    def rows(self, kind: str, path: str = "") -> list[dict[str, Any]]:
        """Return what ``GET config/<kind>`` lists; an absent key is an empty list."""
        reply = self.get(f"config/{kind}{path}")
        assert reply.status_code == 200, reply.text
        content = reply.json().get(kind, [])
        return content if isinstance(content, list) else [content]


def refused(reply: requests.Response) -> tuple[int, int]:
    """(HTTP status, error number) of a refusal."""
    return reply.status_code, reply.json()["errorcode"]


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """Yield the appliances of an empty region on a free port of all loopback addresses."""
    clock, region = TestClock(), FakeRegion()
    # These tests are about NITRO; those about packets say so.
    side = ApplianceSide(clock, region, pessimistic_image=False)
    side.settings.allow_cache_seconds = 0.0
    side.room.prober.cache_seconds = 0.0
    side.set_backend_probe(lambda _address, _port: True)
    made = Bench(clock, region, side)

    def app(environ: Environ, start_response: Any) -> Any:
        environ["lab.local_address"] = environ["HTTP_HOST"].rpartition(":")[0]
        return side(environ, start_response)

    server = make_server("0.0.0.0", 0, app, threaded=True, request_handler=QuietHandler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
