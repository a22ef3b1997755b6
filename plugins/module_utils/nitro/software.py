# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The software of one appliance: its builds, an installation, its part in a pair of unlike builds, an ISSU migration.

Source: vendor's NITRO reference, install, nsjob, nsversion, nsmigration, hanode; adc-nitro-go, Install (Async, id);
the vendor's playbooks (netscaler/automation-toolkit, golden_templates/upgrade-netscaler/high-availability): a build is
installed without a reboot and takes effect with a cold one; a migration is started on the upgraded secondary.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, TypeAlias

from ..core.errors import Failure
from ..core.nitro_errors import NitroCut, NitroError, NitroUnreachable
from ..core.nitro_wire import as_int
from ..core.waiting import Clock, Sleep
from ..spec.builds import Build, parse_build
from .client import NitroClient
from .waiting import wait_until

_Job: TypeAlias = Optional[str]  # noqa: UP045 (pylint refuses | here)

#: Seconds between two looks at an installation.
_LOOK = 5.0
# 1232 Invalid resource, 1090 No such argument, 278 Invalid argument: an earlier build does not know what is asked.
_UNKNOWN = frozenset({1232, 1090, 278})
IN_PROGRESS, SUCCESS = "INPROGRESS", "SUCCESS"
_FILE_SYSTEMS = {"/flash": "disk0perusage", "/var": "disk1perusage"}


@dataclass(frozen=True, slots=True)
class Software:
    """What a node says of its software.

    ``installed``: the build on its disk, which the next cold boot takes; None: it is the running one, or not known.
    ``job``: id of an installation in progress. ``disks``: percent in use, by file system, as far as it is reported.
    ``migration``: status of an ISSU migration, None: the build has none. ``las``: whether it is licensed by the License
    Activation Service. ``unsaved``: whether its configuration has unsaved changes.
    """

    running: Build | None = None
    installed: Build | None = None
    job: _Job = None
    synchronises: bool = True
    propagates: bool = True
    sync_vlan: bool = False
    disks: Mapping[str, float] = field(default_factory=dict)
    migration: str | None = None
    las: bool = False
    unsaved: bool = False

    @property
    def isolated(self) -> bool:
        """Whether it neither synchronises nor propagates, as an upgrade in place leaves it meanwhile."""
        return not self.synchronises and not self.propagates

    @property
    def migrating(self) -> bool:
        """Whether connections may still be steered to the old primary."""
        return is_migrating(self.migration)


def is_migrating(status: str | None) -> bool:
    """Whether a migration is in progress, by the words of its status."""
    return "in progress" in (status or "").lower()


def read_software(client: NitroClient) -> Software:
    """Ask a node for its software: eight reads."""
    own = next((row for row in client.get("hanode") if as_int(row.get("id")) == 0), {})
    return Software(
        running=_build(client.get("nsversion")),
        installed=read_installed(client),
        job=job_in_progress(_optional(client, "nsjob")),
        synchronises=str(own.get("hasync", "")).upper() != "DISABLED",
        propagates=str(own.get("haprop", "")).upper() != "DISABLED",
        sync_vlan=bool(as_int(own.get("syncvlan"), 0)),
        disks=disks_of(client.stat("ns")),
        migration=read_migration(client),
        unsaved=any(row.get("configchanged") is True for row in client.get("nsconfig")),
        las=any(str(row.get("licensemode")).upper() == "LAS" for row in client.get("nslicenseserver")),
    )


def read_hardware(client: NitroClient) -> str:
    """Return the model of an appliance, empty if it does not tell."""
    rows = client.get("nshardware")
    return str(rows[0].get("hwdescription") or "") if rows else ""


def read_installed(client: NitroClient) -> Build | None:
    """Return the build on the disk; None where the appliance does not tell."""
    try:
        return _build(client.get("nsversion", args={"installedversion": "true"}))
    except NitroError as error:
        if error.code in _UNKNOWN:
            return None
        raise


def read_running(client: NitroClient) -> Build | None:
    """Return the build in memory."""
    return _build(client.get("nsversion"))


def _build(rows: Sequence[Mapping[str, Any]]) -> Build | None:
    return parse_build(str(rows[0].get("version") or "")) if rows else None


def _optional(client: NitroClient, resource: str) -> list[dict[str, Any]]:
    """Return what earlier builds do not know as nothing."""
    try:
        return client.get(resource)
    except NitroError as error:
        if error.code in _UNKNOWN:
            return []
        raise


