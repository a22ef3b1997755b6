"""How ``data/resources.json`` and ``data/errors.json`` were made: ``make_data.py SCHEMA.json ERRORS.tsv
CLIENT_MAP.py``.

``SCHEMA.json`` holds, for each page of the vendor's NITRO 12.1 reference, its table of properties and its operations
with their example payloads; ``ERRORS.tsv`` the vendor's table of error numbers. What later releases added and the
example payloads lack is taken from ``CLIENT_MAP.py`` (nitro_resource_map of the vendor's own Ansible collection:
names, types and the operations that accept them, of 14.1), or written out below.
"""

from __future__ import annotations

import csv
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
TYPES = {
    "String": "s",
    "Double": "d",
    "Integer": "i",
    "Boolean": "b",
    "String[]": "S",
    "Integer[]": "I",
    "Double[]": "I",
}

# The fields that identify one object, where the delete URL names one of them only.
KEYS = {
    "config/nsip": ["ipaddress", "td"],
    "config/ipset_nsip_binding": ["name", "ipaddress"],
    "config/ipset_nsip6_binding": ["name", "ipaddress"],
    "config/route": ["network", "netmask", "gateway"],
    "config/lbvserver_service_binding": ["name", "servicename"],
    "config/lbvserver_servicegroup_binding": ["name", "servicegroupname"],
    "config/servicegroup_servicegroupmember_binding": ["servicegroupname", "servername", "port"],
    "config/service_lbmonitor_binding": ["name", "monitor_name"],
    "config/servicegroup_lbmonitor_binding": ["servicegroupname", "monitor_name"],
    "config/lbmonitor_service_binding": ["monitorname", "servicename"],
    "config/lbmonitor_servicegroup_binding": ["monitorname", "servicegroupname"],
    "config/sslvserver_sslcertkey_binding": ["vservername", "certkeyname", "ca"],
    "config/csvserver_cspolicy_binding": ["name", "policyname"],
    "config/csvserver_lbvserver_binding": ["name", "lbvserver"],
    "config/systemuser_systemcmdpolicy_binding": ["username", "policyname"],
    "config/vpnglobal_staserver_binding": ["staserver"],
    "config/vlan_interface_binding": ["id", "ifnum"],
    "config/vlan_nsip_binding": ["id", "ipaddress"],
    "config/vlan_nsip6_binding": ["id", "ipaddress"],
    "config/vlan_channel_binding": ["id", "ifnum"],
    "config/clusternodegroup_clusternode_binding": ["name", "node"],
    "config/clusternode_routemonitor_binding": ["nodeid", "routemonitor"],
    "config/hanode_routemonitor_binding": ["id", "routemonitor"],
    "config/systemfile": ["filename", "filelocation"],
    "config/nsrpcnode": ["ipaddress"],
    "config/sslvserver": ["vservername"],
    "config/systemsession": ["sid"],
    "config/clusterpropstatus": ["nodeid"],
}
# Named by either of two fields.
EITHER = {
    "config/ntpserver": ["serverip", "servername"],
    "config/nslicenseserver": ["licenseserverip", "servername"],
    "config/dnsnameserver": ["ip", "dnsvservername"],
}
SINGLETONS = {
    "nsversion",
    "nslicense",
    "nscapacity",
    "nsfeature",
    "nsmode",
    "nsconfig",
    "nshardware",
    "nshostname",
    "nstcpparam",
    "systemparameter",
    "cloudparameter",
}
UNUSED = {"config/nsacl", "config/nspartition", "stat/nsacl", "stat/nspartition", "config/cloudprofile"}

# The codes this simulator answers with (2448 to 2549: the cluster's).
CODES = {
    257,
    258,
    273,
    278,
    293,
    304,
    315,
    344,
    354,
    355,
    356,
    362,
    363,
    364,
    365,
    366,
    410,
    411,
    412,
    414,
    415,
    444,
    445,
    446,
    461,
    462,
    463,
    477,
    604,
    1027,
    1028,
    1043,
    1044,
    1046,
    1047,
    1065,
    1067,
    1070,
    1074,
    1079,
    1090,
    1091,
    1092,
    1093,
    1095,
    1097,
    1103,
    1108,
    1109,
    1110,
    1155,
    1180,
    1221,
    1232,
    1233,
    1234,
    1240,
    1243,
    1244,
    1335,
    1441,
    1449,
    1461,
    1537,
    1538,
    1540,
    1541,
    1543,
    1545,
    1548,
    1642,
    1647,
    2138,
    2407,
    3569,
    3571,
    3952,
    3955,
    *range(2448, 2550),
}

