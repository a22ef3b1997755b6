# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which resources belong to a pair or a group: the one decision on ownership by tag. Pure.

A pair and a group derive the same resource names from their own name, so the name alone does not identify an owner: the
kind is part of it. Resources of an earlier release have the tag of the name and no tag of the kind.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..core.errors import Refusal

#: Tag keys. The value of GROUP is the name of the pair or group.
GROUP = "cloudadc:group"
KIND = "cloudadc:kind"

PAIR = "pair"
AUTOSCALE_GROUP = "group"
KINDS = (PAIR, AUTOSCALE_GROUP)

#: So many resources a refusal names, and the number of the others.
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Owner:
    """A pair or a group by name. ``kind`` None: the kind is not stated, and the resources decide."""

    name: str
    kind: str | None = None

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags that every resource of this owner carries."""
        return {GROUP: self.name, **({KIND: self.kind} if self.kind else {})}

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.kind else self.name


class Ownership(enum.Enum):
    """How a resource relates to an owner."""

    OWN = "own"
    #: Made by an earlier release for this name; becomes OWN by the tag of the kind.
    ADOPTABLE = "adoptable"
    #: Carries the name, but belongs to the other kind.
    OTHER_KIND = "other kind"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class ObservedResource:
    """A resource that was found by name or by tag.

    ``what`` names it in messages ("IAM role shop-vpx"). ``description``: as AWS keeps it; releases without the tag of
    the kind named the kind there.
    """

    what: str
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


def ownership(owner: Owner, tags: Mapping[str, str], description: str = "") -> Ownership:
    """Decide to whom a resource belongs, from its tags and, where it has no tag of the kind, its description."""
    if tags.get(GROUP) != owner.name:
        return Ownership.FOREIGN
    kind = tags.get(KIND) or _described_kind(owner.name, description)
    if owner.kind is None or tags.get(KIND) == owner.kind:
        return Ownership.OWN
    return Ownership.ADOPTABLE if kind in (None, owner.kind) else Ownership.OTHER_KIND


def belongs(owner: Owner, tags: Mapping[str, str]) -> bool:
    """Return whether the owner may use a resource with these tags: its own, or one of an earlier release."""
    return ownership(owner, tags) in (Ownership.OWN, Ownership.ADOPTABLE)


def _described_kind(name: str, description: str) -> str | None:
    """Return the kind that a description of an earlier release names ("Clients of the VPX pair shop")."""
    return next((kind for kind in KINDS if description.endswith(f"VPX {kind} {name}")), None)


def with_kind(owner: Owner, found: Iterable[ObservedResource]) -> Owner:
    """Return the owner with the kind of its resources, if none is stated. Raises Refusal if they have both kinds."""
    if owner.kind is not None:
        return owner
    of_kind = {item.tags[KIND]: item.what for item in found if item.tags.get(GROUP) == owner.name and KIND in item.tags}
    if len(of_kind) > 1:
        message = ", ".join(f"{what} has {KIND}={kind}" for kind, what in sorted(of_kind.items()))
        raise Refusal(
            f"{owner.name} is the name of resources of both kinds: {message}. State the kind. Nothing was changed."
        )
    return replace(owner, kind=next(iter(of_kind), None))


def adoptable(owner: Owner, found: Iterable[ObservedResource], *, by_name: bool = True) -> list[ObservedResource]:
    """Return the resources of an earlier release that this owner may adopt; refuse what belongs to another owner.

    Args:
        owner: Who acts.
        found: Every resource that has the owner's name or tag.
        by_name: Whether ``found`` includes resources that were found by their name. Then one without the owner's tag
            occupies the name and is refused; else it is none of our business and ignored.

    Raises:
        Refusal: Names every resource that belongs to another owner, and why.
    """
    verdicts = [(item, ownership(owner, item.tags, item.description)) for item in found]
    reasons = [
        _reason(owner, item, verdict)
        for item, verdict in verdicts
        if verdict is Ownership.OTHER_KIND or (by_name and verdict is Ownership.FOREIGN)
    ]
    if reasons:
        more = f"; and {len(reasons) - _MOST_NAMED} more" if len(reasons) > _MOST_NAMED else ""
        listed = "; ".join(reasons[:_MOST_NAMED])
        raise Refusal(f"{listed}{more}. Choose another name, or remove it. Nothing was changed.")
    return [item for item, verdict in verdicts if verdict is Ownership.ADOPTABLE]


def _reason(owner: Owner, item: ObservedResource, verdict: Ownership) -> str:
    if verdict is Ownership.FOREIGN:
        tag = f"its tag {GROUP} is {item.tags[GROUP]!r}" if GROUP in item.tags else f"it has no tag {GROUP}"
    elif KIND in item.tags:
        tag = f"its tag {KIND} is {item.tags[KIND]!r}"
    else:
        tag = f"its description is {item.description!r}"
    return f"{item.what} was not made for {owner}: {tag}"


def adoption_warning(owner: Owner, adopted: Iterable[ObservedResource]) -> str | None:
    """Return the warning about adopted resources, or None if there are none."""
    names = ", ".join(item.what for item in adopted)
    if not names:
        return None
    return f"{owner} adopts resources of an earlier release by adding the tag {KIND}={owner.kind}: {names}"
