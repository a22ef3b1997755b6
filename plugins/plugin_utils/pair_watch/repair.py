# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Put the Elastic IPs of a watched pair on its primary, in this process. Blocks; made for a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.aws.client import Client
from ...module_utils.core.errors import Failure
from ...module_utils.core.waiting import Clock
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.logins import LoginGate
from ...module_utils.reconcile.pair_associations import tagged
from ...module_utils.reconcile.pair_evidence import Silence
from ...module_utils.reconcile.pair_move import MoveRequest, put_on_primary
from ...module_utils.reconcile.pins import pins_of
from ...module_utils.stores.base import Lease, LeaseLost, LeaseRefused, Store, StoreError
from ...module_utils.stores.options import StoreOptions, default_owner, open_store
from .settings import Settings, present

_LOG = logging.getLogger("cloudadc.aws.ha_watch")
#: Seconds for which one watcher keeps the others from repairing; then they look whether there still is something to do.
LEASE_SECONDS = 3.0
#: Seconds for exactly one primary. The watcher has waited for the dead interval already, and tries again later.
SETTLE_SECONDS = 5.0
#: Seconds until AWS must show an address where it was put.
VERIFY_SECONDS = 10.0
ZONE = "ha_watch"


class Waiting(Failure):
    """Another watcher of the pair repairs it. ``seconds``: until its lease ends, at most."""

    def __init__(self, message: str, seconds: float = LEASE_SECONDS) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(slots=True)
class Repairer:
    """Repairs one pair, with a client of EC2 and gates for logins that last as long as the watcher."""

    settings: Settings
    owner: str = field(default_factory=default_owner)
    clock: Clock = time.time
    _client: Client | None = None
    _store: Store | None = None
    _gates: dict[str, LoginGate] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the client before clients of the pair wait for it."""
        if self._client is None:
            self._client = self.settings.aws.ec2(attempts=1)

    def run(self, silences: Mapping[str, Silence]) -> dict[str, Any]:
        """Return the result of ``put_on_primary``. ``silences``: of nodes that do not answer the watcher, by NSIP.

        Raises:
            Waiting: Another watcher repairs.
            Failure: It cannot be decided, or a call was refused; a part may have been moved.
        """
        done = False
        try:
            self.prepare()
            with self._alone():
                result, trouble = put_on_primary(self._client, self._request(silences), self._connect)
            if trouble:
                raise Failure(trouble)
            done = True
        finally:
            if not done:
                self.close()  # the next client finds rotated credentials
        return result

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
        self._client, self._store = None, None

    def _request(self, silences: Mapping[str, Silence]) -> MoveRequest:
        settings = self.settings
        return MoveRequest(
            group=settings.group,
            elastic_ips=settings.elastic_ips or None,
            nitro_port=settings.nitro_port,
            probe_timeout=settings.nitro.timeout,
            settle_timeout=SETTLE_SECONDS,
            verify_timeout=VERIFY_SECONDS,
            silences=silences,
            learn=lambda nodes: settings.pins.learn(pins_of(tagged(nodes))),
        )

    def _connect(self, endpoint: str) -> NitroClient:
        gate = self._gates.setdefault(endpoint, LoginGate())
        return NitroClient(present(self.settings, endpoint), sleep=_at_once, gate=gate)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other watchers from repairing at the same time. A store that cannot be used keeps none from repairing.

        Two watchers move an address to one place, so without a store the second call changes nothing.
        """
        lease = self._lease()
        try:
            yield
        finally:
            if lease and self._store:
                _quietly(lambda: self._store.undo(lease) if self._store else None)

    def _lease(self) -> Lease | None:
        if self.settings.store is None:
            return None
        try:
            self._store = self._store or open_store(
                StoreOptions({"store": self.settings.store}, self.settings.aws.client),
                self.settings.group,
                ZONE,
                may_create=True,
            )
            return self._store.acquire(self.owner, LEASE_SECONDS)
        except (LeaseRefused, LeaseLost) as error:
            raise Waiting(str(error)) from None
        except StoreError as error:
            _LOG.warning("%s: %s; the pair is repaired without its lease", self.settings.group, error)
            return None


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except StoreError as error:
        _LOG.warning("%s", error)


def _at_once(_seconds: float) -> None:
    """Return the pause of a client that is asked again soon anyway."""
