# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a backup or a restore has done, line by line. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

#: So many commands of each reason are shown; the result has all.
_MOST = 10


def backup_summary(result: Mapping[str, Any], name: str, check_mode: bool = False) -> list[str]:
    """Return the lines about a result of vpx_backup.

    Args:
        result: the module's result.
        name: the name of the pair or group.
        check_mode: whether nothing was written.
    """
    lines = _lines(result, name, check_mode)
    return [*lines, "Check mode: nothing was changed."] if check_mode else lines


def _lines(result: Mapping[str, Any], name: str, check_mode: bool) -> list[str]:
    if "rebooted" in result:
        return _restored_fully(result, name, check_mode)
    return _restored(result, name, check_mode) if "restored" in result else _backed_up(result, name, check_mode)


def _restored_fully(result: Mapping[str, Any], name: str, check_mode: bool) -> list[str]:
    rebooted = result["rebooted"]
    if not rebooted:
        return [f"{name}: both nodes run what {result['restored_from']} has. Nothing had to be restored."]
    would = "would be restored and rebooted" if check_mode else "were restored and rebooted"
    lines = [f"{name}: {', '.join(rebooted)} {would}, from {result['restored_from']} and the backup of its peer."]
    for text, commands in (
        ("commands come back", result["restored"]),
        ("commands are lost", [f"{one['instance_id']}: {one['command']}" for one in result["overwritten"]]),
    ):
        lines.append(f"{len(commands)} {text}:")
        lines += [f"  {command}" for command in commands[:_MOST]]
        if len(commands) > _MOST:
            lines.append(f"  and {len(commands) - _MOST} more, in the result")
    return lines


def _backed_up(result: Mapping[str, Any], name: str, check_mode: bool) -> list[str]:
    now = "would be" if check_mode else "is"
    lines = [
        f"{name}: node {one['node']} ({one['instance_id']}, {one['role']}) {now} in s3://{one['bucket']}/{one['key']}"
        + ("" if check_mode else f", {one['size']} bytes.")
        for one in result.get("backups") or []
    ]
    if deleted := result.get("deleted"):
        lines.append(f"{len(deleted)} old backups {'would be' if check_mode else 'were'} deleted (retention).")
    lines += [f"NOT BACKED UP: {failure}" for failure in result.get("failures") or []]
    return lines or [f"{name}: nothing was backed up."]


def _restored(result: Mapping[str, Any], name: str, check_mode: bool) -> list[str]:
    added, left_out = result["restored"], result["left_out"]
    would = "would be tried" if check_mode else "were carried over"
    lines = [f"{name}: {len(added)} commands of {result['restored_from']} {would}."]
    lines += [f"  {command}" for command in added]
    if unchanged := result.get("unchanged"):
        lines.append(f"{len(unchanged)} were there already.")
    for reason, count in Counter(one["reason"] for one in left_out).items():
        entries = [one for one in left_out if one["reason"] == reason]
        lines.append(f"{count} were left out, reason {reason}:")
        lines += [f"  {one['command']}: {one['detail']}" for one in entries[:_MOST]]
        if count > _MOST:
            lines.append(f"  and {count - _MOST} more, in left_out of the result")
    return lines
