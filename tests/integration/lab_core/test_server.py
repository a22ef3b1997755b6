"""The server: connections that stay open, certificates by address, and what a client meets at each door."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.lab_core.stubs import EchoSide, World, connected, is_silent, loopback, meets_reset
from tests.lab.client import wait_for
from tests.lab.server import Server
from tests.lab.tls import Authority
from tests.lab.world import Door

A, B = loopback(1), loopback(2)


@pytest.fixture
def http() -> Iterator[Server]:
    server = Server("127.0.0.1", 0, EchoSide())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def world() -> World:
    return World(doors={A: Door.OPEN, B: Door.OPEN})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return authority


@pytest.fixture
def https(world: World, authority: Authority) -> Iterator[Server]:
    server = Server("0.0.0.0", 0, EchoSide(), tls=authority.context, door=world.door)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def get(https: Server, tmp_path: Path) -> Callable[..., requests.Response]:
    def ask(address: str, **options: float) -> requests.Response:
        url = f"https://{address}:{https.port}/x"
        return requests.get(url, verify=str(tmp_path / "ca.pem"), timeout=options.get("timeout", 5.0))

    return ask


def test_a_connection_serves_many_requests(http: Server) -> None:
    with requests.Session() as session:
        answers = [session.post(f"http://127.0.0.1:{http.port}/n{n}", data=b"x" * n) for n in range(5)]
    assert [answer.text for answer in answers] == [f"/n{n}|{'x' * n}" for n in range(5)]
    with connected("127.0.0.1", http.port) as connection:
        for _turn in range(3):
            connection.sendall(b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
            head = connection.recv(4096)
            assert head.startswith(b"HTTP/1.1 200")
            assert head.endswith(b"/again|")


def test_a_chunked_body_is_read_whole_and_the_connection_goes_on(http: Server) -> None:
    with requests.Session() as session:
        url = f"http://127.0.0.1:{http.port}/chunks"
        assert session.post(url, data=iter([b"ab", b"", b"cde"])).text == "/chunks|abcde"
        assert session.post(url, data=b"next").text == "/chunks|next"


@pytest.mark.parametrize("headers", ["Content-Length: ten", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_a_body_of_no_known_length_is_refused(http: Server, headers: str) -> None:
    with connected("127.0.0.1", http.port) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


def test_an_application_that_fails_is_a_500_and_the_server_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    side = EchoSide()
    server = Server("127.0.0.1", 0, side)
    server.start()
    side.fail = True
    assert requests.get(f"http://127.0.0.1:{server.port}/", timeout=5).status_code == 500
    side.fail = False
    assert requests.get(f"http://127.0.0.1:{server.port}/", timeout=5).status_code == 200
    server.stop()
    assert "a side with a mistake in it" in capfd.readouterr().err


def test_each_address_proves_itself_with_its_own_certificate(get: Callable[..., requests.Response]) -> None:
    for address in (A, B):
        assert get(address).headers["X-Local"] == address


def test_a_client_that_does_not_know_the_authority_refuses(https: Server) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{A}:{https.port}/x", timeout=5)


def test_a_certificate_is_no_good_for_another_address(https: Server, authority: Authority, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with connected(A, https.port) as plain, pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        context.wrap_socket(plain, server_hostname=B)


@pytest.mark.parametrize("door", [Door.ABSENT, Door.CLOSED])
def test_a_closed_door_resets(https: Server, world: World, door: Door) -> None:
    world.doors[A] = door
    assert meets_reset(A, https.port)


def test_a_door_without_tls_breaks_the_handshake(world: World, get: Callable[..., requests.Response]) -> None:
    world.doors[A] = Door.NO_TLS
    with pytest.raises((requests.exceptions.SSLError, requests.exceptions.ConnectionError)):
        get(A)
    assert get(B).ok


def test_a_dark_door_is_silent_until_the_power_is_back(
    https: Server, world: World, get: Callable[..., requests.Response]
) -> None:
    world.doors[A] = Door.DARK
    with connected(A, https.port) as connection:
        assert is_silent(connection, 0.4)
    with pytest.raises(requests.exceptions.Timeout):
        get(A, timeout=0.4)
    answers: list[requests.Response] = []
    client = threading.Thread(target=lambda: answers.append(get(A, timeout=10.0)))
    client.start()
    time.sleep(0.2)
    assert not answers
    world.doors[A] = Door.OPEN
    client.join(timeout=10)
    assert answers[0].ok


def test_a_dark_door_does_not_hold_up_others(world: World, get: Callable[..., requests.Response]) -> None:
    world.doors[A] = Door.DARK
    waiting = [threading.Thread(target=_ignore_timeout, args=(get, A)) for _turn in range(20)]
    for thread in waiting:
        thread.start()
    started = time.monotonic()
    assert get(B).ok
    assert time.monotonic() - started < 0.9
    for thread in waiting:
        thread.join()


def _ignore_timeout(get: Callable[..., requests.Response], address: str) -> None:
    with pytest.raises(requests.exceptions.Timeout):
        get(address, timeout=1.0)


def test_an_open_connection_ends_with_the_power(
    https: Server, world: World, authority: Authority, tmp_path: Path
) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with connected(A, https.port) as plain, context.wrap_socket(plain, server_hostname=A) as connection:
        connection.sendall(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        world.doors[A] = Door.DARK
        connection.sendall(b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n")
        assert is_silent(connection, 0.4)


def test_an_open_connection_is_reset_by_a_reboot(
    https: Server, world: World, tmp_path: Path, authority: Authority
) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with connected(A, https.port) as plain, context.wrap_socket(plain, server_hostname=A) as connection:
        connection.sendall(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        world.doors[A] = Door.CLOSED
        connection.sendall(b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n")
        select.select([connection], [], [], 5)
        # Below TLS: Python 3.11's ssl module takes a RST for the end of the stream.
        with pytest.raises(ConnectionResetError):
            os.read(connection.fileno(), 1)


def test_a_slow_handshake_does_not_hold_up_others(https: Server, get: Callable[..., requests.Response]) -> None:
    with connected(A, https.port):
        assert get(A).ok


def test_addresses_that_are_not_loopback_are_turned_away(https: Server) -> None:
    own = _own_address()
    if own is None:
        # A machine without any other address cannot be reached at one: what is tested cannot happen here.
        return
    assert meets_reset(own, https.port)


def _own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def test_the_server_lets_go_of_its_port(world: World) -> None:
    server = Server("127.0.0.1", 0, EchoSide())
    server.start()
    server.stop()
    wait_for(lambda: _refused(server.port), "the port is free")


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False
