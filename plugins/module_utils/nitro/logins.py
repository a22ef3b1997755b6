# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When a long-lived process may log in to an appliance again.

A login whose answer is late has opened a session without a known id, which ends only by its idle timeout. An appliance
has 20 sessions for each user, so a caller that retries every second locks out all clients (vendor NITRO reference,
systemuser ``maxsession``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.nitro_errors import (
    BAD_CREDENTIALS,
    TOO_MANY_SESSIONS,
    NitroCut,
    NitroError,
    NitroLoginHeld,
    NitroNotReady,
    NitroUnreachable,
)
from ..core.nitro_transport import BrokenTls

#: Idle seconds after which a session ends. Less is refused by appliances with restricted time-outs (vendor NITRO
#: reference, systemuser ``timeout``).
IDLE_SECONDS = 300
#: Seconds for the answer to a login: far longer than any other, because giving up leaves a session behind.
LOGIN_SECONDS = 60.0
_UNANSWERED = 2
_FIRST, _LONGEST = 1.0, 60.0
# A refused password may lock the account, a full appliance needs its rest.
_AT_LEAST = {**dict.fromkeys(BAD_CREDENTIALS, 10.0), **dict.fromkeys(TOO_MANY_SESSIONS, _LONGEST)}


@dataclass(slots=True, weakref_slot=True)
class LoginGate:
    """Holds logins to one appliance back: 1 to 60 seconds after a failure, and two unanswered ones in one idle time."""

    idle_seconds: float = IDLE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _not_before: float = float("-inf")
    _why: str = ""
    _unanswered: list[float] = field(default_factory=list)

    def wait(self) -> float:
        """Return the seconds until a login may be sent; 0: now."""
        now = self.clock()
        recent = [at for at in self._unanswered if now - at < self.idle_seconds]
        crowded = recent[-_UNANSWERED] + self.idle_seconds if len(recent) >= _UNANSWERED else now
        return max(0.0, self._not_before - now, crowded - now)

    def require(self, name: str) -> None:
        """Raise NitroLoginHeld while no login may be sent. ``name``: the appliance in messages."""
        seconds = self.wait()
        if seconds > 0:
            raise NitroLoginHeld(f"{name}: no login for another {seconds:.0f} s after: {self._why}")

    def accepted(self) -> None:
        self._failures, self._not_before, self._why = 0, float("-inf"), ""
        self._unanswered.clear()

    def failed(self, error: NitroError) -> None:
        """Take note of a login that failed. One that never reached the appliance holds no other back."""
        now = self.clock()
        if isinstance(error, NitroNotReady):
            self.accepted()  # it boots: the sessions of its former life are gone
        elif isinstance(error, BrokenTls) or (isinstance(error, NitroUnreachable) and not isinstance(error, NitroCut)):
            return
        elif isinstance(error, NitroCut):
            self._unanswered = [at for at in self._unanswered if now - at < self.idle_seconds] + [now]
        pause = min(_LONGEST, _FIRST * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._why = str(error)
        self._not_before = now + max(pause, _AT_LEAST.get(error.code, 0.0))
