"""The files in which AWX is described, as a test reads them: plain YAML, Jinja not evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lab.settings import CHECKOUT

DATA = CHECKOUT / "playbooks" / "vars" / "controller"
PROJECT = CHECKOUT / "extensions" / "controller" / "project"


class _Loader(yaml.SafeLoader):
    """YAML as Ansible reads it: ``!unsafe`` is a string in which Jinja means nothing to Ansible."""


def _as_it_is(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("!unsafe", _as_it_is)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def variables() -> dict[str, Any]:
    """All variables of all files."""
    return {name: value for path in sorted(DATA.glob("*.yml")) for name, value in load(path).items()}


def playbooks() -> dict[str, str]:
    """Playbooks of the project by file name, and what each imports."""
    return {path.name: load(path)[0]["ansible.builtin.import_playbook"] for path in sorted(PROJECT.glob("*.yml"))}
