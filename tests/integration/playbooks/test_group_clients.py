"""What clients of clusters see while each of two zones grows from two nodes to three and shrinks again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.demo import group
from tests.demo.output import Output
from tests.lab.client import running
from tests.stage import Stage

pytestmark = pytest.mark.long


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("distributor", ["nlb", "dns"])
def test_clients_notice_nothing(tmp_path: Path, distributor: str, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "lab", {"LAB_PACE": str(group.PACE)}) as lab:
        stage = Stage(lab, quick=True)
        group.cluster(lab, distributor)
        with capsys.disabled():
            output = Output(sys.stdout)
            group.build(stage, distributor, output)
            reported = group.report(stage, distributor, output)
    observed, last = reported.figures(), {"nlb": 31, "dns": 32}[distributor]
    assert observed["nodes"] == [4] * 5 + [6] * (last - 6) + [4] * (34 - last)
    assert list(observed["decisions"].values()) == [[("scale_out", "T6"), ("scale_in", "T20")]] * 2
    assert observed["requests"] > 1000
    assert observed["failures"] == []
    assert observed["growth"]["cuts"] == 0
    assert observed["early_cuts"] == []
