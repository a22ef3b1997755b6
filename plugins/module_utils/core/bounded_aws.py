# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS's answers: a total deadline, a size limit, and only AWS's own.

What is streamed (objects of S3) has limits of its own.
"""

from __future__ import annotations

from typing import Any

from .aws_answers import refuse_unexpected
from .bounded_http import MAX_BYTES, AnswerTooLarge, TimedResponse, caused_by, limits

try:
    from botocore.awsrequest import (
        AWSHTTPConnection,
        AWSHTTPConnectionPool,
        AWSHTTPSConnection,
        AWSHTTPSConnectionPool,
    )
    from botocore.exceptions import HTTPClientError
except ImportError:
    HAS_BOTOCORE = False
else:
    HAS_BOTOCORE = True

    class _HttpConnection(AWSHTTPConnection):
        response_class = TimedResponse  # type: ignore[assignment]

    class _HttpsConnection(AWSHTTPSConnection):
        response_class = TimedResponse  # type: ignore[assignment]

    class _HttpPool(AWSHTTPConnectionPool):
        ConnectionCls = _HttpConnection

    class _HttpsPool(AWSHTTPSConnectionPool):
        ConnectionCls = _HttpsConnection

    _POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Session:
    """The HTTP session of a client, with limits for each answer that is read at once."""

    def __init__(self, inner: Any, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds

    def send(self, request: Any) -> Any:
        if request.stream_output:
            return self._inner.send(request)
        with limits(self._seconds):
            try:
                return self._inner.send(request)
            except Exception as error:
                if caused_by(error, AnswerTooLarge) is None:
                    raise
                raise HTTPClientError(error=f"the answer has more than {MAX_BYTES // 2**20} MiB") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def bounded(client: Any) -> Any:
    """Limit and check the answers to a client's calls, once: each attempt has twice its read time-out in all.

    An answer with success that is not AWS's raises UnexpectedAnswer. Returns the client.
    """
    endpoint = getattr(client, "_endpoint", None)
    session: Any = getattr(endpoint, "http_session", None)
    if isinstance(session, _Session):
        return client
    refuse_unexpected(client)
    manager = getattr(session, "_manager", None)
    if not HAS_BOTOCORE or endpoint is None or manager is None or not hasattr(session, "_pool_classes_by_scheme"):
        return client  # another botocore, or a stub: its own time-outs hold
    session._pool_classes_by_scheme = dict(_POOLS)
    manager.pool_classes_by_scheme = session._pool_classes_by_scheme
    endpoint.http_session = _Session(session, 2.0 * float(client.meta.config.read_timeout))
    return client
