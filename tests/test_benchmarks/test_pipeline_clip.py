"""Drawn clips, short and long."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.video import Video

SIZE = (48, 64)


@pytest.fixture(scope="module")
def clips(benchmark):
    return benchmark("pipeline_clip")


def test_a_long_clip_repeats_a_short_one(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(clips, "DRAWN", 6)
    folder = tmp_path / "clips (ü)"
    long, short = (Video(clips.make_clip(folder, frames=frames, size=SIZE)) for frames in (18, 6))
    assert (long.num_frames, long.size, long.fps) == (18, SIZE, 30)
    once = short.frames(range(1, 7))
    assert len({frame.tobytes() for frame in once}) == 6
    assert np.array_equal(long.frames(range(1, 19)), np.concatenate([once] * 3))
    before = short.path.stat().st_mtime_ns
    assert clips.make_clip(folder, frames=6, size=SIZE).stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="13 frames are no multiple of 6"):
        clips.make_clip(folder, frames=13, size=SIZE)
