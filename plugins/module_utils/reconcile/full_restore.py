# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restore the appliances' own archives on the nodes of a pair that made them: same instance, build and type.

Both nodes get their archives before one of them reboots, and they reboot at the same time. A node that came back alone
would synchronise with its peer, and so lose what was restored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all
from ..nitro import backups
from ..nitro.arrival import reboot
from ..nitro.client import NitroClient
from ..nitro.ns_conf import Command, read_commands
from ..nitro.steps import unsaved
from ..spec.backup_names import BackupName
from .backup_nodes import BackupNode, Connect
from .config_backup import Deadline, build_of
from .config_restore import RestoreRequest, fetch_archive, unpack


@dataclass(frozen=True, slots=True)
class NodeArchive:
    """The archive of one node. ``facts``: the metadata that were stored with it."""

    node: BackupNode
    name: BackupName
    content: bytes = field(repr=False)
    facts: Mapping[str, str]
    configuration: str = field(repr=False)

    @property
    def file(self) -> str:
        """The file on the appliance; it must have the name that it was created with."""
        made = datetime.fromisoformat(self.name.created_at).astimezone(UTC).timestamp()
        return f"{backups.file_name(made)}.tgz"


@dataclass(frozen=True, slots=True)
class NodeDifference:
    """What a restore does to one node. ``lost``: commands that it runs and the backup has not; ``back``: the reverse.

    ``due``: whether the node differs from its archive, also only in secrets.
    """

    lost: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    due: bool = False


def choose_own(names: Iterable[BackupName], nodes: Sequence[BackupNode], request: RestoreRequest) -> list[BackupName]:
    """Return the backup that each node made itself, all of one run: the one that is asked for, or the last one.

    Raises:
        Refusal: A node is missing, or has no backup of its own.
    """
    if len(nodes) != 2:
        raise Refusal(
            f"a full restore needs both nodes of pair {request.name}, and {len(nodes)} of them run. Restore without "
            "full, which builds the pair first"
        )
    known = list(names)
    asked = next((name for name in known if name.key == request.backup), None)
    if request.backup and asked is None:
        raise Refusal(f"s3://{request.bucket}/{request.backup} is no backup of {request.kind} {request.name}")
    own = [{name.at: name for name in known if name.instance == node.instance.instance_id} for node in nodes]
    common = sorted(set(own[0]) & set(own[1]))
    at = asked.at if asked else next(reversed(common), "")
    for node, mine in zip(nodes, own, strict=True):
        if at not in mine:
            which = f"of {asked.created_at}" if asked else "that was made together with one of its peer"
            raise Refusal(
                f"{node.name} has no backup {which}. An archive belongs to the instance that made it, with its "
                "addresses and keys. Restore without full. Nothing was changed"
            )
    return [mine[at] for mine in own]


def read_own(client: Any, request: RestoreRequest, node: BackupNode, name: BackupName) -> NodeArchive:
    """Read the archive of a node from S3 and verify its checksum. Raises Failure."""
    content, manifest = fetch_archive(client, request, name)
    configuration, _files = unpack(content, f"s3://{request.bucket}/{name.key}")
    return NodeArchive(node, name, content, manifest.facts, configuration)


def unlike(archive: NodeArchive, build: str) -> str | None:
    """Return why a node cannot take its archive, None if it can. ``build``: the version that it reports now."""
    node, facts = archive.node, archive.facts
    for what, then, now in (
        ("build", facts.get("build", ""), build),
        ("instance type", facts.get("model", ""), node.instance.instance_type),
    ):
        if then != now:
            return (
                f"{node.name} has {what} {now or 'unknown'}, and its backup of {archive.name.created_at} was made with "
                f"{then or 'an unknown one'}. A full restore needs the same. Restore without full. Nothing was changed"
            )
    return None


def compare(running: str, configuration: str) -> NodeDifference:
    """Return how the running configuration of a node differs from that of its archive."""
    now, then = (read_commands(text) for text in (running, configuration))
    return NodeDifference(_more(now, then), _more(then, now), Counter(map(_key, now)) != Counter(map(_key, then)))


def _key(command: Command) -> tuple[Any, ...]:
    return (command.words, tuple(sorted(command.options.items())))


def _more(these: Sequence[Command], those: Sequence[Command]) -> tuple[str, ...]:
    known = {_key(command) for command in those}
    return tuple(command.shown() for command in these if _key(command) not in known)


def restore_fully(
    archives: Sequence[NodeArchive], request: RestoreRequest, connect: Connect, deadline: Deadline
) -> dict[str, NodeDifference]:
    """Restore the nodes that differ from their archives; they reboot. Returns the differences by instance id.

    In check mode nothing is written.

    Raises:
        Refusal: A node has another build or type than its archive. Nothing was changed.
        Failure: A node could not be restored, or did not come back.
    """
    found = list(zip(archives, _each([lambda one=one: _inspect(one, connect) for one in archives]), strict=True))
    due = [one for one, difference in found if difference.due]
    if not request.check and due:
        deadline.require()
        _each([lambda one=one: _put(one, connect) for one in due])
        _each([lambda one=one: _restart(one, connect, request.seconds) for one in due])
    return {one.node.instance.instance_id: difference for one, difference in found}


def _each(jobs: Sequence[Any]) -> list[Any]:
    """Do the jobs side by side, and wait for all. Raises Failure with every failure."""
    outcomes = attempt_all(list(jobs))
    failures = [one for one in outcomes if isinstance(one, Failure)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise Failure("; ".join(str(one) for one in failures))
    return outcomes


def _inspect(archive: NodeArchive, connect: Connect) -> NodeDifference:
    with connect(archive.node.nsip) as client:
        if problem := unlike(archive, build_of(client)):
            raise Refusal(problem)
        return compare(_running(client), archive.configuration)


def _running(client: NitroClient) -> str:
    """Return the running configuration (vendor's command reference, "show ns runningConfig": a text blob)."""
    row = next(iter(client.get("nsrunningconfig")), {})
    text = row.get("response")
    if not isinstance(text, str) or not text.strip():
        raise Failure(f"{client.connection.nsip}: the answer to nsrunningconfig has no configuration")
    return text


def _put(archive: NodeArchive, connect: Connect) -> None:
    """Upload the archive and have the appliance restore it; it takes effect with the next boot."""
    name = archive.node.name
    try:
        with connect(archive.node.nsip) as client:
            backups.restore(client, archive.file, archive.content)
    except Failure as error:
        raise Failure(
            f"{name}: {error}. No node was rebooted. What a node runs is unchanged until then; run the restore again"
        ) from None


def _restart(archive: NodeArchive, connect: Connect, seconds: float) -> None:
    name = archive.node.name
    try:
        with connect(archive.node.nsip) as client:
            reboot(client, seconds, clock=time.monotonic, sleep=time.sleep, warm=False)
            _remove_copy(client, archive.file)
            if unsaved(client):
                return  # it has synchronised with its peer since, which was restored as well
            left = compare(_running(client), archive.configuration)
    except Failure as error:
        raise Failure(
            f"{name}: restored and rebooted, and then: {error}. The password is that of the backup's time now"
        ) from None
    if left.due:
        changes = "; ".join([*left.lost, *left.back][:5]) or "secrets"
        raise Failure(f"{name} was restored and rebooted, and differs from its backup: {changes}")


def _remove_copy(client: NitroClient, file: str) -> None:
    """Remove the uploaded archive; it has secrets."""
    backups.remove(client, file)
