"""Clips along segments, and packed instances. S segments, T frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import SampleFrames

from tpsparse.datasets.transforms import PackInstance, SampleAlongSegments
from tpsparse.datasets.transforms.instances import deal_clips
from tpsparse.structures.temporal import TemporalSample, segments_of


def sampled(transform, total, segments=None, start_index=1):
    results = dict(total_frames=total, start_index=start_index)
    if segments is not None:
        results["segments"] = np.array(segments)
    return transform(results)["frame_inds"].tolist()


@pytest.mark.parametrize(
    ("lengths", "num_clips", "expected"),
    [
        ((10,), 8, [8]),
        ((10, 10), 8, [4, 4]),
        ((10, 30, 20), 8, [2, 3, 3]),  # two over: to the longest
        ((5, 9, 9), 7, [2, 3, 2]),  # a tie: to the earlier
        ((1, 1, 1), 3, [1, 1, 1]),
        ((9, 1, 1, 9), 2, [0, 1, 0, 1]),  # more segments than clips: the middles of two halves of four
        ((3, 3, 3, 3, 3), 1, [0, 0, 1, 0, 0]),
    ],
)
def test_deal_clips(lengths, num_clips, expected):
    dealt = deal_clips(np.array(lengths), num_clips)
    assert dealt.tolist() == expected and dealt.sum() == num_clips


@pytest.mark.parametrize("total", [1, 2, 7, 8, 75])
@pytest.mark.parametrize("num_clips", [1, 3, 8])
def test_without_segments_it_tests_as_tsn_does(total, num_clips):
    own = SampleAlongSegments(num_clips, test_mode=True)
    tsn = SampleFrames(clip_len=1, frame_interval=1, num_clips=num_clips, test_mode=True)
    assert sampled(own, total) == tsn(dict(total_frames=total, start_index=1))["frame_inds"].tolist()
    assert sampled(own, total, [[0, total]]) == sampled(own, total)


def test_keys_are_those_of_sample_frames():
    results = SampleAlongSegments(2, clip_len=3, frame_interval=2)(dict(total_frames=20, start_index=1))
    theirs = SampleFrames(clip_len=3, frame_interval=2, num_clips=2)(dict(total_frames=20, start_index=1))
    assert set(results) == set(theirs)
    assert results["frame_inds"].dtype == np.int32 and results["frame_inds"].shape == theirs["frame_inds"].shape
    assert (results["clip_len"], results["frame_interval"], results["num_clips"]) == (3, 2, 2)


def test_middles_along_segments():
    # Ten frames, then four, then two: 8 clips are 3, 3 and 2 by 8 // 3 = 2 each and one more for the two longest.
    own = SampleAlongSegments(8, test_mode=True)
    # Thirds of ten have their middles at 1.67, 5 and 8.33; thirds of four behind it at 0.67, 2 and 3.33; halves of two.
    assert sampled(own, 16, [[0, 10], [10, 14], [14, 16]], start_index=0) == [1, 5, 8, 10, 12, 13, 14, 15]


def test_more_segments_than_clips():
    segments = segments_of(np.arange(10, 50, 10), 50)  # five of ten frames
    assert sampled(SampleAlongSegments(2, test_mode=True), 50, segments, start_index=0) == [15, 35]


def test_a_segment_of_one_frame_gives_it_again_and_again():
    own = SampleAlongSegments(4)
    assert sampled(own, 9, [[0, 1], [1, 9]], start_index=0)[:2] == [0, 0]
    assert sampled(SampleAlongSegments(3), 1) == [1, 1, 1]


def test_training_draws_from_each_part():
    own = SampleAlongSegments(4)
    np.random.seed(0)
    drawn = np.array([sampled(own, 40, [[0, 20], [20, 40]], start_index=0) for _ in range(400)])
    for clip, first in enumerate((0, 10, 20, 30)):
        assert set(drawn[:, clip]) == set(range(first, first + 10))


def test_training_follows_numpy_alone():
    own = SampleAlongSegments(4)
    np.random.seed(3)
    first = sampled(own, 90)
    np.random.seed(3)
    assert sampled(own, 90) == first
    assert len({tuple(sampled(own, 90)) for _ in range(10)}) > 1


def test_long_clips_start_inside_and_end_within_the_video():
    own = SampleAlongSegments(2, clip_len=4, frame_interval=2)  # spans 7 frames
    for seed in range(50):
        np.random.seed(seed)
        one, two = np.array(sampled(own, 30, [[0, 26], [26, 30]], start_index=0)).reshape(2, 4)
        assert one[0] >= 0 and one[-1] < 26  # there is room in the first
        assert two.tolist() == [23, 25, 27, 29]  # there is none in the second: as late as the video allows
    # A video shorter than the clip is run through again, as SampleFrames does.
    assert sampled(own, 3, start_index=0) == [0, 2, 1, 0] * 2


@pytest.mark.parametrize(
    "wrong", [dict(num_clips=0), dict(num_clips=2, clip_len=0), dict(num_clips=2, frame_interval=0)]
)
def test_nothing_to_sample_is_refused(wrong):
    with pytest.raises(ValueError, match="expected 1 or more"):
        SampleAlongSegments(**wrong)


@pytest.mark.parametrize("boundaries", [[], [2]])
def test_pack_instance(boundaries):
    features = np.arange(6, dtype=np.float16).reshape(3, 2)
    results = dict(
        key="v/i", features=features, boundaries=np.array(boundaries, dtype=np.int64), label=4, num_frames=3, fps=25.0
    )
    packed = PackInstance()(results)
    assert packed["inputs"].dtype == torch.float32 and packed["inputs"].tolist() == [[0, 1], [2, 3], [4, 5]]
    sample = packed["data_samples"]
    assert isinstance(sample, TemporalSample)
    assert (sample.key, sample.num_frames, sample.label, sample.fps) == ("v/i", 3, 4, 25.0)
    assert sample.boundaries.dtype == torch.int64 and sample.boundaries.tolist() == boundaries
