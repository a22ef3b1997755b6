"""vpx_shared_resources over HTTP: what is created and removed, what is refused, what a second run writes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from .conftest import Cloud

READS = Counter(
    GetRole=1,
    GetRolePolicy=1,
    GetInstanceProfile=1,
    DescribeSecurityGroups=1,
    DescribeAddresses=1,
    DescribeKeyPairs=1,
)
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Addresses", "Effect": "Allow", "Action": ["ec2:AssociateAddress"], "Resource": "*"},
        {"Sid": "OwnRights", "Effect": "Allow", "Action": ["iam:GetRole"], "Resource": "arn:aws:iam::*:role/*-vpx"},
    ],
}
WEB = {"protocol": "tcp", "from_port": 443, "cidrs": ["0.0.0.0/0"], "description": "web"}
KINDS = ("pair", "group")


def group(role: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "description": f"{role} of the VPX pair shop", "rules": list(rules)}


HEARTBEATS = {"protocol": "udp", "from_port": 3003, "group": "management", "description": "HA heartbeats"}
GROUPS = [group("management", HEARTBEATS), group("client", WEB), group("server")]


def make(cloud: Cloud, **params: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "kind": "pair",
        "name": "shop",
        "vpc_id": cloud.seed["vpc_id"],
        "role": {"policy": POLICY, "policy_name": "cloudadc-ha"},
        "security_groups": GROUPS,
        "key_name": cloud.seed["key_name"],
        "elastic_ip": True,
        "tags": {"team": "edge"},
    }
    return cloud.run("vpx_shared_resources", **{**defaults, **params})


def remove(cloud: Cloud, **params: Any) -> dict[str, Any]:
    return cloud.run("vpx_shared_resources", **{"kind": "pair", "name": "shop", "state": "absent", **params})


def tags(listed: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    filters = [{"Name": "group-name", "Values": [name]}]
    found: list[dict[str, Any]] = cloud.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    [one] = found
    return one


def test_everything_is_created_once(cloud: Cloud) -> None:
    made = make(cloud)
    assert not made["failed"], made
    assert made["changed"]
    iam, own = cloud.lab.boto("iam"), {"cloudadc:group": "shop", "cloudadc:kind": "pair", "team": "edge"}
    role = iam.get_role(RoleName="shop-vpx")["Role"]
    assert made["role"] == {"name": "shop-vpx", "arn": role["Arn"]}
    assert tags(role["Tags"]) == own
    assert role["Description"] == "NetScaler VPX pair shop"
    policy = iam.get_role_policy(RoleName="shop-vpx", PolicyName="cloudadc-ha")["PolicyDocument"]
    assert [each["Resource"] for each in policy["Statement"]] == ["*", role["Arn"]]
    profile = iam.get_instance_profile(InstanceProfileName=made["instance_profile"])["InstanceProfile"]
    assert [each["RoleName"] for each in profile["Roles"]] == ["shop-vpx"]
    assert tags(profile["Tags"]) == own
    for each in ("management", "client", "server"):
        one = described(cloud, f"shop-{each}")
        assert made["security_groups"][each] == one["GroupId"]
        assert tags(one["Tags"]) == own
    [heartbeats] = described(cloud, "shop-management")["IpPermissions"]
    assert [pair["GroupId"] for pair in heartbeats["UserIdGroupPairs"]] == [made["security_groups"]["management"]]
    [address] = cloud.ec2.describe_addresses()["Addresses"]
    assert made["elastic_ip"] == {"public_ip": address["PublicIp"], "allocation_id": address["AllocationId"]}
    assert tags(address["Tags"]) == {**own, "cloudadc:role": "client"}

    again = make(cloud)
    assert not again["changed"]
    assert again["diff"] == {}
    assert cloud.calls == READS
    assert {key: again[key] for key in ("role", "security_groups", "elastic_ip")} == {
        key: made[key] for key in ("role", "security_groups", "elastic_ip")
    }


def test_check_mode_predicts_and_writes_nothing(cloud: Cloud) -> None:
    predicted = make(cloud, check=True)
    assert predicted["changed"]
    assert cloud.writes == Counter()
    assert predicted["security_groups"] == {"management": None, "client": None, "server": None}
    assert predicted["role"] == {"name": "shop-vpx", "arn": None}
    assert predicted["elastic_ip"] is None
    made = make(cloud)
    assert sorted(made["actions"]) == sorted(predicted["actions"])
    gone = remove(cloud, check=True)
    assert gone["changed"]
    assert cloud.writes == Counter()
    assert not make(cloud)["changed"]


def test_what_was_changed_by_hand_is_put_right_and_shown(cloud: Cloud) -> None:
    made = make(cloud)
    client, iam = made["security_groups"]["client"], cloud.lab.boto("iam")
    more = {
        "IpProtocol": "tcp",
        "FromPort": 9999,
        "ToPort": 9999,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "no"}],
    }
    cloud.ec2.authorize_security_group_ingress(GroupId=client, IpPermissions=[more])
    renamed = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    renamed |= {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "changed"}]}
    cloud.ec2.update_security_group_rule_descriptions_ingress(GroupId=client, IpPermissions=[renamed])
    cloud.ec2.create_tags(Resources=[client], Tags=[{"Key": "strange", "Value": "yes"}])
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_role(RoleName="shop-vpx", Description="changed")
    iam.update_assume_role_policy(RoleName="shop-vpx", PolicyDocument=trusted)
    iam.tag_role(RoleName="shop-vpx", Tags=[{"Key": "strange", "Value": "yes"}])
    iam.create_role(RoleName="other-vpx", AssumeRolePolicyDocument=trusted)
    iam.remove_role_from_instance_profile(InstanceProfileName="shop-vpx", RoleName="shop-vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="shop-vpx", RoleName="other-vpx")

    mended = make(cloud)
    assert not mended["failed"], mended
    assert cloud.writes == Counter(
        RevokeSecurityGroupIngress=1,
        UpdateSecurityGroupRuleDescriptionsIngress=1,
        DeleteTags=1,
        UpdateRole=1,
        UpdateAssumeRolePolicy=1,
        UntagRole=1,
        RemoveRoleFromInstanceProfile=1,
        AddRoleToInstanceProfile=1,
    )
    assert mended["diff"]["before"]["security_groups"] == {
        "shop-client": {
            "tags": {"strange": "yes"},
            "rules": {"tcp 9999 from 10.0.0.0/8": "no", "tcp 443 from 0.0.0.0/0": "changed"},
        }
    }
    assert mended["diff"]["after"]["security_groups"] == {
        "shop-client": {"tags": {}, "rules": {"tcp 443 from 0.0.0.0/0": "web"}}
    }
    assert not make(cloud)["changed"]
    assert not remove(cloud)["failed"]
    assert iam.get_role(RoleName="other-vpx")


def test_nothing_is_left_after_a_removal(cloud: Cloud) -> None:
    spare, _id = cloud.allocate()
    make(cloud, security_groups=[*GROUPS, group("nlb", {**WEB, "cidrs": [], "group": "client"})])
    iam = cloud.lab.boto("iam")
    more = iam.create_policy(PolicyName="more", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="shop-vpx", PolicyArn=more)
    gone = remove(cloud)
    assert not gone["failed"], gone
    assert gone["changed"]
    assert "shop-vpx" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert "shop-vpx" not in {p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]}
    names = {one["GroupName"] for one in cloud.ec2.describe_security_groups()["SecurityGroups"]}
    assert not {name for name in names if name.startswith("shop-")}
    assert [a["PublicIp"] for a in cloud.ec2.describe_addresses()["Addresses"]] == [spare]
    again = remove(cloud)
    assert not again["changed"]
    assert cloud.writes == Counter()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_resources_of_the_other_kind_are_never_touched(cloud: Cloud, kind: str, state: str) -> None:
    make(cloud, kind=kind)
    other = next(each for each in KINDS if each != kind)
    refused = make(cloud, kind=other) if state == "present" else remove(cloud, kind=other)
    assert refused["failed"]
    assert f"IAM role shop-vpx was not made for {other} shop: its tag cloudadc:kind is '{kind}'" in refused["msg"]
    assert "security group shop-client was not made" in refused["msg"]
    assert cloud.writes == Counter()
    assert not make(cloud, kind=kind)["changed"]


@pytest.mark.parametrize("what", ["role", "profile", "group"])
def test_foreign_resources_of_the_name_are_never_touched(cloud: Cloud, what: str) -> None:
    iam = cloud.lab.boto("iam")
    if what == "role":
        trust = {"Version": "2012-10-17", "Statement": []}
        iam.create_role(RoleName="shop-vpx", AssumeRolePolicyDocument=json.dumps(trust))
        message = "IAM role shop-vpx was not made for pair shop: it has no tag cloudadc:group"
    elif what == "profile":
        listed = [{"Key": "cloudadc:group", "Value": "other"}]
        iam.create_instance_profile(InstanceProfileName="shop-vpx", Tags=listed)
        message = "instance profile shop-vpx was not made for pair shop: its tag cloudadc:group is 'other'"
    else:
        cloud.ec2.create_security_group(GroupName="shop-client", Description="mine", VpcId=cloud.seed["vpc_id"])
        message = "security group shop-client was not made for pair shop: it has no tag cloudadc:group"
    refused = make(cloud)
    assert refused["failed"]
    assert message in refused["msg"]
    assert cloud.writes == Counter()
    kept = remove(cloud)
    assert not kept["failed"], kept
    assert cloud.writes == Counter()


def _without_kind(cloud: Cloud) -> None:
    """Make everything look as an earlier release left it."""
    iam = cloud.lab.boto("iam")
    iam.untag_role(RoleName="shop-vpx", TagKeys=["cloudadc:kind"])
    iam.untag_instance_profile(InstanceProfileName="shop-vpx", TagKeys=["cloudadc:kind"])
    groups = [one["GroupId"] for one in cloud.ec2.describe_security_groups()["SecurityGroups"]]
    addresses = [one["AllocationId"] for one in cloud.ec2.describe_addresses()["Addresses"]]
    cloud.ec2.delete_tags(Resources=[*groups, *addresses], Tags=[{"Key": "cloudadc:kind"}])


def test_what_an_earlier_release_made_is_adopted_and_said_once(cloud: Cloud) -> None:
    made = make(cloud)
    _without_kind(cloud)
    adopted = make(cloud)
    assert not adopted["failed"], adopted
    assert adopted["elastic_ip"] == made["elastic_ip"]
    [warning] = adopted["warnings"]
    assert "pair shop adopts resources of an earlier release by adding the tag cloudadc:kind=pair: IAM" in str(warning)
    assert set(cloud.writes) == {"TagRole", "TagInstanceProfile", "CreateTags"}
    again = make(cloud)
    assert not again["changed"]
    assert not again.get("warnings")


def test_what_an_earlier_release_made_for_the_other_kind_is_not_adopted(cloud: Cloud) -> None:
    """Its descriptions say for which kind it was made."""
    make(cloud)
    _without_kind(cloud)
    for refused in (make(cloud, kind="group"), remove(cloud, kind="group")):
        assert refused["failed"]
        assert "its description is 'NetScaler VPX pair shop'" in refused["msg"]
        assert cloud.writes == Counter()
    assert not remove(cloud)["failed"]


def test_a_role_of_an_administrator_is_only_used(cloud: Cloud) -> None:
    refused = make(cloud, role={"managed": False})
    assert "there is no IAM role shop-vpx; there is no instance profile shop-vpx" in refused["msg"]
    iam = cloud.lab.boto("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="shop-vpx", AssumeRolePolicyDocument=trust)
    iam.create_instance_profile(InstanceProfileName="shop-vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="shop-vpx", RoleName="shop-vpx")
    made = make(cloud, role={"managed": False})
    assert not made["failed"], made
    assert not {op for op in cloud.writes if "Role" in op or "Profile" in op}
    assert made["role"]["arn"]
    assert not remove(cloud, role={"managed": False})["failed"]
    assert iam.get_role(RoleName="shop-vpx")


def test_a_permissions_boundary_is_set(cloud: Cloud) -> None:
    document = json.dumps(POLICY)
    boundary = cloud.lab.boto("iam").create_policy(PolicyName="most", PolicyDocument=document)["Policy"]["Arn"]
    make(cloud)
    role = {"policy": POLICY, "policy_name": "cloudadc-ha", "permissions_boundary": boundary}
    bounded = make(cloud, role=role)
    assert not bounded["failed"], bounded
    assert cloud.writes == Counter(PutRolePermissionsBoundary=1)
    assert not make(cloud, role=role)["changed"]
    assert not make(cloud)["changed"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"key_name": "unknown"}, "there is no key pair unknown in this account and region"),
        ({"tags": {"cloudadc:kind": "group"}}, "tag cloudadc:kind is 'pair', but tags has 'group'"),
        ({"security_groups": [group("client", {**WEB, "cidrs": ["everywhere"]})]}, "'everywhere' in cidrs is not a"),
        ({"security_groups": [group("client"), group("client")]}, "more than one entry for a role"),
        ({"vpc_id": None}, "vpc_id is required for security_groups"),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_write(cloud: Cloud, params: dict[str, Any], message: str) -> None:
    refused = make(cloud, **params)
    assert refused["failed"]
    assert message in refused["msg"]
    assert cloud.writes == Counter()


def test_an_address_that_serves_others_is_kept_with_a_warning(cloud: Cloud) -> None:
    made = make(cloud)
    interface, [address] = cloud.interface()
    cloud.ec2.associate_address(
        AllocationId=made["elastic_ip"]["allocation_id"], NetworkInterfaceId=interface, PrivateIpAddress=address
    )
    gone = remove(cloud)
    assert not gone["failed"], gone
    assert f"is kept: it is associated with {interface}" in str(gone["warnings"])
    assert [a["PublicIp"] for a in cloud.ec2.describe_addresses()["Addresses"]] == [made["elastic_ip"]["public_ip"]]


@pytest.mark.parametrize(("write", "when"), [(1, "after"), (3, "before"), (6, "after"), (9, "after"), (10, "before")])
def test_a_run_that_was_killed_is_completed_by_the_next(cloud: Cloud, write: int, when: str) -> None:
    given = {
        "kind": "pair",
        "name": "shop",
        "vpc_id": cloud.seed["vpc_id"],
        "role": {"policy": POLICY, "policy_name": "cloudadc-ha"},
        "security_groups": GROUPS,
        "elastic_ip": True,
        "tags": {"team": "edge"},
    }
    cloud.killed("vpx_shared_resources", write, when, **given)
    made = make(cloud)
    assert not made["failed"], made
    assert not make(cloud)["changed"]
    assert len(cloud.ec2.describe_addresses()["Addresses"]) == 1
    assert len([g for g in cloud.ec2.describe_security_groups()["SecurityGroups"] if "shop" in g["GroupName"]]) == 3
