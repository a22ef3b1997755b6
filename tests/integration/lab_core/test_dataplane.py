"""The data plane: a client's bytes reach a back end when, and only when, AWS and the appliance both say so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.integration.lab_core.stubs import World, abort, connected, is_silent, loopback, meets_reset, was_reset
from tests.lab import sockets
from tests.lab.backends import Backends
from tests.lab.client import wait_for
from tests.lab.dataplane import DataPlane
from tests.lab.routing import Fate, Routing
from tests.lab.server import Server
from tests.lab.slices import Slice, claim
from tests.lab.tls import Authority
from tests.lab.world import Door, Vserver

EIP, VIP, OTHER_VIP = loopback(10), loopback(20), loopback(21)


class Echo:
    """A TCP server that keeps to itself until its client half-closes, then sends all back, in capitals."""

    def __init__(self, address: str) -> None:
        self._listener = sockets.listen(address, 0)
        self.place: tuple[str, int] = self._listener.getsockname()
        self.broken = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ignored = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        whole = b""
        try:
            while chunk := connection.recv(65536):
                whole += chunk
            connection.sendall(whole.upper())
            connection.close()
        except OSError:
            self.broken.set()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo(loopback(30))
    yield echo
    echo.close()


@pytest.fixture
def port() -> int:
    """One that is free at every address used here."""
    with sockets.listen("0.0.0.0", 0) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def world(echo: Echo, port: int) -> World:
    """Return an Elastic IP at the VIP of a running appliance whose virtual server has one back end."""
    vserver = Vserver("i-1", "web", "TCP", (echo.place,))
    return World(
        elastic={EIP: VIP},
        doors={VIP: Door.OPEN, OTHER_VIP: Door.OPEN},
        vservers={(VIP, port): vserver},
    )


@pytest.fixture
def plane(world: World, tmp_path: Path) -> Iterator[DataPlane]:
    authority = Authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    plane = DataPlane(Routing(world, world), authority.context)
    plane.start()
    plane.tick()
    yield plane
    plane.stop()


def _exchange(address: str, port: int, data: bytes = b"hello") -> bytes:
    with connected(address, port) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        whole = b""
        while chunk := connection.recv(65536):
            whole += chunk
        return whole


@pytest.mark.parametrize("address", [pytest.param(EIP, id="elastic"), pytest.param(VIP, id="private")])
def test_an_elastic_ip_and_the_vip_behind_it_lead_to_the_back_end(plane: DataPlane, port: int, address: str) -> None:
    assert _exchange(address, port) == b"HELLO"
    assert plane.state() == {"listeners": sorted([f"{EIP}:{port}", f"{VIP}:{port}"]), "errors": {}}


def test_a_megabyte_goes_both_ways_and_a_half_closed_connection_lives(plane: DataPlane, port: int) -> None:
    data = b"abcdefgh" * 131072
    assert _exchange(EIP, port, data) == data.upper()


def test_an_unassociated_elastic_ip_is_silent_until_the_syn_is_sent_again(
    plane: DataPlane, world: World, port: int
) -> None:
    world.elastic[EIP] = None
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        assert is_silent(connection, 0.3)
    with connected(EIP, port) as connection:
        connection.sendall(b"late")
        assert is_silent(connection, 0.2)
        world.elastic[EIP] = VIP
        assert is_silent(connection, 0.3)
        time.sleep(0.6)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(3)
        assert connection.recv(100) == b"LATE"


@pytest.mark.parametrize("door", [Door.DARK, Door.ABSENT])
def test_a_machine_without_power_or_stopped_is_silent(plane: DataPlane, world: World, port: int, door: Door) -> None:
    world.doors[VIP] = door
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        assert is_silent(connection, 0.3)


def test_what_the_security_group_does_not_allow_is_silent(plane: DataPlane, world: World, port: int) -> None:
    world.refused_sources.add("127.0.0.1")
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        assert is_silent(connection, 0.3)


def test_no_virtual_server_there_is_a_reset(plane: DataPlane, world: World, port: int) -> None:
    world.elastic[EIP] = OTHER_VIP
    assert meets_reset(EIP, port)


def test_an_elastic_ip_that_moves_resets_connections_and_serves_new_ones(
    plane: DataPlane, world: World, port: int
) -> None:
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        assert is_silent(connection, 0.1)
        world.vservers[OTHER_VIP, port] = Vserver("i-2", "web", "TCP", world.vservers[VIP, port].backends)
        world.elastic[EIP] = OTHER_VIP
        connection.settimeout(1)
        assert was_reset(connection)
    assert _exchange(EIP, port) == b"HELLO"


def test_power_lost_leaves_connections_hanging_and_their_back_end_without_them(
    plane: DataPlane, world: World, port: int
) -> None:
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        time.sleep(0.05)
        world.doors[VIP] = Door.DARK
        assert is_silent(connection, 0.5)


def test_a_machine_without_power_does_not_refuse_at_its_vip(plane: DataPlane, world: World, port: int) -> None:
    world.doors[VIP] = Door.DARK
    del world.vservers[VIP, port]
    plane.tick()
    for address in (EIP, VIP):
        with connected(address, port) as connection:
            assert is_silent(connection, 0.2)


def test_listeners_come_and_go_with_addresses_and_virtual_servers(plane: DataPlane, world: World, port: int) -> None:
    del world.elastic[EIP]
    plane.tick()
    assert plane.state()["listeners"] == [f"{VIP}:{port}"]
    with pytest.raises(ConnectionRefusedError):
        connected(EIP, port).__enter__()
    world.vservers.clear()
    plane.tick()
    assert plane.state()["listeners"] == []


def test_a_port_that_is_taken_is_said_and_taken_later(world: World, port: int, tmp_path: Path, echo: Echo) -> None:
    squatter = sockets.listen(EIP, port)
    plane = DataPlane(Routing(world, world), Authority(tmp_path).context)
    plane.start()
    plane.tick()
    assert plane.state()["errors"] == {f"{EIP}:{port}": "Address already in use"}
    squatter.close()
    plane.tick()
    assert plane.state()["errors"] == {}
    assert _exchange(EIP, port) == b"HELLO"
    plane.stop()


def test_back_ends_take_turns_and_one_that_is_down_is_passed_over(plane: DataPlane, world: World, port: int) -> None:
    up = [Server("127.0.0.1", 0, _say(name)) for name in ("a", "b")]
    for server in up:
        server.start()
    places = (("127.0.0.1", up[0].port), ("127.0.0.1", 1), ("127.0.0.1", up[1].port))
    world.vservers[VIP, port] = Vserver("i-1", "web", "HTTP", places)
    message = [requests.get(f"http://{EIP}:{port}/", timeout=5).text for _turn in range(6)]
    assert message == ["a", "b", "b"] * 2
    for server in up:
        server.stop()


def _say(name: str) -> Callable[..., list[bytes]]:
    def application(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [])
        return [name.encode()]

    return application


def test_without_a_back_end_http_gets_503_and_tcp_a_reset(plane: DataPlane, world: World, port: int) -> None:
    world.vservers[VIP, port] = Vserver("i-1", "web", "HTTP", ())
    answer = requests.get(f"http://{EIP}:{port}/", timeout=5)
    assert (answer.status_code, answer.reason) == (503, "Service Unavailable")
    world.vservers[VIP, port] = Vserver("i-1", "web", "TCP", ())
    assert meets_reset(EIP, port)


def test_an_ssl_virtual_server_ends_tls(plane: DataPlane, world: World, port: int, tmp_path: Path) -> None:
    server = Server("127.0.0.1", 0, _say("behind TLS"))
    server.start()
    world.vservers[VIP, port] = Vserver("i-1", "web", "SSL", (("127.0.0.1", server.port),))
    for _turn in range(3):
        answer = requests.get(f"https://{EIP}:{port}/", verify=str(tmp_path / "ca.pem"), timeout=5)
        assert answer.text == "behind TLS"
    assert b"behind TLS" not in _plainly(EIP, port)
    server.stop()


def _plainly(address: str, port: int) -> bytes:
    try:
        return _exchange(address, port, b"GET / HTTP/1.1\r\n\r\n")
    except OSError:
        return b""


def test_a_client_that_aborts_ends_the_back_ends_connection(plane: DataPlane, port: int, echo: Echo) -> None:
    connection = socket.create_connection((EIP, port))
    connection.sendall(b"x")
    time.sleep(0.05)
    abort(connection)
    threads = threading.active_count()
    wait_for(lambda: threading.active_count() <= threads, "no thread stays behind")


def test_reset_breaks_everything(plane: DataPlane, port: int) -> None:
    with connected(EIP, port) as connection:
        connection.sendall(b"x")
        time.sleep(0.05)
        plane.reset()
        assert was_reset(connection)
    assert plane.state()["listeners"] == []
    with pytest.raises(ConnectionRefusedError):
        connected(EIP, port).__enter__()


def test_the_fate_of_a_connection_follows_within_a_moment(world: World, port: int) -> None:
    routing = Routing(world, world)
    begun = routing.route(EIP, port, "127.0.0.1")
    assert begun.fate is Fate.ANSWER
    assert routing.onward(EIP, port, begun) is Fate.ANSWER
    world.refused_sources.add("127.0.0.1")
    world.doors[VIP] = Door.DARK
    wait_for(lambda: routing.onward(EIP, port, begun) is Fate.SILENCE, "silence", seconds=0.5)
    world.doors[VIP] = Door.OPEN
    wait_for(lambda: routing.onward(EIP, port, begun) is Fate.ANSWER, "security groups are stateful", seconds=0.5)
    world.elastic[EIP] = None
    wait_for(lambda: routing.onward(EIP, port, begun) is Fate.SILENCE, "silence", seconds=0.5)


@dataclass(frozen=True)
class Balancer:
    """A network load balancer's listener, as the region describes it."""

    targets: tuple[tuple[str, int], ...]
    address: str
    port: int
    protocol: str = "TCP"
    load_balancer: str = "nlb"
    node: str = ""
    preserves: bool = False


