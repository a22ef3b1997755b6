"""Which backup is restored, and what is said when it may be the wrong one; the lines about results."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.backups import abandoned, file_name
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.backup_nodes import nodes_of
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.backup_summary import backup_summary
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.config_backup import Deadline
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.config_restore import (
    RestoreRequest,
    choose,
    doubt,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.backup import read_backup
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.backup_names import BackupName

REQUEST = RestoreRequest("kept", "cloudadc", "pair", "shop")


def backup(day: int, instance: str) -> BackupName:
    return BackupName(f"202603{day:02}T020000Z", "cloudadc/pair/shop/0/", "primary", instance)


def instance(name: str, kind: str = "pair", state: str = "running", node: str = "0") -> Instance:
    tags = {"cloudadc:group": "shop", "cloudadc:kind": kind, "cloudadc:node_id": node}
    interfaces = (Attached("eni-0", 0, ("10.0.1.10",)), Attached("eni-1", 1, ("10.0.2.10", "10.0.2.11")))
    return Instance(name, state, tags=tags, interfaces=interfaces)


def test_named_backup_must_be_one_of_the_pair() -> None:
    names = [backup(1, "i-1"), backup(2, "i-1")]
    assert choose(names, REQUEST) == names[1]
    named = RestoreRequest("kept", "cloudadc", "pair", "shop", backup=names[0].key)
    assert choose(names, named) == names[0]
    with pytest.raises(Refusal, match="s3://kept/other is no backup of pair shop"):
        choose(names, RestoreRequest("kept", "cloudadc", "pair", "shop", backup="other"))
    with pytest.raises(Refusal, match="no backup of pair shop below s3://kept/cloudadc/pair/shop/"):
        choose([], REQUEST)


def test_backup_of_the_rebuilt_node_is_doubted_while_its_predecessor_has_one() -> None:
    nodes = nodes_of([instance("i-new")], "pair", "shop")
    old, new = backup(1, "i-old"), backup(2, "i-new")
    assert old.key in str(doubt(new, [old, new], nodes))
    assert doubt(old, [old], nodes) is None
    assert doubt(new, [new], nodes) is None


def test_nodes_have_their_addresses_by_role() -> None:
    [node] = nodes_of([instance("i-1"), instance("i-2", state="stopped", node="1")], "pair", "shop")
    assert node.described() == {"node": "0", "management": ["10.0.1.10"], "client": ["10.0.2.10", "10.0.2.11"]}
    [member] = nodes_of([instance("i-3", kind="group")], "group", "shop")
    assert member.identity == "i-3"
    with pytest.raises(Refusal, match="no running instance"):
        nodes_of([instance("i-1", state="stopped")], "pair", "shop")


def test_only_old_copies_of_this_collection_are_abandoned() -> None:
    now = 1772330400.0
    rows = [
        {"filename": f"{file_name(now - 7200)}.tgz"},
        {"filename": f"{file_name(now - 60)}.tgz"},
        {"filename": "by-hand.tgz"},
        {"filename": "cloudadc-notes.tgz"},
    ]
    assert abandoned(rows, now) == [f"{file_name(now - 7200)}.tgz"]


def test_deadline_ends_the_work() -> None:
    times = iter((0.0, 9.0, 11.0))
    deadline = Deadline(10, clock=lambda: next(times))
    deadline.require()
    with pytest.raises(Failure, match="not finished within 10 s"):
        deadline.require()


def test_all_problems_of_the_variables_are_reported() -> None:
    definition, problems = read_backup(
        {
            "config_backup_bucket": "Not_A_Bucket",
            "config_backup_retention": "many",
            "config_backup_unknown": 1,
            "config_backup_applications": [{"name": "web", "certificate": {"key": "SECRET"}}, {"port": 1}],
            "config_backup_application": {"name": "web"},
            "config_backup_password": "SECRET",
        }
    )
    text = " ".join(problems)
    for name in ("config_backup_name", "config_backup_bucket", "config_backup_retention", "config_backup_unknown"):
        assert name in text
    assert definition["applications"] == ["web"]
    assert "SECRET" not in f"{definition} {problems}"


def test_summary_shows_each_reason_and_no_more_than_ten_commands_of_it() -> None:
    left_out: list[dict[str, Any]] = [
        {"command": f"add vpn vserver v{number}", "reason": "unsupported", "detail": "no translation"}
        for number in range(12)
    ]
    result = {"restored": ["add server a 10.0.3.5"], "unchanged": ["x"], "left_out": left_out, "restored_from": "k"}
    lines = backup_summary(result, "shop")
    assert lines[0] == "shop: 1 commands of k were carried over."
    assert "12 were left out, reason unsupported:" in lines
    assert lines[-1] == "  and 2 more, in left_out of the result"
    assert backup_summary(result, "shop", True)[-1] == "Check mode: nothing was changed."


def test_summary_of_a_backup_names_what_failed() -> None:
    stored = {"node": "0", "instance_id": "i-1", "role": "primary", "bucket": "kept", "key": "k", "size": 5}
    lines = backup_summary({"backups": [stored], "deleted": ["a", "b"], "failures": ["node 1: no answer"]}, "shop")
    assert lines == [
        "shop: node 0 (i-1, primary) is in s3://kept/k, 5 bytes.",
        "2 old backups were deleted (retention).",
        "NOT BACKED UP: node 1: no answer",
    ]
    assert backup_summary({}, "shop") == ["shop: nothing was backed up."]
