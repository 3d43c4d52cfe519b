"""Names and marks of results."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tpsparse.cluster.folder import Folder, Identity, Item, metadata_of, read_json, read_record, shard
from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.structures.files import atomic_write


def record(frames: int = 2) -> VideoParse:
    return VideoParse("v", frames=[FrameParse(number, np.zeros((0, 4))) for number in range(1, frames + 1)])


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/a/lunge.mp4", "lunge-"),
        ("/a/lunge.two.mp4", "lunge.two-"),
        ("""/a/he said "it's".mp4""", "he_said_it_s_-"),
        ("/a/日本語.mp4", "_-"),
        ("/a/.hidden.mp4", "hidden-"),
        ("/a/-option.mp4", "-option-"),
        ("/a/" + "n" * 196 + ".mp4", "n" * 60 + "-"),
        (os.fsdecode(b"/a/\xff.mp4"), "_-"),
    ],
)
def test_key(path, start, tmp_path):
    key = Item(1, path).key
    assert key == start + hashlib.sha256(os.fsencode(path)).hexdigest()[:20]
    assert shard(key) == key[-20:-18]
    file = Folder(tmp_path).result(key)
    with atomic_write(file) as partial:  # the longest name that is written
        partial.touch()
    assert file.is_file()


def test_videos_of_one_name_in_two_folders():
    assert Item(1, "/a/x.mp4").key != Item(1, "/b/x.mp4").key
    assert Item(1, "/a/x.mp4").key == Item(7, "/a/x.mp4").key  # wherever in the list


def test_identity(tmp_path):
    path = tmp_path / "v.mp4"
    assert Item(1, str(path)).identity() is None and Item(1, str(tmp_path)).identity() is None
    assert Item(1, str(path / "below a file.mp4")).identity() is None
    path.write_bytes(b"abc")
    os.utime(path, ns=(0, 1_000_000_007))
    assert Item(1, str(path)).identity() == Identity(3, 1_000_000_007)
    assert Item(1, str(tmp_path / "a\0b")).path  # a path that no file can have is met by the run


def test_record(tmp_path):
    item, path = Item(1, "/v.mp4"), tmp_path / "v.safetensors"
    mark = metadata_of(item, Identity(3, 5), "system")
    assert read_record(path, mark) is None
    record(2).save(path, mark)
    assert read_record(path, mark) == (2, path.stat().st_size)
    for other in (
        metadata_of(item, Identity(4, 5), "system"),
        metadata_of(item, Identity(3, 6), "system"),
        metadata_of(item, Identity(3, 5), "another"),
        metadata_of(Item(1, "/w.mp4"), Identity(3, 5), "system"),
    ):
        assert read_record(path, other) is None
    path.write_bytes(path.read_bytes()[:-1])  # half-copied
    assert read_record(path, mark) is None


def test_stale_files_are_cleared(tmp_path):
    folder, item = Folder(tmp_path), Item(1, "/v.mp4")
    mark = metadata_of(item, Identity(3, 5), "system")
    record().save(folder.result(item.key), mark)
    for path in (folder.export(item.key), folder.failure(item.key)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    folder.clear_stale(item, mark)
    assert folder.result(item.key).exists() and not folder.failure(item.key).exists()
    folder.clear_stale(item, metadata_of(item, Identity(4, 5), "system"))
    assert not folder.result(item.key).exists() and not folder.export(item.key).exists()


def test_partial_files_of_one_video_alone(tmp_path):
    folder, key = Folder(tmp_path), Item(1, "/v.mp4").key
    place = folder.result(key).parent
    place.mkdir(parents=True)
    (place / f".{key}.77-0123.partial.safetensors").touch()
    (place / ".another.77-0123.partial.safetensors").touch()
    folder.remove_partials(key)
    assert [path.name for path in place.iterdir()] == [".another.77-0123.partial.safetensors"]


def test_records_of_one_system_alone(tmp_path):
    folder = Folder(tmp_path)
    made_by = dict(fingerprint="a", features=False, config="dap.py")
    folder.check_maker(made_by)
    folder.check_maker({**made_by, "config": "moved/dap.py"})
    assert json.loads((tmp_path / "made_by.json").read_text()) == made_by
    for changed in (dict(fingerprint="b"), dict(features=True)):
        with pytest.raises(InputError, match=r"made_by\.json says .* another system.*\(dap\.py\): give another --out"):
            folder.check_maker({**made_by, **changed})
    (tmp_path / "made_by.json").unlink()
    (tmp_path / "results").mkdir()
    with pytest.raises(InputError, match="whose records are beside it is unknown"):
        folder.check_maker(made_by)


def test_json_that_cannot_be_read(tmp_path):
    (tmp_path / "torn.json").write_text('{"a": ')
    (tmp_path / "list.json").write_text("[1]")
    assert [read_json(tmp_path / f"{name}.json") for name in ("absent", "torn", "list")] == [{}, {}, {}]


def test_one_run_at_a_time(tmp_path, environment):
    script = (
        "import sys\nfrom tpsparse.cluster import Folder\n"
        "with Folder(sys.argv[1]).claimed():\n    print('claimed', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "out")],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None and other.stdout.readline() == "claimed\n"
    with (
        pytest.raises(InputError, match=r"out is used by another run.*give another --out"),
        Folder(tmp_path / "out").claimed(),
    ):
        pass
    other.kill()
    other.wait()
    with Folder(tmp_path / "out").claimed():  # the claim of the killed run has ended with it
        pass
