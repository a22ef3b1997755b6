"""An appliance in memory with the few rules of NITRO that plans must respect, for tests that need no wire.

It refuses what the documentation says an appliance refuses: a binding to what does not exist, two server objects with
one address, a change of what cannot be changed, the removal of what is in use. Numbers come back as strings.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError

Row = dict[str, Any]

# The fields that tell one object, or one binding, of a type from another.
KEYS = {
    "nsip": ("ipaddress",),
    "nsip6": ("ipv6address",),
    "ipset": ("name",),
    "ipset_nsip_binding": ("name", "ipaddress"),
    "ipset_nsip6_binding": ("name", "ipaddress"),
    "lbvserver": ("name",),
    "csvserver": ("name",),
    "lbvserver_servicegroup_binding": ("name", "servicegroupname"),
    "servicegroup": ("servicegroupname",),
    "servicegroup_servicegroupmember_binding": ("servicegroupname", "servername", "port"),
    "servicegroup_lbmonitor_binding": ("servicegroupname", "monitor_name"),
    "server": ("name",),
    "service": ("name",),
    "lbmonitor": ("monitorname",),
    "sslcertkey": ("certkey",),
    "sslvserver_sslcertkey_binding": ("vservername", "certkeyname"),
    "systemfile": ("filename",),
    "nsfeature": (),
    "nsconfig": (),
}
# What each field of a binding must name (NITRO: 258 or a code of the type's own when it does not exist).
REFERENCES = {
    "ipset_nsip_binding": {"name": ("ipset", "name"), "ipaddress": ("nsip", "ipaddress")},
    "ipset_nsip6_binding": {"name": ("ipset", "name")},
    "lbvserver_servicegroup_binding": {
        "name": ("lbvserver", "name"),
        "servicegroupname": ("servicegroup", "servicegroupname"),
    },
    "servicegroup_servicegroupmember_binding": {
        "servicegroupname": ("servicegroup", "servicegroupname"),
        "servername": ("server", "name"),
    },
    "servicegroup_lbmonitor_binding": {
        "servicegroupname": ("servicegroup", "servicegroupname"),
        "monitor_name": ("lbmonitor", "monitorname"),
    },
    "sslvserver_sslcertkey_binding": {"vservername": ("lbvserver", "name"), "certkeyname": ("sslcertkey", "certkey")},
}
# Bindings that go with the object in that field; any other reference keeps the object from being deleted.
OWNED_BY = {
    "ipset_nsip_binding": "",
    "ipset_nsip6_binding": "",
    "lbvserver_servicegroup_binding": "name",
    "servicegroup_servicegroupmember_binding": "servicegroupname",
    "servicegroup_lbmonitor_binding": "servicegroupname",
    "sslvserver_sslcertkey_binding": "vservername",
}
IMMUTABLE = {
    "lbvserver": {"servicetype", "port"},
    "servicegroup": {"servicetype"},
    "nsip": {"type"},
    "server": {"name"},
}


class Killed(BaseException):
    """The run ends here, like a process that got SIGKILL."""


class MemoryAppliance:
    """``kill_at``: the n-th write (from 1) kills the run, before or after it is carried out."""

    def __init__(self, objects: Mapping[str, list[Row]] | None = None) -> None:
        self.objects: dict[str, list[Row]] = {resource: [] for resource in KEYS}
        self.objects["nsfeature"] = [{"feature": ["LB", "SSL"], "lb": True, "ssl": True}]
        self.objects |= copy.deepcopy(dict(objects or {}))
        self.saved: dict[str, list[Row]] = copy.deepcopy(self.objects)
        self.systemtype = "Stand-alone"
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.kill_at: tuple[int, str] | None = None

    # ------------------------------------------------------------------ the client's methods

    def get(
        self,
        resource: str,
        name: str | int | None = None,
        *,
        args: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        assert filters is None
        self.reads.append(f"{resource}/{name}" if name else resource)
        if resource == "nsconfig":
            return [{"configchanged": self.objects != self.saved, "systemtype": self.systemtype}]
        rows = self.objects[resource]
        if name is not None:
            rows = [row for row in rows if row[KEYS[resource][0]] == name]
        if args:
            rows = [row for row in rows if all(str(row.get(key)) == str(value) for key, value in args.items())]
        if resource == "systemfile" and name is not None:
            return [dict(row) for row in rows]
        return [self._as_read(resource, row) for row in rows]

    def get_bulk(self, resource: str) -> list[Row]:
        self.reads.append(f"{resource}?bulk")
        return [self._as_read(resource, row) for row in self.objects[resource]]

    def add(self, resource: str, body: Mapping[str, Any]) -> None:
        self._write(f"add {resource}", lambda: self._add(resource, dict(body)))

    def bind(self, resource: str, body: Mapping[str, Any]) -> None:
        self._write(f"bind {resource}", lambda: self._bind(resource, dict(body)))

    def update(self, resource: str, body: Mapping[str, Any]) -> None:
        self._write(f"set {resource}", lambda: self._update(resource, dict(body)))

    def unset(self, resource: str, body: Mapping[str, Any]) -> None:
        def carry_out() -> None:
            row = self._one(resource, body)
            for key in set(body) - set(KEYS[resource]):
                row.pop(key, None)

        self._write(f"unset {resource}", carry_out)

    def act(self, resource: str, action: str, body: Mapping[str, Any] | None = None) -> None:
        given = dict(body or {})
        if resource in ("hafiles", "clusterfiles"):
            self._write(f"{action} {resource}", lambda: None)
            return
        assert resource == "sslcertkey"
        carry_out = {"update": lambda: self._load(given)}.get(action, lambda: self._link(action, given))
        self._write(f"{action} {resource}", carry_out)

    def delete(self, resource: str, name: str | int | None = None, *, args: Mapping[str, Any] | None = None) -> bool:
        def carry_out() -> None:
            gone = [row for row in self.objects[resource] if self._matches(resource, row, name, args or {})]
            if gone and not resource.endswith("_binding"):
                self._release(resource, gone[0])
            self.objects[resource] = [row for row in self.objects[resource] if row not in gone]

        self._write(f"delete {resource}", carry_out)
        return True

    def save(self) -> None:
        def carry_out() -> None:
            self.saved = copy.deepcopy(self.objects)

        self._write("save", carry_out)

    # ------------------------------------------------------------------ below

    def _write(self, what: str, carry_out: Any) -> None:
        self.writes.append(what)
        number, when = self.kill_at or (0, "")
        if len(self.writes) == number and when == "before":
            raise Killed
        carry_out()
        if len(self.writes) == number:
            raise Killed

    def _as_read(self, resource: str, row: Row) -> Row:
        read = {key: str(value) if isinstance(value, int) and key != "port" else value for key, value in row.items()}
        read.pop("filecontent", None)
        if resource == "servicegroup_servicegroupmember_binding":
            server = next(s for s in self.objects["server"] if s["name"] == row["servername"])
            read |= {"ip": server["ipaddress"], "svrstate": "UP", "weight": str(row.get("weight", 1))}
        if resource == "lbvserver":
            read = {"curstate": "UP", "lbmethod": "LEASTCONNECTION", "timeout": "2", **read}
        return read

    def _one(self, resource: str, body: Mapping[str, Any]) -> Row:
        for row in self.objects[resource]:
            if all(row.get(key) == body.get(key) for key in KEYS[resource]):
                return row
        raise NitroError(f"{resource}: no such resource", code=258, http_status=404)

    def _add(self, resource: str, body: Row) -> None:
        if any(all(row.get(key) == body[key] for key in KEYS[resource]) for row in self.objects[resource]):
            raise NitroError(f"{resource}: resource already exists", code=273, http_status=409)
        if resource == "server" and any(row["ipaddress"] == body["ipaddress"] for row in self.objects["server"]):
            raise NitroError("server already exists", code=1335, http_status=409)
        if resource == "sslcertkey":
            self._load_files(body)
            if any(self._contents(row) == self._contents(body) for row in self.objects["sslcertkey"]):
                raise NitroError("resource already exists [certkeyName Contents]", code=273, http_status=409)
        if body.get("ipset") and not any(row["name"] == body["ipset"] for row in self.objects["ipset"]):
            raise NitroError("no such ipset", code=258, http_status=404)
        self.objects[resource].append(body)

    def _bind(self, resource: str, body: Row) -> None:
        for key, (target, target_key) in REFERENCES[resource].items():
            if not any(row[target_key] == body[key] for row in self.objects[target]):
                raise NitroError(f"{resource}: no such {target} {body[key]}", code=258, http_status=404)
        self._add(resource, body)

    def _update(self, resource: str, body: Row) -> None:
        if resource == "servicegroup" and "servername" in body:
            self._one("servicegroup_servicegroupmember_binding", body)["weight"] = body["weight"]
            return
        row = self._one(resource, body)
        if IMMUTABLE.get(resource, set()) & set(body):
            raise NitroError(f"{resource}: invalid argument", code=278, http_status=599)
        if resource == "lbmonitor" and body["type"] != row["type"]:
            raise NitroError("lbmonitor: invalid argument [type]", code=278, http_status=599)
        row |= body

    def _load(self, body: Row) -> None:
        self._load_files(body)
        self._one("sslcertkey", body).update({key: body[key] for key in ("cert", "key")})

    def _load_files(self, body: Row) -> None:
        names = {row["filename"] for row in self.objects["systemfile"]}
        if not {body[part].rpartition("/")[2] for part in ("cert", "key") if part in body} <= names:
            raise NitroError("input file(s) not present", code=1647, http_status=599)

    def _contents(self, certkey: Row) -> str:
        name = certkey["cert"].rpartition("/")[2]
        files = {row["filename"]: row.get("filecontent", name) for row in self.objects["systemfile"]}
        return str(files.get(name, name))

    def _link(self, action: str, body: Row) -> None:
        """1543 and 1545 (nitro_errors): linked already, not linked."""
        row = self._one("sslcertkey", body)
        if (action == "link") == ("linkcertkeyname" in row):
            raise NitroError(f"{action} sslcertkey: refused", code=1543 if action == "link" else 1545, http_status=599)
        if action == "unlink":
            del row["linkcertkeyname"]
            return
        self._one("sslcertkey", {"certkey": body["linkcertkeyname"]})
        row["linkcertkeyname"] = body["linkcertkeyname"]

    def _matches(self, resource: str, row: Row, name: object, args: Mapping[str, Any]) -> bool:
        keys = KEYS[resource]
        return row[keys[0]] == name and all(str(row.get(key)) == str(value) for key, value in args.items())

    def _release(self, resource: str, row: Row) -> None:
        """Remove the bindings that go with an object; refuse when something else needs it (1070)."""
        name = row[KEYS[resource][0]]
        if resource == "sslcertkey" and any(c.get("linkcertkeyname") == name for c in self.objects["sslcertkey"]):
            raise NitroError("sslcertkey: referenced by another certificate", code=1541, http_status=599)
        if resource == "ipset" and any(v.get("ipset") == name for v in self.objects["lbvserver"]):
            raise NitroError("ipset: object in use", code=1070, http_status=599)
        for binding, references in REFERENCES.items():
            for key, (target, _target_key) in references.items():
                users = [other for other in self.objects[binding] if target == resource and other[key] == name]
                if users and key != OWNED_BY[binding] and resource != "lbvserver":
                    raise NitroError(f"{resource}: object in use", code=1070, http_status=599)
                self.objects[binding] = [other for other in self.objects[binding] if other not in users]
