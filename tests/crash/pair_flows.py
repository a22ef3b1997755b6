"""The flows of pairs whose addresses are of each kind, of replacements, upgrades and restores; where they start."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from tests.crash.crash_injection import Flow
from tests.crash.lab_states import EMPTY, NEWER_BUILD, NEWER_FILE, PAIR, UPGRADABLE, LabState
from tests.observe import Observer
from tests.stage import Stage

BUCKET = "example-adc-backups"
GIVEN = ("-e", f"config_backup_bucket={BUCKET}")
_NEW_BUILD = "NetScaler NS14.1: Build 80.10.nc, Date: Nov 1 2026, 10:00:00   (64-bit)"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of VIP. ``zones``: numbers of the zones of both nodes; ``definition``: variables of the pair."""

    name: str
    zones: tuple[int, int]
    definition: Callable[[Stage], dict[str, Any]]

    @property
    def variables(self) -> str:
        """Return the name of the file of variables."""
        return f"chaos_{self.name}"

    @property
    def account(self) -> LabState:
        return LabState(f"an account for a pair with a VIP of kind {self.name}", self._write_variables)

    @property
    def built(self) -> LabState:
        return LabState(f"a pair with a VIP of kind {self.name} whose node 0 is primary", self._build)

    def _write_variables(self, stage: Stage) -> None:
        EMPTY.set_up(stage)
        subnets = list(stage.lab.state()["seed_data"]["subnets"].values())
        values = stage.lab.variables("ha_pair") | self.definition(stage)
        values["ha_pair_nodes"] = [
            {f"{role}_subnet_id": name for role, name in subnets[zone].items()} for zone in self.zones
        ]
        stage.lab.variables_path(self.variables).write_text(json.dumps(values))

    def _build(self, stage: Stage) -> None:
        self.account.set_up(stage)
        stage.play("ha_pair", variables=self.variables)
        if Observer(stage.lab).primary().node_id != 0:
            stage.play("ha_failover", "-e", "ha_failover_to=0", variables=self.variables)


def _route(stage: Stage) -> dict[str, Any]:
    lab = stage.lab
    address = str(ipaddress.ip_network(lab.state()["seed_data"]["routed_cidr"])[9])
    [table] = lab.boto("ec2").describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["lab"]}])["RouteTables"]
    vip = {"name": "internal", "kind": "route", "virtual_ip": address, "route_table_ids": [table["RouteTableId"]]}
    return {"ha_pair_vips": [vip]}


def _private_ip(stage: Stage) -> dict[str, Any]:
    network = ipaddress.ip_network(stage.lab.state()["seed_data"]["vpc_cidr"])
    vip, snip = (str(network.network_address + 256 * subnet + 200) for subnet in (11, 21))
    vips = [{"name": "web", "kind": "private_ip", "private_ip_address": vip}]
    return {"ha_pair_vips": vips, "ha_pair_inc": False, "ha_pair_snip": snip}


KINDS = (Kind("route", (0, 1), _route), Kind("private_ip", (0, 0), _private_ip))


def nitro(stage: Stage, nsip: str, method: str, path: str, **fields: Any) -> None:
    """Make a request of NITRO as an administrator."""
    values, kind = stage.lab.variables("ha_pair"), path.partition("?")[0]
    reply = requests.request(
        method,
        f"https://{nsip}:{values['ha_pair_nitro_port']}/nitro/v1/config/{path}",
        json={kind: fields},
        headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": values["ha_pair_password"]},
        verify=values["ha_pair_ca_path"],
        timeout=10,
    )
    if reply.status_code >= 300:
        raise RuntimeError(f"{method} {path}: {reply.text}")


def by_hand(stage: Stage) -> None:
    """Configure what no definition has: a further virtual server with a service group on the primary."""
    node = Observer(stage.lab).primary()
    nitro(stage, node.nsip, "POST", "servicegroup", servicegroupname="reports", servicetype="HTTP")
    nitro(
        stage, node.nsip, "POST", "lbvserver",
        name="reports", servicetype="HTTP", ipv46=node.client_address, port=8091,
    )  # fmt: skip
    nitro(
        stage, node.nsip, "PUT", "lbvserver_servicegroup_binding",
        name="reports", servicegroupname="reports",
    )  # fmt: skip
    nitro(stage, node.nsip, "POST", "nsconfig?action=save")


def create_bucket(stage: Stage) -> None:
    s3 = stage.lab.boto("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": stage.lab.env["AWS_REGION"]})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def _by_hand(stage: Stage) -> None:
    PAIR.set_up(stage)
    by_hand(stage)
    create_bucket(stage)


CONFIGURED = LabState("a pair with configuration that no definition has, and a bucket", _by_hand)


def _lost(stage: Stage) -> None:
    CONFIGURED.set_up(stage)
    stage.play("backup", *GIVEN)
    nodes = [node.instance_id for node in Observer(stage.lab).nodes()]
    stage.lab.boto("ec2").terminate_instances(InstanceIds=nodes)


LOST = LabState("a pair that has a backup and lost both instances", _lost)


def _outdated(stage: Stage) -> None:
    """The variables name an image of another build than that of the nodes."""
    CONFIGURED.set_up(stage)
    lab, values = stage.lab, stage.lab.variables("ha_pair")
    image = lab.boto("ec2").copy_image(
        SourceImageId=values["ha_pair_image_id"], SourceRegion=lab.env["AWS_REGION"], Name="Citrix ADC 14.1-80.10"
    )["ImageId"]
    lab.settings(nitro={"builds": {image: _NEW_BUILD}})
    values |= {"ha_pair_image_id": image, "ha_upgrade_bake_time": 1}
    lab.variables_path("chaos_upgrade").write_text(json.dumps(values))


OUTDATED = LabState("a pair of an older build than its definition", _outdated)

REPLACE = Flow("replace", "ha_pair", ("-e", "ha_pair_replace_node=0"), PAIR)
BACKUP = Flow("backup", "backup", (*GIVEN, "-e", "config_backup_retention=1"), CONFIGURED)
RESTORE = Flow("restore", "restore", GIVEN, LOST)
UPGRADE = Flow("upgrade", "upgrade", (), OUTDATED, variables="chaos_upgrade")
_IN_PLACE = {
    "ha_upgrade_method": "install",
    "ha_upgrade_build": NEWER_BUILD,
    "ha_upgrade_url": NEWER_FILE,
    "ha_upgrade_bake_time": 0,
}
IN_PLACE = Flow("upgrade in place", "upgrade", ("-e", json.dumps(_IN_PLACE)), UPGRADABLE)
FAILOVERS = [
    Flow(f"failover {kind.name}", "ha_failover", ("-e", "ha_failover_to=1"), kind.built, variables=kind.variables)
    for kind in KINDS
]
BUILDS = [Flow(f"build {kind.name}", "ha_pair", (), kind.account, variables=kind.variables) for kind in KINDS]
REMOVALS = [
    Flow(
        f"remove {kind.name}", "ha_pair", ("-e", "ha_pair_state=absent"), kind.built,
        variables=kind.variables, back_to=kind.account,
    )
    for kind in KINDS
]  # fmt: skip
ALL = [REPLACE, BACKUP, RESTORE, UPGRADE, IN_PLACE, *BUILDS, *FAILOVERS, *REMOVALS]
