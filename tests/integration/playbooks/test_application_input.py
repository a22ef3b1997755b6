"""What a user gets to read who asks for an application or a scale-in that cannot be: a sentence, nothing written."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.certificates import issue
from tests.engine.client import ENGINE
from tests.lab.client import LabClient

ROLE = str(Path(__file__).with_name("role_scale_in.yml"))
ISSUED = issue()
KEY = ISSUED.key.split("\n")[1]
WEB = {"name": "web", "protocol": "HTTP", "port": 8080, "backends": []}
DNS = {"autoscale_group_distributor": "dns", "autoscale_group_dns": {"zone": "lab.test"}}


class Run(NamedTuple):
    status: int
    message: str
    writes: list[str]


@pytest.fixture
def play(fresh_lab: LabClient, tmp_path: Path) -> Any:
    """``play(playbook, **variables)``: the playbook with the lab's variables and these; its output, its writes."""

    def run(playbook: str, *options: str, **variables: Any) -> Run:
        given = {**fresh_lab.variables("autoscale_nlb"), **variables}
        path = tmp_path / "vars.json"
        path.write_text(json.dumps(given))
        began = time.time()
        done = ENGINE.run([playbook, "-e", f"@{path}", *options], fresh_lab.environment(), tmp_path)
        message = done.stdout + done.stderr
        for secret in (given["autoscale_group_password"], KEY):
            assert secret not in message
        assert "Traceback" not in message
        return Run(done.returncode, message, [call.op for call in fresh_lab.writes(began)])

    return run


@pytest.mark.parametrize(
    ("applications", "variables", "message"),
    [
        ([], {"application_nmae": "web"}, "application has no variable application_nmae"),
        ([WEB], {"application_name": "shop"}, "names no application shop"),
        (
            [
                {**WEB, "name": "my_web"},
                {**WEB, "name": "b", "protocol": "HTPP", "port": 0},
                {**WEB, "name": "c", "backend_autoscaling_group": "servers", "port": 8081},
            ],
            {},
            [
                "Application my_web: its name must consist of letters, digits and hyphens",
                "Application b: its protocol is HTPP",
                "Application b: 0 is not a port",
                "Application c: backend_port, at which the instances of servers answer, is missing",
            ],
        ),
        ([WEB, {**WEB, "name": "api"}], {}, "Applications web and api both use tcp port 8080."),
        (
            [{**WEB, "persistence": {"type": "SOURCEIP", "timeout": 5}}],
            {},
            "persistence SOURCEIP cannot hold over 2 zones: zones do not share state",
        ),
        ([{**WEB, "protocol": "UDP"}], {}, "a load balancer cannot check the health of a UDP port"),
        ([WEB], DNS, "Application web: it has no domain"),
        ([{**WEB, "domain": "web.example.com"}], DNS, "web.example.com does not belong into the hosted zone lab.test"),
        (
            [{**WEB, "backend_autoscaling_group": "servers", "backend_port": 80}],
            {},
            "There is no Auto Scaling group servers",
        ),
        ([WEB], {}, "There is no load balancer lab-group-nlb"),
    ],
)
def test_an_application_that_cannot_be(
    play: Any, applications: list[dict[str, Any]], variables: dict[str, Any], message: str | list[str]
) -> None:
    secret = [{**item, "certificate": {"content": ISSUED.fullchain, "key": ISSUED.key}} for item in applications]
    run = play("cloudadc.aws.application", autoscale_group_applications=secret, **variables)
    assert run.status == 2, run.message
    for sentence in [message] if isinstance(message, str) else message:
        assert sentence in " ".join(run.message.split())
    assert run.writes == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"scale_in_zone": "nowhere"}, "lab-group-nlb has no zone nowhere; it has"),
        ({"scale_in_zone": "x", "scale_in_cuont": 2}, "scale_in has no variable scale_in_cuont"),
        ({"scale_in_zone": "x", "scale_in_step": "end"}, "value of scale_in_step must be one of: begin, finish"),
    ],
)
def test_a_scale_in_that_cannot_be(play: Any, variables: dict[str, Any], message: str) -> None:
    run = play(ROLE, **variables)
    assert run.status == 2, run.message
    assert message in " ".join(run.message.split())
    assert run.writes == []


@pytest.mark.parametrize(
    ("playbook", "variables", "message"),
    [
        ("scale_in", {"scale_in_step": "finish"}, "scale_in_step is a variable of role cloudadc.aws.scale_in alone"),
        ("scale_out", {"scale_out_nodes": 3}, "scale_out_nodes is a variable of role cloudadc.aws.scale_out alone"),
    ],
)
def test_by_hand_the_record_says_what_is_done(
    play: Any, fresh_lab: LabClient, playbook: str, variables: dict[str, Any], message: str
) -> None:
    zone = fresh_lab.variables("autoscale_nlb")["autoscale_group_zones"][0]["name"]
    run = play(f"cloudadc.aws.{playbook}", **{f"{playbook}_zone": zone}, **variables)
    assert run.status == 2, run.message
    assert message in " ".join(run.message.split())
    assert run.writes == []


def test_a_scale_in_of_a_group_without_nodes_takes_nothing(play: Any, fresh_lab: LabClient) -> None:
    zone = fresh_lab.variables("autoscale_nlb")["autoscale_group_zones"][0]["name"]
    for step in ("begin", "finish"):
        run = play(ROLE, scale_in_zone=zone, scale_in_step=step)
        assert (run.status, run.writes) == (0, []), run.message
        assert "no node" in run.message
