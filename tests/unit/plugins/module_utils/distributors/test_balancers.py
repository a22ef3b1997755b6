"""What is decided about a load balancer, from what is wanted and what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import tags as t
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.balancers import (
    CROSS_ZONE,
    ROLE,
    Attachment,
    Balancer,
    DesiredBalancer,
    Plan,
    allocated,
    decide,
)

DESIRED = DesiredBalancer(
    "shop", "shop", places=(Attachment("a", "subnet-a"), Attachment("b", "subnet-b")), tags={"cost": "7"}
)
HERE = Balancer(
    arn="arn:shop",
    kind="network",
    scheme="internet-facing",
    state="active",
    dns_name="shop.example",
    hosted_zone_id="Z1",
    subnets={"subnet-a": "eipalloc-a", "subnet-b": "eipalloc-b"},
    tags={t.GROUP: "shop", t.KIND: "group", "cost": "7"},
)


def address(zone: str, allocation_id: str = "", *, used: bool = False) -> Address:
    tags = {t.GROUP: "shop", t.KIND: "group", t.ZONE: zone, t.ROLE: ROLE}
    return Address("192.0.2.1", allocation_id or f"eipalloc-{zone}", None, "eipassoc-1" if used else None, tags)


OURS = (address("a", used=True), address("b", used=True))


def test_nothing_there_makes_all_of_it() -> None:
    assert decide(DESIRED, None, ()) == Plan(allocate=("a", "b"), create=True)


def test_as_wanted_is_no_write() -> None:
    assert decide(DESIRED, HERE, OURS) == Plan()


def test_an_address_that_a_killed_run_left_is_used() -> None:
    assert decide(DESIRED, None, (address("b"),)) == Plan(allocate=("a",), create=True)


def test_what_an_earlier_release_made_is_adopted() -> None:
    old = replace(HERE, tags={t.GROUP: "shop", "cost": "7"})
    first, second = (replace(each, tags={k: v for k, v in each.tags.items() if k != t.KIND}) for each in OURS)
    assert decide(DESIRED, old, (first, second)) == Plan(adopt=(first, second), tags={t.KIND: "group"})


def test_one_address_too_many_is_released_and_it_is_not_the_one_in_use() -> None:
    spare = address("a", "eipalloc-0")
    assert allocated((spare, *OURS))["a"] == "eipalloc-a"
    assert decide(DESIRED, HERE, (spare, *OURS)).release == (spare,)


def test_given_addresses_are_neither_allocated_nor_released() -> None:
    places = (Attachment("a", "subnet-a", allocation_id="eipalloc-mine"), Attachment("b", "subnet-b"))
    plan = decide(replace(DESIRED, places=places), None, ())
    assert plan == Plan(allocate=("b",), create=True)
    assert places[0].mapping({"a": "eipalloc-a"})["AllocationId"] == "eipalloc-mine"


def test_an_internal_one_has_private_addresses_only() -> None:
    places = (Attachment("a", "subnet-a", private_ip_address="10.0.0.9"),)
    desired = replace(DESIRED, scheme="internal", places=places)
    assert decide(desired, None, ()) == Plan(create=True)
    assert places[0].mapping({}) == {"SubnetId": "subnet-a", "PrivateIPv4Address": "10.0.0.9"}


def test_what_differs_is_set_and_nothing_else() -> None:
    third = replace(DESIRED, places=(*DESIRED.places, Attachment("c", "subnet-c")))
    assert decide(third, HERE, OURS) == Plan(allocate=("c",), set_subnets=True)
    assert decide(replace(DESIRED, cross_zone=True), HERE, OURS) == Plan(attributes={CROSS_ZONE: "true"})
    assert decide(replace(DESIRED, tags={"cost": "8"}), HERE, OURS) == Plan(tags={"cost": "8"})
    guarded = replace(DESIRED, security_groups=frozenset({"sg-1"}))
    assert decide(guarded, HERE, OURS) == Plan(set_security_groups=True)
    assert decide(guarded, replace(HERE, security_groups=frozenset({"sg-1"})), OURS) == Plan()


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (replace(HERE, tags={}), "was not made for group shop"),
        (replace(HERE, tags={t.GROUP: "shop", t.KIND: "pair"}), "its tag cloudadc:kind is 'pair'"),
        (replace(HERE, tags={t.GROUP: "other"}), "its tag cloudadc:group is 'other'"),
        (replace(HERE, kind="application"), "is of type application, not network"),
        (replace(HERE, scheme="internal"), "is internal, and AWS cannot make it internet-facing"),
        (replace(HERE, subnets={"subnet-a": "eipalloc-9", "subnet-b": None}), "has eipalloc-9 as its address in a"),
    ],
)
def test_what_cannot_be_made_so_is_refused(there: Balancer, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        decide(DESIRED, there, OURS)
