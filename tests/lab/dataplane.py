"""TCP for clients: what arrives at an Elastic IP or a virtual server's own address gets to a back end, or does not.

The path is looked up for every new connection and watched while it lasts: an address that moves breaks connections
(RST from a host that does not know them), a machine that loses its power leaves them hanging without a word.
"""

from __future__ import annotations

import contextlib
import itertools
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.lab import sockets
from tests.lab.doors import caller_of, door_of
from tests.lab.pump import pump
from tests.lab.routing import Fate, Route, Routing
from tests.lab.world import Vserver

# Linux sends a SYN again after 1, 3, 7, 15, 31 and 63 s and gives up after 127 s (tcp(7), tcp_syn_retries).
SYN_RETRIES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SILENT_SECONDS = 120.0
BACKEND_SECONDS = 2.0
HANDSHAKE_SECONDS = 10.0
TLS_PROTOCOLS = ("SSL", "SSL_TCP")
# What a NetScaler says on behalf of an HTTP virtual server without a service that is up.
_UNAVAILABLE_BODY = b"<html><body><b>Http/1.1 Service Unavailable</b></body> </html>"
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_UNAVAILABLE_BODY), _UNAVAILABLE_BODY)
)


class DataPlane:
    """Listens where ``Routing.desired`` says, as of the last ``tick``. ``tls``: the server context for an address.

    ``public_network``: where the doors of IPv6 addresses are (see ``doors``).
    """

    def __init__(self, routing: Routing, tls: Callable[[str], ssl.SSLContext], public_network: str = "127.11") -> None:
        self._public_network = public_network
        self._routing = routing
        self._tls = tls
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, int], socket.socket] = {}
        self._errors: dict[tuple[str, int], str] = {}
        self._turns: dict[tuple[str, str], Iterator[int]] = {}
        self._selector = selectors.DefaultSelector()
        self._epoch = 0
        self._running = True
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, name="dataplane", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._running = False
        self.reset()
        self._thread.join(timeout=2)

    def reset(self) -> None:
        """No listener; every connection breaks."""
        with self._lock:
            self._epoch += 1
            self._close(list(self._listeners))
            self._errors.clear()

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "listeners": [f"{address}:{port}" for address, port in sorted(self._listeners)],
                "errors": {f"{address}:{port}": text for (address, port), text in sorted(self._errors.items())},
            }

    def tick(self) -> None:
        """Open and close listeners so that they are where they should be."""
        with self._lock:
            epoch, present = self._epoch, set(self._listeners)
        desired = self._routing.desired(present)
        with self._lock:
            if epoch != self._epoch or not self._running:
                return
            self._close(list(present - desired))
            self._errors = {place: text for place, text in self._errors.items() if place in desired}
            for place in sorted(desired - present):
                self._open(place)
            if present != set(self._listeners):
                self._wake.send(b".")

    def _open(self, place: tuple[str, int]) -> None:
        try:
            listener = sockets.listen(door_of(place[0], self._public_network), place[1])
        except OSError as error:
            self._errors[place] = str(error.strerror)
            return
        listener.setblocking(False)
        self._errors.pop(place, None)
        self._listeners[place] = listener
        self._selector.register(listener, selectors.EVENT_READ, place)

    def _close(self, places: list[tuple[str, int]]) -> None:
        for place in places:
            listener = self._listeners.pop(place)
            self._selector.unregister(listener)
            listener.close()

    def _accept(self) -> None:
        while self._running:
            for key, _ignored in self._selector.select(timeout=0.2):
                if key.data is None:
                    self._woken.recv(4096)
                    continue
                # Closed meanwhile, or the client has gone already: both are no reason to stop.
                with contextlib.suppress(OSError, ValueError):
                    connection, peer = key.fileobj.accept()  # type: ignore[union-attr]
                    connection.setblocking(True)
                    arguments = (connection, key.data, caller_of(peer[0], key.data[0]))
                    threading.Thread(target=self._serve, args=arguments, daemon=True).start()

    def _serve(self, client: socket.socket, place: tuple[str, int], source: str) -> None:
        epoch = self._epoch
        try:
            route = self._arrive(client, place, source)
            if route is None:
                sockets.reset(client)
                return
            fate = self._converse(client, place, route, epoch)
        except (OSError, ssl.SSLError):
            sockets.reset(client)
            return
        if fate is Fate.SILENCE:
            sockets.keep_silent(client, SILENT_SECONDS, while_true=lambda: self._epoch == epoch)
            sockets.reset(client)
        elif fate is Fate.REFUSED:
            sockets.reset(client)
        else:
            client.close()

    def _arrive(self, client: socket.socket, place: tuple[str, int], source: str) -> Route | None:
        """The way to a virtual server; None if there is none. A lost SYN is sent again, at its times."""
        epoch = self._epoch
        for pause in (*SYN_RETRIES, SILENT_SECONDS):
            route = self._routing.route(*place, source)
            if route.fate is not Fate.SILENCE:
                return route if route.fate is Fate.ANSWER else None
            if not sockets.keep_silent(client, pause, while_true=lambda: self._epoch == epoch) or self._epoch != epoch:
                return None
        return None

    def _converse(self, client: socket.socket, place: tuple[str, int], route: Route, epoch: int) -> Fate:
        vserver = route.vserver
        assert vserver is not None
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if vserver.protocol in TLS_PROTOCOLS:
            client.settimeout(HANDSHAKE_SECONDS)
            client = self._tls(place[0]).wrap_socket(client, server_side=True)
        backend = self._connect(vserver)
        if backend is None:
            return self._without_backend(client, vserver)

        def fate() -> Fate:
            return self._routing.onward(*place, route) if self._epoch == epoch else Fate.REFUSED

        try:
            found = pump(client, backend, fate)
        finally:
            backend.close()
        if isinstance(client, ssl.SSLSocket):
            return self._end_tls(client, found)
        return found

    def _end_tls(self, client: ssl.SSLSocket, fate: Fate) -> Fate:
        """End a TLS connection here, where it is known: the plain socket lost its descriptor when it was wrapped."""
        if fate is Fate.SILENCE:
            sockets.keep_silent(client, SILENT_SECONDS)
        if fate is not Fate.ANSWER:
            sockets.reset(client)
            return Fate.ANSWER
        with contextlib.suppress(OSError):
            client.settimeout(1.0)
            client.unwrap()
        client.close()
        return fate

    def _connect(self, vserver: Vserver) -> socket.socket | None:
        """A connection to the next back end in turn that takes one."""
        count = len(vserver.backends)
        with self._lock:
            turn = next(self._turns.setdefault((vserver.instance_id, vserver.name), itertools.count()))
        for offset in range(count):
            address = vserver.backends[(turn + offset) % count]
            with contextlib.suppress(OSError):
                backend = socket.create_connection(address, timeout=BACKEND_SECONDS)
                backend.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return backend
        return None

    def answers(self, address: str, port: int) -> bool:
        """Whether a connection there would be served; for monitors and health checks.

        Not by connecting to this very data plane: it accepts in order to be silent.
        """
        known = self._routing.answers(address, port)
        if known is not None:
            return known
        try:
            socket.create_connection((address, port), timeout=BACKEND_SECONDS).close()
        except OSError:
            return False
        return True

    @staticmethod
    def _without_backend(client: socket.socket, vserver: Vserver) -> Fate:
        if vserver.protocol not in ("HTTP", "SSL"):
            return Fate.REFUSED
        client.settimeout(HANDSHAKE_SECONDS)
        client.recv(65536)
        client.sendall(UNAVAILABLE)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)
        client.close()
        return Fate.ANSWER
