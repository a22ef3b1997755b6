"""The flows of autoscale groups of each kind, and the lab states in which they start."""

from __future__ import annotations

import functools
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.clips import with_clips
from tests.crash.crash_injection import Flow
from tests.crash.lab_states import EMPTY, LabState
from tests.lab.client import wait_for
from tests.lab.server import Server
from tests.stage import Stage

STORE = {"type": "dynamodb", "table": "cloudadc", "create": True}
BACKEND_ASG = "web-servers"
SHOP_PORT = 8000
#: Of the group state, by the real clock: tests wait for the lease of a killed job.
LEASE_SECONDS = 30
BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
DISTRIBUTORS = ("nlb", "dns")
TOPOLOGIES = ("independent", "cluster")


@dataclass(frozen=True, slots=True)
class Kind:
    """Distributor and topology of a group.

    Independent nodes behind an NLB: one in each of two zones. Zones share nothing else, so the other kinds have
    one zone: one independent node with DNS, two nodes of a cluster.
    """

    distributor: str
    topology: str

    def __str__(self) -> str:
        return f"{self.distributor}-{self.topology}"

    @property
    def group(self) -> str:
        return f"lab-group-{self.distributor}"

    @property
    def variables(self) -> str:
        """Return the name of the file of variables."""
        return f"chaos_{self.distributor}_{self.topology}"

    @property
    def nodes(self) -> int:
        """Return the number of nodes of a zone when the group is built."""
        return 2 if self.topology == "cluster" else 1

    def play(self, stage: Stage, playbook: str, **values: Any) -> None:
        stage.play(playbook, *_given(values), variables=self.variables)

    def write_variables(self, stage: Stage) -> None:
        """Write the lab's variables for such a group, with a store and back ends of the lab."""
        values = stage.lab.variables(f"autoscale_{self.distributor}")
        console = stage.lab.variables("console")
        policy = {**values["autoscale_group_policy"], "min_nodes": self.nodes, "max_nodes": self.nodes + 1}
        [web] = values["autoscale_group_applications"]
        shop = {key: value for key, value in web.items() if key != "backends"}
        shop |= {"name": "shop", "port": web["port"] + 1}
        shop |= {"backend_autoscaling_group": BACKEND_ASG, "backend_port": SHOP_PORT}
        if "domain" in web:
            shop["domain"] = f"shop.{web['domain'].partition('.')[2]}"
        values |= {
            "autoscale_group_topology": self.topology,
            "autoscale_group_zones": self._zones(stage, values["autoscale_group_zones"]),
            "autoscale_group_policy": policy,
            "autoscale_group_store": STORE,
            "autoscale_group_applications": [web, shop],
            **console,
        }
        stage.lab.variables_path(self.variables).write_text(yaml.safe_dump(values))

    def _zones(self, stage: Stage, zones: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.topology == "independent":
            return zones if self.distributor == "nlb" else zones[:1]
        return with_clips(stage.lab, zones[:1])


@dataclass(frozen=True, slots=True)
class _Action:
    """A flow for groups of every kind. ``afterwards``, ``back_to``: as in ``Flow``."""

    name: str
    playbook: str
    values: dict[str, Any]
    state: Callable[[Kind], LabState]
    afterwards: tuple[dict[str, Any], ...] = ()
    back_to: Callable[[Kind], LabState] | None = None


@functools.cache
def account(kind: Kind) -> LabState:
    """Return an account with an Auto Scaling group of web servers that belongs to another team."""

    def build(stage: Stage) -> None:
        EMPTY.set_up(stage)
        kind.write_variables(stage)
        _create_backend_asg(stage)

    return LabState(f"account for {kind}", build)


@functools.cache
def built(kind: Kind) -> LabState:
    def build(stage: Stage) -> None:
        account(kind).set_up(stage)
        kind.play(stage, "autoscale_group")

    return LabState(f"{kind} built", build)


def _after(state: Callable[[Kind], LabState], name: str, playbook: str, **values: Any) -> Callable[[Kind], LabState]:
    """Return the state that follows on another when a playbook has been played in it."""

    @functools.cache
    def following(kind: Kind) -> LabState:
        def build(stage: Stage) -> None:
            state(kind).set_up(stage)
            kind.play(stage, playbook, **values)

        return LabState(f"{kind} {name}", build)

    return following


ZONE = "eu-central-1a"


def _at(minute: int) -> str:
    """Return an instant of the scenario: decisions get their clock as an option, so that no attempt waits for it."""
    return f"{(BEGIN + timedelta(minutes=minute)):%Y-%m-%dT%H:%M:%SZ}"


def _by_hand(direction: str, minute: int) -> dict[str, Any]:
    """Scale by one node manually; the event's id makes a repeated run the same request."""
    asked = {"zone": ZONE, "count": 1, "event_id": f"chaos-{direction}"}
    asked_for = {f"scale_{direction}_{name}": value for name, value in asked.items()}
    return {**asked_for, "autoscale_now": _at(minute), "autoscale_lease_seconds": LEASE_SECONDS}


undeployed = _after(built, "without the shop", "application", application_name="shop", application_state="absent")
grown = _after(built, "grown", "scale_out", **_by_hand("out", 0))
drained = _after(grown, "drained by hand", "scale_in", **_by_hand("in", 100))


def _tick(minute: int, job: str = "job") -> dict[str, Any]:
    """Return the variables of a tick of one zone at this minute of the scenario, by a job of its own."""
    owner = {"autoscale_owner": f"{job}-{minute}", "autoscale_lease_seconds": LEASE_SECONDS}
    return {"autoscale_now": _at(minute), "autoscale_zones": [ZONE], **owner}


def _loaded(state: Callable[[Kind], LabState], name: str, memory: float, *minutes: int) -> Callable[[Kind], LabState]:
    """Return the state in which a zone has shown this load at the ticks of these minutes."""

    @functools.cache
    def following(kind: Kind) -> LabState:
        def build(stage: Stage) -> None:
            state(kind).set_up(stage)
            stage.lab.load(all=True, memory=memory)
            for minute in minutes:
                kind.play(stage, "autoscale", **_tick(minute))

        return LabState(f"{kind} {name}", build)

    return following


# Load for two minutes of the three of the watch time; and for the third, with its decision carried out.
busy = _loaded(built, "busy", 93, 101, 102)
idle = _loaded(grown, "idle", 10, 101, 102)
idle_and_decided = _loaded(grown, "idle and drained by a tick", 10, 101, 102, 103)
# The next job of the same minute: without it a tick that was killed before its decision is a gap in the window. Then
# each is later than the longest job, drain and cooldown, so that it may resume an event.
LATER = (_tick(103, "next-job"), _tick(400), _tick(700), _tick(1000))

ACTIONS = (
    _Action("build", "autoscale_group", {}, account),
    _Action("remove", "autoscale_group", {"autoscale_group_state": "absent"}, built, back_to=account),
    _Action("deploy", "application", {"application_name": "shop"}, undeployed),
    _Action("undeploy", "application", {"application_name": "shop", "application_state": "absent"}, built),
    _Action("scale out", "scale_out", _by_hand("out", 0), built),
    _Action("begin to scale in", "scale_in", _by_hand("in", 100), grown),
    _Action("finish scaling in", "scale_in", _by_hand("in", 400), drained),
    _Action("a tick that scales out", "autoscale", _tick(103), busy, LATER),
    _Action("a tick that drains", "autoscale", _tick(103), idle, LATER),
    _Action("a tick that removes", "autoscale", _tick(400), idle_and_decided, LATER[2:]),
)


def kinds() -> Iterator[Kind]:
    return itertools.starmap(Kind, itertools.product(DISTRIBUTORS, TOPOLOGIES))


def flows() -> list[Flow]:
    """Return all flows of groups, for each kind."""
    return [_flow(act, kind) for kind in kinds() for act in ACTIONS]


def drawn(dice: random.Random) -> list[Flow]:
    """Draw one flow for each distributor, with different topologies and actions."""
    topologies = dice.sample(TOPOLOGIES, len(DISTRIBUTORS))
    acts = dice.sample(ACTIONS, len(DISTRIBUTORS))
    kinds_drawn = itertools.starmap(Kind, zip(DISTRIBUTORS, topologies, strict=True))
    return [_flow(act, kind) for act, kind in zip(acts, kinds_drawn, strict=True)]


def _flow(act: _Action, kind: Kind) -> Flow:
    return Flow(
        name=f"{act.name} {kind}",
        playbook=act.playbook,
        arguments=tuple(_given(act.values)),
        state=act.state(kind),
        group=kind.group,
        variables=kind.variables,
        afterwards=tuple(tuple(_given(values)) for values in act.afterwards),
        back_to=act.back_to(kind) if act.back_to else None,
    )


def _given(values: dict[str, Any]) -> list[str]:
    return ["-e", json.dumps(values)] if values else []


_servers: dict[str, Server] = {}


def _create_backend_asg(stage: Stage) -> None:
    """Create an Auto Scaling group of one Linux instance, with a web server at its address."""
    scaling, ec2, seed = stage.lab.boto("autoscaling"), stage.lab.boto("ec2"), stage.lab.state()["seed_data"]
    made = ec2.create_security_group(GroupName=BACKEND_ASG, Description="Web servers", VpcId=seed["vpc_id"])
    ec2.authorize_security_group_ingress(
        GroupId=made["GroupId"], IpProtocol="tcp", FromPort=SHOP_PORT, ToPort=SHOP_PORT, CidrIp="0.0.0.0/0"
    )
    image = {
        "ImageId": seed["other_image_id"],
        "InstanceType": "m5.large",
        "SecurityGroups": [made["GroupId"]],
    }
    scaling.create_launch_configuration(LaunchConfigurationName=BACKEND_ASG, **image)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=BACKEND_ASG,
        LaunchConfigurationName=BACKEND_ASG,
        MinSize=1,
        MaxSize=2,
        DesiredCapacity=1,
        VPCZoneIdentifier=seed["subnets"][ZONE]["server"],
    )
    [group] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    [member] = group["Instances"]

    def address() -> str | None:
        [reservation] = ec2.describe_instances(InstanceIds=[member["InstanceId"]])["Reservations"]
        [instance] = reservation["Instances"]
        return str(instance["PrivateIpAddress"]) if instance["State"]["Name"] == "running" else None

    found = wait_for(address, "the web server runs")
    if found not in _servers:
        _servers[found] = Server(found, SHOP_PORT, _page)
        _servers[found].start()


def _page(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"shop\n"]
