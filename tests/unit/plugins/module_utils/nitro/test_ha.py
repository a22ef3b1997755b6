"""What is missing on one side of a pair, and whether a pair works: tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import ha

A, B, C = "10.0.1.10", "10.0.2.10", "10.0.3.10"
ME: dict[str, Any] = {
    "id": "0",
    "ipaddress": A,
    "hastatus": "UP",
    "state": "Primary",
    "hasync": "ENABLED",
    "inc": "ENABLED",
    "hellointerval": 200,
    "deadinterval": "3",
    "maxflips": "0",
    "maxfliptime": "0",
}
PEER: dict[str, Any] = {
    "id": "1",
    "ipaddress": B,
    "hastatus": "UP",
    "state": "Secondary",
    "hasync": "SUCCESS",
    "inc": "ENABLED",
}
SECURE = [{"ipaddress": A, "password": "x", "secure": "YES"}, {"ipaddress": B, "password": "x", "secure": "YES"}]
PARAMS: dict[str, Any] = {
    "nsip": f"{A}:9443",
    "peer": B,
    "node_id": 1,
    "inc": True,
    "rpc_password": "s3cret",
    "update_rpc_password": "on_create",
    "replace_peer": False,
    "state": "present",
}


def desired(**options: Any) -> ha.DesiredHa:
    return ha.DesiredHa.from_params({**PARAMS, **options})


def plan(*rows: dict[str, Any], rpc: Any = None, **options: Any) -> ha.Plan:
    return ha.plan(desired(**options), ha.ObservedHa.from_rows(rows), SECURE if rpc is None else rpc)


def test_a_stand_alone_appliance_gets_its_peer_and_both_rpc_nodes() -> None:
    assert plan({**ME, "inc": "DISABLED"}, rpc=[]) == ha.Plan(
        add={"id": 1, "ipaddress": B, "inc": "ENABLED"}, rpc=(A, B)
    )


def test_without_inc_nothing_is_said_of_it() -> None:
    assert plan(ME, rpc=[], inc=False, rpc_password=None) == ha.Plan(add={"id": 1, "ipaddress": B})


def test_a_side_that_is_as_wanted_needs_nothing() -> None:
    tunables = {"hello_interval": 200, "dead_interval": 3, "max_flips": 0, "max_flip_time": 0}
    assert plan(ME, PEER, **tunables).empty


@pytest.mark.parametrize(
    ("options", "tune"),
    [
        ({"hello_interval": 500}, {"id": 0, "hellointerval": 500}),
        ({"dead_interval": 10, "hello_interval": 200}, {"id": 0, "deadinterval": 10}),
        ({"max_flips": 3, "max_flip_time": 600}, {"id": 0, "maxflips": 3, "maxfliptime": 600}),
    ],
)
def test_only_what_differs_is_tuned_and_never_with_the_address(options: dict[str, int], tune: dict[str, int]) -> None:
    assert plan(ME, PEER, **options) == ha.Plan(tune=tune)


@pytest.mark.parametrize(
    ("rpc", "rows", "options", "written"),
    [
        (SECURE, [ME, PEER], {}, ()),
        ([], [ME, PEER], {}, (A, B)),
        (SECURE[:1], [ME, PEER], {}, (B,)),
        ([SECURE[0], {**SECURE[1], "secure": "NO"}], [ME, PEER], {}, (B,)),
        ([{**row, "secure": "ON"} for row in SECURE], [ME, PEER], {}, ()),
        (SECURE, [ME, PEER], {"update_rpc_password": "always"}, (A, B)),
        (SECURE, [ME, {**PEER, "hasync": "FAILED"}], {}, (A, B)),
        (SECURE, [ME, {**PEER, "state": "UNKNOWN", "hastatus": "DOWN"}], {}, ()),
        ([], [ME, PEER], {"rpc_password": None}, ()),
        ([], [ME, PEER], {"rpc_password": ""}, ()),
    ],
)
def test_when_the_rpc_password_is_written(
    rpc: list[dict[str, Any]], rows: list[dict[str, Any]], options: dict[str, Any], written: tuple[str, ...]
) -> None:
    assert plan(*rows, rpc=rpc, **options).rpc == written


def test_a_peer_known_by_another_number_stays() -> None:
    assert plan(ME, {**PEER, "id": "7"}).empty


def test_another_peer_is_named_and_left_alone_unless_it_may_be_replaced() -> None:
    other = {**PEER, "id": "3", "ipaddress": C}
    with pytest.raises(NitroError, match=rf"its peer is {C} \(node 3\), not {B}.*replace_peer"):
        plan(ME, other)
    replaced = plan(ME, other, replace_peer=True)
    assert (replaced.remove, replaced.add, replaced.rpc) == ((3,), {"id": 1, "ipaddress": B, "inc": "ENABLED"}, (A, B))
    assert plan(ME, other, state="absent").empty


def test_absent_removes_the_peer_by_its_number() -> None:
    assert plan(ME, {**PEER, "id": "7"}, state="absent", hello_interval=500) == ha.Plan(remove=(7,))
    assert plan(ME, state="absent").empty


@pytest.mark.parametrize(
    ("mine", "theirs", "asked", "refused"),
    [
        ("ENABLED", "ENABLED", True, False),
        ("DISABLED", "ENABLED", True, False),  # right after forming, the two rows can disagree
        ("DISABLED", "DISABLED", True, True),
        ("ENABLED", "ENABLED", False, True),
        (None, None, True, False),
    ],
)
def test_inc_cannot_change_in_a_pair(mine: str | None, theirs: str | None, asked: bool, refused: bool) -> None:
    rows = ({**ME, "inc": mine}, {**PEER, "inc": theirs})
    if refused:
        with pytest.raises(NitroError, match="INC"):
            plan(*rows, inc=asked)
    else:
        assert plan(*rows, inc=asked).empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"peer": A}, "peer is this appliance itself"),
        ({"peer": "10.0.1.10:443"}, "peer is this appliance itself"),
        ({"peer": "http://x"}, "peer 'http://x' is no address"),
        ({"node_id": 0}, "1 to 64, not 0"),
        ({"node_id": 65}, "1 to 64, not 65"),
        ({"hello_interval": 100}, "hello_interval must be 200 to 1000, not 100"),
        ({"dead_interval": 61}, "dead_interval must be 3 to 60, not 61"),
        ({"max_flips": -1}, "max_flips must be 0 or more, not -1"),
    ],
)
def test_what_no_appliance_would_take_is_refused_before_anything_is_sent(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        desired(**options)


@pytest.mark.parametrize(
    ("mine", "theirs", "calm", "works"),
    [
        ({}, {}, False, True),
        ({"state": "Secondary", "hasync": "SUCCESS"}, {"state": "Primary", "hasync": "ENABLED"}, False, True),
        ({"state": "PRIMARY"}, {"state": "SECONDARY", "hasync": "success"}, False, True),
        ({"hastatus": "STAYPRIMARY"}, {}, False, True),
        # the configured word: not begun yet, or a build that never says more
        ({}, {"hasync": "ENABLED"}, False, False),
        ({}, {"hasync": "ENABLED"}, True, True),
        ({}, {"hasync": "ENABLED", "masterstatetime": "600"}, False, True),
        ({"masterstatetime": 600}, {"hasync": "ENABLED", "masterstatetime": 2}, False, False),
        ({"masterstatetime": 600}, {"hasync": "ENABLED"}, False, False),
        ({}, {"hasync": "IN PROGRESS"}, True, False),
        ({}, {"hasync": "FAILED", "masterstatetime": 600}, True, False),
        ({}, {"hasync": "DISABLED"}, True, False),
        ({"hasync": "DISABLED"}, {}, True, False),
        ({}, {"hasync": None}, True, False),
        ({}, {"state": "Primary"}, True, False),
        ({}, {"state": "UNKNOWN", "hastatus": "DOWN"}, True, False),
        ({}, {"hastatus": "INIT"}, True, False),
        ({"hastatus": "PARTIALFAIL"}, {}, True, False),
        ({}, {"ipaddress": C}, True, False),
    ],
)
def test_a_pair_works_when_both_are_up_in_different_roles_and_in_sync(
    mine: dict[str, Any], theirs: dict[str, Any], calm: bool, works: bool
) -> None:
    view = ha.ObservedHa.from_rows([{**ME, **mine}, {**PEER, **theirs}])
    assert ha.in_sync(view, B, calm=calm) is works


def test_one_node_alone_is_no_pair() -> None:
    assert not ha.in_sync(ha.ObservedHa.from_rows([ME]), B)
    assert not ha.in_sync(ha.ObservedHa.from_rows([]), B)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ME, PEER], f"this node is Primary and UP, peer {B} is Secondary and UP, synchronisation SUCCESS"),
        ([ME], f"this node is Primary and UP, peer {B} is not configured"),
        (
            [ME, {"id": "1", "ipaddress": B}],
            f"this node is Primary and UP, peer {B} is unknown and unknown, synchronisation ENABLED",
        ),
        ([], "the node did not say what it is"),
    ],
)
def test_the_last_state_in_words(rows: list[dict[str, Any]], message: str) -> None:
    assert ha.describe(ha.ObservedHa.from_rows(rows), B) == message


def test_summary_of_a_pair() -> None:
    view = ha.ObservedHa.from_rows([{**ME, "state": "Secondary", "hasync": "SUCCESS"}, {**PEER, "state": "Primary"}])
    assert ha.summary(view, B) == {
        "master_state": "Secondary",
        "node_state": "UP",
        "peer": B,
        "sync_state": "SUCCESS",
    }
    assert ha.summary(ha.ObservedHa(None), B) == {
        "master_state": None,
        "node_state": None,
        "peer": None,
        "sync_state": None,
    }


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.1.10", "10.0.1.10", True),
        ("10.0.1.10", "10.0.1.1", False),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("adc-a", "ADC-A", True),
        ("adc-a", "10.0.1.10", False),
    ],
)
def test_addresses_are_compared_as_addresses(one: str, other: str, same: bool) -> None:
    assert ha.same_address(one, other) is same


def test_the_difference_names_no_password() -> None:
    view = ha.ObservedHa.from_rows([ME])
    asked = desired(dead_interval=10)
    difference = ha.diff(asked, view, ha.plan(asked, view, []))
    assert difference == {
        "before": {"peers": [], "rpc_written": [], "dead_interval": 3},
        "after": {"peers": [B], "rpc_written": [A, B], "dead_interval": 10},
    }


@pytest.mark.parametrize(
    ("code", "hint"), [(356, "licence"), (414, "inc=true"), (2453, "cluster"), (415, "NSIP"), (1, None)]
)
def test_an_error_says_what_to_do_where_that_is_known(code: int, hint: str | None) -> None:
    error = NitroError("10.0.1.10: add hanode '10.0.2.10': refused", code=code, http_status=599, resource="hanode")
    explained = ha.explained(error)
    assert (explained.code, explained.http_status, explained.resource) == (code, 599, "hanode")
    assert str(explained).startswith(str(error))
    assert (hint in str(explained)) if hint else (str(explained) == str(error))
