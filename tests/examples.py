"""Every example that this collection documents: fenced blocks of the guides and READMEs, EXAMPLES of the modules."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.settings import CHECKOUT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\s`]*)[^`]*$")
# Tags of blocks that cannot be executed. Those in braces are directives of the site, for Sphinx.
DRAWN = frozenset({"mermaid", "text", "{toctree}", "{include}"})
EXECUTED = frozenset({"yaml", "json", "console", "shell"})


@dataclass(frozen=True, slots=True)
class Block:
    """An example. ``page``: its file, from the checkout; ``line``: where it begins, from 1."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of a block, in words, without its comments and the variables that are set for it alone."""

    block: Block
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.block}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """What readers are given. Files of the guides, and the READMEs."""
    folders = (CHECKOUT / "docs").glob("*.md")
    readmes = (CHECKOUT / "roles").glob("*/README.md")
    alone = (CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "tests" / "lab" / "README.md")
    return sorted({*folders, *readmes, *alone})


def blocks() -> list[Block]:
    """The fenced blocks of all pages. ValueError for one that is not closed."""
    return [block for page in pages() for block in _fenced(page)]


def _fenced(page: Path) -> Iterator[Block]:
    name = str(page.relative_to(CHECKOUT))
    opened: tuple[int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence is None:
            inside.append(line)
        elif opened is None:
            opened, inside = (number, fence["language"]), []
        else:
            yield Block(name, opened[0], opened[1], textwrap.dedent("\n".join(inside)) + "\n")
            opened = None
    if opened is not None:
        raise ValueError(f"{name}:{opened[0]}: the block is not closed")


def module_examples() -> dict[str, list[dict[str, Any]]]:
    """The tasks in the EXAMPLES of every module of the collection, by the module's name."""
    found = {}
    for source in sorted((CHECKOUT / "plugins" / "modules").glob("[a-z]*.py")):
        for statement in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "EXAMPLES":
                found[source.stem] = yaml.safe_load(ast.literal_eval(statement.value))
    return found


def commands() -> list[Command]:
    """All command lines of the blocks that are tagged as a terminal's, and those in the running text."""
    terminals = [block for block in blocks() if block.language in {"console", "shell"}]
    return [Command(block, words) for block in [*terminals, *_inline()] for words in _lines(block.text)]


def _inline() -> Iterator[Block]:
    """Command lines in the running text. One with an ellipsis is a manner of speaking."""
    for page in pages():
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for message in re.findall(r"`(ansible-(?:playbook|rulebook|inventory) [^`…]+)`", line):
                yield Block(str(page.relative_to(CHECKOUT)), number, "console", message)


def _lines(text: str) -> Iterator[tuple[str, ...]]:
    """Command lines, where a quotation or a backslash may go over several; what follows ``&&`` is one of its own."""
    lexer = shlex.shlex(text.replace("\\\n", " ").replace("\n", " \n "), posix=True, punctuation_chars="&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    comment = False
    for word in [*lexer, "\n"]:
        if word.startswith(("\n", "&&")):
            while words and re.match(r"[A-Z_]+=", words[0]):
                words.pop(0)
            if words:
                yield tuple(words)
            words, comment = [], False
        elif comment or word.startswith("#"):
            comment = True
        else:
            words.append(word)
