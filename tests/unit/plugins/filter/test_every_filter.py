"""Every filter is documented beside its code, and its imports do not load libraries that speak to others."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FILTERS = Path(__file__).parents[4] / "plugins" / "filter"
FILES = sorted(path for path in FILTERS.glob("*.py") if path.name != "__init__.py")
PACKAGE = "ansible_collections.cloudadc.aws.plugins.filter"
PURE = {"core", "spec", "scaling", "reconcile", "distributors", "topologies"}

# A process for each file: what another test has imported must not count.
_LOADED = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
utils = "ansible_collections.cloudadc.aws.plugins.module_utils."
print(json.dumps({
    "libraries": sorted({"boto3", "botocore", "requests", "urllib3"} & set(sys.modules)),
    "rooms": sorted({name.removeprefix(utils).split(".")[0] for name in sys.modules if name.startswith(utils)}),
    "filters": sorted(module.FilterModule().filters()),
}))
"""


@functools.cache
def loaded(name: str) -> dict[str, Any]:
    command = [sys.executable, "-c", _LOADED, f"{PACKAGE}.{name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_there_are_filters() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_filter_loads_nothing_that_speaks_to_others(path: Path) -> None:
    assert loaded(path.stem)["libraries"] == []
    assert set(loaded(path.stem)["rooms"]) <= PURE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_filter_has_its_documentation_beside_it(path: Path) -> None:
    for name in loaded(path.stem)["filters"]:
        documented = yaml.safe_load((FILTERS / f"{name}.yml").read_text())
        assert documented["DOCUMENTATION"]["name"] == name
        assert documented["DOCUMENTATION"]["version_added"] == "0.2.0"
        assert {"EXAMPLES", "RETURN"} <= set(documented)


def test_no_documentation_is_left_of_a_filter_that_is_gone() -> None:
    names = {name for path in FILES for name in loaded(path.stem)["filters"]}
    assert {path.stem for path in FILTERS.glob("*.yml")} == names
