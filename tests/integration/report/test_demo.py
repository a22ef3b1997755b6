"""The demo's chapter about a group: what it says, and the page it leaves."""

from __future__ import annotations

import io
from pathlib import Path

from tests.demo import autoscale
from tests.demo.voice import Voice


def test_the_chapter_names_every_decision_and_writes_the_page(tmp_path: Path) -> None:
    out, page = io.StringIO(), tmp_path / "demo-report" / "index.html"
    autoscale.tell(tmp_path, page, Voice(out))
    said = out.getvalue()
    acts = [word for word in said.split() if word in ("scale_out", "scale_in", "deprovision")]
    assert acts == ["scale_out", "scale_in", "deprovision"] * 2
    assert [minute for minute in ("T6:", "T20:", "T31:", "T32:") if minute in said] == ["T6:", "T20:", "T31:", "T32:"]
    assert str(page) in said
    assert all(f">{zone}<" in page.read_text() for zone in autoscale.DISTRIBUTORS)