YES_NO = ["YES", "NO"]
ON_OFF = ["ENABLED", "DISABLED"]
# resource → field → (definition, operations that accept it). 13.0, 13.1 and 14.1 unless said otherwise.
LATER: dict[str, dict[str, tuple[dict[str, Any], list[str]]]] = {
    "config/lbvserver": {"ipset": ({"t": "s"}, ["add", "update", "unset"])},
    "config/csvserver": {"ipset": ({"t": "s"}, ["add", "update", "unset"])},
    "config/clusternode": {
        "tunnelmode": ({"t": "s", "d": "NONE", "e": ["NONE", "GRE", "UDP"]}, ["add", "update", "unset"]),
        "clearnodegroupconfig": ({"t": "s", "e": YES_NO}, ["delete"]),
        "force": ({"t": "b"}, ["delete"]),
        "syncfailurereason": ({"t": "s", "ro": 1}, []),
    },
    "config/clusterinstance": {
        "backplanebasedview": ({"t": "s", "d": "DISABLED", "e": ON_OFF}, ["add", "update", "unset"]),
        "syncstatusstrictmode": ({"t": "s", "d": "DISABLED", "e": ON_OFF}, ["add", "update", "unset"]),
        "dfdretainl2params": ({"t": "s", "d": "DISABLED", "e": ON_OFF}, ["add", "update", "unset"]),
        "clusterproxyarp": ({"t": "s", "d": "ENABLED", "e": ON_OFF}, ["add", "update", "unset"]),
        "secureheartbeats": ({"t": "s", "d": "DISABLED", "e": ON_OFF}, ["add", "update", "unset"]),
    },
    "config/hanode": {
        "rpcnodepassword": ({"t": "s"}, ["add"]),
        "syncstatusstrictmode": ({"t": "s", "d": "DISABLED", "e": ON_OFF}, ["update", "unset"]),
        "hasyncfailurereason": ({"t": "s", "ro": 1}, []),
    },
    "config/nsrpcnode": {"validatecert": ({"t": "s", "d": "NO", "e": YES_NO}, ["update", "unset"])},
    "config/nsversion": {"installedversion": ({"t": "b", "ro": 1}, [])},
    "config/nsconfig": {"all": ({"t": "b"}, ["save"])},
    "config/nscapacity": {
        "vcpu": ({"t": "b"}, ["update"]),
        "nodeid": ({"t": "d", "min": 0, "max": 31}, []),
    },
    "config/nslicense": {"licensingmode": ({"t": "s", "ro": 1}, []), "daystoexpiration": ({"t": "d", "ro": 1}, [])},
    "config/servicegroup": {"monstate": ({"t": "s", "ro": 1}, [])},
    "config/nsip": {
        "arpowner": ({"t": "d"}, ["add", "update", "unset"]),
        "mptcpadvertise": ({"t": "s", "d": "NO", "e": YES_NO}, ["add", "update", "unset"]),
    },
}
SENSORS = ["12n", "5n", "sen2", "5sb", "tt", "bat", "12p", "5p", "33stby", "33main", "cc1", "cc0"]
TIMEOUTS = ["clttimeout", "svrtimeout", "delay", "numofconnections"]
# Fields that are numbers on the wire although the reference calls them Double (recorded replies, client type
# assertions; the test of the types names each source).
NUMBERS = {
    "config/lbmonitor": [
        "interval",
        "resptimeout",
        "retries",
        "downtime",
        "successretries",
        "failureretries",
        "alertretries",
        "lrtmconf",
    ],
    "config/server": ["delay"],
    "config/service": TIMEOUTS,
    "config/servicegroup": TIMEOUTS,
    "stat/lbvserver": ["cltresponsetimeapdex"],
    "stat/system": [
        *(f"auxvolt{number}" for number in range(8)),
        *(f"voltagev{name}" for name in SENSORS),
        *(f"auxtemp{number}" for number in range(4)),
        *(f"disk{disk}{what}" for disk in (0, 1) for what in ("size", "used", "avail")),
        *(f"fan{number}speed" for number in (0, 2, 3, 4, 5)),
        "cpufan0speed",
        "cpufan1speed",
        "systemfanspeed",
        "fanspeed",
        "cpu0temp",
        "cpu1temp",
        "internaltemp",
    ],
    "config/hanode": ["hellointerval", "deadinterval", "masterstatetime"],
    "config/clusternode": ["delay"],
    "config/clusterinstance": ["deadinterval", "hellointerval"],
    "config/lbvserver": ["timeout", "backuppersistencetimeout"],
}
# What a policy-based route compares, and its settings (nspbr).
PBR_MATCHES = ("srcip", "srcport", "destip", "destport")
PBR_PARTS: dict[str, dict[str, Any]] = {
    "": {"t": "b"},
    "op": {"t": "s", "e": ["=", "!=", "EQ", "NEQ"]},
    "val": {"t": "s"},
}
PBR_SETTABLE = [
    *(f"{name}{part}" for name in PBR_MATCHES for part in PBR_PARTS),
    *("nexthop", "nexthopval", "protocol", "protocolnumber", "vlan", "Interface", "priority", "msr", "monitor"),
]
# Pages that are not among the mirrored ones.
EXTRA: dict[str, dict[str, Any]] = {
    "config/ntpsync": {
        "fields": {"state": {"t": "s", "ro": 1, "d": "DISABLED"}},
        "ops": {"enable": {"fields": [], "required": []}, "disable": {"fields": [], "required": []}},
        "singleton": 1,
    },
    "config/ntpstatus": {"fields": {"response": {"t": "s", "ro": 1}}, "ops": {}, "singleton": 1},
    # Vendor's reference, page sslservice_sslcertkey_binding.
    "config/sslservice_sslcertkey_binding": {
        "fields": {
            "servicename": {"t": "s"},
            "certkeyname": {"t": "s"},
            "ca": {"t": "b"},
            "snicert": {"t": "b"},
            "skipcaname": {"t": "b"},
            "crlcheck": {"t": "s", "e": ["Mandatory", "Optional"]},
            "ocspcheck": {"t": "s", "e": ["Mandatory", "Optional"]},
        },
        "key": ["servicename", "certkeyname", "ca"],
        "ops": {
            "add": {
                "fields": ["servicename", "certkeyname", "ca", "crlcheck", "skipcaname", "snicert", "ocspcheck"],
                "required": ["servicename"],
            },
            "delete": {"fields": [], "required": []},
        },
    },
    # Vendor's reference 12.1, pages nspbr and nspbrs.
    "config/nspbr": {
        "fields": {
            "name": {"t": "s"},
            "action": {"t": "s", "e": ["ALLOW", "DENY"]},
            "td": {"t": "d", "min": 0, "max": 4094},
            **{f"{name}{part}": kind for name in PBR_MATCHES for part, kind in PBR_PARTS.items()},
            "nexthop": {"t": "b"},
            "nexthopval": {"t": "s"},
            "protocol": {"t": "s", "e": ["ICMP", "IGMP", "TCP", "EGP", "IGP", "ARGUS", "UDP", "RDP", "RSVP", "EIGRP"]},
            "protocolnumber": {"t": "d", "min": 1, "max": 255},
            "vlan": {"t": "d", "min": 1, "max": 4094},
            "Interface": {"t": "s"},
            "priority": {"t": "d", "min": 1, "max": 81920},
            "msr": {"t": "s", "d": "DISABLED", "e": ON_OFF},
            "monitor": {"t": "s"},
            "state": {"t": "s", "d": "ENABLED", "e": ON_OFF},
            "hits": {"t": "d", "ro": 1},
            "kernelstate": {"t": "s", "ro": 1, "d": "NOTAPPLIED"},
            "curstate": {"t": "d", "ro": 1},
        },
        "key": ["name"],
        "ops": {
            "add": {"fields": ["name", "action", "td", *PBR_SETTABLE, "state"], "required": ["name", "action"]},
            "update": {"fields": ["name", "action", *PBR_SETTABLE], "required": ["name"]},
            "unset": {"fields": ["name", *PBR_SETTABLE], "required": ["name"]},
            "enable": {"fields": ["name"], "required": ["name"]},
            "disable": {"fields": ["name"], "required": ["name"]},
            "delete": {"fields": [], "required": []},
        },
    },
    "config/nspbrs": {
        "fields": {"state": {"t": "s", "ro": 1}},
        "ops": {name: {"fields": [], "required": []} for name in ("apply", "clear", "renumber")},
        "singleton": 1,
    },
    # Vendor's NITRO reference, page systembackup.
    "config/systembackup": {
        "fields": {
            "filename": {"t": "s"},
            "level": {"t": "s", "d": "basic", "e": ["basic", "full"]},
            "comment": {"t": "s"},
            "skipbackup": {"t": "b"},
            "size": {"t": "d", "ro": 1},
            "creationtime": {"t": "s", "ro": 1},
            "version": {"t": "s", "ro": 1},
            "createdby": {"t": "s", "ro": 1},
            "ipaddress": {"t": "s", "ro": 1},
        },
        "key": ["filename"],
        "ops": {
            "create": {"fields": ["filename", "level", "comment"], "required": []},
            "restore": {"fields": ["filename", "skipbackup"], "required": ["filename"]},
            "delete": {"fields": [], "required": []},
        },
    },
    # adc-nitro-go: Nslicenseserverpool, Nslicenseactivationdata, Nslaslicense.
    "config/nslicenseserverpool": {
        "fields": {
            f"{edition}bandwidth{what}": {"t": "d", "ro": 1}
            for edition in ("standard", "enterprise", "platinum")
            for what in ("total", "available")
        },
        "ops": {},
        "singleton": 1,
    },
    "config/nslicenseactivationdata": {"fields": {"filename": {"t": "s", "ro": 1}}, "ops": {}, "singleton": 1},
    "config/nslaslicense": {
        "fields": {"filename": {"t": "s"}, "filelocation": {"t": "s"}, "fixedbandwidth": {"t": "b"}},
        "ops": {"apply": {"fields": ["filename", "filelocation", "fixedbandwidth"], "required": ["filename"]}},
        "singleton": 1,
    },
    # The vendor's command reference: "add linkset", "bind linkset".
    "config/linkset": {
        "fields": {"id": {"t": "s"}},
        "key": ["id"],
        "ops": {"add": {"fields": ["id"], "required": ["id"]}, "delete": {"fields": [], "required": []}},
    },
    "config/linkset_interface_binding": {
        "fields": {"id": {"t": "s"}, "ifnum": {"t": "s"}},
        "key": ["id", "ifnum"],
        "ops": {"add": {"fields": ["id", "ifnum"], "required": ["id"]}, "delete": {"fields": [], "required": []}},
    },
}
# Interface: the page is not among the mirrored ones; fields of the current reference that clients use.
INTERFACE = {
    "fields": {
        "id": {"t": "s"},
        "speed": {"t": "s", "d": "AUTO", "e": ["AUTO", "10", "100", "1000", "10000"]},
        "duplex": {"t": "s", "d": "AUTO", "e": ["AUTO", "HALF", "FULL"]},
        "flowctl": {"t": "s", "d": "OFF", "e": ["OFF", "RX", "TX", "RXTX", "ON"]},
        "autoneg": {"t": "s", "d": "ENABLED", "e": ON_OFF},
        "hamonitor": {"t": "s", "d": "ON", "e": ["ON", "OFF"]},
        "haheartbeat": {"t": "s", "d": "ON", "e": ["ON", "OFF"]},
        "mtu": {"t": "d", "d": 1500, "min": 1500, "max": 9216},
        "tagall": {"t": "s", "d": "OFF", "e": ["ON", "OFF"]},
        "trunk": {"t": "s", "d": "OFF", "e": ["ON", "OFF"]},
        "ifalias": {"t": "s"},
        "throughput": {"t": "d", "max": 160000},
        "bandwidthhigh": {"t": "d"},
        "bandwidthnormal": {"t": "d"},
        "lacpmode": {"t": "s", "d": "DISABLED"},
        "ifnum": {"t": "S", "ro": 1},
        "devicename": {"t": "s", "ro": 1},
        "description": {"t": "s", "ro": 1},
        "intftype": {"t": "s", "ro": 1},
        "flags": {"t": "d", "ro": 1},
        "actualmtu": {"t": "d", "ro": 1},
        "vlan": {"t": "d", "ro": 1},
        "mac": {"t": "s", "ro": 1},
        "uptime": {"t": "d", "ro": 1},
        "state": {"t": "s", "ro": 1},
        "intfstate": {"t": "d", "ro": 1},
        "linkstate": {"t": "d", "ro": 1},
        "reqspeed": {"t": "s", "ro": 1},
        "actspeed": {"t": "s", "ro": 1},
    },
    "ops": {
        "update": {
            "fields": [
                "id",
                "speed",
                "duplex",
                "flowctl",
                "autoneg",
                "hamonitor",
                "haheartbeat",
                "mtu",
                "tagall",
                "trunk",
                "ifalias",
                "throughput",
                "bandwidthhigh",
                "bandwidthnormal",
                "lacpmode",
            ],
            "required": ["id"],
        },
        "unset": {"fields": ["id", "mtu", "tagall", "ifalias", "throughput"], "required": ["id"]},
        "enable": {"fields": ["id"], "required": ["id"]},
        "disable": {"fields": ["id"], "required": ["id"]},
        "reset": {"fields": ["id"], "required": ["id"]},
        "clear": {"fields": ["id"], "required": ["id"]},
    },
    "key": ["id"],
}
INTERFACE_STAT = {
    name: {"t": kind, "ro": 1}
    for kind, names in {
        "s": ["id", "curintfstate", "curlinkstate", "curlinkuptime", "interfacealias"],
        "d": [
            "curlinkdowntime",
            "totrxbytes",
            "rxbytesrate",
            "tottxbytes",
            "txbytesrate",
            "totrxpkts",
            "rxpktsrate",
            "tottxpkts",
            "txpktsrate",
            "errpktrx",
            "errdroppedrxpkts",
            "errdroppedrxpktsrate",
            "errdroppedtxpkts",
            "errlinkhangs",
            "jumbopktsreceived",
        ],
    }.items()
    for name in names
}


