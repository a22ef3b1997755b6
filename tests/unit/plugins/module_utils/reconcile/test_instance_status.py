"""What EC2 says of an instance that cannot be logged in to."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_status import InstanceStatus, report_of

CHECKS = [
    {"InstanceId": "i-1", "InstanceStatus": {"Status": "initializing"}, "SystemStatus": {"Status": "ok"}},
]


def listed(state: str, **more: Any) -> list[dict[str, Any]]:
    return [{"InstanceId": "i-1", "State": {"Name": state}, **more}]


@pytest.mark.parametrize(
    ("state", "is_gone"),
    [
        ("pending", False),
        ("running", False),
        ("stopping", True),
        ("stopped", True),
        ("shutting-down", True),
        ("terminated", True),
    ],
)
def test_only_a_state_without_return_ends_the_waiting(state: str, is_gone: bool) -> None:
    report = report_of("i-1", listed(state), [])
    assert report is not None
    assert (report.is_gone, report.text) == (is_gone, f"EC2 says that i-1 is {state}")


def test_status_checks_and_the_reason_of_a_state_are_part_of_the_text() -> None:
    report = report_of("i-1", listed("running"), CHECKS)
    assert report is not None
    assert report.text == "EC2 says that i-1 is running, instance status initializing, system status ok"
    reason = {"StateReason": {"Message": "Server.InsufficientInstanceCapacity"}}
    report = report_of("i-1", listed("terminated", **reason), [])
    assert report is not None
    assert report.text == "EC2 says that i-1 is terminated (Server.InsufficientInstanceCapacity)"


@pytest.mark.parametrize(
    ("kind", "state", "remedy"),
    [
        ("pair", "stopped", "Start it (aws ec2 start-instances --instance-ids i-1), or set ha_pair_replace_node=i-1"),
        ("pair", "running", "Reboot it (aws ec2 reboot-instances --instance-ids i-1), or set ha_pair_replace_node=i-1"),
        (
            "group",
            "running",
            "Reboot it (aws ec2 reboot-instances --instance-ids i-1), or set autoscale_group_replace_node=i-1",
        ),
        ("pair", "terminated", ""),
        ("", "stopped", ""),
    ],
)
def test_the_remedy_names_the_command(kind: str, state: str, remedy: str) -> None:
    report = report_of("i-1", listed(state, Tags=[{"Key": "cloudadc:kind", "Value": kind}]), [])
    assert report is not None
    assert report.remedy == remedy


def test_a_failed_status_check_and_one_that_has_not_ended_are_told_apart() -> None:
    impaired = [{"InstanceId": "i-1", "InstanceStatus": {"Status": "impaired"}, "SystemStatus": {"Status": "ok"}}]
    reports = [report_of("i-1", listed("running"), checks) for checks in (CHECKS, impaired, [])]
    assert [(one.impaired, one.starting) for one in reports if one] == [(False, True), (True, False), (False, False)]


def test_an_instance_that_ec2_does_not_list_is_no_evidence() -> None:
    assert report_of("i-2", listed("stopped"), []) is None


def test_without_an_instance_id_or_a_client_nothing_is_known_and_ec2_is_asked_once() -> None:
    asked = []

    def connect() -> Any:
        asked.append(1)
        raise ImportError("boto3")

    status = InstanceStatus(connect)
    assert status.reader(None)() is None
    assert asked == []
    assert [status.reader("i-1")(), status.reader("i-1")()] == [None, None]
    assert asked == [1]
