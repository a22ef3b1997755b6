"""Backups on an appliance: what the archive has, its limits, restore and delete (vendor's reference, systembackup)."""

from __future__ import annotations

import base64
import io
import tarfile

from tests.integration.lab_nitro.harness import Bench, Client, refused

FOLDER = "args=filelocation:%2Fvar%2Fns_sys_backup"


def archive(node: Client, name: str) -> dict[str, str]:
    row = node.get(f"config/systemfile/{name}?{FOLDER}").json()["systemfile"][0]
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(row["filecontent"]))) as found:
        return {one.name: (found.extractfile(one) or io.BytesIO()).read().decode() for one in found.getmembers()}


def test_archive_has_the_saved_configuration(node: Client) -> None:
    node.add("server", name="by-hand", ipaddress="127.77.3.9")
    node.do("systembackup", "create", filename="one")
    node.do("nsconfig", "save")
    content = base64.b64encode(b"x").decode()
    node.add("systemfile", filename="web.pem", filelocation="/nsconfig/ssl", filecontent=content)
    node.do("systembackup", "create", filename="two", level="full", comment="before")
    rows = node.get("config/systembackup").json()["systembackup"]
    assert [(row["filename"], row["level"], row["ipaddress"]) for row in rows] == [
        ("one.tgz", "basic", "127.77.1.10"),
        ("two.tgz", "full", "127.77.1.10"),
    ]
    assert "add server by-hand" not in archive(node, "one.tgz")["nsconfig/ns.conf"]
    second = archive(node, "two.tgz")
    assert "add server by-hand 127.77.3.9" in second["nsconfig/ns.conf"]
    assert second["nsconfig/ssl/web.pem"] == "x"
    assert "Sesame" not in second["nsconfig/ns.conf"]


def test_taken_names_and_missing_files_are_refused(node: Client) -> None:
    node.do("systembackup", "create", filename="one")
    again = node.post("config/systembackup?action=create", {"systembackup": {"filename": "one"}})
    assert refused(again) == (409, 1642)
    missing = node.post("config/systembackup?action=restore", {"systembackup": {"filename": "none.tgz"}})
    assert refused(missing) == (599, 1155)
    assert node.delete("config/systembackup/one.tgz").status_code == 200
    assert refused(node.delete("config/systembackup/one.tgz")) == (404, 258)
    assert "systembackup" not in node.get("config/systembackup").json()


def test_large_file_comes_without_its_content(bench: Bench, node: Client) -> None:
    """devblackops/NetScaler, issue 89: a backup of 5 MB."""
    node.do("systembackup", "create", filename="one")
    bench.side.settings.file_content_limit = 100
    row = node.get(f"config/systemfile/one.tgz?{FOLDER}").json()["systemfile"][0]
    assert "filecontent" not in row
    assert int(row["filesize"]) > 100


def test_restore_takes_effect_with_a_reboot_and_needs_the_same_build(bench: Bench, node: Client) -> None:
    node.add("server", name="by-hand", ipaddress="127.77.3.9")
    node.do("nsconfig", "save")
    node.do("systembackup", "create", filename="one")
    assert node.delete("config/server/by-hand").status_code == 200
    node.do("nsconfig", "save")
    version, bench.side.settings.version = bench.side.settings.version, "NetScaler NS15.1: Build 1.1.nc"
    other = node.post("config/systembackup?action=restore", {"systembackup": {"filename": "one.tgz"}})
    assert refused(other) == (599, 257)
    bench.side.settings.version = version
    node.do("systembackup", "restore", filename="one.tgz")
    assert "server" not in node.get("config/server").json()
    node.post("config/reboot", {"reboot": {"warm": True}})
    bench.wait(120, step=10)
    node.login()
    assert [row["name"] for row in node.get("config/server").json()["server"]] == ["by-hand"]
