"""The examples of every module, in check mode, against a pair in the lab: ids and addresses are those of the lab.

What an example needs that a documented value cannot be exchanged for is in ``NOT_HERE``, with the reason; those are
validated by tests/unit/docs, and the modules' own tests carry them out.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from tests import examples
from tests.certificates import issue
from tests.lab.seed import DOMAIN
from tests.modules import run_module

from .conftest import Cloud
from .pairs import PASSWORD, Pair

OURS = "cloudadc.aws."
POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 80}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "distributor": "nlb",
    "min_nodes": 2,
    "max_nodes": 6,
}
# (module, number of the task): why the lab's pair cannot carry it out.
NOT_HERE = {
    ("vpx_cluster_node", 0): "the two appliances are a pair, which can be no cluster",
    ("vpx_cluster_node", 1): "the same",
    ("vpx_cluster_node", 2): "the same",
    ("vpx_cluster_node", 3): "the same",
    ("vpx_network", 0): "gateways and subnets are documented ones: tests of vpx_network have the lab's",
    ("vpx_network", 1): "the same, of a cluster",
    ("vpx_snip", 2): "the same: SNIPs of a cluster's nodes",
    ("vpx_stat_info", 2): "nothing publishes to CloudWatch here",
    ("adm_device", 1): "the service's address is another path of the lab's console: tests of adm_device have it",
    ("adm_device", 2): "the same",
    ("nlb_adc_target", 2): "the two target groups would be one here",
    ("route53_adc_record", 2): "the two names would be one here",
    ("route53_adc_record", 3): "health checks of these ids do not exist",
    ("vpx_instance", 2): "subnets of one zone only are put in the place of the documented ones",
    ("vpx_instance", 4): "no node here is marked for an event: test_instance_ownership.py has one",
    ("vpx_shared_resources", 0): "there is no key pair of this name: test_vpx_shared_resources.py has one",
    ("vpx_shared_resources", 1): "no administrator has made a role of this name",
    ("vpx_shared_resources", 2): "the name is a group's here, and is refused to a pair",
    ("vpx_address_failover", 0): "the pair has no floating address and no route: test_vpx_address_failover.py has them",
    ("vpx_address_failover", 1): "the same",
    ("vpx_alert", 1): "needs the result of vpx_status_info: test_status_and_alerts.py has one",
    ("vpx_backup", 0): "there is no bucket: test_config_backup.py has one",
    ("vpx_backup", 1): "the same",
    ("vpx_backup", 2): "the same",
    ("vpx_bootstrap", 3): "needs a certificate for the lab's addresses: test_management_certificate.py has one",
    ("vpx_password", 1): "the two appliances are a pair, which can be no cluster",
    ("vpx_status_info", 1): "the pair here has another name: test_ha_pair_states.py reads a pair by name",
    ("vpx_status_report", 0): "the same",
    ("vpx_status_report", 1): "needs the result of the task before it",
    ("autoscale_evaluate", 1): "needs the event of the task before it, which check mode has not made",
}
FILES = {
    "samples-2025.csv": "timestamp,nodes,cpu\n2025-01-01T00:00:00Z,2,50\n2025-01-01T00:01:00Z,2,91\n",
    "get-metric-data.json": json.dumps(
        {
            "MetricDataResults": [
                {"Id": "m1", "Label": "cpu", "Timestamps": ["2026-03-01T10:00:00+00:00"], "Values": [51.0]},
                {"Id": "m2", "Label": "zone a Mbit/s", "Timestamps": ["2026-03-01T10:00:00+00:00"], "Values": [80.0]},
            ]
        }
    ),
}

POLICIES = Path(__file__).parents[3] / "roles" / "preflight" / "files" / "policies"


class Places:
    """The documented values of one task, and the lab's in their stead; the first NSIP named is that of node 0."""

    def __init__(self, pair: Pair, folder: Path, facts: dict[str, Any]) -> None:
        self.pair = pair
        self.folder = folder
        self.facts = facts
        self._observed: dict[str, list[str]] = {}

    def number(self, kind: str, value: str) -> int:
        observed = self._observed.setdefault(kind, [])
        if value not in observed:
            observed.append(value)
        return min(observed.index(value), 1)

    def nsip(self, value: str) -> str:
        return self.pair.at(self.number("nsip", value))

    def plain_nsip(self, value: str) -> str:
        return self.pair.nsip(self.number("nsip", value))

    def client(self, value: str) -> str:
        return str(self.pair.client(self.number("client", value))["private_ip_address"])

    def server(self, value: str) -> str:
        interfaces = self.pair.nodes[self.number("server", value)]["interfaces"]
        return str(interfaces["server"]["private_ip_address"])

    def instance(self, value: str) -> str:
        return str(self.pair.nodes[self.number("instance", value)]["instance_id"])

    def interface(self, value: str) -> str:
        return str(self.pair.client(1 - self.number("interface", value))["network_interface_id"])

    def elastic(self, value: str) -> str:
        return str(self.facts["elastic_ips"][self.number("elastic", value)])

    def file(self, value: str) -> str:
        return str(self.folder / Path(value).name)

    def subnet(self, beside: dict[str, Any]) -> str:
        """Of the zone that is named beside it, else of the first; for the role beside it, else for clients."""
        zone = self.number("zone", beside["name"]) if "name" in beside else 0
        return self.pair.cloud.subnets(zone)[beside.get("role", "client")]

    def zone(self, value: str) -> str:
        return str(list(self.pair.cloud.seed["subnets"])[self.number("zone", value)])


