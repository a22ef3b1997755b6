"""Pieces of SVG that both kinds of diagram are made of. Colours come from the theme, by way of diagrams.css."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

LINE = 17.0
MARKERS = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>'
)


def lines_of(label: str) -> list[str]:
    """Return the lines of a label, in which mermaid breaks with ``<br/>``."""
    return [part.strip() for part in re.split(r"<br\s*/?>", label)]


def width_of(label: str) -> float:
    """About how wide a label is at 13 px, in pixels; no font is measured, so that no two machines differ."""
    return max(
        sum(4.0 if c in "il.,:;|!'() tfj" else 9.5 if c in "mwMW" else 7.1 for c in line) for line in lines_of(label)
    )


def height_of(label: str) -> float:
    return LINE * len(lines_of(label))


def text(x: float, y: float, label: str, *, css: str = "", anchor: str = "middle") -> str:
    """Return the label, its lines centred around ``y``."""
    parts = lines_of(label)
    top = y - LINE * (len(parts) - 1) / 2 + 4.5
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{top + LINE * number:.1f}">{html.escape(part)}</tspan>'
        for number, part in enumerate(parts)
    )
    return f'<text class="{css}" text-anchor="{anchor}">{spans}</text>'


def box(x: float, y: float, width: float, height: float, *, css: str = "node", radius: float = 4) -> str:
    """Return a rectangle around its centre."""
    left, top = x - width / 2, y - height / 2
    return (
        f'<rect class="{css}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"/>'
    )


def document(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px">{MARKERS}{"".join(parts)}</svg>'
    )
