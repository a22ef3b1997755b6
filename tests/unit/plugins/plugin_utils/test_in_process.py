"""Which modules run in the process of their task, and what becomes of one that ends in a traceback."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants

from ansible_collections.cloudadc.aws.plugins.plugin_utils.in_process import InProcessAction, call

PLUGINS = Path(__file__).parents[4] / "plugins"


def action(**different: Any) -> InProcessAction:
    """An action on this machine, by this user, with one thing different."""
    made = InProcessAction.__new__(InProcessAction)
    made._connection = SimpleNamespace(transport=different.get("transport", "local"), become=different.get("become"))
    made._play_context = SimpleNamespace(become=bool(different.get("become")))
    made._task = SimpleNamespace(async_val=different.get("async_val", 0))
    made._templar = SimpleNamespace(template=lambda value: value)
    return made


def possible(action: InProcessAction, environment: dict[str, str] | None = None, python: str = sys.executable) -> bool:
    return action._possible({"ansible_python_interpreter": python}, environment or {})


@pytest.mark.parametrize("python", [sys.executable, "auto", "auto_silent"])
def test_module_runs_here_with_the_controllers_python_or_any(python: str) -> None:
    assert possible(action(), {"AWS_PROFILE": "one"}, python)


@pytest.mark.parametrize(
    "different", [{"transport": "ssh"}, {"become": True}, {"async_val": 60}], ids=["host", "user", "background"]
)
def test_module_is_started_elsewhere_as_another_user_and_in_the_background(different: dict[str, Any]) -> None:
    assert not possible(action(**different))


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONWARNINGS", "LD_LIBRARY_PATH"])
def test_module_is_started_where_the_environment_is_about_the_interpreter(name: str) -> None:
    assert not possible(action(), {name: "x"})


def test_module_is_started_with_another_interpreter() -> None:
    assert not possible(action(), python="/usr/bin/another-python")


def test_module_is_started_where_its_files_are_to_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    assert not possible(action())


def test_traceback_is_a_failed_module() -> None:
    result = json.loads(call(lambda: 1 / 0, {}))  # type: ignore[arg-type,return-value]
    assert result["failed"]
    assert "ZeroDivisionError" in result["exception"]


def test_environment_is_as_before_after_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.cloudadc.aws.plugins.plugin_utils.in_process import _environment

    monkeypatch.setenv("KEPT", "1")
    with _environment({"KEPT": 2, "MORE": "3"}):
        assert (os.environ["KEPT"], os.environ["MORE"]) == ("2", "3")
    assert os.environ["KEPT"] == "1"
    assert "MORE" not in os.environ


def test_every_module_has_its_action_plugin() -> None:
    modules = {path.name for path in (PLUGINS / "modules").glob("*.py")}
    assert {path.name for path in (PLUGINS / "action").glob("*.py")} == modules
