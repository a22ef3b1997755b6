"""What a tick leaves to be done in a zone, and the lines that tell it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.work import Telling, summary, work_of

IDLE: dict[str, Any] = {
    "zone": "a",
    "leased": True,
    "decision": {
        "action": "none",
        "count": 0,
        "reason": "memory 60 %",
        "event_id": None,
        "resumed": False,
        "evaluated": True,
    },
    "phase": "watching",
    "phase_until": None,
    "event": None,
    "missing": [],
    "remains": [],
    "nodes": [{"nsip": "10.0.0.1", "error": None}],
}
NODE = {"nsip": "10.0.0.9", "instance_id": "i-9", "node_id": 9}
LEFT = {"event_id": "adc-1", "stage": "scale_out", "action": "deprovision"}
#: Of the second tick in an interval, such as that of a playbook that an event has started.
SECOND = {**IDLE["decision"], "evaluated": False}
SCALE_IN = {"action": "scale_in", "count": 1, "reason": "low", "event_id": "adc-2", "resumed": False}


@pytest.mark.parametrize(
    ("more", "work"),
    [
        ({}, []),
        ({"decision": SCALE_IN, "missing": [NODE], "remains": [LEFT]}, ["act"]),
        ({"missing": [NODE]}, ["missing"]),
        ({"missing": [NODE], "event": {"id": "adc-3"}}, []),
        ({"remains": [LEFT]}, ["failed_events"]),
        ({"missing": [NODE], "remains": [LEFT], "backends_differ": ["web"]}, ["missing", "failed_events", "backends"]),
        ({"backends_differ": ["web"], "phase": "cooldown"}, ["backends"]),
        ({"backends_differ": ["web"], "phase": "scaling_out"}, []),
        ({"backends_differ": ["web"], "phase": "deprovisioning"}, []),
        ({"backends_error": "there is no Auto Scaling group web"}, ["backends"]),
        ({"leased": False, "missing": [NODE], "backends_differ": ["web"]}, []),
        ({"silent": ["i-9"]}, ["withdraw"]),
        ({"silent": ["i-9"], "nodes": []}, []),
        ({"silent": ["i-9"], "nodes": [], "decision": SECOND}, ["withdraw"]),
        ({"silent": ["i-9"], "nodes": [], "decision": SECOND, "phase": "cooldown"}, []),
        ({"silent": ["i-9"], "recovered": ["i-8"]}, ["withdraw", "restore"]),
        ({"silent": ["i-9"], "recovered": ["i-8"], "event": {"id": "adc-3"}}, []),
        ({"silent": ["i-9"], "decision": SCALE_IN}, ["act"]),
    ],
)
def test_work_of_a_zone(more: dict[str, Any], work: list[str]) -> None:
    assert [each.value for each in work_of({**IDLE, **more})] == work


@pytest.mark.parametrize(
    ("more", "telling", "lines"),
    [
        ({}, Telling("shop"), ["shop, a: none; memory 60 %; phase watching."]),
        (
            {"silent": ["i-9"], "recovered": ["i-8"]},
            Telling("shop"),
            [
                "shop, a: none; memory 60 %; phase watching.",
                "DNS records are withdrawn while they do not answer and others do: i-9.",
                "DNS records are written again: i-8.",
            ],
        ),
        (
            {"decision": SCALE_IN, "phase": "draining", "phase_until": "T"},
            Telling("shop", acts=True),
            [
                "shop, a: scale_in 1; low; phase draining until T.",
                "Event adc-2: its nodes leave the distributor now and drain until T. The next tick after that "
                "(playbook cloudadc.aws.autoscale) removes them; so does cloudadc.aws.scale_in with "
                "scale_in_event_id=adc-2",
            ],
        ),
        (
            {"decision": {**SCALE_IN, "resumed": True}},
            Telling("shop"),
            [
                "shop, a: scale_in 1; low; phase watching.",
                "Event adc-2 is to be resumed: carry it out, then report it with autoscale_event.",
            ],
        ),
        (
            {"decision": {**SCALE_IN, "action": "deprovision"}, "nodes": [{"nsip": "10.0.0.1", "error": "silent"}]},
            Telling("shop", acts=True, check_mode=True),
            [
                "shop, a: deprovision 1; low; phase watching.",
                "Event adc-2 would be carried out.",
                "10.0.0.1: silent",
                "Check mode: nothing was recorded.",
            ],
        ),
        (
            {"reported": False},
            Telling("shop", reports="adc-1"),
            ["shop, a: none; memory 60 %; phase watching.", "Event adc-1 is NOT reported: report it again."],
        ),
    ],
)
def test_summary_names_decision_and_work(more: dict[str, Any], telling: Telling, lines: list[str]) -> None:
    assert summary({**IDLE, **more}, telling) == lines
