"""Manual changes of a pair or a group that the playbooks must correct."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.crash.group_flows import STORE, ZONE, Kind
from tests.iam.shipped import POLICIES
from tests.lab.seed import DOMAIN
from tests.stage import Stage

Tampering = Callable[[Stage], None]
STRANGE = {"Key": "strange", "Value": "yes"}
BUCKET, KEY = "example-adc-backups", "alias/backups"
BOUNDARY = "arn:aws:iam::123456789012:policy/cloudadc-vpx-boundary"


def all_of(*tamperings: Tampering) -> Tampering:
    def together(stage: Stage) -> None:
        for tamper in tamperings:
            tamper(stage)

    return together


def ports(group: str) -> Tampering:
    """Its client security group: a rule more, a rule less where it has two, other descriptions of rules, a tag more;
    management: a tag more.
    """

    def tamper(stage: Stage) -> None:
        ec2 = stage.lab.boto("ec2")
        client, *others = _groups(ec2, group, "client", "management")
        ec2.authorize_security_group_ingress(GroupId=client["GroupId"], IpPermissions=[_rule(9999, "10.0.0.0/8", "no")])
        described = json.loads(json.dumps(client["IpPermissions"]))
        for rule in described:
            for part in (*rule.get("IpRanges", []), *rule.get("UserIdGroupPairs", [])):
                part["Description"] = "changed"
        ec2.update_security_group_rule_descriptions_ingress(GroupId=client["GroupId"], IpPermissions=described)
        for rule in described[1:2]:
            ec2.revoke_security_group_ingress(GroupId=client["GroupId"], IpPermissions=[rule])
        ec2.create_tags(Resources=[one["GroupId"] for one in (client, *others)], Tags=[STRANGE])

    return tamper


def ports_open(group: str) -> Tampering:
    """As ``ports``, but with no tag more and without the kind: what the application's playbook puts right."""

    def tamper(stage: Stage) -> None:
        ports(group)(stage)
        ec2 = stage.lab.boto("ec2")
        ids = [one["GroupId"] for one in _groups(ec2, group, "client", "management")]
        ec2.delete_tags(Resources=ids, Tags=[STRANGE, {"Key": "cloudadc:kind"}])

    return tamper


def interfaces(group: str) -> Tampering:
    """One of its interfaces in the zone that playbooks are about has another security group."""

    def tamper(stage: Stage) -> None:
        ec2 = stage.lab.boto("ec2")
        [client, server] = _groups(ec2, group, "client", "server")
        desired = {"group-id": server["GroupId"], "availability-zone": ZONE}
        filters = [{"Name": name, "Values": [value]} for name, value in desired.items()]
        found = ec2.describe_network_interfaces(Filters=filters)
        interface = found["NetworkInterfaces"][0]["NetworkInterfaceId"]
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[client["GroupId"]])

    return tamper


def no_cluster_address(kind: Kind) -> Tampering:
    """No interface has the address of the cluster any more."""

    def tamper(stage: Stage) -> None:
        ec2, [zone] = stage.lab.boto("ec2"), stage.lab.variables(kind.variables)["autoscale_group_zones"]
        filters = [{"Name": "addresses.private-ip-address", "Values": [zone["clip"]]}]
        [holder] = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        where = holder["NetworkInterfaceId"]
        ec2.unassign_private_ip_addresses(NetworkInterfaceId=where, PrivateIpAddresses=[zone["clip"]])

    return tamper


def left_over(group: str, zone: str | None = None) -> Tampering:
    """Create an interface of vpx_instance without an instance."""

    def tamper(stage: Stage) -> None:
        subnet = stage.lab.state()["seed_data"]["subnets"][ZONE]["server"]
        tags = {"cloudadc:group": group, "cloudadc:created_by": "vpx_instance"}
        tags |= {"cloudadc:zone": zone} if zone else {}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "network-interface", "Tags": listed}]
        stage.lab.boto("ec2").create_network_interface(SubnetId=subnet, TagSpecifications=specification)

    return tamper


def spare_address(group: str) -> Tampering:
    """Return an Elastic IP that vpx_instance made and no node has."""

    def tamper(stage: Stage) -> None:
        tags = {
            "cloudadc:group": group,
            "cloudadc:zone": ZONE,
            "cloudadc:created_by": "vpx_instance",
            "cloudadc:role": "management",
        }
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "elastic-ip", "Tags": listed}]
        stage.lab.boto("ec2").allocate_address(Domain="vpc", TagSpecifications=specification)

    return tamper


