"""A web server that answers what a test tells it to, one answer a request, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = {"errorcode": 0, "message": "Done", "severity": "NONE"}
LOGIN = (201, {**DONE, "sessionid": "##TOKEN1"})
LOGOUT = (201, DONE)
RESET = "reset"
SILENCE = "silence"


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Scripted:
    """``answers`` are taken from the front; each is (status, body) with a dict, text or bytes, RESET or SILENCE."""

    answers: list[Any]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def nsip(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[str]:
        return [f"{a.method} {a.path.removeprefix('/nitro/v1')}" for a in self.asked]


def _handler(script: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            form = "urlencoded" in self.headers.get("Content-Type", "")
            body = content.decode() if form else json.loads(content) if content else None
            script.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            now = script.answers.pop(0) if script.answers else (500, "nothing more was scripted")
            if now == RESET:
                # Linger for no time: the client gets a reset and not an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if now == SILENCE:
                script.release.wait(10)
                self.close_connection = True
                return
            status, body = now
            data = json.dumps(body).encode() if isinstance(body, dict | list) else str(body).encode()
            kind = "text/html" if data.startswith(b"<") else "application/json"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Set-Cookie", "sessionid=stale; path=/nitro/v1")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    return Handler


@contextlib.contextmanager
def serving(*answers: Any, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Yield a server on a free port of 127.0.0.1 that gives these answers."""
    script = Scripted(list(answers))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    script.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