def number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None


def default(prop: dict[str, Any]) -> Any:
    """The documented default, where it is a value the field can have (some pages print a mask or a quoted word)."""
    text = prop.get("default")
    if text is None:
        return None
    text = text.strip('"')
    if prop["type"] in ("Double", "Integer"):
        return number(text)
    if prop["type"] == "Boolean":
        return text.lower() == "true"
    if prop["type"].endswith("[]"):
        return None
    return text if not prop.get("enum") or text in prop["enum"] else None


def field(name: str, prop: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"t": TYPES.get(prop["type"], "s")}
    if prop.get("rw") == "Read-only" or name == "__count":
        out["ro"] = 1
    if (value := default(prop)) is not None:
        out["d"] = value
    if prop.get("enum") and name != "timezone":
        out["e"] = prop["enum"]
    for bound in ("min", "max"):
        if (limit := number(prop.get(bound))) is not None:
            out[bound] = limit
    return out


def operations(page: dict[str, Any], resource: str) -> dict[str, Any]:
    out = {}
    for name, op in page["ops"].items():
        if op["verb"] == "GET":
            continue
        names = re.findall(r'"(\w+)":', op.get("payload", ""))
        if names and names[0] == resource:
            names = names[1:]
        out[name.rstrip(":")] = {"fields": names, "required": op.get("required", [])}
    return out


