"""The words of the collection: plain technical English, one word for one thing (docs/glossary.md).

Every rule names a retired word, its replacement and its scope. Scope ``product``: code, roles, playbooks, docs and
changelog fragments. Scope ``all``: also tests and the lab. Before you add an exception, look for the term in the
glossary.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = (
    "plugins/",
    "roles/",
    "playbooks/",
    "docs/",
    "extensions/",
    "meta/",
    "changelogs/fragments/",
    "README.md",
    "galaxy.yml",
)
TEXT = {".md", ".py", ".yml", ".yaml", ".sh", ".j2", ".toml", ".cfg", ".txt", ".rst", ".rulebook"}
# The history of a release is not rewritten; recorded data, licence texts and this file name retired words for a reason.
EXEMPT = ("changelogs/changelog.yaml", "CHANGELOG.rst", "LICENSE", "tests/locks/", "tests/unit/test_language.py")
# Names that users hold: options, results, former names that stay as aliases, molecule scenarios.
ALLOWED = re.compile(
    r"autoscale_victims|\"victims\"|``victims``|begun\[.victims.\]|^victims:|former(ly)? name"
    r"|story_ha_pair|story_autoscale|settle_timeout|eip_astray|eip_settled|astray_after"  # scenarios, events, arguments
    r"|\bswept:|swept=\[|\"swept\"|O\(swept\)|\bsettled:|\.settled\b|\"settled\"|RV\(settled\)"  # autoscale_tick
    r"|\bgrowth(?=[=:])|\bpace\.growth|PACE\.growth|``growth``"  # the factor of a back-off
    r"|RV\(wanted\)|\"wanted\"|RV\(sentence\)|\"sentence\"|^sentence:"  # ha_watch's events, autoscale_candidates
    r"|``foresee``"  # a task file of 0.1.0, named by a changelog fragment
    r"|resources\.json|SETTLED_SECONDS|``settled``|settled(?=[=:])|if settled"
)


@dataclass(frozen=True)
class Rule:
    """A retired word: the pattern that finds it, what to write instead, and the scope of the rule."""

    word: str
    instead: str
    scope: str = "all"

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern, which is case-insensitive and sees the words of a snake_case name."""
        return re.compile(rf"(?<![a-zA-Z])(?:{self.word})(?![a-zA-Z])", re.IGNORECASE)


RULES = (
    Rule("nobody|somebody|whoever|anybody", "the name of the system or the person's role"),
    Rule("fore(tell|tells|told|telling|see|sees|saw|seen|seeing)", "predict"),
    Rule("victims?", "removal candidate"),
    Rule("seats?", "association"),
    Rule("swept|sweeps?|sweeping", "cleanup, cleaned up"),
    Rule("left[ -]?over(s|_)?", "orphan"),
    Rule("the remains|remains of", "orphans"),
    Rule("astray", "misplaced"),
    Rule("news", "event"),
    Rule("settled", "restored, stable"),
    Rule("tales?|stor(y|ies)", "scenario"),
    Rule("patience", "retry policy, timeout"),
    Rule("doorsteps?|knock(s|ed|ing)?", "login retry"),
    Rule("murder(s|ed|er)?|portraits?|estates?|turnstiles?", "crash injection, snapshot, inventory, fault proxy"),
    Rule("crowds?|standins?", "clients, stubs"),
    Rule("recipes?|wish(es)?|deeds?", "spec, request, action"),
    Rule("(goes|gone|go|going|went) on with", "resume, continue"),
    Rule("unheard|clockwork|slip of the pen", "plain words"),
    Rule("shrink(s|ing|age)?|shrunk|shrank", "scale in, scale-in", "product"),
    Rule("told|tells|said|speaks?|speaking", "report, say, use, connect", "product"),
    Rule("sentences?", "message", "product"),
    Rule("wanted", "desired", "product"),
    Rule("anew", "again; created again", "product"),
    Rule("grow(s|ing)?|grew|grown|growth", "scale out, scale-out; increase", "product"),
)


@dataclass(frozen=True)
class Finding:
    """One retired word at one place."""

    path: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r} is retired; write: {self.instead}"


# Nearly all words are in order, and the same words come again and again: each is judged once.
_LETTERS = re.compile("[a-z]+")
_WORD = re.compile("|".join(rule.word for rule in RULES if " " not in rule.word))
_PHRASE = re.compile(
    "|".join(rule.word for rule in RULES if not rule.word.isalpha() and (" " in rule.word or "[" in rule.word))
)


@cache
def _is_retired(word: str) -> bool:
    return _WORD.fullmatch(word) is not None


def is_suspect(text: str) -> bool:
    """Tell whether a retired word may be in a text."""
    lower = text.lower()
    return any(_is_retired(word) for word in set(_LETTERS.findall(lower))) or _PHRASE.search(lower) is not None


def findings(path: str, text: str) -> Iterator[Finding]:
    """Yield the retired words in the text of a file and in its name."""
    if not is_suspect(f"{path}\n{text}"):
        return
    rules = [rule for rule in RULES if rule.scope == "all" or path.startswith(PRODUCT)]
    for number, line in enumerate([path, *text.splitlines()]):
        if not is_suspect(line):
            continue
        shown = ALLOWED.sub("", line)
        for rule in rules:
            for match in rule.pattern.finditer(shown):
                yield Finding(path, number, match[0], rule.instead)


