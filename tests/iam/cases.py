"""Runs of the playbooks that together need every action of the shipped policies."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from tests.crash import group_flows, pair_flows
from tests.crash.crash_injection import Flow
from tests.crash.group_flows import BACKEND_ASG, STORE, ZONE, Kind
from tests.crash.lab_states import EMPTY, MISPLACED, PAIR, LabState
from tests.iam import by_hand
from tests.iam.by_hand import Tampering, all_of, as_declared
from tests.stage import Stage

NOTHING = frozenset[str]()
PAIR_NAME = "lab-pair"
#: Where alerts go; a tick warns of a topic that does not exist, and goes on.
ALERTS = {"sns_topic_arn": "arn:aws:sns:eu-central-1:123456789012:operations", "event_bus": "default"}
_BUCKET = ("-e", f"config_backup_bucket={by_hand.BUCKET}")
_KEY = ("-e", f"config_backup_kms_key_id={by_hand.KEY}")
REPORT = "{{ lookup('ansible.builtin.env', 'LAB_DIR') }}/report.html"


@dataclass(frozen=True, slots=True)
class Case:
    """``given``: what the definition has ("Nlb", "Dynamodb"), so which statements apply. ``before``: what an
    administrator does in the state before the playbook is played. ``bounded``: whether the roles that are there have
    the permissions boundary. ``managed``: whether the playbook makes the role, and so has the policy for that.
    """

    name: str
    playbook: str
    state: LabState
    arguments: tuple[str, ...] = ()
    variables: str = "ha_pair"
    given: frozenset[str] = NOTHING
    before: Tampering | None = None
    bounded: bool = True
    managed: bool = True

    def set_up(self, stage: Stage) -> None:
        self.state.set_up(stage)
        (by_hand.bounded if self.bounded else by_hand.boundary)(stage)
        if self.before is not None:
            self.before(stage)


def _of_kind(kind: pair_flows.Kind) -> tuple[Case, Case]:
    """A pair with a VIP that is no Elastic IP is built, and switched over."""
    given = frozenset({{"route": "Routes", "private_ip": "PrivateIps"}[kind.name]})
    before = by_hand.route_tables(PAIR_NAME)
    return (
        Case(
            f"build a pair with a VIP of kind {kind.name}", "ha_pair", kind.account,
            variables=kind.variables, given=given, before=before,
        ),
        Case(
            f"a planned failover of kind {kind.name}", "ha_failover", kind.built, ("-e", "ha_failover_to=1"),
            variables=kind.variables, given=given, before=before,
        ),
    )  # fmt: skip


PAIRS = (
    Case("build a pair", "ha_pair", EMPTY),
    Case("a pair that is as it shall be", "ha_pair", PAIR),
    Case(
        "a pair that was tampered with", "ha_pair", PAIR,
        before=all_of(by_hand.ports(PAIR_NAME), by_hand.interfaces(PAIR_NAME), by_hand.access(PAIR_NAME)),
    ),
    Case(
        "remove a pair", "ha_pair", PAIR, ("-e", "ha_pair_state=absent"),
        before=all_of(by_hand.left_over(PAIR_NAME), by_hand.attached(PAIR_NAME)),
    ),
    Case(
        "a pair gets a permissions boundary", "ha_pair", PAIR,
        given=frozenset({"Boundary"}), bounded=False,
    ),
    Case(
        "build a pair with the role of an administrator", "ha_pair", EMPTY, ("-e", "ha_pair_manage_role=false"),
        before=by_hand.role_of_an_administrator(PAIR_NAME), managed=False,
    ),
    Case(
        "build a pair with an Elastic IP of the user", "ha_pair", EMPTY,
        given=frozenset({"ElasticIps"}), before=by_hand.given_address,
    ),
    Case("replace the primary of a pair", "ha_pair", PAIR, ("-e", "ha_pair_replace_node=0")),
    Case("a planned failover", "ha_failover", PAIR, ("-e", "ha_failover_to=1")),
    Case("reconcile", "ha_failover", MISPLACED, ("-e", "ha_failover_mode=reconcile")),
    Case(
        "state of a pair with a problem that is published", "status", MISPLACED,
        ("-e", json.dumps({"status_alerts": ALERTS})), given=frozenset({"Sns", "EventBridge"}), before=by_hand.topic,
    ),
    Case("page of a pair", "report", PAIR, ("-e", json.dumps({"report_path": REPORT})), given=frozenset({"Pair"})),
    Case(
        "back up a pair into a new bucket with a key of the user", "backup", PAIR,
        (*_BUCKET, *_KEY, "-e", "config_backup_create_bucket=true"),
        given=frozenset({"KmsKey", "CreateBucket"}), before=by_hand.backup_key,
    ),
    Case(
        "back up a pair beyond the retention", "backup", PAIR, (*_BUCKET, "-e", "config_backup_retention=1"),
        before=by_hand.old_backups(PAIR_NAME),
    ),
    Case(
        "restore a pair from a backup with a key of the user", "restore", PAIR, _BUCKET,
        given=frozenset({"KmsKey"}), before=all_of(by_hand.backup_key, by_hand.backed_up(*_BUCKET, *_KEY)),
    ),
    Case(
        "restore the archives of a pair", "restore", PAIR, (*_BUCKET, "-e", "config_backup_full=true"),
        before=by_hand.backed_up(*_BUCKET),
    ),
    *(case for kind in pair_flows.KINDS for case in _of_kind(kind)),
)  # fmt: skip


def _given(kind: Kind, *more: str) -> frozenset[str]:
    cluster = {"Cluster"} if kind.topology == "cluster" else set()
    return frozenset({kind.distributor.capitalize(), "Dynamodb", "FollowedGroups", *cluster, *more})


def _followed_behind_a_balancer(stage: Stage) -> None:
    """The Auto Scaling group that is followed registers its instances with a load balancer of its own."""
    elb, scaling = stage.lab.boto("elbv2"), stage.lab.boto("autoscaling")
    vpc = stage.lab.state()["seed_data"]["vpc_id"]
    made = elb.create_target_group(Name="web-servers", Protocol="TCP", Port=80, VpcId=vpc)["TargetGroups"][0]
    scaling.attach_load_balancer_target_groups(
        AutoScalingGroupName=BACKEND_ASG, TargetGroupARNs=[made["TargetGroupArn"]]
    )


#: Of acts of the chaos runs, those before which this is done besides.
_FOLLOWING = ("build", "deploy", "scale out", "a tick that scales out")


def _acts(kind: Kind) -> list[Case]:
    """Return the acts of the chaos runs, played undisturbed."""
    return [_of_flow(flow, kind) for flow in group_flows.flows() if flow.variables == kind.variables]


def _of_flow(flow: Flow, kind: Kind) -> Case:
    before = [as_declared(kind)]
    if flow.name.startswith(_FOLLOWING):
        before.append(_followed_behind_a_balancer)
    if flow.name.startswith("remove"):
        before += [by_hand.left_over(kind.group), by_hand.attached(kind.group)]
    elif flow.name.startswith(("scale out", "a tick that scales out")):
        stale = by_hand.stale_target if kind.distributor == "nlb" else by_hand.spare_address
        before += [by_hand.interfaces(kind.group), stale(kind.group)]
        before += [by_hand.no_cluster_address(kind)] if kind.topology == "cluster" else []
    elif flow.name.startswith("begin"):
        before.append(by_hand.no_table)
    elif flow.name.startswith(("finish", "a tick that removes")):
        before.append(by_hand.left_over(kind.group, ZONE))
    ticks, balanced = flow.playbook == "autoscale", kind.distributor == "nlb"
    of_ticks = ["Cloudwatch", *(["PortErrors"] if balanced else [])] if ticks else []
    alerts = flow.playbook in ("autoscale", "scale_out", "scale_in")
    given = _given(kind, *of_ticks, *(["Sns", "EventBridge"] if alerts else []))
    options = {"autoscale_publish": True, "autoscale_port_errors": balanced} if ticks else {}
    options |= {"autoscale_alerts": ALERTS} if alerts else {}
    publish = ("-e", json.dumps(options)) if options else ()
    return Case(
        flow.name, flow.playbook, flow.state, (*flow.arguments, *publish), flow.variables, given, all_of(*before)
    )


def _more(kind: Kind) -> list[Case]:
    """Return what the chaos runs have no act for."""
    built, group = group_flows.built(kind), kind.group
    tampering = [as_declared(kind), by_hand.ports(group), by_hand.interfaces(group), by_hand.access(group)]
    report = {"report_group": group, "report_zones": [ZONE], "report_store": STORE, "report_path": REPORT}
    again = {
        **group_flows._by_hand("in", 100),
        "scale_in_event_id": group_flows._by_hand("out", 0)["scale_out_event_id"],
    }
    whole = {name: value for name, value in report.items() if name != "report_zones"}
    cases = [
        ("as it shall be", "autoscale_group", built, {}, as_declared(kind)),
        (
            "asked for again",
            "scale_in",
            group_flows.grown(kind),
            again,
            all_of(as_declared(kind), _followed_behind_a_balancer),
        ),
        ("first tick", "autoscale", built, group_flows._tick(103), as_declared(kind)),
        ("tick beside another job", "autoscale", group_flows.grown(kind), group_flows._tick(700), by_hand.held(kind)),
        ("report of a zone", "report", group_flows.grown(kind), report, None),
        ("report of all zones", "report", group_flows.grown(kind), whole, None),
        ("state", "status", group_flows.grown(kind), {}, None),
        ("alarms", "alarms", built, {}, None),
        ("alarms removed", "alarms", built, {"alarms_state": "absent"}, by_hand.alarms(group)),
    ]
    if kind.distributor == "nlb":
        tampering += [by_hand.ways(group), by_hand.balancer(group)]
        ways = all_of(as_declared(kind), by_hand.ports_open(group), by_hand.ways(group))
        cases += [("applications tampered with", "application", built, {}, ways)]
        if kind.topology == "independent":
            cases += [
                (
                    "remove with its record",
                    "autoscale_group",
                    group_flows.grown(kind),
                    {"autoscale_group_state": "absent"},
                    None,
                )
            ]
            cases += [("another zone", "autoscale_group", built, {}, by_hand.another_zone(kind))]
        growing = [
            ("scale_out", built, group_flows._by_hand("out", 0)),
            ("autoscale", group_flows.busy(kind), group_flows._tick(103)),
        ]
        for playbook, state, values in [("autoscale_group", built, {}), ("application", built, {}), *growing]:
            cases += [(f"names, {playbook}", playbook, state, values, by_hand.named(kind))]
    else:
        for playbook in ("autoscale_group", "application"):
            cases += [(f"hosted zone by id, {playbook}", playbook, built, {}, by_hand.zone_by_id(kind))]
    cases += [("a permissions boundary", "autoscale_group", built, {}, as_declared(kind))]
    cases += [("tampered with", "autoscale_group", built, {}, all_of(*tampering))]
    return [
        Case(
            f"{name}, {kind}", playbook, state, tuple(group_flows._given(values)), kind.variables,
            _given(kind, *_MORE_GIVEN.get(name.partition(",")[0], ())), before,
            bounded=name != "a permissions boundary",
        )
        for name, playbook, state, values, before in cases
    ]  # fmt: skip


# What the definition has in some of these cases.
_MORE_GIVEN = {"names": ("Dns",), "a permissions boundary": ("Boundary",)}

KINDS = (Kind("nlb", "independent"), Kind("dns", "cluster"), Kind("dns", "independent"))


def cases() -> list[Case]:
    """All of them: those of pairs, then those of groups, each kind by itself so that its scenes are built once."""
    return [*PAIRS, *(case for kind in KINDS for case in (*_acts(kind), *_more(kind)))]


def drawn(dice: random.Random) -> list[Case]:
    """Return what a sample takes: one of the runs of a pair, and one that begins to build a group."""
    building = [case for case in cases() if case.playbook == "autoscale_group" and case.name.startswith("build")]
    return [dice.choice(PAIRS), dice.choice(building)]
