"""The documentation of a module names the action groups that it is in."""

from __future__ import annotations

import ast
import pathlib
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.doc_fragments.attributes import ModuleDocFragment

ROOT = pathlib.Path(__file__).parents[4]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
GROUPS: dict[str, Any] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text("utf-8"))["action_groups"]
FRAGMENT = "cloudadc.aws.attributes."


def members(group: str) -> set[str]:
    """Return the modules of an action group, with those of groups that extend it."""
    extended = [each["metadata"]["extend_group"] for each in GROUPS[group] if isinstance(each, dict)]
    others = [members(name.rpartition(".")[2]) for names in extended for name in names]
    return {each for each in GROUPS[group] if isinstance(each, str)}.union(*others)


def documented(path: pathlib.Path) -> set[str]:
    """Return the action groups that a module's own attributes or its document fragments name."""
    assigned = {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    doc = yaml.safe_load(assigned["DOCUMENTATION"])
    fragments = [name.removeprefix(FRAGMENT).upper() for name in doc.get("extends_documentation_fragment", [])]
    given = [yaml.safe_load(getattr(ModuleDocFragment, name, "{}")).get("attributes", {}) for name in fragments]
    given.append(doc.get("attributes", {}))
    found = [each["action_group"]["membership"] for each in given if "action_group" in each]
    return {name.rpartition(".")[2] for name in found[-1]} if found else set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_documents_the_action_groups_that_it_is_in(path: pathlib.Path) -> None:
    assert documented(path) == {group for group in GROUPS if path.stem in members(group)}
