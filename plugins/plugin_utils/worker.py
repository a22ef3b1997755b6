# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A thread for calls that block, for event sources. As a daemon it keeps no process from ending."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """Runs calls one after the other in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Call the function in the thread; its result, or what it raised, is in the future of the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]
            else:
                future.set_exception(error)

        def call() -> None:
            result, failure = None, None
            try:
                result = function(*args)
            except Exception as error:  # noqa: BLE001 - passed to the waiting caller
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, result, failure)

        self._calls.put(call)
        return future

    def end(self, last: Callable[[], object], seconds: float) -> None:
        """Make one last call and end the thread; wait for it at most so long."""

        def call() -> None:
            with contextlib.suppress(Exception):
                last()

        self._calls.put(call)
        self._calls.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
