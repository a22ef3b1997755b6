# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a preflight has to check, from the variables of the playbook that is to be run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..distributors.base import Distributor
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .identity import AUTOSCALE_GROUP, PAIR
from .license_option import license_demand, license_mode
from .protocols import transports
from .reading import port_of
from .rights import BOUNDARY_KEY, Scope, applicable, listed, narrowed
from .stores import DEFAULT_STORE, STORES

Variables = Mapping[str, Any]

#: The shipped policy that the making of the role needs besides the playbook's own.
ROLE_POLICY = "managed_role"
_OF_A_PAIR = frozenset({"ha_pair", "ha_failover", "restore"})
#: Playbooks that launch appliances.
_LAUNCHING = frozenset({"ha_pair", "autoscale_group", "autoscale", "scale_out"})
_SUBNETS = ("management_subnet_id", "client_subnet_id", "server_subnet_id")
_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})


def read_request(roles: Mapping[str, Variables], playbook: str) -> dict[str, Any]:
    """Return the options of preflight_info for ``playbook`` ("auto": by the variables that are set).

    Args:
        roles: The variables of the roles ha_pair, ha_failover, autoscale_group, autoscale and report, by role.

    Returns:
        The options (without ``rights``), the name of the ``playbook``, ``missing`` (the variable without which nothing
        can be checked, or None), ``policies`` (the files of role preflight whose rights the playbook needs),
        ``without`` (endings of the Sid of policy statements that are not needed) and ``boundary`` (the ARN of the
        permissions boundary of the role, or "").
    """
    pair, group = roles.get("ha_pair") or {}, roles.get("autoscale_group") or {}
    if playbook == "auto":
        playbook = "ha_pair" if pair.get("ha_pair_name") else "autoscale_group"
    of_pair, launches = playbook in _OF_A_PAIR, playbook in _LAUNCHING
    request = _pair(pair, launches) if of_pair else _group(group, launches)
    name = _name(roles, playbook)
    variable = "ha_pair_name" if of_pair else "autoscale_group_name"
    prefix, given = ("ha_pair", pair) if of_pair else ("autoscale_group", group)
    makes_role = playbook == prefix and _true(given.get(f"{prefix}_manage_role", True))
    return {
        **request,
        "playbook": playbook,
        "group": name,
        "kind": PAIR if of_pair else AUTOSCALE_GROUP,
        "policies": [f"policies/{each}.json" for each in (playbook, *([ROLE_POLICY] if makes_role else []))],
        "boundary": given.get(f"{prefix}_permissions_boundary") or "",
        "missing": None if name else variable,
        "example": "pair.yml" if of_pair else "shop.yml",
        "without": _without(roles, playbook),
    }


