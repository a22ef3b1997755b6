"""Every example of the documentation is taken apart and checked against what it is an example of.

What a lab can carry out is carried out in tests/integration/docs; here nothing is left out, whatever it is.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from antsibull_changelog.config import DEFAULT_SECTIONS
from botocore.validate import ParamValidator

from tests import examples
from tests.examples import Block, Command
from tests.lab.settings import CHECKOUT

OURS = "cloudadc.aws."
BLOCKS = examples.blocks()
COMMANDS = examples.commands()
CHECKS = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
# Keywords of a task that are not its module.
KEYWORDS = {"name", "register", "when", "loop", "loop_control", "vars", "check_mode", "changed_when", "failed_when"} | {
    "delegate_to"
}


class Stop(Exception):
    """A module has said what it takes, and need not go on."""


@cache
def taken_by(module: str) -> dict[str, Any]:
    """What ``module`` (namespace.collection.name) hands to AnsibleModule: its argument specification and the checks."""
    namespace, collection, name = module.split(".")
    accepted: dict[str, Any] = {}

    def listen(_self: Any, argument_spec: dict[str, Any], **more: Any) -> None:
        accepted.update(more, argument_spec=argument_spec)
        raise Stop

    found = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{name}")
    with patch.object(basic.AnsibleModule, "__init__", listen), pytest.raises(Stop):
        found.main()
    return accepted


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def loosened(spec: dict[str, Any], given: Any) -> dict[str, Any]:
    """Return the specification for these values: where a template stands, nothing is known of the type it will have."""
    spec = copy.deepcopy(spec)
    for entry in given if isinstance(given, list) else [given]:
        for name, value in entry.items() if isinstance(entry, dict) else ():
            option = spec.get(name, {})
            if is_template(value) or (isinstance(value, list) and any(map(is_template, value))):
                spec[name] = {key: option[key] for key in ("required", "aliases", "no_log") if key in option}
                spec[name]["type"] = "raw"
            elif option.get("options"):
                option["options"] = loosened(option["options"], value)
    return spec


def problems(spec: dict[str, Any], given: dict[str, Any], **checks: Any) -> list[str]:
    validator = ArgumentSpecValidator(loosened(spec, given), **checks)
    return list(validator.validate(copy.deepcopy(given)).error_messages)


@cache
def role_options(role: str) -> dict[str, Any]:
    specs = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    found: dict[str, Any] = specs["argument_specs"]["main"]["options"]
    return found


@cache
def all_options() -> dict[str, Any]:
    """Return the variables of all roles: playbooks of a group share theirs."""
    roles = sorted(path.name for path in (CHECKOUT / "roles").iterdir())
    return {name: option for role in roles for name, option in role_options(role).items()}


def partial(options: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """For a piece of a file of variables: what is there must be right, not all is."""
    return {name: options[name] for name in given}


def task_problems(task: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    """Return what is wrong with the arguments of one task. ``defaults``: module_defaults, by action group."""
    [action] = set(task) - KEYWORDS
    if action.startswith("ansible.builtin."):
        return []  # actions of Ansible's own, which the syntax check knows
    accepted = taken_by(action)
    given = dict(task[action])
    for group in ("nitro", "aws") if action.startswith(OURS) else ():
        known = defaults.get(f"group/{OURS}{group}", {})
        given = {name: value for name, value in known.items() if name in accepted["argument_spec"]} | given
    checks = {name: accepted.get(name) for name in CHECKS}
    return [f"{action}: {message}" for message in problems(accepted["argument_spec"], given, **checks)]


def play_problems(play: dict[str, Any]) -> list[str]:
    """Return what is wrong with a play: arguments of its tasks, variables of its roles."""
    if "ansible.builtin.import_playbook" in play:
        name = play["ansible.builtin.import_playbook"].removeprefix(OURS)
        return [] if (CHECKOUT / "playbooks" / f"{name}.yml").exists() else [f"there is no playbook {name}"]
    tasks = [*play.get("tasks", []), *play.get("post_tasks", [])]
    wrong = [text for task in tasks for text in task_problems(task, play.get("module_defaults", {}))]
    for role in play.get("roles", []):
        name = role["role"].removeprefix(OURS)
        given = {key: value for key, value in role.items() if key != "role"}
        given |= given.pop("vars", {})
        needs = role_options(name) if "vars_files" not in play else partial(role_options(name), given)
        wrong += [f"role {name}: {message}" for message in problems(needs, given)]
    return wrong


def variables_problems(given: dict[str, Any]) -> list[str]:
    return problems(partial(all_options(), given), given)


def inventory_problems(given: dict[str, Any], tmp_path: Path) -> list[str]:
    """Ansible itself reads it."""
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump(given))
    run = subprocess.run(
        [_bin("ansible-inventory"), "-i", str(path), "--list"], capture_output=True, text=True, env=ENV, check=False
    )
    return [] if run.returncode == 0 and "shop-a" in run.stdout and "WARNING" not in run.stderr else [run.stderr]


def yaml_problems(document: Any, tmp_path: Path) -> list[str]:
    """By what the document is. KeyError with its form if it is nothing that is known."""
    match document:
        case [{"hosts": _} | {"ansible.builtin.import_playbook": _}, *_]:
            return [text for play in document for text in play_problems(play)]
        case [{"name": _}, *_]:
            return [text for task in document for text in task_problems(task, {})]
        case {"AWSTemplateFormatVersion": _, "Resources": resources}:
            return [name for name, one in resources.items() if not one["Type"].startswith("AWS::")]
        case {"all": _}:
            return inventory_problems(document, tmp_path)
        case {**keys} if keys and set(keys) <= set(all_options()):
            return variables_problems(document)
        case {**keys} if keys and all(str(key).startswith("cloudadc_awx_") for key in keys):
            settings = (CHECKOUT / "playbooks" / "vars" / "controller" / "settings.yml").read_text()
            return [f"{key} is no setting" for key in keys if f"{key}:" not in settings]
        case {**keys} if keys and set(keys) <= {section for section, _title in DEFAULT_SECTIONS}:
            return []
    raise KeyError(f"an example of nothing that is known: {str(document)[:200]}")


def _bin(name: str) -> str:
    return str(Path(sys.executable).parent / name)


ENV = os.environ | {
    "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".tree"),
    "ANSIBLE_NOCOLOR": "1",
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
}


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def test_every_block_has_a_tag_that_says_what_becomes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    known = examples.DRAWN | examples.EXECUTED
    assert [f"{block}: {block.language or 'no tag'}" for block in BLOCKS if block.language not in known] == []
    tags = Counter(block.language for block in BLOCKS)
    tasks = sum(map(len, examples.module_examples().values()))
    with capsys.disabled():
        accepted = ", ".join(f"{count} {tag}" for tag, count in sorted(tags.items()))
        print(f"\nexamples: {accepted}; {len(COMMANDS)} command lines; {tasks} tasks of modules")


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_yaml_examples_parse(block: Block, tmp_path: Path) -> None:
    assert yaml_problems(yaml.safe_load(block.text), tmp_path) == []


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_examples_parse(block: Block) -> None:
    document = json.loads(block.text)
    if "Statement" in document:
        for statement in document["Statement"]:
            assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in statement["Action"]), statement
    else:
        from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record

        assert Record.from_json(document).to_json() == document


@pytest.mark.parametrize("module", sorted(examples.module_examples()))
def test_examples_of_a_module(module: str) -> None:
    tasks = examples.module_examples()[module]
    assert any(f"{OURS}{module}" in task for task in tasks)
    assert [text for task in tasks for text in task_problems(task, {})] == []


def test_every_module_has_examples() -> None:
    there = {path.stem for path in (CHECKOUT / "plugins" / "modules").glob("[a-z]*.py")}
    assert set(examples.module_examples()) == there


def test_ansible_reads_every_play_and_task(tmp_path: Path) -> None:
    """One syntax check over all of them: keywords, modules that exist, roles that exist."""
    plays: list[dict[str, Any]] = []
    for block in of("yaml"):
        match yaml.safe_load(block.text):
            case [{"hosts": _} | {"ansible.builtin.import_playbook": _}, *_] as found:
                plays += [{key: value for key, value in play.items() if key != "vars_files"} for play in found]
            case [{"name": _}, *_] as tasks:
                plays.append({"name": str(block), "hosts": "localhost", "tasks": tasks})
    for module, tasks in examples.module_examples().items():
        plays.append({"name": module, "hosts": "localhost", "tasks": tasks})
    assert len(plays) > 30
    path = tmp_path / "all.yml"
    path.write_text(yaml.safe_dump(plays, sort_keys=False))
    asked = [_bin("ansible-playbook"), "--syntax-check", "-i", "localhost,", str(path)]
    run = subprocess.run(asked, capture_output=True, text=True, env=ENV, check=False)
    assert run.returncode == 0, run.stderr


def playbook_words(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Options of ansible-playbook, as (option, value)."""
    valued = {"-e", "-i", "--forks", "--inventory"}
    rest = iter(words)
    for word in rest:
        yield (word, next(rest, "")) if word in valued else (word, "")


