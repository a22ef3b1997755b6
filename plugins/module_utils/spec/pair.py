# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The definition of an HA pair: the variables of role ha_pair, normalised, and all that is wrong with them. Pure.

The definition holds no secret: passwords, the licence, and the certificates and monitors of applications stay in the
variables, and the role hands them to the modules that need them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .application import KEYS, Surroundings, read_applications
from .certificate_pins import read_pinning
from .license_option import license_mode, variable_problems
from .reading import Reader, address_problem, not_set
from .tags import read_tags
from .vip_option import fit_problems, read_vips
from .vips import ELASTIC_IP, has_ipv6

PREFIX = "ha_pair_"
ROLES = ("management", "client", "server")
SUBNET_KEYS = tuple(f"{role}_subnet_id" for role in ROLES)
#: CreateRole allows 64 characters, and ``-vpx`` follows the name.
_NAME = re.compile(r"(?!sg-)[A-Za-z0-9_][A-Za-z0-9_.@=-]{0,59}")

PLAIN = (
    *("name", "state", "region", "nodes", "image_id", "instance_type", "key_name", "tags"),
    *("nitro_user", "nitro_protocol", "nitro_port", "validate_certs", "ca_path", "boot_timeout", "sync_timeout"),
    *("management_tls", "accept_fingerprints"),
    *("management_cidrs", "management_public", "client_cidrs", "backend_cidrs", "wide_ha_ports", "return_path"),
    *("iam_policy", "manage_role", "permissions_boundary", "elastic_ips", "take_elastic_ips"),
    *("features", "modes", "ipset", "inc", "snip", "http_tokens", "metadata_hop_limit"),
    *("hello_interval", "dead_interval", "max_flips", "max_flip_time", "rotate_rpc", "replace_node"),
)
SECRET = (
    *("password", "present_password", "rpc_password", "license", "application", "applications", "vips"),
    "management_certificate",
)
VARIABLES = tuple(f"{PREFIX}{name}" for name in (*PLAIN, *SECRET))
#: Keys of an application that a pair uses; the others are for the load balancer or the names of a group.
APPLICATION_KEYS = frozenset(
    {
        *("name", "protocol", "port", "backends", "backend_protocol", "monitor", "lb_method", "persistence"),
        "certificate",
    }
)
IPV6_FEATURE = "IPv6PT"
_REPLACE_NODE = re.compile(r"[01]|i-[0-9a-f]+")
#: Left to the appliance, or to AWS, if not given. Limits: NITRO hanode; EC2 API reference, MetadataOptions.
_INTERVALS = {
    "metadata_hop_limit": (1, 64),
    "hello_interval": (200, 1000),
    "dead_interval": (3, 60),
    "max_flips": (0, None),
    "max_flip_time": (0, None),
}


