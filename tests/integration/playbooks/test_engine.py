"""The quick engine runs a playbook as ``ansible-playbook`` does: same tasks, results, calls and exit code."""

from __future__ import annotations

import re

import pytest

from tests.lab.client import LabClient
from tests.stage import Run, Stage


def outline(run: Run) -> list[str]:
    """Return the tasks and what became of them, and the recap."""
    out = run.log.with_suffix(".out").read_text()
    return re.findall(r"^(?:TASK \[.*?\]|ok:.*?\]|changed:.*?\]|skipping:.*?\]|fatal:.*?\]|\S+ +: ok=.*)", out, re.M)


@pytest.mark.parametrize("extra", [[], ["-e", "preflight_strict=nonsense"]], ids=["passes", "fails"])
def test_the_quick_engine_does_what_ansible_playbook_does(fresh_lab: LabClient, extra: list[str]) -> None:
    runs = []
    for quick in (True, False):
        before = len(fresh_lab.calls())
        run = Stage(fresh_lab, quick=quick).play("preflight", *extra, must_succeed=False)
        runs.append((run.code, outline(run), sorted(call.op for call in fresh_lab.calls()[before:])))
    assert runs[0] == runs[1]
    assert runs[0][1]
