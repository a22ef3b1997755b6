# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The definition of an autoscale group: the variables of role autoscale_group, normalised, and their problems.

The definition holds no secret: password, licence, the console's credentials and the certificates and monitors of
applications stay in the variables, and roles hand them to the modules that need them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .application import Surroundings, read_applications
from .certificate_pins import read_pinning
from .errors import PolicyError
from .license_option import license_mode, variable_problems
from .policy import Policy
from .reading import Reader, address_problem, not_set, whole_number
from .stores import DEFAULT_STORE, STORES
from .tags import read_tags

PREFIX = "autoscale_group_"
ROLES = ("management", "client", "server")
SUBNET_KEYS = tuple(f"{role}_subnet_id" for role in ROLES)
#: CreateLoadBalancer: 32 letters, digits and hyphens, no hyphen at either end, not beginning with internal-.
LONGEST_NAME = 32
_NAME = re.compile(r"(?!internal-|sg-)[A-Za-z0-9](?:-?[A-Za-z0-9])*")

_INSTANCE = re.compile(r"i-[0-9a-f]+|outdated")
#: Variables of the role that are no secret, and those that are.
PLAIN = (
    *("name", "state", "region", "topology", "distributor", "zones", "image_id", "instance_type", "key_name", "tags"),
    *("nitro_user", "nitro_protocol", "nitro_port", "validate_certs", "ca_path", "boot_timeout", "join_timeout"),
    *("management_tls", "accept_fingerprints"),
    *("management_cidrs", "client_cidrs", "backend_cidrs", "return_path", "process_local", "iam_policy"),
    *("manage_role", "permissions_boundary", "http_tokens", "metadata_hop_limit", "remove_zones"),
    *("nlb_scheme", "dns", "features", "modes", "policy", "store"),
    "replace_node",
)
SECRET = ("password", "present_password", "license", "applications", "console", "management_certificate")
VARIABLES = frozenset(f"{PREFIX}{name}" for name in (*PLAIN, *SECRET))

ZONE_KEYS = ("name", *SUBNET_KEYS, "clip", "nlb_allocation_id", "nlb_private_ip_address")
_CONSOLE_SECRETS = ("adm_user", "adm_password", "client_id", "client_secret")
_CONSOLE_KEYS = ("adm_url", "profile", "datacenter", "agent", "ca_path", "validate_certs", *_CONSOLE_SECRETS)
_STORE_KEYS = ("type", *(kind.option for kind in STORES.values()), "create")


def read_group(
    variables: Mapping[str, Any], also: Collection[str] = (), *, building: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """Return the normalised definition and one message for each problem.

    Args:
        variables: the variables by name, as lookup ``cloudadc.aws.role_variables`` collects them.
        also: names of further variables that the calling entry point takes.
        building: whether image, policy and store are needed; to deploy applications they are not.
    """
    problems: list[str] = []
    _unknown(variables, also, problems)
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX, SECRET)
    definition = {**_general(reader), **_nodes(reader), **_access(reader)}
    default = TOPOLOGIES[definition["topology"]].return_path
    definition["return_path"] = reader.choice("return_path", ("mbf", "pbr", "none"), default)
    definition["zones"] = _zones(reader, definition)
    definition["policy"] = _policy(reader, definition)
    definition["store"] = _store(reader)
    definition["console"] = _console(reader)
    definition["applications"] = _applications(reader, definition)
    definition["replace_node"] = _replace_node(reader, definition)
    _names(definition, problems)
    if reader.mapping("management_certificate") and TOPOLOGIES[definition["topology"]].clustered:
        problems.append(
            f"{PREFIX}management_certificate cannot be used with {PREFIX}topology={definition['topology']}: a node "
            f"that joins loses its configuration. Use {PREFIX}management_tls=pin."
        )
    if definition["state"] == "present" and any(plain.get(key) for key in ("name", "zones", "image_id")):
        _required(reader, definition, building)
        _size(definition, problems)
    return definition, list(dict.fromkeys(problems))


