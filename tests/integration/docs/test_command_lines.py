"""The command lines of the documentation, typed into a terminal beside the lab.

Files that they name hold the lab's variables, zones are the lab's; the rest is as it is written. ``DOCS=all`` types
every line that differs from the others. Without it, one of each playbook of a pair, and a group in check mode, because
building one takes longer than all of these; tests/integration/playbooks and Molecule build groups with the same
playbooks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import examples
from tests.examples import Command
from tests.lab.client import LabClient
from tests.lab.settings import CHECKOUT
from tests.modules import run_module

OURS = "cloudadc.aws."
PAIR = ("ha_pair", "ha_failover", "preflight", "status")
GROUP = ("autoscale_group", "application", "autoscale", "scale_out", "scale_in", "report", "alarms")
EVENT = "adc-20260301T100600Z-1-fbe8f416f8b8"
ZONE = "eu-central-1a"
ADOPTED = "docs/from-playbooks.md"
# Programs and playbooks whose lines are carried out elsewhere, and where.
ELSEWHERE = {
    "rights": "tests/integration/playbooks/test_rights.py runs it as an administrator",
    "controller": "tests/integration/controller loads a fake of the API with it",
    "upgrade": "tests/integration/playbooks/test_ha_pair_states.py upgrades pairs, test_group_lost.py replaces nodes",
    "backup": "tests/integration/playbooks/test_config_backup.py stores backups",
    "restore": "tests/integration/playbooks/test_config_backup.py restores a pair that was lost",
    "ansible-rulebook": "tests/integration/eda runs both rulebooks",
    "ansible-inventory": "tests/integration/eda asks the lab with the sample",
    "ansible-galaxy": "make build builds and installs the collection",
    "ansible-builder": "make build creates the context; the image needs a container engine",
    "aws": "the command line tool is not installed; unit tests hold its arguments against its model",
    "make": "targets of the Makefile; demo, docs and test are too long for a test",
    "python": "the lab's own tests start it; tests/integration/eda starts the event sources",
    "pip": "make venv",
    "export": "sets a variable",
    "source": "reads a file of variables",
    ".": "reads a file of variables",
}


def playbook(command: Command) -> str:
    """Return the name of the playbook, or of the program if it is another one than ansible-playbook."""
    named = [word.removeprefix(OURS) for word in command.words[1:] if word.startswith(OURS)]
    return named[0] if command.words[0] == "ansible-playbook" else command.words[0]


def likeness(command: Command) -> tuple[str, ...]:
    """Equal for two lines that do the same: their words without the names of files."""
    words = [word for word in command.words[1:] if not word.startswith("@") and word != "-e"]
    scenario = command.block.page if command.block.page == ADOPTED else ""
    return (scenario, *words)


def predicted(command: Command) -> bool:
    """Whether it says what a group would be, on an account in which there is none."""
    return playbook(command) == "autoscale_group" and "--check" in command.words


def distinct() -> list[Command]:
    """The lines to type, each once, in the order of the documentation; a sample of them unless all are asked for."""
    found: dict[tuple[str, ...], Command] = {}
    for command in examples.commands():
        if playbook(command) in (*PAIR, *GROUP) and command.block.page != ADOPTED:
            found.setdefault(likeness(command), command)
    if os.environ.get("DOCS") == "all":
        return list(found.values())
    first: dict[str, Command] = {}
    for command in found.values():
        done = playbook(command) in PAIR and "--check" not in command.words and "absent" not in str(command)
        if done or predicted(command):
            first.setdefault(playbook(command), command)
    return list(first.values())


def adopted() -> list[Command]:
    return [command for command in examples.commands() if command.block.page == ADOPTED]


@dataclass
class Terminal:
    """A shell with the lab's environment, in a folder with the reader's files."""

    lab: LabClient
    folder: Path
    definition: dict[str, Any] = field(default_factory=dict)
    message: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """An empty account, and the definition of a group in it: one zone, two applications."""
        self.lab.reset()
        self.lab.pace(300)
        self.definition = self.lab.variables("autoscale_nlb")
        self.definition["autoscale_group_zones"] = self.definition["autoscale_group_zones"][:1]
        web = self.definition["autoscale_group_applications"][0]
        self.definition["autoscale_group_applications"] = [web, {**web, "name": "api", "port": web["port"] + 1}]

    @property
    def zone(self) -> str:
        name: str = self.definition["autoscale_group_zones"][0]["name"]
        return name

    @property
    def store(self) -> Path:
        return Path(self.definition["autoscale_group_store"]["path"])

    def keep(self, name: str) -> None:
        """The region, and the records, which are files beside it."""
        self.lab.keep(name)
        if self.store.exists():
            shutil.copytree(self.store, self.folder / f"records-{name}", dirs_exist_ok=True)

    def restore(self, name: str) -> None:
        self.lab.restore(name)
        shutil.rmtree(self.store, ignore_errors=True)
        if (self.folder / f"records-{name}").exists():
            shutil.copytree(self.folder / f"records-{name}", self.store)

    def file(self, name: str, **values: Any) -> str:
        path = self.folder / name
        path.write_text(yaml.safe_dump(values))
        return str(path)

    def variables(self, command: Command) -> str:
        """Return the file that stands for the one the line names."""
        group = self.definition
        if playbook(command) in PAIR:
            return str(self.lab.variables_path("ha_pair"))
        if playbook(command) == "report":
            return self.file("shop.yml", report_path=str(self.folder / "page.html"), **group)
        if "shop-a.yml" in str(command):  # without the definition of the group
            return self.file(
                "shop-a.yml",
                autoscale_group=group["autoscale_group_name"],
                autoscale_zone=self.zone,
                autoscale_policy={**group["autoscale_group_policy"], "distributor": "nlb"},
                autoscale_store=group["autoscale_group_store"],
                autoscale_region=group["autoscale_group_region"],
                autoscale_node_count=1,
            )
        return self.file("shop.yml", **group)

    def inventory(self) -> str:
        hosts = {"shop-a": {"autoscale_zone": self.zone}}
        variables = {"ansible_connection": "local", **self.definition}
        return self.file("edge.yml", all={"children": {"groups_of_edge": {"hosts": hosts, "vars": variables}}})

    def type(self, command: Command, *, variables: str = "", event: str = EVENT) -> str:
        """Return what the line says; AssertionError with its last words if it fails."""
        words = [str(Path(sys.executable).parent / command.words[0])]
        for word in command.words[1:]:
            if word.startswith("@"):
                word = f"@{variables or self.variables(command)}"
            words.append(word.replace(ZONE, self.zone).replace(EVENT, event))
        if "-i" in words:
            words[words.index("-i") + 1] = self.inventory()
        return self.run(words)

    def run(self, words: list[str]) -> str:
        settings = {"ANSIBLE_HOME": str(self.folder / "ansible"), "ANSIBLE_NOCOLOR": "1"}
        ended = subprocess.run(
            words,
            cwd=CHECKOUT,
            env=self.lab.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, "\n".join([" ".join(words), *ended.stdout.splitlines()[-40:]])
        assert str(self.definition["autoscale_group_password"]) not in ended.stdout
        return ended.stdout


@pytest.fixture(scope="module")
def terminal(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    yield Terminal(lab, tmp_path_factory.mktemp("docs"))
    lab.reset()


def bare(name: str) -> Command:
    """Return the line that starts this playbook and says no more."""
    return next(c for c in distinct() if playbook(c) == name and len(c.words) == 4)


@pytest.fixture(scope="module")
def pair(terminal: Terminal) -> Terminal:
    """Return a pair, made by the line of the quick start."""
    terminal.begin()
    terminal.message.append(terminal.type(bare("ha_pair")))
    terminal.keep("pair")
    return terminal


@pytest.fixture(scope="module")
def group(terminal: Terminal) -> Terminal:
    """Return a group of two nodes in one zone, made by the documented lines: built, ticked, grown by hand."""
    terminal.begin()
    for name in ("autoscale_group", "autoscale"):
        terminal.type(bare(name))
    terminal.keep("group")
    terminal.type(next(c for c in distinct() if playbook(c) == "scale_out"))
    terminal.keep("grown")
    return terminal


def open_event(terminal: Terminal) -> str:
    """Return the id of an event that waits for its report."""
    group = terminal.definition
    asked = {
        "group": group["autoscale_group_name"],
        "zone": terminal.zone,
        "policy": {**group["autoscale_group_policy"], "distributor": "nlb"},
        "store": group["autoscale_group_store"],
        "request": {"action": "scale_out", "count": 1},
        "node_count": 1,
        "nodes": [],
        "region": group["autoscale_group_region"],
    }
    decided = run_module("autoscale_tick", asked)
    assert not decided["failed"], decided
    return str(decided["decision"]["event_id"])


def test_nothing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    known = {*PAIR, *GROUP, *ELSEWHERE}
    assert [str(command) for command in examples.commands() if playbook(command) not in known] == []
    typed = {likeness(command) for command in [*distinct(), *adopted()]}
    here = {likeness(c) for c in examples.commands() if playbook(c) not in ELSEWHERE}
    elsewhere = sum(playbook(c) in ELSEWHERE for c in examples.commands())
    with capsys.disabled():
        print(
            f"\ncommand lines: {len(examples.commands())}, of which {elsewhere} are carried out by other tests; for the"
        )
        print(f"lab there are {len(here)} different ones, of which {len(typed)} are typed here (DOCS=all types all)")
    assert typed <= here
    if os.environ.get("DOCS") == "all":
        assert typed == here


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("command", [c for c in distinct() if playbook(c) in PAIR], ids=str)
def test_lines_about_a_pair(pair: Terminal, command: Command) -> None:
    if likeness(command) == likeness(bare("ha_pair")):
        assert "is primary" in pair.message[0]
        return
    pair.restore("pair")
    before = len(pair.lab.writes())
    message = pair.type(command)
    if "--check" in command.words:
        assert [call.op for call in pair.lab.writes()[before:]] == []
    assert "failed=0" in message


@pytest.mark.timeout(1500)
def test_a_pair_that_something_else_has_built(pair: Terminal) -> None:
    """The play that makes it known, and the three lines after it. The pair's own tags are overwritten by it."""
    pair.restore("pair")
    [play] = [
        block
        for block in examples.blocks()
        if block.page == ADOPTED and "Tag a pair built with other tools" in block.text
    ]
    ec2 = pair.lab.boto("ec2")
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    tags = {i["InstanceId"]: {tag["Key"]: tag["Value"] for tag in i["Tags"]} for i in found}
    nodes = sorted(tags, key=lambda instance_id: tags[instance_id]["cloudadc:node_id"])
    addresses = [address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]]
    path = pair.folder / "adopt.yml"
    path.write_text(play.text)
    given = json.dumps({"instances": nodes, "allocation_ids": addresses})
    pair.run([str(Path(sys.executable).parent / "ansible-playbook"), str(path), "-e", given])
    of_pair = pair.lab.variables("ha_pair")
    variables = pair.file(
        "edge.yml",
        ha_failover_name="edge",
        **{f"ha_failover_{name}": of_pair[f"ha_pair_{name}"] for name in ("password", "ca_path", "nitro_port")},
    )
    message = [pair.type(command, variables=variables) for command in adopted()]
    assert len(message) == 3
    assert "edge" in message[-1]
    assert "failed=0" in message[-1]


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("command", [c for c in distinct() if playbook(c) in GROUP], ids=str)
def test_lines_about_a_group(terminal: Terminal, command: Command, request: pytest.FixtureRequest) -> None:
    if predicted(command):
        terminal.begin()
        assert "failed=0" in terminal.type(command)
        assert terminal.lab.writes() == []
        return
    group: Terminal = request.getfixturevalue("group")
    group.restore("grown" if playbook(command) in {"scale_in", "report"} else "group")
    event = open_event(group) if EVENT in str(command) else EVENT
    before = len(group.lab.writes())
    message = group.type(command, event=event)
    if "--check" in command.words:
        assert [call.op for call in group.lab.writes()[before:]] == []
    assert "failed=0" in message
    if playbook(command) == "report":
        assert (group.folder / "page.html").exists()
