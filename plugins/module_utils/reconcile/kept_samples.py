# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keep the sample of a tick beside the group state, for the page, a replay and the information module.

It comes after the decision is stored, in one write of bounded time: what goes wrong with it is a warning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import Failure
from ..core.parallel import ask_all
from ..scaling.samples import all_figures, reporting_of
from ..spec.errors import AutoscaleError
from ..spec.metrics import WATCHED
from ..spec.times import to_iso
from ..stores.base import Store
from ..stores.kept import DEFAULT_HOURS, HOUR, LONGEST_HOURS

#: Seconds that a tick waits for its sample to be kept.
TIMEOUT = 5.0

#: The option of modules and event sources that keep samples.
SAMPLES_HOURS = {"type": "float", "default": DEFAULT_HOURS}


def valid_hours(hours: float) -> float:
    """Return the hours for which samples are kept; 0: none are. Raises AutoscaleError."""
    if not 0 <= hours <= LONGEST_HOURS:
        raise AutoscaleError(f"samples_hours must be between 0 (none are kept) and {LONGEST_HOURS:g}, not {hours:g}")
    return float(hours)


def entry_of(sample: Mapping[str, Any], nodes: int) -> dict[str, Any]:
    """Return what is kept of a sample: the figures that there are, and the nodes in service."""
    values = {name: round(value, 6) for name, value in all_figures(sample).items() if value is not None}
    return {"values": values, "nodes": nodes, "nodes_reporting": reporting_of(sample)}


def keep_sample(
    store: Store, at: float, sample: Mapping[str, Any] | None, nodes: int, hours: float, *, timeout: float = TIMEOUT
) -> tuple[str, ...]:
    """Keep a sample and return warnings; never raises, and takes ``timeout`` seconds at most.

    Args:
        store: The store of the zone.
        at: The instant of the tick, in seconds since the epoch.
        sample: The figures of the tick; without any, nothing is written.
        nodes: Nodes in service.
        hours: For how long the sample is kept; 0: not at all.
        timeout: Seconds after which the tick does not wait any longer.
    """
    if sample is None or not hours:
        return ()
    entry = entry_of(sample, nodes)
    [outcome] = ask_all({"": lambda: store.keep(at, entry, hours * HOUR)}, timeout).values()
    if isinstance(outcome, Failure):
        return (f"the sample of this tick is not kept, its decision stands: {outcome}",)
    return ()


def read_samples(store: Store, since: float) -> list[dict[str, Any]]:
    """Return the samples kept from an instant on, oldest first, each with every metric that any of them has.

    ``at`` is ISO 8601. Written one a line they are a recording that a replay reads.
    """
    found = [each for each in store.kept(since) if isinstance(each.get("values"), dict)]
    names = [name for name in WATCHED if any(name in each["values"] for each in found)]
    return [
        {
            "at": to_iso(each["at"]),
            "values": {name: each["values"].get(name) for name in names},
            "nodes": each.get("nodes"),
            "nodes_reporting": each.get("nodes_reporting"),
        }
        for each in found
    ]


def recorded(samples: Sequence[Mapping[str, Any]]) -> str:
    """Return samples as the text of a recording."""
    return "\n".join(json.dumps(each) for each in samples)
