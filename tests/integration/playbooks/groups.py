"""Groups that are built once, kept by the lab and put back, and the playbooks that are started with them."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.crash.group_flows import ZONE, Kind
from tests.crash.inventory import read_inventory, tags_of
from tests.crash.lab_states import LabState
from tests.lab.client import Call, LabClient, wait_for
from tests.stage import Stage

OTHER_ZONE = "eu-central-1b"
PACE = 300.0
STABLE_SECONDS = 10.0
#: What a tick writes though nothing has changed: its sample, into the record.
OF_THE_RECORD = frozenset({"PutItem", "UpdateItem", "DeleteItem", "CreateTable", "UpdateTimeToLive"})
#: So long is waited for an appliance, and for a cluster, by the real clock: what is dark stays dark.
IMPATIENT = {"autoscale_group_boot_timeout": 30}
IMPATIENT_TO_JOIN = {"autoscale_group_join_timeout": 30}


@dataclass(frozen=True, slots=True)
class Played:
    """What a playbook came to. ``message``: in one line, so that a sentence is found that Ansible has broken."""

    code: int
    message: str
    calls: tuple[Call, ...]

    @property
    def writes(self) -> list[str]:
        """Everything that was changed, but for what a tick records."""
        return [call.op for call in self.calls if call.write and call.op not in OF_THE_RECORD]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of this kind in a lab."""

    stage: Stage
    kind: Kind

    @property
    def lab(self) -> LabClient:
        return self.stage.lab

    def begin(self, state: LabState) -> None:
        """Put the lab into this state, at a fast pace."""
        self.lab.pace(PACE)
        state.set_up(self.stage)
        self.lab.pace(PACE)

    def definition(self) -> dict[str, Any]:
        return self.lab.variables(self.kind.variables)

    def play(self, playbook: str, *options: str, **values: Any) -> Played:
        """It may fail. No secret is said."""
        began = time.time()
        given = ["-e", json.dumps(values)] if values else []
        run = self.stage.play(playbook, *given, *options, variables=self.kind.variables, must_succeed=False)
        message = " ".join(run.text().split())
        definition = self.definition()
        secrets = [definition["autoscale_group_password"], definition["autoscale_group_console"]["adm_password"]]
        for secret in (*secrets, self.lab.env["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in message
        assert "Traceback" not in message
        return Played(run.code, message, tuple(self.lab.calls(began)))

    def nodes(self, zone: str = ZONE) -> list[dict[str, Any]]:
        """Return the instances of a zone, by their numbers, as EC2 describes them."""
        return [one for one in read_inventory(self.lab).instances if tags_of(one).get("cloudadc:zone") == zone]

    def lifecycles(self, zone: str = ZONE) -> Counter[str]:
        return Counter(tags_of(one)["cloudadc:lifecycle"] for one in self.nodes(zone))

    def nsips(self, zone: str = ZONE) -> list[str]:
        return [str(one["PrivateIpAddress"]) for one in self.nodes(zone)]

    def devices(self) -> list[str]:
        """Return the addresses that the console lists."""
        return sorted(str(device["ip_address"]) for device in self.lab.state()["adm"]["devices"])

    def clients(self, zone: str = ZONE) -> list[str]:
        """Return the client addresses of a zone's nodes."""
        return [
            str(interface["PrivateIpAddress"])
            for node in self.nodes(zone)
            for interface in node["NetworkInterfaces"]
            if interface["Attachment"]["DeviceIndex"] == 1
        ]

    def targets(self, application: str) -> dict[str, str]:
        """Address → state, when none is on its way any more."""
        elb = self.lab.boto("elbv2")
        name = f"{self.kind.group}-{application}"
        [found] = elb.describe_target_groups(Names=[name])["TargetGroups"]

        def completed() -> dict[str, str] | None:
            described = elb.describe_target_health(TargetGroupArn=found["TargetGroupArn"])["TargetHealthDescriptions"]
            states = {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in described}
            return None if {"initial", "draining"} & set(states.values()) else {"": "", **states}

        states = wait_for(completed, f"the targets of {name} are stable", seconds=STABLE_SECONDS)
        return {address: state for address, state in states.items() if address}

    def rows(self, node: dict[str, Any], kind: str) -> list[dict[str, Any]]:
        """Return the resources of a kind in a node's running configuration."""
        found: list[dict[str, Any]] = self.lab.state()["nitro"][node["InstanceId"]]["running"].get(kind, [])
        return found

    def backends(self, node: dict[str, Any], application: str) -> list[str]:
        """Return the back ends of an application on an appliance, as address:port."""
        members = self.rows(node, "servicegroup_servicegroupmember_binding")
        mine = [one for one in members if one["servicegroupname"] == f"{application}-sg"]
        return sorted(f"{one['ip']}:{one['port']}" for one in mine)

    def record(self, zone: str = ZONE) -> dict[str, Any]:
        """Return what is remembered of a zone."""
        items = [item for listed in read_inventory(self.lab).items.values() for item in listed]
        [mine] = [item for item in items if item.get("zone", {}).get("S") == zone]
        found: dict[str, Any] = json.loads(mine["document"]["S"])
        return found

    def terminate(self, node: dict[str, Any]) -> None:
        """Terminate an instance without the collection; return after its termination."""
        ec2 = self.lab.boto("ec2")
        ec2.terminate_instances(InstanceIds=[node["InstanceId"]])

        def gone() -> bool:
            [reservation] = ec2.describe_instances(InstanceIds=[node["InstanceId"]])["Reservations"]
            return str(reservation["Instances"][0]["State"]["Name"]) == "terminated"

        wait_for(gone, "the instance is terminated")
