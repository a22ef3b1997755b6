"""One pair through the states in which ha_pair may find it, in the order of this file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.lab.client import LabClient, wait_for
from tests.observe import Node, Observer, client
from tests.orphans import left_over
from tests.stage import Stage, StageError

GROUP = "lab-pair"
PACE = 300


@pytest.fixture(scope="module")
def stage(lab: LabClient) -> Iterator[Stage]:
    """The session's lab, empty, at a pace at which nothing is waited for; the appliances have no licence for HA yet."""
    lab.reset()
    lab.pace(PACE)
    lab.settings(nitro={"ha_licensed": False})
    yield Stage(lab, quick=True)
    lab.reset()


def served(lab: LabClient) -> bool:
    """Whether a client gets an answer at the Elastic IP."""
    [association] = Observer(lab).elastic_ips()
    port = lab.variables("ha_pair")["ha_pair_application"]["port"]
    try:
        return requests.get(f"http://{association.elastic_ip}:{port}/", timeout=2).ok
    except requests.RequestException:
        return False


def state_of(lab: LabClient, instance_id: str) -> str:
    [reservation] = lab.boto("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"]
    return str(reservation["Instances"][0]["State"]["Name"])


def roles(lab: LabClient) -> list[str | None]:
    return [node.master_state for node in Observer(lab).nodes()]


def primary(lab: LabClient) -> Node | None:
    try:
        return Observer(lab).primary()
    except StageError:
        return None


def completed(stage: Stage) -> bool:
    """One primary, one secondary, the Elastic IP on the primary, and a client is served."""
    observer = Observer(stage.lab)
    now = primary(stage.lab)
    [association] = observer.elastic_ips()
    holder = observer.holder(association)
    on_primary = now is not None and holder is not None and holder.instance_id == now.instance_id
    return sorted(map(str, roles(stage.lab))) == ["Primary", "Secondary"] and on_primary and served(stage.lab)


@pytest.mark.timeout(600)
def test_a_licence_without_ha_stops_it_and_what_is_there_is_named(stage: Stage) -> None:
    run = stage.play("ha_pair", must_succeed=False)
    assert run.code == 2
    message = run.text()
    nodes = Observer(stage.lab).nodes()
    assert len(nodes) == 2
    assert f"{nodes[0].nsip}:{stage.lab.nitro_port}: add hanode" in message
    assert "the appliance answered 356" in message
    assert "; the appliance's licence does not include high availability" in message
    left = f"Instances {', '.join(node.instance_id for node in nodes)} are running and billed."
    assert left in message
    assert "Remove the cause and run this again: it resumes from here." in message
    assert "remove it all with ha_pair_state=absent" in message
    assert "Traceback" not in message


@pytest.mark.timeout(600)
def test_with_the_licence_the_same_run_goes_on_from_there(stage: Stage) -> None:
    before = [node.instance_id for node in Observer(stage.lab).nodes()]
    stage.lab.settings(nitro={"ha_licensed": True})
    stage.play("ha_pair")
    assert [node.instance_id for node in Observer(stage.lab).nodes()] == before
    assert completed(stage)


@pytest.mark.timeout(600)
def test_check_mode_of_a_pair_that_is_as_it_shall_be(stage: Stage) -> None:
    before = len(stage.lab.writes())
    run = stage.play("ha_pair", "--check", "--diff")
    assert stage.lab.writes()[before:] == []
    assert run.changed() == 0
    text = run.text()
    assert f"Pair {GROUP}: 2 of 2 instances exist. Check mode: nothing was changed." in text
    assert "now: node 0 is primary" in text
    assert "would change nothing" in text


