"""IAM enforced: users, groups and sessions may do what their policies allow, and the refusals are AWS's own.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html;
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.lab_aws.conftest import REGION, Account, Network, launch
from tests.lab.aws import VPX_IMAGE_ID
from tests.lab.settings import CHECKOUT

POLICIES = CHECKOUT / "roles" / "preflight" / "files" / "policies"


@pytest.fixture
def guarded(account: Account) -> Iterator[Account]:
    """Yield the account with IAM in force; the fixtures' own key is its root's."""
    account.side.enforces = True
    yield account
    account.side.enforces = False


def policy(*actions: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class User:
    """A user with an access key, and clients that sign with it."""

    def __init__(self, account: Account, name: str, document: str | None = None) -> None:
        self._account, self.name = account, name
        self.iam = account.client("iam")
        self.arn = self.iam.create_user(UserName=name)["User"]["Arn"]
        self.key = self.iam.create_access_key(UserName=name)["AccessKey"]
        if document:
            self.may(document)

    def may(self, document: str) -> None:
        self.iam.put_user_policy(UserName=self.name, PolicyName="rights", PolicyDocument=document)

    def client(self, service: str) -> Any:
        return client(self._account, service, self.key["AccessKeyId"], self.key["SecretAccessKey"])


def client(account: Account, service: str, key_id: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=account.url,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_the_policy_allows_and_nothing_else(guarded: Account) -> None:
    user = User(guarded, "ann", policy("ec2:DescribeVpcs"))
    assert user.client("ec2").describe_vpcs()["Vpcs"]
    code, message = refusal(user.client("ec2").describe_subnets)
    assert code == "UnauthorizedOperation"
    assert message == (
        "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ann is not authorized "
        "to perform: ec2:DescribeSubnets because no identity-based policy allows the ec2:DescribeSubnets action"
    )


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code", "resource"),
    [
        ("elbv2", "describe_load_balancers", {}, "AccessDenied", ""),
        ("route53", "list_resource_record_sets", {"HostedZoneId": "Z1"}, "AccessDenied", "route53:::hostedzone/Z1"),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"a": {"S": "b"}}}, "AccessDeniedException", ":table/t"),
        ("iam", "get_role", {"RoleName": "r"}, "AccessDenied", "iam::123456789012:role/r"),
        ("autoscaling", "describe_auto_scaling_groups", {}, "AccessDenied", ""),
    ],
)
def test_each_protocol_has_its_words(
    guarded: Account, service: str, call: str, parameters: dict[str, Any], code: str, resource: str
) -> None:
    user = User(guarded, "ann")
    found, message = refusal(getattr(user.client(service), call), **parameters)
    assert found == code
    assert message.startswith("User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ")
    assert message.count("because no identity-based policy allows the ") == 1
    assert resource in message


def test_without_it_everybody_may_do_everything(account: Account) -> None:
    assert User(account, "ann").client("ec2").describe_vpcs()["Vpcs"]


def test_policies_that_are_attached_or_a_groups_count_too(guarded: Account) -> None:
    user, iam = User(guarded, "ann"), guarded.client("iam")
    observation = user.client("ec2").describe_vpcs
    refusal(observation)
    made = iam.create_policy(PolicyName="look", PolicyDocument=policy("ec2:Describe*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=made)
    observation()
    iam.detach_user_policy(UserName="ann", PolicyArn=made)
    refusal(observation)
    iam.create_group(GroupName="lookers")
    iam.put_group_policy(GroupName="lookers", PolicyName="look", PolicyDocument=policy("ec2:Describe*"))
    iam.add_user_to_group(GroupName="lookers", UserName="ann")
    observation()


def test_a_session_has_the_rights_of_its_role(guarded: Account) -> None:
    iam = guarded.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="jobs", PolicyName="look", PolicyDocument=policy("ec2:DescribeVpcs"))
    user = User(guarded, "ann", policy("sts:AssumeRole"))
    given = user.client("sts").assume_role(RoleArn=role, RoleSessionName="job-1")["Credentials"]
    ec2 = client(guarded, "ec2", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert ec2.describe_vpcs()["Vpcs"]
    _code, message = refusal(ec2.describe_subnets)
    assert "User: arn:aws:sts::123456789012:assumed-role/jobs/job-1 is not authorized" in message


def test_a_launch_needs_the_role_and_the_tags(guarded: Account, network: Network) -> None:
    iam = guarded.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="pair-vpx", AssumeRolePolicyDocument=trust)
    iam.create_instance_profile(InstanceProfileName="pair-vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="pair-vpx", RoleName="pair-vpx")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
    request = {
        "ImageId": VPX_IMAGE_ID,
        "InstanceType": "m5.xlarge",
        "MinCount": 1,
        "MaxCount": 1,
        "SubnetId": network.subnets["a"]["management"],
        "TagSpecifications": tags,
        "IamInstanceProfile": {"Name": "pair-vpx"},
    }
    user = User(guarded, "ann", policy("ec2:RunInstances"))
    run = user.client("ec2").run_instances
    assert "perform: ec2:CreateTags " in refusal(run, **request)[1]
    user.may(policy("ec2:RunInstances", "ec2:CreateTags"))
    assert "perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/pair-vpx " in refusal(run, **request)[1]
    passing = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    user.may(policy("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole", Condition=passing))
    assert "perform: ec2:RunInstances " in refusal(run, **request)[1], "a condition on a key that is not there"
    user.may(policy("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"))
    assert run(**request)["Instances"]


def test_a_dry_run_says_whether_it_may(guarded: Account, network: Network) -> None:
    [instance] = launch(guarded, network)
    user = User(guarded, "ann", policy("ec2:StopInstances"))
    ec2, ids = user.client("ec2"), [instance["InstanceId"]]
    assert refusal(ec2.stop_instances, InstanceIds=ids, DryRun=True)[0] == "DryRunOperation"
    assert refusal(ec2.start_instances, InstanceIds=ids, DryRun=True)[0] == "UnauthorizedOperation"
    assert refusal(ec2.describe_vpcs, DryRun=True)[0] == "UnauthorizedOperation"


@pytest.mark.parametrize("given", ["the secret of another", "an inactive key"])
def test_a_key_that_is_not_good(guarded: Account, given: str) -> None:
    user = User(guarded, "ann", policy("*"))
    guarded.side.keys = {"AKIALAB": None}
    try:
        if given == "an inactive key":
            user.iam.update_access_key(UserName="ann", AccessKeyId=user.key["AccessKeyId"], Status="Inactive")
        else:
            user.key = {**user.key, "SecretAccessKey": "something else"}
        assert refusal(user.client("ec2").describe_vpcs)[0] == "AuthFailure"
    finally:
        guarded.side.keys = None


@pytest.mark.parametrize(
    "document",
    [
        policy("ec2:DescribeVpcs", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        policy("DescribeVpcs"),
    ],
)
def test_a_policy_that_cannot_be_obeyed_is_not_taken(guarded: Account, document: str) -> None:
    User(guarded, "ann")
    put = guarded.client("iam").put_user_policy
    code, message = refusal(put, UserName="ann", PolicyName="rights", PolicyDocument=document)
    assert code == "MalformedPolicyDocument"
    assert message


def simulate(guarded: Account, arn: str, *actions: str, **more: Any) -> dict[str, str]:
    pages = guarded.client("iam").get_paginator("simulate_principal_policy")
    found = pages.paginate(PolicySourceArn=arn, ActionNames=list(actions), **more).build_full_result()
    return {one["EvalActionName"]: one["EvalDecision"] for one in found["EvaluationResults"]}


def test_a_simulation_says_what_would_happen(guarded: Account) -> None:
    user = User(guarded, "ann", (POLICIES / "ha_failover.json").read_text())
    tags = {"ContextKeyName": "aws:ResourceTag/cloudadc:group", "ContextKeyType": "string", "ContextKeyValues": ["a"]}
    assert simulate(guarded, user.arn, "ec2:AssociateAddress")["ec2:AssociateAddress"] == "implicitDeny"
    assert simulate(guarded, user.arn, "ec2:AssociateAddress", "ec2:RunInstances", ContextEntries=[tags]) == {
        "ec2:AssociateAddress": "allowed",
        "ec2:RunInstances": "implicitDeny",
    }


def test_a_simulation_with_resources_and_context(guarded: Account) -> None:
    user = User(guarded, "ann", (POLICIES / "ha_pair.json").read_text())
    role = {"ResourceArns": ["arn:aws:iam::123456789012:role/lab-pair-vpx"]}
    context = [
        {"ContextKeyName": "iam:PassedToService", "ContextKeyType": "string", "ContextKeyValues": ["ec2.amazonaws.com"]}
    ]
    assert simulate(guarded, user.arn, "iam:PassRole", **role) == {"iam:PassRole": "implicitDeny"}
    assert simulate(guarded, user.arn, "iam:PassRole", **role, ContextEntries=context) == {"iam:PassRole": "allowed"}


def test_a_long_simulation_comes_in_pages(guarded: Account) -> None:
    user = User(guarded, "ann", policy("ec2:*"))
    actions = [f"ec2:Action{letter}" for letter in "ABCDEFG"]
    iam = guarded.client("iam")
    first = iam.simulate_principal_policy(PolicySourceArn=user.arn, ActionNames=actions, MaxItems=3)
    assert (first["IsTruncated"], len(first["EvaluationResults"])) == (True, 3)
    assert list(simulate(guarded, user.arn, *actions, PaginationConfig={"PageSize": 2})) == actions


def test_an_unknown_principal_is_not_simulated(guarded: Account) -> None:
    ask = guarded.client("iam").simulate_principal_policy
    stranger = "arn:aws:iam::123456789012:user/unknown"
    assert refusal(ask, PolicySourceArn=stranger, ActionNames=["ec2:RunInstances"])[0] == "NoSuchEntity"
