"""What a user gets to read who asks autoscale_group for what cannot be: a sentence, before anything is made."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.engine.client import ENGINE
from tests.lab.client import LabClient

Change = Callable[[dict[str, Any]], object]


class Run(NamedTuple):
    status: int
    message: str
    writes: list[str]


@pytest.fixture
def play(fresh_lab: LabClient, tmp_path: Path) -> Any:
    """``play("nlb", change, *options)``: the playbook with the lab's variables, changed; its output and its writes."""

    def run(distributor: str, change: Change, *options: str) -> Run:
        given = deepcopy(fresh_lab.variables(f"autoscale_{distributor}"))
        change(given)
        path = tmp_path / "vars.json"
        path.write_text(json.dumps(given))
        began = time.time()
        command = ["cloudadc.aws.autoscale_group", "-e", f"@{path}", *options]
        done = ENGINE.run(command, fresh_lab.environment(), tmp_path)
        message = done.stdout + done.stderr
        secrets = [fresh_lab.variables("autoscale_nlb")["autoscale_group_password"], "not-the-password"]
        for secret in (*secrets, fresh_lab.env["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in message
        assert "Traceback" not in message
        return Run(done.returncode, message, [call.op for call in fresh_lab.writes(began)])

    return run


def zone(number: int, **changes: Any) -> Change:
    return lambda given: given["autoscale_group_zones"][number].update(changes)


def client_subnet_of(number: int, key: str) -> Change:
    """Put the first zone's client interfaces into a subnet that the zone of this number uses."""

    def change(given: dict[str, Any]) -> None:
        zones = given["autoscale_group_zones"]
        zones[0]["client_subnet_id"] = zones[number][key]

    return change


def policy(**changes: Any) -> Change:
    return lambda given: given["autoscale_group_policy"].update(changes)


def application(**changes: Any) -> Change:
    return lambda given: given["autoscale_group_applications"][0].update(changes)


def second_application(**changes: Any) -> Change:
    return lambda given: given["autoscale_group_applications"].append(
        {**given["autoscale_group_applications"][0], **changes}
    )


def clustered(*clips: str) -> Change:
    def change(given: dict[str, Any]) -> None:
        given["autoscale_group_topology"] = "cluster"
        for each, clip in zip(given["autoscale_group_zones"], clips, strict=False):
            each["clip"] = clip

    return change


def both(*changes: Change) -> Change:
    def change(given: dict[str, Any]) -> None:
        for each in changes:
            each(given)

    return change


@pytest.mark.parametrize(
    ("distributor", "change", "message"),
    [
        ("nlb", lambda given: given.update(autoscale_group_zone_list=[]), "has no variable autoscale_group_zone_list"),
        ("nlb", lambda given: given.update(autoscale_group_name="x" * 33), "at most 32 letters"),
        ("nlb", lambda given: given.update(autoscale_group_zones=[]), "must name at least one zone"),
        ("nlb", zone(0, client_subnet_id=""), "has no client_subnet_id"),
        ("nlb", zone(0, client_subnet_id="subnet-0123456789abcdef0"), "There is no subnet subnet-0123456789abcdef0"),
        (
            "nlb",
            client_subnet_of(0, "management_subnet_id"),
            "the subnet of a data interface; a VPX needs them apart",
        ),
        (
            "nlb",
            client_subnet_of(1, "client_subnet_id"),
            "of zone eu-central-1a is in eu-central-1b",
        ),
        ("nlb", policy(min_nodes=5), "min_nodes 5 is above max_nodes 4"),
        ("nlb", both(clustered("10.0.0.1", "10.0.0.2"), policy(max_nodes=33)), "a cluster has 32 nodes at most"),
        ("nlb", clustered(), "has no clip, the address of its cluster"),
        ("nlb", clustered("10.9.9.9", "10.9.9.8"), "clip 10.9.9.9 of zone eu-central-1a is not in its"),
        ("nlb", application(persistence="SOURCEIP"), "zones do not share state"),
        ("nlb", application(name="a" * 30), "AWS allows 32 letters"),
        ("nlb", application(port=99999), "99999 is not a port"),
        ("nlb", second_application(name="shop"), "both use tcp port"),
        ("dns", policy(max_nodes=11), "22 more Elastic IPs are needed, but 0 of the 20"),
        ("dns", application(domain="web.example.org"), "web.example.org"),
        ("dns", application(domain=""), "has no domain"),
        ("dns", lambda given: given.update(autoscale_group_dns={}), "names neither zone nor hosted_zone_id"),
        ("nlb", lambda given: given.update(autoscale_group_key_name="lost"), "There is no key pair lost"),
        ("nlb", application(protocol="UDP"), "health_check.port must be a TCP port at which every node answers"),
        ("nlb", application(nlb_protocol="TLS"), "certificate_arn goes with protocol TLS and only with it"),
        (
            "nlb",
            lambda given: given.update(autoscale_group_console={"adm_url": "https://127.0.0.1:9"}),
            "autoscale_group_console has no profile, the device profile with which the console logs in to the nodes",
        ),
        (
            "nlb",
            lambda given: given.update(
                autoscale_group_console={
                    "adm_url": "http://127.0.0.1:9",
                    "adm_user": "unknown",
                    "adm_password": "not-the-password",
                    "profile": "lab",
                }
            ),
            "127.0.0.1:9",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(
    play: Any, distributor: str, change: Change, message: str
) -> None:
    run = play(distributor, change)
    assert run.status != 0, run.message
    assert message in " ".join(run.message.split())
    assert run.writes == []


def test_console_credentials_that_are_refused(play: Any, fresh_lab: LabClient) -> None:
    console = fresh_lab.variables("console")["autoscale_group_console"]
    wrong = {**console, "adm_password": "not-the-password"}
    run = play("nlb", lambda given: given.update(autoscale_group_console=wrong))
    assert (run.status != 0, run.writes) == (True, [])
    assert console["adm_url"].removeprefix("https://").split("/")[0] in run.message


def test_foreign_resources_are_not_changed(play: Any, fresh_lab: LabClient) -> None:
    given = fresh_lab.variables("autoscale_nlb")
    seed = fresh_lab.state()["seed_data"]
    fresh_lab.boto("ec2").create_security_group(
        GroupName=f"{given['autoscale_group_name']}-client", Description="of another owner", VpcId=seed["vpc_id"]
    )
    taken = play("nlb", lambda given: None)
    assert (taken.status != 0, taken.writes) == (True, [])
    assert "was not made for group lab-group-nlb" in taken.message


def test_a_foreign_target_group_is_refused_before_a_load_balancer_is_created(play: Any, fresh_lab: LabClient) -> None:
    given = fresh_lab.variables("autoscale_nlb")
    name = f"{given['autoscale_group_name']}-web"
    vpc_id = fresh_lab.state()["seed_data"]["vpc_id"]
    fresh_lab.boto("elbv2").create_target_group(Name=name, Protocol="TCP", Port=1, VpcId=vpc_id, TargetType="ip")
    taken = play("nlb", lambda given: None)
    assert (taken.status != 0, taken.writes) == (True, [])
    assert f"Target group {name} was not made for application web" in " ".join(taken.message.split())


def test_check_mode_on_an_empty_account_writes_nothing(play: Any) -> None:
    run = play("nlb", lambda given: None, "--check")
    assert (run.status, run.writes) == (0, []), run.message
    assert "check mode has changed nothing" in run.message
