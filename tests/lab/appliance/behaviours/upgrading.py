"""install, nsjob, nsmigration: see ``installing``. Where the documentation gives no error number, 257 stands for it."""

from __future__ import annotations

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.installing import Job, Migration, Software
from tests.lab.appliance.schema import Resource, Row

from .base import Behaviour, behaves
from .system import restart


@behaves("install")
class Install(Behaviour):
    changes_config = False

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return []

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        software, now = ctx.appliance.software, ctx.now
        if "Async" in arguments and not ctx.settings.install_in_background:
            raise NitroFault(1090, "Async")
        if software.under_way():
            raise NitroFault(293)
        version = ctx.settings.install_builds.get(arguments["url"].partition("?")[0], "")
        number = max((job.number for job in software.jobs), default=0) + 1
        job = Job(number, now, now + ctx.settings.install_seconds, version, bool(arguments.get("y")))
        software.jobs.append(job)
        if arguments.get("Async"):
            return {"install": [{"id": str(number)}]}
        job.due = now  # the answer to a command in the foreground comes when all is over
        finish(ctx)
        if job.status == "Failed":
            raise NitroFault(257)
        return None


def finish(ctx: Context) -> None:
    """End an installation that is due, with the reboot that it was told to make."""
    job = ctx.appliance.software.settle(ctx.now)
    if job and job.reboots:
        restart(ctx, warm=False)


@behaves("nsjob")
class Jobs(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [
            {
                "id": job.number,
                "name": "install",
                "status": job.status,
                "progress": job.message or ("installing" if job.status == "InProgress" else "done"),
                "timeelapsed": int(ctx.now - job.began),
                "errorcode": 257 if job.status == "Failed" else 0,
                "message": job.message or "Done",
            }
            for job in ctx.appliance.software.jobs
        ]


@behaves("nsmigration")
class Migrations(Behaviour):
    changes_config = False

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        found = migration_of(ctx)
        if found is None:
            return [{"migrationstatus": "Migration is not yet started"}]
        left = 0 if found.ended or not found.failed_over else ctx.appliance.figures.connections
        return [{"migrationstatus": found.status(), "migl4sessionsactive": int(left)}]

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if verb == "start":
            self._start(ctx)
        else:
            self._stop(ctx)
        return None

    def _start(self, ctx: Context) -> None:
        """On the secondary that has the new build; both nodes need a SYNC VLAN (vendor's documentation of ISSU)."""
        box, pairs = ctx.appliance, ctx.room.ha
        other = pairs.heard(box)
        if other is None or box.ha.role != "Secondary" or other.ha.role != "Primary":
            raise NitroFault(365)
        if not all(pairs.own_row(node).get("syncvlan") for node in (box, other)) or pairs.alike(box, other):
            raise NitroFault(257)
        if (known := migration_of(ctx)) and not known.ended and not known.rolled_back:
            raise NitroFault(293)
        box.software.migration = Migration(ctx.now)

    def _stop(self, ctx: Context) -> None:
        found = migration_of(ctx)
        if found is None or found.ended or found.rollback_began:
            raise NitroFault(257)
        found.rollback_began = ctx.now
        if not found.failed_over:
            found.rolled_back = ctx.now


def migration_of(ctx: Context) -> Migration | None:
    """The migration that this node or its peer has begun."""
    own: Software = ctx.appliance.software
    other = ctx.room.ha.heard(ctx.appliance)
    return own.migration or (other.software.migration if other else None)
