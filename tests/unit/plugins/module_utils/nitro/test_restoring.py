"""Carrying commands over: what is missing is added, what differs is kept, an interrupted run is completed."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ns_conf import read_commands
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.restore_plan import Context, sort_commands
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.restoring import Restored, Restorer

from .memory_appliance import Killed, MemoryAppliance

COMMANDS = """
add server reports 10.0.3.77
add lb monitor check HTTP -respCode 200
add serviceGroup reports-group HTTP
bind serviceGroup reports-group reports 8090
bind serviceGroup reports-group -monitorName check
add lb vserver reports HTTP 10.0.2.20 8091
bind lb vserver reports reports-group
add ssl certKey site -cert site.pem -key site.key
bind ssl vserver reports -certkeyName site
"""
FILES = {"site.pem": b"certificate", "site.key": b"key"}


def nothing() -> None:
    """Do nothing: the time is not over."""


def restore(
    *nodes: MemoryAppliance, text: str = COMMANDS, files: dict[str, bytes] | None = None, check: bool = False
) -> Restored:
    carried = sort_commands(read_commands(text), Context())
    primary, *others = (cast(NitroClient, node) for node in nodes)
    given = FILES if files is None else files
    return Restorer(primary, carried, given.get, others, check=check, due=nothing).run()


def test_everything_is_added_once_in_order() -> None:
    primary, secondary = MemoryAppliance(), MemoryAppliance()
    first = restore(primary, secondary)
    assert (len(first.added), first.unchanged, first.left_out) == (9, [], [])
    assert [row["filename"] for row in secondary.objects["systemfile"]] == ["site.pem", "site.key"]
    assert {row["filelocation"] for row in primary.objects["systemfile"]} == {"/nsconfig/ssl"}
    writes = len(primary.writes)
    again = restore(primary, secondary)
    assert (again.added, len(again.unchanged), again.left_out) == ([], 9, [])
    assert len(primary.writes) == writes


def test_check_mode_writes_nothing_and_predicts_the_same() -> None:
    primary, secondary = MemoryAppliance(), MemoryAppliance()
    predicted = restore(primary, secondary, check=True)
    assert primary.writes == secondary.writes == []
    assert predicted.added == restore(primary, secondary).added


@pytest.mark.parametrize("when", ["before", "after"])
def test_interrupted_at_any_write_and_run_again_it_ends_the_same(when: str) -> None:
    undisturbed = MemoryAppliance()
    restore(undisturbed)
    for number in range(1, len(undisturbed.writes) + 1):
        node = MemoryAppliance()
        node.kill_at = (number, when)
        with pytest.raises(Killed):
            restore(node)
        node.kill_at = None
        assert restore(node).left_out == []
        assert node.objects == undisturbed.objects, f"killed {when} write {number}"


def test_object_with_other_values_is_kept_and_reported() -> None:
    node = MemoryAppliance({"server": [{"name": "reports", "ipaddress": "10.0.3.1"}]})
    before = copy.deepcopy(node.objects["server"])
    found = restore(node, text="add server reports 10.0.3.77")
    assert [(one.reason, one.command) for one in found.left_out] == [("different", "add server reports 10.0.3.77")]
    assert node.objects["server"] == before


def test_what_the_appliance_refuses_is_reported_and_the_rest_is_carried_over() -> None:
    node = MemoryAppliance()
    found = restore(node, text="bind serviceGroup none a 80\nadd server reports 10.0.3.77")
    assert found.added == ["add server reports 10.0.3.77"]
    assert [(one.reason, one.detail) for one in found.left_out] == [
        ("refused", "servicegroup_servicegroupmember_binding: no such servicegroup none (258)")
    ]


def test_certificate_without_its_file_is_left_out() -> None:
    found = restore(MemoryAppliance(), text="add ssl certKey site -cert site.pem -key site.key", files={})
    assert [one.reason for one in found.left_out] == ["missing_file"]


def test_file_outside_of_the_folder_is_never_uploaded() -> None:
    node = MemoryAppliance()
    files = {"passwd": b"x"}
    found = restore(node, text="add ssl certKey site -cert ../../etc/passwd", files=files)
    assert [one.reason for one in found.left_out] == ["missing_file"]
    assert node.writes == []


class Silent(MemoryAppliance):
    """Stops to answer."""

    def add(self, resource: str, body: Any) -> None:
        raise NitroUnreachable("no answer")


def test_appliance_that_stops_answering_ends_the_run() -> None:
    with pytest.raises(NitroError, match="no answer"):
        restore(Silent())


def test_time_that_is_over_ends_the_run() -> None:
    def over() -> None:
        raise Failure("not finished within 1 s (timeout)")

    carried = sort_commands(read_commands(COMMANDS), Context())
    node = MemoryAppliance()
    with pytest.raises(Failure, match="not finished"):
        Restorer(cast(NitroClient, node), carried, {}, check=False, due=over).run()
    assert node.writes == []
