"""Carries bytes both ways between a client and a back end until both are done, or until the path breaks."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable

from tests.lab import sockets
from tests.lab.routing import Fate

CHUNK = 65536
STALL_SECONDS = 30.0


def pump(client: socket.socket, backend: socket.socket, fate: Callable[[], Fate]) -> Fate:
    """Proxy until both sides have ended (ANSWER), or return the fate that struck the connection.

    Aware of half-closed connections: the end of one direction is passed on and the other goes on. Broken sockets raise
    OSError. Closes neither socket.
    """
    other = {client.fileno(): (client, backend), backend.fileno(): (backend, client)}
    poll = select.poll()
    for number in other:
        poll.register(number, select.POLLIN)
    looked = time.monotonic()
    while other:
        for number, _ignored in poll.poll(sockets.OBSERVE_SECONDS * 1000):
            source, sink = other[number]
            if not _carry(source, sink):
                poll.unregister(number)
                del other[number]
                if isinstance(sink, ssl.SSLSocket):
                    # TLS has no half-closed connections worth the name: the end of the back end is the end.
                    return Fate.ANSWER
        if time.monotonic() - looked >= sockets.OBSERVE_SECONDS:
            now = fate()
            if now is not Fate.ANSWER:
                return now
            looked = time.monotonic()
    return Fate.ANSWER


def _carry(source: socket.socket, sink: socket.socket) -> bool:
    """Pass on what has arrived; False at the end of the stream, which is passed on too."""
    data = source.recv(CHUNK)
    while isinstance(source, ssl.SSLSocket) and source.pending():
        data += source.recv(CHUNK)
    if data:
        sink.settimeout(STALL_SECONDS)
        sink.sendall(data)
        return True
    if not isinstance(sink, ssl.SSLSocket):
        sink.shutdown(socket.SHUT_WR)
    return False
