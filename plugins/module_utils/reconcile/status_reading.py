# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Read the state of pairs and groups: AWS once for all of them, then appliances and stores side by side.

Nothing that fails here hides another part: it is named in ``unseen`` of what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import Address, parse_addresses
from ..aws.client import Client
from ..aws.elbv2 import describe_load_balancer
from ..aws.instances import Instance, parse_instances
from ..aws.sts import account_id
from ..core.errors import Failure, Refusal
from ..core.fingerprints import PIN, VERIFY
from ..core.parallel import attempt, both, gather
from ..nitro.client import NitroClient
from ..nitro.module import probe_from
from ..scaling.view import load, overview
from ..spec.figures import Reading
from ..spec.identity import AUTOSCALE_GROUP, PAIR, Owner
from ..spec.vips import Vip
from ..stores.base import Key, Store
from ..stores.kept import HOUR, LONGEST_HOURS, Series
from . import pair_associations, status
from .licence_state import over_nitro as licences_over_nitro
from .pair_observation import observe_vips, panel
from .pair_probe import ProbeTimeouts
from .pair_vips import own_nodes, vips_of_nodes
from .pins import pins_of
from .status_vips import ObservedVips
from .tick_effects import over_nitro

Result = dict[str, Any]

#: Why appliances were not asked.
UNASKED = "appliances were not asked: give nitro_pass (HA state, synchronisation, load and licences are not known)"
#: Why phases and events are not known.
NO_STORE = "phase and events were not read: give store (where the group state is)"
NO_EVENTS = "events and moves were not read: give store (that of ha_watch, which keeps them)"


@dataclass(frozen=True, slots=True)
class Region:
    """What EC2 has of all pairs and groups, and whose account it is (empty: unknown)."""

    instances: Sequence[Instance]
    addresses: Sequence[Address]
    account: str


