"""Sessions of one appliance: idle timeout on the lab's clock, a limit a user, list and kill (vendor NITRO docs
12.1).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .errors import NitroFault

DEFAULT_TIMEOUT = 900.0


@dataclass(slots=True)
class Session:
    token: str
    sid: int
    username: str
    timeout: float
    began: float
    last_used: float

    def expires(self) -> float:
        return self.last_used + self.timeout


class Sessions:
    """Those alive now. A token that is unknown here is refused with 444: expired, killed, or from before a reboot."""

    def __init__(self) -> None:
        self._alive: dict[str, Session] = {}
        self._next_sid = 1

    def open(self, username: str, now: float, timeout: float, limit: int) -> Session:
        """A new session; 445 when the user has ``limit`` of them already."""
        self.require_room(username, now, limit)
        session = Session("##" + secrets.token_hex(32).upper(), self._next_sid, username, timeout, now, now)
        self._next_sid += 1
        self._alive[session.token] = session
        return session

    def require_room(self, username: str, now: float, limit: int) -> None:
        if sum(session.username == username for session in self.list(now)) >= limit:
            raise NitroFault(445)

    def use(self, token: str, now: float) -> Session:
        session = self._alive.get(token)
        if session is None or now > session.expires():
            self._alive.pop(token, None)
            raise NitroFault(444)
        session.last_used = now
        return session

    def close(self, token: str) -> None:
        self._alive.pop(token, None)

    def list(self, now: float) -> list[Session]:
        self._alive = {token: session for token, session in self._alive.items() if now <= session.expires()}
        return list(self._alive.values())

    def kill(self, sid: int) -> bool:
        for token, session in self._alive.items():
            if session.sid == sid:
                del self._alive[token]
                return True
        return False

    def clear(self, but: str = "") -> None:
        self._alive = {token: session for token, session in self._alive.items() if token == but}
