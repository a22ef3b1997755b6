# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Publish alerts: after what they tell of is stored, in bounded time, and never more than a warning if it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..aws.client import Client
from ..aws.events import put_events
from ..aws.sns import publish
from ..core.errors import Failure
from ..core.parallel import ask_all, gather
from ..spec.alerts import Alert, Targets, bus_entry, sns_message
from ..stores.base import Store
from ..stores.kept import HOUR, LONGEST_HOURS, Series

#: Seconds that a tick, a watcher or a task waits for its alerts to be published.
TIMEOUT = 10.0

Connect = Callable[[str], Client]


def send(
    alerts: Sequence[Alert],
    targets: Targets,
    connect: Connect,
    store: Store | None = None,
    *,
    timeout: float = TIMEOUT,
) -> tuple[str, ...]:
    """Publish alerts and return warnings; never raises, and takes ``timeout`` seconds at most.

    Args:
        alerts: What to publish.
        targets: Where to.
        connect: Returns the client of an AWS service; may raise Failure.
        store: Remembers conditions that were published, so that they are published once an hour while they last.
            Without it each of them is.
        timeout: Seconds after which the caller does not wait any longer.
    """
    if not alerts or not targets:
        return ()
    [outcome] = ask_all({"": lambda: _send(alerts, targets, connect, store)}, timeout).values()
    problems = [str(outcome)] if isinstance(outcome, Failure) else outcome
    named = ", ".join(dict.fromkeys(alert.type for alert in alerts))
    return tuple(f"alerts ({named}) are not published; nothing else is affected: {problem}" for problem in problems)


def _send(alerts: Sequence[Alert], targets: Targets, connect: Connect, store: Store | None) -> list[str]:
    fresh = _not_published(alerts, store)
    calls: dict[str, Callable[[], None]] = {}
    if targets.sns_topic_arn:
        calls["sns"] = partial(_to_topic, fresh, targets.sns_topic_arn, connect)
    if targets.event_bus:
        calls["events"] = partial(_to_bus, fresh, targets.event_bus, connect)
    outcomes = ask_all(calls, 2 * TIMEOUT) if fresh else {}
    problems = [str(outcome) for outcome in outcomes.values() if isinstance(outcome, Failure)]
    if not problems:  # what was not published is tried again with the next look
        _remember(fresh, store)
    return problems


def _to_topic(alerts: Sequence[Alert], topic_arn: str, connect: Connect) -> None:
    client = connect("sns")
    gather([partial(publish, client, topic_arn, sns_message(alert, topic_arn)) for alert in alerts])


def _to_bus(alerts: Sequence[Alert], bus: str, connect: Connect) -> None:
    put_events(connect("events"), bus, [bus_entry(alert) for alert in alerts])


def _not_published(alerts: Sequence[Alert], store: Store | None) -> list[Alert]:
    """Leave out conditions that were published within the hour before."""
    if store is None or not any(alert.lasting for alert in alerts):
        return list(alerts)
    since = min(alert.at for alert in alerts) - HOUR
    try:
        known = {entry.get("identity") for entry in store.kept(since, Series.EVENTS)}
    except Failure:
        known = set()  # twice is better than not at all
    return [alert for alert in alerts if not (alert.lasting and alert.identity in known)]


def _remember(alerts: Sequence[Alert], store: Store | None) -> None:
    for number, alert in enumerate(alert for alert in alerts if alert.lasting):
        if store is not None:
            entry = {**alert.to_json(), "identity": alert.identity}
            store.keep(alert.at + number / 1000, entry, LONGEST_HOURS * HOUR, Series.EVENTS)
