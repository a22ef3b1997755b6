# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of the instances of a set: their lifecycle, their numbers, and what they say against a removal. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from ..aws import tags as t
from ..aws.instances import Instance
from ..spec.identity import Owner, belongs

#: The order of a lifecycle. A spare instance stands outside of it.
_ORDER = (t.PROVISIONING, t.JOINING, t.IN_SERVICE, t.DRAINING, t.TERMINATING)
_LEAVING = (t.DRAINING, t.TERMINATING)


def desired_lifecycle(asked: str | None, instance: Instance) -> dict[str, str]:
    """Return the lifecycle tag that an instance must get, or {} if it keeps its own.

    Without a request, an instance that runs goes from provisioning to joining. A request never takes an instance back
    in the order of the lifecycle: it may be older than what another run did since.
    """
    now = instance.lifecycle
    if asked is None:
        return {t.LIFECYCLE: t.JOINING} if instance.state == "running" and now == t.PROVISIONING else {}
    if asked in _ORDER and now in _ORDER and _ORDER.index(asked) < _ORDER.index(now):
        return {}
    return {t.LIFECYCLE: asked}


def removal_obstacle(owner: Owner, place: Mapping[str, str], event: str | None, instance: Instance) -> str | None:
    """Return why an instance must not be terminated, or None.

    Args:
        owner: Who terminates.
        place: The tags by which the set is found.
        event: The id of the scaling event that terminates; None: it is not a scaling event.
        instance: As EC2 shows it now.
    """
    name, tags = instance.instance_id, instance.tags
    if not t.carries(tags, place):
        differs = ", ".join(f"{key} is {tags.get(key)!r}" for key in t.missing(tags, place))
        return f"{name} does not belong to {owner} (any more): {differs}"
    if not belongs(owner, tags):
        return f"{name} does not belong to {owner}: its tag {t.KIND} is {tags.get(t.KIND)!r}"
    if event is None:
        return None
    if tags.get(t.EVENT) != event:
        return f"{name} is not marked for event {event}: its tag {t.EVENT} is {tags.get(t.EVENT)!r}"
    if instance.lifecycle not in _LEAVING:
        return f"{name} is marked for event {event}, but its lifecycle is {instance.lifecycle}"
    return None


def numbering(stay: Sequence[Instance]) -> dict[str, dict[str, str]]:
    """Return the tag with the lowest free node id for every instance that has none, the oldest first."""
    taken = {instance.node_id for instance in stay}
    free = (number for number in itertools.count() if number not in taken)
    fresh = sorted((i for i in stay if i.node_id is None), key=lambda i: (i.launch_time, i.instance_id))
    return {instance.instance_id: {t.NODE_ID: str(next(free))} for instance in fresh}
