# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes that cannot be taken back: judged again before the SDK sends them once more, or sends them late.

The SDK repeats a call that is not answered. Between two attempts minutes may pass in which another run changes what
justified the call; a process that is stopped right before the call sends it whenever it continues.

Source: botocore, the event ``before-send.<service>.<operation>`` is emitted for each attempt, and the header
``amz-sdk-request`` has its number.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..core.waiting import Clock
from .client import Client

_ATTEMPT = re.compile(r"attempt=(\d+)")


def event_before(client: Client, operation: str) -> str:
    """Return the name of the event that a client emits before each attempt of an operation."""
    return f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"


def is_repeated(request: Any) -> bool:
    """Whether this is a further attempt of a call whose earlier attempt was not answered, or was put off."""
    header = request.headers.get("amz-sdk-request", b"")
    found = _ATTEMPT.search(header.decode("latin-1") if isinstance(header, bytes) else str(header))
    return found is not None and int(found[1]) > 1


@contextmanager
def judged_again(
    client: Client, operation: str, judge: Callable[[], object], seconds: float, clock: Clock = time.monotonic
) -> Iterator[None]:
    """Within it, an operation of this thread is judged again before a further attempt, and when it is late.

    Args:
        client: The client that makes the call.
        operation: The name of the operation in AWS's API.
        judge: Raises Failure where the call is not justified any more; then it is not sent.
        seconds: For how long the judgement that led here is good.
        clock: The time in seconds.
    """
    mine, judged, event = threading.get_ident(), clock(), event_before(client, operation)

    def before_send(request: Any, **_more: object) -> None:
        nonlocal judged
        if threading.get_ident() == mine and (is_repeated(request) or clock() - judged > seconds):
            judge()
            judged = clock()

    client.meta.events.register(event, before_send)
    try:
        yield
    finally:
        client.meta.events.unregister(event, before_send)