def extra_variables(value: str) -> dict[str, Any]:
    """Return what ``-e`` sets; nothing for a file."""
    if value.startswith("@"):
        return {}
    if value.startswith("{"):
        found: dict[str, Any] = json.loads(value)
        return found
    name, _equals, text = value.partition("=")
    return {name: text}


def check_playbook(words: tuple[str, ...]) -> None:
    names = [word for word, _value in playbook_words(words) if word.startswith(OURS)]
    assert len(names) == 1
    playbook = CHECKOUT / "playbooks" / f"{names[0].removeprefix(OURS)}.yml"
    assert playbook.exists()
    for option, value in playbook_words(words):
        assert option in {names[0], "-e", "-i", "--forks", "--check", "--diff"}
        if option == "-e" and not value.startswith("@"):
            given = extra_variables(value)
            ours = {name: text for name, text in given.items() if name in all_options()}
            assert variables_problems(ours) == []
            assert all(name in ours or name in playbook.read_text() for name in given), given


def check_rulebook(words: tuple[str, ...]) -> None:
    named = [value for option, value in pairwise(words) if option in {"--rulebook", "-r"}]
    [name] = named
    assert (CHECKOUT / "extensions" / "eda" / "rulebooks" / f"{name.removeprefix(OURS)}.yml").exists()