def key_of(path: str, page: dict[str, Any]) -> list[str]:
    if path in KEYS | EITHER:
        return (KEYS | EITHER)[path]
    delete = next(
        (op for name, op in page["ops"].items() if name.startswith(("delete", "get")) and "_value<" in op["url"]), None
    )
    if delete is None:
        return []
    match = re.search(r"/(\w+)_value<", delete["url"])
    return [match.group(1)] if match else []


def resource_entry(path: str, page: dict[str, Any]) -> dict[str, Any]:
    kind, name = path.split("/")
    entry: dict[str, Any] = {"fields": {n: field(n, p) for n, p in page["props"].items() if n != "__count"}}
    if key := key_of(path, page):
        entry["key"] = key
    if kind == "config":
        entry["ops"] = operations(page, name)
        if name in SINGLETONS:
            entry["singleton"] = 1
    if path in EITHER:
        entry["either"] = 1
    if path == "config/hanode":
        entry["fields"]["id"]["min"] = 0  # the page says 1, for a peer; 0 is the node itself
    if path in NUMBERS:
        entry["numbers"] = NUMBERS[path]
    for extra, (definition, ops) in LATER.get(path, {}).items():
        entry["fields"].setdefault(extra, definition)
        for op in ops:
            accepted = entry["ops"].setdefault(op, {"fields": [], "required": []})["fields"]
            if extra not in accepted:
                accepted.append(extra)
    return entry


