"""vpx_upgrade on a real pair of the lab: refusals, failures with the pair left whole, the way back, and ISSU."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import software
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import upgrade_in_place

from .pairs import PASSWORD, Pair

OLD, NEW = "14.1-72.61", "14.1-80.10"
VERSIONS = {
    "https://builds.example.com/new.tgz": "NetScaler NS14.1: Build 80.10.nc, Date: Nov 1 2026, 10:00:00   (64-bit)",
    "https://builds.example.com/old.tgz": "NetScaler NS14.1: Build 72.61.nc, Date: Aug 20 2026, 11:31:14   (64-bit)",
}
NEW_FILE, OLD_FILE = VERSIONS


class Upgraded:
    """A pair with the builds that its appliances can fetch."""

    def __init__(self, pair: Pair) -> None:
        self.pair, self.lab = pair, pair.cloud.lab
        self.lab.settings(nitro={"install_builds": VERSIONS, "install_seconds": 30.0, "migration_seconds": 20.0})

        placed = {"group": "shop", "nitro_port": self.lab.nitro_port, **pair.nitro()}
        pair.done("vpx_ha_reconcile", **placed)

    def run(self, **more: Any) -> dict[str, Any]:
        options = {"group": "shop", "nitro_port": self.lab.nitro_port, "build": NEW, "url": NEW_FILE, "bake_time": 0}
        return self.pair.cloud.run("vpx_upgrade", **self.pair.nitro(**{**options, **more}))

    def steps(self, since: int) -> list[str]:
        """What was done to the software of appliances, in order."""
        paths = ("install", "reboot", "hafailover", "nsmigration")
        calls = [call.op for call in self.lab.calls(side="nitro")[since:] if call.write]
        return [op.split("/config/")[1] for op in calls if any(f"/config/{path}" in op for path in paths)]

    def node(self, number: int) -> NitroClient:
        connection = Connection(self.pair.at(number), password=PASSWORD, ca_path=self.lab.ca_path)
        return NitroClient(connection)

    def exchanges(self) -> list[bool]:
        """Whether each node synchronises and propagates."""
        found = []
        for number in (0, 1):
            with self.node(number) as client:
                read = software.read_software(client)
            found.append(read.synchronises and read.propagates)
        return found


@pytest.mark.timeout(600)
def test_a_pair_is_upgraded_in_place_whatever_fails_on_the_way(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """One scenario, because building a pair takes most of the time."""
    monkeypatch.setattr(software, "_LOOK", 0.3)
    upgraded = Upgraded(pair)
    asked = len(pair.cloud.lab.calls(side="nitro"))

    for options, reason in (
        ({"build": "14.1-66.59", "allow_vulnerable": True}, "is older than 14.1-72.61"),
        ({"build": "14.1-66.59", "allow_downgrade": True}, "has CVE-2026-8451"),
        ({"issu": "require"}, "No ISSU migration is possible: node 0"),
        ({"url": "s3://bucket/b.tgz"}, "url must begin with http://"),
    ):
        refused = upgraded.run(**options)
        assert refused["failed"], options
        assert reason in refused["msg"]
    predicted = upgraded.run(step="check")
    assert (predicted["changed"], len(predicted["steps"])) == (False, 8), predicted
    assert upgraded.steps(asked) == []

    # The file cannot be fetched: nothing is rebooted, and the pair synchronises as before.
    failed = upgraded.run(url="https://user:word@builds.example.com/none.tgz")
    assert "the build file could not be fetched (code 257); nothing was rebooted, and the pair" in failed["msg"], failed
    assert "word" not in str({**failed, "invocation": None})
    assert upgraded.exchanges() == [True, True]
    assert upgraded.steps(asked) == ["install"]

    # The node does not come back: the other one serves, and it is named what to do.
    upgraded.lab.settings(nitro={"dead_builds": [VERSIONS[NEW_FILE]]})
    failed = upgraded.run(boot_timeout=6)
    assert "does not come back with 14.1-80.10" in failed["msg"], failed
    assert f"ha_pair_replace_node={pair.nodes[1]['instance_id']}" in failed["msg"]
    assert failed["done"][-1].startswith("install 14.1-80.10 on node 1")
    upgraded.lab.settings(nitro={"dead_builds": []})

    # The trial fails: the earlier build is installed again, on the node that was upgraded, and the pair synchronises.
    def failing(*_ignored: Any) -> None:
        raise Failure("shop: node 1 does not serve as primary; the old primary serves again")

    with monkeypatch.context() as patch:
        patch.setattr(upgrade_in_place, "carry_out", failing)
        kept = upgraded.run()
        assert f"ha_upgrade_build={OLD}" in kept["msg"], kept
        assert upgraded.exchanges() == [False, False], "between unlike builds"
        failed = upgraded.run(return_url=OLD_FILE)
    assert "has 14.1-72.61 again, and the pair synchronises" in failed["msg"], failed
    assert upgraded.exchanges() == [True, True]

    # Without an address that differs between the nodes, and with SYNC VLANs, the switch is an ISSU migration.
    pair.cloud.ec2.delete_tags(Resources=[pair.allocation_id], Tags=[{"Key": "cloudadc:group"}])
    for number in (0, 1):
        with upgraded.node(number) as client:
            client.update("hanode", {"id": 0, "syncvlan": 10})
            client.save()
    asked = len(pair.cloud.lab.calls(side="nitro"))
    done = upgraded.run(issu="require", ignore_guard=True)
    assert not done["failed"], done
    assert [(node["build"], node["primary"]) for node in done["nodes"]] == [(NEW, False), (NEW, True)]
    assert upgraded.steps(asked) == ["install", "reboot", "nsmigration?action=start", "install", "reboot"]
    assert upgraded.exchanges() == [True, True]
    asked = len(pair.cloud.lab.calls(side="nitro"))
    again = upgraded.run()
    assert (again["changed"], again["steps"], again["failed"]) == (False, [], False), again
    assert not any(call.write for call in pair.cloud.lab.calls(side="nitro")[asked:])