@pytest.mark.timeout(600)
def test_an_instance_that_was_stopped_and_started(stage: Stage) -> None:
    """EC2 stops the primary; the secondary takes over; the old primary comes back, and the address is elsewhere."""
    ec2, lab = stage.lab.boto("ec2"), stage.lab
    [old] = [node for node in Observer(lab).nodes() if node.master_state == "Primary"]
    ec2.stop_instances(InstanceIds=[old.instance_id])
    wait_for(lambda: (now := primary(lab)) is not None and now.instance_id != old.instance_id, "the other takes over")
    wait_for(lambda: state_of(lab, old.instance_id) == "stopped", "it has stopped")
    ec2.start_instances(InstanceIds=[old.instance_id])
    wait_for(lambda: sorted(map(str, roles(lab))) == ["Primary", "Secondary"], "it is back", seconds=30)

    before = len(lab.writes())
    stage.play("ha_pair")
    # The address follows the primary; saving what came over by synchronisation is no harm.
    assert {call.op for call in lab.writes()[before:]} <= {"AssociateAddress", "POST /config/nsconfig?action=save"}
    assert completed(stage)


def primary_of(lab: LabClient) -> Node:
    return node_of(lab, "Primary")


def node_of(lab: LabClient, role: str) -> Node:
    [found] = [node for node in Observer(lab).nodes() if node.master_state == role]
    return found


def successor(lab: LabClient, old: Node) -> Node:
    """Return the node in the place of another one, which is not among the live instances any more."""
    [found] = [node for node in Observer(lab).nodes() if node.node_id == old.node_id]
    assert found.instance_id != old.instance_id
    [described] = lab.boto("ec2").describe_instances(InstanceIds=[found.instance_id])["Reservations"]
    tags = {tag["Key"]: tag["Value"] for tag in described["Instances"][0]["Tags"]}
    assert tags["cloudadc:replaces"] == old.instance_id
    return found


@pytest.mark.timeout(600)
def test_a_stopped_node_is_named_at_once_and_replaced_by_its_node_id(stage: Stage) -> None:
    lab = stage.lab
    old = node_of(lab, "Secondary")
    lab.boto("ec2").stop_instances(InstanceIds=[old.instance_id])
    wait_for(lambda: state_of(lab, old.instance_id) == "stopped", "it has stopped")
    writes = len(lab.writes())
    run = stage.play("ha_pair", must_succeed=False)
    assert f"Node {old.node_id} is {old.instance_id}, which EC2 says is stopped" in run.text()
    assert f"ha_pair_replace_node={old.instance_id}" in run.text()
    assert lab.writes()[writes:] == []

    run = stage.play("ha_pair", "-e", f"ha_pair_replace_node={old.node_id}")
    new = successor(lab, old)
    assert f"node {old.node_id}: {new.instance_id} has replaced {old.instance_id}" in run.text()
    assert completed(stage)
    writes = len(lab.writes())
    run = stage.play("ha_pair", "-e", f"ha_pair_replace_node={old.node_id}")
    assert f"{old.instance_id} is gone, and {new.instance_id}" in run.text()
    assert lab.writes()[writes:] == []


@pytest.mark.timeout(600)
def test_the_primary_is_replaced_after_a_planned_failover_and_clients_are_served(stage: Stage) -> None:
    lab = stage.lab
    old, port = node_of(lab, "Primary"), lab.variables("ha_pair")["ha_pair_application"]["port"]
    [association] = Observer(lab).elastic_ips()
    request = ("-e", f"ha_pair_replace_node={old.instance_id}")
    writes = len(lab.writes())
    assert f"would replace node {old.node_id}" in stage.play("ha_pair", "--check", *request).text()
    assert lab.writes()[writes:] == []
    with client(lab.directory, association.elastic_ip, port, 10) as seen:
        stage.play("ha_pair", *request)
    print(seen.report.text())  # a figure for a reader: how long depends on the machine
    ops = [call.op for call in lab.writes()[writes:]]
    switched = ops.index("POST /config/hafailover?action=Force")
    assert switched < ops.index("AssociateAddress") < ops.index("TerminateInstances") < ops.index("RunInstances")
    assert ops.count("AssociateAddress") == 1
    successor(lab, old)
    assert node_of(lab, "Primary").node_id != old.node_id
    assert completed(stage)
    writes = len(lab.writes())
    assert f"{old.instance_id} is gone" in stage.play("ha_pair", *request).text()
    assert lab.writes()[writes:] == []


