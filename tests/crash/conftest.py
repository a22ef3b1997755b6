"""The lab of the crash tests, the random choices of CHAOS_SEED, and the report of each interruption."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import botocore_data
from tests.lab.client import running
from tests.stage import Stage

PACE = "300"
# Settings of a lab that the developer may have exported must not reach this one.
FOREIGN = (
    "LAB_NETWORK",
    "LAB_PORT",
    "LAB_AWS_PORT",
    "LAB_NITRO_PORT",
    "LAB_ADM_PORT",
    "LAB_IAM",
    "LAB_PESSIMISTIC_IMAGE",
)


def pytest_configure(config: pytest.Config) -> None:
    """Validate CHAOS; set one seed for all workers, which inherit it from the process that starts them."""
    botocore_data.keep()
    chaos = os.environ.get("CHAOS", "sample")
    if chaos not in ("all", "sample") and not (chaos.isdecimal() and int(chaos)):
        raise pytest.UsageError(f"CHAOS must be all, sample, or how often each playbook is killed, not {chaos!r}")
    os.environ["CHAOS_SEED"] = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(10**6))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print what a test reports of each interruption, also if it passed."""
    if report.when == "call" and report.passed and report.capstdout and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.capstdout.strip()}")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start a lab with a fast clock for each worker."""
    directory: Path = tmp_path_factory.mktemp("chaos-lab")
    with running(directory, dict.fromkeys(FOREIGN, "") | {"LAB_PACE": PACE}) as lab:
        yield Stage(lab, quick=True)


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Return the random choices of a sample; CHAOS_SEED repeats earlier ones."""
    print(f"CHAOS_SEED={os.environ['CHAOS_SEED']}")
    return random.Random(f"{os.environ['CHAOS_SEED']}/{request.node.name}")
