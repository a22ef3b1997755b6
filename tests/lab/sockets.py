"""What a TCP connection can suffer, done to real sockets: resets, and silence until the client gives up."""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import time
from collections.abc import Callable

OBSERVE_SECONDS = 0.05
_LINGER_ZERO = struct.pack("ii", 1, 0)
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address) in _LOOPBACK


def reset(connection: socket.socket) -> None:
    """Close with a RST instead of a FIN (SO_LINGER with no time to linger)."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    with contextlib.suppress(OSError):
        connection.close()


def peer_has_gone(connection: socket.socket, wait: float = 0.0) -> bool:
    """Whether the other side closed or broke the connection; looks for ``wait`` seconds, reads nothing."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return any(flags & _GONE for _ignored, flags in poll.poll(wait * 1000))


def keep_silent(connection: socket.socket, seconds: float, *, while_true: Callable[[], bool] = lambda: True) -> bool:
    """Say nothing while the condition holds, for at most ``seconds``; True if the client is still there afterwards."""
    deadline = time.monotonic() + seconds
    while while_true() and time.monotonic() < deadline:
        if peer_has_gone(connection, OBSERVE_SECONDS):
            return False
    return not peer_has_gone(connection)


def listen(address: str, port: int, backlog: int = 512) -> socket.socket:
    """A listening socket; OSError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
