"""Prepares a process for playbooks: what they need is loaded, and other collections' modules run in process too."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage

from tests.lab.settings import CHECKOUT

OTHERS = ("amazon.aws.", "awx.awx.")
OWN = "ansible_collections.cloudadc.aws.plugins"
#: Whether the tests are measured, and so the modules that they run.
MEASURED = False


def install() -> None:
    """Run modules of the other collections in process too, in this process and its forks, and measure our own."""
    from ansible.plugins.action import ActionBase

    in_process = importlib.import_module(f"{OWN}.plugin_utils.in_process")
    start_process, run = ActionBase._execute_module, in_process.call

    def execute(self: Any, module_name: str | None = None, module_args: Any = None, **kwargs: Any) -> Any:
        name = str(module_name or self._task.action)
        plain = not (kwargs.get("wrap_async") or self._task.async_val or any(self._task.environment or ()))
        if not plain or not name.startswith(OTHERS):
            return start_process(self, module_name=module_name, module_args=module_args, **kwargs)
        args = self._task.args if module_args is None else module_args
        self._update_module_args(name, args, kwargs.get("task_vars") or {})
        namespace, collection, module = name.split(".")
        main = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{module}").main
        return in_process.result_of(self, run(main, args))

    def measured(main: Callable[[], None], args: dict[str, Any]) -> str:
        with _measured():
            return str(run(main, args))

    ActionBase._execute_module = execute
    in_process.call = measured


def prepare() -> None:
    """Load what every playbook needs; forks of this process share it."""
    from ansible.cli import playbook
    from ansible.plugins import loader

    del playbook
    loader.init_plugin_loader()
    loader._configure_collection_loader = lambda *_arguments: None  # playbooks would configure it again
    load()
    install()
    for plugins in (loader.filter_loader, loader.test_loader):
        list(plugins.all())
    for kind in ("action", "cache", "callback", "connection", "inventory", "lookup", "shell", "strategy", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))


def load() -> None:
    """Import the modules of this collection, and with them what they import, once the collection can be found."""
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    for root in AnsibleCollectionConfig.collection_paths:
        for path in Path(root, *OWN.split("."), "modules").glob("*.py"):
            importlib.import_module(f"{OWN}.modules.{path.stem}")


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