def disks_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the percent in use of each file system that the statistics tell."""
    found = {}
    for name, key in _FILE_SYSTEMS.items():
        value = rows[0].get(key) if rows else None
        if isinstance(value, int | float | str):
            try:
                found[name] = float(value)
            except ValueError:
                continue
    return found


def job_in_progress(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of an installation that has not ended."""
    open_ones = [row for row in rows if str(row.get("status", "")).upper() == IN_PROGRESS and _installs(row)]
    return str(open_ones[0].get("id")) if open_ones else None


def _installs(row: Mapping[str, Any]) -> bool:
    name = str(row.get("name") or "")
    return not name or "install" in name.casefold()


def read_migration(client: NitroClient) -> str | None:
    """Return the status of an ISSU migration in the appliance's words, empty for none; None: it knows no ISSU."""
    rows = _known(client)
    return None if rows is None else str(rows[0].get("migrationstatus") or "") if rows else ""


def _known(client: NitroClient) -> list[dict[str, Any]] | None:
    try:
        return client.get("nsmigration")
    except NitroError as error:
        if error.code in _UNKNOWN:
            return None
        raise


def steered_connections(client: NitroClient) -> int | None:
    """Return how many established connections the old primary still has; None if the appliance does not tell."""
    rows = _known(client) or []
    return as_int(rows[0].get("migl4sessionsactive")) if rows else None


def set_exchange(client: NitroClient, *, on: bool) -> None:
    """Switch synchronisation and propagation of a node on or off, both in one write."""
    word = "ENABLED" if on else "DISABLED"
    client.update("hanode", {"id": 0, "hasync": word, "haprop": word})


@dataclass(slots=True)
class Installation:
    """Puts a build on the disk of one node, without a reboot. ``url``: where the appliance finds the file.

    ``secrets``: parts of the URL that no message may have. ``timeout``: seconds, download included.
    """

    client: NitroClient
    url: str
    build: Build
    timeout: float
    secrets: tuple[str, ...] = ()
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep

    def run(self, job: str | None) -> None:
        """Install, or wait for the installation ``job`` that an interrupted run has begun.

        Raises:
            Failure: it failed, or another build is on the disk now. The node runs what it ran.
        """
        if job is None:
            self.client.save()  # what is not saved would be lost with the reboot
            job = self._begin()
        self._wait(job)
        found = read_installed(self.client)
        if found is not None and found != self.build:
            raise Failure(
                f"{self.client.connection.nsip}: the file has brought {found} to the disk, not {self.build}. The next "
                "cold reboot would take it: install the right file before"
            )

    def _begin(self) -> str | None:
        """Return the id of the job; None if the appliance installed in the foreground, or its answer got lost."""
        body = {"url": self.url, "y": False}
        try:
            answer = self.client.command("install", {**body, "Async": True}, secrets=self.secrets)
        except NitroCut:
            return job_in_progress(_optional(self.client, "nsjob"))
        except NitroError as error:
            if error.code not in _UNKNOWN:
                raise
            # The build on the disk shows whether a command was carried out whose answer got lost.
            with contextlib.suppress(NitroCut):
                self.client.command("install", body, timeout=self.timeout, secrets=self.secrets)
            return None
        return str(answer["id"]) if answer.get("id") is not None else None

    def _wait(self, job: str | None) -> None:
        last = [f"{self.client.connection.nsip}: the installation has begun"]

        def over() -> bool:
            try:
                return self._over(job, last)
            except NitroUnreachable as error:
                last[0] = str(error)  # a busy appliance; what it has done shows afterwards
                return False

        wait_until(over, self.timeout, lambda: last[0], clock=self.clock, sleep=self.sleep, interval=_LOOK)

    def _over(self, job: str | None, last: list[str]) -> bool:
        rows = _optional(self.client, "nsjob") if job else []
        row = next((row for row in rows if str(row.get("id")) == job), None)
        if row is None:
            last[0] = f"{self.client.connection.nsip}: {self.build} is not on the disk yet"
            return read_installed(self.client) == self.build
        status, text = str(row.get("status", "")).upper(), str(row.get("progress") or row.get("message") or "")
        last[0] = f"{self.client.connection.nsip}: installation {row.get('status')}: {text}"
        if status not in (IN_PROGRESS, SUCCESS):
            raise Failure(
                f"{self.client.connection.nsip}: the installation of {self.build} has the status {row.get('status')}: "
                f"{row.get('message') or text} (code {row.get('errorcode')})"
            )
        return status == SUCCESS
