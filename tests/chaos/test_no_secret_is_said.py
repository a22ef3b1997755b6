"""Passwords and keys are in nothing that a run says or leaves behind, however talkative it is told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stage import Run, Stage

WRONG = "not-the-password-of-this-pair"


def secrets_of(stage: Stage) -> dict[str, str]:
    variables = stage.lab.variables("ha_pair")
    return {
        "wrong password": WRONG,
        "password": variables["ha_pair_password"],
        "RPC password": variables["ha_pair_rpc_password"],
        "AWS secret key": stage.lab.env["AWS_SECRET_ACCESS_KEY"],
    }


def said(stage: Stage, run: Run) -> dict[Path, str]:
    """The log, the output, and every file that Ansible left in its home (results of background jobs among them)."""
    left = [path for path in (stage.lab.directory / "ansible").rglob("*") if path.is_file()]
    return {path: path.read_text(errors="replace") for path in (run.log, run.log.with_suffix(".out"), *left)}


@pytest.mark.timeout(0)
def test_no_secret_is_said(stage: Stage) -> None:
    stage.lab.reset()
    secrets = secrets_of(stage)
    runs = [
        stage.play("ha_pair", "-vvv", "--diff"),
        stage.play("ha_failover", "-vvv", "--diff"),
        stage.play("ha_failover", "-vvv", "--diff", "-e", "ha_failover_mode=reconcile"),
        stage.play("ha_failover", "-vvv", "-e", f"ha_failover_password={WRONG}", must_succeed=False),
    ]
    assert [run.code == 0 for run in runs] == [True, True, True, False]
    texts = {path: text for run in runs for path, text in said(stage, run).items()}
    assert "vpx_bootstrap" in "".join(texts.values()), "there is something to search"
    told = [f"{what} in {path}" for path, text in texts.items() for what, value in secrets.items() if value in text]
    assert told == []
