"""docs/your_own_videos.md from end to end on real footage: label, check, train, score, parse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny

FOOTAGE = tiny.REPOSITORY / ".." / "shared" / "videos"
ACTIONS = {"jumping (down)": "sports2d.mp4", "patting_back": "demo_skeleton.mp4"}


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not all((FOOTAGE / name).is_file() for name in ACTIONS.values()):
        pytest.skip(f"the footage is not at {FOOTAGE}")
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed: run make annotate")
    folder = tmp_path_factory.mktemp("footage")
    for action, name in ACTIONS.items():
        (folder / action).mkdir()
        shutil.copy(FOOTAGE / name, folder / action / name)
    return folder


def test_from_raw_videos_to_a_score(footage, tmp_path, run_tool, narrow_parts, random_weights):
    root, work = tmp_path / "own data", tmp_path / "work"
    options = ("--clip-seconds", 1.2, "--step", 6, "--tiles", "none", "--no-review", "--workers", 1)
    assert run_tool("annotate", footage, "--out", root, *options) in (0, 3)
    assert run_tool("prepare_data", "index", root) == 0
    config = narrow_parts(tmp_path / "narrow.py", root, **{"train_cfg.max_epochs": 1})
    data = ("--cfg-options", f"data_root={root}")
    assert run_tool("train", config, "--work-dir", tmp_path / "parts", *data) == 0
    assert run_tool("test", config, tmp_path / "parts" / "epoch_1.pth", "--work-dir", tmp_path / "parts", *data) == 0
    # The networks of a whole system are not trained here; any weights make a submission and a score of it.
    random_weights(tiny.QUICK_SYSTEM, work, root)
    assert run_tool("test", tiny.QUICK_SYSTEM, "--work-dir", work, *data) == 0
    report = json.loads((work / "report.json").read_text())
    tested = sorted(path.stem for path in (root / "test_videos").glob("*/*.mp4"))
    assert sorted(report["psc"]) == tested and len(tested) >= 2 and 0 <= report["score"] <= 1
    assert (work / "submission.zip").is_file()
    clip = next((root / "test_videos" / "patting_back").glob("*.mp4"))
    arguments = ("--out", tmp_path / "parsed", "--work-dir", work, *data)
    assert run_tool("parse_video", tiny.QUICK_SYSTEM, clip, *arguments) == 0
    assert (tmp_path / "parsed" / clip.stem / "parse.json").is_file()
