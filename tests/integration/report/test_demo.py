"""The demo's chapter about a group: what it says, and the pages it leaves."""

from __future__ import annotations

import io
from pathlib import Path

from tests.demo import autoscale
from tests.demo.voice import Voice


def test_the_chapter_names_every_decision_and_writes_the_pages(tmp_path: Path) -> None:
    out, report = io.StringIO(), tmp_path / "demo-report"
    autoscale.tell(tmp_path, report, Voice(out))
    said = out.getvalue()
    acts = [word for word in said.split() if word in ("scale_out", "scale_in", "deprovision")]
    assert acts == ["scale_out", "scale_in", "deprovision"] * 2
    assert [minute for minute in ("T6:", "T20:", "T31:", "T32:") if minute in said] == ["T6:", "T20:", "T31:", "T32:"]
    for distributor, name in autoscale.PAGES.items():
        assert str(report / name) in said
        assert f"shop-{distributor}" in (report / name).read_text()
