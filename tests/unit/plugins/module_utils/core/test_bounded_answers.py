"""Answers that drip, never end, are too large or unpack to too much: bounded in time and size, and nothing is left."""

from __future__ import annotations

import contextlib
import gc
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroOversized,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_transport import Peer, Transport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Serve = Callable[[socket.socket, threading.Event], None]


@contextlib.contextmanager
def served_at(serve: Serve) -> Iterator[int]:
    """Yield the port of a server that answers each connection with ``serve``."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads: list[threading.Thread] = []

    def one(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.recv(65536)
            serve(sock, over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _address = listener.accept()
                threads.append(threading.Thread(target=one, args=(sock,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def peer(serve: Serve, timeout: float = 0.5) -> Iterator[Transport]:
    """Yield a transport to such a server."""
    with served_at(serve) as port:
        transport = Transport(Peer("adc", f"http://127.0.0.1:{port}", timeout=timeout), sleep=lambda _s: None)
        try:
            yield transport
        finally:
            transport.close()


def drip(data: bytes, forever: bytes) -> Serve:
    def serve(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(data)
        while not over.wait(0.05):
            sock.sendall(forever)

    return serve


def whole(data: bytes) -> Serve:
    def serve(sock: socket.socket, _over: threading.Event) -> None:
        sock.sendall(data)

    return serve


def framed(body: bytes, encoding: str = "") -> bytes:
    more = f"Content-Encoding: {encoding}\r\n".encode() if encoding else b""
    return HEAD + more + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"), id="in a header"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"), id="header by header"),
        pytest.param(drip(HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "), id="in the body"),
        pytest.param(drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), id="in chunks"),
        pytest.param(drip(HEAD + b"\r\n{", b" "), id="until the connection ends"),
    ],
)
def test_answer_that_drips_ends_at_its_deadline(serve: Serve) -> None:
    with peer(serve) as transport:
        began = time.monotonic()
        with pytest.raises(NitroCut, match=r"no complete answer within 0\.5 s"):
            transport.exchange("get hanode", "GET", "/config/hanode")
        assert time.monotonic() - began < 2


def test_answer_without_an_end_is_not_kept_in_memory() -> None:
    def serve(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(HEAD + b"\r\n")
        while not over.is_set():
            sock.sendall(b" " * 65536)

    with peer(serve, timeout=20) as transport, pytest.raises(NitroOversized, match="MiB"):
        transport.exchange("get hanode", "GET", "/config/hanode")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_answer_is_limited_by_what_it_unpacks_to(pack: Callable[[bytes], bytes]) -> None:
    name = "gzip" if pack is gzip.compress else "deflate"
    bomb = pack(b" " * (40 << 20))
    with peer(whole(framed(bomb, name)), timeout=20) as transport, pytest.raises(NitroOversized):
        transport.exchange("get hanode", "GET", "/config/hanode")
    with peer(whole(framed(pack(b'{"errorcode": 0}'), name))) as transport:
        assert transport.exchange("get hanode", "GET", "/config/hanode").ok


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (framed(b"no gzip", "gzip"), "a broken gzip stream"),
        (framed(gzip.compress(b"{}")[:-4], "gzip"), "breaks off"),
        (framed(b"{}", "br"), "content encoding 'br'"),
        (framed(b"[" * 1_000_000), "nested too deeply"),
        (framed(b'{"a":' * 500_000), "nested too deeply"),
    ],
)
def test_answer_that_cannot_be_read_is_an_error_of_ours(answer: bytes, message: str) -> None:
    with peer(whole(answer), timeout=10) as transport, pytest.raises(NitroGarbled, match=message):
        transport.exchange("get hanode", "GET", "/config/hanode")


def test_nothing_is_left_of_bad_answers() -> None:
    def count() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), sum(1 for _one in Path("/proc/self/fd").iterdir())

    before = count()
    for serve in (drip(HEAD + b"\r\n{", b" "), whole(framed(b"no gzip", "gzip")), whole(HEAD[:20]), whole(b"")):
        with peer(serve, timeout=0.2) as transport:
            for _turn in range(3):
                with pytest.raises(NitroError):
                    transport.exchange("get hanode", "GET", "/config/hanode")
    assert all(now <= then for now, then in zip(count(), before, strict=True))
