"""What of a backup is carried over to a rebuilt node, and what is left out for which reason."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ns_commands import Translated
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ns_conf import read_commands
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.restore_plan import (
    Context,
    counterparts,
    is_equal,
    sort_commands,
    successors,
)

CONTEXT = Context(("web",), {"10.0.2.20": "10.0.2.30", "10.0.2.21": None})


def reasons(*lines: str, context: Context = CONTEXT) -> list[str]:
    """Return the reason for each line; "" for one that is carried over."""
    commands = read_commands("\n".join(lines))
    carried = sort_commands(commands, context)
    left_out = {one.command: one.reason for one in carried.left_out}
    assert len(carried.candidates) + len(carried.left_out) == len(commands)
    return [left_out.get(command.shown(), "") for command in commands]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("set ns config -IPAddress 10.0.1.10 -netmask 255.255.255.0", "instance"),
        ("add ns ip 10.0.3.20 255.255.255.0 -type SNIP", "instance"),
        ("add ns ip 10.0.2.20 255.255.255.255 -type VIP", "instance"),
        ("add ns ip 192.168.9.1 255.255.255.255 -type VIP", ""),
        ("set interface 1/1 -haMonitor OFF", "instance"),
        ("bind vlan 10 -ifnum 1/2", "instance"),
        ("add HA node 1 10.0.11.10 -inc ENABLED", "instance"),
        ("set ns rpcNode 10.0.1.10 -password abc -encrypted", "instance"),
        ("set ns hostName shop-0", "instance"),
        ("add ns licenseserver 10.0.1.99", "instance"),
        ("bind ipset shop-vips 10.0.2.20", "instance"),
        ("add route 0.0.0.0 0.0.0.0 10.0.2.1", "network"),
        ("enable ns mode MBF", "network"),
        ("set system user nsroot abc -encrypted", "user"),
        ("add system user operator abc -encrypted", "user"),
        ("add snmp community public ALL", "secret"),
        ("add lb monitor m LDAP -password abc -encrypted", "secret"),
        ("add ssl certKey c -cert c.pem -key c.key -passcrypt abc", "secret"),
        ("add vpn vserver v SSL 10.0.2.9 443", "unsupported"),
        ("add lb vserver web HTTP 10.0.2.20 80", "definition"),
        ("add serviceGroup web-sg HTTP", "definition"),
        ("bind lb vserver web web-sg", "definition"),
        ("bind serviceGroup web-sg 10.0.3.5 80", "definition"),
        ("bind ssl vserver web -certkeyName other", "definition"),
        ("bind ssl vserver web -certkeyName other -SNICert", ""),
        ("bind lb vserver web by-hand", ""),
        ("add ssl certKey r3 -cert /nsconfig/ssl/cloudadc-ca.0a1b.crt", "definition"),
        ("add ssl certKey mine -cert mine.crt -key mine.key", ""),
        ("set ssl vserver web -tls1 DISABLED", ""),
        ("add server back 10.0.3.9", ""),
        ("add lb vserver admin HTTP 10.0.2.20 90", ""),
        ("add lb vserver gone HTTP 10.0.2.21 90", "instance"),
    ],
)
def test_each_command_is_carried_over_or_has_a_reason(line: str, reason: str) -> None:
    assert reasons(line) == [reason]


def test_applications_that_are_no_longer_defined_are_not_brought_back() -> None:
    """The server objects of the collection name their application."""
    lines = [
        'add server 10.0.3.5 10.0.3.5 -comment "cloudadc.aws application old"',
        "add lb vserver old HTTP 10.0.2.5 80",
    ]
    assert reasons(*lines, context=Context()) == ["definition", "definition"]


def test_addresses_of_the_old_instance_become_those_of_its_successor() -> None:
    carried = sort_commands(read_commands("add lb vserver admin HTTP 10.0.2.20 90"), CONTEXT)
    assert [one.change.body["ipv46"] for one in carried.candidates] == ["10.0.2.30"]


def test_addresses_correspond_by_node_role_and_place() -> None:
    before = [
        {"node": "0", "client": ["a", "b"], "server": ["c"]},
        {"node": "1", "client": ["d"]},
        {"node": "2", "client": ["e"]},
    ]
    now = [{"node": "1", "client": ["D"]}, {"node": "0", "client": ["A"], "server": ["C"]}]
    assert successors(before, now) == {"a": "A", "b": None, "c": "C", "d": "D", "e": None}


@pytest.mark.parametrize(
    ("body", "row", "equal"),
    [
        ({"name": "a", "port": 80}, {"name": "A", "port": "80"}, True),
        ({"name": "a", "port": 80}, {"name": "a", "port": 81}, False),
        ({"name": "a", "state": "ENABLED"}, {"name": "a"}, True),
        ({"name": "a", "flag": True}, {"name": "a", "flag": "YES"}, True),
        ({"name": "a", "codes": ["201", "200"]}, {"name": "a", "codes": ["200", "201"]}, True),
        ({"name": "a", "port": "*"}, {"name": "a", "port": 65535}, True),
    ],
)
def test_values_are_compared_as_nitro_prints_them(body: dict[str, object], row: dict[str, object], equal: bool) -> None:
    assert is_equal(Translated("add", "server", body, ("name",)), row) is equal


def test_copy_turns_addresses_of_the_primary_into_those_of_its_peer() -> None:
    """A floating address stays, also where it stands before or between addresses of a node's own."""
    primary = {"node": "0", "management": ["10.0.1.10"], "client": ["10.0.2.20", "10.0.2.99", "10.0.2.21", "10.0.2.22"]}
    peer = {"node": "1", "management": ["10.0.1.11"], "client": ["10.0.2.30", "10.0.2.31"]}
    found = counterparts(primary, peer, {"10.0.2.99"})
    assert found == {
        "10.0.1.10": "10.0.1.11",
        "10.0.1.11": "10.0.1.11",
        "10.0.2.20": "10.0.2.30",
        "10.0.2.21": "10.0.2.31",
        "10.0.2.22": "10.0.2.22",
        "10.0.2.30": "10.0.2.30",
        "10.0.2.31": "10.0.2.31",
        "10.0.2.99": "10.0.2.99",
    }
