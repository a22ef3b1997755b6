"""Event sources, rulebook and inventory on one pair of the lab. In one file, so that one lab serves all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import rulebook
from tests.lab.client import LabClient, running, wait_for
from tests.lab.settings import CHECKOUT
from tests.observe import Association, Node, Observer
from tests.stage import VARIABLES, Stage

SOURCES = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source"
PACE = 120.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """A lab of its own with the pair of its variables."""
    with running(tmp_path_factory.mktemp("eda"), {"LAB_PACE": str(PACE)}) as client:
        Stage(client, quick=True).play("ha_pair")
        yield client


@pytest.fixture
def observer(lab: LabClient) -> Observer:
    """Eyes on a pair that is whole, with its Elastic IP where the primary is."""
    observed = Observer(lab)
    heal(lab, observed)
    [association] = observed.elastic_ips()
    put(lab, association, observed.primary())
    return observed


def heal(lab: LabClient, observer: Observer) -> None:
    """Both nodes have power and are primary and secondary."""
    lab.pace(PACE)
    for node in observer.nodes():
        lab.power(node.instance_id, True)
    wait_for(
        lambda: sorted(str(node.master_state) for node in observer.nodes()) == ["Primary", "Secondary"],
        "both nodes are a pair",
        seconds=120,
        pause=0.2,
    )
    lab.pace(1)


def put(lab: LabClient, association: Association, node: Node) -> None:
    """The Elastic IP on the client address of this node."""
    ec2 = lab.boto("ec2")
    [found] = ec2.describe_addresses(PublicIps=[association.elastic_ip])["Addresses"]
    ec2.associate_address(
        AllocationId=found["AllocationId"],
        NetworkInterfaceId=node.client_interface,
        PrivateIpAddress=node.client_address,
        AllowReassociation=True,
    )


class Heard(asyncio.Queue[Any]):
    """The queue of ansible-rulebook, as far as a source knows it; ``events`` in the order of their coming."""

    def __init__(self) -> None:
        super().__init__(1)
        self.events: list[dict[str, Any]] = []

    async def put(self, item: dict[str, Any]) -> None:
        self.events.append(item)

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def last(self, kind: str) -> dict[str, Any]:
        return next(event for event in reversed(self.events) if event["type"] == kind)


@contextlib.contextmanager
def source(name: str, args: dict[str, Any]) -> Iterator[Heard]:
    """A source as ansible-rulebook starts it, from its path, in a loop of its own; it must end when it is cancelled."""
    main = runpy.run_path(str(SOURCES / f"{name}.py"))["main"]
    heard, failures = Heard(), []
    loop = asyncio.new_event_loop()
    task = loop.create_task(main(heard, args))

    def work() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=30)
        loop.close()
    assert not failures, failures
    assert not thread.is_alive()


def common(lab: LabClient) -> dict[str, Any]:
    """Arguments of both sources on this lab; secrets as a vault would hand them over."""
    variables = lab.variables(VARIABLES)
    return {
        "group": variables["ha_pair_name"],
        "nitro_pass": variables["ha_pair_password"],
        "nitro_port": variables["ha_pair_nitro_port"],
        "ca_path": variables["ha_pair_ca_path"],
        "region": lab.env["AWS_REGION"],
        "endpoint_url": lab.env["AWS_ENDPOINT_URL"],
        "access_key": lab.env["AWS_ACCESS_KEY_ID"],
        "secret_key": lab.env["AWS_SECRET_ACCESS_KEY"],
    }


def secrets(lab: LabClient) -> list[str]:
    variables = lab.variables(VARIABLES)
    return [
        variables["ha_pair_password"],
        variables["ha_pair_rpc_password"],
        lab.env["AWS_SECRET_ACCESS_KEY"],
    ]


def asked(lab: LabClient, since: float) -> int:
    """How often both nodes were asked who is primary."""
    return len([call for call in lab.calls(since, side="nitro") if call.op.endswith("/hanode")])


def test_a_pair_is_watched(lab: LabClient, observer: Observer) -> None:
    first, [association], since = observer.primary(), observer.elastic_ips(), time.time()
    quick = {"returned_after": 1, "astray_after": 1, "aws_interval": 2}
    with source("ha_watch", {**common(lab), **quick}) as heard:
        wait_for(lambda: asked(lab, since) >= 6, "both nodes are asked each second", seconds=30)
        assert heard.types() == ["watching"], "a healthy pair causes no further event"
        logins = [call for call in lab.calls(since, side="nitro") if call.op.endswith("/login")]
        assert len(logins) == 2, "one session a node, not one a look"
        lab.power(first.instance_id, False)
        wait_for(lambda: "eip_astray" in heard.types(), "the Elastic IP is elsewhere", seconds=60)
        assert heard.types() == ["watching", "node_lost", "primary_changed", "eip_astray"]
        lost, changed, misplaced = heard.events[1:]
        assert lost["node"]["instance_id"] == changed["previous"]["instance_id"] == first.instance_id
        assert lost["was_primary"] is True
        second = changed["primary"]
        assert second["instance_id"] == observer.primary().instance_id != first.instance_id
        [where] = misplaced["elastic_ips"]
        assert (where["elastic_ip"], where["network_interface_id"]) == (association.elastic_ip, first.client_interface)
        put(lab, association, observer.primary())
        wait_for(lambda: "eip_settled" in heard.types(), "the Elastic IP is back", seconds=30)
        heal(lab, observer)
        wait_for(lambda: "node_returned" in heard.types(), "the node is back", seconds=60)
        until = time.time()
        wait_for(lambda: asked(lab, until) >= 4, "watching goes on", seconds=30)
        assert heard.types()[1:] == ["node_lost", "primary_changed", "eip_astray", "eip_settled", "node_returned"]
    message = json.dumps(heard.events)
    assert not any(secret in message for secret in secrets(lab))
    own = {call.op for call in lab.writes(since)} - {"AssociateAddress"}
    assert not [op for op in own if "login" not in op and "logout" not in op], "a source writes nothing"


def test_what_is_wrong_at_the_start_is_told(lab: LabClient, observer: Observer) -> None:
    [association] = observer.elastic_ips()
    other = next(node for node in observer.nodes() if node.instance_id != observer.primary().instance_id)
    put(lab, association, other)
    with source("ha_watch", {**common(lab), "astray_after": 0.5}) as heard:
        wait_for(lambda: "eip_astray" in heard.types(), "the Elastic IP is elsewhere", seconds=30)
    assert heard.types() == ["watching", "eip_astray"]


def test_a_password_that_is_refused_is_not_tried_each_second(lab: LabClient, observer: Observer) -> None:
    since = time.time()
    with source("ha_watch", {**common(lab), "nitro_pass": "Wrong-Passw0rd"}) as heard:
        wait_for(lambda: heard.types().count("node_lost") == 2, "no node says what it is", seconds=30)
        time.sleep(2.5)  # long enough for two more looks, were there any
    refused = [call for call in lab.calls(since, side="nitro") if call.op.endswith("/login")]
    assert len(refused) == 2
    assert "Wrong-Passw0rd" not in json.dumps(heard.events)


@contextlib.contextmanager
def of_a_group(lab: LabClient, instance_id: str) -> Iterator[None]:
    """Make a node of the pair one of a group for a while: a tick leaves nodes of pairs alone."""
    ec2 = lab.boto("ec2")
    ec2.create_tags(Resources=[instance_id], Tags=[{"Key": "cloudadc:kind", "Value": "group"}])
    try:
        yield
    finally:
        ec2.create_tags(Resources=[instance_id], Tags=[{"Key": "cloudadc:kind", "Value": "pair"}])


def test_an_event_is_repeated_only_without_an_executor(lab: LabClient, observer: Observer, tmp_path: Path) -> None:
    node = observer.nodes()[0]
    zone = node.zone
    lab.load(all=True, memory=95)
    policy = {
        "metrics": {"memory": {"min": 40, "max": 85}},
        "interval": 1,
        "watch_time": 0.05,
        "cooldown": 1,
        "drain_timeout": 1,
        "min_nodes": 1,
        "max_nodes": 3,
    }
    args = {"zones": [{"name": zone}], "policy": policy, "distributor": "nlb", "lease_seconds": 4}
    with of_a_group(lab, node.instance_id):
        since = time.time()
        with source("autoscale_ticks", {**common(lab), **args, "store": {"path": str(tmp_path)}}) as heard:
            wait_for(lambda: len(heard.events) > 1, "the action is told again", seconds=60)
        ended = time.time()
    first, again = heard.events[:2]
    assert (first["type"], first["zone"], first["count"], first["resumed"]) == ("scale_out", zone, 1, False)
    assert "memory 95" in first["reason"]
    assert (again["event_id"], again["resumed"]) == (first["event_id"], True)
    assert again["owner"] != first["owner"]
    assert not any(secret in json.dumps(heard.events) for secret in secrets(lab))
    assert [call.op for call in lab.calls(since, side="aws") if call.write and call.t < ended] == []


@pytest.mark.timeout(600)
def test_the_rulebook_repairs(lab: LabClient, observer: Observer) -> None:
    first, [association] = observer.primary(), observer.elastic_ips()
    with rulebook.running(lab, "cloudadc.aws.ha_failover", lab.variables_path(VARIABLES)) as watcher:
        rulebook.watching(watcher)
        lab.power(first.instance_id, False)
        wait_for(lambda: observer.elastic_ips() != [association], "the Elastic IP has moved", seconds=120, pause=0.2)
        assert observer.holder(observer.elastic_ips()[0]) == observer.primary()
        assert watcher.types()[:3] == ["watching", "node_lost", "primary_changed"]
        message = watcher.text()
    assert not any(secret in message for secret in secrets(lab))


def plain(value: Any) -> Any:
    """What ansible-inventory prints, without its mark on texts that came from elsewhere."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_the_inventory(lab: LabClient, observer: Observer) -> None:
    shown = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-inventory"), "-i", "docs/examples/shop.aws_ec2.yml", "--list"],
        cwd=CHECKOUT,
        env=lab.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Failed to parse" not in shown.stderr, shown.stderr
    found = plain(json.loads(shown.stdout))
    nodes = observer.nodes()
    hosts = found["_meta"]["hostvars"]
    assert {facts["nsip"]: facts["instance_id"] for facts in hosts.values()} == {n.nsip: n.instance_id for n in nodes}
    group = lab.variables(VARIABLES)["ha_pair_name"].replace("-", "_")
    everybody = sorted(hosts)
    for name in (f"group_{group}", "lifecycle_in_service", "role_vpx", "cloudadc_reachable"):
        assert sorted(found[name]["hosts"]) == everybody, name
    for node in nodes:
        [host] = found[f"zone_{node.zone.replace('-', '_')}"]["hosts"]
        assert hosts[host]["instance_id"] == node.instance_id
        assert hosts[host]["client_addresses"] == [node.client_address]
        assert hosts[host]["node_id"] == str(node.node_id)
        assert hosts[host]["ansible_connection"] == "local"
