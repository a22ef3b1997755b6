"""The page's text: whole, escaped, the same for the same data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from ansible_collections.cloudadc.aws.plugins.module_utils.report.chart import COLOURS, NUMBERED, draw, groups
from ansible_collections.cloudadc.aws.plugins.module_utils.report.from_record import panel_of
from ansible_collections.cloudadc.aws.plugins.module_utils.report.model import Mark, Page, Panel, Series
from ansible_collections.cloudadc.aws.plugins.module_utils.report.page import _DARK, _LIGHT, render
from ansible_collections.cloudadc.aws.plugins.module_utils.report.reader import SCRIPT, SCRIPT_HASH, values_of
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Limit
from tests.unit.plugins.module_utils.scaling.scenario import BASE, policy

from .scenarios import NASTY, failed, scenario


class Elements(HTMLParser):
    """Every element with its attributes, and whether all that was opened was closed."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def nasty_page() -> Page:
    record, samples = scenario()
    panels = (panel_of(record, policy("dns"), {"memory": samples}), panel_of(failed(zone=NASTY), policy("dns")))
    return Page(NASTY, NASTY, panels)


def test_everything_is_escaped_and_closed() -> None:
    elements = Elements(render(nasty_page(), draw))
    assert elements.open == []
    assert {tag for tag, _attributes in elements.found}.isdisjoint({"img", "iframe", "object", "a"})
    scripts = [attributes.get("type") for tag, attributes in elements.found if tag == "script"]
    assert scripts == ["application/json"] * 2 + [None], "the samples of each panel, and the one that reads them"
    assert not any(name.startswith("on") for _tag, attributes in elements.found for name in attributes)
    labels = [attributes["aria-label"] for tag, attributes in elements.found if tag == "svg"]
    assert labels[1] is not None
    assert labels[1].startswith(NASTY)


def test_nothing_is_fetched() -> None:
    text = render(nasty_page(), draw)
    references = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', text)
    assert references
    assert all((one or other).startswith(("#", "data:,")) for one, other in references)
    assert "default-src 'none'" in text
    assert f"script-src '{SCRIPT_HASH}'" in text
    assert SCRIPT in text


def test_samples_in_the_page_end_no_element() -> None:
    series = (Series("cpu", ((BASE, 1.0), (BASE + 60, None), (BASE + 120, 3.0))), Series("memory", ((BASE, 2.0),)))
    text = values_of(replace(panel(series=series), name="</script>"), (0.1, 0.9))
    assert "<" not in text
    found = json.loads(text)
    assert found["instants"] == [BASE, BASE + 120]
    assert [one["values"] for one in found["series"]] == [[1.0, 3.0], [2.0, None]]


def test_the_same_data_give_the_same_text() -> None:
    assert render(nasty_page(), draw) == render(nasty_page(), draw)


def test_every_colour_is_one_of_both_schemes() -> None:
    text = render(nasty_page(), draw)
    assert _LIGHT.keys() == _DARK.keys() >= COLOURS.keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) <= _LIGHT.keys()
    drawing = draw(nasty_page().panels[0], "p")
    assert re.findall(r"#[0-9a-f]{6}\b", drawing) == []


def panel(**changes: object) -> Panel:
    whole = {
        "name": "a",
        "facts": (),
        "start": BASE,
        "end": BASE + 3600,
        "series": (Series("cpu", ()),),
        "nodes": (),
        "spans": (),
        "marks": (),
        **changes,
    }
    return Panel(**whole)  # type: ignore[arg-type]


def test_what_is_not_known_is_said() -> None:
    text = render(Page("t", "l", (panel(),)), draw)
    for words in ("no samples kept", "no event has reported the number of nodes", "No scaling event so far."):
        assert words in text


def test_metrics_without_a_unit_and_with_small_figures() -> None:
    series = Series("connections", ((BASE, 0.0), (BASE + 60, None), (BASE + 120, 0.0)), Limit("connections", 0, 1e-3))
    text = draw(panel(series=(series,)), "p")
    assert "max 0.001<" in text
    assert ">connections<" in text


def test_very_many_events_are_drawn_without_numbers() -> None:
    marks = tuple(Mark(n, BASE + n, "scale_out", 1, "done", "why") for n in range(1, NUMBERED + 2))
    assert "p-event-1" in draw(panel(marks=marks[:-1]), "p")
    crowded = draw(panel(marks=marks), "p")
    assert "p-event-1" not in crowded
    assert "p-events-1" in crowded


def test_events_that_are_near_one_another_share_a_flag() -> None:
    where = (
        (1, "scale_out", "done"),
        (60, "scale_out", "done"),
        (90, "scale_in", "done"),
        (1800, "scale_out", "failed"),
    )
    marks = tuple(
        Mark(number, BASE + at, action, 1, outcome, f"why {number}")
        for number, (at, action, outcome) in enumerate(where, start=1)
    )
    text = draw(panel(marks=marks), "p")
    assert [[mark.number for mark in group] for group in groups(panel(marks=marks))] == [[1, 2, 3], [4]]
    assert ">▲▼1–3<" in text
    assert ">×4<" in text
    [tips] = re.findall(r'id="p-event-1"><title>(.*?)</title>', text, re.DOTALL)
    assert [line.split(": ")[-1] for line in tips.splitlines()] == ["why 1", "why 2", "why 3"]
