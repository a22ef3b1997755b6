"""autoscale_replay as Ansible calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, iso, policy_dict, rows


@pytest.fixture
def year(tmp_path: Path) -> str:
    """Return the documented example as a recording."""
    path = tmp_path / "samples.csv"
    lines = [f"{iso(row.minute)},{BETWEEN if row.memory is None else row.memory}" for row in rows("nlb")]
    path.write_text("\n".join(["timestamp,memory", *lines]) + "\n", encoding="utf-8")
    return str(path)


def replayed(path: str, **more: Any) -> dict[str, Any]:
    return run_module("autoscale_replay", {"path": path, "policies": {"nlb": policy_dict()}, **more})


def test_what_each_policy_would_have_done(year: str) -> None:
    policies = {"nlb": policy_dict(), "dns": policy_dict("dns"), "calm": policy_dict(watch_time=5)}
    result = replayed(year, policies=policies, node_count=2)
    assert (result["failed"], result["changed"]) == (False, False)
    assert [each["name"] for each in result["results"]] == ["nlb", "dns", "calm"]
    assert [[event["at"] for event in each["events"]] for each in result["results"]] == [
        [iso(6), iso(20), iso(31)],
        [iso(6), iso(20), iso(32)],
        [],
    ]
    assert result["samples"]["count"] == 33


def test_options_are_validated(year: str) -> None:
    result = replayed(year, node_count=5, provision_minutes=4, max_events=1)["results"][0]
    assert (result["most_nodes"], result["events_left_out"], len(result["events"])) == (6, 2, 1)


def test_names_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(f'[{{"time": "{iso(1)}", "mem_pct": 90}}]')
    assert replayed(str(path), metric_names={"memory": "mem_pct"})["samples"]["metrics"] == ["memory"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"path": "/not/there.csv"}, "cannot read /not/there.csv: No such file or directory"),
        ({"path": "/"}, "cannot read /: Is a directory"),
        ({"policies": {}}, "policies is empty"),
        ({"policies": {"x": policy_dict(step=0)}}, "policies.x: policy: step must be a whole number"),
        ({"policies": {"x": 5}}, "policies.x: policy must be a dictionary"),
        ({"policies": {"x": policy_dict(metrics={"cpu": {"min": 1, "max": 2}})}}, "policy x watches cpu"),
        ({"node_count": -1}, "node_count must be at least 0, not -1"),
        ({"provision_minutes": -0.5}, "provision_minutes must be at least 0, not -0.5"),
        ({"provision_minutes": "nan"}, "provision_minutes must be at least 0, not nan"),
        ({"max_events": -1}, "max_events must be at least 0"),
        ({"format": "json"}, "samples.csv: "),
    ],
)
def test_bad_input_gets_a_sentence(year: str, more: dict[str, Any], sentence: str) -> None:
    result = replayed(**{"path": year, **more})
    assert result["failed"]
    assert sentence in result["msg"]


def test_what_is_not_text_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"timestamp,cpu\n\xff\xfe\n")
    assert "is not text in UTF-8" in replayed(str(path))["msg"]
