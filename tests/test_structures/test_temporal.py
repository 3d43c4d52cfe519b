"""Boundaries, sub-actions and labels of frames, by hand. T frames, B boundaries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tpsparse.structures.temporal import TemporalSample, boundaries_of_changes, segment_ids, segments_of

HAND = [
    # boundaries, T, which sub-action each frame belongs to
    ([], 1, [0]),
    ([], 4, [0, 0, 0, 0]),
    ([1], 2, [0, 1]),
    ([2], 5, [0, 0, 1, 1, 1]),
    ([1], 4, [0, 1, 1, 1]),
    ([3], 4, [0, 0, 0, 1]),
    ([1, 3], 4, [0, 1, 1, 2]),
    ([1, 2, 3], 4, [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("boundaries", "length", "ids"), HAND)
def test_segment_ids(boundaries, length, ids):
    found = segment_ids(torch.tensor(boundaries, dtype=torch.int64), length)
    assert found.tolist() == ids and found.dtype == torch.int64


@pytest.mark.parametrize(("boundaries", "length", "ids"), HAND)
def test_boundaries_of_changes_are_those_of_the_ids(boundaries, length, ids):
    found = boundaries_of_changes(torch.tensor(ids))
    assert found.tolist() == boundaries and found.dtype == torch.int64


def test_changes_back_and_downwards():
    assert boundaries_of_changes(torch.tensor([5, 2, 2, 5, 5, -1])).tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    ("boundaries", "length", "segments"),
    [
        ([], 1, [[0, 1]]),
        ([], 6, [[0, 6]]),
        ([1], 6, [[0, 1], [1, 6]]),
        ([5], 6, [[0, 5], [5, 6]]),
        ([1, 4, 5], 6, [[0, 1], [1, 4], [4, 5], [5, 6]]),
    ],
)
def test_segments_of(boundaries, length, segments):
    found = segments_of(np.array(boundaries, dtype=np.int64), length)
    assert found.tolist() == segments and found.dtype == np.int64
    assert segments_of(np.array(boundaries), length).dtype == np.int64  # an empty array is of floats


def test_all_three_agree():
    length = 6
    for count in range(length):
        for chosen in itertools.combinations(range(1, length), count):
            ids = segment_ids(torch.tensor(chosen, dtype=torch.int64), length)
            assert boundaries_of_changes(ids).tolist() == list(chosen)
            for number, (first, end) in enumerate(segments_of(np.array(chosen, dtype=np.int64), length)):
                assert (ids[first:end] == number).all() and int((ids == number).sum()) == end - first


def test_a_sample_before_parsing():
    sample = TemporalSample.of("v é/a (b)", 9, np.array([], dtype=float))
    assert sample.boundaries.dtype == torch.int64 and sample.boundaries.shape == (0,)
    assert (sample.key, sample.num_frames, sample.label, sample.fps) == ("v é/a (b)", 9, -1, 0.0)
    assert "pred_boundaries" not in sample