def access(name: str) -> Tampering:
    """Its role: described, trusted and tagged otherwise; its profile: tagged otherwise, and with another role in it."""

    def tamper(stage: Stage) -> None:
        iam, role = stage.lab.boto("iam"), f"{name}-vpx"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.update_role(RoleName=role, Description="changed")
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusted)
        iam.tag_role(RoleName=role, Tags=[STRANGE])
        iam.tag_instance_profile(InstanceProfileName=role, Tags=[STRANGE])
        iam.create_role(RoleName="other-vpx", AssumeRolePolicyDocument=trusted)
        iam.remove_role_from_instance_profile(InstanceProfileName=role, RoleName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName="other-vpx")

    return tamper


def boundary(stage: Stage) -> None:
    """There is the managed policy that limits roles, as shipped."""
    document = (POLICIES / "permissions_boundary.json").read_text()
    stage.lab.boto("iam").create_policy(PolicyName=BOUNDARY.rpartition("/")[2], PolicyDocument=document)


def bounded(stage: Stage) -> None:
    """The roles that are there have it."""
    boundary(stage)
    iam = stage.lab.boto("iam")
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].endswith("-vpx"):
            iam.put_role_permissions_boundary(RoleName=role["RoleName"], PermissionsBoundary=BOUNDARY)


def role_of_an_administrator(name: str) -> Tampering:
    """An administrator made the role and the instance profile, with the boundary."""

    def tamper(stage: Stage) -> None:
        iam, role = stage.lab.boto("iam"), f"{name}-vpx"
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, PermissionsBoundary=BOUNDARY)
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)

    return tamper


def given_address(stage: Stage) -> None:
    """The definition of the pair names an Elastic IP that the user allocated, without tags."""
    made = stage.lab.boto("ec2").allocate_address(Domain="vpc")
    path = stage.lab.variables_path("ha_pair")
    values = {**yaml.safe_load(path.read_text()), "ha_pair_elastic_ips": [made["AllocationId"]]}
    path.write_text(yaml.safe_dump(values))


def attached(name: str) -> Tampering:
    """Its role has a managed policy attached."""

    def tamper(stage: Stage) -> None:
        iam = stage.lab.boto("iam")
        statement = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = iam.create_policy(PolicyName="more", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=f"{name}-vpx", PolicyArn=made)

    return tamper


def ways(group: str) -> Tampering:
    """Its listener is at another port, its target group has another health check, other attributes and a tag less.

    And a target that is no node.
    """

    def tamper(stage: Stage) -> None:
        elb = stage.lab.boto("elbv2")
        balancer = elb.describe_load_balancers(Names=[group])["LoadBalancers"][0]
        first = _target_groups(elb, group)[0]
        arn = first["TargetGroupArn"]
        elb.modify_target_group(TargetGroupArn=arn, HealthCheckIntervalSeconds=30, HealthyThresholdCount=7)
        listed = [{"Key": "deregistration_delay.timeout_seconds", "Value": "7"}]
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=listed)
        elb.remove_tags(ResourceArns=[arn], TagKeys=["purpose"])
        stale_target(group)(stage)
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            if listener["DefaultActions"][0]["TargetGroupArn"] == arn:
                elb.modify_listener(ListenerArn=listener["ListenerArn"], Port=listener["Port"] + 100)

    return tamper


def stale_target(group: str) -> Tampering:
    """Register an unused address with its load balancer, as of a terminated node."""

    def tamper(stage: Stage) -> None:
        elb, address = stage.lab.boto("elbv2"), f"{stage.lab.state()['network']}.11.240"
        first = _target_groups(elb, group)[0]
        targets = [{"Id": address, "Port": first["Port"]}]
        elb.register_targets(TargetGroupArn=first["TargetGroupArn"], Targets=targets)

    return tamper


def balancer(group: str) -> Tampering:
    """Its load balancer sends across zones, has another security group, and a tag less."""

    def tamper(stage: Stage) -> None:
        elb = stage.lab.boto("elbv2")
        arn = elb.describe_load_balancers(Names=[group])["LoadBalancers"][0]["LoadBalancerArn"]
        listed = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=listed)
        [management] = _groups(stage.lab.boto("ec2"), group, "management")
        elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[management["GroupId"]])
        elb.remove_tags(ResourceArns=[arn], TagKeys=["purpose"])

    return tamper


def another_zone(kind: Kind) -> Tampering:
    """The definition has the third zone of the region, too."""

    def tamper(stage: Stage) -> None:
        subnets = stage.lab.state()["seed_data"]["subnets"]
        name = sorted(subnets)[2]
        zone = {"name": name, **{f"{role}_subnet_id": subnet for role, subnet in subnets[name].items()}}
        _change(stage, kind, lambda values: values["autoscale_group_zones"].append(zone))

    return tamper


