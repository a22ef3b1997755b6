# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the record sets of a name, change them in one batch, wait for the name servers. Effects are handed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...aws.errors import AwsError
from ...core.waiting import Clock, Pace, Sleep, observations
from .record_plan import Batch, RecordSet
from .records import belongs, canonical_name

Start = Mapping[str, str]

# Route 53 takes some ten requests a second of a whole account, and a change takes up to a minute.
PACE = Pace(first=1.0, growth=1.5, longest=10.0)
ATTEMPTS = 3
INSYNC = "INSYNC"


def group(page: Callable[[Start], tuple[Sequence[RecordSet], Start | None]], name: str, kind: str) -> list[RecordSet]:
    """Return the record sets of a name and type. A zone is sorted by both, so only their pages are read."""
    start: Start | None = {"StartRecordName": canonical_name(name), "StartRecordType": kind}
    found: list[RecordSet] = []
    while start is not None:
        listed, start = page(start)
        own = [item for item in listed if belongs(item, name, kind)]
        found += own
        if len(own) < len(listed):
            break
    return found


def converge(
    decide: Callable[[], Batch], write: Callable[[Batch], Mapping[str, Any]], refusal_code: str
) -> tuple[Batch, Mapping[str, Any] | None]:
    """Read and decide, then write; the plan and AWS's answer to the change, None if nothing had to be written.

    A batch is refused if the record sets are not any more what they were when they were read: another job was quicker,
    or this very batch was carried out and only the answer was lost. Then it is decided again,
    ``ATTEMPTS`` times in all. A refusal of the same batch once more has another reason, and is raised.
    """
    first = chosen = decide()
    for attempt in range(1, ATTEMPTS + 1):
        if not chosen.changes:
            break
        try:
            return chosen, write(chosen)
        except AwsError as error:
            if error.code != refusal_code or attempt == ATTEMPTS:
                raise
            previous, chosen = chosen, decide()
            if chosen.changes == previous.changes:
                raise
    if first.changes:
        # It came true under way: the difference is still the one from what was there first.
        return first.as_seen_in(chosen), None
    return first, None


def wait(status: Callable[[], str], timeout: float, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep) -> str:
    """Return the last status of a change, INSYNC unless ``timeout`` seconds were not enough."""
    last = "unknown"

    def state() -> str:
        return f"the change of DNS is {last}"

    for _left in observations(timeout, PACE, clock=clock, sleep=sleep, state=state):
        last = status()
        if last == INSYNC:
            break
    return last
