# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The claim of a run on a scaling event: renewed while modules wait, checked before what cannot be taken back.

The claim (at most 300 s, on the event) and the lease (on the record, for the length of one write) are two things.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..aws.repeated import event_before, is_repeated
from ..core.errors import Failure, Refusal
from ..core.waiting import Clock
from ..scaling.engine import CLAIM_SECONDS
from ..scaling.group_state import Record
from ..scaling.ownership import held, renewed
from ..spec.errors import OvertakenError
from ..stores.base import LeaseLost, LeaseRefused, Store
from ..stores.options import StoreOptions, default_owner, open_store, store_argument_spec
from .session import carry_out, loaded, patiently

#: Seconds for which a renewal waits for the lease; a tick of other runs holds it while it reads the nodes.
TIMEOUTS = 10.0
#: Seconds for which a renewal holds the lease, if its process dies.
HELD_SECONDS = 30.0
#: How often a waiting module renews its claim, in seconds: four times within the longest claim.
EVERY = 60.0


def renew_claim(
    store: Store,
    group: str,
    zone: str,
    event_id: str,
    takeover: int,
    owner: str = "",
    now: float | None = None,
    *,
    timeouts: float = TIMEOUTS,
) -> Record:
    """Renew the claim on an event for another 300 s, and return the record. Two calls of a store.

    A renewal that cannot have the lease in time renews nothing, as long as the event is still this run's.

    Args:
        store: The store of this group and zone.
        group: Name of the group.
        zone: The zone.
        event_id: The event.
        takeover: Its takeover number, as the decision named it.
        owner: The run that renews; empty: whichever has this number.
        now: Seconds since the epoch; None: the current time.
        timeouts: Seconds to wait for the lease.

    Raises:
        OvertakenError: The event is closed, or another run has taken it over.
        StoreError: The store cannot be used.
    """
    if (store.key.group, store.key.zone) != (group, zone):
        raise Refusal(f"the store holds the state of {store.key}, not of {group} {zone}")
    instant = time.time() if now is None else now

    def plan(record: Record) -> tuple[Record, None]:
        return renewed(record, event_id, takeover, owner, instant, CLAIM_SECONDS), None

    try:
        _before, after, _nothing = patiently(
            lambda: carry_out(store, plan, f"claim {default_owner()}", HELD_SECONDS, own_time=True), timeouts
        )
    except (LeaseRefused, LeaseLost):
        return check_claim(store, event_id, takeover, owner)
    return after


def check_claim(store: Store, event_id: str, takeover: int, owner: str = "") -> Record:
    """Return the record if this run still owns the event; raises OvertakenError if not. One read, no write."""
    record = loaded(store.read(), store)
    held(record, event_id, takeover, owner)
    return record


def event_argument_spec() -> dict[str, Any]:
    """Return the option ``event`` of modules that wait, or do what cannot be taken back, for a scaling event."""
    store = store_argument_spec()
    return {
        "type": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "takeover": {"type": "int", "required": True},
            "group": {"type": "str"},
            "zone": {"type": "str"},
            "owner": {"type": "str", "default": ""},
            "region": {"type": "str"},
            "store": store,
        },
    }


@dataclass(slots=True)
class Claim:
    """The claim of this run on one event.

    ``observation`` is made for wait loops: renewed at most every 60 s. ``check`` is for the moment before a write that
    cannot be taken back; ``confirm`` does the same where the last answer of the store is older than a minute, as after
    a pause of the whole process. All raise OvertakenError when the event is not this run's any more.
    """

    store: Store
    event_id: str
    takeover: int
    owner: str = ""
    clock: Clock = time.monotonic
    _due: float = field(default=0.0)
    _confirmed: float = field(default=float("-inf"))
    _overtaken: OvertakenError | None = field(default=None)

    def renew(self) -> None:
        """Renew now."""
        asked = self.clock()
        try:
            renew_claim(self.store, self.store.key.group, self.store.key.zone, self.event_id, self.takeover, self.owner)
        except OvertakenError as error:
            self._overtaken = error
            raise
        self._confirmed, self._due = asked, self.clock() + EVERY

    def observation(self) -> None:
        """Renew if it is due."""
        if self.clock() >= self._due:
            self.renew()

    def check(self) -> None:
        """Raise OvertakenError unless the event is still this run's."""
        asked = self.clock()
        check_claim(self.store, self.event_id, self.takeover, self.owner)
        self._confirmed = asked

    def confirm(self, *, again: bool = False) -> None:
        """Check, unless the store has confirmed the claim within the time between two renewals.

        ``again``: the write is repeated because no answer came, so that what was confirmed before it is too old.
        """
        if self._overtaken is not None:
            raise self._overtaken
        if again or self.clock() - self._confirmed > EVERY + TIMEOUTS:
            self.check()


def guarded(client: Any, claim: Claim | None, operations: Iterable[str]) -> Any:
    """Let each of these operations of a client ask right before it is sent whether the event is still this run's.

    A process that was stopped for minutes between its last look and the write continues with the write, and the SDK
    repeats a write that is not answered. Returns the client. The operation then raises OvertakenError and is not sent.
    """
    if claim is not None:
        for operation in operations:
            client.meta.events.register(
                event_before(client, operation), lambda request, **_more: claim.confirm(again=is_repeated(request))
            )
    return client


def claim_of(module: Any, **client_options: Any) -> Claim | None:
    """Return the claim that the module's option ``event`` names; None without one.

    Group and zone are those of the option, else those of the module. Raises Refusal where neither names them.

    ``client_options``: for the client of DynamoDB, of modules whose ``validate_certs`` is about appliances.
    """
    event: Mapping[str, Any] | None = module.params.get("event")
    if event is None:
        return None
    where = [event.get(name) or module.params.get(name) for name in ("group", "zone")]
    if not all(where):
        raise Refusal(f"event {event['id']}: event.group and event.zone must name the group and zone of the event")
    client = getattr(module, "client", None) or functools.partial(client_of, event.get("region"))
    options = StoreOptions({"store": event["store"]}, client, module.check_mode)
    store = open_store(options, *where, **client_options)
    return Claim(store, event["id"], event["takeover"], event.get("owner") or "")


def client_of(region: str | None, service: str, **options: Any) -> Any:
    """Return a client of AWS for a module that is about appliances and has no options for AWS: by the environment."""
    import boto3  # only here: most modules that are about appliances never need it

    return boto3.session.Session(region_name=region).client(service, **options)


@contextmanager
def claimed(module: Any, **client_options: Any) -> Iterator[Claim | None]:
    """Renew the claim that the option ``event`` names now, and once a minute until the body ends.

    Yields it (None: the option is not given, or check mode), for writes that cannot be taken back. Ends the module
    with a message if the event is closed or another run has taken it over. A renewal that fails later is tried again;
    if the event was overtaken meanwhile, this run's report of it is refused.
    """
    claim = None
    try:
        if not module.check_mode:
            claim = claim_of(module, **client_options)
        if claim:
            claim.renew()
    except Failure as error:
        module.fail_json(msg=str(error))
    ended = threading.Event()
    if claim:
        threading.Thread(target=_keep, args=(claim, ended), daemon=True).start()
    try:
        yield claim
    finally:
        ended.set()


def _keep(claim: Claim, ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        try:
            claim.renew()
        except OvertakenError:
            return
        except Failure:
            continue
