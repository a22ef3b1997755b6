# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Polling an appliance for its load, in a session of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.nitro_errors import NitroError, NitroUnreachable
from ..spec.figures import Figures, Reading, reading_of
from ..spec.metrics import RESOURCES
from .module import client_from
from .polling import Probe


def probe_with(params: Mapping[str, Any], nodes: Sequence[str]) -> Probe:
    """Return a probe that polls one of these appliances over NITRO, in a session of its own.

    Raises:
        NitroInputError: For an address or options with which no appliance could be polled.
    """
    clients = {nsip: client_from(params, nsip=nsip) for nsip in nodes}

    def probe(nsip: str, report: Callable[[Reading], None]) -> None:
        try:
            with clients[nsip] as client:
                report(reading_of(nsip, {name: client.stat(name) for name in RESOURCES}))
        except NitroError as error:
            report(Reading(nsip, not isinstance(error, NitroUnreachable), Figures(), str(error)))

    return probe