CLIENT_TYPES = {"float": "d", "int": "i", "bool": "b", "list": "S"}


def add_later_fields(entry: dict[str, Any], client: dict[str, Any]) -> None:
    """Fields of later releases, as the vendor's client sends them."""
    accepted = {
        "add": client["add_payload_keys"],
        "update": client["update_payload_keys"],
        "unset": client["action_payload_keys"].get("unset", []),
    }
    for name, argument in client["readwrite_arguments"].items():
        if known := entry["fields"].get(name):
            if "e" in known:  # values that a later release knows as well
                known["e"] = list(dict.fromkeys([*known["e"], *map(str, argument.get("choices", []))]))
            continue
        if name.endswith("_binding"):
            continue
        definition: dict[str, Any] = {"t": CLIENT_TYPES.get(argument["type"], "s")}
        if choices := argument.get("choices"):
            definition["e"] = sorted(str(choice) for choice in choices)
        entry["fields"][name] = definition
        for op, names in accepted.items():
            if op in entry["ops"] and name in names and name not in entry["ops"][op]["fields"]:
                entry["ops"][op]["fields"].append(name)


# Types that have no behaviour of their own and no mirrored page: plain objects, as the vendor's client knows them.
PLAIN = (
    "auditsyslogaction",
    "cloudawsparam",
    "csaction",
    "cspolicy",
    "csvserver_cspolicy_binding",
    "csvserver_lbvserver_binding",
    "dnsparameter",
    "dnssuffix",
    "lbparameter",
    "lbvserver_responderpolicy_binding",
    "lbvserver_rewritepolicy_binding",
    "netprofile",
    "nshttpprofile",
    "nslicenseproxyserver",
    "nsparam",
    "nstcpprofile",
    "nstimeout",
    "policypatset",
    "policypatset_pattern_binding",
    "responderaction",
    "responderpolicy",
    "rewriteaction",
    "rewritepolicy",
    "sslparameter",
    "sslprofile",
    "sslvserver_sslcipher_binding",
    "systemcmdpolicy",
    "systemgroup",
    "systemgroup_systemcmdpolicy_binding",
    "systemgroup_systemuser_binding",
    "systemuser_systemcmdpolicy_binding",
)


