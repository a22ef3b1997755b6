# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One panel as an SVG drawing, by matplotlib: no script, no picture files, colours by the page's style sheet.

The same panel gives the same bytes. Everything matplotlib prints here is ours (names of metrics, figures, numbers of
events); what comes from records goes into tooltips, escaped.
"""

from __future__ import annotations

import io
import re
from datetime import UTC
from html import escape
from typing import Any

from .model import EDGES, Mark, Panel, Series

try:
    import matplotlib
    import matplotlib.backends.backend_svg
    import matplotlib.dates
    import matplotlib.figure
    import matplotlib.ticker

    HAS_MATPLOTLIB = True
    # How much of it is typed differs from release to release.
    mpl: Any = matplotlib
except ImportError:  # without it the module says so before it comes here
    HAS_MATPLOTLIB = False

Axes = Any

#: Colours that stand for the page's CSS variables: matplotlib wants to know a colour, readers have two schemes.
COLOURS = {
    name: f"#c0de{number:02x}"
    for number, name in enumerate(
        (
            "ink", "muted", "grid", "line", "nodes", "max", "min", "scale_out", "scale_in", "failed",
            "scaling_out", "cooldown", "draining", "ttl", "deprovisioning",
        ),
        start=1,
    )
}  # fmt: skip

#: More events than these are drawn as lines only, without number and tooltip.
NUMBERED = 150
#: How much of the drawing's width the number of an event takes.
LABEL = 0.055

_DAY = 86400.0
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cloudadc.aws",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titlepad": 14,  # room for the events' numbers below it
    "axes.formatter.useoffset": False,
    "path.simplify": False,
    "text.color": COLOURS["ink"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.edgecolor": COLOURS["muted"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
}


def draw(panel: Panel, prefix: str) -> str:
    """Draw the panel as an ``<svg>`` element whose ids all begin with ``prefix`` and a hyphen."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        return _for_page(_svg(_figure(panel)), panel, prefix)


def _figure(panel: Panel) -> Any:
    heights = [1.75] * len(panel.series) + [1.1]
    figure = mpl.figure.Figure(figsize=(10, sum(heights) + 0.55 * len(heights) + 0.5))
    mpl.backends.backend_svg.FigureCanvasSVG(figure)
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    rows: list[Axes] = [row[0] for row in grid]
    for axes, series in zip(rows, panel.series, strict=False):
        _metric(axes, series)
    _nodes(rows[-1], panel)
    for row, axes in enumerate(rows, start=1):
        _phases(axes, row, panel)
        _events(axes, row, panel)
    _numbers(rows[0], panel)
    _time(rows[-1], panel)
    figure.subplots_adjust(
        left=EDGES[0],
        right=EDGES[1],
        top=1 - 0.5 / figure.get_figheight(),
        bottom=0.5 / figure.get_figheight(),
        hspace=0.46,
    )
    return figure


def _days(at: float) -> float:
    return at / _DAY


def _time(axes: Axes, panel: Panel) -> None:
    room = max((panel.end - panel.start) * 0.01, 30.0)
    axes.set_xlim(_days(panel.start - room), _days(panel.end + room))
    locator = mpl.dates.AutoDateLocator(tz=UTC, minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mpl.dates.ConciseDateFormatter(locator, tz=UTC))
    axes.set_xlabel("UTC", loc="left")


def _metric(axes: Axes, series: Series) -> None:
    axes.set_title(f"{series.name} ({series.unit})" if series.unit else series.name)
    figures = [figure for _at, figure in series.points if figure is not None]
    top = max([*figures, series.limit.maximum if series.limit else 0.0, 1e-6]) * 1.15
    axes.set_ylim(0, min(top, 102.0) if series.unit == "%" else top)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    if series.limit:
        for kind, value, dashes in (("max", series.limit.maximum, (5, 2)), ("min", series.limit.minimum, (1.5, 2))):
            axes.axhline(value, color=COLOURS[kind], linewidth=1.3, dashes=dashes, gid=f"{kind}-{series.name}")
            text = f" {kind} {value:g}{' ' + series.unit if series.unit else ''}"
            axes.annotate(text, (1, value), xycoords=("axes fraction", "data"), color=COLOURS[kind], va="center")
    if not figures:
        axes.annotate(
            "no samples kept",
            (0.5, 0.5),
            xycoords="axes fraction",
            color=COLOURS["muted"],
            ha="center",
            gid=f"empty-{series.name}",
        )
        return
    axes.plot(
        [_days(at) for at, _figure in series.points],
        [float("nan") if figure is None else figure for _at, figure in series.points],
        color=COLOURS["line"],
        linewidth=1.4,
        marker="o" if len(figures) <= 120 else "",
        markersize=2.6,
        gid=f"line-{series.name}",
        zorder=3,
    )


