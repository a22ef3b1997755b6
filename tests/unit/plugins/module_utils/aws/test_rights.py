"""A refusal for want of rights names the action and says where it is written what is needed."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError, aws_call
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.rights import missing_action, service_of

BARE = "You are not authorized to perform this operation."
NAMED = f"{BARE} User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole on resource: x because"


@pytest.mark.parametrize(
    ("code", "message", "action"),
    [
        ("UnauthorizedOperation", BARE, "ec2:RunInstances"),
        ("UnauthorizedOperation", NAMED, "iam:PassRole"),
        ("AccessDenied", NAMED, "iam:PassRole"),
        ("InvalidParameterValue", NAMED, None),
        (None, NAMED, None),
    ],
)
def test_the_action_that_is_missing(code: str | None, message: str, action: str | None) -> None:
    assert missing_action(code, message, "ec2", "RunInstances") == action


def test_a_service_whose_actions_have_another_name() -> None:
    assert missing_action("AccessDenied", "no", "monitoring", "PutMetricData") == "cloudwatch:PutMetricData"
    assert missing_action("AccessDenied", "no", None, "PutMetricData") == "PutMetricData"


def test_what_requests_of_a_client_are_signed_for() -> None:
    client = boto3.client("elbv2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert service_of(client) == "elasticloadbalancing"
    assert service_of(object()) is None


def test_the_sentence_of_a_call() -> None:
    client = boto3.client("ec2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")

    @aws_call("move it")
    def move(client: object) -> None:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": BARE}}, "AssociateAddress")

    with pytest.raises(AwsError) as refused:
        move(client)
    assert refused.value.missing == "ec2:AssociateAddress"
    assert str(refused.value) == (
        "Failed to move it: AWS answered UnauthorizedOperation to AssociateAddress: You are not authorized to perform "
        "this operation. The action ec2:AssociateAddress is missing in the rights of these credentials: "
        "roles/preflight/files/policies has what each playbook needs (docs/security.md)"
    )
