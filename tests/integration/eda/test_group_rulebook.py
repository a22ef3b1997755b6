"""The rulebook of a group from end to end: it decides, it starts Ansible, and the group has the nodes it needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import rulebook
from tests.lab.client import LabClient, running, wait_for
from tests.stage import Stage

VARIABLES = "rulebook"
# A tick a second; three of them are watched. Cooldown and drain are minutes, the TTL is seconds. A drain is longer than
# what Ansible needs to begin it.
BRIEF = {"interval": 1, "watch_time": 0.05, "cooldown": 0.05, "drain_timeout": 0.5, "ttl": 3}


def lifecycles(lab: LabClient) -> list[str]:
    """Of all instances there are."""
    alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    found = lab.boto("ec2").describe_instances(Filters=[alive])["Reservations"]
    tags = [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for each in found for one in each["Instances"]]
    return sorted(each["cloudadc:lifecycle"] for each in tags)


def definition(lab: LabClient) -> Path:
    """Return the file of variables of a group in one zone, as brief as a test wants it."""
    values: dict[str, Any] = lab.variables("autoscale_dns")
    values["autoscale_group_zones"] = values["autoscale_group_zones"][:1]
    values["autoscale_group_policy"] |= BRIEF
    path = lab.variables_path(VARIABLES)
    path.write_text(yaml.safe_dump(values))
    return path


def inventory(folder: Path, variables: Path) -> Path:
    """Return the directory that the rulebook asks for."""
    (folder / "group_vars").mkdir(parents=True)
    shutil.copy(rulebook.INVENTORY, folder / "hosts.yml")
    shutil.copy(variables, folder / "group_vars" / "all.yml")
    return folder


@pytest.mark.timeout(900)
def test_a_group_grows_and_shrinks_by_itself(tmp_path: Path) -> None:
    with running(tmp_path / "lab", {"LAB_PACE": "300"}) as lab:
        variables = definition(lab)
        Stage(lab, quick=True).play("autoscale_group", variables=VARIABLES)
        lab.load(all=True, memory=60)
        hosts = inventory(tmp_path / "inventory", variables)
        with rulebook.running(lab, "cloudadc.aws.autoscale", variables, inventory=hosts) as watcher:

            def comes(expected: list[str], what: str) -> None:
                def there() -> bool:
                    watcher.must_live()
                    return lifecycles(lab) == expected

                wait_for(there, what, seconds=300, pause=0.5)

            lab.load(all=True, memory=95)
            comes(["in_service", "in_service"], "the group has grown")
            lab.load(all=True, memory=10)
            comes(["in_service"], "the group has shrunk again")
            wait_for(lambda: watcher.text().count("PLAY RECAP") >= 3, "the last playbook has ended", seconds=60)
            kinds, message = watcher.types(), watcher.text()
        password = lab.variables(VARIABLES)["autoscale_group_password"]
    reported = [kinds.index(kind) for kind in ("scale_out", "scale_in", "deprovision")]
    assert reported == sorted(reported)
    assert "failed=1" not in message
    assert password not in message