def _nodes(axes: Axes, panel: Panel) -> None:
    axes.set_title("nodes")
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
    if not panel.nodes:
        axes.set_ylim(0, 1)
        axes.annotate(
            "no event has reported the number of nodes",
            (0.5, 0.4), xycoords="axes fraction", color=COLOURS["muted"], ha="center", gid="empty-nodes",
        )  # fmt: skip
        return
    steps = [*panel.nodes, (panel.end, panel.nodes[-1][1])]
    counts = [count for _at, count in steps]
    axes.set_ylim(0, max(counts) + 1)
    axes.step(
        [_days(at) for at, _count in steps], counts,
        where="post", color=COLOURS["nodes"], linewidth=1.8, gid="line-nodes", zorder=3,
    )  # fmt: skip
    axes.annotate(
        f" {counts[-1]}",
        (1, counts[-1]),
        xycoords=("axes fraction", "data"),
        color=COLOURS["nodes"],
        va="center",
    )


def _phases(axes: Axes, row: int, panel: Panel) -> None:
    """One collection a phase, however many spans it has."""
    by_phase: dict[str, list[tuple[float, float]]] = {}
    for span in panel.spans:
        by_phase.setdefault(span.phase.value, []).append((_days(span.start), _days(span.end) - _days(span.start)))
    for phase, ranges in sorted(by_phase.items()):
        axes.broken_barh(
            ranges, (0, 1), transform=axes.get_xaxis_transform(), zorder=0.5,
            facecolor=COLOURS[phase], edgecolor="none", gid=f"phase-{phase}-{row}",
        )  # fmt: skip


def _shown(panel: Panel) -> list[Mark]:
    return [mark for mark in panel.marks if panel.start <= mark.at <= panel.end]


def _colour(mark: Mark) -> str:
    if mark.outcome == "failed":
        return COLOURS["failed"]
    return COLOURS["scale_out" if mark.scales_out else "scale_in"]


def _events(axes: Axes, row: int, panel: Panel) -> None:
    shown = _shown(panel)
    if shown:
        axes.vlines(
            [_days(mark.at) for mark in shown], 0, 1,
            transform=axes.get_xaxis_transform(), colors=[_colour(mark) for mark in shown],
            linewidth=1.1 if len(shown) <= NUMBERED else 0.3, zorder=2, gid=f"events-{row}",
        )  # fmt: skip


def groups(panel: Panel) -> list[list[Mark]]:
    """Return the events in groups whose numbers would overlap; none where there are too many."""
    shown, room = _shown(panel), (panel.end - panel.start) * LABEL
    found: list[list[Mark]] = []
    for mark in shown if len(shown) <= NUMBERED else ():
        if found and mark.at - found[-1][0].at < room:
            found[-1].append(mark)
        else:
            found.append([mark])
    return found


def _sign(mark: Mark) -> str:
    if mark.outcome == "failed":
        return "×"
    return "▲" if mark.scales_out else "▼"


def _numbers(axes: Axes, panel: Panel) -> None:
    """Draw a flag on top of the events' lines: their numbers and directions, with the reasons as a tooltip."""
    for group in groups(panel):
        first, last = group[0], group[-1]
        numbers = f"{first.number}–{last.number}" if len(group) > 1 else f"{first.number}"
        colours = {_colour(mark) for mark in group}
        axes.annotate(
            "".join(dict.fromkeys(map(_sign, group))) + numbers,
            (_days((first.at + last.at) / 2), 1.0), xycoords=axes.get_xaxis_transform(),
            xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontweight="bold",
            color=colours.pop() if len(colours) == 1 else COLOURS["ink"], gid=f"event-{first.number}",
        )  # fmt: skip


# -- from matplotlib's file to an element of the page -----------------------------------------------------------------


def _svg(figure: Any) -> str:
    out = io.StringIO()
    anonymous: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(out, format="svg", metadata=anonymous, transparent=True)
    return out.getvalue()


def _for_page(svg: str, panel: Panel, prefix: str) -> str:
    label = escape(f"{panel.name}: metrics, phases, events and number of nodes over time")
    svg = f'<svg role="img" aria-label="{label}"' + svg[svg.index("<svg") + 4 :].rstrip()
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    for group in groups(panel):
        flag = f'<g id="{prefix}-event-{group[0].number}">'
        tips = "\n".join(map(_tip, group))
        svg = svg.replace(flag, f"{flag}<title>{tips}</title>", 1)
    return svg


def _tip(mark: Mark) -> str:
    return escape(
        f"{mark.number}: {mark.action} ({mark.outcome}): {mark.reason}{'; ' + mark.message if mark.message else ''}"
    )
