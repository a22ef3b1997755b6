"""Flowcharts and state diagrams: nodes in ranks along the direction of reading, groups around the nodes they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import svg

_NODE = re.compile(r'(\w+|\[\*\])\s*(\(\(|\[\(|\[/?"|\[)?(.*?)("/?\]|\)\)|\)\]|\])?$')
_EDGE = re.compile(r'\s*(<-->|-->|-\.->|==>)\s*(?:\|"([^"]*)"\|)?\s*')
_PASSES = 12


@dataclass(slots=True)
class Node:
    """``x``, ``y``: its centre; ``group``: the innermost group it is in."""

    name: str
    label: str
    shape: str
    group: str = ""
    rank: int = 0
    along: float = 0.0
    across: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        if self.shape == "start":
            return 16.0, 16.0
        return svg.width_of(self.label) + 26, svg.height_of(self.label) + 16


@dataclass(slots=True)
class Group:
    name: str
    label: str
    parent: str = ""


@dataclass(slots=True)
class Edge:
    source: str
    target: str
    kind: str
    label: str


@dataclass(slots=True)
class Chart:
    sideways: bool = False
    nodes: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def members(self, group: str) -> list[Node]:
        """Return the nodes of a group and of the groups in it."""
        inner = [each.name for each in self.groups.values() if each.parent == group]
        return [node for node in self.nodes.values() if node.group == group] + [
            node for name in inner for node in self.members(name)
        ]

    def ends(self, name: str) -> list[Node]:
        return [self.nodes[name]] if name in self.nodes else self.members(name)


def _node(chart: Chart, text: str, group: str) -> str:
    found = _NODE.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    name, opening, label = found[1], found[2] or "", found[3].strip('"')
    shape = {"((": "round", "[(": "store", '[/"': "address"}.get(opening, "start" if name == "[*]" else "box")
    if name in chart.groups and not opening:
        return name
    if name not in chart.nodes:
        chart.nodes[name] = Node(name, label or name, shape, group)
    elif opening:
        chart.nodes[name].label, chart.nodes[name].shape = label, shape
    return name


def _statement(chart: Chart, line: str, group: str) -> None:
    parts = _EDGE.split(line)
    before = [_node(chart, each, group) for each in parts[0].split(" & ")]
    for at in range(1, len(parts), 3):
        after = [_node(chart, each, group) for each in parts[at + 2].split(" & ")]
        chart.edges += [Edge(a, b, parts[at], parts[at + 1] or "") for a in before for b in after]
        before = after


def _transition(chart: Chart, line: str) -> None:
    states, _colon, label = line.partition(": ")
    _statement(chart, states, "")
    chart.edges[-1].label = label


def parse(lines: Sequence[str]) -> Chart:
    """Parse the chart in these lines. Raises ValueError with the line that is not understood."""
    states = lines[0].startswith("state")
    chart = Chart(sideways=lines[0].endswith("LR") or "direction LR" in lines)
    for line in lines:
        if found := re.fullmatch(r'subgraph (\w+)\["(.*)"\]', line):
            chart.groups[found[1]] = Group(found[1], found[2])
    open_groups = [""]
    for line in lines[1:]:
        if found := re.match(r"subgraph (\w+)", line):
            chart.groups[found[1]].parent = open_groups[-1]
            open_groups.append(found[1])
        elif line == "end":
            open_groups.pop()
        elif states and not line.startswith("direction"):
            _transition(chart, line)
        elif not line.startswith("direction"):
            _statement(chart, line, open_groups[-1])
    return chart


Pairs = list[tuple[Node, Node]]


def _level(chart: Chart, group: str, forward: Pairs) -> None:
    """Put the nodes of a group side by side, unless an edge between them orders them."""
    members = [node for node in chart.nodes.values() if node.group == group]
    if members and not any(a in members and b in members for a, b in forward):
        top = max(node.rank for node in members)
        for node in members:
            node.rank = top


def _settle(chart: Chart, forward: Pairs) -> None:
    """Set the ranks from the edges that lead forward."""
    for _round in chart.nodes:
        for a, b in forward:
            b.rank = max(b.rank, a.rank + 1)
        for name in chart.groups:
            _level(chart, name, forward)
    reached = {id(b) for _a, b in forward}
    for node in chart.nodes.values():  # a node that nothing leads to stands just before what it leads to
        following = [b.rank for a, b in forward if a is node]
        if following and id(node) not in reached:
            node.rank = min(following) - 1


def _rank(chart: Chart) -> list[Edge]:
    """Give every node its rank: the longest way to it. Returns the edges that lead back."""
    forward: list[tuple[Node, Node]] = []
    back: list[Edge] = []

    def reaches(start: Node, goal: Node) -> bool:
        return start is goal or any(reaches(b, goal) for a, b in forward if a is start)

    for edge in chart.edges:
        pairs = [(a, b) for a in chart.ends(edge.source) for b in chart.ends(edge.target)]
        if edge.kind == "<-->" or any(reaches(b, a) for a, b in pairs):
            back.append(edge)
        else:
            forward += pairs
    _settle(chart, forward)
    return back


def _spread(ordered: list[Node], desired: dict[str, float], gap: float, across: int) -> None:
    """Place the nodes of a rank as near to where they want to be as their sizes and their order allow."""
    at = 0.0
    for number, node in enumerate(ordered):
        half = node.size[across] / 2
        place = desired[node.name]
        node.across = place if number == 0 else max(place, at + half)
        extra = 30 if number + 1 < len(ordered) and ordered[number + 1].group != node.group else 0
        at = node.across + half + gap + extra
    shift = sum(desired[node.name] - node.across for node in ordered) / len(ordered)
    for node in ordered:
        node.across += shift


def _desired(chart: Chart, node: Node, neighbours: dict[str, list[Node]]) -> float:
    """Where the node is nearest to its neighbours; without any, to those of the others in its group."""
    near = neighbours[node.name] or [
        each for other in chart.members(node.group) if node.group for each in neighbours[other.name]
    ]
    return sum(each.across for each in near) / len(near) if near else node.across


def _place(chart: Chart) -> None:
    along, across = (0, 1) if chart.sideways else (1, 0)
    ranks: dict[int, list[Node]] = {}
    for node in chart.nodes.values():
        ranks.setdefault(node.rank, []).append(node)
    at = 0.0
    for rank in sorted(ranks):
        labels = [
            edge.label
            for edge in chart.edges
            if edge.label and min(n.rank for n in chart.ends(edge.source)) == rank - 1
        ]
        room = max([(svg.width_of(each) if chart.sideways else svg.height_of(each)) for each in labels], default=0.0)
        thick = max(node.size[along] for node in ranks[rank])
        at += (room + 44 if rank != min(ranks) else 0) + thick / 2
        for node in ranks[rank]:
            node.along = at
        at += thick / 2
    neighbours: dict[str, list[Node]] = {name: [] for name in chart.nodes}
    for edge in chart.edges:
        for a in chart.ends(edge.source):
            for b in chart.ends(edge.target):
                if a.rank != b.rank:
                    neighbours[a.name].append(b)
                    neighbours[b.name].append(a)
    gap = 46.0 if chart.sideways else 26.0
    for turn in range(_PASSES):
        for rank in sorted(ranks, reverse=bool(turn % 2)):
            desired = {node.name: _desired(chart, node, neighbours) if turn else node.across for node in ranks[rank]}
            _spread(ranks[rank], desired, gap, across)


def _shape(node: Node, x: float, y: float) -> str:
    width, height = node.size
    if node.shape == "start":
        return f'<circle class="start" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
    radius = {"round": height / 2, "store": 10, "address": 0}.get(node.shape, 4)
    css = {"store": "node store", "address": "node address"}.get(node.shape, "node")
    return svg.box(x, y, width, height, css=css, radius=radius) + svg.text(x, y, node.label)


class _Canvas:
    def __init__(self, chart: Chart, back: list[Edge]) -> None:
        self.chart, self.back = chart, back
        self.over: list[str] = []
        self.under: list[str] = []
        self.labelled: set[tuple[str, str]] = set()
        self.lanes = 0

    def point(self, node: Node) -> tuple[float, float]:
        return (node.along, node.across) if self.chart.sideways else (node.across, node.along)

    def extent(self, members: Sequence[Node], pad: float) -> tuple[float, float, float, float]:
        points = [(*self.point(node), *node.size) for node in members]
        return (
            min(x - w / 2 for x, _y, w, _h in points) - pad,
            min(y - h / 2 for _x, y, _w, h in points) - pad - 14,
            max(x + w / 2 for x, _y, w, _h in points) + pad,
            max(y + h / 2 for _x, y, _w, h in points) + pad,
        )

    def group(self, group: Group) -> None:
        inner = any(each.parent == group.name for each in self.chart.groups.values())
        left, top, right, bottom = self.extent(self.chart.members(group.name), 26 if inner else 12)
        right = max(right, left + svg.width_of(group.label) + 20)
        box = svg.box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, css="group")
        self.under.append(box + svg.text(left + 8, top + 10, group.label, css="title", anchor="start"))

    def _end(self, name: str) -> tuple[float, float, float, float]:
        if name in self.chart.nodes:
            node = self.chart.nodes[name]
            return (*self.point(node), node.size[0] / 2, node.size[1] / 2)
        left, top, right, bottom = self.extent(self.chart.members(name), 12)
        return (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2

    def _passes(self, edge: Edge) -> bool:
        """Whether the edge crosses a rank between its ends, where a node may stand in its way."""
        ends = self.chart.ends(edge.source), self.chart.ends(edge.target)
        return min(node.rank for node in ends[1]) - max(node.rank for node in ends[0]) > 1

    def edge(self, edge: Edge) -> None:
        x1, y1, w1, h1 = self._end(edge.source)
        x2, y2, w2, h2 = self._end(edge.target)
        bend = rise = 0.0
        if edge in self.back:
            self.lanes += 1
            bend = 54.0 + 30.0 * self.lanes
        if self.chart.sideways and not bend:
            start, end = (x1 + w1, y1), (x2 - w2 - 2, y2)
            middle = (start[0] + end[0]) / 2
            rise = 56.0 if end[0] - start[0] > 150 and start[1] != end[1] and self._passes(edge) else 0.0
            curve = f"C{middle:.1f} {start[1] - rise:.1f} {middle:.1f} {end[1] - rise:.1f} "
        elif not bend:
            start, end = (x1, y1 + h1), (x2, y2 - h2 - 2)
            middle = (start[1] + end[1]) / 2
            curve = f"C{start[0]:.1f} {middle:.1f} {end[0]:.1f} {middle:.1f} "
        else:
            start, end = (x1, y1 + h1), (x2, y2 + h2 + 2)
            low = max(start[1], end[1]) + bend
            curve = f"C{start[0]:.1f} {low:.1f} {end[0]:.1f} {low:.1f} "
        css = {"-.->": "edge dotted", "==>": "edge thick"}.get(edge.kind, "edge")
        both = ' marker-start="url(#tip)"' if edge.kind == "<-->" else ""
        self.over.append(
            f'<path class="{css}" d="M{start[0]:.1f} {start[1]:.1f}{curve}{end[0]:.1f} {end[1]:.1f}" '
            f'marker-end="url(#tip)"{both}/>'
        )
        if edge.label and (edge.source, edge.label) not in self.labelled:
            self.labelled.add((edge.source, edge.label))
            x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + bend * 0.75 - rise * 0.75
            self.over.append(
                svg.box(x, y, svg.width_of(edge.label) + 6, svg.height_of(edge.label), css="label")
                + svg.text(x, y, edge.label, css="on")
            )


def draw(lines: Sequence[str]) -> str:
    """Return the SVG of a flowchart or a state diagram, its first line included."""
    chart = parse(lines)
    back = _rank(chart)
    _place(chart)
    canvas = _Canvas(chart, back)
    for group in chart.groups.values():
        canvas.group(group)
    for edge in chart.edges:
        canvas.edge(edge)
    shapes = [_shape(node, *canvas.point(node)) for node in chart.nodes.values()]
    left, top, right, bottom = canvas.extent(list(chart.nodes.values()), 44)
    labels = [svg.width_of(edge.label) / 2 for edge in chart.edges if edge.label]
    left, right = left - max(labels, default=0) / 3, right + max(labels, default=0) / 3
    bottom += 40.0 * canvas.lanes if back else 0
    body = [f'<g transform="translate({-left:.1f} {-top:.1f})">', *canvas.under, *shapes, *canvas.over, "</g>"]
    return svg.document(right - left, bottom - top, body)
