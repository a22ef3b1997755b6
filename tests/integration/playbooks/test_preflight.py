"""Playbook preflight as an operator starts it: the table, the exit code, and nothing written."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.iam.shipped import statements
from tests.lab.client import LabClient
from tests.stage import Run, Stage

pytestmark = pytest.mark.timeout(900)
BOUNDARY = "arn:aws:iam::123456789012:policy/cloudadc-vpx-boundary"


class Preflight:
    """Plays it with one of the lab's files of variables. Whatever it says, no secret and no traceback is in it."""

    def __init__(self, lab: LabClient) -> None:
        self.lab, self.stage = lab, Stage(lab, quick=True)

    def play(self, variables: str = "ha_pair", **changes: Any) -> Run:
        run = self.stage.play("preflight", "-e", json.dumps(changes), variables=variables, must_succeed=False)
        message = run.text()
        given = self.lab.variables("ha_pair")
        for secret in (given["ha_pair_password"], given["ha_pair_rpc_password"], self.lab.env["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in message
        assert "Traceback" not in message
        assert [call.op for call in self.lab.writes(run.started)] == []
        return run

    def be(self, statements: list[dict[str, Any]]) -> None:
        """Ask as a user with these rights from now on."""
        iam = self.lab.boto("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.create_user(UserName="ann")
        iam.put_user_policy(UserName="ann", PolicyName="rights", PolicyDocument=document)
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        self.stage.environment = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }


@pytest.fixture
def preflight(fresh_lab: LabClient) -> Preflight:
    return Preflight(fresh_lab)


def table(run: Run) -> list[str]:
    """Return the lines between the head of the table and the end of the list that Ansible prints."""
    lines = [re.sub(r"^.*? \| ", "", line) for line in run.text().splitlines()]
    [first] = [number for number, line in enumerate(lines) if line.lstrip().startswith('"STATUS ')]
    last = next(number for number, line in enumerate(lines) if number > first and line.strip() == "]")
    assert max(map(len, lines[first:last])) <= 120
    return [line.strip().removesuffix(",").strip('"') for line in lines[first:last]]


def marked(lines: list[str], status: str) -> list[str]:
    return [line for line in lines if line.startswith(status)]


def test_a_pair_that_can_be_built(preflight: Preflight) -> None:
    run = preflight.play()
    lines = table(run)
    assert run.code == 0
    assert marked(lines, "FAILED") == []
    checks = {"credentials", "clock", "rights", "image", "subscription", "instance", "launch", "subnets", "route"}
    assert checks | {"return", "back", "quota", "reach"} == {
        line[9:].split()[0] for line in lines[1:] if line[0] != " "
    }
    # A warning alone is no failure unless that is asked for.
    assert len(marked(lines, "WARNING")) == 2
    strict = preflight.play(preflight_strict=True)
    assert strict.code == 2
    assert "0 failed, 2 with a warning. ha_pair might not succeed because of route subnet-" in strict.text()


def test_what_fails_is_counted_and_named(preflight: Preflight) -> None:
    preflight.lab.settings(aws={"eip_quota": 1})
    run = preflight.play("autoscale_nlb", autoscale_group_instance_type="t2.micro")
    assert run.code == 2
    failed = marked(table(run), "FAILED")
    assert [line.split("  ")[1].strip() for line in failed] == ["instance type", "launch", "launch", "quota"]
    assert "autoscale_group would not succeed because of instance type t2.micro, launch eu-central-1a" in run.text()
    assert "4 failed" in run.text()


@pytest.mark.parametrize("case", ["ha_pair", "autoscale_nlb", "autoscale_dns"])
def test_the_policies_of_a_playbook_are_enough_and_an_action_less_is_not(preflight: Preflight, case: str) -> None:
    """Its statements that are for other definitions are not needed."""
    name = "ha_pair" if case == "ha_pair" else "autoscale_group"
    given = {"autoscale_nlb": {"Nlb"}, "autoscale_dns": {"Dns"}}.get(case, set())
    mine = [*statements(name, given | {"Boundary"}), *statements("managed_role", {"Boundary"})]
    preflight.be([one for one in mine if one["Sid"] != "PassRole"])
    run = preflight.play(case, **{f"{name}_permissions_boundary": BOUNDARY})
    rights = [line for line in table(run) if line[9:].startswith("rights")]
    assert run.code == 2
    [missing] = marked(rights, "FAILED")
    assert "iam:PassRole" in missing
    assert marked(rights, "WARNING") == []
    assert marked(rights, "ok")


def test_without_the_boundary_the_role_cannot_be_made(preflight: Preflight) -> None:
    preflight.be([*statements("ha_pair", ()), *statements("managed_role", ())])
    failed = "\n".join(marked(table(preflight.play()), "FAILED"))
    assert "iam:CreateRole" in failed
    assert "ec2:" not in failed
    assert preflight.play(ha_pair_manage_role=False).code == 0


def test_an_aws_that_is_not_there(preflight: Preflight) -> None:
    preflight.stage.environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = preflight.play()
    assert run.code == 2
    [failed] = marked(table(run), "FAILED")
    assert "credentials" in failed
    assert "1 failed" in run.text()


def test_nothing_to_look_at_is_said(preflight: Preflight) -> None:
    run = preflight.play("autoscale_nlb", preflight_playbook="ha_pair")
    assert (run.code, "ha_pair_name is not set" in run.text()) == (2, True)
