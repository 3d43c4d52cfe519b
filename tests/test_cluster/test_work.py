"""What a worker makes of a video. The workers are objects of this process."""

from __future__ import annotations

import errno
import json
import math
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from cheap_system import CheapSystem, refuses
from safetensors import SafetensorError

from tpsparse.cluster.folder import Folder, Identity, Item, metadata_of, read_record
from tpsparse.cluster.work import Choices, Outcome, Ready, Refused, TrainedSystem, Worker, spoils
from tpsparse.errors import UnwritableError
from tpsparse.structures import VideoParse
from tpsparse.version import __version__

PLAIN = Choices()


@pytest.fixture
def worker(tmp_path):
    """A worker that has begun."""

    def make(choices=PLAIN, system=CheapSystem):
        folder = Folder(tmp_path / "out")
        made = Worker(system, str(folder.root), choices, threads=1, cwd=os.getcwd())
        with folder.claimed():
            made.ready = made.start()
        return made

    return make


def given(path: Path) -> tuple[Item, Identity]:
    item = Item(1, str(path))
    identity = item.identity()
    assert identity is not None
    return item, identity


def test_ready(worker):
    ready = worker(system=partial(CheapSystem, fingerprint="mine")).ready
    assert isinstance(ready, Ready) and (ready.fingerprint, ready.pid) == ("mine", os.getpid())
    assert ready.versions["tpsparse"] == __version__


def test_a_worker_that_cannot_begin(tmp_path, worker):
    assert worker(system=refuses).ready == Refused("weights.pth is missing: train it")
    out = str(tmp_path / "out")
    # As on a machine that does not share the folder: nobody holds it there.
    refused = Worker(CheapSystem, out, Choices(), threads=1, cwd=os.getcwd()).start()
    assert isinstance(refused, Refused) and f"{out} is not there on" in refused.error
    with Folder(out).claimed():
        refused = Worker(CheapSystem, out, Choices(), threads=1, cwd=str(tmp_path / "absent")).start()
    assert isinstance(refused, Refused) and "absent is not there on" in refused.error


@pytest.mark.parametrize("features", [False, True])
def test_record(worker, videos, features):
    [path] = videos("""he said "it's" ü.mp4""")
    item, identity = given(path)
    made = worker(Choices(features=features))
    outcome = made.parse(item, identity)
    file = made.folder.result(item.key)
    assert isinstance(outcome, Outcome) and outcome.error is None and outcome.seconds > 0
    assert (outcome.frames, outcome.size) == (3, file.stat().st_size)
    record = VideoParse.load(file)
    assert record.video == """he said "it's" ü""" and record.frame_indices == [1, 2, 3]
    assert ("colour" in record.frames[0].person_features) == features
    assert read_record(file, metadata_of(item, identity, "cheap")) == (3, outcome.size)
    assert not made.folder.export(item.key).exists()


def test_export(worker, videos):
    [path] = videos("a.mp4")
    item, identity = given(path)
    plain = worker()
    plain.parse(item, identity)
    made = worker(Choices(export=True))
    made.system.parse = None  # what a record tells need not be parsed again
    before = made.folder.result(item.key).read_bytes()
    assert made.parse(item, identity).error is None
    assert json.loads(made.folder.export(item.key).read_text()) == {"video": "a", "frames": [1, 2, 3]}
    assert made.folder.result(item.key).read_bytes() == before


def test_errors_of_videos(worker, videos, tmp_path):
    [odd] = videos("odd.mp4")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    made = worker()
    outcome = made.parse(*given(empty))
    assert outcome.error == f"{empty} is empty: replace or remove it" and outcome.trace is None
    outcome = made.parse(*given(odd))
    assert outcome.error.startswith(f"{odd} could not be parsed (ValueError: an odd number): ")
    assert "cheap_system.py" in outcome.trace and not (made.folder.root / "results").exists()


def test_errors_that_spoil_the_process(worker, videos):
    [poison] = videos("poison.mp4")
    with pytest.raises(MemoryError):
        worker().parse(*given(poison))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shape '[3]' is invalid for input of size 2"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_spoil(error, expected):
    assert spoils(error) == expected


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "make room there"), (errno.EROFS, "see to it, or give another --out")]
)
def test_a_system_that_cannot_write(worker, videos, monkeypatch, number, remedy):
    """As where it keeps what it has compiled, which is no fault of the video."""
    [path] = videos("a.mp4")
    made = worker()

    def parse(path, keep_features):
        raise UnwritableError(number, "told by the system", "/kept/engine.xml")

    monkeypatch.setattr(made.system, "parse", parse)
    told = f"/kept/engine.xml cannot be written (told by the system): {remedy}"
    assert made.parse(*given(path)) == Refused(told)
    assert worker(system=partial(parse, None, None)).ready == Refused(told)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied): see to it, or give another --out"),
        (SafetensorError("Error: I/O error: No space left on device (os error 28)"), "device): make room there"),
        (SafetensorError("Error: I/O error: Permission denied (os error 13)"), "denied): see to it, or give another"),
        (SafetensorError("something else"), "(something else): see to it, or give another --out"),
    ],
)
def test_records_that_cannot_be_written(worker, videos, monkeypatch, error, told):
    [path] = videos("a.mp4")
    item, identity = given(path)
    made = worker()

    def save(self, path, metadata):
        raise error

    monkeypatch.setattr(VideoParse, "save", save)
    refused = made.parse(item, identity)
    assert isinstance(refused, Refused) and told in refused.error
    assert refused.error.startswith(f"{made.folder.result(item.key)} cannot be written (")


@pytest.mark.parametrize(("fps", "kept"), [(25.0, 25.0), (0.0, 0.0), (-1.0, 0.0), (math.inf, 0.0), (math.nan, 0.0)])
def test_odd_frame_rates_are_unknown_ones(monkeypatch, fps, kept):
    """JSON, in which a record is told, has no infinity."""
    monkeypatch.setattr("tpsparse.datasets.video.Video", lambda path: SimpleNamespace(fps=fps))
    system = TrainedSystem.__new__(TrainedSystem)
    system.parser = SimpleNamespace(parse_video=lambda video, keep_features: VideoParse("v", fps=video.fps))
    assert system.parse(Path("v.mp4"), keep_features=False).fps == kept


@pytest.mark.parametrize("export", [False, True])
def test_no_room(worker, videos, little_room, monkeypatch, export):
    [path] = videos("a.mp4")
    item, identity = given(path)
    made = worker(Choices(features=True, export=export))
    monkeypatch.setattr(made.system, "export", lambda parse: ["long"] * 1000)
    long = made.system.parse(path, keep_features=True)
    long.frames = [frame.take([0] * 100) for frame in long.frames]
    monkeypatch.setattr(made.system, "parse", lambda path, keep_features: long)
    with little_room():
        refused = made.parse(item, identity)
    file = made.folder.export(item.key) if export else made.folder.result(item.key)
    assert isinstance(refused, Refused)
    assert refused.error.startswith(f"{file} cannot be written (File too large") and "make room" in refused.error
    assert [path for path in made.folder.root.rglob("*") if path.is_file()] == []
