# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS says about the sets of a group, read once for all of them, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import Address, Interface, parse_addresses, parse_interfaces
from ..aws.client import Client
from ..aws.instances import Instance, parse_instances
from ..core.parallel import gather
from ..spec.identity import ObservedResource
from .instance_plan import DesiredSet


@dataclass(frozen=True, slots=True)
class Reading:
    """The instances of a group and those named by id, the interfaces of the group, all Elastic IPs of the region."""

    instances: tuple[Instance, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    addresses: tuple[Address, ...] = ()

    def named(self, desired: DesiredSet) -> tuple[ObservedResource, ...]:
        """Return everything that has the name of the group, of whichever zone and kind.

        An interface that is attached belongs to its instance, and an Elastic IP names its user, so neither is listed
        beside the instance.
        """
        found = [
            *(ObservedResource(f"instance {item.instance_id}", item.tags) for item in self.instances if item.live),
            *(
                ObservedResource(f"network interface {item.network_interface_id}", item.tags)
                for item in self.interfaces
                if item.instance_id is None
            ),
            *(ObservedResource(f"Elastic IP {item.public_ip}", item.tags) for item in self.addresses),
        ]
        return tuple(item for item in found if item.tags.get(t.GROUP) == desired.group)


def read(wants: Sequence[DesiredSet], client: Client) -> Reading:
    """Read what several sets of one group need: one DescribeInstances by name, one by id, and two more calls.

    The instances are searched by the name alone, so that those of another kind are seen, too.
    """
    by_name = t.as_filters({t.GROUP: wants[0].group})
    ids = sorted({name for desired in wants for name in desired.instance_ids or ()})
    whole = any(desired.instance_ids is None for desired in wants)
    named, given, interfaces, addresses = gather(
        [
            lambda: api.describe_instances(client, by_name) if whole else [],
            # No filter would mean every instance of the region, so no id is no call.
            lambda: api.describe_instances(client, {"instance-id": ids}) if ids else [],
            lambda: api.describe_network_interfaces(client, by_name),
            lambda: api.describe_addresses(client),
        ]
    )
    instances = {item.instance_id: item for item in parse_instances([*named, *given])}
    return Reading(tuple(instances.values()), tuple(parse_interfaces(interfaces)), tuple(parse_addresses(addresses)))
