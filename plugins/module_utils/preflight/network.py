# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What this machine's own network stack says: connections to try, and the address it would come from."""

from __future__ import annotations

import socket

from ..core.errors import Failure


def connect(host: str, port: int, timeout: float) -> None:
    """Open a TCP connection and close it. Raises Failure with the reason if none comes about in ``timeout`` seconds."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return
    except TimeoutError as error:
        raise Failure(f"no answer within {timeout:g} s") from error
    except OSError as error:
        raise Failure(error.strerror or str(error)) from error


def source_towards(address: str) -> str | None:
    """Return the address from which this machine would reach ``address``; None without a route. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None
