from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.transforms import DecodeFrames
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError


def test_frames_by_number(tiny_root):
    path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
    results = DecodeFrames()(dict(filename=str(path), frame_inds=np.array([12, 1, 1])))
    whole = Video(path).frames(range(1, 13))
    np.testing.assert_array_equal(np.stack(results["imgs"]), whole[[11, 0, 0]])
    assert isinstance(results["imgs"], list)
    assert results["original_shape"] == results["img_shape"] == (64, 96)


@pytest.mark.parametrize("number", [0, 13])
def test_number_out_of_range(tiny_root, number):
    path = tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4"
    with pytest.raises(InputError, match=r"lunge_test_0\.mp4"):
        DecodeFrames()(dict(filename=str(path), frame_inds=np.array([number])))
