"""An account in this process with resources of pairs and groups, and users who may do what their policies say."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lab.aws import VPX_IMAGE_ID, AwsSide
from tests.lab.aws.protocol import read_request, refuse_request
from tests.lab.inprocess import Clients
from tests.lab.world import Clock

REGION, URL, NUMBER = "eu-central-1", "http://127.0.0.1", "123456789012"
BOUNDARY = f"arn:aws:iam::{NUMBER}:policy/cloudadc-vpx-boundary"
TABLE = "cloudadc"
BUCKET = "example-adc-backups"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
    }
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Resources of one pair or group: ids and ARNs. ``tags``: what they carry, and what is created carries."""

    name: str
    tags: Mapping[str, str]
    vpc: str = ""
    subnet: str = ""
    group: str = ""
    address: str = ""
    interface: str = ""
    instance: str = ""
    association: str = ""
    attachment: str = ""
    balancer: str = ""
    target_group: str = ""
    listener: str = ""
    zone: str = ""
    table: str = TABLE
    route_table: str = ""
    key: str = ""

    @property
    def role(self) -> str:
        return f"{self.name}-vpx"

    @property
    def topic(self) -> str:
        return f"arn:aws:sns:{REGION}:{NUMBER}:{self.name}"

    @property
    def record(self) -> str:
        return f"www.{self.name}.example.com"

    @property
    def backups(self) -> str:
        """Where its backups are in the bucket."""
        return f"cloudadc/{self.tags.get('cloudadc:kind', 'pair')}/{self.name}/"

    @property
    def tag_list(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def specification(self, *kinds: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": self.tag_list} for kind in kinds] if self.tags else []


class Account:
    """``root``: clients of the account's own key, which may do everything."""

    def __init__(self, boundary: str) -> None:
        self.side = AwsSide(Clock(300.0), "127.53")
        self.root = Clients(self.side, URL, REGION)
        self._users = itertools.count(1)
        self._open: Any = self.side._application
        ec2, iam = self.root.client("ec2"), self.root.client("iam")
        self.vpc = ec2.create_vpc(CidrBlock="127.53.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_subnet(VpcId=self.vpc, CidrBlock="127.53.1.0/24", AvailabilityZone=f"{REGION}a")
        self.subnet = made["Subnet"]["SubnetId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        zone = self.root.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
        self.zone = zone["HostedZone"]["Id"].rpartition("/")[2]
        iam.create_policy(PolicyName="cloudadc-vpx-boundary", PolicyDocument=boundary)
        self.key = self.root.client("kms").create_key()["KeyMetadata"]["Arn"]
        where = {"LocationConstraint": REGION}
        self.root.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)

    def fleet(self, name: str, tags: Mapping[str, str], *, table: str = TABLE, role: bool = True) -> Fleet:
        """Create the resources of a pair or group. ``role`` False: its name has a role already."""
        mine = Fleet(name, tags, self.vpc, self.subnet, zone=self.zone, table=table)
        ec2, elb, iam = self.root.client("ec2"), self.root.client("elbv2"), self.root.client("iam")
        label = f"{name}-{len(tags)}-{tags.get('cloudadc:kind', 'none')}"
        group = ec2.create_security_group(
            GroupName=label, Description="x", VpcId=self.vpc, TagSpecifications=mine.specification("security-group")
        )["GroupId"]
        [instance] = ec2.run_instances(
            ImageId=VPX_IMAGE_ID, InstanceType="m5.xlarge", MinCount=1, MaxCount=1,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": self.subnet, "Groups": [group]}],
            TagSpecifications=mine.specification("instance", "network-interface", "volume"),
        )["Instances"]  # fmt: skip
        [interface] = instance["NetworkInterfaces"]
        address = ec2.allocate_address(Domain="vpc", TagSpecifications=mine.specification("elastic-ip"))
        where = {"AllocationId": address["AllocationId"], "NetworkInterfaceId": interface["NetworkInterfaceId"]}
        association = ec2.associate_address(**where)["AssociationId"]
        tagged = {"Tags": mine.tag_list} if tags else {}
        balancer = elb.create_load_balancer(Name=label[:32], Type="network", Subnets=[self.subnet], **tagged)
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        made = elb.create_target_group(Name=label[:32], Protocol="TCP", Port=80, VpcId=self.vpc, **tagged)
        target_group = made["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": target_group}]
        made = elb.create_listener(LoadBalancerArn=arn, Protocol="TCP", Port=80, DefaultActions=forward, **tagged)
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key}
        self.root.client("s3").put_object(Bucket=BUCKET, Key=f"{mine.backups}1.tgz", Body=b"x", **encrypted)
        if role:
            iam.create_role(RoleName=mine.role, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY, **tagged)
            iam.create_instance_profile(InstanceProfileName=mine.role, **tagged)
            iam.add_role_to_instance_profile(InstanceProfileName=mine.role, RoleName=mine.role)
        return Fleet(
            name, tags, self.vpc, self.subnet, group, address["AllocationId"], interface["NetworkInterfaceId"],
            instance["InstanceId"], association, interface["Attachment"]["AttachmentId"], arn, target_group,
            made["Listeners"][0]["ListenerArn"], self.zone, table, self._route_table(mine), self.key,
        )  # fmt: skip

    def _route_table(self, mine: Fleet) -> str:
        made = self.root.client("ec2").create_route_table(
            VpcId=self.vpc, TagSpecifications=mine.specification("route-table")
        )
        return str(made["RouteTable"]["RouteTableId"])

    def user(self) -> tuple[str, Clients]:
        """Create a user without rights; its name, and clients of its key."""
        iam, name = self.root.client("iam"), f"user-{next(self._users)}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return name, Clients(self.side, URL, REGION, key["AccessKeyId"], key["SecretAccessKey"])

    def permit(self, user: str, documents: Sequence[str]) -> None:
        """Give a user exactly these policies."""
        iam = self.root.client("iam")
        for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
            iam.delete_user_policy(UserName=user, PolicyName=name)
        for number, text in enumerate(documents):
            iam.put_user_policy(UserName=user, PolicyName=f"rights-{number}", PolicyDocument=text)

    def session(self, role: str) -> Clients:
        """Return clients of a session of a role, as an appliance has them from its instance profile."""
        arn = f"arn:aws:iam::{NUMBER}:role/{role}"
        given = self.root.client("sts").assume_role(RoleArn=arn, RoleSessionName="appliance")["Credentials"]
        return Clients(self.side, URL, REGION, given["AccessKeyId"], given["SecretAccessKey"])

    @contextlib.contextmanager
    def enforced(self, *, carry_out: bool = False) -> Iterator[None]:
        """IAM decides; unless it is to be carried out, what it permits ends with an error inside the service."""
        before = self.side.enforces, self.side._application
        self.side.enforces = True
        self.side._application = self._open if carry_out else _fail
        try:
            yield
        finally:
            self.side.enforces, self.side._application = before


def _fail(environ: Any, start_response: Any) -> list[bytes]:
    status, headers, body = refuse_request("error", read_request(environ))
    start_response(status, headers)
    return [body]


def document(statements: Collection[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
