"""ISBA: transcripts, soft targets, and where boundaries move."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing import ISBA
from tpsparse.models.temporal_parsing import isba as module
from tpsparse.models.temporal_parsing.isba import (
    FeaturePyramid,
    moved_boundaries,
    normalised_relu,
    soft_shares,
    transcript,
)
from tpsparse.structures.temporal import TemporalSample

CENTRES = torch.tensor([[0.0], [10.0], [20.0]])


def ids(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.int64)


@pytest.mark.parametrize(
    ("frames", "boundaries", "expected"),
    [
        ([0, 1, 9, 10, 21], [2, 4], [0, 1, 2]),
        ([0, 0, 9, 1, 20, 21], [4], [0, 2]),  # the majority
        ([0, 0, 0, 0], [2], [0, 1]),  # the same as before: the next nearest
        ([0, 1, 0, 0, 19], [2], [0, 2]),  # the most frequent that is not the one before
        ([4, 11], [], [1]),  # a tie of votes goes to the nearer to the mean, 7.5
        ([7], [], [1]),
    ],
)
def test_transcript(frames, boundaries, expected):
    features = torch.tensor(frames, dtype=torch.float32)[:, None]
    assert transcript(features, ids(*boundaries), CENTRES).tolist() == expected


def test_neighbours_in_a_transcript_differ_and_are_as_many_as_sub_actions():
    torch.manual_seed(0)
    for _ in range(20):
        features, boundaries = torch.randn(15, 3), ids(*sorted(torch.randperm(14)[:6].add(1).tolist()))
        labels = transcript(features, boundaries, torch.randn(2, 3))
        assert len(labels) == 7 and (labels[1:] != labels[:-1]).all()


def test_hard_shares():
    shares = soft_shares(ids(2, 3), 6, 0.0)
    assert shares.tolist() == [[1, 0, 0]] * 2 + [[0, 1, 0]] + [[0, 0, 1]] * 3
    assert soft_shares(ids(), 3, 0.25).tolist() == [[1]] * 3


def test_soft_shares():
    # The shorter one has 8 frames, a quarter of which is 2: the fade is from 6 to 10.
    shares = soft_shares(ids(8), 24, 0.25)[:, 1]
    assert shares[:6].tolist() == [0] * 6 and shares[10:].tolist() == [1] * 14
    assert shares[6:10].tolist() == pytest.approx([0.125, 0.375, 0.625, 0.875])


@pytest.mark.parametrize("softness", [0.0, 0.25, 0.5])
def test_shares_sum_to_one(softness):
    for boundaries in itertools.combinations(range(1, 9), 3):
        shares = soft_shares(ids(*boundaries), 9, softness)
        assert torch.allclose(shares.sum(1), torch.ones(9)) and shares.min() >= 0
        assert shares.argmax(1).unique().tolist() == [0, 1, 2, 3]


def test_a_boundary_moves_to_where_the_scores_change():
    scores = torch.zeros(20, 2)
    scores[:7, 1] = scores[7:, 0] = -5
    assert moved_boundaries(scores, ids(10)).tolist() == [7]
    # It goes no farther than the middles of its sub-actions, 5 and 15 here.
    scores = torch.tensor([[0.0, -5.0]] * 20)
    assert moved_boundaries(scores, ids(10)).tolist() == [15]
    assert moved_boundaries(-scores.flip(0), ids(10)).tolist() == [6]


def test_moved_boundaries_by_trying_all():
    generator = np.random.default_rng(0)
    for _ in range(50):
        length = int(generator.integers(4, 25))
        count = int(generator.integers(1, min(length, 6)))
        boundaries = np.sort(generator.choice(np.arange(1, length), count, replace=False)).tolist()
        scores = torch.tensor(generator.normal(size=(length, count + 1)))
        edges, expected = [0, *boundaries, length], []
        for place in range(count):
            first, last = (edges[place] + edges[place + 1]) // 2, (edges[place + 1] + edges[place + 2]) // 2
            sums = {
                cut: float(scores[first:cut, place].sum() + scores[cut:last, place + 1].sum())
                for cut in range(first + 1, last + 1)
            }
            expected.append(max(sums, key=sums.__getitem__))
        found = moved_boundaries(scores, ids(*boundaries)).tolist()
        assert found == expected and (np.diff([0, *found, length]) > 0).all()


def test_normalised_relu():
    values = torch.tensor([[[2.0, -1.0], [4.0, -2.0]]])
    assert normalised_relu(values).flatten().tolist() == pytest.approx([0.5, 0, 1, 0], abs=1e-4)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 33])
def test_the_pyramid_gives_probabilities_of_every_frame(length):
    torch.manual_seed(0)
    found = FeaturePyramid(3, 5, (4, 6, 8), 5, 0.1)(torch.randn(length, 3))
    assert found.shape == (length, 5) and torch.allclose(found.exp().sum(1), torch.ones(length), atol=1e-5)


def test_rounds_find_the_boundaries_that_even_ones_miss():
    torch.manual_seed(0)
    parser = ISBA(channels=3, num_groups=3, widths=(8, 8), kernel_size=3, dropout=0.0)
    given = []
    for number, (first, second) in enumerate([(6, 18), (12, 30), (20, 26), (8, 12)]):
        features = torch.zeros(36, 3)
        features[:first, 0] = features[first:second, 1] = features[second:, 2] = 1
        features += 0.05 * torch.randn(36, 3)
        given.append((features, TemporalSample.of(f"v/{number}", 36, [first, second])))
    parser.fit(given)
    inputs, samples = zip(*given)
    assert parser.boundaries_of(samples[0]).tolist() == [12, 24]
    optimizer = torch.optim.Adam(parser.parameters(), lr=0.02)
    for _ in range(8):
        for _ in range(12):
            optimizer.zero_grad()
            parser.loss(inputs, samples)["loss_frame"].backward()
            optimizer.step()
        parser.assigned = parser.assign(given)
    errors = [np.abs(np.array(parser.assigned[s.key][:-1]) - s.boundaries.numpy()).max() for s in samples]
    assert {ends[-1] for ends in parser.assigned.values()} == {36}
    assert max(errors) <= 2  # of up to 8 and 12 frames at the beginning
    for features, sample in given:
        found = parser.parse(features).boundaries
        assert len(found) == 2 and (found - sample.boundaries).abs().max() <= 2


@pytest.mark.parametrize(
    ("length", "boundaries", "expected"),
    [
        (12, [2, 9], [3, 5]),  # as it was assigned
        (12, [4], [6]),  # fewer sub-actions
        (12, [], []),
        (12, [2, 4, 6], [3, 6, 9]),  # more
        (9, [2, 5], [3, 6]),  # the same number in other frames
        (15, [2, 5], [5, 10]),
        (4, [1, 2], [1, 3]),  # what is assigned lies beyond the end
    ],
)
def test_what_was_assigned_to_other_frames_is_not_used(length, boundaries, expected):
    parser = ISBA(channels=3, num_groups=3, widths=(4,), kernel_size=3)
    parser.assigned = {"v/0": [3, 5, 12]}
    features, sample = torch.randn(length, 3), TemporalSample.of("v/0", length, boundaries)
    assert parser.boundaries_of(sample).tolist() == expected
    parser.loss([features], [sample])["loss_frame"].backward()
    [ends] = parser.assign([(features, sample)]).values()
    assert len(ends) == len(boundaries) + 1 and ends[-1] == length and (np.diff([0, *ends]) > 0).all()


def test_the_first_instance_that_begins_anew_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(module, "print_log", lambda message, *_: told.append(message))
    parser = ISBA(channels=3, num_groups=3, widths=(4,), kernel_size=3)
    parser.assigned = {"v/0": [3, 12], "v/1": [4, 12]}
    parser.boundaries_of(TemporalSample.of("v/0", 12, [5]))
    parser.boundaries_of(TemporalSample.of("v/2", 12, [5]))
    assert not told
    for number in (0, 1):
        parser.boundaries_of(TemporalSample.of(f"v/{number}", 9, [5]))
    [message] = told
    assert "assigned to v/0 is of other frames" in message and "leave max_frames out" in message


def test_an_instance_of_one_frame():
    parser = ISBA(channels=3, num_groups=2, widths=(4,), kernel_size=3)
    features, sample = torch.randn(1, 3), TemporalSample.of("v/one", 1, [])
    assert parser.parse(features).boundaries.tolist() == [] and parser.assign([(features, sample)]) == {"v/one": [1]}
    parser.loss([features], [sample])["loss_frame"].backward()


@pytest.mark.parametrize("given", [dict(num_groups=1), dict(kernel_size=2), dict(softness=0.6)])
def test_what_a_config_can_get_wrong(given):
    with pytest.raises(InputError, match="ISBA has num_groups"):
        ISBA(channels=2, **given)
