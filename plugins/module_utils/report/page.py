# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page around the drawings: one HTML file, for light, dark, a phone and paper, without a network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from ..scaling.group_state import Phase
from ..spec.times import to_iso
from .model import EDGES, Mark, Page, Panel
from .reader import SCRIPT, SCRIPT_HASH, around

#: Nothing is loaded, whatever a record may contain.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
#: Nothing is run but the one script that reads values.
READER_POLICY = f"{POLICY}; script-src '{SCRIPT_HASH}'"

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2127",
    "muted": "#5b6570",
    "grid": "#e3e7eb",
    "rule": "#c9d0d7",
    "line": "#1f5fa8",
    "nodes": "#46505b",
    "max": "#b3420a",
    "min": "#00705a",
    "scale_out": "#a33a00",
    "scale_in": "#006b55",
    "failed": "#b00020",
    "scaling_out": "#fbd9bd",
    "cooldown": "#dfe6f6",
    "draining": "#cdeee4",
    "ttl": "#f3e6b3",
    "deprovisioning": "#e2d6f0",
}
_DARK = {
    "paper": "#14181c",
    "ink": "#e8ecef",
    "muted": "#a3adb7",
    "grid": "#2b3238",
    "rule": "#3d464e",
    "line": "#7ab8ff",
    "nodes": "#c3ccd4",
    "max": "#ff9d66",
    "min": "#4fd0b0",
    "scale_out": "#ffa873",
    "scale_in": "#5fdcbc",
    "failed": "#ff7d8a",
    "scaling_out": "#5a3418",
    "cooldown": "#26324d",
    "draining": "#164438",
    "ttl": "#4d4217",
    "deprovisioning": "#3f2d57",
}


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


_STYLE = f"""
:root {{ color-scheme: light; {_variables(_LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {_variables(_DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem; }}
h2 {{ font-size: 1.2rem; margin: 2.25rem 0 .5rem; border-bottom: 1px solid var(--rule); }}
p, .legend, .muted {{ color: var(--muted); }}
.legend {{ display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; padding: 0;
  margin: 1rem 0; list-style: none; font-size: .87rem; }}
.swatch {{ display: inline-block; width: 1.1em; height: .8em; margin-right: .4em; border: 1px solid var(--rule); }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0 1rem; font-size: .9rem; }}
dt {{ color: var(--muted); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
svg {{ display: block; width: 100%; height: auto; }}
.plot {{ position: relative; overflow: auto; touch-action: pan-x pan-y; }}
.plot > svg {{ min-width: 40rem; }}
.cursor {{ position: absolute; top: 0; width: 1px; background: var(--ink); pointer-events: none; }}
.tools {{ display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; font-size: .87rem; }}
.tools output {{ color: var(--muted); font-variant-numeric: tabular-nums; }}
button {{ font: inherit; min-width: 2.2rem; padding: .15rem .5rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--rule); border-radius: .3rem; }}
svg text {{ font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif !important; }}
.table {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .87rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--grid); }}
th {{ color: var(--muted); font-weight: 600; }}
td:nth-child(-n+5) {{ white-space: nowrap; }}
td {{ font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }}
.scale_out {{ color: var(--scale_out); }} .scale_in {{ color: var(--scale_in); }} .failed {{ color: var(--failed); }}
@media print {{
  .tools, .cursor {{ display: none; }} .plot {{ overflow: visible; }}
  .plot > svg {{ min-width: 0; width: 100% !important; }}
  body {{ max-width: none; padding: 0; font-size: 10pt; }}
  .swatch, svg {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  svg, tr {{ break-inside: avoid; }} h2 {{ break-after: avoid; }} thead {{ display: table-header-group; }}
}}
"""

_SHADED = tuple(phase.value for phase in Phase if phase is not Phase.WATCHING)
_COLUMNS = ("#", "decided", "what", "nodes", "outcome", "reason")

#: Draws a panel, with this prefix for its ids.
Draw = Callable[[Panel, str], str]


def render(page: Page, draw: Draw) -> str:
    """Render the whole page. Everything that comes from group state is escaped; equal pages give equal text."""
    sections = "\n".join(_section(panel, f"p{number}", draw) for number, panel in enumerate(page.panels, start=1))
    return document(page.title, page.lead, f"{_legend()}\n{sections}\n{SCRIPT}", READER_POLICY)


def document(title: str, lead: str, body: str, policy: str = POLICY) -> str:
    """Return the HTML document around a body, which is HTML already; title and lead are escaped here."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(lead)}</p>
{body}
</body>
</html>
"""


def _legend() -> str:
    items = [
        f'<li><span class="swatch" style="background: var(--{phase})"></span>{phase.replace("_", " ")}</li>'
        for phase in _SHADED
    ]
    return (
        f'<ul class="legend">{"".join(items)}<li>not shaded: watching</li><li class="scale_out">▲ scale-out</li>'
        '<li class="scale_in">▼ scale-in</li><li class="failed">× failed</li></ul>'
    )


def _section(panel: Panel, prefix: str, draw: Draw) -> str:
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in panel.facts)
    return f"""<section id="{prefix}">
<h2>{escape(panel.name)}</h2>
<dl>{facts}</dl>
{around(panel, draw(panel, prefix), EDGES)}
{_table(panel)}
</section>"""


def _table(panel: Panel) -> str:
    if not panel.marks:
        return '<p class="muted">No scaling event so far.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "\n".join(_row(mark) for mark in panel.marks)
    return f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'


def _row(mark: Mark) -> str:
    kind = "failed" if mark.outcome == "failed" else "scale_out" if mark.scales_out else "scale_in"
    change = (
        f"{mark.nodes[0]} → {mark.nodes[1]}" if mark.nodes else f"{mark.count} {'more' if mark.scales_out else 'fewer'}"
    )
    ended = f"{mark.outcome} {to_iso(mark.ended)}" if mark.ended is not None else mark.outcome
    why = f"{mark.reason}; {mark.message}" if mark.message else mark.reason
    cells = (str(mark.number), to_iso(mark.at), mark.action.replace("_", "-"), change, ended, why)
    return f'<tr class="{kind}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
