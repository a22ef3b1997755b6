"""boto3 that speaks to the lab's AWS side without a socket: for seeding, where the wire would only cost time.

Not through the fault proxy either: the lab's internal calls are not logged, and faults do not apply to them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from werkzeug.test import Client, EnvironBuilder

from tests.lab.world import Side

KEY_ID = "AKIALABSEED"


class Clients:
    """boto3 clients of one region of one AWS side, with the lab's own access key or another. Not thread-safe."""

    def __init__(self, side: Side, url: str, region: str, key_id: str = KEY_ID, secret: str = "not-a-secret") -> None:
        self._url = url
        self._session = boto3.session.Session(
            aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region
        )
        self._handler = _handler(side)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        found = self._clients.get(service)
        if found is None:
            config = Config(retries={"total_max_attempts": 1})
            found = self._session.client(service, endpoint_url=self._url, config=config)
            found.meta.events.register("before-send", self._handler)
            self._clients[service] = found
        return found


class _Raw(io.BytesIO):
    """The response's body as botocore reads it (urllib3's interface)."""

    def stream(self, **_ignored: Any) -> Iterator[bytes]:
        while chunk := self.read(65536):
            yield chunk


def _handler(side: Side) -> Callable[..., AWSResponse]:
    client = Client(side)

    def answer(request: AWSPreparedRequest, **_ignored: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        body = request.body or b""
        builder = EnvironBuilder(
            path=url.path or "/",
            query_string=url.query,
            base_url=f"{url.scheme}://{url.netloc}",
            method=request.method,
            headers=headers,
            data=body if isinstance(body, bytes) else str(body).encode(),
            environ_overrides={"REMOTE_ADDR": "127.0.0.1", "lab.local_address": "127.0.0.1"},
        )
        response = client.open(builder)
        answered = HTTPHeaders.from_pairs(list(response.headers))
        return AWSResponse(request.url, response.status_code, answered, _Raw(response.get_data()))

    return answer


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
