"""AWS's answers have a total deadline and a size limit, also when they drip."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import HTTPClientError, ReadTimeoutError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import ec2
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.bounded_aws import bounded
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import StoreUnusable
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.options import StoreOptions, open_store
from tests.unit.plugins.module_utils.core.test_bounded_answers import Serve, drip, served_at, whole

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
XMLNS = b'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
NONE = b"<DescribeAddressesResponse " + XMLNS + b"><addressesSet/></DescribeAddressesResponse>"


def client(port: int, read_timeout: float = 10) -> Any:
    made = boto3.session.Session("unit-test-id", "unit-test-key", region_name="eu-west-1").client(
        "ec2",
        endpoint_url=f"http://127.0.0.1:{port}",
        config=Config(read_timeout=read_timeout, retries={"mode": "standard", "total_max_attempts": 1}),
    )
    return bounded(made)


def test_answer_within_the_limits_is_read() -> None:
    answer = HEAD + f"Content-Length: {len(NONE)}\r\n\r\n".encode() + NONE
    with served_at(whole(answer)) as port:
        assert client(port).describe_addresses()["Addresses"] == []


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(drip(HEAD + b"Content-Length: 100000\r\n\r\n<", b" "), id="in the body"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"), id="in a header"),
    ],
)
def test_answer_that_drips_ends_at_its_deadline(serve: Serve) -> None:
    with served_at(serve) as port:
        ec2 = client(port, 0.2)
        began = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            ec2.describe_addresses()
        assert time.monotonic() - began < 3


def test_client_of_a_store_is_limited_too() -> None:
    with served_at(drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" ")) as port:

        def made(service: str) -> Any:
            config = Config(read_timeout=0.2, retries={"mode": "standard", "total_max_attempts": 1})
            session = boto3.session.Session("unit-test-id", "unit-test-key", region_name="eu-west-1")
            return session.client(service, endpoint_url=f"http://127.0.0.1:{port}", config=config)

        options = StoreOptions({"store": {"type": "dynamodb", "table": "cloudadc"}}, made)
        began = time.monotonic()
        with pytest.raises(StoreUnusable):
            open_store(options, "shop", "a").read()
        assert time.monotonic() - began < 3


def test_client_is_limited_once() -> None:
    made = client(1)
    assert bounded(made)._endpoint.http_session is made._endpoint.http_session


def test_answer_without_an_end_is_an_error_that_says_so() -> None:
    def serve(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(HEAD + b"\r\n")
        while not over.is_set():
            sock.sendall(b" " * 65536)

    with served_at(serve) as port, pytest.raises(HTTPClientError, match="32 MiB"):
        client(port, 30).describe_addresses()


def test_reads_are_repeated_where_the_client_makes_one_attempt() -> None:
    """Writes that must be judged again are not; a read may be lost now and then."""
    observed: list[int] = []
    answer = HEAD + f"Content-Length: {len(NONE)}\r\n\r\n".encode() + NONE

    def serve(sock: socket.socket, _over: threading.Event) -> None:
        observed.append(1)
        if len(observed) > 2:
            sock.sendall(answer)

    with served_at(serve) as port:
        assert ec2.describe_addresses(client(port)) == []
        assert len(observed) == 3
        observed.clear()
        with pytest.raises(AwsError):
            ec2.associate_address_once(client(port), "eipalloc-1", "eni-1", "10.0.0.1")
        assert len(observed) == 1
