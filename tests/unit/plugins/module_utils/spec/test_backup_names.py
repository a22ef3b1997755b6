"""Keys of backups: what is too old, what is the last, and whose they are; their metadata."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.backup_manifest import (
    Manifest,
    from_metadata,
    to_metadata,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.backup_names import (
    BackupName,
    folder_of,
    last_of,
    parse_names,
    surplus,
    time_text,
)

FOLDER = "cloudadc/pair/shop/0/"


def name(day: int, role: str = "primary", instance: str = "i-1", folder: str = FOLDER) -> BackupName:
    return BackupName(f"202603{day:02}T020000Z", folder, role, instance)


def test_key_is_read_back() -> None:
    one = BackupName(time_text(1772330400), FOLDER, "standalone", "i-0abc")
    assert one.key == "cloudadc/pair/shop/0/20260301T020000Z-standalone-i-0abc.tgz"
    assert parse_names([one.key]) == [one]
    assert (one.node, one.created_at) == ("0", "2026-03-01T02:00:00+00:00")


@pytest.mark.parametrize("file", ["notes.txt", "20260301-primary-i-1.tgz", "20260301T020000Z-other-i-1.tgz", ""])
def test_other_objects_are_no_backups(file: str) -> None:
    assert parse_names([FOLDER + file]) == []


@pytest.mark.parametrize(
    ("prefix", "folder"), [("cloudadc", "cloudadc/pair/shop/"), ("/a//b/", "a/b/pair/shop/"), ("", "pair/shop/")]
)
def test_folder_of_a_pair_ends_with_a_slash(prefix: str, folder: str) -> None:
    """So that the folder of pair "shop" does not begin that of pair "shop2"."""
    assert folder_of(prefix, "pair", "shop") == folder
    assert not folder_of(prefix, "pair", "shop2").startswith(folder)


@pytest.mark.parametrize(("retention", "days"), [(None, []), (0, []), (1, [1, 2]), (2, [1]), (3, []), (9, [])])
def test_oldest_backups_are_surplus(retention: int | None, days: list[int]) -> None:
    assert surplus([name(2), name(3), name(1)], retention) == [name(day) for day in days]


def test_last_backup_is_of_a_node_that_was_primary() -> None:
    assert last_of([name(1), name(3, "secondary"), name(2, instance="i-2")]) == name(2, instance="i-2")
    assert last_of([name(1, "secondary"), name(3, "secondary")]) == name(3, "secondary")
    assert last_of([]) is None


def test_metadata_is_read_back() -> None:
    nodes = ({"node": "0", "client": ["10.0.2.20"]}, {"node": "1", "client": ["10.0.12.20"]})
    manifest = Manifest({"build": "NS14.1"}, ("web", "shop"), nodes)
    metadata, complete = to_metadata(manifest)
    assert complete
    assert from_metadata(metadata) == manifest


def test_metadata_fits_into_what_s3_keeps() -> None:
    nodes = tuple({"node": str(n), "client": [f"10.0.{n}.{host}" for host in range(2, 27)]} for n in (0, 1))
    metadata, complete = to_metadata(Manifest({"build": "NetScaler NS14.1\n" + "x" * 500}, ("web",), nodes))
    assert complete
    assert sum(len(key) + len(value) for key, value in metadata.items()) < 2048
    assert all(value.isascii() and "\n" not in value for value in metadata.values())


def test_what_is_too_long_for_the_metadata_is_left_out_and_said() -> None:
    names = tuple(f"application-{number * 7919 % 99991}" for number in range(2000))
    metadata, complete = to_metadata(Manifest({"build": "b"}, names))
    assert (metadata, complete) == ({"build": "b"}, False)


@pytest.mark.parametrize("text", ["%%%", "aGVsbG8=", "eJyrVkrLz1eyUkpKLFKqBQAiNAUE"])
def test_manifest_that_cannot_be_read_is_empty(text: str) -> None:
    assert from_metadata({"manifest": text, "build": "b"}) == Manifest({"build": "b"})