@pytest.mark.timeout(600)
def test_a_hung_primary_is_named_at_once_and_moved_to_another_zone(stage: Stage) -> None:
    lab = stage.lab
    old, nodes = node_of(lab, "Primary"), lab.variables("ha_pair")["ha_pair_nodes"]
    lab.power(old.instance_id, on=False)
    wait_for(lambda: (now := primary(lab)) is not None and now.instance_id != old.instance_id, "the other takes over")
    run = stage.play("ha_pair", must_succeed=False)
    assert f"EC2 says that {old.instance_id} is running, instance status impaired" in run.text()
    assert f"ha_pair_replace_node={old.instance_id}" in run.text()

    other = nodes[1 - old.node_id]
    moved = json.dumps({"ha_pair_nodes": [other, other], "ha_pair_replace_node": old.instance_id})
    stage.play("ha_pair", "-e", moved)
    assert successor(lab, old).zone != old.zone
    assert completed(stage)


@pytest.mark.timeout(900)
def test_upgrade_to_an_image_of_another_build(stage: Stage) -> None:
    """Nothing is synchronised between the builds; a node that does not serve hands back; the next run goes on."""
    lab, ec2 = stage.lab, stage.lab.boto("ec2")
    ours = lab.variables("ha_pair")["ha_pair_image_id"]
    image = ec2.copy_image(SourceImageId=ours, SourceRegion="eu-central-1", Name="Citrix ADC 14.1-80.10")["ImageId"]
    lab.settings(nitro={"builds": {image: "NetScaler NS14.1: Build 80.10.nc, Date: Nov 1 2026, 10:00:00   (64-bit)"}})
    old = {node.node_id: node.instance_id for node in Observer(lab).nodes()}
    declared = dict(zip(("eu-central-1a", "eu-central-1b"), lab.variables("ha_pair")["ha_pair_nodes"], strict=True))
    nodes = [declared[node.zone] for node in Observer(lab).nodes()]  # an earlier test has moved one
    request = json.dumps({"ha_pair_nodes": nodes, "ha_pair_image_id": image, "ha_upgrade_bake_time": 2})
    first, port = primary_of(lab), lab.variables("ha_pair")["ha_pair_application"]["port"]
    [association] = Observer(lab).elastic_ips()

    writes = len(lab.writes())
    assert f"would replace {first.instance_id}" in stage.play("upgrade", "--check", "-e", request).text()
    assert lab.writes()[writes:] == []
    with client(lab.directory, association.elastic_ip, port, 10) as seen:
        run = stage.play("upgrade", "-e", request)
    print(seen.report.text())
    assert f"both nodes have image {image}" in run.text()
    now = {node.node_id: node.instance_id for node in Observer(lab).nodes()}
    assert not set(now.values()) & set(old.values())
    described = ec2.describe_instances(InstanceIds=list(now.values()))["Reservations"]
    assert {one["ImageId"] for each in described for one in each["Instances"]} == {image}
    assert completed(stage)
    writes = len(lab.writes())
    assert "Nothing had to be upgraded" in stage.play("upgrade", "-e", request).text()
    assert lab.writes()[writes:] == []


@pytest.mark.timeout(600)
def test_upgrade_in_place_under_clients(stage: Stage) -> None:
    """The instances stay, and both nodes run the build; the second run writes nothing."""
    lab, build, file = stage.lab, "14.1-85.20", "https://builds.example.com/build-14.1-85.20_nc_64.tgz"
    version = "NetScaler NS14.1: Build 85.20.nc, Date: Nov 20 2026, 10:00:00   (64-bit)"
    lab.settings(nitro={"install_builds": {file: version}, "install_seconds": 30.0})
    declared = dict(zip(("eu-central-1a", "eu-central-1b"), lab.variables("ha_pair")["ha_pair_nodes"], strict=True))
    request = json.dumps(
        {
            "ha_pair_nodes": [declared[node.zone] for node in Observer(lab).nodes()],
            "ha_upgrade_method": "install",
            "ha_upgrade_build": build,
            "ha_upgrade_url": file,
            "ha_upgrade_bake_time": 2,
        }
    )
    before = {node.node_id: node.instance_id for node in Observer(lab).nodes()}
    [association] = Observer(lab).elastic_ips()
    writes = len(lab.writes())
    assert "would reboot node" in stage.play("upgrade", "--check", "-e", request).text()
    assert lab.writes()[writes:] == []
    port = lab.variables("ha_pair")["ha_pair_application"]["port"]
    with client(lab.directory, association.elastic_ip, port, 10) as seen:
        run = stage.play("upgrade", "-e", request)
    print(seen.report.text())
    assert f"both nodes have build {build} now, and synchronise" in run.text()
    assert {node.node_id: node.instance_id for node in Observer(lab).nodes()} == before
    writes = len(lab.writes())
    assert "Nothing had to be upgraded" in stage.play("upgrade", "-e", request).text()
    assert lab.writes()[writes:] == []


