# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Asking one appliance what it is, again and again, within one session. Blocks; made for a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...module_utils.core.nitro_errors import NitroError, NitroUnreachable
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.ha import View
from ...module_utils.reconcile.pair_claims import Claim
from ...module_utils.reconcile.pair_probe import read_served

Connect = Callable[[str], NitroClient]

# Seconds for which it is believed where virtual servers answer: three reads that are needed in a dispute only.
_SERVED_FOR = 10.0


@dataclass(slots=True)
class Asker:
    """One node's session. It outlives silences: an appliance that reboots refuses it, and then there is a new login."""

    connect: Connect
    _endpoint: str = ""
    _client: NitroClient | None = None
    _served: tuple[str, ...] = ()
    _served_at: float = field(default=float("-inf"))

    def ask(self, name: str, nsip: str, endpoint: str, disputed: bool) -> Claim:
        """What the node claims now. ``disputed``: another one says Primary too, so what it serves matters."""
        try:
            client = self._at(endpoint)
            view = View.from_rows(client.get("hanode"))
            claim = Claim(name, nsip, True, view)
            if not (claim.says_primary and (disputed or claim.stands_alone)):
                return claim
            served, trouble = self._serving(client)
            return Claim(name, nsip, True, view, served, trouble)
        except NitroError as error:
            return Claim(name, nsip, not isinstance(error, NitroUnreachable), error=str(error))

    def close(self) -> None:
        """Log out."""
        if self._client:
            self._client.close()

    def _at(self, endpoint: str) -> NitroClient:
        if self._client is None or endpoint != self._endpoint:
            self.close()
            self._client, self._endpoint, self._served_at = self.connect(endpoint), endpoint, float("-inf")
        return self._client

    def _serving(self, client: NitroClient) -> tuple[tuple[str, ...], str | None]:
        if time.monotonic() - self._served_at < _SERVED_FOR:
            return self._served, None
        self._served, trouble = read_served(client)
        if trouble is None:
            self._served_at = time.monotonic()
        return self._served, trouble
