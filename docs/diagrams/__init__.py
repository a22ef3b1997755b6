"""Sphinx extension: draws the ``mermaid`` blocks of the guides as SVG when the site is built.

GitHub draws the same blocks itself. The site must work without a network, so no script draws them in the browser.
Only the parts of mermaid that the guides use are known: flowcharts, sequence diagrams and state diagrams.
Anything else is an error.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import flow, sequence


def draw(text: str) -> str:
    """Return the SVG of a diagram. Raises ValueError that names the line which is not understood."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("%%")]
    kind = lines[0].split()[0]
    if kind == "sequenceDiagram":
        return sequence.draw(lines[1:])
    if kind in ("flowchart", "stateDiagram-v2"):
        return flow.draw(lines)
    raise ValueError(f"unknown kind of diagram: {lines[0]}")


class Diagram(SphinxDirective):
    """The content is a mermaid diagram."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            svg = draw("\n".join(self.content))
        except ValueError as error:
            raise self.error(f"diagram: {error}") from error
        return [nodes.raw("", f'<div class="diagram">{svg}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("mermaid", Diagram)
    app.add_css_file("diagrams.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