@pytest.mark.timeout(600)
def test_status_and_page_show_the_pair_and_an_address_moved_by_hand(stage: Stage, tmp_path: Path) -> None:
    lab, files = stage.lab, {"status_json": str(tmp_path / "s.json"), "report_path": str(tmp_path / "pair.html")}
    before = len(lab.writes())
    good = stage.play("status", "-e", json.dumps(files)).text()
    assert "1 pair, 0 groups" in good
    assert "healthy, in sync" in good
    assert "problems:" not in good
    status = json.loads((tmp_path / "s.json").read_text())
    assert [each["misplaced"] for each in status["pairs"][0]["addresses"]] == [False]

    [association] = Observer(lab).elastic_ips()
    [other] = [node for node in Observer(lab).nodes() if node.master_state == "Secondary"]
    ec2 = lab.boto("ec2")
    [found] = ec2.describe_addresses(PublicIps=[association.elastic_ip])["Addresses"]
    ec2.associate_address(AllocationId=found["AllocationId"], NetworkInterfaceId=other.client_interface)
    bad = stage.play("status", "-e", json.dumps({**files, "status_fail": True}), must_succeed=False)
    assert bad.code == 2
    assert f"Elastic IP {association.elastic_ip} is not on the primary" in bad.text()
    stage.play("report", "-e", json.dumps(files))
    assert "misplaced" in (tmp_path / "pair.html").read_text()
    [moved] = lab.writes()[before:]
    assert moved.op == "AssociateAddress", "it was moved by hand; status and report write nothing"

    stage.environment = {"NETSCALER_NITRO_PASS": ""}
    blind = stage.play("status", "-e", json.dumps({**files, "ha_pair_password": ""})).text()
    stage.environment = {}
    assert "not asked" in blind
    assert "appliances were not asked: give nitro_pass" in blind
    unknown = stage.play("status", "-e", json.dumps({"status_pairs": ["nope"]}), must_succeed=False)
    assert unknown.code == 2
    assert f"has no pair nope with an instance (tag cloudadc:group). Pairs and groups there: pair {GROUP}" in (
        " ".join(unknown.text().split())
    )
    stage.play("ha_failover", "-e", "ha_failover_mode=reconcile")
    assert completed(stage)


@pytest.mark.timeout(600)
def test_what_was_made_goes_once_and_what_others_made_stays(stage: Stage) -> None:
    stage.play("ha_pair", "-e", "ha_pair_state=absent")
    assert left_over(stage.lab, GROUP) == {}
    iam = stage.lab.boto("iam")
    iam.create_role(RoleName=f"{GROUP}-vpx", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName=f"{GROUP}-vpx")
    iam.add_role_to_instance_profile(InstanceProfileName=f"{GROUP}-vpx", RoleName=f"{GROUP}-vpx")
    before = len(stage.lab.writes())
    run = stage.play("ha_pair", "-e", "ha_pair_state=absent")
    assert stage.lab.writes()[before:] == []
    assert run.changed() == 0
    assert left_over(stage.lab, GROUP) == {"roles": [f"{GROUP}-vpx"], "instance profiles": [f"{GROUP}-vpx"]}