@dataclass(frozen=True, slots=True)
class StatusReader:
    """What a status needs of its caller.

    Args:
        params: The options of the NITRO modules, with ``passwords`` (by name of a pair or group) and ``nitro_port``.
        client: Returns the client of an AWS service.
        store: Opens the store of a pair or zone; None: there is none.
        keys: Returns the zones of a group that the store has.
        now: Seconds since the epoch.
        probe_timeout: Seconds until an appliance that has not answered counts as silent.
    """

    params: Mapping[str, Any]
    client: Callable[[str], Client]
    store: Callable[[str, str], Store] | None
    keys: Callable[[str], Sequence[Key]]
    now: float
    probe_timeout: float

    def region(self) -> Region:
        """Read EC2: two calls, and whose account it is, side by side. Raises Failure."""
        ec2 = self.client("ec2")
        (addresses, instances), account = both(
            lambda: both(
                lambda: parse_addresses(api.describe_addresses(ec2)),
                lambda: parse_instances(api.describe_instances(ec2, {"tag-key": t.GROUP})),
            ),
            lambda: attempt(lambda: account_id(self.client("sts"))),
        )
        return Region(instances, addresses, "" if isinstance(account, Failure) else account)

    def read(self, region: Region, owners: Sequence[Owner]) -> list[Result]:
        """Return the state of each, in their order, all read side by side."""
        return gather([partial(self._one, region, owner) for owner in owners])

    def _one(self, region: Region, owner: Owner) -> Result:
        if owner.kind == PAIR:
            return self._pair(region, owner.name)
        return self._group(region, owner)

    # -- pairs

    def _pair(self, region: Region, name: str) -> Result:
        own = status.own_instances(Owner(name, PAIR), region.instances)
        tagged = pair_associations.nodes_of_group(own, name)
        vips = vips_of_nodes(tagged)
        nodes = own_nodes(tagged, vips)
        addresses = status.pair_addresses(name, region.addresses, nodes)
        params = self._params(name, pair_associations.tagged(nodes))

        def asked() -> tuple[status.Answers | None, list[str]]:
            answers = self._answers(nodes, params) if params else None
            return answers, self._licences([node.nsip for node in nodes if not node.idle], params)

        unread: list[str] = []
        (answers, licences), (events, placed) = both(
            asked, lambda: both(lambda: self._events(name, unread), lambda: self._vips(tagged, vips))
        )
        unseen = [UNASKED] * (answers is None) + unread
        found = status.pair_status(name, nodes, addresses, answers, events, unseen, placed)
        found["problems"] += licences
        return found

    def _vips(self, nodes: Sequence[pair_associations.Node], vips: Sequence[Vip]) -> ObservedVips:
        found = attempt(lambda: observe_vips(self.client("ec2"), nodes, vips)) if vips else {}
        return ObservedVips(vips, error=str(found)) if isinstance(found, Failure) else ObservedVips(vips, found)

    def _answers(self, nodes: Sequence[pair_associations.Node], params: Mapping[str, Any]) -> status.Answers:
        timeouts = ProbeTimeouts(self.probe_timeout, params["nitro_timeout"], 0.0)

        def connect(endpoint: str) -> NitroClient:
            return probe_from(params, endpoint, self.probe_timeout)

        with panel(nodes, params["nitro_port"], connect, timeouts) as asked:
            return status.Answers(*asked.decide())

    def _events(self, name: str, unseen: list[str]) -> list[Result] | None:
        if self.store is None:
            unseen.append(NO_EVENTS)
            return None
        opened = self.store
        found = attempt(lambda: opened(name, EVENTS_OF_PAIRS).kept(self.now - LONGEST_HOURS * HOUR, Series.EVENTS))
        if isinstance(found, Failure):
            unseen.append(f"events and moves could not be read: {found}")
            return None
        return found

    # -- groups

    def _group(self, region: Region, owner: Owner) -> Result:
        own = status.own_instances(owner, region.instances)
        params = self._params(owner.name, [(status.management_address(each) or "", each.tags) for each in own])
        running = [nsip for each in own if each.state == "running" and (nsip := status.management_address(each))]

        def asked() -> tuple[dict[str, Reading] | None, list[str]]:
            readings = None if params is None else self._readings(running, params)
            return readings, self._licences(running, params)

        lost: list[str] = []
        unread: list[str] = []
        (readings, licences), (endpoint, states) = both(
            asked,
            lambda: both(lambda: self._endpoint(owner.name, lost), lambda: self._states(owner.name, own, unread)),
        )
        unseen = [UNASKED] * (params is None) + lost + unread
        facts = status.GroupFacts(readings, states, endpoint, unseen)
        found = status.group_status(owner.name, own, region.addresses, facts)
        found["problems"] += licences
        return found

    def _readings(self, nsips: Sequence[str], params: Mapping[str, Any]) -> dict[str, Reading]:
        at = {nsip: self._endpoint_of(nsip, params) for nsip in nsips}
        found = over_nitro({**params, "nitro_timeout": min(params["nitro_timeout"], 10.0)})(list(at.values()))
        return dict(zip(at, found, strict=True))

    def _endpoint(self, name: str, unseen: list[str]) -> str | None:
        found = attempt(lambda: describe_load_balancer(self.client("elbv2"), name))
        if isinstance(found, Failure):
            unseen.append(f"whether there is a load balancer could not be read: {found}")
            return None
        return str(found[0].get("DNSName", "")) or None if found else None

    def _states(
        self, name: str, instances: Sequence[Instance], unseen: list[str]
    ) -> dict[str, status.ZoneState] | None:
        if self.store is None:
            unseen.append(NO_STORE)
            return None
        stored = attempt(lambda: [key.zone for key in self.keys(name)])
        if isinstance(stored, Failure):
            unseen.append(f"phase and events could not be read: {stored}")
            return None
        if not stored and instances:
            unseen.append("the store has no state of this group: no tick yet, or another store")
        opened = self.store
        zones = [zone for zone in stored if zone != EVENTS_OF_PAIRS]
        states = gather([partial(_state_of, opened, name, zone) for zone in zones])
        return dict(zip(zones, states, strict=True))

    # -- appliances

    def _params(self, name: str, nodes: Sequence[tuple[str, Mapping[str, str]]]) -> dict[str, Any] | None:
        """Return the options for the appliances of one pair or group; None without a password.

        Appliances whose certificate is pinned are held to it. One kind of check serves a whole account: where no node
        has a pin, certificates are verified.
        """
        password = (self.params.get("passwords") or {}).get(name) or self.params["nitro_pass"]
        if not password and not self.params["nitro_auth_token"]:
            return None
        pins = pins_of(nodes) if self.params.get("management_tls") == PIN else {}
        pinned = {"management_tls": PIN if pins else VERIFY, "fingerprints": pins or None}
        return {**self.params, "nitro_pass": password, **pinned}

    def _licences(self, nsips: Sequence[str], params: Mapping[str, Any] | None) -> list[str]:
        """Return what is wrong with the licences of these appliances. Silence is reported elsewhere."""
        if params is None or not nsips:
            return []
        found = licences_over_nitro(params)([self._endpoint_of(nsip, params) for nsip in nsips])
        return [text for texts in found.values() for text in texts]

    def _endpoint_of(self, nsip: str, params: Mapping[str, Any]) -> str:
        port = params["nitro_port"]
        return f"{nsip}:{port}" if port else nsip


def _state_of(opened: Callable[[str, str], Store], name: str, zone: str) -> status.ZoneState:
    store = opened(name, zone)
    key = store.key
    found = attempt(lambda: overview(load(store.read().document, key.group, key.zone, store.where)))
    return status.ZoneState(error=str(found)) if isinstance(found, Failure) else status.ZoneState(found)


#: The zone under which ha_watch keeps the events of a pair.
EVENTS_OF_PAIRS = "ha_watch"


def chosen(owners: Sequence[Owner], pairs: Sequence[str], groups: Sequence[str], where: str) -> list[Owner]:
    """Return the owners that are named, or all if none is. Raises Refusal for a name that is not there."""
    named = [*(Owner(name, PAIR) for name in pairs), *(Owner(name, AUTOSCALE_GROUP) for name in groups)]
    if not named:
        return list(owners)
    missing = [str(owner) for owner in dict.fromkeys(named) if owner not in owners]
    if missing:
        there = ", ".join(map(str, owners)) or "none"
        raise Refusal(
            f"{where} has no {', no '.join(missing)} with an instance (tag {t.GROUP}). Pairs and groups there: "
            f"{there}. Check the name, the region and the account"
        )
    return [owner for owner in owners if owner in named]
