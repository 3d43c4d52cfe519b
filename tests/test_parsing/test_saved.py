from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.parsing import ReadParse
from tpsparse.structures import FrameParse, VideoParse


@pytest.fixture
def video(tiny_root):
    return Video(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")


def test_takes_the_place_of_the_record(video, tmp_path, tiny_taxonomy):
    frames = [FrameParse(6, np.ones((2, 4)), part_states=np.array([[0, 1, 2], [2, 1, 0]]))]
    saved = VideoParse("lunge_test_0", (64, 96), 12, 10.0, frames, {"action": np.array([0, 1, 0.0])})
    saved.save(tmp_path / "lunge_test_0.safetensors")
    parse = VideoParse("lunge_test_0", frames=[FrameParse(1, np.zeros((0, 4)))])
    stage = ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy)
    stage.parse_video(video, parse)
    assert stage.gives == ["boxes"] and not stage.sees_frames
    assert parse.frame_indices == [6] and parse.action() == 1 and parse.size == (64, 96)
    assert parse.frames[0].part_states.tolist() == [[0, 1, 2], [2, 1, 0]]


@pytest.mark.parametrize("content", [None, b"half"])
def test_missing_or_broken(video, tmp_path, tiny_taxonomy, content):
    if content is not None:
        (tmp_path / "lunge_test_0.safetensors").write_bytes(content)
    stage = ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy)
    with pytest.raises(InputError, match=r"lunge_test_0\.safetensors"):
        stage.parse_video(video, VideoParse("lunge_test_0"))


def test_record_of_a_failed_video_fails_again(video, tmp_path, tiny_taxonomy):
    VideoParse("lunge_test_0", error="lunge.mp4 is empty").save(tmp_path / "lunge_test_0.safetensors")
    parse = VideoParse("lunge_test_0")
    ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy).parse_video(video, parse)
    assert parse.error == "lunge.mp4 is empty"
