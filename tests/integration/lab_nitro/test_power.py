"""Boot, reboot, power, and what is left of the configuration.

Sources: vendor docs "VPX on AWS" (first login, status checks), NITRO reference ns/reboot and ns/nsconfig (running and
saved configuration); the Terraform provider's change 1400 (503 without JSON after a warm reboot).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.lab_nitro.harness import Bench, Client, refused
from tests.lab.world import Door

A = "127.77.1.10"


def ready(bench: Bench) -> bool:
    return bench.side.door(A) is Door.OPEN and bench.side.state()["i-0aaa"]["stage"] == "ready"


def test_a_boot_goes_through_its_stages(bench: Bench) -> None:
    bench.launch("i-0aaa", A)
    times = bench.side.settings.cold
    doors = []
    for length in (times.dark, times.closed, times.no_tls, times.unready):
        bench.wait(length / 2, step=5)
        doors.append(bench.side.door(A))
        bench.wait(length / 2, step=5)
    assert doors == [Door.DARK, Door.CLOSED, Door.NO_TLS, Door.OPEN]
    assert ready(bench)


def test_an_appliance_that_is_not_ready_answers_503_without_json(bench: Bench) -> None:
    bench.launch("i-0aaa", A)
    times = bench.side.settings.cold
    bench.wait(times.dark + times.closed + times.no_tls + 1, step=5)
    reply = bench.client(A).get("config/nsversion")
    assert reply.status_code == 503
    assert reply.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("warm", [True, False])
def test_a_reboot_discards_what_was_not_saved(bench: Bench, node: Client, warm: bool) -> None:
    node.add("ipset", name="kept")
    node.do("nsconfig", "save")
    assert node.rows("nsconfig")[0]["configchanged"] is False
    node.add("ipset", name="lost")
    assert node.rows("nsconfig")[0]["configchanged"] is True
    assert bench.side.state()["i-0aaa"]["unsaved"] is True
    assert node.post("config/reboot", {"reboot": {"warm": warm}}).status_code in (200, 201)
    assert not ready(bench)
    assert bench.side.door(A) is Door.CLOSED  # not dark at once: the answer to the command still gets out
    settings = bench.side.settings
    total = settings.warm.total if warm else settings.closing_seconds + settings.cold.total
    bench.wait(total - 1, step=2)
    assert not ready(bench)
    bench.wait(2)
    assert [row["name"] for row in node.login().rows("ipset")] == ["kept"]


def test_two_saves_at_once_collide(bench: Bench, node: Client) -> None:
    bench.side.settings.save_seconds = 2.0
    node.do("nsconfig", "save")
    body: dict[str, dict[str, str]] = {"nsconfig": {}}
    assert refused(node.post("config/nsconfig?action=save", body)) == (599, 293)
    bench.side.settings.save_collision_code = 1461
    assert refused(node.post("config/nsconfig?action=save", body)) == (599, 1461)
    bench.wait(2)
    assert node.post("config/nsconfig?action=save", body).status_code == 200


def test_the_power_switch_takes_the_running_configuration_and_ec2_does_not_notice(bench: Bench, node: Client) -> None:
    node.do("nsconfig", "save")
    node.add("ipset", name="lost")
    bench.side.power("i-0aaa", on=False)
    assert bench.region.facts["i-0aaa"].state == "running"
    assert bench.side.door(A) is Door.DARK
    assert bench.side.state()["i-0aaa"]["power"] is False
    bench.wait(100, step=20)
    assert bench.side.door(A) is Door.DARK
    bench.side.power("i-0aaa", on=True)
    bench.wait(bench.side.settings.cold.total + 1, step=5)
    assert node.login().rows("ipset") == []
    with pytest.raises(KeyError):
        bench.side.power("i-unknown", on=True)


def test_stopping_starting_and_rebooting_through_ec2(bench: Bench, node: Client) -> None:
    node.do("nsconfig", "save")
    bench.region.facts["i-0aaa"] = replace(bench.region.facts["i-0aaa"], state="stopped")
    bench.wait(1)
    assert bench.side.door(A) is Door.DARK
    started = replace(bench.region.facts["i-0aaa"], state="running", started_at=bench.clock.now())
    bench.region.facts["i-0aaa"] = started
    bench.wait(bench.side.settings.cold.total + 1, step=5)
    assert ready(bench)
    assert refused(node.get("config/nsversion")) == (401, 444)
    bench.region.facts["i-0aaa"] = replace(started, reboots=1)
    bench.wait(1)
    assert not ready(bench)


def test_a_terminated_instance_does_not_answer(bench: Bench, node: Client) -> None:
    del bench.region.facts["i-0aaa"]
    bench.side.tick()
    assert bench.side.door(A) is Door.ABSENT
    assert bench.side.state() == {}


def test_management_addresses(bench: Bench, node: Client) -> None:
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP", mgmtaccess="ENABLED")
    node.add("nsip", ipaddress="127.77.2.10", netmask="255.255.255.0", type="VIP")
    assert bench.side.door("127.77.2.11") is Door.OPEN
    assert bench.side.door("127.77.2.10") is Door.CLOSED
    assert bench.client("127.77.2.11").login().rows("nsversion")
    node.do("nsip", "unset", ipaddress="127.77.2.11", mgmtaccess=True)
    assert bench.side.door("127.77.2.11") is Door.CLOSED
    assert bench.side.door("127.77.99.99") is Door.ABSENT


def test_factory_configuration(bench: Bench) -> None:
    node = bench.booted("i-0bbb", "127.77.1.11", "127.77.2.12")
    assert [(row["ipaddress"], row["type"]) for row in node.rows("nsip")] == [("127.77.1.11", "NSIP")]
    assert "feature" not in node.rows("nsfeature")[0]
    assert node.rows("nsfeature")[0]["lb"] is False
    assert [row["id"] for row in node.rows("Interface")] == ["1/1", "1/2", "LO/1"]
    assert [row["network"] for row in node.rows("route")] == ["0.0.0.0"]
    version = node.rows("nsversion")[0]
    assert version["version"].startswith("NetScaler NS14.1: Build ")
    assert version["mode"] == "1"


def test_clearing_the_configuration_keeps_address_and_password(bench: Bench, node: Client) -> None:
    node.add("ipset", name="ips")
    node.do("nsconfig", "clear", force=True, level="full")
    assert node.rows("ipset") == []
    assert [row["type"] for row in node.rows("nsip")] == ["NSIP"]
    node.login()
    assert refused(node.post("config/nsconfig?action=clear", {"nsconfig": {"force": True}})) == (400, 1095)


def test_secrets_are_in_no_state(bench: Bench, node: Client) -> None:
    node.set("nsrpcnode", ipaddress=A, password="rpc-secret")
    state = str(bench.side.state())
    assert "Sesame-2026" not in state
    assert "rpc-secret" not in state
    assert "digest:" in state
