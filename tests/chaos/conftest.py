"""A lab for the chaos runs, and the dice that CHAOS_SEED loads."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.client import running
from tests.stage import Stage

PACE = "300"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A lab in which appliances boot in no time."""
    directory: Path = tmp_path_factory.mktemp("chaos-lab")
    with running(directory, {"LAB_PACE": PACE, "LAB_NETWORK": ""}) as lab:
        yield Stage(lab)


@pytest.fixture
def dice() -> random.Random:
    """Which writes a sample meets; CHAOS_SEED repeats an earlier one."""
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(10**6))
    print(f"\nCHAOS_SEED={seed}")
    return random.Random(seed)
