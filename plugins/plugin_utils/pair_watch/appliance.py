# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Ask one appliance what it is, again and again, within one session. Blocks; made for a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...module_utils.core.nitro_errors import (
    BAD_CREDENTIALS,
    NitroError,
    NitroGarbled,
    NitroLoginHeld,
    NitroUnreachable,
    NitroUntrusted,
)
from ...module_utils.core.parallel import attempt
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.ha import ObservedHa
from ...module_utils.nitro.logins import LoginGate
from ...module_utils.reconcile.pair_claims import Claim
from ...module_utils.reconcile.pair_probe import read_served

#: Makes a client for an endpoint, with the password as it is now, whose logins the gate holds back.
Connect = Callable[[str, LoginGate], NitroClient]

# Seconds for which it is believed where virtual servers answer: four reads that are needed in a dispute only.
_SERVED_FOR = 10.0


@dataclass(slots=True)
class Asker:
    """One node's session. It outlives silences, and every answer: what makes no sense counts as none.

    An appliance that reboots refuses the session, and then there is a new login, as soon as the gate allows it.
    """

    connect: Connect
    timeout: float = 1.0
    _endpoint: str = ""
    _client: NitroClient | None = None
    _gate: LoginGate = field(default_factory=LoginGate)
    _served: tuple[str, ...] = ()
    _served_at: float = field(default=float("-inf"))

    def ask(self, name: str, nsip: str, endpoint: str, disputed: bool) -> Claim:
        """Read the node's present claim. ``disputed``: another node says Primary too, so its virtual servers matter."""
        answer = attempt(lambda: self._ask(name, nsip, endpoint, disputed))
        if isinstance(answer, Claim):
            return answer
        silent = isinstance(answer, NitroUnreachable | NitroGarbled) or not isinstance(answer, NitroError)
        untrusted = isinstance(answer, NitroUntrusted)
        if untrusted or (isinstance(answer, NitroError) and answer.code in BAD_CREDENTIALS):
            self.close()  # the next client has the password and the pinned certificate as they are then
        return Claim(name, nsip, not silent, error=str(answer))

    def _ask(self, name: str, nsip: str, endpoint: str, disputed: bool) -> Claim:
        client = self._at(endpoint)
        try:
            view = ObservedHa.from_rows(client.get("hanode"))
        except NitroLoginHeld:
            client.attempt(self.timeout)
            raise
        claim = Claim(name, nsip, True, view)
        if not (claim.says_primary and (disputed or claim.stands_alone)):
            return claim
        served, trouble = self._serving(client)
        return Claim(name, nsip, True, view, served, trouble)

    def close(self) -> None:
        """Log out."""
        if self._client:
            self._client.close()
        self._client = None

    def _at(self, endpoint: str) -> NitroClient:
        if self._client is None or endpoint != self._endpoint:
            self.close()
            if endpoint != self._endpoint:
                self._gate = LoginGate()
            self._endpoint, self._served_at = endpoint, float("-inf")
            self._client = self.connect(endpoint, self._gate)
        return self._client

    def _serving(self, client: NitroClient) -> tuple[tuple[str, ...] | None, str | None]:
        if time.monotonic() - self._served_at < _SERVED_FOR:
            return self._served, None
        served, trouble = read_served(client)
        if trouble is not None:
            return None, trouble
        self._served, self._served_at = served, time.monotonic()
        return served, None
