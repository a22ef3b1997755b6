"""Answers with success that AWS did not give, such as a page of a proxy: an error of ours, never "there is none"."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import autoscaling, ec2, elbv2, route53
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import parse_addresses
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
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


@functools.cache
def client(service: str, answer: bytes) -> Any:
    """A client that gets this answer to everything."""

    class Body(io.BytesIO):
        def stream(self, **_options: Any) -> list[bytes]:
            return [self.read()]

    def reply(request: Any, **_more: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, HeadersDict({"Content-Type": "text/html"}), Body(answer))

    made = boto3.client(service, "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    made.meta.events.register_last("before-send", reply)
    return made


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
