"""The lab's rooms together, over the wire: machines from EC2, configuration by NITRO, clients at the Elastic IP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.lab_core.site import PASSWORD, Site, address_of
from tests.integration.lab_core.stubs import connected, is_silent, meets_reset
from tests.lab import traffic
from tests.lab.client import LabClient, wait_for


@pytest.fixture(scope="module")
def site(lab: LabClient) -> Iterator[Site]:
    lab.reset()
    lab.pace(60)
    yield Site(lab)
    lab.reset()


@pytest.fixture
def eip(site: Site) -> str:
    """Return the Elastic IP, on the first appliance, and answered there."""
    address = site.associate(0)
    wait_for(lambda: site.serves(address), f"the Elastic IP answers; {site.lab.state()['dataplane']}")
    return address


def test_clients_at_the_elastic_ip_reach_the_back_ends_in_turn(site: Site, eip: str) -> None:
    assert {site.ask(eip).strip() for _turn in range(4)} == {"backend-1", "backend-2"}
    assert site.serves(address_of(site.instances[0], 1))


def test_a_back_end_that_is_down_is_left_out(site: Site, eip: str) -> None:
    site.lab.backend("backend-1", up=False)
    try:
        assert {site.ask(eip).strip() for _turn in range(4)} == {"backend-2"}
    finally:
        site.lab.backend("backend-1", up=True)
    wait_for(lambda: site.ask(eip).strip() == "backend-1", "it takes its turn again")


def test_only_the_vserver_port_of_the_vip_answers(site: Site) -> None:
    assert meets_reset(address_of(site.instances[0], 1), site.lab.nitro_port)


def test_the_security_group_decides(site: Site, eip: str) -> None:
    site.close_port()
    try:
        with connected(eip, site.port) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert is_silent(connection, 0.4)
    finally:
        site.open_port()
    assert site.serves(eip)


def test_an_association_that_moves_is_an_outage_as_short_as_the_move(site: Site, eip: str) -> None:
    with traffic.Sender(traffic.Aim(eip, site.port), site.lab.directory / "traffic.json") as sender:
        for number in (1, 0, 1):
            site.associate(number)
            wait_for(lambda: site.serves(eip), "it is served")
        report = sender.stop()
    outage = report.longest_outage()
    assert outage is not None
    assert outage.seconds < 1.0, report.text()


def test_a_machine_without_power_is_silent_and_a_move_repairs(site: Site, eip: str) -> None:
    selected_node = site.instances[0]["InstanceId"]
    site.lab.power(selected_node, on=False)
    try:
        for address, port in ((eip, site.port), (site.nodes[0].address, site.lab.nitro_port)):
            with connected(address, port) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert is_silent(connection, 0.4)
        assert site.serves(site.associate(1))
    finally:
        site.lab.power(selected_node, on=True)
    wait_for(site.nodes[0].answers, "the appliance is back", seconds=30)
    site.associate(0)
    wait_for(lambda: site.serves(eip), "it serves what it had saved")


def test_load_is_set_for_all_a_zone_or_one(site: Site) -> None:
    ids = [instance["InstanceId"] for instance in site.instances]
    zones = [instance["Placement"]["AvailabilityZone"] for instance in site.instances]
    assert sorted(site.lab.load(all=True, cpu=10)) == sorted(ids)
    assert site.lab.load(zone=zones[1], memory=91.5) == [ids[1]]
    assert site.lab.load(instance_id=ids[0], throughput=12, connections=4) == [ids[0]]
    assert site.lab.load(zone="eu-central-1c", cpu=50) == []


def test_nitro_calls_are_logged_with_their_address(site: Site, eip: str) -> None:
    calls = site.lab.calls(side="nitro")
    assert {call.address for call in calls} >= {node.address for node in site.nodes}
    operations = [call.op for call in site.lab.writes(side="nitro")]
    assert any("lbvserver" in operation for operation in operations)
    # A login writes only where it sets a password: once on each appliance, the first.
    assert sum("login" in operation for operation in operations) == len(site.nodes)
    assert PASSWORD not in (site.lab.directory / "calls.jsonl").read_text()
    assert PASSWORD not in json.dumps(site.lab.state())
    assert site.lab.state()["ticker_failures"] == {}
