# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Polling many appliances for their load in parallel, each with a deadline of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from ..core.parallel import gather
from ..spec.figures import Figures, Reading

MAX_WORKERS = 32

# A probe polls one appliance and hands its reading over as soon as it has one, before it closes its session.
Probe = Callable[[str, Callable[[Reading], None]], None]


def poll(nsips: Sequence[str], probe: Probe, deadline: float) -> list[Reading]:
    """Return one reading for each appliance, in the order given.

    Up to 32 are polled at once. A probe that is late is given up (its thread is a daemon and does not outlive the
    process): a timeout on the socket alone would let an appliance that trickles bytes hold everything up.

    Args:
        nsips: The addresses.
        probe: Polls one of them.
        deadline: Seconds that any one of them may take in all.
    """
    return gather([partial(_poll_one, nsip, probe, deadline) for nsip in nsips], workers=MAX_WORKERS)


def _poll_one(nsip: str, probe: Probe, deadline: float) -> Reading:
    readings: list[Reading] = []
    worker = threading.Thread(target=probe, args=(nsip, readings.append), name=f"stat {nsip}", daemon=True)
    worker.start()
    worker.join(deadline)
    late = Reading(nsip, False, Figures(), f"{nsip}: no complete answer within {deadline:g} s")
    return next(iter(readings), late)
