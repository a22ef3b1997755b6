"""Every role says what it takes, and its defaults are those it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[3] / "roles").iterdir() if path.is_dir())
ABSENT = object()


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text()) or {} if path.exists() else {}


def options(role: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


def of_all_entry_points(role: Path) -> set[str]:
    entries = load(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    return {name for entry in entries for name in entry["options"]}


def test_there_are_roles() -> None:
    assert {"autoscale", "ha_failover", "ha_pair", "node_bootstrap", "report"} <= {role.name for role in ROLES}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_those_of_the_specification(role: Path) -> None:
    """One that is a template may be told in words instead: the schema of the specification checks types."""
    defaults = load(role / "defaults" / "main.yml")
    specified = {name: option.get("default", ABSENT) for name, option in options(role).items()}
    assert set(defaults) <= set(specified)
    with_default = {name: value for name, value in specified.items() if value is not ABSENT}
    reported = {name for name, value in defaults.items() if "{{" in str(value)} - set(with_default)
    assert with_default == {name: value for name, value in defaults.items() if name not in reported}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_variables_carry_the_name_of_the_role(role: Path) -> None:
    foreign = [name for name in options(role) if not name.startswith(f"{role.name}_")]
    internal = [name for name in load(role / "vars" / "main.yml") if not name.startswith(f"__{role.name}_")]
    assert (foreign, internal) == ([], [])


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_described_and_in_the_readme(role: Path) -> None:
    readme = (role / "README.md").read_text()
    for name, option in options(role).items():
        assert option.get("description"), name
        assert "type" in option, name
        assert f"`{name}`" in readme, f"{name} is not in the README"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_is_secret_is_not_logged(role: Path) -> None:
    secret = re.compile(r"password|secret|(?<!http_)token|passphrase")
    shown = [name for name, option in options(role).items() if secret.search(name) and not option.get("no_log")]
    assert shown == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_variable_is_used_that_is_not_specified(role: Path) -> None:
    """A typing error in a variable's name would go unnoticed where a default is at hand."""
    text = "\n".join(path.read_text() for part in ("tasks", "vars") for path in (role / part).glob("*.yml"))
    known = of_all_entry_points(role) | set(load(role / "vars" / "main.yml"))
    known |= set(re.findall(r"(?:register|loop_var|index_var): (\w+)", text))
    known |= set(re.findall(rf"^\s+(_*{role.name}_\w+):", text, re.MULTILINE))
    used = set(re.findall(rf"(?<!cloudadc\.aws\.)\b_*{role.name}_\w+\b", text))  # a module is no variable
    assert used - known - {f"{role.name}_"} == set()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_secret_has_a_default_in_the_specification(role: Path) -> None:
    """Ansible prints the specification, its defaults filled in, when another argument does not validate."""
    assert [name for name, option in options(role).items() if option.get("no_log") and "default" in option] == []
