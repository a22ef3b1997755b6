"""autoscale_report, the role and the playbook: what they write, when they do not, and what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.settings import CHECKOUT
from tests.modules import run_module
from tests.unit.plugins.module_utils.report.scenarios import NASTY, SECOND, ZONE, driven, write_csv, write_records
from tests.unit.plugins.module_utils.scaling.scenario import policy_dict


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    write_records(tmp_path / "store")
    return {
        "path": str(tmp_path / "page.html"),
        "group": NASTY,
        "store": {"path": str(tmp_path / "store")},
        "policy": policy_dict("dns"),
    }


def run(options: dict[str, Any], *, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {name: value for name, value in {**options, **more}.items() if value is not None}
    return run_module("autoscale_report", given, check=check)


def test_a_second_run_changes_nothing(options: dict[str, Any]) -> None:
    page = Path(options["path"])
    first = run(options)
    assert (first["failed"], first["changed"], first["size"]) == (False, True, len(page.read_bytes()))
    assert [(panel["name"], panel["events"]) for panel in first["panels"]] == [(ZONE, 2), (SECOND, 1)]
    written = page.stat()
    assert not run(options)["changed"]
    assert page.stat() == written
    assert run(options, title="other")["changed"]


def test_check_mode_predicts_and_writes_nothing(options: dict[str, Any]) -> None:
    folder = Path(options["path"]).parent
    before = sorted(folder.rglob("*"))
    predicted = run(options, check=True)
    assert (predicted["changed"], sorted(folder.rglob("*"))) == (True, before)
    assert run(options)["size"] == predicted["size"]
    assert not run(options, check=True)["changed"]


def test_a_page_keeps_its_rights_and_leaves_no_draft(options: dict[str, Any]) -> None:
    page = Path(options["path"])
    page.write_text("old")
    page.chmod(0o640)
    assert run(options)["changed"]
    assert page.stat().st_mode & 0o777 == 0o640
    assert {each.name for each in page.parent.iterdir()} == {"page.html", "store"}


def test_another_process_writes_the_same_bytes(options: dict[str, Any]) -> None:
    page = Path(options["path"])
    run(options)
    before = page.read_bytes()
    page.unlink()
    done = _python(f"run_module('autoscale_report', {options!r})", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert page.read_bytes() == before


def test_without_matplotlib_a_sentence(options: dict[str, Any]) -> None:
    done = _python(
        f"""
        import sys
        sys.modules["matplotlib"] = None
        print(run_module('autoscale_report', {options!r})["msg"])
        """
    )
    assert "Failed to import the required Python library (matplotlib)" in done.stdout, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not Path(options["path"]).exists()


def test_some_zones_and_the_number_of_their_nodes(options: dict[str, Any]) -> None:
    result = run(options, zones=[SECOND], node_counts={SECOND: "2"})
    assert [panel["name"] for panel in result["panels"]] == [SECOND]
    assert ZONE not in Path(options["path"]).read_text()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"path": "/nowhere/page.html"}, "cannot write /nowhere/page.html: its folder /nowhere is not there"),
        ({"path": "/proc"}, "/proc: it is a folder; name the page itself"),
        ({"group": "other"}, "the store has no record of a zone of other"),
        ({"zones": ["c"]}, "@c.json has no record of"),
        ({"hours": 0}, "hours must be more than 0, not 0"),
        ({"policy": {"metrics": {}}}, "policy: metrics is empty"),
        ({"recordings": {"c": "x"}}, f"c: no such zone on this page; it shows {ZONE}, {SECOND}"),
        ({"recordings": {ZONE: "/nowhere.csv"}}, "cannot read /nowhere.csv: No such file"),
        ({"node_counts": {ZONE: "many"}}, f"node_counts.{ZONE}: node_count must be a whole number"),
        ({"replay": {}}, "parameters are mutually exclusive: store|replay"),
        ({"store": None, "group": None}, "one of the following is required: store, replay, recording"),
        ({"group": None}, "missing parameter(s) required by 'store': group"),
        ({"store": None, "recording": "/nowhere.csv"}, "policies is empty; a recording is replayed with at least one"),
        ({"store": None, "replay": {"results": 1}}, "replay.samples is missing"),
    ],
)
def test_bad_input_gets_a_sentence(options: dict[str, Any], more: dict[str, Any], sentence: str) -> None:
    result = run(options, **more)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "Traceback" not in result["msg"]
    assert not Path(options["path"]).exists()


def test_a_replay_that_was_done_gives_the_page_of_one_done_now(tmp_path: Path) -> None:
    recording = str(write_csv(tmp_path / "day.csv", driven(600)))
    policies = {"calm": policy_dict(), "eager": policy_dict(watch_time=2)}
    replayed = run_module("autoscale_replay", {"path": recording, "policies": policies, "provision_minutes": 2})
    given = {"results": replayed["results"], "samples": replayed["samples"], "changed": False, "failed": False}
    common = {"path": str(tmp_path / "page.html"), "recording": recording, "policies": policies}
    assert run_module("autoscale_report", {**common, "replay": given})["changed"]
    now = run_module("autoscale_report", {**common, "provision_minutes": 2})
    assert (now["failed"], now["changed"]) == (False, False)
    bare = run_module("autoscale_report", {"path": common["path"], "replay": given})
    assert [panel["samples"] for panel in bare["panels"]] == [{}, {}]
    bad = run_module("autoscale_report", {**common, "node_count": -1})
    assert bad["msg"] == "node_count must be at least 0, not -1"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    recording = tmp_path / "day.csv"
    options = {"path": str(tmp_path / "page.html"), "recording": str(recording), "policies": {"a": policy_dict()}}
    recording.write_bytes(b"timestamp,memory\n\xff\n")
    assert "is not text in UTF-8" in run_module("autoscale_report", options)["msg"]
    recording.write_text("timestamp,memory\n2026-03-01T10:00:00Z,x\n")
    assert run_module("autoscale_report", options)["msg"].startswith(f"{recording}: line 2: ")


def test_the_playbook_writes_the_page_once(options: dict[str, Any], tmp_path: Path) -> None:
    names = {"path": "report_path", "group": "report_group", "store": "report_store", "policy": "report_policy"}
    variables = tmp_path / "vars.yml"
    variables.write_text(yaml.safe_dump({"report_title": "t", **{names[key]: options[key] for key in names}}))
    first, second = _playbook(variables), _playbook(variables)
    assert first.returncode == second.returncode == 0, first.stdout + first.stderr
    assert "changed=1" in first.stdout
    assert "changed=0" in second.stdout
    assert f"{ZONE}: 2 events, samples drawn: memory 1." in first.stdout
    assert "<h1>t</h1>" in Path(options["path"]).read_text()


def _playbook(variables: Path) -> subprocess.CompletedProcess[str]:
    command = ["ansible-playbook", "-i", "localhost,", "cloudadc.aws.report", "-e", f"@{variables}"]
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".tree"), "ANSIBLE_NOCOLOR": "1"}
    program = Path(sys.executable).parent / command[0]
    return subprocess.run(
        [str(program), *command[1:]], env=environ, capture_output=True, text=True, check=False, cwd=variables.parent
    )


def _python(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Return a script in a process of its own, with run_module at hand."""
    paths = os.pathsep.join(each for each in sys.path if each)
    text = "from tests.modules import run_module\n" + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": paths, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_results_are_plain_json(options: dict[str, Any]) -> None:
    assert json.loads(json.dumps(run(options)))["page"] == options["path"]
