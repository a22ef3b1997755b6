"""A lab and a reader of the documentation for this suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.reader import Reader
from tests.lab.client import LabClient, running

PACE = 120.0


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    with running(tmp_path_factory.mktemp("lab"), {"LAB_PACE": str(PACE)}) as client:
        yield client


@pytest.fixture(scope="module")
def reader(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Return a reader with an empty account and the two files of the README."""
    lab.reset()
    lab.pace(PACE)
    person = Reader(lab, tmp_path_factory.mktemp("reader"))
    for name in ("pair.yml", "shop.yml"):
        person.write(name, person.literal(name))
    return person
