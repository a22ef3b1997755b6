"""What only files have: modes, places, rights, and half-written drafts."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.stores import file
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key, StoreUnusable
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore, file_name, stored_keys

KEY = Key("shop", "eu-central-1a")


def written(path: Path, key: Key = KEY) -> FileStore:
    store = FileStore(path, key)
    store.write(store.acquire("one", 60), {"n": 1}, 0, release=True)
    return store


def test_a_folder_holds_one_file_a_group_and_zone(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, Key("shop", "eu-central-1b"))
    written(tmp_path, Key("shop2", "eu-central-1a"))
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["shop2@eu-central-1a.json", "shop@eu-central-1a.json", "shop@eu-central-1b.json"]
    assert stored_keys(tmp_path, "shop") == [KEY, Key("shop", "eu-central-1b")]
    assert stored_keys(tmp_path, "sho") == []
    assert stored_keys(tmp_path / "not there", "shop") == []


def test_names_that_a_pattern_would_misread(tmp_path: Path) -> None:
    for group in ("s*p", "s[h]p", "s/p", "s@p"):
        written(tmp_path, Key(group, "a"))
        assert stored_keys(tmp_path, group) == [Key(group, "a")]


@pytest.mark.parametrize("name", ["records", "records/", "records.d"])
def test_a_folder_is_made_if_its_parent_is_there(tmp_path: Path, name: str) -> None:
    written(Path(f"{tmp_path}/{name}"))
    folder = tmp_path / name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / file_name(KEY)).is_file()


def test_folder_that_another_tick_makes_meanwhile_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zones of a new group tick side by side: another may make the folder between two questions about it."""
    folder, is_dir = tmp_path / "records", Path.is_dir

    def made_right_after(path: Path) -> bool:
        answer = is_dir(path)
        if path == folder:
            folder.mkdir(exist_ok=True)
        return answer

    monkeypatch.setattr(Path, "is_dir", made_right_after)
    assert FileStore(folder, KEY).path == folder / file_name(KEY)


def test_a_name_that_ends_in_json_is_the_file(tmp_path: Path) -> None:
    written(tmp_path / "shop.json")
    assert (tmp_path / "shop.json").is_file()
    assert stored_keys(tmp_path / "shop.json", "shop") == [KEY]
    assert stored_keys(tmp_path / "shop.json", "other") == []


def test_an_existing_file_of_any_name_is_the_file(tmp_path: Path) -> None:
    store = written(tmp_path / "shop.json")
    other = store.path.rename(tmp_path / "state")
    assert FileStore(other, KEY).read().document == {"n": 1}


def test_one_file_is_for_one_group_and_zone(tmp_path: Path) -> None:
    written(tmp_path / "shop.json")
    other = FileStore(tmp_path / "shop.json", Key("shop", "eu-central-1b"))
    with pytest.raises(StoreUnusable, match="holds the record of shop eu-central-1a, not of shop eu-central-1b; name"):
        other.acquire("one", 60)


def test_nothing_deeper_than_the_parent_is_made(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "not" / "there", KEY)
    assert store.read().version == 0
    with pytest.raises(StoreUnusable, match=r"its folder's parent, .*/not, is not there"):
        store.acquire("one", 60)
    assert not (tmp_path / "not").exists()


def test_modes_are_for_the_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = written(tmp_path / "s")
    finally:
        os.umask(before)
    modes = {each.name: oct(stat.S_IMODE(each.stat().st_mode)) for each in store.path.parent.iterdir()}
    assert modes == {store.path.name: "0o600"}


def test_what_a_killed_writer_left_half_written_is_not_read_and_not_kept(tmp_path: Path) -> None:
    store = written(tmp_path)
    draft = store.path.with_name(f".{store.path.name}.draft")
    draft.write_text('{"half')
    draft.chmod(0o644)
    assert store.read().document == {"n": 1}
    store.release(store.acquire("two", 60))
    assert not draft.exists()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert store.read().fence == 2


