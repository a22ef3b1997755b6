# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Modules that manage objects of an appliance: all objects of one appliance in one session, with one save.

Several entries of ``nodes`` may name the same appliance. They are done in order: one login, all objects, one save if
something changed, one logout. Appliances are worked on side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias, TypeVar

from ansible.module_utils.basic import AnsibleModule

from ..core.nitro_errors import NitroAuthError, NitroCut, NitroError, NitroUnreachable
from . import steps
from .client import NitroClient
from .module import client_from
from .one_or_many import Job, Needs, Outcome, finish, outcomes_of, prepare

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one object. ``result``: what the module returns of it, by name; ``before``, ``after``: the diff."""

    changed: bool
    result: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def as_result(self, *, saved: bool) -> dict[str, Any]:
        """Return the module's result for this object."""
        diff = {"before": dict(self.before), "after": dict(self.after)}
        return {"changed": self.changed, **self.result, "saved": saved, "diff": diff}


Work: TypeAlias = Callable[[Job, NitroClient], Done]
Attempt: TypeAlias = "Done | NitroError"


def run(module: AnsibleModule, work: Work, needs: Needs | None = None) -> NoReturn:
    """Do ``work`` for every entry, in one session an appliance, and end the task with the result.

    With the option ``serial``, where a module has it, one appliance is done after another.
    """
    jobs, serial = prepare(module, needs), bool(module.params.get("serial"))
    finish(module, jobs, outcomes_of(jobs, lambda lane: in_one_session(lane, work), serial=serial))


def converge(
    job: Job, client: NitroClient, read: Callable[[], T], plan: Callable[[T], list[steps.Change]]
) -> steps.Outcome[T]:
    """Converge one object without saving: its session saves once for all objects."""
    return steps.converge(client, read, plan, check=job.check, save=False)


@dataclass(slots=True)
class _Writes:
    """Attributes the writes of a shared session to the job that is under way."""

    job: Job | None = field(default=None)

    def __call__(self, write: str) -> None:
        if self.job is not None:
            self.job.written.append(write)


def in_one_session(jobs: Sequence[Job], work: Work) -> list[Outcome]:
    """Do all jobs of one appliance in order, in one session, and save once; the outcome of each.

    An entry that fails does not stop the others. When the appliance cannot be logged in to, the rest is not tried.
    """
    writes = _Writes()
    try:
        with client_from(jobs[0].params, wrote=writes) as client:
            attempts = _attempt_all(jobs, client, work, writes)
            writes.job = None
            return _outcomes(jobs, attempts, *_save(jobs, client, attempts))
    except NitroError as error:
        return [error for _job in jobs]


def _attempt_all(jobs: Sequence[Job], client: NitroClient, work: Work, writes: _Writes) -> list[Attempt]:
    attempts: list[Attempt] = []
    closed: NitroError | None = None
    for job in jobs:
        writes.job = job
        try:
            attempts.append(closed or work(job, client))
        except NitroError as error:
            attempts.append(error)
            closed = error if _locked_out(error) else None
    return attempts


def _locked_out(error: NitroError) -> bool:
    """Whether the next entry would fail for the same reason: no answer, or refused credentials."""
    return isinstance(error, NitroAuthError) or (
        isinstance(error, NitroUnreachable) and not isinstance(error, NitroCut)
    )


def _save(jobs: Sequence[Job], client: NitroClient, attempts: Sequence[Attempt]) -> tuple[bool, NitroError | None]:
    """Save if an entry changed something, or if an interrupted run left something unsaved; (saved, why not)."""
    done = [attempt for attempt in attempts if isinstance(attempt, Done)]
    if jobs[0].check or not jobs[0].params["save_config"] or not done:
        return False, None
    try:
        if any(attempt.changed for attempt in done) or steps.unsaved(client):
            client.save()
            return True, None
    except NitroError as error:
        return False, error
    return False, None


def _outcomes(
    jobs: Sequence[Job], attempts: Sequence[Attempt], saved: bool, trouble: NitroError | None
) -> list[Outcome]:
    return [_outcome(job, attempt, saved, trouble) for job, attempt in zip(jobs, attempts, strict=True)]


def _outcome(job: Job, attempt: Attempt, saved: bool, trouble: NitroError | None) -> Outcome:
    if isinstance(attempt, Done):
        return trouble or attempt.as_result(saved=saved)
    if saved and job.written:
        return attempt.and_also("it was saved with the appliance's other entries")
    return attempt
