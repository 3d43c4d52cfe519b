"""Groups of frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing.clustering import (
    centres_of,
    frame_centres,
    nearest_centres,
    sampled_frames,
)
from tpsparse.structures.temporal import TemporalSample


def samples(*features: torch.Tensor):
    for number, each in enumerate(features):
        yield each, TemporalSample.of(f"v/{number}", len(each), [])


def test_the_centres_of_groups_far_apart():
    generator = np.random.default_rng(0)
    middles = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    points = np.repeat(middles, 50, axis=0) + generator.uniform(-1, 1, (200, 2))
    found = centres_of(points.astype(np.float32), 4, generator)
    means = points.reshape(4, 50, 2).mean(axis=1)
    assert found.dtype == np.float32
    for mean in means:
        assert np.abs(found - mean).max(axis=1).min() < 1e-4


def test_as_many_groups_as_frames_and_equal_frames():
    frames = np.array([[0.0, 0], [1, 0], [0, 1]], dtype=np.float32)
    found = centres_of(frames, 3, np.random.default_rng(0))
    assert sorted(found.tolist()) == sorted(frames.tolist())
    same = centres_of(np.ones((5, 2), dtype=np.float32), 2, np.random.default_rng(0))
    assert np.isfinite(same).all() and (same == 1).all()


def test_few_frames_are_all_kept_in_order():
    features = [torch.arange(6.0).reshape(3, 2), torch.arange(6.0, 10).reshape(2, 2)]
    frames = sampled_frames(samples(*features), 2, np.random.default_rng(0))
    assert np.array_equal(frames, np.arange(10.0).reshape(5, 2))


def test_each_frame_has_the_same_chance():
    counts = np.zeros(40)
    features = [torch.arange(start, start + 8.0)[:, None] for start in range(0, 40, 8)]
    for seed in range(400):
        kept = sampled_frames(samples(*features), 1, np.random.default_rng(seed), limit=10)[:, 0]
        assert len(kept) == 10 == len(set(kept.tolist()))
        counts[kept.astype(int)] += 1
    # A frame is kept 100 times of 400, with a standard deviation of 8.7.
    assert counts.min() > 60 and counts.max() < 140
    assert abs(counts[:8].mean() - counts[-8:].mean()) < 15


def test_draws_follow_from_the_seed():
    features = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(frame_centres(samples(features), 8, 3))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_what_cannot_be_grouped():
    with pytest.raises(InputError, match="has 3 frames for 4 groups: set num_groups lower"):
        frame_centres(samples(torch.zeros(3, 2)), 4, 2)
    with pytest.raises(InputError, match="has 0 frames"):
        frame_centres(iter(()), 2, 5)


def test_nearest_centres():
    centres = torch.tensor([[0.0], [10.0], [10.0]])
    assert nearest_centres(torch.tensor([[1.0], [9.0], [5.0]]), centres).tolist() == [0, 1, 0]  # ties: the first
