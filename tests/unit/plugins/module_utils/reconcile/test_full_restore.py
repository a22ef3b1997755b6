"""Which archives a full restore takes, when it is refused, and what it says that it overwrites."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.backup_nodes import BackupNode
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.backup_summary import backup_summary
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.config_restore import RestoreRequest
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.full_restore import (
    NodeArchive,
    choose_own,
    compare,
    unlike,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.backup_names import BackupName

REQUEST = RestoreRequest("kept", "cloudadc", "pair", "shop")
BUILD = "NetScaler NS14.1: Build 60.1.nc"


def node(number: int, instance_id: str) -> BackupNode:
    interface = Attached("eni-0", 0, (f"10.0.1.1{number}",))
    return BackupNode(
        str(number),
        Instance(instance_id, "running", interfaces=(interface,), instance_type="m5.xlarge"),
        f"10.0.1.1{number}",
    )


NODES = [node(0, "i-a"), node(1, "i-b")]


def backup(day: int, number: int, instance_id: str) -> BackupName:
    role = "secondary" if number else "primary"
    return BackupName(f"202603{day:02}T020000Z", f"cloudadc/pair/shop/{number}/", role, instance_id)


def test_each_node_gets_the_backup_that_it_made_in_the_last_common_run() -> None:
    names = [backup(day, number, ("i-a", "i-b")[number]) for day in (1, 2) for number in (0, 1)]
    names += [backup(3, 0, "i-a"), backup(4, 0, "i-old"), backup(4, 1, "i-older")]
    assert choose_own(names, NODES, REQUEST) == names[2:4]
    assert choose_own(names, NODES, replace(REQUEST, backup=names[0].key)) == names[:2]


@pytest.mark.parametrize(
    ("names", "nodes", "key", "message"),
    [
        ([backup(1, 0, "i-a"), backup(1, 1, "i-b")], NODES[:1], "", "needs both nodes of pair shop, and 1 of them run"),
        ([backup(1, 0, "i-a"), backup(1, 1, "i-b")], NODES, "other", "s3://kept/other is no backup of pair shop"),
        ([backup(1, 0, "i-a"), backup(2, 1, "i-b")], NODES, "", r"node 0 \(i-a\) has no backup that was made together"),
        (
            [backup(1, 0, "i-a"), backup(1, 1, "i-gone")],
            NODES,
            backup(1, 0, "i-a").key,
            r"node 1 \(i-b\) has no backup of 2026-03-01T02:00:00\+00:00. An archive belongs to the instance",
        ),
    ],
    ids=["node-missing", "key-of-another", "never-together", "rebuilt-node"],
)
def test_archive_of_another_instance_is_refused(
    names: list[BackupName], nodes: list[BackupNode], key: str, message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        choose_own(names, nodes, replace(REQUEST, backup=key))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"build": BUILD, "model": "m5.xlarge"}, None),
        (
            {"build": "NetScaler NS13.1: Build 1.1.nc", "model": "m5.xlarge"},
            "has build NetScaler NS14.1: Build 60.1.nc",
        ),
        ({"build": BUILD, "model": "m5.2xlarge"}, "has instance type m5.xlarge, and its backup of"),
        ({"build": BUILD}, "was made with an unknown one"),
    ],
    ids=["same", "build", "type", "type-unknown"],
)
def test_archive_of_another_build_or_type_is_refused(facts: dict[str, str], message: str | None) -> None:
    archive = NodeArchive(NODES[0], backup(1, 0, "i-a"), b"", facts, "")
    problem = unlike(archive, BUILD)
    assert (problem is None) if message is None else (message in str(problem) and "Nothing was changed" in str(problem))


def test_archive_keeps_the_name_with_which_the_appliance_made_it() -> None:
    assert NodeArchive(NODES[0], backup(1, 0, "i-a"), b"", {}, "").file == "cloudadc-20260301T020000Z.tgz"


def test_difference_names_what_is_lost_and_what_comes_back_without_secrets() -> None:
    common = ["add lb vserver web HTTP 10.0.2.20 80", "set ns rpcNode a -password x -kek"]
    then = "\n".join(["#NS14.1", *common, "add lb vserver old HTTP 10.0.2.20 81"])
    now = "\n".join(["# other", *common, "add lb vserver new HTTP 10.0.2.20 82"])
    found = compare(now, then)
    assert found.lost == ("add lb vserver new HTTP 10.0.2.20 82",)
    assert found.back == ("add lb vserver old HTTP 10.0.2.20 81",)
    assert found.due
    assert not compare(now, now).due
    secret = compare(now, now.replace("-password x", "-password y"))
    assert (secret.due, secret.lost) == (True, ("set ns rpcNode a ...",))


def test_report_says_what_is_lost() -> None:
    result = {
        "restored": ["add server b 10.0.3.9"],
        "overwritten": [{"instance_id": "i-a", "command": f"add server s{n} 10.0.3.{n}"} for n in range(12)],
        "rebooted": ["i-a", "i-b"],
        "restored_from": "cloudadc/pair/shop/0/x.tgz",
    }
    lines = backup_summary(result, "shop", check_mode=True)
    assert lines[0].startswith("shop: i-a, i-b would be restored and rebooted")
    assert "12 commands are lost:" in lines
    assert "  i-a: add server s0 10.0.3.0" in lines
    assert "  and 2 more, in the result" in lines
    assert backup_summary({**result, "rebooted": []}, "shop")[0].endswith("Nothing had to be restored.")
