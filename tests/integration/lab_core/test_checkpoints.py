"""A state of the lab that was kept comes back as it was, and lives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.lab_adm.conftest import Rest
from tests.integration.lab_core.site import PASSWORD, Nitro, Site, address_of
from tests.lab.client import LabClient, LabRefused, wait_for

NAME = "as-it-was"
DOMAIN = "www.example.org."


class Inventory:
    """A site, and something in every service that an autoscale group uses."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.site = Site(lab)
        self.address = self.site.associate(0)
        self.elb, self.dns, self.store = (lab.boto(service) for service in ("elbv2", "route53", "dynamodb"))
        self.scaling = lab.boto("autoscaling")
        seed = lab.state()["seed_data"]
        self.targets = [{"Id": address_of(instance, 1), "Port": self.site.port} for instance in self.site.instances]
        self.group = self._balanced(seed)
        self.zone = self.dns.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
        self.record("UPSERT", "192.0.2.1")
        self.store.create_table(
            TableName="state",
            KeySchema=[{"AttributeName": "group", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "group", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.item("kept")
        self._scaled(seed)
        self.console = Rest(lab)
        self._listed()

    def _listed(self) -> None:
        """The console knows the first appliance."""
        assert self.console.login().ok
        profile = {"name": "site", "username": "nsroot", "password": PASSWORD, "https_port": str(self.lab.nitro_port)}
        assert self.console.ask("POST", "ns_device_profile", {"ns_device_profile": profile}).ok
        added = self.console.register(self.site.nodes[0].address, profile_name="site")
        assert self.console.last_line(added)["status"] == "Completed"

    def _balanced(self, seed: dict[str, Any]) -> str:
        group: str = self.elb.create_target_group(
            Name="web", Protocol="TCP", Port=self.site.port, VpcId=seed["vpc_id"], TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        subnets = [node["client_subnet_id"] for node in self.site.variables["ha_pair_nodes"]]
        balancer = self.elb.create_load_balancer(Name="web", Type="network", Subnets=subnets)["LoadBalancers"][0]
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        arn = balancer["LoadBalancerArn"]
        self.elb.create_listener(LoadBalancerArn=arn, Protocol="TCP", Port=80, DefaultActions=forward)
        self.elb.register_targets(TargetGroupArn=group, Targets=self.targets)
        return group

    def _scaled(self, seed: dict[str, Any]) -> None:
        self.scaling.create_launch_configuration(
            LaunchConfigurationName="web", ImageId=seed["other_image_id"], InstanceType="m5.large"
        )
        subnet = self.site.variables["ha_pair_nodes"][0]["server_subnet_id"]
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName="web",
            LaunchConfigurationName="web",
            MinSize=1,
            MaxSize=3,
            DesiredCapacity=1,
            VPCZoneIdentifier=subnet,
        )

    def record(self, action: str, value: str) -> None:
        record = {"Name": DOMAIN, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        self.dns.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=batch)

    def item(self, value: str) -> None:
        self.store.put_item(TableName="state", Item={"group": {"S": "web"}, "value": {"S": value}})

    def health(self) -> dict[str, str]:
        found = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in found}

    def picture(self) -> dict[str, Any]:
        """Return the whole visible state of the lab."""
        state = self.lab.state()
        records = self.dns.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        nitro = {
            instance: {name: value for name, value in appliance.items() if name != "ready_in"}
            for instance, appliance in state["nitro"].items()
        }
        return {
            "aws": state["aws"],
            "nitro": nitro,
            "seed": state["seed_data"],
            "backends": state["backends"],
            "health": self.health(),
            "records": records,
            "tags": self.site.ec2.describe_tags()["Tags"],
            "items": self.store.scan(TableName="state")["Items"],
            "listeners": [
                self.elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
                for one in self.elb.describe_load_balancers()["LoadBalancers"]
            ],
            "scaled": [
                (one["AutoScalingGroupName"], [member["InstanceId"] for member in one["Instances"]])
                for one in self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
            ],
            "console": [one["ip_address"] for one in state["adm"]["devices"]],
            "variables": self.lab.variables("ha_pair"),
        }

    def turn_upside_down(self) -> None:
        """Change something of each kind."""
        first, second = self.site.instances
        self.site.ec2.create_tags(Resources=[first["InstanceId"]], Tags=[{"Key": "changed", "Value": "yes"}])
        self.site.ec2.release_address(AllocationId=self.site.ec2.allocate_address()["AllocationId"])
        self.site.associate(1)
        self.site.nodes[0].put("lbvserver", {"name": "web", "lbmethod": "ROUNDROBIN"})
        self.site.nodes[0].post("nsconfig", {}, action="save")
        self.site.ec2.terminate_instances(InstanceIds=[second["InstanceId"]])
        self.elb.deregister_targets(TargetGroupArn=self.group, Targets=self.targets[:1])
        for balancer in self.elb.describe_load_balancers()["LoadBalancers"]:
            self.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        self.record("DELETE", "192.0.2.1")
        self.item("changed")
        self.scaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
        [device] = self.console.rows("managed_device")
        assert self.console.ask("DELETE", f"managed_device/{device['id']}").ok
        self.lab.backend("backend-1", up=False)
        self.lab.load(all=True, cpu=99)
        self.lab.faults(aws={"lose": 0.0}, seed=1)
        self.lab.latency(nitro=0.01)


@pytest.fixture(scope="module")
def inventory(lab: LabClient) -> Iterator[Inventory]:
    lab.reset()
    lab.pace(60)
    inventory = Inventory(lab)
    # At rest: what is still on its way when it is kept has arrived when it is compared.
    wait_for(lambda: set(inventory.health().values()) == {"healthy"}, "all targets are healthy", seconds=30)
    wait_for(lambda: inventory.site.serves(inventory.address), "the Elastic IP is answered")
    lab.keep(NAME)
    yield inventory
    lab.reset()


@pytest.fixture
def restored(inventory: Inventory) -> Inventory:
    inventory.lab.restore(NAME)
    return inventory


def test_everything_is_as_it_was(restored: Inventory) -> None:
    before = restored.picture()
    restored.turn_upside_down()
    changed = restored.picture()
    assert [name for name in before if before[name] == changed[name]] == ["seed", "variables"]
    restored.lab.restore(NAME)
    assert restored.picture() == before
    state = restored.lab.state()
    assert (state["writes_seen"], state["faults"], state["seed"], state["latency"]) == (
        0,
        {},
        None,
        {"aws": 0.0, "nitro": 0.0},
    )


def test_it_comes_back_after_a_reset_too(restored: Inventory) -> None:
    before = restored.picture()
    restored.lab.reset()
    assert restored.picture() != before
    restored.lab.restore(NAME)
    assert restored.picture() == before
    calls = restored.lab.calls()
    assert calls, "what the picture has asked"
    assert not [call.op for call in calls if call.write], "the log begins anew"


def test_a_session_of_then_is_good_and_its_appliance_can_be_changed(restored: Inventory) -> None:
    node = restored.site.nodes[0]
    node.put("lbvserver", {"name": "web", "lbmethod": "ROUNDROBIN"})
    restored.lab.restore(NAME)
    node.post("nsconfig", {}, action="save")
    nitro = restored.lab.state()["nitro"][restored.site.instances[0]["InstanceId"]]
    [vserver] = nitro["saved"]["lbvserver"]
    assert vserver["lbmethod"] != "ROUNDROBIN", "the kept state was not touched"


def test_clients_are_served_again(restored: Inventory) -> None:
    restored.site.associate(1)
    restored.lab.restore(NAME)
    wait_for(lambda: restored.site.serves(restored.address), "the Elastic IP is answered")


def test_machines_boot_and_health_checks_go_on(restored: Inventory) -> None:
    """Also what was in the middle of something: an instance that is starting, a target that has just come."""
    ec2, seed = restored.site.ec2, restored.lab.state()["seed_data"]
    subnet = restored.site.variables["ha_pair_nodes"][0]["management_subnet_id"]
    born = ec2.run_instances(
        ImageId=seed["image_id"],
        InstanceType="m5.xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[restored.site.group],
        ClientToken="twice",
    )["Instances"][0]
    gone = restored.targets[0]
    restored.elb.deregister_targets(TargetGroupArn=restored.group, Targets=[gone])
    restored.elb.register_targets(TargetGroupArn=restored.group, Targets=[gone])
    restored.lab.keep("half-way")
    restored.lab.reset()
    restored.lab.restore("half-way")
    nitro = Nitro(restored.lab, born["PrivateIpAddress"])
    wait_for(nitro.answers, "the new appliance has booted", seconds=30)
    assert nitro.login(born["InstanceId"], PASSWORD) == 0
    wait_for(lambda: restored.health()[gone["Id"]] == "healthy", "the target has become healthy", seconds=30)
    restored.lab.power(restored.site.instances[0]["InstanceId"], on=False)
    wait_for(lambda: restored.health()[gone["Id"]] == "unhealthy", "and is not without power", seconds=30)
    again = ec2.run_instances(
        ImageId=seed["image_id"],
        InstanceType="m5.xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[restored.site.group],
        ClientToken="twice",
    )["Instances"][0]
    assert again["InstanceId"] == born["InstanceId"], "the launch is remembered by its token"


def test_new_things_get_new_ids(restored: Inventory) -> None:
    """Numbers that are handed out one after another go on; none is handed out twice."""
    known = {address["PublicIp"] for address in restored.site.ec2.describe_addresses()["Addresses"]}
    new = restored.site.ec2.allocate_address()["PublicIp"]
    assert new not in known
    restored.lab.restore(NAME)
    with pytest.raises(ClientError):
        restored.site.ec2.describe_addresses(PublicIps=[new])


def test_it_is_fast(restored: Inventory) -> None:
    began = time.monotonic()
    restored.lab.keep("quick")
    restored.lab.restore("quick")
    assert time.monotonic() - began < 1.0


def test_only_what_was_kept_can_be_restored(lab: LabClient) -> None:
    with pytest.raises(LabRefused, match="there is no kept state with name nothing"):
        lab.restore("nothing")
    with pytest.raises(LabRefused, match="keep takes"):
        lab.post("keep", {})


def test_a_reset_forgets_the_records_of_groups(fresh_lab: LabClient) -> None:
    record = fresh_lab.directory / "store" / "lab-group-nlb@eu-central-1a.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text("{}")
    fresh_lab.reset()
    assert not record.exists()
