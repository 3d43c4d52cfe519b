"""Memory and time of a long video."""

from __future__ import annotations

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def pipeline_long(benchmark):
    return benchmark("pipeline_long")


def _found(*, memory, processor, frames=10, video=10.0):
    return dict(seconds=1.0, processor=processor, frames=frames, video_seconds=video, peak_bytes=memory)


@pytest.mark.parametrize(
    ("memory", "processor", "met"),
    [
        (100, 60.0, ["yes", "yes"]),
        (105, 63.0, ["yes", "yes"]),  # exactly at the bounds
        (106, 60.0, ["no", "yes"]),
        (95, 60.0, ["no", "yes"]),  # 100 / 105 is 95.2
        (100, 63.1, ["yes", "no"]),
        (100, 10.0, ["yes", "yes"]),  # a frame of a long video may be cheaper
    ],
)
def test_goals_by_hand(pipeline_long, memory, processor, met):
    short, long = _found(memory=100, processor=1.0), _found(memory=memory, processor=processor, frames=600, video=600.0)
    goals = pipeline_long.goals(short, long)
    assert [goal["met"] for goal in goals] == met
    assert "10 s against 600 s" in goals[0]["goal"]


def test_rows_by_hand(pipeline_long):
    [row] = pipeline_long.rows_of([_found(memory=3e6, processor=2.0)])
    expected = {"video, s": 10.0, "frames parsed": 10, "peak MB": 3, "ms a frame": 100, "processor ms a frame": 200}
    assert row == expected


def test_parsing_tells_frames_and_memory(pipeline_long, benchmark, tmp_path, capsys):
    config = benchmark("pipeline").QUICK.config
    clip = benchmark("pipeline_clip").make_clip(tmp_path, frames=9, size=(144, 192))
    frames = np.random.default_rng(0).integers(0, 256, (2, 144, 192, 3), dtype=np.uint8)
    benchmark("pipeline_weights").make_weights(config, tmp_path / "weights", frames)
    assert pipeline_long.main([str(config), str(tmp_path / "weights"), str(clip), "--step", "4"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["frames"] == 3 and told["video_seconds"] == pytest.approx(0.3)  # frames 1, 5 and 9
    assert told["peak_bytes"] > 1e8 and told["seconds"] > 0