@cache
def tracked() -> tuple[str, ...]:
    """Return the paths of the repository's text files, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    wanted = (path for path in listed if Path(path).suffix in TEXT and not path.startswith(EXEMPT))
    return tuple(path for path in wanted if (ROOT / path).is_file())


def test_no_file_uses_a_retired_word() -> None:
    found = [
        str(finding) for path in tracked() for finding in findings(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("plugins/x.py", "# Nobody removes it.", ["Nobody"]),
        ("tests/x.py", "def test_a_story() -> None: ...", ["story"]),
        ("docs/x.md", "a group that grows", ["grows"]),
        ("tests/x.py", "a group that grows", []),
        ("plugins/x.py", "def murder_of(x): ...", ["murder"]),
        ("plugins/x.py", "a store, history, newsletter and sweeping", ["sweeping"]),
        ("docs/x.md", "What is left over, and the remains of it", ["left over", "the remains"]),
        ("docs/x.md", "The address remains on the primary.", []),
        ("extensions/molecule/story_ha_pair/molecule.yml", "---", []),
        ("plugins/seat.py", "", ["seat"]),
        ("meta/runtime.yml", "    autoscale_victims:", []),
    ],
)
def test_lint_finds_retired_words_and_nothing_else(path: str, text: str, words: list[str]) -> None:
    assert [finding.word for finding in findings(path, text)] == words


# Verbs with which a task name may start. Add one when a task needs it: an imperative that says what happens.
VERBS = frozenset(
    """
    Add Ask Assign Begin Bootstrap Build Check Clean Compare Configure Converge Count Create Delete Deploy Deregister
    End Execute Fail Find Form Gather Join Keep Launch Log Look Make Mark Measure Move Open Perform Predict Publish Put
    Query Read Reconcile Refuse Register Remember Remove Repair Replace Report Require Return Run Scale Select Send Set
    Show Start Stop Switch Terminate Test Tick Update Upgrade Validate Wait Write
    """.split()  # noqa: SIM905
)


def named_tasks(node: object) -> Iterator[str]:
    """Yield the names of the tasks in a parsed YAML document: mappings with a name that are no plays."""
    if isinstance(node, list):
        for item in node:
            yield from named_tasks(item)
    elif isinstance(node, dict):
        if isinstance(node.get("name"), str) and "hosts" not in node and "condition" not in node:
            yield node["name"]
        for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks"):
            yield from named_tasks(node.get(key))


def starts_with_verb(name: str) -> bool:
    """Return whether the first word of a task name is a known imperative."""
    return name.split()[0] in VERBS


def test_task_names_start_with_a_verb() -> None:
    places = re.compile(r"^(roles/[^/]+/(tasks|handlers)/|playbooks/[^/]+\.yml$|extensions/molecule/)")
    wrong = [
        f"{path}: {name}"
        for path in tracked()
        if places.match(path) and path.endswith(".yml") and not path.endswith(("molecule.yml", "galaxy.yml"))
        for name in named_tasks(yaml.safe_load((ROOT / path).read_text(encoding="utf-8")))
        if not starts_with_verb(name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "right"), [("Create security groups", True), ("Have a table", False), ("The table", False)]
)
def test_lint_knows_task_names(name: str, *, right: bool) -> None:
    assert starts_with_verb(name) is right


def docstring_problems(source: str) -> Iterator[str]:
    """Yield what is wrong with docstrings and names of tests in the source of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        name = getattr(node, "name", "module")
        text = ast.get_docstring(node)
        if text is None:
            continue
        summary = text.split("\n\n")[0].strip()
        if not re.search(r"""([.:]|\.\)|\."|https://\S+( \([^)]*\))?)$""", summary):
            yield f"{name}: the first paragraph of the docstring does not end with a period"


def vague_test_names(source: str) -> Iterator[str]:
    """Yield names of tests that say nothing about behaviour: fewer than two words after ``test_``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            words = node.name.removeprefix("test_").split("_")
            if not node.name.startswith("test_") or len([word for word in words if word]) < 2:
                yield node.name


def python_files() -> Iterator[tuple[str, str]]:
    """Yield path and source of every Python file of the product and of the tests."""
    for path in tracked():
        if path.endswith(".py") and path.startswith(("plugins/", "extensions/", "tests/")):
            yield path, (ROOT / path).read_text(encoding="utf-8")


def test_docstrings_end_with_a_period() -> None:
    wrong = [f"{path}: {problem}" for path, source in python_files() for problem in docstring_problems(source)]
    assert not wrong, "\n".join(wrong)


def test_names_of_tests_say_what_is_tested() -> None:
    wrong = [f"{path}: {name}" for path, source in python_files() for name in vague_test_names(source)]
    assert not wrong, "\n".join(wrong)


def test_lint_refuses_docstrings_and_test_names() -> None:
    source = 'def test_x() -> None:\n    """No period"""\n\n\ndef test_scale_in_waits() -> None:\n    """Wait."""\n'
    assert list(docstring_problems(source)) == [
        "test_x: the first paragraph of the docstring does not end with a period"
    ]
    assert list(vague_test_names(source)) == ["test_x"]
