"""Sequence diagrams: participants side by side, messages one under another."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from . import svg

_MESSAGE = re.compile(r"(\w+)\s*(--?(?:>>|x))\s*(\w+)\s*:\s*(.*)")
_NOTE = re.compile(r"Note over ([\w, ]+?)\s*:\s*(.*)")
_PARTICIPANT = re.compile(r"participant (\w+) as (.*)")
_MARGIN, _HEAD = 12.0, 34.0


class _Drawing:
    def __init__(self, names: dict[str, str], x: dict[str, float]) -> None:
        self.names, self.x = names, x
        self.y = _MARGIN + _HEAD + 12
        self.parts: list[str] = []
        self.open: list[tuple[float, str]] = []

    def message(self, source: str, arrow: str, target: str, label: str) -> None:
        css = "edge dotted" if arrow.startswith("--") else "edge"
        lost = arrow.endswith("x")
        start, end = self.x[source], self.x[target]
        if source == target:
            self.y += svg.height_of(label) + 4
            self.parts.append(svg.text(start + 8, self.y - svg.height_of(label) / 2 - 4, label, anchor="start"))
            path = f"M{start:.1f} {self.y:.1f}h26v12h-24"
            self.y += 14
        else:
            self.y += svg.height_of(label) + 6
            self.parts.append(svg.text((start + end) / 2, self.y - svg.height_of(label) / 2 - 5, label))
            path = f"M{start:.1f} {self.y:.1f}H{end - (14 if lost else 2) * (1 if end > start else -1):.1f}"
        if lost:
            self.parts.append(f'<path class="edge" d="M{end - 12:.1f} {self.y - 5:.1f}l10 10m0 -10l-10 10"/>')
        self.parts.append(
            f'<path class="{css}" d="{path}"{"" if lost else " marker-end=" + chr(34) + "url(#tip)" + chr(34)}/>'
        )
        self.y += 8

    def note(self, over: Sequence[str], label: str) -> None:
        centre = (self.x[over[0]] + self.x[over[-1]]) / 2
        wide = max(svg.width_of(label) + 20, abs(self.x[over[-1]] - self.x[over[0]]) + 40)
        high = svg.height_of(label) + 8
        self.y += 6
        self.parts += [
            svg.box(centre, self.y + high / 2, wide, high, css="note"),
            svg.text(centre, self.y + high / 2, label),
        ]
        self.y += high + 4

    def begin(self, label: str) -> None:
        self.y += 8
        self.open.append((self.y, label))
        self.y += 16

    def end(self, right: float) -> None:
        top, label = self.open.pop()
        self.y += 6
        self.parts.insert(
            0,
            svg.box(right / 2, (top + self.y) / 2, right - _MARGIN, self.y - top, css="group")
            + svg.text(_MARGIN + 6, top + 10, f"if {label}", css="title", anchor="start"),
        )


def _positions(names: dict[str, str], rows: Sequence[tuple[str, str, str]], left: float) -> dict[str, float]:
    """Return the middle of each participant; neighbours are as far apart as their messages need."""
    order = list(names)
    gaps = [
        (svg.width_of(names[left]) + svg.width_of(names[right])) / 2 + 44 for left, right in itertools.pairwise(order)
    ]
    for source, target, label in rows:
        first, last = sorted((order.index(source), order.index(target)))
        lack = svg.width_of(label) + 24 - sum(gaps[first:last])
        for number in range(first, last):
            gaps[number] += max(0.0, lack) / (last - first)
    middles = [_MARGIN + max(svg.width_of(names[order[0]]) / 2 + 14, left)]
    for gap in gaps:
        middles.append(middles[-1] + gap)
    return dict(zip(order, middles, strict=True))


def draw(lines: Sequence[str]) -> str:
    """Return the SVG of the lines after ``sequenceDiagram``."""
    names = {found[1]: found[2] for line in lines if (found := _PARTICIPANT.fullmatch(line))}
    rows = [
        (found[1], found[3], found[4]) for line in lines if (found := _MESSAGE.fullmatch(line)) and found[1] != found[3]
    ]
    notes = [
        svg.width_of(found[2]) / 2 + 14
        for line in lines
        if (found := _NOTE.fullmatch(line)) and found[1] == next(iter(names))
    ]
    x = _positions(names, rows, max([80.0, *notes]))
    ends = [
        x[found[1]] + svg.width_of(found[4]) + 10
        for line in lines
        if (found := _MESSAGE.fullmatch(line)) and found[1] == found[3]
    ]
    right = max([max(x.values()) + 90, *ends])
    drawing = _Drawing(names, x)
    for line in lines:
        if found := _MESSAGE.fullmatch(line):
            drawing.message(found[1], found[2], found[3], found[4])
        elif found := _NOTE.fullmatch(line):
            drawing.note([name.strip() for name in found[1].split(",")], found[2])
        elif line.startswith("opt "):
            drawing.begin(line[4:])
        elif line == "end":
            drawing.end(right)
        elif not _PARTICIPANT.fullmatch(line):
            raise ValueError(line)
    bottom = drawing.y + 14
    frame = []
    for name, middle in x.items():
        frame.append(f'<path class="lifeline" d="M{middle:.1f} {_MARGIN + _HEAD:.1f}V{bottom:.1f}"/>')
        frame.append(svg.box(middle, _MARGIN + _HEAD / 2, svg.width_of(names[name]) + 24, _HEAD))
        frame.append(svg.text(middle, _MARGIN + _HEAD / 2, names[name]))
    return svg.document(right + _MARGIN, bottom + 6, [*frame, *drawing.parts])
