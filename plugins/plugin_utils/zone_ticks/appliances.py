# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The load of many appliances, over one kept session each.

An appliance has a limited number of sessions for a user, and the operator needs one of them. So an appliance is never
queried by two threads at once, and its session is kept from tick to tick: an idle tick is one GET a node. What is late
counts as silence for this tick; its answer is dropped, and the appliance is queried again when it has come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...module_utils.core.errors import Failure
from ...module_utils.core.fingerprints import host_of
from ...module_utils.core.nitro_errors import (
    BAD_CREDENTIALS,
    NitroAuthError,
    NitroError,
    NitroLoginHeld,
    NitroUnreachable,
    NitroUntrusted,
)
from ...module_utils.reconcile.licence_state import licence_problems
from ...module_utils.spec.figures import Figures, Reading, reading_of
from ...module_utils.spec.metrics import RESOURCES

#: How many appliances are queried at once.
WORKERS = 128
_REFUSALS = (NitroAuthError, NitroLoginHeld, NitroUntrusted)


class Session(Protocol):
    """What is needed of a NITRO client."""

    def stat(self, resource: str) -> list[dict[str, Any]]: ...

    def get(self, resource: str) -> list[dict[str, Any]]: ...

    def close(self) -> object: ...


@dataclass(slots=True)
class _Appliance:
    """One appliance. ``answer``: the query that is on its way; ``used``: when it was last queried (monotonic).

    ``refused``: it has refused the password, or its certificate is not trusted, so the next query takes the password
    and the pinned certificate that are valid then.
    """

    nsip: str
    session: Session
    answer: Future[Reading] | None = None
    used: float = 0.0
    refused: bool = False


@dataclass(slots=True)
class Appliances:
    """All appliances of a process, by address. ``timeout``: seconds for the load of one; ``keep``: idle seconds after
    which an appliance that no zone names any more is logged out of."""

    connect: Callable[[str], Session]
    timeout: float
    keep: float
    workers: Executor
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, _Appliance] = field(default_factory=dict)
    _logouts: list[Future[None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def collect(self, nsips: Sequence[str]) -> list[Reading]:
        """Return one reading an appliance, in the order given; blocks for ``timeout`` at most."""
        asked = list(dict.fromkeys(nsips))
        begun = {nsip: self._begin(nsip) for nsip in asked}
        wait([answer for answer in begun.values() if answer is not None], timeout=self.timeout)
        return [self._reading(nsip, begun[nsip]) for nsip in asked]

    def licences(self, nsips: Sequence[str]) -> dict[str, list[str]]:
        """Return the licence problems of appliances that :meth:`collect` has just read, by address.

        One that does not answer within ``timeout`` is left out.
        """
        with self._lock:
            asked = {nsip: self._known[nsip] for nsip in nsips if nsip in self._known and _idle(self._known[nsip])}
            begun = {nsip: self.workers.submit(_licences, appliance) for nsip, appliance in asked.items()}
        wait(begun.values(), timeout=self.timeout)
        return {nsip: answer.result() for nsip, answer in begun.items() if answer.done()}

    def _begin(self, nsip: str) -> Future[Reading] | None:
        """Return the answer that is to come; None where an earlier one has not come yet."""
        with self._lock:
            known = self._known.get(nsip)
            if known is None:
                known = self._known[nsip] = _Appliance(nsip, self.connect(nsip))
            if known.answer is not None and not known.answer.done():
                return None
            if known.refused:
                known.session, known.refused = self.connect(nsip), False
            known.used = self.clock()
            known.answer = self.workers.submit(_query, known)
            return known.answer

    def _reading(self, nsip: str, answer: Future[Reading] | None) -> Reading:
        if answer is None:
            return Reading(nsip, False, Figures(), f"{nsip}: no answer since an earlier tick")
        if not answer.done():
            return Reading(nsip, False, Figures(), f"{nsip}: no complete answer within {self.timeout:g} s")
        return answer.result()

    def forget_unused(self) -> None:
        """Log out of appliances that no tick has named for ``keep`` seconds."""
        with self._lock:
            old = [each for each in self._known.values() if self.clock() - each.used > self.keep and _idle(each)]
            for each in old:
                del self._known[each.nsip]
            pending = [logout for logout in self._logouts if not logout.done()]
            self._logouts = pending + [self.workers.submit(_close, each) for each in old]

    def close(self, timeout: float = 15.0) -> None:
        """Log out everywhere, side by side; what takes longer than ``timeout`` seconds ends with its idle time."""
        with self._lock:
            known, self._known = list(self._known.values()), {}
            logouts, self._logouts = self._logouts, []
        with suppress(RuntimeError):  # the workers may be shut down already
            logouts += [self.workers.submit(_close, each) for each in known if _idle(each)]
        wait(logouts, timeout=timeout)


def _idle(appliance: _Appliance) -> bool:
    return appliance.answer is None or appliance.answer.done()


def _close(appliance: _Appliance) -> None:
    appliance.session.close()


def _licences(appliance: _Appliance) -> list[str]:
    """Return the licence problems of one appliance; none for one that does not say. Never raises."""
    try:
        return licence_problems(host_of(appliance.nsip), appliance.session.get("nslicenseserver"))
    except Failure:
        return []
    except Exception:  # noqa: BLE001 – the boundary where an answer without sense is no knowledge about a licence
        return []


def _query(appliance: _Appliance) -> Reading:
    """Return the load of one appliance, or why it is unknown. Never raises: an answer may have any shape."""
    nsip = appliance.nsip
    try:
        return reading_of(nsip, {name: appliance.session.stat(name) for name in RESOURCES})
    except NitroError as error:
        refused = isinstance(error, _REFUSALS) or error.code in BAD_CREDENTIALS
        if error.code in BAD_CREDENTIALS or isinstance(error, NitroUntrusted):
            appliance.session.close()
            appliance.refused = True
        return Reading(nsip, not isinstance(error, NitroUnreachable), Figures(), str(error), refused=refused)
    except Failure as error:
        return Reading(nsip, False, Figures(), str(error))
    except Exception as error:  # noqa: BLE001 – the boundary where an answer without sense becomes a message
        message = " ".join(str(error).split())[:200]
        return Reading(nsip, True, Figures(), f"{nsip}: the answer made no sense ({type(error).__name__}: {message})")
