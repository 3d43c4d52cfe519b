"""A small data set keeps its frames, whatever the order of its samples; a large one does not."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets import frame_pool
from tpsparse.datasets.frame_pool import pool_of_all
from tpsparse.datasets.tasks import TPSPartDataset, TPSPersonDataset
from tpsparse.datasets.tasks.poses import TPSPoseDataset
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse

FRAME = 64 * 96 * 3  # bytes of a drawn frame


@pytest.mark.parametrize(("room", "kept"), [(0, True), (-1, False)])
def test_exactly_as_much_as_there_is_room_for(monkeypatch, room, kept):
    """Two frames of 4 x 6 and three of 2 x 10 pixels: 48 + 60 of three bytes."""
    monkeypatch.setattr(frame_pool, "CACHE_BYTES", 3 * 108 + room)
    pool = pool_of_all(np.array([2, 3]), np.array([[4, 6], [2, 10]]))
    assert (pool is not None) == kept


def test_no_video():
    assert pool_of_all(np.zeros(0, int), np.zeros((0, 2))) is not None


@pytest.fixture
def reads(monkeypatch):
    """How often a file is decoded."""
    calls = []
    plain = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, numbers: calls.append(self.name) or plain(self, numbers))
    return calls


@pytest.fixture
def keypoints(tiny_root, tmp_path):
    """Two persons in every frame of three videos."""
    for path in sorted((tiny_root / "train_videos").glob("*/*_0.mp4")):
        points = np.ones((2, 17, 3)) * [20, 30, 0.9]
        frames = [
            FrameParse(number, np.array([[10, 5, 30, 45], [55, 5, 75, 45]]), keypoints=points)
            for number in range(1, 13)
        ]
        VideoParse(path.stem, size=(64, 96), num_frames=12, fps=10.0, frames=frames).save(
            tmp_path / f"{path.stem}.safetensors"
        )
    return tmp_path


@pytest.fixture(params=["persons", "parts", "poses"])
def build(request, tiny_root, tiny_taxonomy, keypoints, scope):
    def make():
        place = dict(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=[])
        if request.param == "poses":
            return TPSPoseDataset(keypoints=str(keypoints), frame_step=5, **place)
        return {"persons": TPSPersonDataset, "parts": TPSPartDataset}[request.param](frame_step=5, **place)

    return make


@pytest.fixture
def scope():
    from mmengine.registry import init_default_scope

    init_default_scope("tpsparse")


def test_each_video_is_decoded_once_and_samples_are_the_same(build, reads, monkeypatch):
    kept = build()
    order = np.random.default_rng(0).permutation(len(kept)).tolist() * 2
    found = [kept[index] for index in order]
    assert len(reads) == len(set(reads)) and len(order) > 4 * len(reads)
    monkeypatch.setattr(frame_pool, "CACHE_BYTES", 0)
    plain = build()
    for index, sample in zip(order, found, strict=True):
        expected = plain[index]
        assert sample.keys() == expected.keys()
        np.testing.assert_array_equal(sample["img"], expected["img"])
        sample["img"][:] = 0  # it is the sample's own
    assert len(reads) == len(set(reads)) + len(order)


def test_a_frame_that_cannot_be_read_costs_itself_alone(tiny_root, tiny_taxonomy, monkeypatch, scope):
    plain = Video.frames

    def breaking(self, numbers):
        if 6 in numbers:
            raise InputError(f"{self.path} ends after frame 5: replace it")
        return plain(self, numbers)

    monkeypatch.setattr(Video, "frames", breaking)
    place = dict(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=[])
    dataset = TPSPersonDataset(frame_step=5, **place)
    numbers = [dataset[index]["frame_index"] for index in range(3)]
    assert numbers == [1, 11, 11] and len(dataset.problems) == 1
