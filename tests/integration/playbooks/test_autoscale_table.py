"""The role autoscale a tick a minute, and its playbook.

tests/unit plays the documented example, T1 to T33, as a function, tests/integration/stores with the module on both
stores. The role adds how its variables reach the module and how an event is reported: T1 to T7 show it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.client import ENGINE
from tests.integration.modules.appliances import PASSWORD, launch
from tests.lab.client import LabClient, wait_for
from tests.lab.settings import CHECKOUT
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, iso, policy_dict, rows

SCENARIO = "nlb"
MINUTES = 7  # the scale-out is decided, carried out and reported at T6, and its cooldown begins
TABLE = Path(__file__).with_name("autoscale_table.yml")


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


@pytest.mark.timeout(900)
def test_role_carries_out_the_example_until_its_cooldown(tmp_path: Path) -> None:
    minutes = list(rows(SCENARIO))[:MINUTES]
    play(
        str(TABLE),
        tmp_path,
        *("-i", f"{SCENARIO},"),
        table_folder=str(tmp_path),
        table_minutes={
            SCENARIO: [{"at": iso(row.minute), "sample": {"memory": row.memory or HIGH}} for row in minutes]
        },
        table_policies={SCENARIO: policy_dict(SCENARIO)},
        autoscale_group="shop",
        autoscale_store={"path": str(tmp_path / "store")},
        autoscale_owner="table",
    )
    answers = json.loads((tmp_path / f"{SCENARIO}.json").read_text())
    message = [(each["decision"]["action"], each["phase"], each["decision"]["evaluated"]) for each in answers]
    assert message == [row.answer() for row in minutes]
    scale_out = answers[5]["decision"]
    assert (scale_out["count"], scale_out["resumed"]) == (1, False)
    assert scale_out["reason"] == "memory 91.2 % > 85 % for 3 of 3 samples; 3 → 4 nodes, max 6"
    assert [answer["phase_until"] for answer in answers[5:]] == [None, iso(16)]


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
