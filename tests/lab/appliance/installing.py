"""Builds on one appliance: what it runs, what is on its disk, an installation that is under way, and a migration.

Facts: the vendor's NITRO reference, pages install (adc-nitro-go: Install, with Async and id), nsjob and nsmigration;
the vendor's playbooks (netscaler/automation-toolkit, golden_templates/upgrade-netscaler): a build that was installed
without a reboot runs after a cold one; a migration is started on the upgraded secondary, and its status read there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

IN_PROGRESS = "InProgress"


@dataclass(slots=True)
class Job:
    """An installation in the background. Times are lab seconds; ``version`` empty: the file cannot be fetched."""

    number: int
    began: float
    due: float
    version: str
    reboots: bool
    status: str = IN_PROGRESS
    message: str = ""


@dataclass(slots=True)
class Migration:
    """An ISSU migration that this node, the upgraded secondary, has begun. Times are lab seconds; 0: not yet."""

    began: float
    failed_over: float = 0.0
    ended: float = 0.0
    rollback_began: float = 0.0
    rolled_back: float = 0.0

    def status(self) -> str:
        """In the words of the vendor's NITRO reference."""
        if self.rollback_began:
            return f"Rollback is initiated and Failover is {'completed' if self.rolled_back else 'not yet done'}"
        if self.ended:
            return "Migration is completed"
        return f"Migration is in progress and Failover is {'completed' if self.failed_over else 'not yet done'}"


@dataclass(slots=True)
class Software:
    """``running``: the version in memory, empty for that of the image; ``installed``: what a cold boot takes."""

    running: str = ""
    installed: str = ""
    jobs: list[Job] = field(default_factory=list)
    migration: Migration | None = None

    def under_way(self) -> Job | None:
        return next((job for job in self.jobs if job.status == IN_PROGRESS), None)

    def settle(self, now: float) -> Job | None:
        """End an installation whose time is over; returns it if it has succeeded."""
        job = self.under_way()
        if job is None or now < job.due:
            return None
        if not job.version:
            job.status, job.message = "Failed", "the build file could not be fetched"
            return None
        job.status, self.installed = "Success", job.version
        return job

    def boot(self, *, cold: bool) -> None:
        """Jobs and migrations do not outlive a boot; a warm one keeps the kernel."""
        self.jobs.clear()
        self.migration = None
        if cold and self.installed:
            self.running = self.installed
