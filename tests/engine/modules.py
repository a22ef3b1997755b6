"""Replaces the start of a module's process by a call of its ``main()`` in the process that Ansible forks for a task."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage

from tests.lab.settings import CHECKOUT

COLLECTIONS = ("cloudadc.aws.", "amazon.aws.", "awx.awx.")
#: Whether the tests are measured, and so the modules that they run.
MEASURED = False


def install() -> None:
    """Patch Ansible in this process."""
    from ansible.plugins.action import ActionBase

    start_process = ActionBase._execute_module

    def execute(self: Any, module_name: str | None = None, module_args: Any = None, **kwargs: Any) -> Any:
        name = str(module_name or self._task.action)
        plain = not (kwargs.get("wrap_async") or self._task.async_val or any(self._task.environment or ()))
        if not plain or not name.startswith(COLLECTIONS):
            return start_process(self, module_name=module_name, module_args=module_args, **kwargs)
        args = self._task.args if module_args is None else module_args
        self._update_module_args(name, args, kwargs.get("task_vars") or {})
        return _as_dict(self._parse_returned_data({"rc": 0, "stdout": call(name, args), "stderr": ""}, "legacy"))

    ActionBase._execute_module = execute


def _as_dict(result: Any) -> Any:
    """What ``_execute_module`` returns. Since ansible-core 2.21 it makes it of an object that parsing returns."""
    if isinstance(result, dict):
        return result
    result.remove_internal_keys()
    return result.as_result_dict(for_round_trip=True)


def prepare() -> None:
    """Load what every playbook needs; forks of this process share it."""
    install()
    from ansible.cli import playbook
    from ansible.plugins import loader

    del playbook
    loader.init_plugin_loader()
    loader._configure_collection_loader = lambda *_arguments: None  # playbooks would configure it again
    load()
    for plugins in (loader.filter_loader, loader.test_loader):
        list(plugins.all())
    for kind in ("action", "cache", "callback", "connection", "inventory", "lookup", "shell", "strategy", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))


def load() -> None:
    """Import the modules of this collection, and with them what they import, once the collection can be found."""
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    for root in AnsibleCollectionConfig.collection_paths:
        for path in Path(root, "ansible_collections", *COLLECTIONS[0].split("."), "plugins", "modules").glob("*.py"):
            importlib.import_module(f"ansible_collections.{COLLECTIONS[0]}plugins.modules.{path.stem}")


def call(name: str, args: dict[str, Any]) -> str:
    """What the module prints for these arguments, in the form of its process's standard output."""
    namespace, collection, module = name.split(".")
    imported = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{module}")
    out = io.StringIO()
    with _as_module(), _arguments(args), _measured(), contextlib.redirect_stdout(out):
        try:
            imported.main()
        except SystemExit:
            pass
        except Exception:  # noqa: BLE001 (as in a process of its own, where a traceback is a failed module)
            return json.dumps({"failed": True, "msg": "MODULE FAILURE", "exception": traceback.format_exc()})
    return out.getvalue()


@contextlib.contextmanager
def _as_module() -> Iterator[None]:
    """Warnings belong into the result, as they do in a process in which there is no controller."""
    from ansible.module_utils import _internal

    controller = _internal.is_controller
    _internal.is_controller = False
    try:
        yield
    finally:
        _internal.is_controller = controller


@contextlib.contextmanager
def _measured() -> Iterator[None]:
    """Keep which lines of plugins/ a module ran in a file of its own, which pytest-cov combines with the others."""
    if not MEASURED:
        yield
        return
    measure = coverage.Coverage(data_suffix=True, config_file=str(CHECKOUT / "pyproject.toml"))
    measure.start()
    try:
        yield
    finally:
        measure.stop()
        measure.save()


@contextlib.contextmanager
def _arguments(args: dict[str, Any]) -> Iterator[None]:
    from ansible.module_utils import basic
    from ansible.module_utils.common.json import Direction, get_module_encoder

    encoder = get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)
    kept = basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}, cls=encoder).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    try:
        yield
    finally:
        basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = kept


def log_to(path: str) -> None:
    """Have Ansible's log written to this file; its place is a setting that was read long ago."""
    for handler in logging.root.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()
            handler.baseFilename = path


def main(arguments: list[str]) -> None:
    """``ansible-playbook`` with these arguments, in this process, which is prepared."""
    from ansible.cli.playbook import main as playbook

    sys.argv = ["ansible-playbook", *arguments]
    playbook(sys.argv)
