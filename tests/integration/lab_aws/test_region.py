"""The region as the rest of the lab asks it, and the smaller truths: groups, quotas, identities, tables."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws import LINUX_IMAGE_ID

from .conftest import Account, Network, eventually, interfaces, launch

RIGHTS = (Path(__file__).parent / "files" / "rights.json").read_text()


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def permit(account: Account, group_id: str, protocol: str, ports: tuple[int, int], **source: Any) -> None:
    permission = {"IpProtocol": protocol, "FromPort": ports[0], "ToPort": ports[1], **source}
    account.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])


def test_groups_decide_who_may_talk_to_whom(account: Account, network: Network) -> None:
    side, group = account.side, network.group_id
    launch(account, network, count=2)
    (mine, other) = [i.interfaces[0].addresses[0] for i in side.instances()]
    outside = "127.0.0.1"
    assert not side.allows(other, mine, "udp", 3003)
    permit(account, group, "udp", (3003, 3003), UserIdGroupPairs=[{"GroupId": group}])
    permit(account, group, "tcp", (443, 443), IpRanges=[{"CidrIp": "127.0.0.0/24"}])
    assert side.allows(other, mine, "udp", 3003)
    assert not side.allows(other, mine, "tcp", 3003)
    assert not side.allows(other, mine, "udp", 3004)
    assert not side.allows(outside, mine, "udp", 3003)
    assert side.allows(outside, mine, "tcp", 443)
    assert not side.allows(other, mine, "tcp", 443)
    assert not side.allows(mine, "127.50.99.99", "tcp", 443), "no instance has the address"
    permission = {"IpProtocol": "udp", "FromPort": 3003, "ToPort": 3003, "UserIdGroupPairs": [{"GroupId": group}]}
    account.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])
    assert not side.allows(other, mine, "udp", 3003)
    account.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    )
    assert side.allows(other, mine, "tcp", 22)


def test_a_rule_twice_is_refused_and_nothing_of_its_request_stays(account: Account, network: Network) -> None:
    ec2, group = account.ec2, network.group_id
    pair = {"GroupId": group, "Description": "heartbeats"}
    permit(account, group, "udp", (3003, 3003), UserIdGroupPairs=[pair])
    again = {"IpProtocol": "udp", "FromPort": 3003, "ToPort": 3003, "UserIdGroupPairs": [{"GroupId": group}]}
    new = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "127.0.0.9/8"}]}
    with pytest.raises(ClientError) as error:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[new, again])
    assert code_of(error) == "InvalidPermission.Duplicate"
    described = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert [p["FromPort"] for p in described["IpPermissions"]] == [3003]
    assert described["IpPermissions"][0]["UserIdGroupPairs"][0]["Description"] == "heartbeats"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[again])
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[new])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert [r["CidrIpv4"] for r in rules if not r["IsEgress"]] == ["127.0.0.0/8"]


def test_a_group_in_use_stays(account: Account, network: Network) -> None:
    ec2, group = account.ec2, network.group_id
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc_id)["GroupId"]
    permit(account, other, "tcp", (1, 2), UserIdGroupPairs=[{"GroupId": group}])
    permit(account, other, "tcp", (3, 4), UserIdGroupPairs=[{"GroupId": other}])
    instance = launch(account, network)[0]["InstanceId"]
    for reason in ("worn", "referenced"):
        with pytest.raises(ClientError) as error:
            ec2.delete_security_group(GroupId=group)
        assert code_of(error) == "DependencyViolation"
        if reason == "worn":
            ec2.delete_security_group(GroupId=other)
    ec2.terminate_instances(InstanceIds=[instance])
    eventually(lambda: not account.side.instances())
    ec2.delete_security_group(GroupId=group)
    with pytest.raises(ClientError) as error:
        ec2.delete_security_group(GroupId=group)
    assert code_of(error) == "InvalidGroup.NotFound"


def test_only_appliances_are_appliances(account: Account, network: Network) -> None:
    launch(account, network)
    backend = account.ec2.run_instances(
        ImageId=LINUX_IMAGE_ID,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=network.subnets["a"]["server"],
        SecurityGroupIds=[network.group_id],
    )["Instances"][0]
    assert backend["PrivateIpAddress"].startswith("127.50.13.")
    assert len(account.side.instances()) == 1
    assert account.side.instance_at(backend["PrivateIpAddress"]) is None
    state = next(iter(account.side.state().values()))
    assert len(state["instances"]) == 2
    assert {group["name"] for group in state["security_groups"]} == {"nodes"}


def test_reset_empties_the_account(account: Account, network: Network) -> None:
    launch(account, network)
    account.ec2.allocate_address()
    account.side.settings.eip_quota = 1
    account.side.reset()
    assert list(account.side.instances()) == []
    assert account.side.elastic_ips() == {}
    assert account.side.settings.eip_quota == 20
    assert account.ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["127.50.0.0/16"]}])["Vpcs"] == []


def test_the_elastic_ip_quota_is_told(account: Account) -> None:
    account.side.settings.eip_quota = 7
    answer = account.ec2.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    assert answer == [{"AttributeName": "vpc-max-elastic-ips", "AttributeValues": [{"AttributeValue": "7"}]}]
    quotas = account.client("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-0263D0A3")["Quota"]["Value"] == 7.0


def test_interfaces_made_by_hand(account: Account, network: Network) -> None:
    ec2, subnet = account.ec2, network.subnets["a"]["client"]
    made = ec2.create_network_interface(
        SubnetId=subnet,
        PrivateIpAddress="127.50.12.50",
        SecondaryPrivateIpAddressCount=2,
        Groups=[network.group_id],
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": [{"Key": "k", "Value": "v"}]}],
    )["NetworkInterface"]
    own = [i["PrivateIpAddress"] for i in made["PrivateIpAddresses"]]
    assert own[0] == "127.50.12.50"
    assert len(set(own)) == 3
    ec2.assign_private_ip_addresses(NetworkInterfaceId=made["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=1)
    by_address = ec2.describe_network_interfaces(
        Filters=[{"Name": "addresses.private-ip-address", "Values": [own[1]]}]
    )["NetworkInterfaces"]
    assert [len(i["PrivateIpAddresses"]) for i in by_address] == [4]
    with pytest.raises(ClientError) as error:
        ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress=own[2])
    assert code_of(error) == "InvalidIPAddress.InUse"
    instance = launch(account, network, NetworkInterfaces=interfaces(network)[:1])[0]["InstanceId"]
    ec2.attach_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"], InstanceId=instance, DeviceIndex=1)
    assert len(account.side.instances()[0].interfaces) == 2
    with pytest.raises(ClientError) as error:
        ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    assert code_of(error) == "InvalidNetworkInterface.InUse"


def test_a_role_in_use_stays(account: Account) -> None:
    iam = account.client("iam")
    iam.create_role(RoleName="vpx", AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName="vpx", PolicyName="inline", PolicyDocument=RIGHTS)
    iam.create_instance_profile(InstanceProfileName="vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="vpx", RoleName="vpx")
    with pytest.raises(ClientError) as error:
        iam.delete_role(RoleName="vpx")
    assert code_of(error) == "DeleteConflict"
    with pytest.raises(ClientError) as error:
        iam.delete_instance_profile(InstanceProfileName="vpx")
    assert code_of(error) == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="vpx", RoleName="vpx")
    with pytest.raises(ClientError) as error:
        iam.delete_role(RoleName="vpx")
    assert code_of(error) == "DeleteConflict"
    iam.delete_role_policy(RoleName="vpx", PolicyName="inline")
    iam.delete_role(RoleName="vpx")
    iam.delete_instance_profile(InstanceProfileName="vpx")


def test_conditional_writes_let_one_writer_win(account: Account) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html (conditional writes)"""
    table = account.client("dynamodb")
    table.create_table(
        TableName="records",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "web"}, "version": {"N": "1"}}
    table.put_item(TableName="records", Item=item, ConditionExpression="attribute_not_exists(id)")
    outcomes: list[str] = []

    def write() -> None:
        try:
            table.update_item(
                TableName="records",
                Key={"id": {"S": "web"}},
                UpdateExpression="SET version = version + :one",
                ConditionExpression="version = :seen",
                ExpressionAttributeValues={":one": {"N": "1"}, ":seen": {"N": "1"}},
            )
            outcomes.append("won")
        except ClientError as error:
            outcomes.append(str(error.response["Error"]["Code"]))

    writers = [threading.Thread(target=write) for _turn in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["ConditionalCheckFailedException"] * 7 + ["won"]
    read = table.get_item(TableName="records", Key={"id": {"S": "web"}}, ConsistentRead=True)["Item"]
    assert read["version"] == {"N": "2"}
    with pytest.raises(ClientError) as error:
        table.put_item(TableName="records", Item=item, ConditionExpression="attribute_not_exists(id)")
    assert code_of(error) == "ConditionalCheckFailedException"


def test_an_auto_scaling_group_of_back_ends(account: Account, network: Network) -> None:
    account.ec2.create_launch_template(
        LaunchTemplateName="back", LaunchTemplateData={"ImageId": LINUX_IMAGE_ID, "InstanceType": "t3.micro"}
    )
    groups = account.client("autoscaling")
    groups.create_auto_scaling_group(
        AutoScalingGroupName="back",
        LaunchTemplate={"LaunchTemplateName": "back"},
        MinSize=1,
        MaxSize=5,
        DesiredCapacity=3,
        VPCZoneIdentifier=network.subnets["a"]["server"],
    )

    def members() -> set[str]:
        group = groups.describe_auto_scaling_groups(AutoScalingGroupNames=["back"])["AutoScalingGroups"][0]
        return {i["InstanceId"] for i in group["Instances"] if i["LifecycleState"] == "InService"}

    def addresses() -> list[str]:
        answer = account.ec2.describe_instances(InstanceIds=sorted(members()))
        return [i["PrivateIpAddress"] for r in answer["Reservations"] for i in r["Instances"]]

    assert len(members()) == 3
    assert all(address.startswith("127.50.13.") for address in addresses())
    assert len(set(addresses())) == 3
    groups.set_desired_capacity(AutoScalingGroupName="back", DesiredCapacity=1)
    eventually(lambda: len(members()) == 1)
    gone = account.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running", "pending"]}])
    assert sum(len(r["Instances"]) for r in gone["Reservations"]) == 1


def test_a_table_has_an_id(account: Account) -> None:
    made = account.client("dynamodb").create_table(
        TableName="records",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    again = account.client("dynamodb").describe_table(TableName="records")["Table"]
    assert made["TableId"] == again["TableId"]
