# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Modules that do the same work on one appliance (``nsip``) or side by side on many (``nodes``).

A process for each appliance costs more than what it does there; threads of one process cost next to nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn, TypeAlias

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.validation import check_missing_parameters, check_required_if

from ..core.boundary import fail
from ..core.fingerprints import VERIFY
from ..core.nitro_errors import NitroError, NitroInputError
from ..core.nitro_wire import base_url
from ..core.parallel import gather
from .client import Connection
from .module import connection_from, nitro_argument_spec, require_requests

# As many appliances as a cluster can have nodes.
WORKERS = 32
_NSIP = "NETSCALER_NSIP"


@dataclass(frozen=True, slots=True)
class Job:
    """What one appliance is asked for. ``params``: the module's options as they hold for it; ``check``: check mode.

    ``warnings`` and ``written`` fill while it is done: messages for the user, and the writes that were carried out.
    """

    params: Mapping[str, Any]
    check: bool = False
    warnings: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @property
    def nsip(self) -> str:
        return str(self.params["nsip"])

    def warn(self, message: str) -> None:
        """For the user, once all jobs have ended."""
        self.warnings.append(message)

    def connection(self, fingerprints: tuple[str, ...] = ()) -> Connection:
        """How to reach it. ``fingerprints``: certificates that it is held to, instead of those of the options.

        Raises NitroInputError.
        """
        if not fingerprints:
            return connection_from(self.params, wrote=self.written.append)
        return replace(self.unchecked(), fingerprints=fingerprints)

    def unchecked(self) -> Connection:
        """How to reach it while its certificate is not known: over this, nothing secret may be sent."""
        params = {**self.params, "management_tls": VERIFY, "fingerprint": None, "fingerprints": None}
        return connection_from(params, wrote=self.written.append)


