"""What AWS tells before anything is launched: who asks, the time, quotas, and whether the image is subscribed to."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.lab.aws import LINUX_IMAGE_ID, VPX_IMAGE_ID

from .conftest import REGION, Account, Network


def test_who_asks(account: Account) -> None:
    """The account's own key, a user's, and a session of a role."""
    iam, sts = account.client("iam"), account.client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"
    iam.create_user(UserName="ann", Path="/ops/")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    assert asked_as(account, key) == "arn:aws:iam::123456789012:user/ops/ann"
    role = iam.create_role(RoleName="deploy", Path="/ops/", AssumeRolePolicyDocument=json.dumps({}))["Role"]
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job")["Credentials"]
    assert asked_as(account, session) == "arn:aws:sts::123456789012:assumed-role/deploy/job"


def asked_as(account: Account, key: dict[str, Any]) -> str:
    client = boto3.client(
        "sts",
        endpoint_url=account.url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
    )
    return str(client.get_caller_identity()["Arn"])


@pytest.mark.parametrize("ahead", [0.0, 600.0])
def test_every_answer_has_a_date(account: Account, ahead: float) -> None:
    account.side.settings.clock_skew = ahead
    headers = account.client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    reported = headers["date"].rpartition("GMT, ")[2]  # after the one of the test's own server
    assert abs(parsedate_to_datetime(reported).timestamp() - time.time() - ahead) < 5


@pytest.mark.parametrize(
    ("service", "code", "setting"),
    [
        ("vpc", "L-DF5E4CA3", "interface_quota"),
        ("elasticloadbalancing", "L-69A177A2", "balancer_quota"),
        ("ec2", "L-1216C47A", "vcpu_quota"),
    ],
)
def test_quotas_are_those_of_the_settings(account: Account, service: str, code: str, setting: str) -> None:
    setattr(account.side.settings, setting, 17)
    quota = account.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    assert (quota["QuotaCode"], quota["Value"]) == (code, 17.0)


@pytest.mark.parametrize("dry", [True, False])
def test_an_image_that_is_not_subscribed_to(account: Account, network: Network, dry: bool) -> None:
    account.side.settings.unsubscribed = {VPX_IMAGE_ID}
    [image] = account.ec2.describe_images(ImageIds=[VPX_IMAGE_ID])["Images"]
    [product] = image["ProductCodes"]
    order = {"InstanceType": "m5.xlarge", "MinCount": 1, "MaxCount": 1, "DryRun": dry}
    subnet = network.subnets["a"]["client"]
    with pytest.raises(ClientError) as refusal:
        account.ec2.run_instances(ImageId=VPX_IMAGE_ID, SubnetId=subnet, **order)
    assert refusal.value.response["Error"]["Code"] == "OptInRequired"
    assert refusal.value.response["Error"]["Message"].endswith(f"/pp?sku={product['ProductCodeId']}")
    with pytest.raises(ClientError, match="DryRunOperation"):
        account.ec2.run_instances(ImageId=LINUX_IMAGE_ID, SubnetId=subnet, **{**order, "DryRun": True})
    assert list(account.side.instances()) == []
