"""The documented example, T1 to T33, where it is used: the role a tick a minute, and the playbook."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.engine.client import ENGINE
from tests.integration.modules.appliances import PASSWORD, launch
from tests.lab.client import LabClient, wait_for
from tests.lab.settings import CHECKOUT
from tests.unit.plugins.module_utils.scaling.scenario import ANYTHING, HIGH, iso, policy_dict, rows

DISTRIBUTORS = ("nlb", "dns")
# A host a story: each distributor's with ticks on the minute, and with every tick moved by up to 25 s.
MOVED = {"nlb": 0.0, "dns": 0.0, "nlb-moved": 25.0, "dns-moved": 25.0}
TABLE = Path(__file__).with_name("autoscale_table.yml")

Answers = dict[str, list[dict[str, Any]]]


def play(what: str, folder: Path, *options: str, env: dict[str, str] | None = None, **given: Any) -> str:
    """ansible-playbook with these variables; what it said. It must succeed."""
    variables = folder / "vars.json"
    variables.write_text(json.dumps(given))
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".tree"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = ENGINE.run([what, "-e", f"@{variables}", *options], {**os.environ, **settings, **(env or {})}, folder)
    message = done.stdout + done.stderr
    assert done.returncode == 0, message
    assert "Traceback" not in message
    return message


def samples(story: str) -> list[dict[str, Any]]:
    """Every minute of the table with its figure; where any will do, high, low and missing ones in turn."""
    anything, moved = ANYTHING["mixed"], random.Random(story)
    return [
        {
            "at": iso(row.minute, moved.uniform(-MOVED[story], MOVED[story])),
            "sample": {"memory": anything(row.minute) if row.memory is None else row.memory},
        }
        for row in rows(distributor_of(story))
    ]


def distributor_of(story: str) -> str:
    return story.partition("-")[0]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the role answered, minute by minute, for every story in one play."""
    folder = tmp_path_factory.mktemp("table")
    play(
        str(TABLE),
        folder,
        *("-i", ",".join(MOVED)),
        table_folder=str(folder),
        table_minutes={story: samples(story) for story in MOVED},
        table_policies={story: policy_dict(distributor_of(story)) for story in MOVED},
        autoscale_group="shop",
        autoscale_store={"path": str(folder / "store")},
        autoscale_owner="table",
    )
    return {story: json.loads((folder / f"{story}.json").read_text()) for story in MOVED}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", MOVED)
def test_minute_by_minute(answers: Answers, story: str) -> None:
    message = [(each["decision"]["action"], each["phase"], each["decision"]["evaluated"]) for each in answers[story]]
    assert message == [row.answer() for row in rows(distributor_of(story))]


@pytest.mark.parametrize("distributor", DISTRIBUTORS)
def test_one_event_of_growth_and_one_of_shrinking(answers: Answers, distributor: str) -> None:
    decisions = [each["decision"] for each in answers[distributor] if each["decision"]["action"] != "none"]
    assert [(each["action"], each["count"], each["resumed"]) for each in decisions] == [
        ("scale_out", 1, False),
        ("scale_in", 1, False),
        ("deprovision", 1, False),
    ]
    growth, scaling_in, removal = (each["event_id"] for each in decisions)
    assert scaling_in == removal != growth
    assert decisions[0]["reason"] == "memory 91.2 % > 85 % for 3 of 3 samples; 3 → 4 nodes, max 6"
    ends = {minute: answers[distributor][minute - 1]["phase_until"] for minute in (6, 7, 16, 20, 30)}
    assert ends == {6: None, 7: iso(16), 16: iso(16), 20: iso(30), 30: iso(30)}


def test_the_playbook_says_the_decision_and_takes_the_report(tmp_path: Path) -> None:
    given = {
        "autoscale_group": "shop",
        "autoscale_zone": "a",
        "autoscale_policy": policy_dict(watch_time=1),
        "autoscale_store": {"path": str(tmp_path / "store")},
        "autoscale_node_count": 2,
    }
    message = play("cloudadc.aws.autoscale", tmp_path, autoscale_now=iso(1), autoscale_sample={"memory": HIGH}, **given)
    assert (
        "shop, a: scale_out 1; memory 91.2 % > 85 % for 1 of 1 samples; 2 → 3 nodes, max 6; phase scaling_out."
        in message
    )
    record = json.loads((tmp_path / "store" / "shop@a.json").read_text())
    event = record["document"]["event"]["id"]
    assert f"Event {event}: carry it out, then report it with autoscale_event." in message
    # As an operator does: the same variables with addresses, on the command line the event. The nodes are not asked.
    report = json.dumps({"autoscale_event": {"id": event, "outcome": "done"}, "autoscale_nodes": ["192.0.2.1"]})
    message = play("cloudadc.aws.autoscale", tmp_path, "-e", report, "-e", f"autoscale_now={iso(1, 20)}", **given)
    assert f"phase cooldown until {iso(11)}." in message
    assert "192.0.2.1" not in message


def test_a_number_of_nodes_is_never_guessed(tmp_path: Path) -> None:
    given = {"autoscale_policy": policy_dict(), "autoscale_store": {"path": str(tmp_path / "store")}}
    with pytest.raises(AssertionError, match="autoscale_nodes is empty and autoscale_node_count is not given"):
        play("cloudadc.aws.autoscale", tmp_path, autoscale_group="shop", autoscale_zone="a", **given)
    assert not (tmp_path / "store").exists()


def test_the_load_of_appliances_is_collected(fresh_lab: LabClient, tmp_path: Path) -> None:
    box, dark = launch(fresh_lab, "ab")
    wait_for(lambda: box.state()["stage"] == "ready", "it has booted")
    assert not box.bootstrap()["failed"]
    fresh_lab.power(dark.instance_id, on=False)
    fresh_lab.load(instance_id=box.instance_id, cpu=20, memory=95, throughput=300, connections=2000)
    message = play(
        "cloudadc.aws.autoscale",
        tmp_path,
        env=fresh_lab.environment(),
        autoscale_group="shop",
        autoscale_zone="a",
        autoscale_policy=policy_dict(watch_time=1),
        autoscale_store={"path": str(tmp_path / "store")},
        autoscale_nodes=[box.nsip, dark.nsip],
        autoscale_password=PASSWORD,
        autoscale_ca_path=fresh_lab.ca_path,
        autoscale_nitro_timeout=5,
    )
    assert "shop, a: scale_out 1; memory 9" in message
    assert f'"{dark.nsip}: ' in message, "who did not answer is named"
    assert f'"{box.nsip}: ' not in message
    assert PASSWORD not in message
