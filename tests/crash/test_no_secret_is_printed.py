"""Passwords, keys and tokens are in nothing that a run says or leaves behind, however talkative it is told to be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.certificates import issue
from tests.crash.group_flows import ZONE, Kind, account
from tests.crash.inventory import read_inventory
from tests.stage import Run, Stage

WRONG = "not-the-password-of-this-lab"
ISSUED = issue("shop.example")
TALKATIVE = ("-vvv", "--diff")
SCENARIO = "2026-03-01T10:0{}:00Z"


def message(stage: Stage, runs: Sequence[Run]) -> dict[str, str]:
    """The logs, the outputs, and every file that Ansible left in its home (results of background jobs among them)."""
    left = [path for path in (stage.lab.directory / "ansible").rglob("*") if path.is_file()]
    logs = [path for run in runs for path in (run.log, run.log.with_suffix(".out"))]
    return {str(path): path.read_text(errors="replace") for path in (*logs, *left)}


def left_in_aws(stage: Stage) -> Iterator[tuple[str, str]]:
    """All that AWS describes to who may ask: tags, records, rights, and what instances are given when they start."""
    ec2, iam = stage.lab.boto("ec2"), stage.lab.boto("iam")
    inventory = read_inventory(stage.lab)
    yield "descriptions in AWS", repr(inventory)
    yield "rights", json.dumps(iam.get_account_authorization_details(), default=str)
    for instance in inventory.instances:
        number = instance["InstanceId"]
        data = ec2.describe_instance_attribute(InstanceId=number, Attribute="userData")["UserData"].get("Value", "")
        yield f"user data of {number}", base64.b64decode(data).decode(errors="replace")


def reported(texts: dict[str, str], secrets: dict[str, str]) -> list[str]:
    """Which secret is in which text, also in the forms in which it travels."""
    found = []
    for what, value in secrets.items():
        forms = {value, json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode().rstrip("=")}
        found += [f"{what} in {where}" for where, text in texts.items() if any(form in text for form in forms)]
    return found


@pytest.mark.timeout(0)
def test_no_secret_of_a_pair_is_said(stage: Stage) -> None:
    stage.lab.reset()
    variables = stage.lab.variables("ha_pair")
    secrets = {
        "wrong password": WRONG,
        "password": variables["ha_pair_password"],
        "RPC password": variables["ha_pair_rpc_password"],
        "AWS secret key": stage.lab.env["AWS_SECRET_ACCESS_KEY"],
    }
    runs = [
        stage.play("ha_pair", *TALKATIVE),
        stage.play("ha_failover", *TALKATIVE),
        stage.play("ha_failover", *TALKATIVE, "-e", "ha_failover_mode=reconcile"),
        stage.play("ha_failover", *TALKATIVE, "-e", f"ha_failover_password={WRONG}", must_succeed=False),
    ]
    assert [run.code == 0 for run in runs] == [True, True, True, False]
    texts = message(stage, runs) | dict(left_in_aws(stage))
    assert "vpx_bootstrap" in "".join(texts.values()), "there is something to search"
    assert reported(texts, secrets) == []


def shop_with_a_certificate(applications: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first application, by TLS: its key is a secret that travels in a definition and not in an option alone."""
    certificate = {"content": ISSUED.fullchain, "key": ISSUED.key}
    return [{**applications[0], "protocol": "SSL", "certificate": certificate}]


@pytest.mark.timeout(0)
def test_no_secret_of_a_group_is_said(stage: Stage, tmp_path: Path) -> None:
    """From its building to its end: with a console, a certificate, a record, ticks, a page, wrong passwords."""
    kind = Kind("dns", "independent")
    account(kind).set_up(stage)
    values = stage.lab.variables(kind.variables)
    values["autoscale_group_applications"] = shop_with_a_certificate(values["autoscale_group_applications"])
    # A file of its own: other tests of this lab take the group's as it was written with the account.
    stage.lab.variables_path("shop_with_a_certificate").write_text(yaml.safe_dump(values))
    console = values["autoscale_group_console"]
    secrets = {
        "wrong password": WRONG,
        "password": values["autoscale_group_password"],
        "console's password": console["adm_password"],
        "key of the certificate": ISSUED.key.split("\n")[1],
        "AWS secret key": stage.lab.env["AWS_SECRET_ACCESS_KEY"],
    }
    page = tmp_path / "page.html"
    report = {
        "report_path": str(page),
        "report_group": values["autoscale_group_name"],
        "report_store": values["autoscale_group_store"],
        "report_policy": {**values["autoscale_group_policy"], "distributor": kind.distributor},
    }
    by_hand = {"zone": ZONE, "count": 1}

    def play(playbook: str, *, works: bool = True, **more: Any) -> Run:
        return stage.play(
            playbook, *TALKATIVE, "-e", json.dumps(more), variables="shop_with_a_certificate", must_succeed=works
        )

    def tick(minute: int, **more: Any) -> Run:
        return play("autoscale", autoscale_now=SCENARIO.format(minute), autoscale_publish=True, **more)

    runs = [
        play("autoscale_group", works=False, autoscale_group_console={**console, "adm_password": WRONG}),
        play("autoscale_group"),
        play("application", application_name=values["autoscale_group_applications"][0]["name"]),
        tick(0),
        tick(1, autoscale_group_password=WRONG),
        play("scale_out", **{f"scale_out_{name}": value for name, value in by_hand.items()}),
        play("scale_in", **{f"scale_in_{name}": value for name, value in by_hand.items()}),
        play("report", **report),
    ]
    assert runs[0].code, "a console's wrong password is noticed"
    texts = message(stage, runs) | dict(left_in_aws(stage)) | {"the page": page.read_text()}
    runs = [play("autoscale_group", autoscale_group_state="absent")]
    texts |= message(stage, runs)
    everything = "".join(texts.values())
    for something in (
        "vpx_bootstrap",
        "vpx_application",
        "adm_device",
        "autoscale_tick",
        "scale_out",
        "BEGIN CERTIFICATE",
    ):
        assert something in everything, "there is something to search"
    assert reported(texts, secrets) == []