def check_aws(words: tuple[str, ...]) -> None:
    """By the model that the command line itself has of its calls."""
    service, operation = words[0], words[1].title().replace("-", "")
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    given = {}
    for option, value in zip(words[2::2], words[3::2], strict=False):
        if option.startswith("--"):
            name = option[2:].title().replace("-", "")
            assert name in shape.members
            if value.startswith("file://"):
                assert (CHECKOUT / value.removeprefix("file://")).exists()
            given[name] = json.loads(value) if value.startswith(("[", "{")) else value
    assert ParamValidator().validate(given, shape).generate_report() == ""


def check_inventory(words: tuple[str, ...]) -> None:
    assert words[0] == "-i"
    assert (CHECKOUT / words[1]).exists()


def check_make(words: tuple[str, ...]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert words
    assert set(words) <= targets


def check_galaxy(words: tuple[str, ...]) -> None:
    assert words[:2] in {("collection", "install"), ("collection", "build")}


def check_builder(words: tuple[str, ...]) -> None:
    assert words[0] == "build"
    files = [value for option, value in pairwise(words) if option == "--file"]
    assert [name for name in files if not (CHECKOUT / name).exists()] == []


def check_python(words: tuple[str, ...]) -> None:
    """The lab's command, or an event source by hand with the arguments that its documentation has."""
    if words[0] == "-m":
        assert words[1] == "tests.lab"
        assert words[2] in {"up", "status", "down"}
        return
    source = CHECKOUT / words[0]
    [text] = re.findall(r'^DOCUMENTATION = r"""(.*?)"""', source.read_text(), re.MULTILINE | re.DOTALL)
    assert set(json.loads(words[1])) <= set(yaml.safe_load(text)["options"])


def check_file(words: tuple[str, ...]) -> None:
    assert words[0] in {".venv/bin/activate", ".lab/env"}


def check_pip(words: tuple[str, ...]) -> None:
    desired = (CHECKOUT / "tests" / "requirements.txt").read_text()
    assert words[0] == "install"
    assert all(name in desired for name in words[1:])


def check_export(words: tuple[str, ...]) -> None:
    assert all(re.match(r"[A-Z_]+=.", word) for word in words)


BY_PROGRAM = {
    "ansible-playbook": check_playbook,
    "ansible-rulebook": check_rulebook,
    "ansible-inventory": check_inventory,
    "ansible-galaxy": check_galaxy,
    "ansible-builder": check_builder,
    "aws": check_aws,
    "make": check_make,
    "python": check_python,
    "pip": check_pip,
    "export": check_export,
    "source": check_file,
    ".": check_file,
}


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_command_lines(command: Command) -> None:
    BY_PROGRAM[command.words[0]](command.words[1:])


def messages() -> list[str]:
    """Return what the table of messages quotes."""
    text = (CHECKOUT / "docs" / "operations.md").read_text()
    table = text[text.index("| the message has |") : text.index("## Leases")]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    return [quoted for cell in cells for quoted in re.findall(r"`([^`]+)`", cell)]


# Said by AWS, and by the appliance through the sentence "answered <code>".
OF_OTHERS = {"AddressLimitExceeded", "InsufficientInstanceCapacity", "AccessDenied"}
OF_OTHERS |= {"AWS answered UnauthorizedOperation", "answered 354", "answered 356", "add hanode"}


def test_messages_that_operators_look_up_are_said_somewhere() -> None:
    accepted = "".join(
        re.sub(r'"\s+f?"|\s+', " ", path.read_text())
        for part in ("plugins", "roles")
        for path in sorted((CHECKOUT / part).rglob("*"))
        if path.suffix in {".py", ".yml"}
    )
    ours = [text for text in messages() if text not in OF_OTHERS]
    assert len(ours) >= 10
    assert [text for text in ours if text not in accepted] == []
