"""What a list of videos means."""

from __future__ import annotations

import errno
import io
import os
import tracemalloc
from types import SimpleNamespace

import pytest

from tpsparse.cluster import Collection
from tpsparse.errors import InputError


def test_lines(tmp_path):
    lines = [
        b"\xef\xbb\xbfa.mp4",  # an editor's mark at the start
        b"# a remark",
        b"",
        b"   ",
        b"more/../b.mp4\r",
        b"/elsewhere/c.mp4",
        b" d.mp4 ",  # blanks belong to the name
        b"""it's "e".mp4""",
        "übung.mp4".encode(),
        b"\xff.mp4",  # no UTF-8
        b"a.mp4",  # a second time, and no end of line
    ]
    source = tmp_path / "sub" / "list.txt"
    source.parent.mkdir()
    source.write_bytes(b"\n".join(lines))
    folder = str(source.parent)
    names = {1: "a.mp4", 5: "b.mp4", 7: " d.mp4 ", 8: """it's "e".mp4""", 9: "übung.mp4", 10: os.fsdecode(b"\xff.mp4")}
    expected = {line: f"{folder}/{name}" for line, name in names.items()}
    expected |= {6: "/elsewhere/c.mp4", 11: f"{folder}/a.mp4"}
    collection = Collection(source)
    assert dict(collection) == expected and len(collection) == 8
    assert list(collection) == sorted(expected.items())  # a second time


def test_relative_to_the_list_and_not_to_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_text("a.mp4\n")
    monkeypatch.chdir(tmp_path)
    assert list(Collection("list.txt")) == [(1, str(tmp_path / "a.mp4"))]


def test_folder(tmp_path):
    for name in ("b.mp4", "a/z.MKV", "a/b/c.avi", "a.mov", "words.txt", "b.mp4.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [tmp_path / name for name in ("a.mov", "b.mp4", "a/z.MKV", "a/b/c.avi")]
    collection = Collection(tmp_path)
    assert list(collection) == list(enumerate(map(str, expected), start=1)) and len(collection) == 4


@pytest.mark.parametrize(("number", "refused"), [(errno.EACCES, True), (errno.EIO, True), (errno.ENOENT, False)])
def test_a_subfolder_that_cannot_be_read(tmp_path, monkeypatch, number, refused):
    for name in ("a.mp4", "closed/b.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("closed"):
            raise OSError(number, os.strerror(number), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    if refused:
        with pytest.raises(InputError, match=r"closed cannot be read \(.*\): make it readable, or give a list"):
            len(Collection(tmp_path))
    else:
        assert len(Collection(tmp_path)) == 1


def test_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a.mp4\n#\n/b.mp4\n")))
    collection = Collection("-")
    assert len(collection) == 2
    assert list(collection) == [(1, str(tmp_path / "a.mp4")), (3, "/b.mp4")]


def test_pipe(tmp_path, monkeypatch):
    """As the shell's ``<(find . -name '*.mp4')``."""
    monkeypatch.chdir(tmp_path)
    reading, writing = os.pipe()
    os.write(writing, b"a.mp4\nb.mp4\n")
    os.close(writing)
    collection = Collection(f"/dev/fd/{reading}")
    os.close(reading)
    assert len(collection) == 2 and dict(collection) == {1: str(tmp_path / "a.mp4"), 2: str(tmp_path / "b.mp4")}


def test_missing(tmp_path):
    with pytest.raises(InputError, match=r"absent\.txt is missing: give a list of videos, a path a line"):
        Collection(tmp_path / "absent.txt")


def test_empty(tmp_path):
    (tmp_path / "list.txt").write_text("# nothing\n\n")
    assert len(Collection(tmp_path / "list.txt")) == 0 and list(Collection(tmp_path)) == []


def test_long_lists_are_not_held(tmp_path):
    source = tmp_path / "list.txt"
    source.write_text("".join(f"some/folder/of/videos/video_{number:07d}.mp4\n" for number in range(50_000)))
    tracemalloc.start()
    assert len(Collection(source)) == 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000  # the list itself has 2 MB


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_another_coding(tmp_path, coding):
    """As Windows' editors write."""
    source = tmp_path / "list.txt"
    mark = "" if coding == "utf-16" else "\ufeff"
    source.write_bytes((mark + "a.mp4\nb.mp4\n").encode(coding))
    with pytest.raises(InputError, match=r"list\.txt is text in UTF-16: save it as UTF-8"):
        Collection(source)


def test_a_video_is_no_list(tmp_path):
    (tmp_path / "v.MP4").write_bytes(b"\0\0\0\x18ftypisom\n\xff")
    with pytest.raises(InputError, match=r"v\.MP4 is a video: give a list of videos"):
        Collection(tmp_path / "v.MP4")
    (tmp_path / "clips.mp4").mkdir()
    assert list(Collection(tmp_path / "clips.mp4")) == []
