"""Archives that come from elsewhere: single files, in memory, within limits."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core import archive
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure


def packed(*members: tuple[str, bytes | str]) -> bytes:
    """Return a .tgz; content of type str: a symbolic link to it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                made.addfile(member)
            else:
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
    return out.getvalue()


def is_wanted(path: str) -> bool:
    return path.endswith("ns.conf")


def test_desired_files_are_read_and_others_are_not() -> None:
    content = packed(("./nsconfig/ns.conf", b"add server a"), ("var/other", b"x"))
    assert archive.read_files(content, is_wanted) == {"nsconfig/ns.conf": b"add server a"}


@pytest.mark.parametrize("name", ["/etc/ns.conf", "../ns.conf", "a/../../ns.conf"])
def test_paths_that_leave_the_archive_are_passed_over(name: str) -> None:
    assert archive.read_files(packed((name, b"x")), is_wanted) == {}


def test_links_are_passed_over() -> None:
    assert archive.read_files(packed(("nsconfig/ns.conf", "/etc/passwd")), is_wanted) == {}


def test_desired_file_that_occurs_twice_is_refused() -> None:
    with pytest.raises(Failure, match=r"nsconfig/ns\.conf more than once"):
        archive.read_files(packed(("nsconfig/ns.conf", b"a"), ("./nsconfig/ns.conf", b"b")), is_wanted)


def test_file_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE", 3)
    with pytest.raises(Failure, match="has 4 bytes"):
        archive.read_files(packed(("nsconfig/ns.conf", b"four")), is_wanted)


def test_archive_with_too_many_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 1)
    with pytest.raises(Failure, match="more than 1 members"):
        archive.read_files(packed(("a", b""), ("b", b"")), is_wanted)


def test_archive_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    bomb = packed(("var/zeros", bytes(4 * 2**20)), ("nsconfig/ns.conf", b"x"))
    assert len(bomb) < 2**16
    with pytest.raises(Failure, match="unpacks to more than 1 MiB"):
        archive.read_files(bomb, is_wanted, limit=2**20)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar"), packed(("a", b"x" * 5000))[:-20]],
    ids=["nothing", "no gzip", "no tar", "cut off"],
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(Failure, match="cannot be read"):
        archive.read_files(content, is_wanted)
