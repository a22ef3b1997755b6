"""Every filter is documented beside its code, and its imports do not load libraries that speak to others."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FILTERS = Path(__file__).parents[4] / "plugins" / "filter"
FILES = sorted(path for path in FILTERS.glob("*.py") if path.name != "__init__.py")
PACKAGE = "ansible_collections.cloudadc.aws.plugins.filter"

_LOADED = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(sorted({"boto3", "botocore", "requests", "urllib3"} & set(sys.modules)))
utils = "ansible_collections.cloudadc.aws.plugins.module_utils."
rooms = {name.removeprefix(utils).split(".")[0] for name in sys.modules if name.startswith(utils)}
print(sorted(rooms - {"core", "spec", "scaling", "reconcile"}))
"""


def test_there_are_filters() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_filter_loads_nothing_that_speaks_to_others(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, f"{PACKAGE}.{path.stem}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["[]", "[]"]), done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_filter_has_its_documentation_beside_it(path: Path) -> None:
    module = importlib.import_module(f"{PACKAGE}.{path.stem}")
    for name in module.FilterModule().filters():
        documented = yaml.safe_load((FILTERS / f"{name}.yml").read_text())
        assert documented["DOCUMENTATION"]["name"] == name
        assert documented["DOCUMENTATION"]["version_added"] == "0.2.0"
        assert {"EXAMPLES", "RETURN"} <= set(documented)


def test_no_documentation_is_left_of_a_filter_that_is_gone() -> None:
    names = {
        name for path in FILES for name in importlib.import_module(f"{PACKAGE}.{path.stem}").FilterModule().filters()
    }
    assert {path.stem for path in FILTERS.glob("*.yml")} == names
