# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read everything that a pair depends on, side by side in one process, and plan its steps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, TypeVar

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import Address, parse_addresses, parse_interfaces
from ..aws.client import Client
from ..aws.iam import same_document
from ..aws.instances import Instance, in_order, instance_result, parse_instances
from ..aws.routes import describe_route_tables
from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all, both, gather
from ..spec.identity import PAIR
from ..spec.vips import tags_of, vips_of_tags
from . import instance_sets, launch, pair_drift, pair_replacement
from . import pair as pairs
from . import pair_vip_checks as checks
from .drift import Finding
from .group_reading import as_message
from .instance_plan import DesiredInterface, DesiredSet, Plan
from .instance_set import InstanceSet
from .shared_options import shared_spec
from .shared_resources import Change, Observed, SharedSpec, own_address, plan_present, predicted_groups, role_name
from .shared_resources_changes import SharedResources

T = TypeVar("T")


@dataclass(slots=True)
class PairReading:
    """What AWS says of a pair, and what follows from it.

    ``problems`` holds one message for each thing that stands in the way; ``warn`` takes what could not be checked.
    """

    ec2: Client
    iam: Client
    definition: pairs.Definition
    policy: Mapping[str, Any]
    warn: Callable[[str], None]
    problems: list[str] = field(default_factory=list)
    subnets: dict[str, pairs.Subnet] = field(default_factory=dict)
    addresses: list[Address] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    observed: Observed = field(default_factory=Observed)
    replacement: pair_replacement.Replacement | None = None
    plans: list[Plan] = field(default_factory=list)
    changes: tuple[Change, ...] = ()

    def result(self) -> dict[str, Any]:
        """Read, and return ``problems``, ``instances``, ``drift`` and ``plan``.

        Raises:
            Failure: AWS refused one of the reads.
        """
        self._read()
        self._judge()
        vpc_id = next(iter(self.subnets.values())).vpc_id if self.subnets else ""
        options = pairs.shared_options(self.definition, vpc_id, self.policy, self._own_addresses())
        # Without a known subnet there is no VPC; what has the pair's names is read all the same.
        spec = shared_spec({**options, "vpc_id": vpc_id or "unknown"})
        (self.observed, vpc_subnets), vip_problems = both(
            lambda: both(
                SharedResources(spec, self.ec2, self.iam).observe,
                lambda: api.describe_vpc_subnets(self.ec2, vpc_id) if vpc_id else [],
            ),
            lambda: self._vip_problems(vpc_id),
        )
        self.problems += [*pairs.network_problems(self.definition, vpc_subnets), *vip_problems]
        shared_due = self._shared_due(spec)
        groups = predicted_groups(spec, self.observed)
        sets, sets_due = self._sets(groups)
        address = own_address(spec, self.observed) if spec.elastic_ip else None
        self.problems += pair_drift.dropped_addresses(
            self.definition, self.instances, self.addresses, [address.allocation_id] if address else []
        )
        drift = self._drift(groups)
        known = {"public_ip": address.public_ip, "allocation_id": address.allocation_id} if address else None
        return {
            "problems": list(dict.fromkeys(self.problems)),
            "instances": [instance_result(item, t.ROLES, {}, self.addresses) for item in self._live()],
            "drift": [found.result() for found in drift],
            "plan": {
                **self.definition,
                "vpc_id": vpc_id,
                "subnets": {name: subnet.result() for name, subnet in self.subnets.items()},
                "shared": {
                    "due": shared_due,
                    "options": options,
                    "observed": {"security_groups": groups, "elastic_ip": known},
                },
                "instances": {"due": sets_due, "sets": sets},
                "instance_tags": self._instance_tags(),
                "unassociated": pairs.unassociated(self.definition, self.addresses, self._own_interfaces()),
                "replacement": self.replacement.result() if self.replacement else None,
                "network": pairs.network(self.definition, vpc_subnets),
            },
        }

    def _drift(self, groups: Mapping[str, str | None]) -> list[Finding]:
        """Return how nodes in service differ from the definition, and warn of each difference."""
        nodes = self.definition["nodes"]
        interfaces = {
            number: _requests({"interfaces": pairs.interfaces_of(self.definition, node, groups)})
            for number, node in enumerate(nodes)
        }
        drift = pair_drift.node_findings(self.definition, self.instances, interfaces, self._user_data())
        drift += pair_drift.repaired(self.plans, self.instances, self.changes)
        for found in drift:
            self.warn(found.message)
        return drift

    def _user_data(self) -> dict[str, str]:
        """Return the user data of each node in service that has any. Without the right to read it, none is compared."""
        ids = [one.instance_id for one in pair_drift.in_service(self.instances)]
        read = attempt_all([functools.partial(api.describe_user_data, self.ec2, name) for name in ids])
        return {name: data for name, data in zip(ids, read, strict=True) if not isinstance(data, Failure) and data}

    def _read(self) -> None:
        definition, name = self.definition, self.definition["name"]
        reads: list[Callable[[], Any]] = [
            lambda: api.describe_subnets(self.ec2, pairs.subnet_ids(definition)),
            lambda: api.describe_addresses(self.ec2),
            lambda: api.describe_instances(self.ec2, t.as_filters({t.GROUP: name})),
        ]
        subnets, addresses, instances = gather(reads)
        self.subnets = pairs.parse_subnets(subnets)
        self.addresses = parse_addresses(addresses)
        self.instances = parse_instances(instances)

    def _instance_tags(self) -> dict[str, str]:
        """Return the tags of the instances: the user's, and those by which a failover knows the VIPs."""
        return {**self.definition["tags"], **tags_of(self.definition, [one.tags for one in self._live()])}

    def _vip_problems(self, vpc_id: str) -> list[str]:
        """Read what the VIPs depend on, nothing for Elastic IPs; return what is against them."""
        definition, tables = self.definition, checks.route_tables(self.definition)
        filters = checks.holder_filters(definition, vpc_id) if vpc_id else []
        reads: list[Callable[[], Any]] = [
            lambda: api.describe_vpcs(self.ec2, vpc_id) if checks.has_routes(definition) and vpc_id else [],
            lambda: describe_route_tables(self.ec2, {"route-table-id": tables}) if tables else [],
            *(functools.partial(api.describe_network_interfaces, self.ec2, each) for each in filters),
        ]
        vpcs, described, *holders = gather(reads)
        own = self._own_interfaces()
        changed = checks.family_problems(definition, vips_of_tags([one.tags for one in self._live()]))
        return changed + checks.vip_problems(
            definition, self.subnets, parse_interfaces(chain(*holders)), own, vpcs, described
        )

    def _own_addresses(self) -> list[str]:
        """Return the allocation ids of the Elastic IPs that the definition names."""
        given = set(self.definition["elastic_ips"])
        return [a.allocation_id for a in self.addresses if given & {a.public_ip, a.allocation_id}]

    def _own_interfaces(self) -> set[str]:
        return {interface.network_interface_id for item in self._live() for interface in item.interfaces}

    def _live(self) -> list[Instance]:
        return in_order(instance for instance in self.instances if instance.live)

    def _staying(self) -> list[Instance]:
        """Return the live instances without the one that is to be replaced."""
        return [item for item in self._live() if not (self.replacement and self.replacement.replaces(item))]

    def _check_launch_spec(self) -> None:
        """Check image and type of a launch that another problem keeps from being checked as a whole."""
        definition = self.definition
        if len(self._staying()) >= len(definition["nodes"]):
            return
        images, types = both(
            lambda: api.describe_image(self.ec2, definition["image_id"]),
            lambda: api.describe_instance_type(self.ec2, definition["instance_type"]),
        )
        prerequisites = launch.Prerequisites(types=types, images=images)
        requests = _requests({"interfaces": pairs.interfaces_of(definition, definition["nodes"][0])})
        launch_spec, desired = self._launch_spec(), DesiredSet("present", definition["name"], interfaces=requests)
        for check in (
            functools.partial(launch.check_image, launch_spec, prerequisites.images),
            functools.partial(launch.check_type, desired, launch_spec, prerequisites.types),
        ):
            self._collect(check)

    def _collect(self, check: Callable[[], T]) -> T | None:
        """Return what a check returns; its Refusal becomes a problem."""
        try:
            return check()
        except Refusal as refusal:
            self.problems.append(as_message(str(refusal)))
            return None

    def _judge(self) -> None:
        definition = self.definition
        own = self._own_interfaces()
        self.replacement = self._collect(
            lambda: pair_replacement.select(definition["name"], definition["replace_node"], self.instances)
        )
        self.problems += pair_replacement.stopped_problems(self._live(), self.replacement)
        self.problems += pairs.namesake_problems(definition["name"], self.instances)
        self.problems += pairs.subnet_problems(definition, self.subnets)
        self.problems += pairs.address_problems(definition, self.addresses, own)
        self.problems += pairs.placement_problems(definition, self.subnets, self._staying())
        self.problems += pair_drift.incomplete_nodes(definition, self._staying())

    def _shared_due(self, spec: SharedSpec) -> bool:
        """Whether role, groups or address differ. A refusal about the key pair does not hide one about ownership."""
        due = True
        try:
            self.changes = plan_present(spec, self.observed, same_document).changes
            due = bool(self.changes)
        except Refusal as refusal:
            self.problems.append(as_message(str(refusal)))
            self._collect(lambda: plan_present(replace(spec, key_name=None), self.observed, same_document))
        return due

    def _launch_spec(self) -> launch.LaunchSpec:
        definition = self.definition
        return launch.LaunchSpec(
            image_id=definition["image_id"],
            instance_type=definition["instance_type"],
            iam_instance_profile=role_name(definition["name"]),
            key_name=definition["key_name"] or None,
            http_tokens=definition["http_tokens"],
            metadata_hop_limit=definition["metadata_hop_limit"],
            license_mode=definition["license_mode"],
        )

    def _sets(self, groups: Mapping[str, str | None]) -> tuple[list[dict[str, Any]], bool]:
        """Return the option ``sets`` of vpx_instance, and whether a set differs from what is there."""
        if self.problems:
            self._check_launch_spec()
            return [], True
        sets = pairs.instance_sets(self.definition, self.subnets, groups)
        instances = [self._instance_set(each) for each in sets]
        # What would be refused at the launch of a successor is refused before the node is removed.
        staying = {item.instance_id for item in self._staying()}
        seen = [
            replace(state, instances=tuple(item for item in state.instances if item.instance_id in staying))
            for state in instance_sets.observe(instances)
        ]
        plans: list[Plan] = []
        # One at a time, so that what RunInstances would refuse for one node hides nothing of the other.
        for each, state in zip(instances, seen, strict=True):
            plans += self._collect(functools.partial(instance_sets.plan, [each], [state], lenient=True)) or []
        if len(plans) == len(instances) and sum(plan.allocate for plan in plans) > 1:
            # The quota of Elastic IPs must hold for both together.
            self._collect(lambda: instance_sets.plan(instances, seen, lenient=True))
        if self.problems:
            return [], True
        self.plans = plans
        return self._with_predecessor(pairs.instance_sets(self.definition, self.subnets)), any(
            plan.writes for plan in plans
        )

    def _with_predecessor(self, sets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the sets; that of a node to be replaced has the tag by which a repeated run knows its successor."""
        replacement = self.replacement
        if replacement is None or not replacement.launch:
            return sets
        tags = {**self.definition["tags"], **replacement.tags}
        return [{**each, "tags": tags} if each["node_id"] == replacement.node_id else each for each in sets]

    def _instance_set(self, each: Mapping[str, Any]) -> InstanceSet:
        desired = DesiredSet(
            state="present",
            group=self.definition["name"],
            kind=PAIR,
            zone=each["zone"],
            node_id=each["node_id"],
            count=1,
            interfaces=_requests(each),
            tags=self._instance_tags(),
            terminate_surplus=False,
            profile=role_name(self.definition["name"]),
        )
        return InstanceSet(
            client=self.ec2,
            desired=desired,
            launch_spec=self._launch_spec(),
            wait=False,
            wait_timeout=0,
            warn=self.warn,
        )


def _requests(each: Mapping[str, Any]) -> tuple[DesiredInterface, ...]:
    return tuple(
        DesiredInterface(
            role=interface["role"],
            subnet_id=interface["subnet_id"],
            security_groups=tuple(interface["security_groups"]) if "security_groups" in interface else None,
            secondary_private_ip_count=interface.get("secondary_private_ip_count", 0),
            elastic_ip=interface.get("elastic_ip", False),
            source_dest_check=interface.get("source_dest_check"),
        )
        for interface in each["interfaces"]
    )
