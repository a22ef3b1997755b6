# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""IPSets: which addresses a virtual server answers on besides its own (NITRO ipset, ipset_nsip_binding).

What is there is read into ``ObservedIpset``; ``plan`` decides, without I/O, what to write and in which order: a run
killed between any two steps and started again ends like one that was not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroInputError
from .steps import Change, Reader, Row, canonical, canonical_or_none, text_of

# A vserver answers on these; the others belong to the appliance itself or to its cluster.
BINDABLE = frozenset({"VIP", "SNIP"})
# A VIP brings no route of its own, so that of a host does; the vendor's AWS templates use the mask of the subnet.
HOST_MASK = {4: "255.255.255.255", 6: "128"}
# lbvserver and csvserver take the field `ipset` (NITRO 13.0 and later).
VSERVER_KINDS = ("lbvserver", "csvserver")


@dataclass(frozen=True, slots=True)
class Address:
    """A desired address; ``netmask`` None leaves that of an existing one alone. IPv6 masks are prefix lengths."""

    ip_address: str
    netmask: str | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """An address as the appliance has it: its types (VIP, SNIP, NSIP, …), its mask, and the key it is stored under."""

    types: frozenset[str]
    netmask: str
    key: str


@dataclass(frozen=True, slots=True)
class Vserver:
    """A virtual server: the IPSet it carries ("" = none) and its own address."""

    kind: str
    name: str
    ipset: str
    address: str | None


@dataclass(frozen=True, slots=True)
class DesiredIpset:
    """What the task asks for; None means: not spoken of, left alone."""

    name: str
    addresses: tuple[Address, ...] | None = None
    purge_addresses: bool = True
    vservers: tuple[str, ...] | None = None
    present: bool = True
    purge_vips: bool = False


@dataclass(frozen=True, slots=True)
class ObservedIpset:
    """What one appliance says."""

    exists: bool = False
    bound: frozenset[str] = frozenset()
    owned: Mapping[str, Owned] = field(default_factory=dict)
    vservers: tuple[Vserver, ...] = ()

    def carriers(self, ipset: str) -> tuple[Vserver, ...]:
        return tuple(vserver for vserver in self.vservers if vserver.ipset == ipset)


def desired_addresses(entries: Iterable[Mapping[str, Any]] | None) -> tuple[Address, ...] | None:
    """Return the option ``addresses`` in canonical form. Raises NitroInputError for one address with two masks."""
    if entries is None:
        return None
    found: dict[str, Address] = {}
    for entry in entries:
        ip = canonical(entry["ip_address"])
        address = Address(ip, _mask(ip, entry.get("netmask")))
        if found.setdefault(ip, address) != address:
            raise NitroInputError(f"address {ip} is given twice with different netmasks")
    return tuple(found.values())


def _mask(ip: str, netmask: str | None) -> str | None:
    """Return a mask as NITRO takes it: dotted for IPv4 (``24`` and ``/24`` are accepted), a prefix length for IPv6."""
    if netmask is None:
        return None
    text = netmask.strip().lstrip("/")
    wide = 6 if ":" in ip else 4
    try:
        if wide == 6:
            return str(ipaddress.IPv6Network(f"::/{text}").prefixlen)
        mask = str(ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask)
    except ValueError:
        mask = ""
    # The library takes a wildcard mask (0.0.0.255) for a netmask; the appliance does not.
    if not mask or ("." in text and mask != text):
        raise NitroInputError(f"'{netmask}' is not a netmask for address {ip}")
    return mask


def read(client: Reader, desired: DesiredIpset) -> ObservedIpset:
    """Five GETs when the IPSet is there, three when not; one more (nsip6) when IPv6 addresses are spoken of."""
    exists = bool(client.get("ipset", desired.name))
    bound: set[str] = set()
    if exists:
        for resource in ("ipset_nsip_binding", "ipset_nsip6_binding"):
            bound |= {_bare(row.get("ipaddress")) for row in client.get(resource, desired.name) if row.get("ipaddress")}
    owned = {**_owned(client.get("nsip"), "ipaddress")}
    spoken = bound | {address.ip_address for address in desired.addresses or ()}
    if any(":" in ip for ip in spoken):
        owned |= _owned(client.get("nsip6"), "ipv6address")
    return ObservedIpset(exists, frozenset(bound), owned, _vservers(client))


def _bare(text: object) -> str:
    """Return an address without the prefix length that nsip6 writes behind it."""
    host = str(text).partition("/")[0]
    return canonical_or_none(host) or host


def _owned(rows: Iterable[Row], key: str) -> dict[str, Owned]:
    found = {}
    for row in rows:
        host, _slash, prefix = text_of(row, key).partition("/")
        iptype = row.get("iptype") or []
        types = {text_of(row, "type"), *map(str, iptype if isinstance(iptype, list) else [iptype])} - {""}
        mask = prefix or text_of(row, "netmask")
        found[_bare(host)] = Owned(frozenset(types), mask, text_of(row, key))
    return found


def _vservers(client: Reader) -> tuple[Vserver, ...]:
    return tuple(
        Vserver(kind, text_of(row, "name"), text_of(row, "ipset"), canonical_or_none(row.get("ipv46")))
        for kind in VSERVER_KINDS
        for row in client.get(kind)
    )


def missing_vservers(desired: DesiredIpset, found: ObservedIpset) -> list[str]:
    """Vservers that must carry the IPSet and do not exist."""
    if not desired.present:
        return []
    known = {vserver.name for vserver in found.vservers}
    return [name for name in desired.vservers or () if name not in known]


