# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Polling an appliance for its load, in a session of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.nitro_errors import NitroError, NitroLoginHeld, NitroUnreachable
from ..spec.figures import Figures, Reading, reading_of
from ..spec.metrics import RESOURCES
from .logins import LoginGate
from .module import probe_from
from .polling import Probe

# A host that takes longer to accept a connection counts as not there.
_CONNECT_SECONDS = 10.0
_SILENT = (NitroUnreachable, NitroLoginHeld)


@functools.lru_cache(maxsize=1024)
def _gate(_nsip: str) -> LoginGate:
    """Return one gate for all polls of an appliance by this process: an event source polls for months."""
    return LoginGate()


def probe_with(params: Mapping[str, Any], nodes: Sequence[str]) -> Probe:
    """Return a probe that polls one of these appliances over NITRO, in a session of its own.

    Args:
        params: The options of every NITRO module; with ``long_lived`` true, logins are held back across polls.
        nodes: The addresses.

    Raises:
        NitroInputError: For an address or options with which no appliance could be polled.
    """
    gate = _gate if params.get("long_lived") else lambda _nsip: None
    clients = {nsip: probe_from(params, nsip, _CONNECT_SECONDS, gate(nsip)) for nsip in nodes}

    def probe(nsip: str, report: Callable[[Reading], None]) -> None:
        try:
            with clients[nsip] as client:
                report(reading_of(nsip, {name: client.stat(name) for name in RESOURCES}))
        except NitroError as error:
            report(Reading(nsip, not isinstance(error, _SILENT), Figures(), str(error)))

    return probe