def read_pair(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the normalised definition and one message for each problem.

    A pair that is removed needs its name only; nothing else of it is checked.

    Args:
        variables: the variables by name, as lookup ``cloudadc.aws.role_variables`` collects them.
    """
    problems: list[str] = []
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX, SECRET)
    reader.unknown_variables("ha_pair", VARIABLES, variables)
    state = reader.choice("state", ("present", "absent"), "present")
    _check_name(reader)
    details = Reader(plain, problems if state == "present" else [], PREFIX, SECRET)
    addresses = _addresses(details)
    vips: Sequence[Mapping[str, Any]] = addresses["vips"]
    given = applications_as_given(details)
    _check_application_keys([entry for _vip, entry in given], details.problems)
    _check_copies(given, details.texts("elastic_ips"), vips, details.problems)
    definition = {
        "state": state,
        "name": reader.text("name"),
        "region": reader.text("region"),
        **_access(details),
        **_appliances(details, has_ipv6(vips)),
        **addresses,
        "nodes": _nodes(details),
        "replace_node": _replace_node(details),
        "applications": _applications(given, vips, details.problems),
    }
    if not any(plain.get(key) for key in ("name", "nodes", "image_id")):
        return definition, [not_set(f"{PREFIX}name", "pair.yml")]
    if state == "present":
        _check_required(details)
        _check_nodes(definition, details.problems)
    return definition, list(dict.fromkeys(problems))


def applications_as_given(reader: Reader) -> list[tuple[str, dict[str, Any]]]:
    """Return every application with its secrets, and the VIP that has it alone.

    Those of ``applications``, and ``application`` as one more, are of each VIP that lists none of its own; they come
    with an empty name.
    """
    single = reader.mapping("application")
    shared = [("", entry) for entry in [*reader.mappings("applications"), *([single] if single else [])]]
    own = []
    for vip in reader.mappings("vips"):
        name = str(vip.get("name") or "").strip()
        entries = Reader(vip, reader.problems, f"VIP {name}: ", SECRET)
        own += [(name, entry) for entry in entries.mappings("applications")]
    return [*shared, *own]


def _applications(
    given: Sequence[tuple[str, Mapping[str, Any]]], vips: Sequence[Mapping[str, Any]], problems: list[str]
) -> list[dict[str, Any]]:
    """Return the applications without secrets, each with its ``vip``. Ports may be the same at different VIPs."""
    owners = ["", *(vip["name"] for vip in vips if vip["own_applications"] and vip["name"])]
    found = []
    for owner in owners:
        entries = [entry for vip, entry in given if vip == owner]
        found += [{**one, "vip": owner} for one in read_applications(entries, Surroundings(), problems)]
    names = [one["name"] for one in found if one["name"]]
    problems += [f"Several applications are named {name}." for name in sorted(set(names)) if names.count(name) > 1]
    if vips and all(vip["own_applications"] for vip in vips) and any(not one["vip"] for one in found):
        problems.append(
            f"{PREFIX}applications would be served at no VIP, because each VIP lists its own. Move them into a VIP."
        )
    return found


def _check_application_keys(entries: Sequence[Mapping[str, Any]], problems: list[str]) -> None:
    """Return problems of keys that only an autoscale group uses; unknown keys are reported with the application."""
    for entry in entries:
        unused = sorted(key for key in (set(entry) & KEYS) - APPLICATION_KEYS if entry[key] not in (None, "", {}))
        if unused:
            name = entry.get("name") or "without a name"
            problems.append(f"Application {name}: a pair does not use {', '.join(unused)}.")


def front_name(name: str, number: int) -> str:
    """Return the name of what belongs to the Elastic IP of this number, from 0: that of the first has no number."""
    return name if number == 0 else f"{name}-{number + 1}"


def vip_name(name: str, vip: str) -> str:
    """Return the name of a virtual server: an application that is served at each VIP has one for each."""
    return f"{name}-{vip}"


def _check_copies(
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    elastic_ips: Sequence[str],
    vips: Sequence[Mapping[str, Any]],
    problems: list[str],
) -> None:
    """Each VIP has a virtual server of each application that all share, so their names must be free."""
    names = [str(entry.get("name") or "") for _vip, entry in entries]
    shared = [str(entry.get("name") or "") for vip, entry in entries if not vip]
    copies = {front_name(name, number): name for name in shared if name for number in range(1, len(elastic_ips))}
    problems += [
        f"Application {name} has the name of the virtual server of application {copies[name]} for a further Elastic IP."
        for name in names
        if name in copies
    ]
    at = {
        vip_name(name, vip["name"]): (name, vip["name"])
        for name in shared
        if name
        for vip in vips
        if not vip["own_applications"]
    }
    problems += [
        f"Application {name} has the name of the virtual server of application {at[name][0]} at VIP {at[name][1]}."
        for name in names
        if name in at
    ]


def _check_name(reader: Reader) -> None:
    name = reader.text("name")
    if not name:
        reader.problems.append(not_set(f"{PREFIX}name", "pair.yml"))
    elif not _NAME.fullmatch(name):
        reader.problems.append(
            f"{PREFIX}name names an IAM role, security groups and an IPSet: at most 60 letters, digits and _ . @ = -, "
            "the first a letter, a digit or _, and not beginning with sg-."
        )


def _access(reader: Reader) -> dict[str, Any]:
    return {
        "image_id": reader.text("image_id"),
        "instance_type": reader.text("instance_type", "m5.xlarge"),
        "http_tokens": reader.choice("http_tokens", ("required", "optional"), "required"),
        "license_mode": license_mode(reader.raw.get("license")),
        "key_name": reader.text("key_name"),
        "tags": read_tags(reader),
        "management_cidrs": reader.networks("management_cidrs"),
        "management_public": reader.flag("management_public", False),
        "client_cidrs": _client_cidrs(reader),
        "backend_cidrs": reader.networks("backend_cidrs"),
        "wide_ha_ports": reader.flag("wide_ha_ports", False),
        "iam_policy": reader.choice("iam_policy", ("minimal", "vendor"), "minimal"),
        "manage_role": reader.flag("manage_role", True),
        "permissions_boundary": reader.text("permissions_boundary"),
    }


def _client_cidrs(reader: Reader) -> list[str]:
    """Return the networks of clients, of both IP versions; an empty list admits no client at all."""
    return [] if reader.raw.get("client_cidrs") == [] else reader.networks("client_cidrs", ("0.0.0.0/0",), ipv6=True)


def _appliances(reader: Reader, ipv6: bool) -> dict[str, Any]:
    return {
        "nitro_user": reader.text("nitro_user", "nsroot"),
        "nitro_protocol": reader.choice("nitro_protocol", ("http", "https"), "https"),
        "nitro_port": reader.port("nitro_port", 443),
        "validate_certs": reader.flag("validate_certs", True),
        "ca_path": reader.authorities("ca_path"),
        **read_pinning(reader),
        "boot_timeout": reader.whole("boot_timeout", 900, 1),
        "sync_timeout": reader.whole("sync_timeout", 300, 1),
        "features": _features(reader, ipv6),
        "modes": reader.texts("modes"),
        "return_path": reader.choice("return_path", ("mbf", "pbr", "none"), "mbf"),
        "inc": reader.flag("inc", True),
        "rotate_rpc": reader.flag("rotate_rpc", False),
        **{key: _interval(reader, key) for key in _INTERVALS},
    }


def _features(reader: Reader, ipv6: bool) -> list[str]:
    """Return the features, with the one without which an appliance has no IPv6 address (error 378)."""
    given = reader.texts("features", ("LB", "SSL"))
    known = {name.lower() for name in given} & {IPV6_FEATURE.lower(), "ipv6protocoltranslation"}
    return [*given, *([IPV6_FEATURE] if ipv6 and not known else [])]


def _interval(reader: Reader, key: str) -> int | None:
    lowest, highest = _INTERVALS[key]
    return reader.whole(key, lowest, lowest, highest) if reader.given(key) else None


def _addresses(reader: Reader) -> dict[str, Any]:
    """Return VIPs and Elastic IPs; without ``vips`` the pair has those of ``elastic_ips``, or one of its own."""
    elastic_ips = reader.texts("elastic_ips")
    ipset = reader.text("ipset") or f"{reader.text('name')}-vips"
    vips = read_vips(reader, ipset)
    if vips and elastic_ips:
        reader.problems.append(
            f"{PREFIX}elastic_ips and {PREFIX}vips are both given. Name each Elastic IP in an entry of {PREFIX}vips of "
            "kind elastic_ip."
        )
    for name in sorted({name for name in elastic_ips if elastic_ips.count(name) > 1}):
        reader.problems.append(f"{PREFIX}elastic_ips names {name} more than once.")
    elastic = [vip["address"] for vip in vips if vip["kind"] == ELASTIC_IP]
    return {
        "elastic_ips": [address for address in elastic if address] if vips else elastic_ips,
        "allocate_elastic_ip": "" in elastic if vips else not elastic_ips,
        "vips": vips,
        "snip": _snip(reader),
        "take_elastic_ips": reader.flag("take_elastic_ips", False),
        "ipset": ipset,
    }


def _snip(reader: Reader) -> str:
    snip = reader.text("snip")
    problem = address_problem(snip) if snip else None
    if problem:
        reader.problems.append(f"{PREFIX}snip: {problem}.")
    if snip and reader.flag("inc", True):
        reader.problems.append(
            f"{PREFIX}snip is the address that nodes with {PREFIX}inc=false share. With {PREFIX}inc=true each node has "
            "a SNIP of its own: leave it out."
        )
    return snip


def _nodes(reader: Reader) -> list[dict[str, str]]:
    nodes = []
    for index, entry in enumerate(reader.mappings("nodes")):
        node = Reader(entry, reader.problems, f"Node {index}: ")
        node.unknown(SUBNET_KEYS)
        nodes.append({key: node.text(key) for key in SUBNET_KEYS})
    return nodes


def _replace_node(reader: Reader) -> str:
    """Return the node to be replaced, as a node id or an instance id; empty for none."""
    given = reader.text("replace_node")
    if given and not _REPLACE_NODE.fullmatch(given):
        reader.refuse("replace_node", "the id of a node (0 or 1) or of its instance (i-...)")
        return ""
    return given


def _check_required(reader: Reader) -> None:
    needed = {
        "image_id": "the VPX image",
        "password": "the password of both nodes",
        "rpc_password": "for the channel between the nodes",
    }
    for key, meaning in needed.items():
        if not reader.given(key):
            reader.problems.append(f"{PREFIX}{key}, {meaning}, is missing.")
    reader.text("password")
    reader.text("present_password")
    reader.text("rpc_password")
    reader.problems += variable_problems(f"{PREFIX}license", reader.mapping("license"))


def _check_nodes(definition: Mapping[str, Any], problems: list[str]) -> None:
    nodes: Sequence[Mapping[str, str]] = definition["nodes"]
    if len(nodes) != 2:
        problems.append(f"{PREFIX}nodes must name exactly two nodes; it names {len(nodes)}.")
    for index, node in enumerate(nodes):
        problems += [f"Node {index} has no {key}." for key in SUBNET_KEYS if not node[key]]
        management = node["management_subnet_id"]
        if management and management in (node["client_subnet_id"], node["server_subnet_id"]):
            problems.append(
                f"The management interface of node {index} is in {management}, the subnet of a data interface; a VPX "
                "needs them apart."
            )
    problems += fit_problems(definition)
