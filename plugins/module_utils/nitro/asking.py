# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How many appliances are asked for their load: a session of its own for each, side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.nitro_errors import NitroError, NitroLoginHeld, NitroUnreachable
from ..spec import figures as stats
from .logins import LoginGate
from .module import probe_from

# A host that takes longer to accept a connection counts as not there.
_CONNECT_SECONDS = 10.0
_SILENT = (NitroUnreachable, NitroLoginHeld)


@functools.lru_cache(maxsize=1024)
def _gate(_nsip: str) -> LoginGate:
    """Return one gate for all polls of an appliance by this process: an event source polls for months."""
    return LoginGate()


def probe_with(params: Mapping[str, Any], nodes: Sequence[str]) -> stats.Probe:
    """A probe that asks one of these appliances over NITRO, in a session of its own.

    ``params``: the options of every NITRO module; with ``long_lived`` true, logins are held back across polls.
    Raises NitroInputError for an address or options with which no appliance could be asked.
    """
    gate = _gate if params.get("long_lived") else lambda _nsip: None
    clients = {nsip: probe_from(params, nsip, _CONNECT_SECONDS, gate(nsip)) for nsip in nodes}

    def probe(nsip: str, report: Callable[[stats.Reading], None]) -> None:
        try:
            with clients[nsip] as client:
                report(stats.reading_of(nsip, client.stat("ns")))
        except NitroError as error:
            report(stats.Reading(nsip, not isinstance(error, _SILENT), stats.Figures(), str(error)))

    return probe
