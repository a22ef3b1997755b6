"""Backups of the system: archives in /var/ns_sys_backup, made of the saved configuration.

Vendor's NITRO reference, page systembackup: create {filename, level, comment}, restore {filename, skipbackup}, add
{filename}, delete by name, and for each file its size in KB, creation time, build, creator and address. The name gets
the ending .tgz.
What a level holds: vendor docs, "Back up and restore": basic has the configuration files, full also certificates and
licences.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.nsconf import ns_conf
from tests.lab.appliance.schema import Resource, Row
from tests.lab.appliance.store import Config, Key

from .base import Behaviour, behaves
from .system import ctime

FOLDER = "/var/ns_sys_backup"
_STATE = "var/lab/state.json"
"""Where an archive has the appliance's tables, so that a restore need not read commands."""
_OF_FULL = ("/nsconfig/ssl", "/nsconfig/license")


def backup_files(ctx: Context) -> list[Row]:
    """The archives as files."""
    return [
        {"filename": one["filename"], "filelocation": FOLDER, "filecontent": one["_content"], "_modified": one["_at"]}
        for one in ctx.appliance.backups.values()
    ]


def _archive(ctx: Context, level: str) -> bytes:
    saved = ctx.appliance.saved
    tables = {name: [[list(key), row] for key, row in table.items()] for name, table in saved.tables.items()}
    files = {
        "nsconfig/ns.conf": ns_conf(saved, ctx.appliance.nsip, ctx.appliance.version(ctx.settings)).encode(),
        "nsconfig/rc.netscaler": b"#!/bin/sh\n",
        _STATE: json.dumps({"version": ctx.appliance.version(ctx.settings), "tables": tables}).encode(),
    }
    if level == "full":
        for row in ctx.running.rows("systemfile"):
            if row["filelocation"] in _OF_FULL:
                path = f"{row['filelocation'].lstrip('/')}/{row['filename']}"
                files[path] = base64.b64decode(row["filecontent"])
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _state_of(content: str) -> Row:
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(content)), mode="r:gz") as archive:
        member = archive.extractfile(_STATE)
        return dict(json.loads(member.read())) if member else {}


@behaves("nsrunningconfig")
class RunningConfig(Behaviour):
    """What runs, as commands, whether it is saved or not."""

    changes_config = False

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [{"response": ns_conf(ctx.running, ctx.appliance.nsip, ctx.appliance.version(ctx.settings))}]


@behaves("systembackup")
class SystemBackup(Behaviour):
    changes_config = False

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [dict(row) for row in ctx.appliance.backups.values()]

    def table(self, ctx: Context, resource: Resource) -> dict[Key, Row]:
        return ctx.appliance.backups

    def view(self, ctx: Context, row: Row) -> Row:
        size = len(base64.b64decode(row["_content"])) // 1024 + 1
        return {**row, "size": size, "creationtime": ctime(row["_at"])}

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        match verb:
            case "create":
                self.create(ctx, arguments)
            case "restore":
                self.restore(ctx, arguments["filename"])
            case _:
                raise NitroFault(1240, verb)
        return None

    def adding(self, ctx: Context, row: Row) -> None:
        """Make an uploaded file one of the archives; 1155 without it."""
        uploaded = ctx.running.first("systemfile", filename=row["filename"], filelocation=FOLDER)
        if uploaded is None:
            raise NitroFault(1155)
        row |= {
            "level": "full",
            "comment": "",
            "version": _state_of(uploaded["filecontent"]).get("version", ""),
            "createdby": ctx.username,
            "ipaddress": ctx.appliance.nsip,
            "_at": ctx.now,
            "_content": uploaded["filecontent"],
        }

    def added(self, ctx: Context, row: Row) -> None:
        """Archives are files of the disk, not part of the configuration."""
        for resource, key in (("systembackup", (row["filename"],)), ("systemfile", (row["filename"], FOLDER))):
            ctx.running.table(resource).pop(key, None)
        ctx.appliance.backups[row["filename"],] = row

    def create(self, ctx: Context, arguments: Row) -> None:
        """1642 for a name that is taken."""
        name = arguments.get("filename", f"backup_{ctx.appliance.version(ctx.settings)[10:14]}_{int(ctx.now)}")
        name = name if name.endswith(".tgz") else f"{name}.tgz"
        if (name,) in ctx.appliance.backups:
            raise NitroFault(1642)
        level = arguments.get("level", "basic")
        ctx.appliance.backups[name,] = {
            "filename": name,
            "level": level,
            "comment": arguments.get("comment", ""),
            "version": ctx.appliance.version(ctx.settings),
            "createdby": ctx.username,
            "ipaddress": ctx.appliance.nsip,
            "_at": ctx.now,
            "_content": base64.b64encode(_archive(ctx, level)).decode(),
        }

    def restore(self, ctx: Context, name: str) -> None:
        """The archive's configuration becomes the saved one and takes effect with the next reboot.

        1155 without such a file; of another build it is refused, with a code that is not documented.
        """
        files = [*backup_files(ctx), *ctx.running.find("systemfile", filelocation=FOLDER)]
        row = next((one for one in files if one["filename"] == name), None)
        if row is None:
            raise NitroFault(1155)
        state = _state_of(row["filecontent"])
        if state.get("version") != ctx.appliance.version(ctx.settings):
            raise NitroFault(257)
        saved = Config()
        for table, rows in state["tables"].items():
            saved.tables[table] = {tuple(key): one for key, one in rows}
        ctx.appliance.saved = saved
