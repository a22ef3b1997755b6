"""Runs one module of the collection in this process, the way Ansible would start it, and returns what it printed."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from ansible.module_utils import basic
from ansible.module_utils.common import warnings


@contextlib.contextmanager
def _arguments(args: dict[str, Any]) -> Iterator[None]:
    """Hand a module its arguments: ansible-core 2.19 has a way of its own, 2.18 a private global."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:
        with patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()):
            yield
    else:
        with patch_module_args(args):
            yield


def run_module(name: str, params: dict[str, Any], *, check: bool = False, diff: bool = False) -> dict[str, Any]:
    """The result of ``cloudadc.aws.<name>`` for these parameters; ``failed`` is always in it."""
    module = importlib.import_module(f"ansible_collections.cloudadc.aws.plugins.modules.{name}")
    out = io.StringIO()
    args = {**params, "_ansible_check_mode": check, "_ansible_diff": diff}
    code: int | str | None = 0
    warnings._global_warnings.clear()  # those of a module that ran before in this process
    with _arguments(args), contextlib.redirect_stdout(out):
        try:
            module.main()
        except SystemExit as stop:
            code = stop.code
    result: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    result.setdefault("failed", code not in (0, None))
    return result
