"""Runs one module of the collection in this process, the way Ansible would start it, and returns what it printed."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from typing import Any

from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args


def run_module(name: str, params: dict[str, Any], *, check: bool = False, diff: bool = False) -> dict[str, Any]:
    """The result of ``cloudadc.aws.<name>`` for these parameters; ``failed`` is always in it."""
    module = importlib.import_module(f"ansible_collections.cloudadc.aws.plugins.modules.{name}")
    out = io.StringIO()
    args = {**params, "_ansible_check_mode": check, "_ansible_diff": diff}
    code: int | str | None = 0
    warnings._global_warnings.clear()  # those of a module that ran before in this process
    with patch_module_args(args), contextlib.redirect_stdout(out):
        try:
            module.main()
        except SystemExit as stop:
            code = stop.code
    result: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    result.setdefault("failed", code not in (0, None))
    return result