def plan(desired: DesiredIpset, found: ObservedIpset) -> list[Change]:
    """Return the missing writes, in an order that may be interrupted anywhere. Raises NitroInputError.

    Present: addresses exist before they are bound, the set is complete before a vserver carries it, and what is
    unbound goes last. Absent: no vserver carries it, nothing is bound to it, then it goes; then VIPs if asked.
    """
    return _plan_present(desired, found) if desired.present else _plan_absent(desired, found)


def _plan_present(desired: DesiredIpset, found: ObservedIpset) -> list[Change]:
    steps = [step for address in desired.addresses or () for step in _own(address, found)]
    if not found.exists:
        steps.append(Change("add", "ipset", body={"name": desired.name}))
    named = [address.ip_address for address in desired.addresses or ()]
    steps += [_bind(desired.name, ip) for ip in named if ip not in found.bound]
    known = {vserver.name: vserver for vserver in found.vservers}
    for name in dict.fromkeys(desired.vservers or ()):
        vserver = known.get(name)
        if vserver is None or vserver.ipset != desired.name:
            kind = vserver.kind if vserver else VSERVER_KINDS[0]
            steps.append(Change("update", kind, body={"name": name, "ipset": desired.name}))
    if desired.addresses is not None and desired.purge_addresses:
        steps += [_unbind(desired.name, ip) for ip in _ordered(found.bound - set(named))]
    return steps


def _plan_absent(desired: DesiredIpset, found: ObservedIpset) -> list[Change]:
    steps = []
    if found.exists:
        for vserver in found.carriers(desired.name):
            steps.append(Change("unset", vserver.kind, body={"name": vserver.name, "ipset": True}))
        steps += [_unbind(desired.name, ip) for ip in _ordered(found.bound)]
        steps.append(Change("delete", "ipset", desired.name))
    if desired.purge_vips:
        steps += [
            Change("delete", "nsip6" if ":" in ip else "nsip", found.owned[ip].key)
            for ip in removable_vips(desired, found)
        ]
    return steps


def removable_vips(desired: DesiredIpset, found: ObservedIpset) -> list[str]:
    """Return the named addresses that are VIPs and that no vserver has as its own."""
    served = {vserver.address for vserver in found.vservers}
    named = [address.ip_address for address in desired.addresses or ()]
    return [ip for ip in named if ip in found.owned and found.owned[ip].types == {"VIP"} and ip not in served]


def _own(address: Address, found: ObservedIpset) -> list[Change]:
    """Make the address the appliance's own, as a VIP; or give an existing one the desired mask."""
    ip, owned = address.ip_address, found.owned.get(address.ip_address)
    v6 = ":" in ip
    if owned is None:
        mask = address.netmask or HOST_MASK[6 if v6 else 4]
        body = {"ipv6address": f"{ip}/{mask}"} if v6 else {"ipaddress": ip, "netmask": mask}
        return [Change("add", "nsip6" if v6 else "nsip", body={**body, "type": "VIP"})]
    if not owned.types <= BINDABLE:
        kind = ", ".join(sorted(owned.types))
        raise NitroInputError(
            f"address {ip} is of type {kind} on this appliance: only a VIP or SNIP can be in an IPSet"
        )
    if address.netmask in (None, owned.netmask):
        return []
    if v6:
        raise NitroInputError(
            f"address {ip} has prefix length {owned.netmask} on this appliance, which cannot be changed"
        )
    return [Change("update", "nsip", body={"ipaddress": ip, "netmask": address.netmask})]


def _bind(name: str, ip: str) -> Change:
    return Change("bind", _binding(ip), body={"name": name, "ipaddress": ip})


def _unbind(name: str, ip: str) -> Change:
    return Change("delete", _binding(ip), name, args={"ipaddress": ip})


def _binding(ip: str) -> str:
    return "ipset_nsip6_binding" if ":" in ip else "ipset_nsip_binding"


def _ordered(addresses: Iterable[str]) -> list[str]:
    """By number, IPv4 before IPv6, so that plans and results are always the same."""
    return sorted(addresses, key=lambda ip: (":" in ip, int(ipaddress.ip_address(ip))))


def describe(desired: DesiredIpset, found: ObservedIpset) -> dict[str, Any] | None:
    """Return the result ``ipset``; None when there is none."""
    if not found.exists:
        return None
    masks = {ip: owned.netmask for ip, owned in found.owned.items()}
    return _result(desired.name, found.bound, masks, [vserver.name for vserver in found.carriers(desired.name)])


def predict(desired: DesiredIpset, found: ObservedIpset) -> dict[str, Any] | None:
    """Predict what ``describe`` returns after the plan."""
    if not desired.present:
        return None
    named = {address.ip_address for address in desired.addresses or ()}
    purge = desired.addresses is not None and desired.purge_addresses
    masks = {ip: owned.netmask for ip, owned in found.owned.items()}
    for address in desired.addresses or ():
        default = HOST_MASK[6 if ":" in address.ip_address else 4]
        masks[address.ip_address] = address.netmask or masks.get(address.ip_address, default)
    carriers = {vserver.name for vserver in found.carriers(desired.name)} | set(desired.vservers or ())
    return _result(desired.name, named if purge else named | found.bound, masks, carriers)


def _result(name: str, bound: Iterable[str], masks: Mapping[str, str], vservers: Iterable[str]) -> dict[str, Any]:
    addresses: Sequence[dict[str, str | None]] = [
        {"ip_address": ip, "netmask": masks.get(ip)} for ip in _ordered(bound)
    ]
    return {"name": name, "addresses": addresses, "vservers": sorted(vservers)}
