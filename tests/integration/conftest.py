"""Fixtures of the tests that speak to a lab over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import botocore_data
from tests.lab.client import LabClient, running

PACE = 60.0

# Settings of a lab that the developer may have exported must not reach the tests' own.
_FOREIGN = (
    "LAB_NETWORK",
    "LAB_PORT",
    "LAB_AWS_PORT",
    "LAB_NITRO_PORT",
    "LAB_ADM_PORT",
    "LAB_PACE",
    "LAB_IAM",
    "LAB_PESSIMISTIC_IMAGE",
)


def pytest_configure() -> None:
    """Have the models that botocore reads kept, for modules that run in this process and for clients of tests."""
    botocore_data.keep()


# Files that run whole scenarios, minutes each.
_LONGEST_FIRST = ("playbooks", "eda", "controller", "docs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, so that no worker begins one when the others are done.

    By number of tests, as xdist would order files, they come last: hence ``--no-loadscope-reorder`` in the Makefile.
    """

    def turn(item: pytest.Item) -> int:
        return (
            _LONGEST_FIRST.index(item.path.parent.name)
            if item.path.parent.name in _LONGEST_FIRST
            else len(_LONGEST_FIRST)
        )

    items.sort(key=turn)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """Yield a lab for this session (under xdist: for this worker), in its own process, ports and addresses."""
    environ = {name: "" for name in _FOREIGN} | {"LAB_PACE": str(PACE)}
    with running(tmp_path_factory.mktemp("lab"), environ) as client:
        yield client


@pytest.fixture
def fresh_lab(lab: LabClient) -> LabClient:
    """Return the session's lab as it was at its start: the seeded network, no faults, no latency, the tests' pace."""
    lab.reset()
    lab.pace(PACE)
    return lab
