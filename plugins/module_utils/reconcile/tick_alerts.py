# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a tick has to alert of: a decision, a failed event, a node that is silent. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..scaling.decision import Decision
from ..scaling.evaluator import Outcome, Report
from ..scaling.group_state import Action, Record
from ..spec.alerts import Alert
from ..spec.figures import Reading
from ..spec.identity import AUTOSCALE_GROUP


def of_tick(
    record: Record, decision: Decision, readings: Sequence[Reading], at: float, report: Report | None = None
) -> list[Alert]:
    """Return the alerts of a tick that is stored.

    Args:
        record: The state after the tick.
        decision: What was decided. An action that is resumed was alerted of when it was decided.
        readings: What polling the nodes gave.
        at: The instant of the tick, in seconds since the epoch.
        report: The report that was recorded, if any.
    """

    def alert(kind: str, summary: str, **more: Any) -> Alert:
        return Alert(kind, AUTOSCALE_GROUP, record.group, summary, at, record.zone, **more)

    alerts = []
    if decision.action is not Action.NONE and not decision.resumed:
        detail = {"action": decision.action.value, "count": decision.count, "event_id": decision.event_id}
        alerts.append(
            alert("decision", f"{decision.action.value} of {decision.count}: {decision.reason}", detail=detail)
        )
    if report is not None and report.outcome in (Outcome.DONE, Outcome.FAILED):
        name = f"event_{report.outcome.value}"
        alerts.append(alert(name, decision.reason, detail={"event_id": report.id, "message": report.message}))
    instances = {node.nsip: node.instance_id for node in record.nodes or ()}
    for reading in readings:
        if reading.reachable and not reading.refused:
            continue
        instance = instances.get(reading.nsip, "")
        summary = f"node {reading.nsip}{f' ({instance})' if instance else ''} does not answer: {reading.error}"
        if reading.refused:
            summary = f"node {reading.nsip} refuses the login: {reading.error}"
        kind = "login_refused" if reading.refused else "node_silent"
        alerts.append(alert(kind, summary, lasting=True, subject=reading.nsip, detail={"instance_id": instance}))
    return alerts


def of_licences(group: str, zone: str, problems: Mapping[str, Sequence[str]], at: float) -> list[Alert]:
    """Return an alert for each appliance in the grace period of its licence.

    Args:
        group: Name of the group.
        zone: Name of the zone.
        problems: Messages by address, as ``licence_state.over_nitro`` returns them.
        at: The instant of the tick, in seconds since the epoch.
    """
    return [
        Alert("licence_grace", AUTOSCALE_GROUP, group, "; ".join(texts), at, zone, lasting=True, subject=nsip)
        for nsip, texts in problems.items()
        if texts
    ]


def of_failure(group: str, zone: str, message: str, at: float) -> Alert:
    """Return the alert of a tick that failed: nothing is decided for the zone while that lasts."""
    return Alert("tick_failed", AUTOSCALE_GROUP, group, message, at, zone, lasting=True)
