# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an appliance runs in the grace period of its licence.

Source: vendor's NITRO reference, nslicenseserver: ``status`` (whether the server answers), ``grace`` (whether the grace
period has begun), ``gptimeleft`` (hours of it that are left).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..core.errors import Failure
from ..core.fingerprints import host_of
from ..core.nitro_wire import as_int
from ..core.parallel import ask_all
from ..nitro.module import probe_from

#: A grace period lasts days, so ticks read licences when a quarter of an hour begins and not each minute.
LOOK_SECONDS = 900.0
#: Seconds that all appliances have together to answer.
_TIMEOUT = 10.0
_CONNECT_SECONDS = 5.0


def licence_problems(nsip: str, servers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a message for each licence server of an appliance without which it runs in its grace period."""
    return [
        f"{nsip}: the licence is in its grace period, {server.get('gptimeleft', 'an unknown number of')} hours "
        f"are left: licence server {server.get('licenseserverip') or server.get('servername') or ''} does not answer it"
        for server in servers
        if as_int(server.get("grace"))
    ]


def is_due(before: float | None, now: float) -> bool:
    """Return whether a quarter of an hour has begun since the tick before.

    Args:
        before: The instant of that tick in seconds since the epoch; None: there was none.
        now: The instant of this tick.
    """
    return before is None or int(before // LOOK_SECONDS) != int(now // LOOK_SECONDS)


def over_nitro(params: Mapping[str, Any]) -> Callable[[Sequence[str]], dict[str, list[str]]]:
    """Return the function that reads the licences of appliances, side by side in sessions of their own.

    It returns the messages of :func:`licence_problems` by address; an appliance that does not answer is left out.

    Args:
        params: The options of every NITRO module.
    """

    def ask(nsip: str) -> list[str]:
        with probe_from(params, nsip, _CONNECT_SECONDS) as client:
            return licence_problems(host_of(nsip), client.get("nslicenseserver"))

    def read(nsips: Sequence[str]) -> dict[str, list[str]]:
        answers = ask_all({nsip: partial(ask, nsip) for nsip in nsips}, _TIMEOUT)
        return {nsip: found for nsip, found in answers.items() if not isinstance(found, Failure)}

    return read
