"""Answers with success that AWS did not give, such as a page of a proxy: an error of ours, never "there is none"."""

from __future__ import annotations

import functools
import importlib
import inspect
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import autoscaling, ec2, elbv2, route53
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import parse_addresses
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.aws_answers import is_from_aws
from ansible_collections.cloudadc.aws.plugins.module_utils.core.bounded_aws import bounded
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.targets import parse_healths
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick_effects import in_ec2
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key, Lease
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.dynamodb import DynamoStore

ANSWERS = (
    b"<html>sign in</html>",
    b"<!DOCTYPE html>\n<html><head>",
    b"",
    b"null",
    b"[]",
    b"\xff\xfe",
    b"<x><reservationSet><item/></reservationSet></x>",
    b"<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member/>"
    b"</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>",
)
OF_A_STORE = (*ANSWERS[3:6], b'{"Item": 7}', b'{"Item": []}', b'{"Attributes": {"fence": {"N": "x"}}}')


class Body(io.BytesIO):
    def stream(self, **_options: Any) -> list[bytes]:
        return [self.read()]


class Proxy:
    """One client a service, as the product makes it, that gets the same answer to everything."""

    def __init__(self, service: str) -> None:
        self.answer = b""
        self.headers = {"Content-Type": "text/html"}
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        made = boto3.client(service, "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b", config=config)
        self.client = bounded(made)
        made.meta.events.register_last("before-send", self._reply)

    def _reply(self, request: Any, **_more: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, HeadersDict(self.headers), Body(self.answer))


_proxy = functools.cache(Proxy)


def client(service: str, answer: bytes) -> Any:
    """A client that gets this answer to everything."""
    proxy = _proxy(service)
    proxy.answer = answer
    return proxy.client


READS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "nodes of a tick": ("ec2", lambda client: in_ec2(lambda: client, "shop", ["a"])()),
    "addresses": ("ec2", lambda client: parse_addresses(ec2.describe_addresses(client))),
    "termination": ("ec2", lambda client: ec2.terminate_instances(client, ["i-1"])),
    "launch": ("ec2", lambda client: ec2.run_instances(client, {"MinCount": 1, "MaxCount": 1})),
    "health of targets": ("elbv2", lambda client: parse_healths(elbv2.describe_target_health(client, "arn"))),
    "health checks": ("route53", route53.list_health_checks),
    "followed groups": ("autoscaling", lambda client: autoscaling.describe_auto_scaling_groups(client, ["web"])),
}


@pytest.mark.parametrize("name", READS)
def test_answer_that_makes_no_sense_is_an_error_of_ours(name: str) -> None:
    service, read = READS[name]
    for answer in ANSWERS:
        with pytest.raises(Failure, match=r"ma[dk]es? no sense"):
            read(client(service, answer))


_AWS = Path(ec2.__file__).parent
#: The service whose client a file's functions take, where it has another name.
_SERVICES = {"private_addresses": "ec2", "routes": "ec2"}
#: An argument for each kind of parameter; what is in it does not matter, because nothing is sent.
_ARGUMENTS: dict[str, Any] = {
    "str": "x",
    "str | None": "x",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "bytes": b"x",
    "tuple[float, float]": (0.0, 60.0),
    "Sequence[str]": ["x"],
}
_LISTS_OF_MAPPINGS = ("Sequence[Mapping[str, str]]", "Sequence[Mapping[str, Any]]")


def _calls() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every function of aws/ that makes a call, with its service."""
    for path in sorted(_AWS.glob("*.py")):
        module = importlib.import_module(f"{ec2.__name__.rpartition('.')[0]}.{path.stem}")
        for name, function in vars(module).items():
            own = getattr(function, "__module__", "") == module.__name__ and hasattr(function, "__wrapped__")
            if own and next(iter(inspect.signature(function).parameters), "") == "client" and name != "judged_again":
                yield _SERVICES.get(path.stem, path.stem), function


CALLS = {f"{service}.{function.__name__}": (service, function) for service, function in _calls()}


def _arguments(function: Callable[..., object]) -> dict[str, Any]:
    parameters = {name: str(one.annotation) for name, one in inspect.signature(function).parameters.items()}
    del parameters["client"]
    return {name: [] if kind in _LISTS_OF_MAPPINGS else _ARGUMENTS.get(kind, {}) for name, kind in parameters.items()}


@pytest.mark.parametrize("name", CALLS)
def test_no_call_takes_a_page_of_a_proxy_for_success(name: str) -> None:
    """Also not one whose answer nobody reads, such as DeregisterTargets, ReleaseAddress and PutObject."""
    service, function = CALLS[name]
    for page in ANSWERS[:6]:
        with pytest.raises(Failure, match=r"ma[dk]es? no sense"):
            function(client(service, page), **_arguments(function))


def test_writes_are_among_the_calls() -> None:
    assert {"elbv2.deregister_targets", "ec2.release_address", "route53.delete_health_check", "s3.put_object"} <= set(
        CALLS
    )
    assert {"iam.delete_role", "cloudwatch.delete_alarms", "events._put_events", "sns.publish"} <= set(CALLS)


#: Protocol, headers, body, and whether AWS answers so.
FORMS: list[tuple[str, dict[str, str], bytes, bool]] = [
    ("ec2", {}, b'<?xml version="1.0"?>\n<ReleaseAddressResponse xmlns="http://ec2/"><return>true</return>', True),
    ("query", {}, b"<DeregisterTargetsResponse/>", True),
    ("query", {"x-amzn-requestid": "1"}, b"<html/>", False),
    ("ec2", {}, b"Response", False),
    ("json", {}, b"{}", True),
    ("json", {"x-amzn-RequestId": "1"}, b"", True),
    ("json", {}, b"", False),
    ("json", {"x-amzn-RequestId": "1"}, b"[]", False),
    ("json", {}, b"[" * 100_000, False),
    ("rest-xml", {"x-amz-request-id": "1"}, b"", True),
    ("rest-xml", {}, b"<DeleteHealthCheckResponse/>", True),
    ("rest-xml", {}, b"<!DOCTYPE html><html>", False),
    ("smithy-rpc-v2-cbor", {"Smithy-Protocol": "rpc-v2-cbor"}, b"\xa0", True),
    ("smithy-rpc-v2-cbor", {}, b"<html/>", False),
]


@pytest.mark.parametrize(("protocol", "headers", "body", "right"), FORMS)
def test_form_of_an_answer_decides(protocol: str, headers: dict[str, str], body: bytes, right: bool) -> None:
    assert is_from_aws(protocol, HeadersDict(headers), body) is right


def test_error_names_the_call_and_the_likely_reason_and_has_no_code() -> None:
    with pytest.raises(AwsError, match=r"Failed to describe instances: the answer made no sense .* proxy") as told:
        ec2.describe_instances(client("ec2", ANSWERS[1]), {})
    assert (told.value.code, told.value.missing) == (None, None)


@pytest.mark.parametrize("answer", OF_A_STORE)
def test_store_takes_no_such_answer_for_an_empty_one(answer: bytes) -> None:
    store = DynamoStore(client("dynamodb", answer), "cloudadc", Key("shop", "a"))
    attempts = [store.read, lambda: store.acquire("one", 60), lambda: store.write(Lease("one", 1, 1e12), {}, 0)]
    if b"Attributes" in answer:  # what an update returns; a reading has no such key
        attempts = attempts[1:2]
    elif b"Item" in answer:
        attempts = attempts[:1]
    for attempt in attempts:
        with pytest.raises(Failure):
            attempt()