def test_a_newer_format_is_refused_and_kept(tmp_path: Path) -> None:
    store = written(tmp_path)
    content = json.loads(store.path.read_text())
    store.path.write_text(json.dumps({**content, "format": file.FORMAT + 1}))
    before = store.path.read_text()
    with pytest.raises(StoreUnusable, match="was written by a newer release"):
        store.acquire("one", 60)
    assert store.path.read_text() == before


@pytest.mark.parametrize("key", ["version", "fence", "lease", "written_at", "document", "group"])
def test_a_missing_key_is_damage_and_names_the_path(tmp_path: Path, key: str) -> None:
    store = written(tmp_path)
    content = json.loads(store.path.read_text())
    del content[key]
    store.path.write_text(json.dumps(content))
    with pytest.raises(file.DamagedDocument, match=f"{store.path.name} is damaged .*{key}"):
        store.read()


def test_a_place_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    store = FileStore(tmp_path / "plain" / "x.json", KEY)
    with pytest.raises(StoreUnusable, match=r"cannot (read|write) .*/plain/x\.json: .*/plain is not a folder"):
        store.acquire("one", 60)
    with pytest.raises(StoreUnusable, match=r"cannot read .*: File name too long"):
        FileStore(tmp_path, Key("x" * 300, "a")).acquire("one", 60)


def test_a_folder_without_the_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the refusal comes from a system call that says no."""
    store = FileStore(tmp_path, KEY)

    def refuse(*_ignored: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file.os, "open", refuse)
    with pytest.raises(StoreUnusable, match=r"Permission denied; store\.path must be writable by the user"):
        store.acquire("one", 60)


def test_a_lock_that_is_held_too_long_gets_a_sentence(tmp_path: Path) -> None:
    written(tmp_path)
    naps: list[float] = []
    impatient = FileStore(tmp_path, KEY, sleep=naps.append, lock_seconds=0.05)
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(StoreUnusable, match=r"has been locked by another process for 0\.05 s"):
            impatient.acquire("two", 60)
    finally:
        os.close(held)
    assert naps
    assert impatient.acquire("two", 60).fence == 2


def test_reading_needs_no_right_to_write(tmp_path: Path) -> None:
    store = written(tmp_path)
    before = sorted(each.name for each in tmp_path.iterdir())
    mtime = store.path.stat().st_mtime_ns
    store.read()
    assert (sorted(each.name for each in tmp_path.iterdir()), store.path.stat().st_mtime_ns) == (before, mtime)


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o773])
def test_a_folder_that_every_user_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreUnusable, match=r"may be written by every user \(mode 07.*chmod o-w"):
        FileStore(folder, KEY).acquire("one", 60)
    assert list(folder.iterdir()) == []
    folder.chmod(mode | stat.S_ISVTX)
    assert FileStore(folder, KEY).acquire("one", 60).fence == 1, "with the sticky bit it is as /tmp"


def test_a_file_that_a_stranger_put_into_a_folder_open_to_all_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path)
    tmp_path.chmod(0o1777)
    assert store.read().version == 1
    monkeypatch.setattr(file.os, "geteuid", lambda: 4711)
    os.chown(store.path, 4712, -1)
    with pytest.raises(StoreUnusable, match="belongs to user 4712, and every user may create files"):
        store.read()


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    store, target = written(tmp_path), tmp_path / "target"
    target.write_bytes(store.path.read_bytes())
    store.path.unlink()
    store.path.symlink_to(target)
    before = target.read_bytes()
    for attempt in (store.read, lambda: store.acquire("two", 60)):
        with pytest.raises(StoreUnusable, match="it is a symbolic link; name the file or folder itself"):
            attempt()
    assert target.read_bytes() == before


def test_a_link_in_place_of_the_draft_is_not_followed(tmp_path: Path) -> None:
    store, target = written(tmp_path), tmp_path / "target"
    target.write_text("mine")
    store.path.with_name(f".{store.path.name}.draft").symlink_to(target)
    store.release(store.acquire("two", 60))
    assert target.read_text() == "mine"
    assert not store.path.is_symlink()


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    written(tmp_path / "link")
    assert (tmp_path / "data" / file_name(KEY)).is_file()
