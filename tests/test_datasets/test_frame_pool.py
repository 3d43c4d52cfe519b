from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.frame_folder import extract_frames, open_frames
from tpsparse.datasets.frame_pool import FramePool
from tpsparse.datasets.video import Video
from tpsparse.engine import SeededSampler
from tpsparse.errors import InputError

FRAME = 64 * 96 * 3  # bytes of a drawn frame


@pytest.fixture
def video(tiny_root):
    return Video(sorted((tiny_root / "train_videos").glob("*/*.mp4"))[0])


@pytest.fixture
def reads(monkeypatch):
    """Which frames are read of a video, call by call."""
    calls = []
    plain = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, numbers: calls.append(list(numbers)) or plain(self, numbers))
    return calls


def test_a_video_is_decoded_once_for_all_that_is_needed(video, reads):
    pool = FramePool()
    for number in (6, 1, 11, 6):
        np.testing.assert_array_equal(
            pool.frame(video, number, lambda: [1, 6, 11]), Video(video.path).frames([number])[0]
        )
    assert [call for call in reads if len(call) > 1] == [[1, 6, 11]]


def test_a_frame_that_nobody_announced(video, reads):
    FramePool().frame(video, 3, lambda: [1, 6])
    assert reads == [[1, 3, 6]]


def test_what_does_not_fit_is_read_frame_by_frame(video, reads):
    pool = FramePool(max_bytes=4 * FRAME)  # a quarter is one frame
    pool.frame(video, 1, lambda: [1, 6])
    pool.frame(video, 6, lambda: [1, 6])
    assert reads == [[1], [6]]


def test_the_oldest_frame_goes_first(video, reads):
    pool = FramePool(max_bytes=2 * FRAME)
    for number in (1, 2, 1, 3, 1, 2):  # 3 drives out 2, which is read again and drives out 3
        pool.frame(video, number, lambda: [1, 2, 3])
    assert reads == [[1], [2], [3], [2]]


def test_room_for_less_than_a_frame(video, reads):
    pool = FramePool(max_bytes=1)
    assert pool.frame(video, 1, lambda: [1]).shape == (64, 96, 3)
    pool.frame(video, 2, lambda: [2])
    pool.frame(video, 1, lambda: [1])
    assert reads == [[1], [2], [1]]


def test_another_frame_that_cannot_be_read_costs_only_itself(video):
    pool = FramePool()
    assert pool.frame(video, 2, lambda: [2, 99]).shape == (64, 96, 3)
    with pytest.raises(InputError, match="frame 99 was asked for"):
        pool.frame(video, 99, lambda: [2, 99])


def test_extracted_frames_are_read_one_by_one(tiny_copy, monkeypatch):
    extract_frames(tiny_copy, workers=1, progress=False)
    folder = open_frames(tiny_copy, "train", "lunge", "lunge_train_0")
    calls = []
    plain = type(folder).frames
    monkeypatch.setattr(type(folder), "frames", lambda self, numbers: calls.append(numbers) or plain(self, numbers))
    pool = FramePool()
    for number in (1, 6, 1):
        pool.frame(folder, number, lambda: [1, 6, 11])
    assert calls == [[1], [6]]


def test_a_data_set_gives_the_same_samples_with_pools(tiny_root, tiny_taxonomy, scope):
    from tpsparse.datasets.tasks import TPSPartDataset

    def samples(pool):
        arguments = dict(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=[])
        dataset = TPSPartDataset(frame_step=5, **arguments)
        sampler = SeededSampler(dataset, seed=0, pool=pool)
        assert (dataset.pool is not None) == (pool is not None)
        return {key.item: dataset[key] for key in sampler}

    plain, pooled = samples(None), samples(2)
    assert plain.keys() == pooled.keys() and len(plain) > 10
    for item, sample in plain.items():
        np.testing.assert_array_equal(sample["img"], pooled[item]["img"])
        np.testing.assert_array_equal(sample["box"], pooled[item]["box"])


def test_what_a_transform_draws_into_a_sample_does_not_stay(tiny_root, tiny_taxonomy, scope):
    from tpsparse.datasets.tasks import TPSPartDataset

    dataset = TPSPartDataset(data_root=str(tiny_root), split="train", taxonomy=tiny_taxonomy.to_meta(), pipeline=[])
    dataset.expect_pools()
    before = dataset[0]["img"].copy()
    dataset[0]["img"][:] = 0
    np.testing.assert_array_equal(dataset[0]["img"], before)
