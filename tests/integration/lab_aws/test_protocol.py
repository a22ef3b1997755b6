"""What the side says of a request, and its refusals as botocore understands them, in each of AWS's protocols."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.serving import make_server

from tests.lab.world import Environ, FaultKind

from .conftest import REGION, Account

CALLS: list[tuple[str, str, dict[str, Any], tuple[str, bool]]] = [
    ("ec2", "describe_addresses", {}, ("DescribeAddresses", False)),
    ("ec2", "allocate_address", {"Domain": "vpc"}, ("AllocateAddress", True)),
    ("ec2", "allocate_address", {"Domain": "vpc", "DryRun": True}, ("AllocateAddress", False)),
    ("elbv2", "describe_load_balancers", {}, ("DescribeLoadBalancers", False)),
    ("elbv2", "delete_listener", {"ListenerArn": "arn:x"}, ("DeleteListener", True)),
    ("iam", "get_role", {"RoleName": "x"}, ("GetRole", False)),
    ("iam", "delete_role", {"RoleName": "x"}, ("DeleteRole", True)),
    ("sts", "get_caller_identity", {}, ("GetCallerIdentity", False)),
    ("autoscaling", "describe_auto_scaling_groups", {}, ("DescribeAutoScalingGroups", False)),
    ("cloudwatch", "list_metrics", {}, ("ListMetrics", False)),
    (
        "cloudwatch",
        "put_metric_data",
        {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]},
        ("PutMetricData", True),
    ),
    ("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "v"}}}, ("GetItem", False)),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {"k": {"S": "v"}}}, ("PutItem", True)),
    ("dynamodb", "query", {"TableName": "t"}, ("Query", False)),
    ("ssm", "get_parameter", {"Name": "x"}, ("GetParameter", False)),
    ("service-quotas", "get_service_quota", {"ServiceCode": "ec2", "QuotaCode": "x"}, ("GetServiceQuota", False)),
    ("route53", "list_resource_record_sets", {"HostedZoneId": "Z1"}, ("ListResourceRecordSets", False)),
    (
        "route53",
        "change_resource_record_sets",
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {
                "Changes": [
                    {
                        "Action": "DELETE",
                        "ResourceRecordSet": {
                            "Name": "a.example.",
                            "Type": "A",
                            "TTL": 1,
                            "ResourceRecords": [{"Value": "127.0.0.1"}],
                        },
                    }
                ]
            },
        },
        ("ChangeResourceRecordSets", True),
    ),
    ("s3", "head_bucket", {"Bucket": "b"}, ("HeadBucket", False)),
    ("s3", "put_object", {"Bucket": "b", "Key": "k/l", "Body": b"x"}, ("PutObject", True)),
]


class RefuseAll:
    """Refuses every request, after asking the side what it is and reading the body that the side left readable."""

    def __init__(self, account: Account) -> None:
        self.side = account.side
        self.kind: FaultKind = "throttle"
        self.observed: list[tuple[str, bool]] = []
        self.bodies: list[int] = []

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        self.observed.append(self.side.describe(environ))
        status, headers, body = self.side.refusal(self.kind, environ)
        self.bodies.append(len(environ["wsgi.input"].read()) - int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO()
        start_response(status, headers)
        return [body]


@pytest.fixture
def fault_proxy(account: Account) -> Iterator[tuple[RefuseAll, str]]:
    gate = RefuseAll(account)
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield gate, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[1]}")
def test_named_and_refused(
    fault_proxy: tuple[RefuseAll, str], call: tuple[str, str, dict[str, Any], tuple[str, bool]]
) -> None:
    gate, url = fault_proxy
    service, method, request, expected = call
    client = boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIALAB",
        aws_secret_access_key="lab",
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )
    refusals: list[tuple[FaultKind, set[str], set[int]]] = [
        ("throttle", {"RequestLimitExceeded", "Throttling", "ThrottlingException", "SlowDown", "503"}, {400, 503}),
        ("error", {"InternalError", "InternalFailure", "InternalServerError", "500"}, {500}),
    ]
    for kind, codes, statuses in refusals:
        gate.kind = kind
        with pytest.raises(ClientError) as error:
            getattr(client, method)(**request)
        assert error.value.response["Error"]["Code"] in codes
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in statuses
    assert gate.observed == [expected, expected]
    assert gate.bodies == [0, 0], "the body must stay readable"


def test_no_right_is_no_right_also_in_a_dry_run(account: Account) -> None:
    account.side.settings.unauthorized = {"AllocateAddress", "DeleteRole", "PutItem"}
    for dry_run in (True, False):
        with pytest.raises(ClientError) as error:
            account.ec2.allocate_address(DryRun=dry_run)
        assert error.value.response["Error"]["Code"] == "UnauthorizedOperation"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("iam").delete_role(RoleName="x")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        account.client("dynamodb").put_item(TableName="t", Item={})
    account.side.settings.unauthorized = set()
    with pytest.raises(ClientError, match="DryRunOperation"):
        account.ec2.allocate_address(DryRun=True)
    assert account.side.elastic_ips() == {}


def test_what_moto_cannot_do_is_an_aws_error(account: Account) -> None:
    with pytest.raises(ClientError) as error:
        account.ec2.describe_store_image_tasks()
    assert error.value.response["Error"]["Code"] == "InternalError"
    assert "not been implemented" in str(error.value)
