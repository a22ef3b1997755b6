"""The modules of amazon.aws are judges of the lab: against AWS their second run changes nothing, so here too."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.engine.client import ENGINE

from .conftest import REGION, Account, Network

HERE = Path(__file__).parent


def play(account: Account, folder: Path, **variables: Any) -> dict[str, int]:
    """Run the playbook; the recap of localhost."""
    environment = dict(
        os.environ,
        AWS_ENDPOINT_URL=account.url,
        AWS_REGION=REGION,
        AWS_ACCESS_KEY_ID="AKIALAB",
        AWS_SECRET_ACCESS_KEY="lab",
        ANSIBLE_STDOUT_CALLBACK="ansible.posix.json",
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
        ANSIBLE_PYTHON_INTERPRETER=sys.executable,
    )
    arguments = [str(HERE / "network_and_rights.yml"), "--extra-vars", json.dumps(variables)]
    done = ENGINE.run(arguments, environment, folder, timeout=240)
    report = json.loads(done.stdout[done.stdout.index("{") :])
    tasks = [task for one in report["plays"] for task in one["tasks"]]
    results = [(task["task"]["name"], task["hosts"]["localhost"]) for task in tasks]
    assert done.returncode == 0, [(name, result) for name, result in results if result.get("failed")]
    return dict(report["stats"]["localhost"])


def test_second_run_changes_nothing_and_all_of_it_goes(account: Account, network: Network, tmp_path: Path) -> None:
    first = play(account, tmp_path, vpc_id=network.vpc_id)
    assert (first["changed"], first["failures"]) == (6, 0)
    again = play(account, tmp_path, vpc_id=network.vpc_id)
    assert (again["changed"], again["ok"]) == (0, 6)
    groups = {g["GroupName"] for g in account.ec2.describe_security_groups()["SecurityGroups"]}
    assert {"pair-management", "pair-server"} <= groups
    gone = play(account, tmp_path, vpc_id=network.vpc_id, state="absent")
    assert gone["failures"] == 0
    left = {g["GroupName"] for g in account.ec2.describe_security_groups()["SecurityGroups"]}
    assert left == {"default", "nodes"}
    iam = account.client("iam")
    assert iam.list_roles()["Roles"] == []
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
