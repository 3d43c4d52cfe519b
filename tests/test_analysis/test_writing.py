from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tpsparse.analysis.writing import write_whole
from tpsparse.errors import InputError


def test_written_with_its_folders(tmp_path, find_leftovers):
    path = tmp_path / "größe (b) 2" / "a b.html"
    write_whole(path, b"one")
    write_whole(path, b"")
    assert path.read_bytes() == b"" and find_leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EDQUOT, "make room there"),
        (errno.EFBIG, "make room there"),
        (errno.EACCES, "give another place with --out"),
    ],
)
def test_failed_write_names_the_file_and_leaves_the_old_one(tmp_path, monkeypatch, find_leftovers, number, remedy):
    path = tmp_path / "report.html"
    path.write_bytes(b"old")

    def fail(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(InputError) as raised:
        write_whole(path, b"new")
    assert str(raised.value) == f"{path} cannot be written ({os.strerror(number)}): {remedy}"
    assert path.read_bytes() == b"old" and find_leftovers(tmp_path) == []


def test_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(InputError, match="a/report.html cannot be written .*: give another place with --out"):
        write_whole(tmp_path / "a" / "report.html", b"new")
