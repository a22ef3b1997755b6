"""Which part of 127.0.0.0/8 a lab lives in, so that several can live on one machine."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from tests.lab.settings import LabError

CANDIDATES = tuple(f"127.{second}" for second in range(10, 252, 2))


class Slice:
    """Two neighbouring /16s held by this process: ``network`` (private) and ``public_network``."""

    def __init__(self, network: str, lock: socket.socket) -> None:
        self.network = network
        self.public_network = f"127.{int(network.split('.')[1]) + 1}"
        self._lock = lock

    def release(self) -> None:
        self._lock.close()


def claim(desired: str | None) -> Slice:
    """The slice asked for, or the first free one; LabError if it is taken.

    The lock is a name in the abstract socket namespace: it belongs to the same network namespace as the loopback
    addresses it guards, and the kernel lets go of it when the process ends, however it ends.
    """
    candidates: Iterable[str] = (desired,) if desired else CANDIDATES
    for network in candidates:
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lock.bind(f"\0cloudadc-lab-{network}")
        except OSError as error:
            lock.close()
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"the lab cannot claim {network}.0.0/15: {error}") from error
            continue
        return Slice(network, lock)
    if desired:
        raise LabError(f"another lab lives in {desired}.0.0/15; leave LAB_NETWORK out, or choose another even number")
    raise LabError("every slice of 127.0.0.0/8 that a lab may live in is taken by another lab")
