"""The job templates as AWX would run them: through ansible-runner's transmit, worker and process, on the lab.

Every answer to a survey comes as a string, booleans of credentials as 'True' and 'False'. In the order of a life.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.awx.jobs import Credential, Done, Jobs, Launch, inventory, zones
from tests.lab.client import LabClient

pytestmark = pytest.mark.timeout(900)
PACE = 300.0
SECRET = re.compile(r"_(password|nitro_user|validate_certs|ca_path)$")


@pytest.fixture(scope="module")
def site(lab: LabClient) -> Iterator[LabClient]:
    """Yield the session's lab, empty, fast."""
    lab.reset()
    lab.pace(PACE)
    yield lab
    lab.reset()


@pytest.fixture(scope="module")
def jobs(site: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(site, tmp_path_factory.mktemp("jobs"))


def nitro(lab: LabClient) -> Credential:
    """Return what the definitions below leave out."""
    given = lab.variables("ha_pair")
    return Credential(
        "cloudadc NITRO",
        {
            "username": "nsroot",
            "password": given["ha_pair_password"],
            "rpc_password": given["ha_pair_rpc_password"],
            "validate_certs": True,
            "ca": Path(lab.ca_path).read_text(),
        },
    )


def definition(lab: LabClient, name: str, **more: Any) -> dict[str, Any]:
    """Return the lab's variables as they may stand in an inventory: without what credentials and surveys bring."""
    given = {key: value for key, value in lab.variables(name).items() if not SECRET.search(key)}
    return {key: value for key, value in given.items() if not key.endswith("_state")} | more


def pair(lab: LabClient, template: str, **launch: Any) -> Launch:
    return Launch(template, inventory(definition(lab, "ha_pair")), [nitro(lab)], **launch)


def group(lab: LabClient, folder: Path) -> dict[str, Any]:
    return definition(lab, "autoscale_nlb", autoscale_group_store={"path": str(folder)})


def nodes(lab: LabClient) -> None:
    """One instance a zone that is tagged as the group's: a tick of a zone without any is refused as a typing error."""
    ec2 = lab.boto("ec2")
    given = lab.variables("autoscale_nlb")
    for zone in given["autoscale_group_zones"]:
        tags = {
            "cloudadc:kind": "group",
            "cloudadc:group": given["autoscale_group_name"],
            "cloudadc:zone": zone["name"],
            "cloudadc:node_id": "0",
            "cloudadc:lifecycle": "in_service",
        }
        ec2.run_instances(
            ImageId=given["autoscale_group_image_id"],
            InstanceType="m5.xlarge",
            MinCount=1,
            MaxCount=1,
            SubnetId=zone["management_subnet_id"],
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        )


def silent(done: Done, lab: LabClient) -> None:
    """No secret is in what is kept of a job. But in the file ``command`` ansible-runner itself lists the environment,
    in which AWX's own credential type puts the keys of AWS; AWX blanks them there.
    """
    given = lab.variables("ha_pair")
    for name, content in done.kept.items():
        for key in ("ha_pair_password", "ha_pair_rpc_password"):
            assert given[key].encode() not in content, f"{key} is in {name}"
        if not name.endswith("/command"):
            assert lab.env["AWS_SECRET_ACCESS_KEY"].encode() not in content, name


def succeeded(done: Done, lab: LabClient) -> str:
    assert done.code == 0, done.message
    silent(done, lab)
    return done.message


def test_a_preflight_finds_that_a_pair_can_be_built(jobs: Jobs, site: LabClient) -> None:
    """Its table is what the job prints; what a survey asks comes as strings."""
    since = site.calls()[-1].t + 0.001 if site.calls() else 0.0
    message = succeeded(jobs.run(pair(site, "preflight", options="")), site)
    assert re.search(r'^ +"ok +launch +node 0 ', message, re.MULTILINE), message
    assert [call.op for call in site.writes(since)] == []


def test_a_pair_is_built(jobs: Jobs, site: LabClient) -> None:
    message = succeeded(jobs.run(pair(site, "ha_pair", answers={"ha_pair_sync_timeout": 600})), site)
    assert "PLAY RECAP" in message
    running = site.boto("ec2").describe_instances(
        Filters=[
            {"Name": "tag:cloudadc:group", "Values": ["lab-pair"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )
    assert sum(len(each["Instances"]) for each in running["Reservations"]) == 2


def test_it_fails_over(jobs: Jobs, site: LabClient) -> None:
    since = site.calls()[-1].t
    message = succeeded(jobs.run(pair(site, "ha_failover", answers={"ha_failover_to": 1})), site)
    assert [call.op for call in site.writes(since, "aws")].count("AssociateAddress") == 1, message


def test_a_job_that_checks_writes_nothing(jobs: Jobs, site: LabClient) -> None:
    since = site.calls()[-1].t + 0.001
    launch = pair(site, "ha_pair", answers={"ha_pair_state": "absent"}, options="--check")
    assert "Check mode" in succeeded(jobs.run(launch), site)
    assert [call.op for call in site.writes(since) if "login" not in call.op] == []


def test_a_wrong_password_fails_the_job_and_is_not_told(jobs: Jobs, site: LabClient) -> None:
    wrong = Credential("cloudadc NITRO", {**nitro(site).inputs, "password": "not-this-One-7"})
    launch = Launch("ha_failover", inventory(definition(site, "ha_pair")), [wrong], {"ha_failover_mode": "reconcile"})
    done = jobs.run(launch)
    assert done.code != 0
    silent(done, site)
    assert not [name for name, content in done.kept.items() if b"not-this-One-7" in content]


def test_ticks_are_sliced_over_zones(jobs: Jobs, site: LabClient, tmp_path: Path) -> None:
    """Two slices of one launch, each with its zones and under its own job's name; the next minute's job takes nothing
    from the first, which is still at work.
    """
    nodes(site)
    answers = {"autoscale_act": "false"}
    given = group(site, tmp_path)
    given["autoscale_group_policy"] = {
        **given["autoscale_group_policy"],
        "min_nodes": 2,
    }  # so that each zone scales out
    for number, job_id in ((1, 4711), (2, 4712), (1, 4713)):
        hosts = zones(given, number, 2)
        message = succeeded(jobs.run(Launch("autoscale", hosts, [nitro(site)], answers, job_id=job_id)), site)
        assert re.findall(r"^(\S+@\S+) +: ok=", message, re.MULTILINE) == hosts["cloudadc_zones"]["hosts"]
    records = [json.loads(path.read_text())["document"] for path in sorted(tmp_path.glob("*@*.json"))]
    assert {record["zone"]: record["event"]["owner"] for record in records} == {
        "eu-central-1a": "awx 4711",
        "eu-central-1b": "awx 4712",
    }


def test_a_report_is_written(jobs: Jobs, site: LabClient, tmp_path: Path) -> None:
    given = group(site, tmp_path)
    succeeded(jobs.run(Launch("autoscale", zones(given, 1, 2), [nitro(site)], {"autoscale_act": "false"})), site)
    page = tmp_path / "page.html"
    answers = {"report_path": str(page), "report_hours": 1.5, "report_title": "Shop"}
    succeeded(jobs.run(Launch("report", inventory(given), answers=answers)), site)
    assert "Shop" in page.read_text()


def by_hand(jobs: Jobs, lab: LabClient, folder: Path, template: str) -> Done:
    answers = {f"{template}_zone": "eu-central-1a", f"{template}_count": 1}
    done = jobs.run(Launch(template, inventory(group(lab, folder)), [nitro(lab)], answers, options="-vvv --check"))
    silent(done, lab)
    assert list(folder.iterdir()) == []
    return done


def test_growing_by_hand_is_checked(jobs: Jobs, site: LabClient, tmp_path: Path) -> None:
    done = by_hand(jobs, site, tmp_path, "scale_out")
    assert (done.code, "Check mode: nothing was recorded" in done.message) == (0, True), done.message


def test_shrinking_by_hand_below_the_least_is_refused(jobs: Jobs, site: LabClient, tmp_path: Path) -> None:
    done = by_hand(jobs, site, tmp_path, "scale_in")
    assert (done.code, "no scale_in of 1 node by hand" in done.message) == (2, True), done.message


def test_a_group_that_is_not_there_is_removed(jobs: Jobs, site: LabClient, tmp_path: Path) -> None:
    launch = Launch(
        "autoscale_group",
        inventory(group(site, tmp_path)),
        [nitro(site)],
        {"autoscale_group_state": "absent"},
    )
    name = site.variables("autoscale_nlb")["autoscale_group_name"]
    assert f"The group {name} is removed." in succeeded(jobs.run(launch), site)


@pytest.mark.parametrize("template", ["autoscale_group", "application"])
def test_what_takes_long_is_read(jobs: Jobs, site: LabClient, tmp_path: Path, template: str) -> None:
    launch = Launch(template, inventory(group(site, tmp_path)), [nitro(site)], options="--syntax-check")
    assert f"playbook: extensions/controller/project/{template}.yml" in succeeded(jobs.run(launch), site)
