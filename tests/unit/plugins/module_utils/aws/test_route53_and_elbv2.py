"""The wire to Route 53 and Elastic Load Balancing: what is sent, what is waited out, what is said when AWS says no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import elbv2
from ansible_collections.cloudadc.aws.plugins.module_utils.aws import route53 as dns_api
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError

Wire = tuple[Any, Stubber]
ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
RECORD: dict[str, Any] = {
    "Name": "shop.example.com.",
    "Type": "A",
    "SetIdentifier": "a",
    "MultiValueAnswer": True,
    "TTL": 60,
    "ResourceRecords": [{"Value": "203.0.113.10"}],
}
CHANGES = [{"Action": "CREATE", "ResourceRecordSet": RECORD}]
SENT = {"HostedZoneId": "Z1", "ChangeBatch": {"Comment": "cloudadc.aws", "Changes": CHANGES}}
INFO = {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "2026-01-01T00:00:00Z"}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Wire]]:
    """Yield a client whose answers are queued; it does not try again by itself, so that ours is seen."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    stubbers = []

    def connect(service: str) -> Wire:
        client = boto3.client(
            service,
            region_name="eu-west-1",
            aws_access_key_id="test-id",
            aws_secret_access_key="test-key",
            config=Config(retries={"total_max_attempts": 1}),
        )
        stubber = Stubber(client)
        stubber.activate()
        stubbers.append(stubber)
        return client, stubber

    yield connect
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["PriorRequestNotComplete", "Throttling", "ThrottlingException"])
def test_a_zone_that_is_busy_is_waited_for(wire: Callable[[str], Wire], code: str) -> None:
    client, aws = wire("route53")
    for _attempt in range(9):
        aws.add_client_error("change_resource_record_sets", code, "not now", 400)
    aws.add_response("change_resource_record_sets", {"ChangeInfo": INFO}, SENT)
    assert dns_api.change_record_sets(client, "Z1", CHANGES)["Id"] == "/change/C1"


def test_a_zone_that_stays_busy_ends_in_a_sentence(wire: Callable[[str], Wire]) -> None:
    client, aws = wire("route53")
    for _attempt in range(10):
        aws.add_client_error("change_resource_record_sets", "PriorRequestNotComplete", "not now", 400)
    with pytest.raises(AwsError) as refused:
        dns_api.change_record_sets(client, "Z1", CHANGES)
    assert str(refused.value) == (
        "Failed to change record sets of hosted zone Z1: AWS answered PriorRequestNotComplete to "
        "ChangeResourceRecordSets: not now"
    )


def test_an_invalid_batch_is_not_sent_again(wire: Callable[[str], Wire]) -> None:
    client, aws = wire("route53")
    aws.add_client_error("change_resource_record_sets", "InvalidChangeBatch", "[it exists]", 400)
    with pytest.raises(AwsError) as refused:
        dns_api.change_record_sets(client, "Z1", CHANGES)
    assert refused.value.code == dns_api.INVALID_BATCH


def test_pages_of_a_listing(wire: Callable[[str], Wire]) -> None:
    client, aws = wire("route53")
    start = {"StartRecordName": "shop.example.com.", "StartRecordType": "A"}
    page = {"ResourceRecordSets": [RECORD], "MaxItems": "300"}
    more = {
        "IsTruncated": True,
        "NextRecordName": "shop.example.com.",
        "NextRecordType": "A",
        "NextRecordIdentifier": "b",
    }
    aws.add_response("list_resource_record_sets", page | more, {"HostedZoneId": "Z1"} | start)
    following = start | {"StartRecordIdentifier": "b"}
    assert dns_api.list_record_sets(client, "Z1", start) == ([RECORD], following)
    aws.add_response("list_resource_record_sets", page | {"IsTruncated": False}, {"HostedZoneId": "Z1"} | following)
    assert dns_api.list_record_sets(client, "Z1", following) == ([RECORD], None)


def test_zones_and_changes(wire: Callable[[str], Wire]) -> None:
    client, aws = wire("route53")
    zone = {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "1"}
    page = {"HostedZones": [zone], "IsTruncated": False, "MaxItems": "100"}
    aws.add_response("list_hosted_zones_by_name", page, {"DNSName": "example.com", "MaxItems": "100"})
    assert dns_api.list_hosted_zones_by_name(client, "example.com") == [zone]
    aws.add_response("get_hosted_zone", {"HostedZone": zone}, {"Id": "Z1"})
    assert dns_api.get_hosted_zone(client, "Z1")["Name"] == "example.com."
    aws.add_response("get_change", {"ChangeInfo": INFO}, {"Id": "C1"})
    assert dns_api.get_change(client, "C1") == "PENDING"


@pytest.mark.parametrize("write", [elbv2.register_targets, elbv2.deregister_targets])
def test_targets_go_out_with_their_ports_in_one_call(wire: Callable[[str], Wire], write: Callable[..., None]) -> None:
    client, aws = wire("elbv2")
    targets = [{"Id": "10.0.1.10", "Port": 80}, {"Id": "192.168.7.10", "Port": 81, "AvailabilityZone": "all"}]
    aws.add_client_error(write.__name__, "ThrottlingException", "Rate exceeded", 400)
    aws.add_response(write.__name__, {}, {"TargetGroupArn": ARN, "Targets": targets})
    write(client, ARN, targets)


def test_groups_and_health(wire: Callable[[str], Wire]) -> None:
    client, aws = wire("elbv2")
    group = {"TargetGroupArn": ARN, "TargetGroupName": "web"}
    aws.add_response("describe_target_groups", {"TargetGroups": [group]}, {"Names": ["web"]})
    assert elbv2.describe_target_group_by_name(client, "web") == [group]
    aws.add_response("describe_target_groups", {"TargetGroups": [group]}, {"TargetGroupArns": [ARN]})
    assert elbv2.describe_target_group(client, ARN) == [group]
    aws.add_response("describe_target_health", {"TargetHealthDescriptions": []}, {"TargetGroupArn": ARN})
    assert elbv2.describe_target_health(client, ARN) == []
    aws.add_client_error("describe_target_groups", elbv2.NOT_FOUND, "One or more target groups not found", 400)
    with pytest.raises(AwsError, match="Failed to describe target group web: AWS answered TargetGroupNotFound"):
        elbv2.describe_target_group_by_name(client, "web")