def named(kind: Kind) -> Tampering:
    """Give each application behind the load balancer a name."""

    def change(values: dict[str, Any]) -> None:
        values["autoscale_group_dns"] = {"zone": DOMAIN}
        for application in values["autoscale_group_applications"]:
            application["domain"] = f"{application['name']}.{DOMAIN}"

    return lambda stage: _change(stage, kind, change)


def zone_by_id(kind: Kind) -> Tampering:
    """Name the hosted zone by its id, and a record that does not exist yet."""

    def tamper(stage: Stage) -> None:
        found = stage.lab.boto("route53").list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]

        def change(values: dict[str, Any]) -> None:
            values["autoscale_group_dns"] = {"hosted_zone_id": found}
            for application in values["autoscale_group_applications"]:
                application["domain"] = f"new-{application['name']}.{DOMAIN}"

        _change(stage, kind, change)

    return tamper


def held(kind: Kind) -> Tampering:
    """Let another owner have the lease of the zone's state."""

    def tamper(stage: Stage) -> None:
        stage.lab.boto("dynamodb").update_item(
            TableName=STORE["table"],
            Key={"group": {"S": kind.group}, "zone": {"S": ZONE}},
            UpdateExpression="SET lease_owner = :who, lease_expires = :then",
            ExpressionAttributeValues={":who": {"S": "another owner"}, ":then": {"N": "9999999999"}},
        )

    return tamper


def no_table(stage: Stage) -> None:
    """The table of the records is gone; the definition says that it is to be made."""
    stage.lab.boto("dynamodb").delete_table(TableName=STORE["table"])


def _change(stage: Stage, kind: Kind, change: Callable[[dict[str, Any]], None]) -> None:
    kind.write_variables(stage)
    values = stage.lab.variables(kind.variables)
    change(values)
    stage.lab.variables_path(kind.variables).write_text(yaml.safe_dump(values))


def as_declared(kind: Kind) -> Tampering:
    """The definition is the usual one again, whatever an earlier case made of it."""
    return kind.write_variables


def _groups(ec2: Any, group: str, *names: str) -> list[dict[str, Any]]:
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{group}-{n}" for n in names]}])
    by_name = {one["GroupName"]: one for one in found["SecurityGroups"]}
    return [by_name[f"{group}-{name}"] for name in names]


def _target_groups(elb: Any, group: str) -> list[dict[str, Any]]:
    found = elb.describe_target_groups()["TargetGroups"]
    return [one for one in found if one["TargetGroupName"].startswith(f"{group}-")]


def _rule(port: int, cidr: str, description: str) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr, "Description": description}],
    }


def topic(stage: Stage) -> None:
    """There is the topic that alerts go to."""
    stage.lab.boto("sns").create_topic(Name="operations")


def alarms(group: str) -> Tampering:
    """There are an alarm and the dashboard of the group."""

    def before(stage: Stage) -> None:
        cloudwatch = stage.lab.boto("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=f"cloudadc-{group}-a-no-ticks",
            Namespace="CloudADC/Autoscale",
            MetricName="nodes",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            Statistic="Average",
            ComparisonOperator="LessThanThreshold",
        )
        cloudwatch.put_dashboard(DashboardName=f"cloudadc-{group}", DashboardBody='{"widgets": []}')

    return before


def _bucket(stage: Stage) -> Any:
    s3 = stage.lab.boto("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": stage.lab.env["AWS_REGION"]})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def backup_key(stage: Stage) -> None:
    """An administrator has a key for backups."""
    kms = stage.lab.boto("kms")
    kms.create_alias(AliasName="alias/backups", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


def old_backups(name: str) -> Tampering:
    """Each node of a pair has a backup already."""

    def store(stage: Stage) -> None:
        s3 = _bucket(stage)
        for node in (0, 1):
            key = f"cloudadc/pair/{name}/{node}/20200101T000000Z-primary-i-0.tgz"
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")

    return store


def route_tables(group: str) -> Tampering:
    """An administrator has given the route tables the tag that the rights ask for."""

    def tag(stage: Stage) -> None:
        ec2 = stage.lab.boto("ec2")
        tables = [table["RouteTableId"] for table in ec2.describe_route_tables()["RouteTables"]]
        ec2.create_tags(Resources=tables, Tags=[{"Key": "cloudadc:group", "Value": group}])

    return tag


def backed_up(*arguments: str) -> Tampering:
    """An administrator has backed up the pair."""

    def back_up(stage: Stage) -> None:
        _bucket(stage)
        stage.play("backup", *arguments)

    return back_up