def _balanced(world: World, authority: Authority, balancers: list[Balancer]) -> DataPlane:
    plane = DataPlane(Routing(world, world, lambda: balancers), authority.context)
    plane.start()
    plane.tick()
    return plane


def test_a_load_balancer_forwards_to_its_targets_in_turn(world: World, port: int, tmp_path: Path, echo: Echo) -> None:
    up = [Server("127.0.0.1", 0, _say(name)) for name in ("a", "b")]
    for server, vip in zip(up, (VIP, OTHER_VIP), strict=True):
        server.start()
        world.vservers[vip, port] = Vserver(f"i-{vip}", "web", "HTTP", (("127.0.0.1", server.port),))
    nlb = loopback(40)
    balancers = [Balancer(((VIP, port), (OTHER_VIP, port)), nlb, port)]
    plane = _balanced(world, Authority(tmp_path), balancers)
    url = f"http://{nlb}:{port}/"
    assert sorted(requests.get(url, timeout=5).text for _turn in range(4)) == ["a", "a", "b", "b"]
    balancers[:] = [Balancer(((VIP, port),), nlb, port)]
    assert {requests.get(url, timeout=5).text for _turn in range(3)} == {"a"}
    balancers[:] = [Balancer((), nlb, port)]
    assert meets_reset(nlb, port)
    balancers[:] = [Balancer((echo.place,), nlb, port)]
    assert _exchange(nlb, port) == b"HELLO", "a target that is no appliance"
    balancers[:] = []
    plane.tick()
    with pytest.raises(ConnectionRefusedError):
        connected(nlb, port).__enter__()
    plane.stop()
    for server in up:
        server.stop()


