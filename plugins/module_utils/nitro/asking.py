# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Polling an appliance for its load, in a session of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.nitro_errors import NitroError, NitroLoginHeld, NitroUnreachable
from ..spec.figures import Figures, Reading, reading_of
from ..spec.metrics import RESOURCES
from .module import probe_from
from .polling import Probe

# A host that takes longer to accept a connection counts as not there.
_CONNECT_SECONDS = 10.0
_SILENT = (NitroUnreachable, NitroLoginHeld)


def probe_with(params: Mapping[str, Any], nodes: Sequence[str]) -> Probe:
    """Return a probe that polls one of these appliances over NITRO, in a session of its own.

    Args:
        params: The options of every NITRO module.
        nodes: The addresses.

    Raises:
        NitroInputError: For an address or options with which no appliance could be polled.
    """
    clients = {nsip: probe_from(params, nsip, _CONNECT_SECONDS) for nsip in nodes}

    def probe(nsip: str, report: Callable[[Reading], None]) -> None:
        try:
            with clients[nsip] as client:
                report(reading_of(nsip, {name: client.stat(name) for name in RESOURCES}))
        except NitroError as error:
            report(Reading(nsip, not isinstance(error, _SILENT), Figures(), str(error)))

    return probe
