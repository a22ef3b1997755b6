"""Every example in the documentation of a module is one that the module accepts."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator

from ansible_collections.cloudadc.aws.plugins import modules

COLLECTION = "cloudadc.aws."
MODULES = sorted(path.stem for path in Path(next(iter(modules.__path__))).glob("*.py") if path.stem != "__init__")
# What a template would become, by the type of the option it stands for.
FILLED: dict[str, Any] = {"int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}}


class Caught(Exception):
    """Ends a module where it would begin to work; holds what it gave to AnsibleModule."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__("caught")
        self.spec = spec


def load(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.cloudadc.aws.plugins.modules.{name}")


def specification(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the module tells AnsibleModule: the argument spec and the rules between options."""

    def catch(_self: object, argument_spec: dict[str, Any], **rules: Any) -> None:
        raise Caught({"argument_spec": argument_spec, **rules})

    monkeypatch.setattr(basic.AnsibleModule, "__init__", catch)
    with pytest.raises(Caught) as caught:
        load(name).main()
    rules = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    return {key: caught.value.spec.get(key) for key in ("argument_spec", *rules)}


def filled(options: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Return the options with every template replaced by a value of its option's type."""
    return {name: _filled(value, spec.get(name, {})) for name, value in options.items()}


def _filled(value: Any, option: dict[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        return (option.get("choices") or [FILLED.get(option.get("type", "str"), "filled")])[0]
    inner = option.get("options", {})
    if isinstance(value, dict) and inner:
        return filled(value, inner)
    if isinstance(value, list):
        element = {"type": option.get("elements", "str"), "options": inner}
        return [_filled(entry, element) for entry in value]
    return value


def tasks(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tasks of a list of tasks or of plays, those in blocks included."""
    found = []
    for entry in entries:
        inner = [task for key in ("tasks", "block", "rescue", "always", "pre_tasks") for task in entry.get(key, [])]
        found += tasks(inner) if inner else [entry]
    return found


def complaints(name: str, spec: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """Return what Ansible, and the module for each appliance (``NEEDS``), find wrong with these options."""
    found = list(ModuleArgumentSpecValidator(**spec).validate(options).error_messages)
    needs = getattr(load(name), "NEEDS", None)
    defaults = {option: rules.get("default") for option, rules in spec["argument_spec"].items()}
    entries = options.get("nodes")
    for entry in entries if isinstance(entries, list) else [{}]:
        missing = needs.unmet({**defaults, **options, **entry}) if needs else None
        found += [missing] if missing else []
    return found


@pytest.mark.parametrize("name", MODULES)
def test_every_example_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = specification(name, monkeypatch)
    examples = [task for task in tasks(yaml.safe_load(load(name).EXAMPLES)) if COLLECTION + name in task]
    assert examples, "a module is documented with at least one example of its own"
    for task in examples:
        options = filled(task[COLLECTION + name] or {}, spec["argument_spec"])
        for option, rules in spec["argument_spec"].items():
            if rules.get("fallback") and rules.get("required"):
                options.setdefault(option, "from the environment")
        assert not complaints(name, spec, options), f"{task['name']}: {complaints(name, spec, options)}"


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) >= 10


def test_a_wrong_example_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = specification("vpx_application", monkeypatch)
    for options in ({"nsip": "a", "name": "web"}, {"nsip": "a", "name": "web", "state": "absent", "prot": "HTTP"}):
        assert complaints("vpx_application", spec, options)
