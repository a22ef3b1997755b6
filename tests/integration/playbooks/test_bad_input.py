"""What a user gets to read who asks ha_pair for what cannot be: a sentence, before anything is made, and no secret."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab.client import LabClient

NOWHERE = "http://127.0.0.1:9"


class Run(NamedTuple):
    status: int
    said: str
    writes: list[str]


@pytest.fixture
def play(fresh_lab: LabClient, tmp_path: Path) -> Any:
    """``play("ha_pair", **variables)``: the playbook with the lab's variables and these; its output and its writes."""

    def run(playbook: str, *options: str, env: dict[str, str] | None = None, **variables: Any) -> Run:
        given = {**fresh_lab.variables("ha_pair"), **variables}
        path = tmp_path / "vars.json"
        path.write_text(json.dumps(given))
        began = time.time()
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            f"cloudadc.aws.{playbook}",
            "-e",
            f"@{path}",
            *options,
        ]
        done = subprocess.run(
            command, env=fresh_lab.environment(**(env or {})), capture_output=True, text=True, timeout=300, check=False
        )
        said = done.stdout + done.stderr
        for secret in (
            given["ha_pair_password"],
            given["ha_pair_rpc_password"],
            fresh_lab.env["AWS_SECRET_ACCESS_KEY"],
        ):
            assert secret not in said
        assert "Traceback" not in said
        return Run(done.returncode, said, [call.op for call in fresh_lab.writes(began)])

    return run


def node(lab: LabClient, **changes: str) -> list[dict[str, str]]:
    """The lab's two nodes, the first of them changed."""
    first, second = lab.variables("ha_pair")["ha_pair_nodes"]
    return [{**first, **changes}, second]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ha_pair_elastic_ip": ["203.0.113.9"]}, "ha_pair has no variable ha_pair_elastic_ip"),
        ({"ha_pair_name": "my pair!"}, "ha_pair_name names an IAM role"),
        ({"ha_pair_name": "x" * 61}, "at most 60 letters"),
        ({"ha_pair_image_id": "ami-0123456789abcdef0"}, "image ami-0123456789abcdef0 does not exist"),
        ({"ha_pair_instance_type": "t2.micro"}, "t2.micro has at most 2 network interfaces, 3 are needed"),
        ({"ha_pair_key_name": "lost"}, "there is no key pair lost"),
        ({"ha_pair_elastic_ips": ["203.0.113.9"]}, "no Elastic IP 203.0.113.9 is allocated to this account"),
        (
            {"ha_pair_application": {"name": "a", "protocol": "HTPP", "port": 80, "backends": []}},
            "value of protocol must be one of: HTTP",
        ),
        ({"ha_pair_state": "gone"}, "value of ha_pair_state must be one of: present, absent"),
        ({"ha_pair_nodes": []}, "ha_pair_nodes must name exactly two nodes; it names 0"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(play: Any, variables: dict[str, Any], said: str) -> None:
    run = play("ha_pair", **variables)
    assert run.status == 2, run.said
    assert said in run.said
    assert run.writes == []


def test_a_subnet_that_is_not_there_and_a_port_that_is_none(play: Any, fresh_lab: LabClient) -> None:
    lost = play("ha_pair", ha_pair_nodes=node(fresh_lab, client_subnet_id="subnet-0123456789abcdef0"))
    assert (lost.status, lost.writes) == (2, [])
    assert "There is no subnet subnet-0123456789abcdef0 in this account and region." in lost.said
    application = {**fresh_lab.variables("ha_pair")["ha_pair_application"], "port": 99999}
    portless = play("ha_pair", ha_pair_application=application)
    assert (portless.status, portless.writes) == (2, [])
    assert "99999 is no port" in portless.said


def test_a_region_that_does_not_answer(play: Any) -> None:
    run = play("ha_pair", env={"AWS_ENDPOINT_URL": NOWHERE})
    assert (run.status, run.writes) == (2, [])
    assert f'Could not connect to the endpoint URL: "{NOWHERE}/' in run.said.replace('\\"', '"')


def test_credentials_that_nobody_knows(play: Any) -> None:
    run = play("ha_pair", env={"AWS_ACCESS_KEY_ID": "AKIASTRANGERSTRANGER"})
    assert (run.status, run.writes) == (2, [])
    assert "AuthFailure" in run.said


def test_a_failover_of_a_pair_that_does_not_exist(play: Any) -> None:
    run = play("ha_failover", ha_failover_name="nobody")
    assert (run.status, run.writes) == (2, [])
    assert "nobody" in run.said


@pytest.mark.parametrize("playbook", ["ha_pair", "ha_failover"])
def test_an_argument_that_does_not_validate_shows_no_secret(play: Any, playbook: str) -> None:
    """Ansible prints the whole specification then; ``play`` looks for every password in the output."""
    run = play(playbook, "-vvv", ha_pair_nitro_port="telnet", ha_failover_mode="recncile")
    assert (run.status, run.writes) == (2, [])
    assert "Validation of arguments failed" in run.said
