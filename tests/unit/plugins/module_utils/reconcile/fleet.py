"""Makers of what the tests of vpx_instance speak about."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association, Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_plan import (
    DesiredInterface,
    DesiredSet,
    ObservedSet,
)

ROLES = ("management", "client", "server")
OURS = {"cloudadc:group": "shop", "cloudadc:created_by": "vpx_instance"}


def desired_interface(role: str, **more: Any) -> DesiredInterface:
    return DesiredInterface(role, f"subnet-{role}", **more)


def desired(state: str = "present", **more: Any) -> DesiredSet:
    of_role: dict[str, dict[str, Any]] = more.pop("of_role", {})
    interfaces = tuple(desired_interface(role, **of_role.get(role, {})) for role in ROLES)
    return DesiredSet(**{"state": state, "group": "shop", "interfaces": interfaces, **more})


def instance(
    name: str = "i-1",
    state: str = "running",
    *,
    born: str = "1",
    lifecycle: str | None = None,
    node_id: int | None = None,
    **tags: str,
) -> Instance:
    own = {"cloudadc:group": "shop"}
    own |= {"cloudadc:lifecycle": lifecycle} if lifecycle else {}
    own |= {"cloudadc:node_id": str(node_id)} if node_id is not None else {}
    interfaces = tuple(
        Attached(f"eni-{name}-{index}", index, (address_of(name, index),), f"subnet-{role}", frozenset({"sg-1"}))
        for index, role in enumerate(ROLES)
    )
    gone = state in ("terminated", "shutting-down")
    return Instance(name, state, "zone-a", born, {**own, **tags}, () if gone else interfaces)


def address_of(name: str, index: int) -> str:
    return f"10.0.{index}.{name.removeprefix('i-')}"


def association(name: str, index: int) -> Association:
    return Association(f"eni-{name}-{index}", address_of(name, index))


def tagged(*instances: Instance) -> dict[str, Interface]:
    """Return the interfaces of these instances, each with the tags it should have."""
    return {
        item.network_interface_id: Interface(
            item.network_interface_id,
            item.addresses,
            i.instance_id,
            item.device_index,
            status="in-use",
            tags={**OURS, "cloudadc:role": ROLES[item.device_index]},
        )
        for i in instances
        for item in i.interfaces
    }


def observed(*instances: Instance, addresses: tuple[Address, ...] = (), **more: Any) -> ObservedSet:
    return ObservedSet(instances, more.get("interfaces", tagged(*instances)), addresses)


def eip(number: int, where: Association | None = None, role: str | None = "management") -> Address:
    """Return an Elastic IP of ours for a role; role None: a foreign one."""
    tags = {**OURS, "cloudadc:role": role} if role else {}
    return Address(f"203.0.113.{number}", f"eipalloc-{number}", where, tags=tags)
