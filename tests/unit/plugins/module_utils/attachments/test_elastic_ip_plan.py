"""eip_failover's decisions, as tables."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.base import Verification
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_plan import (
    AssociationChange,
    MoveRequest,
    judge,
    lookup,
    plan,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association, Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal

A1, A2, B1, B2 = (
    Association(f"eni-{node}", f"10.0.{net}.{host}")
    for node, net, host in (("a", 1, 10), ("a", 1, 11), ("b", 2, 10), ("b", 2, 11))
)
INTERFACES = [
    Interface("eni-a", (A1.private_ip_address, A2.private_ip_address), "i-a", 1),
    Interface("eni-b", (B1.private_ip_address, B2.private_ip_address), "i-b", 1),
    Interface("eni-b0", ("10.0.9.9",), "i-b", 0),
]


def eip(number: int, place_at: Association | None) -> Address:
    return Address(f"203.0.113.{number}", f"eipalloc-{number}", place_at)


def request(
    name: str, interface: str | None = None, private: str | None = None, *, instance: str | None = None, index: int = 1
) -> MoveRequest:
    return MoveRequest(name, interface, instance, index, private)


@pytest.mark.parametrize(
    ("desired", "after", "changed"),
    [
        pytest.param(request("203.0.113.1", "eni-a", "10.0.1.10"), A1, False, id="there already"),
        pytest.param(request("eipalloc-1", "eni-a", "10.0.1.10"), A1, False, id="named by allocation"),
        pytest.param(
            request("203.0.113.1", "eni-a", "10.0.1.11"), A2, True, id="right interface, wrong private address"
        ),
        pytest.param(request("203.0.113.1", "eni-b", "10.0.2.10"), B1, True, id="another interface"),
        pytest.param(request("203.0.113.1", "eni-b"), B1, True, id="default: the primary private address"),
        pytest.param(request("203.0.113.1", instance="i-b"), B1, True, id="by instance, client interface"),
        pytest.param(
            request("203.0.113.1", instance="i-b", index=0), Association("eni-b0", "10.0.9.9"), True, id="by index"
        ),
        pytest.param(request("203.0.113.1", private="10.0.2.11", instance="i-b"), B2, True, id="instance and address"),
    ],
)
def test_identity_is_allocation_interface_and_private_address(
    desired: MoveRequest, after: Association, changed: bool
) -> None:
    [move] = plan([desired], [eip(1, A1)], INTERFACES, None)
    assert (move.address.allocation_id, move.before, move.after, move.changed) == ("eipalloc-1", A1, after, changed)


@pytest.mark.parametrize(
    ("requests", "filters"),
    [
        pytest.param([request("x", "eni-a", "10.0.1.10")], None, id="nothing to resolve: no call"),
        pytest.param(
            [request("x", "eni-b"), request("y", "eni-a")], {"network-interface-id": ["eni-a", "eni-b"]}, id="eni"
        ),
        pytest.param([request("x", instance="i-b")], {"attachment.instance-id": ["i-b"]}, id="instance"),
        pytest.param(
            [request("x", instance="i-b", private="10.0.2.10")], {"attachment.instance-id": ["i-b"]}, id="index"
        ),
        pytest.param([request("x", instance="i-b"), request("y", "eni-a")], {}, id="filters are and-ed: list all"),
        pytest.param(
            [request("x", instance="i-b"), request("y", "eni-a", "10.0.1.10")],
            {"attachment.instance-id": ["i-b"]},
            id="a complete request needs no lookup",
        ),
    ],
)
def test_one_lookup_resolves_all_requests(requests: list[MoveRequest], filters: dict[str, list[str]] | None) -> None:
    assert lookup(requests) == filters


@pytest.mark.parametrize(
    ("requests", "addresses", "message"),
    [
        pytest.param(
            [request("203.0.113.9", "eni-a"), request("eipalloc-8", "eni-b"), request("203.0.113.1", "eni-a")],
            [eip(1, A1)],
            ["203.0.113.9", "eipalloc-8"],
            id="unknown addresses, all named",
        ),
        pytest.param(
            [request("203.0.113.1", "eni-x")],
            [eip(1, A1)],
            ["203.0.113.1", "eni-x", "does not exist"],
            id="unknown interface",
        ),
        pytest.param(
            [request("203.0.113.1", instance="i-a", index=2)],
            [eip(1, A1)],
            ["i-a, device index 2"],
            id="no interface at that index",
        ),
        pytest.param(
            [request("203.0.113.1", private="10.0.2.99", instance="i-b")],
            [eip(1, A1)],
            ["10.0.2.99", "eni-b", "10.0.2.10, 10.0.2.11"],
            id="an address the interface has not",
        ),
        pytest.param(
            [request("203.0.113.1", "eni-a", "10.0.1.10"), request("eipalloc-1", "eni-b", "10.0.2.10")],
            [eip(1, None)],
            [str(A1), str(B1)],
            id="one address, two targets",
        ),
        pytest.param(
            [request("203.0.113.1", "eni-b", "10.0.2.10"), request("203.0.113.2", "eni-b")],
            [eip(1, A1), eip(2, A2)],
            ["203.0.113.1", "203.0.113.2", str(B1)],
            id="two addresses, one target",
        ),
        pytest.param(
            [request("203.0.113.1", "eni-b")],
            [eip(1, A1), eip(2, B1)],
            ["203.0.113.1", "203.0.113.2 (eipalloc-2)", "displace"],
            id="the target holds another",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(
    requests: list[MoveRequest], addresses: list[Address], message: list[str]
) -> None:
    with pytest.raises(Refusal) as refused:
        plan(requests, addresses, INTERFACES, None)
    assert all(word in str(refused.value) for word in message), str(refused.value)


@pytest.mark.parametrize(
    ("before", "target", "expected", "allowed"),
    [
        pytest.param(A1, B1, None, True, id="any interface, by default"),
        pytest.param(A1, B1, ["eni-a"], True, id="the expected holder"),
        pytest.param(A1, B1, ["eni-c"], False, id="another holder"),
        pytest.param(A1, B1, [], False, id="no interface may lose it"),
        pytest.param(None, B1, ["eni-c"], True, id="without an association"),
        pytest.param(B1, B1, ["eni-c"], True, id="there already"),
        pytest.param(B2, B1, ["eni-c"], True, id="on the target interface already, other private address"),
    ],
)
def test_expected_owners(
    before: Association | None, target: Association, expected: list[str] | None, allowed: bool
) -> None:
    desired = [request("eipalloc-1", target.network_interface_id, target.private_ip_address)]
    if allowed:
        assert [m.after for m in plan(desired, [eip(1, before)], [], expected)] == [target]
        return
    with pytest.raises(Refusal, match=r"203\.0\.113\.1 \(eipalloc-1\) is held by eni-a"):
        plan(desired, [eip(1, before)], [], expected)


def test_one_unexpected_owner_refuses_the_whole_task() -> None:
    desired = [request("eipalloc-1", "eni-b", "10.0.2.10"), request("eipalloc-2", "eni-b", "10.0.2.11")]
    other = Association("eni-z", "10.0.7.7")
    with pytest.raises(
        Refusal, match=r"eipalloc-2\) is held by eni-z \(10\.0\.7\.7\).*from eni-a only.*nothing was moved"
    ):
        plan(desired, [eip(1, A1), eip(2, other)], [], ["eni-a"])


def test_two_addresses_may_swap_their_places() -> None:
    moves = plan(
        [request("eipalloc-1", "eni-b"), request("eipalloc-2", "eni-a")], [eip(1, A1), eip(2, B1)], INTERFACES, None
    )
    assert [(m.before, m.after) for m in moves] == [(A1, B1), (B1, A1)]


def test_displacement_can_be_allowed() -> None:
    [move] = plan([request("eipalloc-1", "eni-b")], [eip(1, A1), eip(2, B1)], INTERFACES, None, displace=True)
    assert move.after == B1


@pytest.mark.parametrize(
    ("now", "association", "observation"),
    [
        pytest.param(B1, "new", Verification.ARRIVED, id="there"),
        pytest.param(A1, "old", Verification.PENDING, id="as it was"),
        pytest.param(None, None, Verification.PENDING, id="nowhere"),
        pytest.param(B2, "new", Verification.TAKEN, id="another private address"),
        pytest.param(A2, "new", Verification.TAKEN, id="a third place"),
        pytest.param(A1, "new", Verification.TAKEN, id="put back where it was"),
    ],
)
def test_a_look_compares_interface_private_address_and_association(
    now: Association | None, association: str | None, observation: Verification
) -> None:
    before = Address("203.0.113.1", "eipalloc-1", A1, "old")
    assert judge(AssociationChange(before, B1), Address("203.0.113.1", "eipalloc-1", now, association)) is observation


def test_a_request_without_any_target_is_refused() -> None:
    option = {
        "elastic_ip": "203.0.113.1",
        "network_interface_id": "",
        "instance_id": None,
        "device_index": 1,
        "private_ip_address": None,
    }
    with pytest.raises(Refusal, match="neither an interface nor an instance"):
        MoveRequest.from_option(option)