def read_rights(policies: Iterable[Mapping[str, Any]], request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what policies permit for a request, in the form of preflight_info's option ``rights``.

    Args:
        policies: The shipped documents.
        request: What ``read_request`` returned.
    """
    addresses = [name for name in request.get("given_addresses", ()) if name.startswith("eipalloc-")]
    scope = Scope(elastic_ips=addresses, boundary=request.get("boundary", ""))
    documents = [narrowed(applicable(policy, request["without"]), scope) for policy in policies]
    return [
        {
            "actions": listed(statement["Action"]),
            "resources": listed(statement["Resource"]),
            "context": _context(statement.get("Condition") or {}, request),
        }
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]


def _context(condition: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition keys as they are when the playbook asks: its own name for that of any pair or group.

    A key whose value is not known is left out, so the simulator names it as missing.
    """
    given = {
        key: str(listed(value)[0])
        for operator, keys in condition.items()
        for key, value in keys.items()
        if operator != "Null" and "Not" not in operator
    }
    known = {key: value.replace("*", str(request["group"])) for key, value in given.items() if key != BOUNDARY_KEY}
    boundary = request.get("boundary")
    return {**known, BOUNDARY_KEY: boundary} if boundary and BOUNDARY_KEY in given else known


def judge(request: Mapping[str, Any], checks: Iterable[Mapping[str, Any]], strict: object) -> dict[str, Any]:
    """Return the ``headline`` of the table and, unless the playbook would succeed, the ``verdict`` (else "").

    Args:
        strict: Whether a warning counts as a failure.
    """
    rows = list(checks)
    failed = [row for row in rows if row["status"] == "failed"]
    warnings = [row for row in rows if row["status"] == "warning"]
    bad = failed + (warnings if _true(strict) else [])
    headline = (
        f"Preflight of {request['playbook']} for {request['group']}: {len(rows)} checks, {len(failed)} failed, "
        f"{len(warnings)} with a warning"
    )
    named = ", ".join(f"{row['check']} {row['subject']}" for row in bad)
    verdict = (
        f"{headline}. {request['playbook']} {'would' if failed else 'might'} not succeed because of {named}; the table "
        "above says why. Nothing was changed."
    )
    return {"headline": headline, "verdict": verdict if bad else ""}


def _name(roles: Mapping[str, Variables], playbook: str) -> str:
    candidates = {
        "ha_failover": [("ha_failover", "ha_failover_name"), ("ha_pair", "ha_pair_name")],
        "ha_pair": [("ha_pair", "ha_pair_name")],
        "report": [("report", "report_group"), ("autoscale_group", "autoscale_group_name")],
    }.get(playbook, [("autoscale_group", "autoscale_group_name")])
    names = [(roles.get(role) or {}).get(variable) for role, variable in candidates]
    return str(next((name for name in names if name), ""))


def _pair(given: Variables, launches: bool) -> dict[str, Any]:
    nodes, addresses = _listed(given.get("ha_pair_nodes")), named_elastic_ips(given)
    vips = [each for each in _listed(given.get("ha_pair_vips")) if isinstance(each, Mapping)]
    kinds = [each.get("kind") for each in vips]
    elastic = kinds.count("elastic_ip") if kinds else max(len(addresses), 1)
    following = sum(bool(each.get("elastic_ip")) for each in vips if each.get("kind") == "private_ip")
    public = _true(given.get("ha_pair_management_public", False))
    of_nodes = len(nodes) if public else 0
    moving = sum(each.get("kind") == "private_ip" and ":" not in str(each.get("private_ip_address")) for each in vips)
    more = {"instances": 1, "secondary_private_ip_count": max(elastic - 1, 0) + moving}
    return {
        **_common(given, "ha_pair"),
        "zones": [{**node, "name": f"node {number}", **more} for number, node in enumerate(nodes)] if launches else [],
        "elastic_ips": elastic + following - len(addresses) + of_nodes if launches else 0,
        "given_addresses": addresses if launches else [],
        "load_balancers": 0,
        "public_clients": True,
        "public_management": public,
        "reach": [],
        "clustered": False,
        **_data_path(given, "ha_pair", given.get("ha_pair_return_path") or "mbf", launches),
    }


def _group(given: Variables, launches: bool) -> dict[str, Any]:
    zones = _listed(given.get("autoscale_group_zones"))
    most = int((given.get("autoscale_group_policy") or {}).get("max_nodes") or 1)
    default = next(iter(TOPOLOGIES.values()))
    topology = TOPOLOGIES.get(str(given.get("autoscale_group_topology") or ""), default)
    path = given.get("autoscale_group_return_path") or topology.return_path
    internal = (given.get("autoscale_group_nlb_scheme") or "internet-facing") == "internal"
    needs = _distributor(given).needs(zones, most, internal=internal)
    return {
        **_common(given, "autoscale_group"),
        "zones": [
            {"name": zone["name"], "instances": most, **{name: zone.get(name) or "" for name in _SUBNETS}}
            for zone in zones
        ]
        if launches
        else [],
        "elastic_ips": needs.elastic_ips if launches else 0,
        "given_addresses": list(needs.given_addresses) if launches else [],
        "load_balancers": needs.load_balancers if launches else 0,
        "public_clients": needs.public_clients,
        "public_management": False,
        "reach": _console(given.get("autoscale_group_console") or {}),
        "clustered": topology.clustered,
        **_data_path(given, "autoscale_group", path, launches),
    }


def _data_path(given: Variables, prefix: str, return_path: str, launches: bool) -> dict[str, Any]:
    """How packets leave the nodes: replies to clients, and requests to back ends; nothing without a launch."""
    single = given.get(f"{prefix}_application")
    applications = [*_listed(given.get(f"{prefix}_applications")), *([single] if single else [])]
    return {
        "return_path": return_path if launches else None,
        "backend_cidrs": _listed(given.get(f"{prefix}_backend_cidrs")),
        "back_ends": [row for each in applications for row in _back_ends(each)] if launches else [],
    }


def _back_ends(application: Variables) -> list[dict[str, Any]]:
    """Return the complete back ends of one application; the playbook itself reports the others."""
    name = str(application.get("name") or "")
    carried = transports(str(application.get("backend_protocol") or application.get("protocol") or ""))
    common = {"application": name, "transport": carried[0]}
    followed = application.get("backend_autoscaling_group")
    if followed:
        port = port_of(application.get("backend_port"))
        return [{**common, "autoscaling_group": str(followed), "port": port}] if port else []
    return [
        {**common, "address": str(each["address"]), "port": port}
        for each in _listed(application.get("backends"))
        if isinstance(each, Mapping) and each.get("address") and (port := port_of(each.get("port")))
    ]


def _common(given: Variables, prefix: str) -> dict[str, Any]:
    return {
        "region": given.get(f"{prefix}_region") or "",
        "image_id": given.get(f"{prefix}_image_id") or "",
        "license_mode": license_mode(given.get(f"{prefix}_license")),
        "license_demand": license_demand(given.get(f"{prefix}_license")),
        "instance_type": given.get(f"{prefix}_instance_type") or "",
        "key_name": given.get(f"{prefix}_key_name") or "",
        "management_cidrs": _listed(given.get(f"{prefix}_management_cidrs")),
        "nitro_port": given.get(f"{prefix}_nitro_port") or 443,
    }


def _console(console: Variables) -> list[str]:
    if not console.get("adm_url"):
        return []
    url = urlsplit(str(console["adm_url"]))
    return [f"{url.hostname}:{url.port or 443}"]


def _without(roles: Mapping[str, Variables], playbook: str) -> list[str]:
    """Return the circumstances that do not apply; the Sid of a statement that is for one only ends with it."""
    group, pair = roles.get("autoscale_group") or {}, roles.get("ha_pair") or {}
    backup = roles.get("config_backup") or {}
    applications = _listed(group.get("autoscale_group_applications"))
    stores = [(roles.get("report") or {}).get("report_store")] if playbook == "report" else []
    store: Variables = next((each for each in (*stores, group.get("autoscale_group_store")) if each), {})
    stored = store.get("type") or DEFAULT_STORE
    chosen, topology = _distributor(group), group.get("autoscale_group_topology")
    applies = {
        **{each.statement: each is chosen or each.used_by(applications) for each in DISTRIBUTORS.values()},
        **{kind.statement: name == stored for name, kind in STORES.items() if kind.statement},
        "WithCloudwatch": _true((roles.get("autoscale") or {}).get("autoscale_publish", False)),
        "WithPortErrors": _true((roles.get("autoscale") or {}).get("autoscale_port_errors", False)),
        "WithSns": bool(_alerts(roles).get("sns_topic_arn")),
        "WithEventBridge": bool(_alerts(roles).get("event_bus")),
        "WithPair": bool(pair.get("ha_pair_name")),
        "WithFollowedGroups": any(each.get("backend_autoscaling_group") for each in applications),
        **{each.statement: each.name == topology for each in TOPOLOGIES.values() if each.statement},
        "WithBoundary": bool(
            pair.get("ha_pair_permissions_boundary") or group.get("autoscale_group_permissions_boundary")
        ),
        "WithElasticIps": bool(named_elastic_ips(pair)),
        "WithPrivateIps": "private_ip" in _kinds(pair) or bool(pair.get("ha_pair_snip")),
        "WithRoutes": "route" in _kinds(pair),
        "WithKmsKey": bool(backup.get("config_backup_kms_key_id")),
        "WithCreateBucket": _true(backup.get("config_backup_create_bucket", False)),
    }
    return [name for name, needed in applies.items() if not needed]


def named_elastic_ips(pair: Variables) -> list[str]:
    """Return the Elastic IPs that a pair names, which need not have been validated yet."""
    vips = [each for each in _listed(pair.get("ha_pair_vips")) if isinstance(each, Mapping)]
    named = [str(each["elastic_ip"]) for each in vips if each.get("elastic_ip")]
    return [*map(str, _listed(pair.get("ha_pair_elastic_ips"))), *named]


def _alerts(roles: Mapping[str, Variables]) -> Variables:
    """Return where the ticks of a group publish alerts."""
    given = (roles.get("autoscale") or {}).get("autoscale_alerts")
    return given if isinstance(given, Mapping) else {}


def _kinds(pair: Variables) -> set[Any]:
    """Return the kinds of a pair's addresses, which need not have been validated yet."""
    return {each.get("kind") for each in _listed(pair.get("ha_pair_vips")) if isinstance(each, Mapping)}


def _distributor(group: Variables) -> Distributor:
    """Return the distributor of a group, which need not have been validated yet."""
    default = next(iter(DISTRIBUTORS.values()))
    return DISTRIBUTORS.get(str(group.get("autoscale_group_distributor")), default)


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _true(value: object) -> bool:
    return value is True or str(value).lower() in _TRUE
