"""Prints the page about the event sources, from the DOCUMENTATION in their heads.

antsibull-docs and ansible-doc do not know this kind of plugin.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from antsibull_docs_parser import dom
from antsibull_docs_parser.parser import Context, parse
from antsibull_docs_parser.rst import to_rst_plain


def documentation(source: Path) -> dict[str, Any]:
    """The DOCUMENTATION of a plugin, read without importing it. KeyError if it has none."""
    for statement in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "DOCUMENTATION":
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(statement.value))
            return found
    raise KeyError(f"{source} has no DOCUMENTATION")


def message(text: str | list[str]) -> list[str]:
    """Paragraphs of Ansible's markup, as reStructuredText."""
    plain = dom.PluginIdentifier(fqcn="", type="")
    paragraphs = parse(text, Context(current_plugin=None), errors="exception")
    # Not :envvar: — environment variables of event sources are described nowhere but here.
    return [to_rst_plain([one], current_plugin=plain).replace(":envvar:", ":literal:") for one in paragraphs]


def indented(lines: list[str], by: int) -> Iterator[str]:
    for line in lines:
        yield from (" " * by + part if part else "" for part in line.splitlines())


def options(of: dict[str, Any]) -> Iterator[str]:
    """A definition list: name, type, and what it is for."""
    for name, option in of.items():
        kind = option.get("type", "str") + (f" of {option['elements']}" if "elements" in option else "")
        facts = [kind, "required"] if option.get("required") else [kind]
        if "default" in option:
            facts.append(f"default ``{option['default']}``")
        if "choices" in option:
            facts.append("one of " + ", ".join(f"``{choice}``" for choice in option["choices"]))
        yield f"``{name}`` ({'; '.join(facts)})"
        yield from indented(["\n\n".join(message(option["description"]))], 2)
        yield ""


def page(folder: Path) -> Iterator[str]:
    """The page, line by line. Every source of the folder is in it."""
    title = "Event sources"
    yield from (title, "=" * len(title), "")
    yield "Arguments and events of the event sources of this collection, for authors of rulebooks."
    yield from (":doc:`../event-driven` says when to use them.", "")
    for source in sorted(folder.glob("*.py")):
        about = documentation(source)
        name = f"cloudadc.aws.{source.stem}"
        yield from (name, "-" * len(name), "", *message(about["short_description"]), "")
        for paragraph in message(about["description"]):
            yield from (paragraph, "")
        yield from ("Arguments", "~" * 9, "", *options(about["options"]))
        if about.get("notes"):
            yield from ("Events", "~" * 6, "")
            for note in message(about["notes"]):
                yield f"- {note}"
            yield ""


def main() -> None:
    print("\n".join(page(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
