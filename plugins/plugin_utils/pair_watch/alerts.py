# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keep the events of a watched pair in its store, and publish them, in a thread that nothing waits for."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.core.errors import Failure
from ...module_utils.core.parallel import attempt
from ...module_utils.reconcile.alerting import send
from ...module_utils.reconcile.status_reading import EVENTS_OF_PAIRS
from ...module_utils.spec.alerts import Alert
from ...module_utils.spec.identity import PAIR
from ...module_utils.stores.kept import HOUR, LONGEST_HOURS, Series
from ...module_utils.stores.options import StoreOptions, open_store
from ..worker import Worker
from .settings import Settings

_LOG = logging.getLogger("cloudadc.aws.ha_watch")
#: Events that say nothing of the pair.
_NO_ALERT = frozenset({"watching"})
#: Conditions that are reported again while they last; an alert of them comes once an hour.
_LASTING = frozenset({"login_refused"})


def alert_of(event: Mapping[str, Any], group: str, at: float) -> Alert | None:
    """Return the alert for an event of ha_watch; None for one that needs no alert. Pure."""
    kind = str(event["type"])
    if kind in _NO_ALERT:
        return None
    node = event.get("node") or {}
    detail = {key: event[key] for key in ("node", "primary", "elastic_ips", "duration_ms", "reason") if event.get(key)}
    subject = str(node.get("node_id", ""))
    return Alert(kind, PAIR, group, summary_of(event), at, lasting=kind in _LASTING, subject=subject, detail=detail)


def summary_of(event: Mapping[str, Any]) -> str:
    """Return an event of ha_watch as one line. Pure."""
    addresses = ", ".join(str(each.get("elastic_ip")) for each in event.get("elastic_ips") or ())
    node = event.get("node") or {}
    parts = {
        "node_lost": f"node {node.get('node_id')} does not answer ({event.get('reason')}); {event['verdict']}",
        "node_returned": f"node {node.get('node_id')} answers again; {event['verdict']}",
        "login_refused": f"node {node.get('node_id')} refuses the login: {event.get('reason')}",
        "eip_astray": f"Elastic IPs not on the primary: {addresses}; {event['verdict']}",
        "eip_settled": f"Elastic IPs on the primary again: {addresses}",
        "repaired": f"moved to the primary within {event.get('duration_ms')} ms: {addresses}",
        "repair_failed": f"the Elastic IPs could not be moved: {event.get('reason')}",
    }
    return parts.get(str(event["type"]), str(event["verdict"]))


@dataclass(slots=True)
class Alerter:
    """Takes the events of one pair. What goes wrong is logged once for as long as it is the same."""

    settings: Settings
    _worker: Worker = field(default_factory=lambda: Worker("ha_watch alerts"))
    _reported: dict[str, float] = field(default_factory=dict)
    _trouble: str = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Hand an event on; returns at once."""
        if self.settings.store is None and not self.settings.alerts:
            return
        alert = alert_of(event, self.settings.group, time.time())
        if alert is None or self._repeats(alert):
            return
        self._worker.run(self._handle, alert)

    def close(self) -> None:
        """End the thread; what is on its way may still arrive."""
        self._worker.end(lambda: None, 0)

    def _repeats(self, alert: Alert) -> bool:
        if not alert.lasting:
            return False
        last = self._reported.get(alert.identity)
        if last is not None and alert.at - last < HOUR:
            return True
        self._reported[alert.identity] = alert.at
        return False

    def _handle(self, alert: Alert) -> None:
        troubles = [*self._keep(alert), *send([alert], self.settings.alerts, self.settings.aws.client)]
        trouble = "; ".join(troubles)
        if trouble and trouble != self._trouble:
            _LOG.warning("%s: %s", self.settings.group, trouble)
        self._trouble = trouble

    def _keep(self, alert: Alert) -> list[str]:
        if self.settings.store is None:
            return []
        options = StoreOptions({"store": self.settings.store}, self.settings.aws.client)

        def keep() -> None:
            store = open_store(options, self.settings.group, EVENTS_OF_PAIRS, may_create=True)
            store.keep(alert.at, alert.to_json(), LONGEST_HOURS * HOUR, Series.EVENTS)

        outcome = attempt(keep)
        return [f"event {alert.type} is not kept: {outcome}"] if isinstance(outcome, Failure) else []
