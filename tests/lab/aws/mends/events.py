"""Events reach the targets of a rule as EventBridge sends them, without a library that moto wants for it.

A target without an input transformer gets the whole event
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html).
"""

from __future__ import annotations

from typing import Any

from moto.events.utils import EventTemplateParser

from tests.lab.aws.mends.patch import replaces

_parse = EventTemplateParser.parse


@replaces(EventTemplateParser, "parse")
def parse(input_template: str, input_paths_map: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    if input_template or input_paths_map:
        return dict(_parse(input_template, input_paths_map, event))
    return {name: value for name, value in event.items() if name != "ingestion-time"}