def localised(module: str, given: Any, places: Places, key: str = "", beside: Any = None) -> Any:
    """The same structure with the lab's values. ``key``: what it is the value of; ``beside``: the keys next to that."""
    if isinstance(given, dict):
        return {name: localised(module, value, places, name, given) for name, value in given.items()}
    if isinstance(given, list):
        return [localised(module, value, places, key, beside) for value in given]
    if not isinstance(given, str):
        return given
    if "{{" in given:
        return template(given, key, places)
    return literal(module, given, places, key, beside)


def template(given: str, key: str, places: Places) -> Any:
    """Return what a variable of the reader would hold."""
    if key.endswith(("pass", "password")):
        return places.facts["adm_password"] if key == "adm_password" else PASSWORD
    for part, value in places.facts["templates"].items():
        if part in given:
            return value
    raise KeyError(f"nothing is known to put in the place of {key}: {given}")


def literal(module: str, given: str, places: Places, key: str, beside: Any) -> Any:
    if key.endswith("_subnet_id"):
        return places.subnet({**beside, "role": key.removesuffix("_subnet_id")})
    address = {"vpx_snip": places.server, "adm_device": places.plain_nsip}.get(module, places.client)
    by_key = {
        "nsip": places.nsip,
        "peer": places.plain_nsip if module == "vpx_ha_node" else places.nsip,
        "nodes": places.nsip,
        "virtual_ip": places.client,
        "private_ip_address": places.client,
        "ip_address": address,
        "instance_id": places.instance,
        "instance_ids": places.instance,
        "identifier": places.instance,
        "network_interface_id": places.interface,
        "expected_owners": lambda _value: str(places.pair.client(0)["network_interface_id"]),
        "elastic_ip": places.elastic,
        "image_id": lambda _value: places.pair.cloud.seed["image_id"],
        "security_groups": lambda _value: places.pair.group_id,
        "subnet_id": lambda _value: places.subnet(beside),
        "path": places.file,
        "recording": places.file,
        "eu-central-1a": places.file,
        "ca_path": lambda _value: places.pair.cloud.lab.ca_path,
        "region": lambda _value: places.pair.cloud.seed["region"],
        "record": lambda _value: f"shop.{DOMAIN}",
        "adm_url": lambda _value: places.pair.cloud.lab.adm_url,
        "adm_user": lambda _value: places.facts["adm_user"],
        "profile": lambda _value: "lab",
        "datacenter": lambda _value: "lab",
        "target_group_name": lambda _value: "shop-web",
        "target_group_arn": lambda _value: places.facts["target_group_arn"],
        "id": places.client if module.startswith("nlb_adc") and given.startswith("10.") else lambda value: value,
        "zone": lambda value: DOMAIN if module == "route53_adc_record" else places.zone(value),
        "zones": places.zone,
        "name": lambda value: places.zone(value) if value.startswith("eu-") else value,
    }
    return by_key.get(key, lambda value: value)(given)


#: Modules that find the nodes of a pair or group by its name.
ASKING_NODES = {
    *("vpx_ha_failover", "vpx_ha_info", "vpx_ha_reconcile", "vpx_ha_remove_node", "vpx_ha_trial", "vpx_upgrade"),
    "autoscale_tick",
}


