"""The lab's account knows its own key and no other, and a signature that its secret did not make is refused.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (AuthFailure);
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (InvalidClientTokenId).
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.lab.client import LabClient

STRANGER = "AKIASTRANGERSTRANGER"


def ask(lab: LabClient, service: str, key_id: str, secret: str) -> Any:
    client = boto3.client(
        service,
        region_name=lab.env["AWS_REGION"],
        endpoint_url=lab.env["AWS_ENDPOINT_URL"],
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )
    observation = {
        "ec2": "describe_vpcs", "iam": "list_roles", "sts": "get_caller_identity", "dynamodb": "list_tables",
        "elbv2": "describe_load_balancers", "route53": "list_hosted_zones",
    }[service]  # fmt: skip
    return getattr(client, observation)()


@pytest.mark.parametrize("service", ["ec2", "iam", "sts", "dynamodb", "elbv2", "route53"])
def test_the_key_of_the_account_is_accepted(lab: LabClient, service: str) -> None:
    assert ask(lab, service, lab.env["AWS_ACCESS_KEY_ID"], lab.env["AWS_SECRET_ACCESS_KEY"])


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("ec2", "AuthFailure"),
        ("iam", "InvalidClientTokenId"),
        ("sts", "InvalidClientTokenId"),
        ("dynamodb", "UnrecognizedClientException"),
        ("route53", "InvalidClientTokenId"),
    ],
)
def test_an_unknown_key_is_refused(lab: LabClient, service: str, code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        ask(lab, service, STRANGER, "whatever")
    assert refusal.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("service", ["ec2", "iam", "dynamodb"])
def test_a_secret_that_is_not_the_keys(lab: LabClient, service: str) -> None:
    with pytest.raises(ClientError):
        ask(lab, service, lab.env["AWS_ACCESS_KEY_ID"], lab.env["AWS_SECRET_ACCESS_KEY"][:-1] + "!")


def test_the_key_of_the_account_is_an_administrators(fresh_lab: LabClient) -> None:
    """Also after a reset, so that who asks for his own rights by his own name gets an answer."""
    arn = fresh_lab.boto("sts").get_caller_identity()["Arn"]
    assert arn.endswith(":user/lab")
    asked = {"PolicySourceArn": arn, "ActionNames": ["ec2:RunInstances", "iam:PassRole"]}
    results = fresh_lab.boto("iam").simulate_principal_policy(**asked)["EvaluationResults"]
    assert [one["EvalDecision"] for one in results] == ["allowed", "allowed"]


def test_what_a_call_needs_is_logged(fresh_lab: LabClient) -> None:
    fresh_lab.boto("ec2").describe_vpcs()
    [call] = [call for call in fresh_lab.calls(side="aws") if call.op == "DescribeVpcs"]
    assert call.needs == ("ec2:DescribeVpcs",)
