"""Rulebooks against ansible-rulebook's own schema, and against what sources and playbooks take."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.settings import ARGUMENTS as WATCH
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.settings import ARGUMENTS as TICKS
from tests.lab.settings import CHECKOUT

EDA = CHECKOUT / "extensions" / "eda"
RULEBOOKS = sorted((EDA / "rulebooks").glob("*.yml"))
SOURCES = sorted((EDA / "plugins" / "event_source").glob("*.py"))
ARGUMENTS = {"cloudadc.aws.ha_watch": WATCH, "cloudadc.aws.autoscale_ticks": TICKS}


def rulesets(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return found


def string_of(path: Path, name: str) -> Any:
    """Return what a source's DOCUMENTATION or EXAMPLES holds; the file itself is not run."""
    text = path.read_text()
    start = text.index(f'{name} = r"""') + len(f'{name} = r"""')
    return yaml.safe_load(text[start : text.index('"""', start)])


def uses(rulebook: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Each source of a rulebook with its arguments."""
    entries = [source for ruleset in rulebook for source in ruleset["sources"]]
    return [(name, args) for entry in entries for name, args in entry.items() if name not in ("name", "filters")]


def test_there_are_some() -> None:
    assert [path.stem for path in RULEBOOKS] == ["autoscale", "ha_failover"]
    assert [f"cloudadc.aws.{path.stem}" for path in SOURCES] == sorted(ARGUMENTS)


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_ansible_rulebook_would_take_it(path: Path) -> None:
    package = importlib.util.find_spec("ansible_rulebook")
    assert package is not None
    assert package.origin is not None
    schema = json.loads((Path(package.origin).parent / "schema" / "ruleset_schema.json").read_text())
    jsonschema.validate(rulesets(path), schema)


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_sources_know_the_arguments_they_get(path: Path) -> None:
    for name, args in uses(rulesets(path)):
        assert set(args) <= ARGUMENTS[name]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_examples_are_rulebooks_with_known_arguments(path: Path) -> None:
    found = uses(string_of(path, "EXAMPLES"))
    assert [name for name, _args in found] == [f"cloudadc.aws.{path.stem}"]
    [(name, args)] = found
    assert set(args) <= ARGUMENTS[name]
    options = string_of(path, "DOCUMENTATION")["options"]
    assert set(options) == ARGUMENTS[name]
    assert {option for option, about in options.items() if about.get("required")} <= set(args)


def actions(path: Path) -> list[dict[str, Any]]:
    return [rule["action"] for ruleset in rulesets(path) for rule in ruleset["rules"]]


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_what_changes_something_holds_a_lock_that_means_something(path: Path) -> None:
    plays = [action["run_playbook"] for action in actions(path) if "run_playbook" in action]
    assert plays
    for play in plays:
        assert (CHECKOUT / "playbooks" / f"{play['name'].removeprefix('cloudadc.aws.')}.yml").is_file()
        assert "{{ event.group }}" in play["lock"]
    assert all(ruleset["execution_strategy"] == "parallel" for ruleset in rulesets(path)), "else locks are ignored"


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_the_role_knows_the_variables_it_gets(path: Path) -> None:
    [play] = [action["run_playbook"] for action in actions(path) if "run_playbook" in action]
    specs = yaml.safe_load((CHECKOUT / "roles" / path.stem / "meta" / "argument_specs.yml").read_text())
    assert set(play["extra_vars"]) <= set(specs["argument_specs"]["main"]["options"])
