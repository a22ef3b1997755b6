"""A lab that enforces IAM, and the seed by which a sample is drawn."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import botocore_data
from tests.lab.client import running
from tests.stage import Stage

PACE = "300"
# Settings of a lab that the developer may have exported must not reach this one.
FOREIGN = ("LAB_NETWORK", "LAB_PORT", "LAB_AWS_PORT", "LAB_NITRO_PORT", "LAB_ADM_PORT")


def pytest_configure(config: pytest.Config) -> None:
    """One seed for all workers: they inherit it from the process that starts them."""
    botocore_data.keep()
    os.environ["IAM_SEED"] = os.environ.get("IAM_SEED") or str(secrets.randbelow(10**6))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What a test says of each action, also when all is well."""
    if report.when == "call" and report.passed and report.capstdout and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.capstdout.strip()}")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Appliances boot in no time here, and IAM decides who may do what."""
    directory: Path = tmp_path_factory.mktemp("iam-lab")
    with running(directory, dict.fromkeys(FOREIGN, "") | {"LAB_PACE": PACE, "LAB_IAM": "1"}) as lab:
        yield Stage(lab, quick=True)