Work: TypeAlias = Callable[[Job], Mapping[str, Any]]
Outcome: TypeAlias = "Mapping[str, Any] | NitroError"
LaneWork: TypeAlias = Callable[[Sequence[Job]], Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Needs:
    """What an appliance's options must hold once those of its entry are merged in, in the words of Ansible's rules."""

    required: Sequence[str] = ()
    required_if: Sequence[tuple[str, Any, Sequence[str]]] = ()

    def unmet(self, params: Mapping[str, Any]) -> str | None:
        """Ansible's own message about what is missing; None when nothing is."""
        given = {name: value for name, value in params.items() if value is not None}
        try:
            check_missing_parameters(given, list(self.required))
            check_required_if([list(rule) for rule in self.required_if], given)
        except TypeError as error:
            return str(error)
        return None


def one_or_many(
    options: Mapping[str, dict[str, Any]], *, per_node: Sequence[str] | None = None, **rules: Any
) -> AnsibleModule:
    """Return the module with ``options``; an entry of ``nodes`` may give those in ``per_node`` (None: all).

    ``nsip`` has no fallback among the options, because one would collide with ``nodes``; the environment is asked here.
    """
    per_node = list(options) if per_node is None else per_node
    entry = {name: _without_defaults(options[name]) for name in per_node}
    node = {"nsip": {"type": "str", "required": True}, **entry}
    module = AnsibleModule(
        argument_spec={
            **nitro_argument_spec(nsip=False),
            "nsip": {"type": "str"},
            "nodes": {"type": "list", "elements": "dict", "options": node},
            **options,
        },
        mutually_exclusive=[("nsip", "nodes")],
        supports_check_mode=True,
        **rules,
    )
    if module.params["nsip"] is None and module.params["nodes"] is None:
        module.params["nsip"] = os.environ.get(_NSIP)
        if module.params["nsip"] is None:
            module.fail_json(msg="one of the following is required: nsip, nodes")
    return module


def _without_defaults(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return the option without its default in an entry: what the entry does not give is the module's."""
    return {key: value for key, value in option.items() if key not in ("default", "required")}


def run(module: AnsibleModule, work: Work, needs: Needs | None = None) -> NoReturn:
    """Do ``work`` on every appliance, side by side, and end the task with the result. A job has its own sessions."""
    jobs = prepare(module, needs)
    finish(module, jobs, side_by_side(jobs, work))


def prepare(module: AnsibleModule, needs: Needs | None = None) -> list[Job]:
    """Return the jobs of a task; ends the task if an entry lacks an option."""
    require_requests(module)
    jobs = jobs_of(module.params, check=module.check_mode)
    many = module.params["nodes"] is not None
    for number, job in enumerate(jobs):
        missing = (needs or Needs()).unmet(job.params)
        if missing:
            module.fail_json(msg=f"nodes[{number}], {job.nsip}: {missing}" if many else missing)
    return jobs


def finish(module: AnsibleModule, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> NoReturn:
    """End the task with the warnings of all jobs and the result of all outcomes."""
    many = module.params["nodes"] is not None
    for job in jobs:
        for message in job.warnings:
            module.warn(naming(job.nsip, message) if many else message)
    if many:
        result = joined(jobs, outcomes)
        module.fail_json(**result) if "msg" in result else module.exit_json(**result)
    outcome = outcomes[0]
    if isinstance(outcome, NitroError):
        fail(module, outcome)
    module.exit_json(**outcome)
    raise AssertionError("exit_json and fail_json end the process")


def jobs_of(params: Mapping[str, Any], *, check: bool) -> list[Job]:
    """One job for ``nsip``, or one for each entry of ``nodes``; what an entry gives goes before the module's option.

    A session that was opened before is one appliance's, and its token is nothing for the others to see.
    """
    if params["nodes"] is None:
        return [Job(params, check)]
    common = {**params, "nodes": None, "nitro_auth_token": None}
    return [
        Job({**common, **{key: value for key, value in entry.items() if value is not None}}, check)
        for entry in params["nodes"]
    ]


def side_by_side(jobs: Sequence[Job], work: Work) -> list[Outcome]:
    """Do all jobs and wait for all to end; the outcome of each, in order. Those of one appliance run one by one."""
    return outcomes_of(jobs, lambda lane: [_attempt(job, work) for job in lane])


def outcomes_of(jobs: Sequence[Job], work: LaneWork, *, serial: bool = False) -> list[Outcome]:
    """Give the jobs of each appliance to ``work``, appliances side by side; the outcome of each job, in order.

    ``serial``: one appliance after another, in the order of the jobs.

    Two addresses of a cluster that are given to its CLIP are jobs of one appliance.
    """
    lanes = lanes_of(jobs)
    worked = gather(
        [partial(work, [jobs[number] for number in lane]) for lane in lanes], workers=1 if serial else WORKERS
    )
    outcomes = {
        number: outcome
        for lane, came in zip(lanes, worked, strict=True)
        for number, outcome in zip(lane, came, strict=True)
    }
    return [outcomes[number] for number in range(len(jobs))]


def lanes_of(jobs: Sequence[Job]) -> list[list[int]]:
    """Return the numbers of the jobs, those of one appliance together; lanes and what is in them keep the order."""
    lanes: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        lanes.setdefault(_appliance(job), []).append(number)
    return list(lanes.values())


def _appliance(job: Job) -> str:
    try:
        return base_url(job.params["nitro_protocol"], job.nsip)
    except NitroInputError:
        return job.nsip  # its work will say what is wrong with it


def _attempt(job: Job, work: Work) -> Outcome:
    try:
        return work(job)
    except NitroError as error:
        return error


def joined(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the result of a task with ``nodes``; with ``msg`` if it failed, which names every appliance that did."""
    nodes, diffs = [], []
    for job, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, NitroError):
            nodes.append(_failed(job, outcome))
            continue
        entry = dict(outcome)
        if "diff" in entry:
            diffs.append({"before_header": job.nsip, "after_header": job.nsip, **entry.pop("diff")})
        nodes.append({"nsip": job.nsip, **entry, "error": None})
    result = {"changed": any(node["changed"] for node in nodes), "nodes": nodes, "diff": diffs}
    errors = [naming(node["nsip"], node["error"]) for node in nodes if node["error"] is not None]
    return {**result, "msg": _message(errors, len(nodes))} if errors else result


def _failed(job: Job, error: NitroError) -> dict[str, Any]:
    written = list(job.written)
    return {"nsip": job.nsip, "changed": bool(written), "error": str(error), "written": written, **error.codes()}


def _message(errors: Sequence[str], total: int) -> str:
    if total == 1:
        return errors[0]
    others = ", the others were carried through" if len(errors) < total else ""
    return f"{len(errors)} of {total} nodes failed{others}: {'; '.join(errors)}"


def naming(nsip: str, message: str) -> str:
    """Return the message with the address before it, unless it names the appliance already."""
    named = re.search(rf"(?<![\w.:]){re.escape(nsip)}(?![\w.])", message)
    return message if named else f"{nsip}: {message}"
