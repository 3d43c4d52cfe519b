from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tiny import QUICK_SYSTEM

from tpsparse.cli import DONE, run
from tpsparse.datasets.video import Video
from tpsparse.parsing.window import Window
from tpsparse.structures import FrameParse


@pytest.fixture(scope="module")
def stage_times(benchmark):
    return benchmark("stage_times")


@pytest.fixture
def child(tmp_path):
    """The quick system without its fusion, of the same name."""
    path = tmp_path / "dap.py"
    stages = "[*(_base_.stages[name] for name in ('persons', 'parts', 'swin'))]"
    path.write_text(f"_base_ = {str(QUICK_SYSTEM)!r}\nmodel = dict(stages={stages})\n")
    return path


def test_quick_run(stage_times, child, quick_work_dir, tiny_root, tmp_path, capsys):
    videos = shutil.copytree(tiny_root / "test_videos", tmp_path / "videos (ü)")
    file = tmp_path / "out.json"
    arguments = [QUICK_SYSTEM, child, "--work-dir", quick_work_dir, quick_work_dir, "--videos", videos]
    assert run(stage_times.main, [str(each) for each in [*arguments, "--quick", "--json", file]]) == DONE
    written = json.loads(file.read_text())
    assert written["videos"] == 1 and list(written["rounds"]) == ["dap", str(child)]
    for name, stages in (("dap", 6), (str(child), 3)):
        [once] = written["rounds"][name]
        assert len(once["stages"]) == stages + 1 and once["video_seconds"] == pytest.approx(12 / 10)
        for key in ("seconds", "cpu_seconds"):
            assert sum(stage[key] for stage in once["stages"].values()) == pytest.approx(once[key])
        # What is measured inside another is not counted twice.
        assert all(stage["seconds"] > 0 for stage in once["stages"].values())
    tables = written["tables"]
    assert [row["ratio to dap"] for row in tables["Seconds of computing for a second of video"]][0] == 1
    rows = {row["stage"]: row for row in tables["dap"]}
    assert {"DetectPersons", "ParseParts", "ClassifyVideo swin", "FuseFeatures fusion", stage_times.REST} < set(rows)
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    assert "Seconds of computing for a second of video" in capsys.readouterr().out


class Sleepy:
    """A stage that takes known times, of one clock that only it moves."""

    def __init__(self, clock, a_frame, a_video, name=""):
        self.clock, self.a_frame, self.a_video, self.name = clock, a_frame, a_video, name

    def parse_window(self, window):
        self.clock[0] += self.a_frame * len(window)

    def parse_video(self, video, parse):
        self.clock[0] += self.a_video


class System:
    def __init__(self, clock, *stages):
        self.clock, self.stages = clock, stages

    def parse_video(self, video):
        self.clock[0] += 1.0
        for stage in self.stages:
            stage.parse_window(Window.of(np.zeros((2, 4, 4, 3)), [FrameParse(1, []), FrameParse(2, [])]))
            stage.parse_video(video, None)


def test_by_hand(stage_times, monkeypatch, tiny_root):
    clock = [0.0]
    monkeypatch.setattr(stage_times, "_now", lambda: [clock[0], 2 * clock[0]])
    system = System(clock, Sleepy(clock, 0.5, 0.25), Sleepy(clock, 0.0, 4.0, "a"), Sleepy(clock, 0.0, 2.0, "a"))
    measured = stage_times.StageClock(system)
    videos = [Video(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")] * 2
    for _ in range(2):  # nothing is left of the run before
        found = measured.measure(videos)
    assert found["video_seconds"] == pytest.approx(2.4)
    seconds = {name: stage["seconds"] for name, stage in found["stages"].items()}
    assert seconds == {"Sleepy": 2.5, "Sleepy a": 8.0, "Sleepy a (3)": 4.0, stage_times.REST: 2.0}
    assert found["seconds"] == 16.5 and found["cpu_seconds"] == 33.0
    rows = {row["stage"]: row for row in stage_times.stage_rows([found, found, dict(found, video_seconds=1e9)])}
    assert rows["Sleepy a"]["seconds"] == pytest.approx(8 / 2.4) and rows["Sleepy a"]["share"] == 8 / 16.5
    slower = dict(found, seconds=33.0)
    assert stage_times.system_rows({"x": [found] * 2, "y": [slower] * 2})[1]["ratio to x"] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--videos", "{root}/list"], "list has no video: give files or folders with --videos"),
        (["--videos", "{root}/test_videos", "--work-dir", "a", "b"], "1 systems but 2 folders: give --work-dir one"),
        (["--videos", "{root}/test_videos", "--work-dir", "nowhere"], "is missing: train it with python tools/train"),
    ],
    ids=["no video", "folders", "no weights"],
)
def test_refused(stage_times, tiny_root, capsys, arguments, told):
    assert run(stage_times.main, [str(QUICK_SYSTEM), *(each.format(root=tiny_root) for each in arguments)]) == 2
    assert told in capsys.readouterr().err
