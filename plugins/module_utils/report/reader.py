# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Reading values at a point and zooming, by one script in the page that loads nothing.

The page's policy permits exactly this script, by its hash: nothing that a record contains can be run. Without scripts
the page shows everything but the reading. The samples are in the page as JSON, which no browser runs.
"""

from __future__ import annotations

import base64
import hashlib
import json

from .model import Panel

_SCRIPT = """
'use strict';
document.querySelectorAll('section').forEach(section => {
  const source = section.querySelector('script[type="application/json"]');
  const frame = section.querySelector('.plot'), svg = frame && frame.querySelector('svg');
  if (!source || !svg) return;
  const data = JSON.parse(source.textContent), out = section.querySelector('output');
  const line = frame.querySelector('.cursor');
  let zoom = 1;
  const scale = (to, at) => {
    const box = frame.getBoundingClientRect(), x = at === undefined ? box.width / 2 : at - box.left;
    const part = (frame.scrollLeft + x) / svg.getBoundingClientRect().width;
    zoom = Math.min(8, Math.max(1, to));
    svg.style.width = zoom * 100 + '%';
    frame.style.maxHeight = zoom > 1 ? '85vh' : '';
    frame.scrollLeft = part * svg.getBoundingClientRect().width - x;
    line.hidden = true;
  };
  section.querySelectorAll('button').forEach(button => button.addEventListener('click', () =>
    scale(button.value === '0' ? 1 : zoom * (button.value === '+' ? 2 : 0.5))));
  frame.addEventListener('dblclick', event => scale(zoom * 2, event.clientX));
  const read = clientX => {
    const box = svg.getBoundingClientRect(), part = (clientX - box.left) / box.width;
    const at = data.start + (part - data.left) / (data.right - data.left) * (data.end - data.start);
    if (!data.instants.length || part < data.left || part > data.right) return;
    let low = 0, high = data.instants.length - 1;
    while (high - low > 1) { const mid = (low + high) >> 1; if (data.instants[mid] < at) low = mid; else high = mid; }
    const near = at - data.instants[low] < data.instants[high] - at ? low : high;
    const shown = data.series.map(one => one.name + ' ' + (one.values[near] === null ? 'none' :
      +one.values[near].toPrecision(4) + one.unit));
    out.textContent = new Date(data.instants[near] * 1000).toISOString().slice(0, 19) + 'Z: ' + shown.join(', ');
    const on = (data.instants[near] - data.start) / (data.end - data.start);
    line.style.left = (data.left + on * (data.right - data.left)) * box.width + 'px';
    line.style.height = box.height + 'px';
    line.hidden = false;
    section.dataset.near = near;
  };
  frame.addEventListener('pointermove', event => read(event.clientX));
  frame.addEventListener('pointerdown', event => read(event.clientX));
  frame.addEventListener('keydown', event => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key], last = data.instants.length - 1;
    if (!step || last < 0) return;
    const near = Math.min(last, Math.max(0, Number(section.dataset.near || 0) + step));
    const box = svg.getBoundingClientRect(), on = (data.instants[near] - data.start) / (data.end - data.start);
    read(box.left + (data.left + on * (data.right - data.left)) * box.width);
    event.preventDefault();
  });
});
"""

#: What the page's policy permits: this script and no other.
SCRIPT_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
SCRIPT = f"<script>{_SCRIPT}</script>"


def around(panel: Panel, drawing: str, edges: tuple[float, float]) -> str:
    """Return the drawing with buttons to zoom, a line that reads values, and the values.

    Args:
        panel: What is drawn.
        drawing: Its SVG.
        edges: Where the axis of time begins and ends, and at which instants: the parts of the drawing's width.
    """
    buttons = "".join(
        f'<button type="button" value="{value}" aria-label="{text}">{sign}</button>'
        for value, text, sign in (("+", "zoom in", "+"), ("-", "zoom out", "\u2212"), ("0", "whole time", "1:1"))
    )
    hint = "Move over the plot, or tap it, to read values; arrow keys go from sample to sample."
    return (
        f'<div class="tools">{buttons}<output>{hint}</output></div>\n'
        f'<div class="plot" tabindex="0"><div class="cursor" hidden></div>\n{drawing}\n</div>\n'
        f'<script type="application/json">{values_of(panel, edges)}</script>'
    )


def values_of(panel: Panel, edges: tuple[float, float]) -> str:
    """Return the samples of a panel as JSON that can stand in a page: an instant each, and the figures of each metric.

    Every ``<`` is escaped, so that no text ends the element.
    """
    instants = sorted({at for series in panel.series for at, figure in series.points if figure is not None})
    known = [dict(series.points) for series in panel.series]
    room = max((panel.end - panel.start) * 0.01, 30.0)
    found = {
        "start": panel.start - room,
        "end": panel.end + room,
        "left": edges[0],
        "right": edges[1],
        "instants": instants,
        "series": [
            {
                "name": series.name,
                "unit": f" {series.unit}" if series.unit else "",
                "values": [*map(points.get, instants)],
            }
            for series, points in zip(panel.series, known, strict=True)
        ],
    }
    return json.dumps(found, separators=(",", ":")).replace("<", "\\u003c")
