# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether clients reach the Elastic IPs of a pair: TCP connections, as a second witness against a silent node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...module_utils.reconcile.pair_evidence import TCP_MEMORY


@dataclass(frozen=True, slots=True)
class Contact:
    """One address and port. Seconds of a monotonic clock: of the last answer, and since when there is none."""

    address: str
    port: int
    answered_at: float | None = None
    dark_since: float | None = None

    def noted(self, answers: bool, began: float, now: float) -> Contact:
        """Return the contact after one more try, which began at ``began``."""
        if answers:
            return replace(self, answered_at=now, dark_since=None)
        return replace(self, dark_since=began if self.dark_since is None else self.dark_since)


async def answers(address: str, port: int, timeout: float) -> bool:
    """Return whether an address accepts a connection, or refuses it, which a machine without power does not."""
    try:
        _reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), timeout)
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def dark(contacts: Iterable[Contact], now: float, needed: float) -> str | None:
    """Return, as a message, that clients reach none of these any more; None: they do, or it is not known. Pure.

    An address counts only where it did answer within the last minute: else it may never have been reachable from here.

    Args:
        contacts: Those at one node.
        now: Seconds of the clock of the contacts.
        needed: For how many seconds there must have been no answer.
    """
    known = [one for one in contacts if one.answered_at is not None and now - one.answered_at <= TCP_MEMORY]
    since = [one.dark_since for one in known]
    if not known or any(at is None or now - at < needed for at in since):
        return None
    addresses = ", ".join(
        f"{one.address}:{one.port} (last answer {now - (one.answered_at or now):.1f} s ago)" for one in known
    )
    return f"no TCP answer at {addresses}"
