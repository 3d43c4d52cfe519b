"""A collection in which one video in ten is broken: each is accounted for, and the others are as without it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from broken_videos import KINDS, USABLE, WHOLE, write_collection
from outcomes import files
from small_system import write_systems

TOLD = {
    "empty": r"is empty: replace or remove it",
    "truncated header": r"is not a video that can be read: replace or remove it",
    "truncated inside": r"is truncated, it ends after frame \d+: replace or remove it",
    "wrong type": r"is not a video that can be read: replace or remove it",
    "audio only": r"is not a video that can be read: replace or remove it",
}
COUNT = 80


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> tuple[Path, dict[Path, str]]:
    folder = tmp_path_factory.mktemp("collection") / "videos"
    found = write_collection(folder, COUNT)
    assert sorted(set(found.values()) - {WHOLE}) == sorted(KINDS) == sorted([*TOLD, *USABLE])
    assert sum(kind != WHOLE for kind in found.values()) == COUNT // 10
    return folder, found


def test_the_same_arguments_give_the_same_files(collection, tmp_path):
    folder, found = collection
    again = write_collection(tmp_path / "again", COUNT)
    assert [(path.relative_to(tmp_path / "again"), kind) for path, kind in again.items()] == [
        (path.relative_to(folder), kind) for path, kind in found.items()
    ]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in found]
    assert {path.name for path in write_collection(tmp_path / "other", 10, seed=1)} != {path.name for path in found}


def test_parse_video(runs, systems, collection, tmp_path):
    folder, found = collection
    given = ["--work-dir", systems[0].parent / "work", "--every", 5]
    out, good = tmp_path / "out", tmp_path / "good"
    ended = runs.finish("parse_video", [systems[0], folder, *given, "--out", out], tmp_path / "all.log", out)
    assert ended.status == 3 and "Traceback" not in ended.printed, ended.printed[-2000:]
    errors = [line for line in re.split(r"[\n\r]+", ended.printed) if line.startswith("error: ")]
    usable = {path: kind for path, kind in found.items() if kind not in TOLD}
    for path, kind in found.items():
        told = [line for line in errors if line.startswith(f"error: {path} ")]
        assert len(told) == (kind in TOLD), (kind, told)
        assert kind not in TOLD or re.fullmatch(rf"error: .+ {TOLD[kind]} \(skipped\)", told[0]), told
    assert len(errors) == len(TOLD) and f"skipped {len(TOLD)} of {COUNT} videos" in ended.printed
    assert sorted(path.name for path in out.iterdir()) == sorted(path.stem for path in usable)
    for path, kind in usable.items():
        parse = json.loads((out / path.stem / "parse.json").read_text())
        frames = [1] if kind == "one frame" else [1, 6]
        assert [frame["frame"] for frame in parse["frames"]] == frames and (out / path.stem / "overlay.mp4").is_file()

    only = [path for path, kind in found.items() if kind == WHOLE][::12]
    assert (
        runs.finish("parse_video", [systems[0], *only, *given, "--out", good], tmp_path / "good.log", good).status == 0
    )
    expected = files(good)
    assert len(expected) == 2 * len(only) and all(files(out)[name] == expected[name] for name in expected)


def test_test_of_a_system(runs, tiny_root, collection, tmp_path):
    """As videos of a data set, of which an index is made; they are not annotated."""
    folder, found = collection
    root = tmp_path / "data"
    root.mkdir()
    for name in ("list", "train_videos", "train_annotations"):
        (root / name).symlink_to(tiny_root / name)
    for number, path in enumerate(found):
        place = root / "test_videos" / ("lunge", "push_up")[number % 2] / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
    systems = write_systems(tmp_path, root)
    given = [systems[0], "--work-dir", tmp_path / "work", "--out", tmp_path / "out"]
    ended = runs.finish("test", given, tmp_path / "test.log", tmp_path / "out")
    assert ended.status == 3 and "Traceback" not in ended.printed, ended.printed[-2000:]
    broken = sorted(path.stem for path, kind in found.items() if kind in TOLD)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert sorted(report["skipped"]) == broken
    for path, kind in found.items():
        assert kind not in TOLD or re.search(TOLD[kind], report["skipped"][path.stem])
    parts = json.loads((tmp_path / "out" / "submission" / "pred_part_result.json").read_text())
    assert sorted(parts) == sorted(path.stem for path in found)
    assert all(bool(parts[path.stem]) == (kind not in TOLD) for path, kind in found.items())
    records = [path.stem for path in (tmp_path / "out" / "parses" / "test").iterdir()]
    assert sorted(records + broken) == sorted(path.stem for path in found)
