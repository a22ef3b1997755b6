from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.lab_nitro.harness import Bench, Client
from tests.integration.lab_nitro.harness import bench as make_bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with make_bench() as made:
        yield made


@pytest.fixture
def node(bench: Bench) -> Client:
    """One appliance that has been bootstrapped: LB on, an address for a VIP on its client interface."""
    made = bench.booted("i-0aaa", "127.77.1.10", "127.77.2.10", "127.77.2.11")
    made.do("nsfeature", "enable", feature=["LB", "SSL"])
    return made