@pytest.fixture
def facts(pair: Pair, cloud: Cloud, tmp_path: Path) -> dict[str, Any]:
    """What the examples take for granted: a balancer with a target group, a table, an IPSet, a profile, files."""
    lab = cloud.lab
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "cloudadc").mkdir()
    lab.boto("iam").create_instance_profile(InstanceProfileName="shop-vpx")
    table = {"type": "dynamodb", "table": "cloudadc-autoscale"}
    zones = list(cloud.seed["subnets"])
    common = {"group": "shop", "policy": POLICY, "node_count": 2, "sample": {"cpu": 50}}
    for zone in zones[:2]:
        pair.done("autoscale_evaluate", zone=zone, store={**table, "create": True}, **common)
        pair.done("autoscale_evaluate", zone=zone, store={"path": str(tmp_path / "cloudadc")}, **common)
    balanced = [{"name": zone, "subnet_id": cloud.subnets(number)["client"]} for number, zone in enumerate(zones[:2])]
    pair.done("nlb_adc_balancer", name="shop", group="shop", zones=balanced, wait=False)
    listener = {"application": "web", "port": 80}
    ways = pair.done("nlb_adc_listener", load_balancer="shop", group="shop", listeners=[listener])
    addresses = [{"ip_address": pair.client(number)["private_ip_address"]} for number in (0, 1)]
    for number in (0, 1):
        pair.done("vpx_ipset", **pair.nitro(nsip=pair.at(number), name="clients"), addresses=addresses)
    pair.done(
        "vpx_application",
        **pair.nitro(nsip=pair.at(0), name="api"),
        protocol="HTTP",
        port=81,
        ipset="clients",
        backends=[],
    )
    moves = pair.info()["moves"]
    arn = ways["listeners"][0]["target_group_arn"]
    return {
        "elastic_ips": [pair.public_ip, cloud.allocate()[0]],
        "target_group_arn": arn,
        "adm_user": lab.env["LAB_ADM_USER"],
        "adm_password": lab.env["LAB_ADM_PASSWORD"],
        "templates": {
            "vault_las_username": "licences",
            "web.crt": issue().fullchain,
            "checked.definition": read_group(lab.variables("autoscale_nlb"))[0],
            "appliance_ha_minimal.json": json.loads((POLICIES / "appliance_ha_minimal.json").read_text()),
            "web.key": issue().key,
            "nodes.instances": [pair.nsip(0), pair.nsip(1)],
            "pair.moves": moves,
            "item": pair.at(0),
            "ways.listeners": arn,
            "job_id": "job 4711",
            "autoscale_group_policy": POLICY,
            "shop_policy": POLICY,
            "calm_policy": POLICY,
            "eager_policy": POLICY,
            "candidates": {"calm": POLICY},
        },
    }


@pytest.mark.timeout(300)
def test_every_example_of_a_module_does_what_it_says(
    pair: Pair,
    facts: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One pair for all of them, as check mode changes nothing: no example makes the lab count a write."""
    lab = pair.cloud.lab
    monkeypatch.setenv("NETSCALER_NITRO_PASS", PASSWORD)
    monkeypatch.setenv("NETSCALER_CA_PATH", lab.ca_path)
    before = len(lab.writes())
    ran, failed = 0, []
    for module, tasks in examples.module_examples().items():
        for number, task in enumerate(tasks):
            [*action] = [name for name in task if name.startswith(OURS)]
            if not action or (module, number) in NOT_HERE:
                continue
            name = action[0].removeprefix(OURS)
            try:
                given = localised(name, copy.deepcopy(task[action[0]]), Places(pair, tmp_path, facts))
            except KeyError as error:
                failed.append(f"{module} {number}, {task['name']}: {error}")
                continue
            if name in ASKING_NODES and "nsip" not in given:
                given["nitro_port"] = lab.nitro_port
            if name == "vpx_pair_info":
                given["definition"] = read_pair(lab.variables("ha_pair"))[0]
            if name == "adm_device":
                given["ca_path"] = lab.ca_path
            result = run_module(name, given, check=True)
            ran += 1
            if result["failed"]:
                failed.append(f"{module} {number}, {task['name']}: {result.get('msg')}")
    assert not failed, "\n".join(failed)
    assert [call.op for call in lab.writes()[before:]] == []
    with capsys.disabled():
        print(f"\nexamples of modules: {ran} carried out in check mode, {len(NOT_HERE)} only validated")
    assert ran + len(NOT_HERE) >= 55