def plain_entry(client: dict[str, Any]) -> dict[str, Any]:
    """A type as the vendor's client knows it: names, types, values, operations; no defaults."""
    key = [name for name in (client["primary_key"], client["bindprimary_key"]) if name]
    entry: dict[str, Any] = {"fields": {}, "ops": {}}
    if key:
        entry["key"] = key
    if client["singleton"]:
        entry["singleton"] = 1
    for operation in client["_supported_operations"]:
        if operation in ("add", "update", "unset", "delete", "enable", "disable", "rename"):
            fields = ["newname", *key] if operation == "rename" else []
            entry["ops"][operation] = {"fields": fields, "required": key if operation == "add" else []}
    add_later_fields(entry, client)
    return entry


def main(schema: str, errors: str, client_map: str) -> None:
    pages = json.loads(Path(schema).read_text())
    entries = {path: resource_entry(path, page) for path, page in pages.items() if path not in UNUSED}
    client = runpy.run_path(client_map)["NITRO_RESOURCE_MAP"]
    for path, entry in entries.items():
        if path.startswith("config/") and (known := client.get(path.removeprefix("config/"))):
            add_later_fields(entry, known)
    entries.update({f"config/{name}": plain_entry(client[name]) for name in PLAIN if f"config/{name}" not in entries})
    entries.update(EXTRA)
    entries["config/Interface"] = INTERFACE
    entries["stat/Interface"] = {"fields": INTERFACE_STAT, "key": ["id"]}
    lines = ",\n".join(f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in sorted(entries.items()))
    (DATA / "resources.json").write_text("{\n" + lines + "\n}\n")
    with Path(errors).open() as stream:
        table = {
            int(row["dec"]): row["message"]
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            if row["dec"].isdigit() and int(row["dec"]) in CODES
        }
    (DATA / "errors.json").write_text(json.dumps(table, indent=0) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
