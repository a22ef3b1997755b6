"""Ownership by tag: what belongs to a pair or a group, what may be adopted, what must not be touched."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import (
    ObservedResource,
    Owner,
    Ownership,
    adoptable,
    adoption_warning,
    ownership,
    with_kind,
)

PAIR = Owner("shop", "pair")
GROUP = Owner("shop", "group")
ANY = Owner("shop")

NAMED = {"cloudadc:group": "shop"}
OF_PAIR = {**NAMED, "cloudadc:kind": "pair"}
OF_GROUP = {**NAMED, "cloudadc:kind": "group"}
OTHER_NAME = {"cloudadc:group": "other", "cloudadc:kind": "pair"}


@pytest.mark.parametrize(
    ("owner", "tags", "description", "verdict"),
    [
        (PAIR, OF_PAIR, "", Ownership.OWN),
        (GROUP, OF_GROUP, "", Ownership.OWN),
        (PAIR, OF_GROUP, "", Ownership.OTHER_KIND),
        (GROUP, OF_PAIR, "", Ownership.OTHER_KIND),
        (PAIR, NAMED, "", Ownership.ADOPTABLE),
        (PAIR, NAMED, "NetScaler VPX pair shop", Ownership.ADOPTABLE),
        (PAIR, NAMED, "changed by hand", Ownership.ADOPTABLE),
        (PAIR, NAMED, "NetScaler VPX group shop", Ownership.OTHER_KIND),
        (GROUP, NAMED, "Clients of the VPX pair shop", Ownership.OTHER_KIND),
        # The tag decides if there is one: every user can set a description.
        (PAIR, OF_PAIR, "NetScaler VPX group shop", Ownership.OWN),
        (PAIR, {}, "", Ownership.FOREIGN),
        (PAIR, {"cloudadc:kind": "pair"}, "NetScaler VPX pair shop", Ownership.FOREIGN),
        (PAIR, OTHER_NAME, "", Ownership.FOREIGN),
        (ANY, NAMED, "", Ownership.OWN),
        (ANY, OF_GROUP, "", Ownership.OWN),
        (ANY, OTHER_NAME, "", Ownership.FOREIGN),
        # A kind of a later release is not ours either.
        (PAIR, {**NAMED, "cloudadc:kind": "mesh"}, "", Ownership.OTHER_KIND),
    ],
)
def test_ownership_by_kind_and_name(owner: Owner, tags: dict[str, str], description: str, verdict: Ownership) -> None:
    assert ownership(owner, tags, description) is verdict


def test_kindless_resources_are_adopted_while_no_other_kind_has_the_name() -> None:
    role, group = ObservedResource("IAM role shop-vpx", NAMED), ObservedResource("security group shop-client", OF_PAIR)
    assert adoptable(PAIR, [role, group]) == [role]
    assert adoption_warning(PAIR, [role]) == (
        "pair shop adopts resources of an earlier release by adding the tag cloudadc:kind=pair: IAM role shop-vpx"
    )
    assert adoption_warning(PAIR, []) is None


def test_kindless_resources_are_not_adopted_beside_another_kind_of_the_name() -> None:
    with pytest.raises(Refusal, match="instance i-1 was not made for pair shop: its tag cloudadc:kind is 'group'"):
        adoptable(PAIR, [ObservedResource("IAM role shop-vpx", NAMED), ObservedResource("instance i-1", OF_GROUP)])


def test_every_foreign_resource_is_named() -> None:
    found = [ObservedResource("IAM role shop-vpx"), ObservedResource("security group shop-client", OTHER_NAME)]
    with pytest.raises(Refusal) as refused:
        adoptable(PAIR, found)
    assert str(refused.value) == (
        "IAM role shop-vpx was not made for pair shop: it has no tag cloudadc:group; "
        "security group shop-client was not made for pair shop: its tag cloudadc:group is 'other'. "
        "Choose another name, or remove it. Nothing was changed."
    )
    assert adoptable(PAIR, found, by_name=False) == []


def test_an_unstated_kind_is_that_of_the_resources() -> None:
    assert with_kind(ANY, []) == ANY
    assert (
        with_kind(
            ANY, [ObservedResource("a", NAMED), ObservedResource("b", OF_GROUP), ObservedResource("c", OTHER_NAME)]
        )
        == GROUP
    )
    assert with_kind(PAIR, [ObservedResource("b", OF_GROUP)]) == PAIR
    with pytest.raises(Refusal, match="a has cloudadc:kind=group, b has cloudadc:kind=pair"):
        with_kind(ANY, [ObservedResource("a", OF_GROUP), ObservedResource("b", OF_PAIR)])
