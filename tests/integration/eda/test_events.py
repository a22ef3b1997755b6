"""Event sources, rulebook and inventory on one pair of the lab. In one file, so that one lab serves all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests import rulebook
from tests.lab.client import LabClient, running, wait_for
from tests.lab.settings import CHECKOUT
from tests.observe import Association, Node, Observer
from tests.stage import VARIABLES, Stage

SOURCES = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source"
PACE = 120.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """Yield a lab of its own with the pair of its variables."""
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


def moves(lab: LabClient, since: float) -> int:
    return len([call for call in lab.writes(since, side="aws") if call.op == "AssociateAddress"])


@pytest.mark.parametrize("watchers", [1, 2])
def test_the_source_repairs_by_itself_and_two_of_them_make_one_move(
    lab: LabClient, observer: Observer, tmp_path: Path, watchers: int
) -> None:
    first, [placed] = observer.primary(), observer.elastic_ips()
    args = {**common(lab), "repair": True, "store": {"path": str(tmp_path)}}
    with contextlib.ExitStack() as stack:
        heard = [stack.enter_context(source("ha_watch", args)) for _number in range(watchers)]
        wait_for(lambda: all("watching" in one.types() for one in heard), "they watch", seconds=30)
        since = time.time()
        lab.power(first.instance_id, False)
        wait_for(lambda: any("repaired" in one.types() for one in heard), "it is repaired", seconds=60)
        second = observer.primary()
        assert observer.holder(observer.elastic_ips()[0]) == second != first
        wait_for(lambda: all("primary_changed" in one.types() for one in heard), "both know", seconds=30)
        until = time.time()
        wait_for(lambda: asked(lab, until) >= 6 * watchers, "the other has looked, too", seconds=30)
        assert moves(lab, since) == 1
        assert sum(one.types().count("repaired") for one in heard) == 1
        assert not [one.types() for one in heard if "repair_failed" in one.types()]
        done = next(one for one in heard if "repaired" in one.types()).last("repaired")
    [moved] = done["elastic_ips"]
    assert (moved["elastic_ip"], moved["after"]["network_interface_id"]) == (placed.elastic_ip, second.client_interface)
    assert done["repairs"] is True
    assert [node["nsip"] for node in done["evidence"]["nodes"]] == [first.nsip]
    assert not any(secret in json.dumps([one.events for one in heard]) for secret in secrets(lab))


def test_a_watcher_that_stands_still_is_no_obstacle_to_the_other(
    lab: LabClient, observer: Observer, tmp_path: Path
) -> None:
    """Another watcher took the lease and was stopped: this one acts when it ends, within one dead interval."""
    first = observer.primary()
    stopped = FileStore(tmp_path, Key(common(lab)["group"], "ha_watch"))
    args = {**common(lab), "repair": True, "store": {"path": str(tmp_path)}}
    with source("ha_watch", args) as heard:
        wait_for(lambda: "watching" in heard.types(), "it watches", seconds=30)
        lab.power(first.instance_id, False)
        wait_for(lambda: "node_lost" in heard.types(), "the node is lost", seconds=30)
        stopped.acquire("another watcher", 5.0)
        began = time.monotonic()
        wait_for(lambda: "repaired" in heard.types(), "it is repaired", seconds=60)
        assert 2.0 < time.monotonic() - began < 15.0
    assert observer.holder(observer.elastic_ips()[0]) == observer.primary() != first


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


def test_watching_survives_keys_of_aws_that_are_rotated(
    lab: LabClient,
    observer: Observer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The key is deleted, and a while later the profile holds another one: told once, looked up again, recovered."""
    iam, file = lab.boto("iam"), tmp_path / "credentials"
    iam.create_user(UserName="watcher")

    def rotate() -> str:
        key = iam.create_access_key(UserName="watcher")["AccessKey"]
        lines = [
            "[rotating]",
            f"aws_access_key_id={key['AccessKeyId']}",
            f"aws_secret_access_key={key['SecretAccessKey']}",
        ]
        file.write_text("\n".join(lines) + "\n")
        return str(key["AccessKeyId"])

    def answered(since: float, ok: bool) -> bool:
        found = [call for call in lab.calls(since, side="aws") if call.op == "DescribeAddresses"]
        return any((call.status == 200) is ok for call in found)

    first = rotate()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    args = {**common(lab), "profile": "rotating", "aws_interval": 1}
    del args["access_key"], args["secret_key"]
    with (
        caplog.at_level("WARNING", "cloudadc.aws.ha_watch"),
        source("ha_watch", args) as heard,
    ):
        wait_for(lambda: "watching" in heard.types(), "it watches", seconds=30)
        iam.delete_access_key(UserName="watcher", AccessKeyId=first)
        deleted = time.time()
        wait_for(lambda: answered(deleted, False), "the key is refused", seconds=30)
        wait_for(lambda: len(caplog.records) > 0, "it is told", seconds=30)
        second = rotate()
        rotated = time.time()
        wait_for(lambda: answered(rotated, True), "the new key is used", seconds=30)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1, said
    assert "watching continues with what was known before" in said[0]
    assert heard.types() == ["watching"]
    iam.delete_access_key(UserName="watcher", AccessKeyId=second)
    iam.delete_user(UserName="watcher")


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


def signal_tree(pid: int, number: int) -> None:
    """Send a signal to a process and all that it has started."""
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def force_failover(lab: LabClient, node: Node) -> None:
    """Change the roles at this node, which is primary; the addresses stay where they are."""
    given = common(lab)
    connection = Connection(
        f"{node.nsip}:{given['nitro_port']}", password=given["nitro_pass"], ca_path=given["ca_path"]
    )
    with NitroClient(connection) as client:
        client.act("hafailover", "Force", {"force": True})


def test_playbook_stopped_during_its_write_leaves_the_address_at_the_primary(
    lab: LabClient, observer: Observer
) -> None:
    """ansible-playbook and its module stand still while their call is on the way and the roles change."""
    first, [placed] = observer.primary(), observer.elastic_ips()
    other = next(node for node in observer.nodes() if node.instance_id != first.instance_id)
    put(lab, placed, other)
    lab.hold("AssociateAddress", seconds=120)
    started, _log = Stage(lab).start("ha_failover", "-e", "ha_failover_mode=reconcile")
    assert isinstance(started, subprocess.Popen)
    try:
        wait_for(lambda: lab.held("AssociateAddress"), "it moves the address", seconds=120, pause=0.1)
        signal_tree(started.pid, signal.SIGSTOP)
        force_failover(lab, first)
        wait_for(lambda: observer.primary().instance_id == other.instance_id, "the roles have changed", seconds=60)
        lab.release()
        wait_for(lambda: observer.holder(observer.elastic_ips()[0]) == observer.nodes()[first.node_id], "it has landed")
        signal_tree(started.pid, signal.SIGCONT)
        assert started.wait(timeout=120) == 0
    finally:
        lab.faults()
        with contextlib.suppress(psutil.NoSuchProcess):
            signal_tree(started.pid, signal.SIGKILL)
        started.wait()
    primary = observer.primary()
    assert primary.instance_id == other.instance_id
    assert observer.holder(observer.elastic_ips()[0]) == primary


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
    """Return what ansible-inventory prints, without its mark on texts that came from elsewhere."""
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
