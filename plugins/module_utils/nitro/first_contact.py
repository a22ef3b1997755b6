# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The certificate of an appliance at the first contact: read it, remember it, and only then log in.

Trust on first use: the first answer is believed. What is remembered is compared at every later connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from ..core.nitro_errors import NitroError, NitroGarbled, NitroPinMismatch, NitroUnreachable
from .arrival import ASK_AFTER, ASK_AGAIN, InstanceReport
from .client import Connection, NitroClient
from .waiting import wait_until

#: A fingerprint that no certificate has: a connection with it ends with the one that there is, and sends nothing.
_NONE = "00:" * 31 + "00"
_TRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Where the fingerprint of one appliance is remembered."""

    read: Callable[[], str | None]
    write: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Contact:
    """The fingerprint that an appliance is held to. ``pinned``: whether it was remembered now, or would be.

    ``also``: others that it may have, such as that of its peer.
    """

    fingerprint: str | None
    pinned: bool = False
    also: tuple[str, ...] = ()

    @property
    def accepted(self) -> tuple[str, ...]:
        """All fingerprints that it may have."""
        return (self.fingerprint, *self.also) if self.fingerprint else ()


def observed_fingerprint(connection: Connection) -> str:
    """Return the fingerprint of the certificate that an appliance has now. Nothing is sent to it.

    Raises:
        NitroError: There is no connection.
    """
    client = NitroClient(replace(connection, fingerprints=(_NONE,), token=None))
    try:
        client.attempt(_TRY_SECONDS)
    except NitroPinMismatch as error:
        return error.found
    finally:
        client.close()
    raise NitroGarbled(f"{connection.nsip}: the connection has no certificate to pin")


def answers(connection: Connection, fingerprint: str) -> bool:
    """Whether NITRO answers under this certificate; an appliance that boots may still make its own."""
    client = NitroClient(replace(connection, fingerprints=(fingerprint,), token=None))
    try:
        client.attempt(_TRY_SECONDS)
    except NitroUnreachable:
        return False
    finally:
        client.close()
    return True


def hold(
    connection: Connection,
    memory: Memory,
    accepted: Collection[str],
    timeout: float,
    *,
    check: bool = False,
    instance: Callable[[], InstanceReport | None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Contact:
    """Return the fingerprint that an appliance is held to from now on.

    A known one is kept, unless the appliance has another one that the user accepts. Without a known one that of the
    first answer is remembered. ``timeout``: seconds for the first answer. ``instance``: what EC2 says of the machine.

    Raises:
        NitroPinMismatch: The certificate is neither the known one nor an accepted one; nothing was sent.
        NitroError: It did not answer in time, or the fingerprint cannot be remembered.
    """
    known = memory.read()
    if known is not None:
        return _known(connection, known, memory, accepted, check=check)
    found = _looked_at(connection) if check else _first(connection, timeout, instance, clock, sleep)
    if found is None:
        return Contact(None)
    if not check:
        memory.write(found)
    return Contact(found, pinned=True)


def _known(connection: Connection, known: str, memory: Memory, accepted: Collection[str], *, check: bool) -> Contact:
    if not accepted or known in accepted:
        return Contact(known)
    found = _looked_at(connection)
    if found is None or found == known or found not in accepted:
        return Contact(known)
    if not check:
        memory.write(found)
    return Contact(found, pinned=True)


def _looked_at(connection: Connection) -> str | None:
    """Return the fingerprint of an appliance that answers; None for one that does not."""
    try:
        return observed_fingerprint(connection)
    except NitroUnreachable:
        return None


def _first(
    connection: Connection,
    timeout: float,
    instance: Callable[[], InstanceReport | None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> str:
    last, ask_at = [f"{connection.nsip}: nothing was tried"], [clock() + ASK_AFTER]

    def attempt() -> str | None:
        found = _answering(connection, last)
        if found is None and clock() >= ask_at[0]:
            ask_at[0] = clock() + ASK_AGAIN
            report = instance()
            if report and report.is_gone:
                raise NitroError(f"{report.text}: waiting for {connection.nsip} does not help; {last[0]}")
        return found

    return wait_until(
        attempt,
        timeout,
        lambda: f"there was no first contact, to pin the certificate: {last[0]}",
        state=lambda: last[0],
        clock=clock,
        sleep=sleep,
    )


def _answering(connection: Connection, last: list[str]) -> str | None:
    """Return the fingerprint of an appliance whose NITRO is up, else None; ``last`` takes what it met."""
    try:
        found = observed_fingerprint(connection)
        if answers(connection, found):
            return found
        last[0] = f"{connection.nsip}: NITRO is not up"
    except (NitroUnreachable, NitroGarbled) as error:
        last[0] = str(error)
    except NitroError as error:
        if error.http_status not in {500, 502, 504}:
            raise
        last[0] = str(error)
    return None
