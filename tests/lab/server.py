"""An HTTP/1.1 server for WSGI applications that keeps connections open, one thread a connection.

What werkzeug's development server does not do and the lab needs: keep-alive (clients hold one session to an appliance),
a TLS handshake in the connection's own thread with the certificate of the address it was made to, and doors: what a
client meets at an address while the machine behind it is off, booting or not ready.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from tests.lab import sockets
from tests.lab.fault_proxy import Answer, Loss, NoAnswer
from tests.lab.world import Door, Environ

HANG_SECONDS = 60.0
IDLE_SECONDS = 75.0
HANDSHAKE_SECONDS = 20.0
DARK_SECONDS = 900.0
BODY_LIMIT = 64 * 1024 * 1024
# What the server itself decides about.
_OWN_HEADERS = ("content-length", "transfer-encoding", "connection")

Application = Callable[[Environ, Any], Iterable[bytes]]


class Server:
    """``tls``: the context for a local address; ``door``: what a client meets there; ``way``: whether packets pass
    between a client's and a local address, a local port. Without them: HTTP, open, near.
    """

    def __init__(
        self,
        address: str,
        port: int,
        application: Application,
        *,
        tls: Callable[[str], ssl.SSLContext] | None = None,
        door: Callable[[str], Door] | None = None,
        way: Callable[[str, str, int], bool] | None = None,
    ) -> None:
        self.application = application
        self.tls = tls
        self._door = door
        self._way = way
        self._listener = sockets.listen(address, port)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=f"accept-{self.port}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Accept no more. Connections in progress end with the process."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def door(self, address: str, peer: str) -> Door:
        """What a client at ``peer`` meets; behind a door that packets do not reach, or come back from, silence."""
        door = self._door(address) if self._door else Door.OPEN
        there = door in (Door.ABSENT, Door.DARK) or self._way is None or self._way(peer, address, self.port)
        return door if there else Door.DARK

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        try:
            ready = self._let_in(connection, peer)
            if ready is not None:
                with ready:
                    _Conversation(ready, peer, self)
        except (OSError, ssl.SSLError, ValueError):
            # The client went away, or the connection was broken on purpose; there is no receiver for an answer.
            sockets.reset(connection)

    def _let_in(self, connection: socket.socket, peer: tuple[str, int]) -> socket.socket | None:
        """The connection ready for HTTP, or None when it came to nothing."""
        local = connection.getsockname()[0]
        if not (sockets.is_loopback(local) and sockets.is_loopback(peer[0])):
            sockets.reset(connection)
            return None
        # Silence at the door, for a machine without power: its client retransmits until the power is back.
        alive = sockets.keep_silent(connection, DARK_SECONDS, while_true=lambda: self.door(local, peer[0]) is Door.DARK)
        door = self.door(local, peer[0])
        if not alive or door in (Door.ABSENT, Door.CLOSED, Door.DARK):
            sockets.reset(connection)
            return None
        if door is Door.NO_TLS:
            connection.settimeout(HANDSHAKE_SECONDS)
            connection.recv(4096)
            connection.close()
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return connection
        connection.settimeout(HANDSHAKE_SECONDS)
        return self.tls(local).wrap_socket(connection, server_side=True)


class _Conversation(BaseHTTPRequestHandler):
    """The requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    server: Server  # type: ignore[assignment]
    connection: socket.socket

    def __init__(self, connection: socket.socket, peer: tuple[str, int], server: Server) -> None:
        self._local = connection.getsockname()
        connection.settimeout(IDLE_SECONDS)
        super().__init__(connection, peer, server)  # type: ignore[arg-type]

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
        except TimeoutError:
            self.raw_requestline = b""
        if not self.raw_requestline or len(self.raw_requestline) > 65536 or not self.parse_request():
            self.close_connection = True
            return
        try:
            body = self._read_body()
        except ValueError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            self.close_connection = True
            return
        self._answer(self._environ(body))

    def _answer(self, environ: Environ) -> None:
        try:
            self._heed_the_door()
            answer = _call(self.server.application, environ)
            if self.server.door(self._local[0], self.client_address[0]) is Door.DARK:
                raise NoAnswer(Loss.SILENCE)
            self._send(*answer)
        except NoAnswer as lost:
            self.close_connection = True
            if lost.loss is Loss.SILENCE:
                sockets.keep_silent(self.connection, HANG_SECONDS)
            sockets.reset(self.connection)

    def _heed_the_door(self) -> None:
        """A connection outlives neither the machine's power nor its boot."""
        door = self.server.door(self._local[0], self.client_address[0])
        if door is Door.DARK:
            raise NoAnswer(Loss.SILENCE)
        if door is not Door.OPEN:
            raise NoAnswer(Loss.RESET)

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        kept = [(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS]
        bodiless = self.command == "HEAD" or status.startswith(("1", "204", "304"))
        if not bodiless:
            kept.append(("Content-Length", str(len(body))))
        elif self.command == "HEAD":
            kept += [(name, value) for name, value in headers if name.lower() == "content-length"]
        if self.close_connection:
            kept.append(("Connection", "close"))
        head = "".join(f"{name}: {value}\r\n" for name, value in kept)
        # One write: head and body in one segment where they fit.
        whole = f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1")
        self.wfile.write(whole if bodiless else whole + body)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        text = self.headers.get("Content-Length") or "0"
        if not text.isdigit() or int(text) > BODY_LIMIT:
            raise ValueError("Content-Length is not a length this server takes")
        body = self.rfile.read(int(text))
        if len(body) != int(text):
            raise ConnectionResetError("the client left in the middle of its request")
        return body

    def _read_chunks(self) -> bytes:
        whole = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
            except ValueError:
                raise ValueError("a chunk does not begin with its size") from None
            whole += self.rfile.read(size)
            if len(whole) > BODY_LIMIT:
                raise ValueError("the body is longer than this server takes")
            # After the last chunk come trailers (none is expected) and an empty line.
            while self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
                pass
            if size == 0:
                return bytes(whole)

    def _environ(self, body: bytes) -> Environ:
        """The request as WSGI (PEP 3333) has it, the body in memory."""
        url = urlsplit(self.path)
        path = f"//{url.netloc}{url.path}" if url.netloc and not url.scheme else url.path
        environ: Environ = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self.server.tls else "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "SERVER_NAME": self._local[0],
            "SERVER_PORT": str(self._local[1]),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_LENGTH": str(len(body)),
            "lab.local_address": self._local[0],
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                key = f"HTTP_{key}"
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """calls.jsonl is the log."""


def _call(application: Application, environ: Environ) -> Answer:
    collected: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        collected[:] = [status, headers]

    try:
        body = b"".join(application(environ, start_response))
    except NoAnswer:
        raise
    except ConnectionResetError as lost:  # an appliance that takes the connection away with itself
        raise NoAnswer(Loss.RESET) from lost
    except Exception:  # noqa: BLE001 - the boundary: an application's mistake must not silence the server
        traceback.print_exc()
        text = b"the lab has failed at this request; its log says where\n"
        return "500 Internal Server Error", [("Content-Type", "text/plain")], text
    return collected[0], collected[1], body