def read_scale_out(
    variables: Mapping[str, Any], zone: str, nodes: object, given: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Return the definition and what is wrong with a request for so many nodes in one zone.

    Args:
        variables: as in :func:`read_group`.
        zone: name of the zone.
        nodes: how many nodes it shall have in service.
        given: a definition that was normalised before, used instead of the variables.
    """
    definition, problems = (dict(given), []) if given else read_group(variables)
    names = [one["name"] for one in definition["zones"]]
    if zone not in names:
        problems.append(f"{definition['name']} has no zone {zone}; it has {', '.join(names)}.")
    number, largest = whole_number(nodes), definition["policy"].get("max_nodes")
    if number is None or number < 1 or (isinstance(largest, int) and number > largest):
        problems.append(f"{nodes} nodes were requested, and {PREFIX}policy.max_nodes is {largest}.")
    return definition, problems


def _replace_node(reader: Reader, definition: Mapping[str, Any]) -> str:
    """Return the instance to be replaced, ``outdated`` for the next one of another image or type, empty for none."""
    given = reader.text("replace_node")
    if given and not _INSTANCE.fullmatch(given):
        reader.refuse("replace_node", "the id of an instance (i-...) or outdated")
        return ""
    if given and not definition["store"]:
        reader.problems.append(f"{PREFIX}replace_node needs {PREFIX}store: a replacement is an event of its zone.")
    return given


def _unknown(variables: Mapping[str, Any], also: Collection[str], problems: list[str]) -> None:
    """Return problems of misspelt variables, which would be ignored silently."""
    unknown = sorted(name for name in variables if name not in VARIABLES and name not in also)
    if unknown:
        problems.append(
            f"The role autoscale_group has no variable {', '.join(unknown)}. Its README.md names those it has."
        )


def _general(reader: Reader) -> dict[str, Any]:
    dns = Reader(reader.mapping("dns"), reader.problems, f"{PREFIX}dns.")
    dns.unknown(("zone", "hosted_zone_id", "policy", "health_check", "withdraw_after"))
    if dns.given("zone") and dns.given("hosted_zone_id"):
        reader.problems.append(f"{PREFIX}dns has both zone and hosted_zone_id; give one of them.")
    return {
        "name": reader.text("name"),
        "state": reader.choice("state", ("present", "absent"), "present"),
        "region": reader.text("region"),
        "topology": reader.choice("topology", TOPOLOGIES, next(iter(TOPOLOGIES))),
        "distributor": reader.choice("distributor", DISTRIBUTORS, next(iter(DISTRIBUTORS))),
        "tags": read_tags(reader),
        "remove_zones": reader.flag("remove_zones", False),
        "nlb_scheme": reader.choice("nlb_scheme", ("internet-facing", "internal"), "internet-facing"),
        "dns": {
            "zone": dns.text("zone").rstrip("."),
            "hosted_zone_id": dns.text("hosted_zone_id"),
            "policy": dns.choice("policy", ("multivalue", "weighted"), "multivalue"),
            # Route 53's checkers come from the Internet, at addresses that change.
            "health_check": dns.flag("health_check", "0.0.0.0/0" in reader.networks("client_cidrs", ("0.0.0.0/0",))),
            "withdraw_after": dns.whole("withdraw_after", 0, highest=1000),
        },
    }


def _nodes(reader: Reader) -> dict[str, Any]:
    return {
        "image_id": reader.text("image_id"),
        "instance_type": reader.text("instance_type", "m5.xlarge"),
        "key_name": reader.text("key_name"),
        "http_tokens": reader.choice("http_tokens", ("required", "optional"), "required"),
        "metadata_hop_limit": _hop_limit(reader),
        "license_mode": license_mode(reader.raw.get("license")),
        "nitro_user": reader.text("nitro_user", "nsroot"),
        "nitro_protocol": reader.choice("nitro_protocol", ("http", "https"), "https"),
        "nitro_port": reader.whole("nitro_port", 443, 1, 65535),
        "validate_certs": reader.flag("validate_certs", True),
        "ca_path": reader.authorities("ca_path"),
        **read_pinning(reader),
        "boot_timeout": reader.whole("boot_timeout", 900, 1),
        "join_timeout": reader.whole("join_timeout", 900, 1),
        "features": reader.texts("features", ("LB", "SSL")),
        "modes": reader.texts("modes"),
        "process_local": reader.flag("process_local", True),
    }


def _hop_limit(reader: Reader) -> int | None:
    """EC2 API reference, MetadataOptions: from 1 to 64. Left to image and account if not given."""
    return reader.whole("metadata_hop_limit", 1, 1, 64) if reader.given("metadata_hop_limit") else None


def _access(reader: Reader) -> dict[str, Any]:
    return {
        "management_cidrs": reader.networks("management_cidrs"),
        "client_cidrs": reader.networks("client_cidrs", ("0.0.0.0/0",)),
        "backend_cidrs": reader.networks("backend_cidrs"),
        "iam_policy": reader.choice("iam_policy", ("minimal", "vendor"), "minimal"),
        "manage_role": reader.flag("manage_role", True),
        "permissions_boundary": reader.text("permissions_boundary"),
    }


def _zones(reader: Reader, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    zones = [_zone(entry, definition, reader.problems) for entry in reader.mappings("zones")]
    names = [zone["name"] for zone in zones]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        reader.problems.append(f"{PREFIX}zones names {name} more than once.")
    clips = [zone["clip"] for zone in zones if zone["clip"]]
    for clip in sorted({clip for clip in clips if clips.count(clip) > 1}):
        reader.problems.append(f"The clip {clip} is given to more than one zone.")
    return zones


def _zone(entry: Mapping[str, Any], definition: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    name = str(entry.get("name") or "").strip()
    reader = Reader(entry, problems, f"Zone {name}: ")
    reader.unknown(ZONE_KEYS)
    zone: dict[str, Any] = {key: reader.text(key) for key in ZONE_KEYS}
    if not name:
        problems.append(f"An entry of {PREFIX}zones has no name, the availability zone.")
    for key in ("clip", "nlb_private_ip_address"):
        problem = address_problem(zone[key]) if zone[key] else None
        problems += [f"Zone {name}: {key} {problem}."] if problem else []
    if definition["state"] == "present":
        _zone_subnets(zone, problems)
        _zone_options(zone, definition, problems)
    return zone


def _zone_subnets(zone: Mapping[str, Any], problems: list[str]) -> None:
    problems += [f"Zone {zone['name']} has no {key}." for key in SUBNET_KEYS if not zone[key]]
    management = zone["management_subnet_id"]
    if management and management in (zone["client_subnet_id"], zone["server_subnet_id"]):
        problems.append(
            f"The management interfaces of zone {zone['name']} are in {management}, the subnet of a data interface; a "
            "VPX needs them apart."
        )


def _zone_options(zone: Mapping[str, Any], definition: Mapping[str, Any], problems: list[str]) -> None:
    name, internal = zone["name"], definition["nlb_scheme"] == "internal"
    problems += TOPOLOGIES[definition["topology"]].validate_zone(zone)
    if zone["nlb_allocation_id"] and internal:
        problems.append(
            f"Zone {name} has an nlb_allocation_id, but {PREFIX}nlb_scheme is internal: give nlb_private_ip_address."
        )
    if zone["nlb_private_ip_address"] and not internal:
        problems.append(
            f"Zone {name} has an nlb_private_ip_address, but {PREFIX}nlb_scheme is internet-facing: give "
            "nlb_allocation_id."
        )


def _policy(reader: Reader, definition: Mapping[str, Any]) -> dict[str, Any]:
    given = reader.mapping("policy")
    if not given:
        return {}
    policy = {**given, "distributor": definition["distributor"]}
    if given.get("distributor") not in (None, "", definition["distributor"]):
        reader.problems.append(
            f"{PREFIX}policy.distributor is {given['distributor']}, but {PREFIX}distributor is "
            f"{definition['distributor']}; leave it out of the policy."
        )
    try:
        checked = Policy.from_dict(policy)
    except PolicyError as error:
        # A policy that cannot be used does not prevent removal.
        if definition["state"] == "present":
            reader.problems.append(f"{PREFIX}{error}.")
        return policy
    return {**policy, "min_nodes": checked.min_nodes, "max_nodes": checked.max_nodes}


def _store(reader: Reader) -> dict[str, Any]:
    given = reader.mapping("store")
    if not given:
        return {}
    store = Reader(given, reader.problems, f"{PREFIX}store.")
    store.unknown(_STORE_KEYS)
    name = store.choice("type", STORES, DEFAULT_STORE)
    kind = STORES[name]
    if not store.text(kind.option):
        reader.problems.append(f"{PREFIX}store has no {kind.option}, which type {name} needs.")
    create = {"create": store.flag("create", False)} if kind.creatable else {}
    return {"type": name, kind.option: store.text(kind.option), **create}


def _console(reader: Reader) -> dict[str, Any]:
    """Return the console without its credentials."""
    given = reader.mapping("console")
    if not given:
        return {}
    console = Reader(given, reader.problems, f"{PREFIX}console.", _CONSOLE_SECRETS)
    console.unknown(_CONSOLE_KEYS)
    needed = {
        "adm_url": "the address of the console",
        "profile": "the device profile with which the console logs in to the nodes",
    }
    for key, meaning in needed.items():
        if not console.given(key):
            reader.problems.append(f"{PREFIX}console has no {key}, {meaning}.")
    texts = {key: console.text(key) for key in ("adm_url", "profile", "datacenter", "agent", "ca_path")}
    return {**texts, "validate_certs": console.flag("validate_certs", True)}


def _applications(reader: Reader, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    around = Surroundings(
        group=definition["name"],
        distributor=definition["distributor"],
        zones=len(definition["zones"]),
        dns_zone=definition["dns"]["zone"],
        hosted_zone_id=definition["dns"]["hosted_zone_id"],
    )
    problems = reader.problems if definition["state"] == "present" else []
    return read_applications(reader.mappings("applications"), around, problems)


def _names(definition: Mapping[str, Any], problems: list[str]) -> None:
    name = definition["name"]
    if not name:
        problems.append(not_set(f"{PREFIX}name", "shop.yml"))
    elif len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        problems.append(
            f"{PREFIX}name names a load balancer, an IAM role and security groups: at most 32 letters, digits and "
            "single hyphens, no hyphen at either end, and not beginning with internal- or sg-."
        )


def _required(reader: Reader, definition: Mapping[str, Any], building: bool) -> None:
    needed = {"password": "the password of all nodes"}
    if building:
        needed |= {
            "image_id": "the VPX image",
            "policy": "when a zone scales",
            "store": "where the state of each zone is kept",
        }
    problems = reader.problems
    for key, meaning in needed.items():
        if not reader.raw.get(key):
            problems.append(f"{PREFIX}{key}, {meaning}, is missing.")
    for key in ("password", "present_password"):
        if not isinstance(reader.raw.get(key) or "", str):
            problems.append(f"{PREFIX}{key} must be a text.")
    problems += variable_problems(f"{PREFIX}license", reader.mapping("license"), launches_by_itself=True)
    if not reader.raw.get("zones"):
        problems.append(f"{PREFIX}zones must name at least one zone.")
    dns = definition["dns"]
    if DISTRIBUTORS[definition["distributor"]].needs_zone and not (dns["zone"] or dns["hosted_zone_id"]):
        problems.append(f"{PREFIX}dns names neither zone nor hosted_zone_id, and DNS distributes the clients.")


def _size(definition: Mapping[str, Any], problems: list[str]) -> None:
    largest = definition["policy"].get("max_nodes")
    if isinstance(largest, int):
        problems += TOPOLOGIES[definition["topology"]].validate_size(largest)
