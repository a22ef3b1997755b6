# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an appliance runs in the grace period of its licence. Pure.

Source: vendor's NITRO reference, nslicenseserver: ``status`` (whether the server answers), ``grace`` (whether the grace
period has begun), ``gptimeleft`` (hours of it that are left).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.nitro_wire import as_int


def licence_problems(nsip: str, servers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a message for each licence server of an appliance without which it runs in its grace period."""
    return [
        f"{nsip}: the licence is in its grace period, {server.get('gptimeleft', 'an unknown number of')} hours "
        f"are left: licence server {server.get('licenseserverip') or server.get('servername') or ''} does not answer it"
        for server in servers
        if as_int(server.get("grace"))
    ]
