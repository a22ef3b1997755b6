"""The Date of every answer (RFC 9110, 6.6.1), by which a client can tell how wrong its own clock is.

By the real clock, not by the lab's, which may run faster: signatures are made by the real one, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any


def dated(start_response: Any, ahead: float) -> Callable[..., Any]:
    """``start_response`` with a Date ``ahead`` seconds ahead of this machine's clock."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        others = [(name, value) for name, value in headers if name.lower() != "date"]
        return start_response(status, [*others, ("Date", formatdate(time.time() + ahead, usegmt=True))], *more)

    return start
