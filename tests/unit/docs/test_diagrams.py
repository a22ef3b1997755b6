"""The diagrams of the guides, drawn without a script and without a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[3] / "docs"
sys.path.insert(0, str(DOCS))

from diagrams import draw

BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(re.findall(r"```mermaid\n(.*?)```", page.read_text(encoding="utf-8"), re.S))
]


def words(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg)
    return {part.text or "" for part in root.iter("{http://www.w3.org/2000/svg}tspan")}


def test_the_guides_have_diagrams() -> None:
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("block", BLOCKS)
def test_every_label_of_a_diagram_is_drawn(block: str) -> None:
    quoted = re.findall(r'"([^"]*)"', block) + re.findall(r"(?:participant \w+ as|\w+\s*--?>>\s*\w+:) (.*)", block)
    expected = {line.strip() for label in quoted for line in re.split(r"<br/>", label)}
    assert expected <= words(draw(block))


@pytest.mark.parametrize(
    "text", ["pie\n a", "sequenceDiagram\n participant A as a\n A ~~ A", "flowchart LR\n a --> ((("]
)
def test_unknown_syntax_is_an_error_and_no_empty_picture(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        draw(text)
