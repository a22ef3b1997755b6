# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The arguments of event source autoscale_ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.core.fingerprints import Pins
from ...module_utils.nitro.client import Connection
from ...module_utils.spec.alerts import Targets
from ...module_utils.spec.errors import AutoscaleError
from ...module_utils.spec.policy import Policy
from ...module_utils.stores.kept import DEFAULT_HOURS, LONGEST_HOURS
from ..arguments import (
    AWS,
    NITRO,
    AwsAccess,
    Given,
    SettingsError,
    alerts_from,
    aws_from,
    nitro_from,
    pins_from,
    store_from,
)

GROUP = frozenset({"group", "zones", "policy", "distributor", "store", "withdraw_after"})
#: The most ticks of silence, as in the definition of a group.
MOST_TICKS = 1000
ARGUMENTS = NITRO | AWS | GROUP | {"groups", "timeout", "lease_seconds", "nitro_pass_file", "samples_hours", "alerts"}


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its zones, its policy, and where the state of its zones is kept (as the modules take it).

    ``withdraw_after``: ticks for which a node is silent before its DNS records are withdrawn, 0 for never.
    """

    name: str
    zones: tuple[str, ...]
    policy: Policy
    store: Mapping[str, Any]
    withdraw_after: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Which groups to tick, and with what. ``lease_seconds``: for which an event belongs to the run that was started
    for it, after its last sign of life. ``samples_hours``: for which samples are kept. ``alerts``: where those
    are published.
    """

    groups: tuple[Group, ...]
    nitro: Connection
    aws: AwsAccess
    nitro_port: int | None = None
    lease_seconds: float = 300.0
    nitro_pass_file: str | None = None
    pins: Pins = field(default_factory=Pins)
    samples_hours: float = DEFAULT_HOURS
    alerts: Targets = field(default_factory=Targets)


def settings_from(given: Given) -> Settings:
    """Return the settings that arguments and environment make. Raises SettingsError, whose message holds no secret."""
    given.only("autoscale_ticks", ARGUMENTS)
    timeout = given.seconds("timeout", 10.0, least=0.1, most=60.0)
    return Settings(
        groups=_groups(given),
        nitro=nitro_from(given, timeout, timeout),
        aws=aws_from(given),
        nitro_port=given.port("nitro_port"),
        lease_seconds=given.seconds("lease_seconds", 300.0, least=1.0),
        nitro_pass_file=given.text("nitro_pass_file", "") or None,
        pins=pins_from(given),
        samples_hours=given.seconds("samples_hours", DEFAULT_HOURS, most=LONGEST_HOURS, unit="hours"),
        alerts=alerts_from(given),
    )


def _groups(given: Given) -> tuple[Group, ...]:
    """Return the group of the arguments, or those of ``groups``, whose entries take what they lack from them."""
    entries = given.args.get("groups")
    if entries is None:
        return (_group(given),)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError("groups must be a list of dictionaries with group, zones, policy and store")
    common = {name: given.args[name] for name in GROUP if name in given.args}
    groups = []
    for entry in entries:
        if unknown := sorted(str(name) for name in entry.keys() - GROUP):
            raise SettingsError(f"groups has no key {', '.join(unknown)}; it has {', '.join(sorted(GROUP))}")
        groups.append(_group(Given({**common, **entry}, given.environ)))
    names = [group.name for group in groups]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"groups names {', '.join(twice)} more than once")
    return tuple(groups)


def _group(given: Given) -> Group:
    name, policy = given.needed("group"), _policy(given)
    return Group(
        name,
        _zones(given.args.get("zones")),
        policy,
        store_from(given.args.get("store")),
        _withdraw_after(given, policy),
    )


def _withdraw_after(given: Given, policy: Policy) -> int:
    """Return it, or 0 where no record of clients' resolvers leads to a node."""
    ticks = given.seconds("withdraw_after", 0, most=MOST_TICKS, unit="ticks")
    if ticks != int(ticks):
        raise SettingsError(f"withdraw_after must be a whole number of ticks, not {ticks:g}")
    return int(ticks) if policy.cached else 0


def _zones(value: Any) -> tuple[str, ...]:
    """Names, or the zones of role autoscale_group, which carry one."""
    entries = value if isinstance(value, list) else []
    named = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    names = [name for name in named if isinstance(name, str) and name]
    if not names or names != named:
        raise SettingsError("zones must be a list of names of zones, or of zones with a name")
    return tuple(dict.fromkeys(names))


def _policy(given: Given) -> Policy:
    value = given.args.get("policy")
    if not isinstance(value, dict):
        raise SettingsError("policy is needed, as module autoscale_evaluate takes it")
    distributor = given.text("distributor", "")
    try:
        return Policy.from_dict({**({"distributor": distributor} if distributor else {}), **value})
    except AutoscaleError as error:
        raise SettingsError(f"policy: {error}") from None
