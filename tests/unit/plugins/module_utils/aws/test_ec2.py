"""The wire: each call sends exactly these parameters, waits throttling out, and names its object when AWS says no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from ansible_collections.cloudadc.aws.plugins.module_utils.aws import ec2 as api
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Stubber]]:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    client = boto3.client(
        "ec2",
        region_name="eu-west-1",
        aws_access_key_id="test-id",
        aws_secret_access_key="test-key",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


MOVE = {
    "AllocationId": "eipalloc-1",
    "NetworkInterfaceId": "eni-1",
    "PrivateIpAddress": "10.0.1.10",
    "AllowReassociation": True,
}


def test_associate_sends_the_whole_identity_and_takes_it_from_its_holder(ec2: tuple[Any, Stubber]) -> None:
    client, aws = ec2
    aws.add_response("associate_address", {"AssociationId": "eipassoc-1"}, MOVE)
    assert api.associate_address(client, "eipalloc-1", "eni-1", "10.0.1.10") == "eipassoc-1"


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_move_of_an_address_is_one_call_whatever_is_answered(ec2: tuple[Any, Stubber], code: str) -> None:
    client, aws = ec2
    aws.add_client_error("associate_address", code, "Try again.", 503)
    with pytest.raises(AwsError, match=code):
        api.associate_address_once(client, "eipalloc-1", "eni-1", "10.0.1.10")


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "ThrottlingException", "Throttling", "EC2ThrottledException"])
def test_throttling_is_waited_out(ec2: tuple[Any, Stubber], code: str) -> None:
    client, aws = ec2
    aws.add_client_error("associate_address", code, "Request limit exceeded.", 503)
    aws.add_client_error("associate_address", code, "Request limit exceeded.", 503)
    aws.add_response("associate_address", {"AssociationId": "eipassoc-1"}, MOVE)
    assert api.associate_address(client, "eipalloc-1", "eni-1", "10.0.1.10") == "eipassoc-1"


def test_a_refusal_names_the_object_and_the_code(ec2: tuple[Any, Stubber]) -> None:
    client, aws = ec2
    aws.add_client_error("associate_address", "InvalidAllocationID.NotFound", "The allocation ID does not exist", 400)
    with pytest.raises(AwsError) as refused:
        api.associate_address(client, "eipalloc-1", "eni-1", private_ip_address="10.0.1.10")
    assert refused.value.code == "InvalidAllocationID.NotFound"
    assert refused.value.text() == (
        "Failed to associate eipalloc-1 with eni-1 (10.0.1.10): AWS answered InvalidAllocationID.NotFound to "
        "AssociateAddress: The allocation ID does not exist"
    )


def test_filters_are_sent_as_lists(ec2: tuple[Any, Stubber]) -> None:
    client, aws = ec2
    aws.add_response(
        "describe_addresses",
        {"Addresses": []},
        {"Filters": [{"Name": "allocation-id", "Values": ["eipalloc-1", "eipalloc-2"]}]},
    )
    assert api.describe_addresses(client, {"allocation-id": ["eipalloc-1", "eipalloc-2"]}) == []


def test_all_addresses_of_the_region_need_no_filter(ec2: tuple[Any, Stubber]) -> None:
    client, aws = ec2
    aws.add_response("describe_addresses", {"Addresses": [{"PublicIp": "203.0.113.1"}]}, {})
    assert api.describe_addresses(client) == [{"PublicIp": "203.0.113.1"}]


def test_interfaces_come_from_all_pages(ec2: tuple[Any, Stubber]) -> None:
    client, aws = ec2
    filters = [{"Name": "network-interface-id", "Values": ["eni-1"]}]
    page = {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}], "NextToken": "more"}
    aws.add_response("describe_network_interfaces", page, {"Filters": filters})
    rest = {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-2"}]}
    aws.add_response("describe_network_interfaces", rest, {"Filters": filters, "NextToken": "more"})
    found = api.describe_network_interfaces(client, {"network-interface-id": ["eni-1"]})
    assert [item["NetworkInterfaceId"] for item in found] == ["eni-1", "eni-2"]
