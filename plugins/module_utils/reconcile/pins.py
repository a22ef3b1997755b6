# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which certificates appliances may have, by the tags of their instances. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.fingerprints import PIN, canonical
from ..core.nitro_errors import NitroInputError
from ..spec.identity import PAIR

#: As in aws.tags, which filters do not load.
FINGERPRINT = "cloudadc:management_fingerprint"
_KIND, _ZONE = "cloudadc:kind", "cloudadc:zone"


def pinned(tags: Mapping[str, str]) -> str | None:
    """Return the fingerprint in the tags of an instance; None for none, or for a text that is none."""
    try:
        return canonical(tags[FINGERPRINT]) if tags.get(FINGERPRINT) else None
    except NitroInputError:
        return None


def pins_of(
    nodes: Iterable[tuple[str, Mapping[str, str]]], clips: Mapping[str, str] | None = None
) -> dict[str, list[str]]:
    """Return the fingerprints that are accepted at each address.

    Each node has its own. A node of a pair may also have that of the other one, because the files of the primary,
    certificates among them, are synchronised to the secondary. The address of a cluster is on any node of its zone.
    A node without a fingerprint has no entry, whatever its peer has.

    Args:
        nodes: NSIP and tags of each instance.
        clips: addresses of clusters by the name of their zone.
    """
    known = [(nsip, tags, found) for nsip, tags in nodes if nsip and (found := pinned(tags))]
    pair = [found for _nsip, tags, found in known if tags.get(_KIND) == PAIR]
    pins = {
        nsip: list(dict.fromkeys([found, *(pair if tags.get(_KIND) == PAIR else [])])) for nsip, tags, found in known
    }
    for zone, clip in (clips or {}).items():
        members = list(dict.fromkeys(found for _nsip, tags, found in known if tags.get(_ZONE) == zone))
        if clip and members:
            pins[clip] = members
    return pins


def pins_of_results(
    instances: Sequence[Mapping[str, Any]],
    bootstrapped: Mapping[str, Any] | None = None,
    clips: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """Return the same of instances as vpx_instance returns them, and of what vpx_bootstrap has pinned since.

    Args:
        instances: entries as vpx_instance returns them.
        bootstrapped: result of vpx_bootstrap.
        clips: as in :func:`pins_of`.
    """
    since = {
        str(node["instance_id"]): str(node["fingerprint"])
        for node in (bootstrapped or {}).get("nodes") or []
        if node.get("fingerprint") and node.get("instance_id")
    }
    nodes = []
    for instance in instances:
        newer = since.get(str(instance["instance_id"]))
        tags = {**instance["tags"], **({FINGERPRINT: newer} if newer else {})}
        nodes.append((str(instance["interfaces"].get("management", {}).get("private_ip_address") or ""), tags))
    return pins_of(nodes, clips)


def clips_of(zones: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the addresses of clusters by the name of their zone."""
    return {str(zone["name"]): str(zone["clip"]) for zone in zones if zone.get("clip")}


def learn_pins(
    params: dict[str, Any], nodes: Iterable[tuple[str, Mapping[str, str]]], clips: Mapping[str, str] | None = None
) -> None:
    """Put the fingerprints in tags into option ``fingerprints``, with ``management_tls=pin``; what is given stays.

    Args:
        params: options of a module that finds its nodes by their tags.
        nodes: as in :func:`pins_of`.
        clips: as in :func:`pins_of`.
    """
    if params.get("management_tls") == PIN:
        params["fingerprints"] = {**pins_of(nodes, clips), **(params.get("fingerprints") or {})}
