"""install, nsjob and nsversion of the lab: where a build is, and when it runs.

Sources: vendor's NITRO reference, install and nsjob; adc-nitro-go, Install (Async, id), Nsversion (installedversion);
the vendor's playbooks in netscaler/automation-toolkit (a build installed without a reboot runs after a cold one).
"""

from __future__ import annotations

import pytest

from tests.integration.lab_nitro.harness import Bench, Client, refused

FILE = "https://builds.example.com/b.tgz"
BUILD = "NetScaler NS14.1: Build 80.10.nc, Date: x"


@pytest.fixture
def installable(bench: Bench, node: Client) -> Client:
    bench.side.settings.install_builds = {FILE: BUILD}
    return node


def versions(node: Client) -> tuple[bool, bool]:
    """Whether the build runs, and whether it is on the disk."""
    found = [node.get(f"config/nsversion{args}").json()["nsversion"] for args in ("", "?args=installedversion:true")]
    assert [one["installedversion"] for one in found] == [False, True]
    return found[0]["version"] == BUILD, found[1]["version"] == BUILD


def reboot(bench: Bench, node: Client, *, warm: bool) -> None:
    node.do("nsconfig", "save")
    node.post("config/reboot", {"reboot": {"warm": warm}})
    settings = bench.side.settings
    bench.wait((settings.warm.total if warm else settings.cold.total) + settings.closing_seconds + 1, step=5)
    node.login()


def test_an_installed_build_runs_after_a_cold_reboot_only(bench: Bench, installable: Client) -> None:
    node = installable
    reply = node.post("config/install", {"install": {"url": f"{FILE}?signed=1", "y": False, "Async": True}}).json()
    assert reply["install"] == [{"id": "1"}]
    assert refused(node.post("config/install", {"install": {"url": FILE, "Async": True}}))[1] == 293
    assert [row["status"] for row in node.rows("nsjob")] == ["InProgress"]
    bench.wait(bench.side.settings.install_seconds + 1, step=20)
    assert [row["status"] for row in node.rows("nsjob")] == ["Success"]
    assert versions(node) == (False, True)
    reboot(bench, node, warm=True)
    assert versions(node) == (False, True)
    reboot(bench, node, warm=False)
    assert versions(node) == (True, True)
    assert node.rows("nsjob") == []


def test_a_file_that_cannot_be_fetched_and_a_release_without_async(bench: Bench, installable: Client) -> None:
    node = installable
    node.post("config/install", {"install": {"url": "https://elsewhere/b.tgz", "Async": True}})
    bench.wait(bench.side.settings.install_seconds + 1, step=20)
    [job] = node.rows("nsjob")
    assert (job["status"], job["message"]) == ("Failed", "the build file could not be fetched")
    bench.side.settings.install_in_background = False
    assert refused(node.post("config/install", {"install": {"url": FILE, "Async": True}})) == (400, 1090)
    assert node.post("config/install", {"install": {"url": FILE}}).ok
    assert versions(node) == (False, True)