def test_a_connection_by_a_load_balancer_stays_on_its_target_until_that_is_gone(
    world: World, port: int, tmp_path: Path
) -> None:
    nlb = loopback(41)
    balancers = [Balancer(((VIP, port),), nlb, port)]
    plane = _balanced(world, Authority(tmp_path), balancers)
    with connected(nlb, port) as drained, connected(nlb, port) as dropped:
        for connection in (drained, dropped):
            connection.sendall(b"x")
            assert is_silent(connection, 0.1)
        balancers[:] = [Balancer(((OTHER_VIP, port),), nlb, port)]
        time.sleep(0.2)
        drained.shutdown(socket.SHUT_WR)
        drained.settimeout(2)
        assert drained.recv(10) == b"X"
        world.doors[VIP] = Door.DARK
        assert is_silent(dropped, 0.3)
    plane.stop()


def test_a_health_check_is_not_fooled_by_a_silent_listener(plane: DataPlane, world: World, port: int) -> None:
    assert plane.answers(VIP, port)
    world.doors[VIP] = Door.DARK
    assert not plane.answers(VIP, port)
    world.doors[VIP] = Door.OPEN
    world.vservers.clear()
    assert not plane.answers(VIP, port)


@pytest.fixture
def slice_() -> Iterator[Slice]:
    claimed = claim(None)
    yield claimed
    claimed.release()


def test_the_labs_own_web_servers_say_who_they_are_and_take_their_time(slice_: Slice, plane: DataPlane) -> None:
    backends = Backends(slice_.network)
    backends.start()
    for place in backends.state():
        url = f"http://{place['address']}:{place['port']}/any"
        assert requests.get(url, timeout=5).text == f"{place['name']}\n"
    started = time.monotonic()
    assert requests.get(f"{url}?delay=0.3", timeout=5).ok
    assert time.monotonic() - started >= 0.3
    assert requests.get(f"{url}?delay=long", timeout=5).ok
    assert plane.answers(place["address"], place["port"])
    backends.switch("backend-1", up=False)
    assert [place["up"] for place in backends.state()] == [False, True, True, True]
    backends.start()
    assert all(place["up"] for place in backends.state())
    backends.stop()
    wait_for(lambda: not plane.answers(place["address"], place["port"]), "no answer any more")
