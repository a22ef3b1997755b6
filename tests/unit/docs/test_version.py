"""The version of the collection is the same wherever it stands, and no option is newer than it."""

from __future__ import annotations

import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).parents[3]
VERSION: str = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["version"]
ADDED = re.compile(r"""^\s*version_added: ["']?([\d.]+)""", re.MULTILINE)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_execution_environment_installs_this_version() -> None:
    named = re.findall(r"cloudadc-aws-([\d.]+)\.tar\.gz", (ROOT / "execution-environment.yml").read_text("utf-8"))
    assert set(named) == {VERSION}


def test_nothing_was_added_in_a_later_version() -> None:
    files = [path for folder in ("plugins", "roles", "extensions") for path in (ROOT / folder).rglob("*.[py]*")]
    added = {
        version
        for path in files
        if path.suffix in (".py", ".yml")
        for version in ADDED.findall(path.read_text("utf-8"))
    }
    assert added
    assert max(map(numbers, added)) <= numbers(VERSION)
