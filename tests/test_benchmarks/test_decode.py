"""The comparison of decoders at a size that takes seconds."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tpsparse.cli import run
from tpsparse.datasets import video

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "decode.py"
ACCESSES = {"sequential", "every fifth", "32 random", "32 random, opened", "1 random", "1 random, opened"}


@pytest.fixture(scope="module")
def decode():
    spec = importlib.util.spec_from_file_location("benchmark_decode", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its data class looks up the names of its types
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def clip(drawn, tmp_path):
    frames = [drawn.draw_frame("push_up", number) for number in range(1, 13)]
    drawn.encode(tmp_path / "my clip.mp4", frames)
    return tmp_path / "my clip.mp4"


def measure(decode, tmp_path, *arguments):
    status = run(decode.main, [*arguments, "--repeats", "1", "--json", str(tmp_path / "rows.json")])
    return status, json.loads((tmp_path / "rows.json").read_text())


@pytest.fixture
def few_readers(decode, monkeypatch):
    """Those that are required packages, so that the test is the same everywhere."""
    monkeypatch.setattr(
        decode, "READERS", (decode.OpenCVReader, decode.OpenCVSeekReader, decode.PyAVReader, decode.VideoReader)
    )
    monkeypatch.setattr(video, "FRAMES", video.FRAMES)  # the script replaces it


def test_given_clip(decode, few_readers, clip, tmp_path, capsys):
    status, rows = measure(decode, tmp_path, "--clips", str(clip), "--seconds", "0")
    assert status == 0
    assert {row["clip"] for row in rows} == {"my clip.mp4"}
    assert {row["access"] for row in rows} == ACCESSES
    assert len(rows) == 2 * (4 * 3 + 2 * 4)  # threads; OpenCV seeks to single frames only
    assert all(row["milliseconds"] > 0 for row in rows)
    assert all(row["speed"] == 1 for row in rows if row["reader"] == "OpenCV")
    assert all(row["right"] == 1 for row in rows if row["reader"] != "OpenCV, seeking")
    printed = capsys.readouterr().out
    assert "| my clip.mp4 | 1 thread | every fifth |" in printed and "| my clip.mp4 | default threads |" in printed


def test_generated_clips(decode, few_readers, tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "READERS", (decode.OpenCVReader, decode.VideoReader))
    _, rows = measure(decode, tmp_path, "--seconds", "1")
    assert {row["clip"] for row in rows} == {"generated, key frame every 250.mp4", "generated, key frame every 12.mp4"}
    assert all(row["right"] == 1 for row in rows if row["reader"] == "tpsparse")


def test_packages_that_cannot_be_used_are_named(decode, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "decord", None)
    inner = __import__

    def fail(name, *args, **options):
        if name.startswith("torchcodec"):
            raise RuntimeError("Could not load libtorchcodec.\nMore lines")
        return inner(name, *args, **options)

    monkeypatch.setattr("builtins.__import__", fail)
    names = [reader.name for reader in decode.installed_readers()]
    assert names == ["OpenCV", "OpenCV, seeking", "PyAV", "tpsparse"]
    printed = capsys.readouterr().out
    assert f"{decode.DecordReader.name} is not installed\n" in printed
    assert "torchcodec is installed but cannot run: Could not load libtorchcodec.\n" in printed


class TestAreFrames:
    reference = np.stack([np.full((24, 32, 3), value, np.int16) for value in (10, 20, 20, 40)])

    @pytest.mark.parametrize(
        ("values", "numbers", "right"),
        [
            ([10, 40], [1, 4], [True, True]),
            ([12, 37], [1, 4], [True, True]),  # a little off
            ([40, 10], [1, 4], [False, False]),
            ([20], [2], [True]),
            ([20], [3], [True]),  # looks like frame 2
            ([10], [1, 4], [True, False]),  # one is missing
            ([10, 40, 40], [1, 4], [True, True, False]),  # one too many
            ([], [], []),
        ],
    )
    def test_table(self, decode, values, numbers, right):
        frames = [np.full((24, 32, 3), value, np.int16) for value in values]
        assert decode.are_frames(frames, numbers, self.reference) == right


def test_reader_that_fails_is_named_and_left_out(decode, few_readers, clip, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(decode.PyAVReader, "pick", lambda self, numbers: 1 / 0)
    _, rows = measure(decode, tmp_path, "--clips", str(clip), "--seconds", "0")
    assert {row["reader"] for row in rows} == {"OpenCV", "OpenCV, seeking", "tpsparse"}
    assert "PyAV cannot read my clip.mp4 with 1 thread: division by zero\n" in capsys.readouterr().out


def test_clip_that_cannot_be_read(decode, few_readers, tmp_path, capsys):
    assert run(decode.main, ["--clips", str(tmp_path / "absent.mp4"), "--seconds", "0", "--repeats", "1"]) == 2
    assert "absent.mp4 is not a video that can be read: give another" in capsys.readouterr().err


def test_moving_images_all_differ(decode):
    thumbnails = [decode.thumbnail(image) for image in decode.moving_images(40)]
    assert all(np.abs(one - other).mean() > 0.5 for one, other in zip(thumbnails, thumbnails[1:]))
