"""TCN: labels, loss, and how scores become boundaries."""

from __future__ import annotations

import math

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing import BoundaryTCN
from tpsparse.models.temporal_parsing.tcn import (
    balanced_cross_entropy,
    boundary_labels,
    frames_above,
    peaks_above,
)
from tpsparse.structures.temporal import TemporalSample


@pytest.mark.parametrize(
    ("boundaries", "neighbours", "expected"),
    [
        ([], 2, [0] * 8),
        ([3], 0, [0, 0, 0, 1, 0, 0, 0, 0]),
        ([3], 1, [0, 0, 1, 1, 1, 0, 0, 0]),
        ([1, 7], 2, [1, 1, 1, 1, 0, 1, 1, 1]),
    ],
)
def test_labels(boundaries, neighbours, expected):
    assert boundary_labels(torch.tensor(boundaries, dtype=torch.int64), 8, neighbours).tolist() == expected


def test_both_labels_weigh_the_same():
    # One positive of four: log 2 at a logit of 0; negatives log(1 + e), log 2, log 2.
    loss = balanced_cross_entropy(torch.tensor([0.0, 1, 0, 0]), torch.tensor([1.0, 0, 0, 0]))
    negatives = (math.log(1 + math.e) + 2 * math.log(2)) / 3
    assert float(loss) == pytest.approx((math.log(2) + negatives) / 2, rel=1e-6)
    for label in (0.0, 1.0):
        assert float(balanced_cross_entropy(torch.zeros(3), torch.full((3,), label))) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("scores", "frames", "peaks"),
    [
        ([0.9], [], []),
        ([0.9, 0.5, 0.5], [], []),  # exactly at the threshold; the first frame begins no later sub-action
        ([0.9, 0.8, 0.1, 0.6], [1, 3], [1, 3]),
        ([0.1, 0.6, 0.9, 0.7, 0.2, 0.8], [1, 2, 3, 5], [2, 5]),
        ([0.1, 0.7, 0.7, 0.6], [1, 2, 3], [1]),
    ],
)
def test_boundaries_of_scores(scores, frames, peaks):
    given = torch.tensor(scores)
    assert frames_above(given, 0.5).tolist() == frames and peaks_above(given, 0.5).tolist() == peaks


def test_learns_where_features_change():
    torch.manual_seed(0)
    parser = BoundaryTCN(channels=2, hidden_channels=16, neighbours=0, peaks=True)
    features = torch.zeros(40, 2)
    features[13:27, 0] = 1
    features[27:, 1] = 1
    sample = TemporalSample.of("k", 40, [13, 27])
    optimizer = torch.optim.Adam(parser.parameters(), lr=0.02)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = parser.loss([features, features[:1]], [sample, TemporalSample.of("one", 1, [])])["loss_boundary"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]
    found = parser.parse(features)
    assert found.boundaries.tolist() == [13, 27] and found.scores.shape == (40,)
    assert parser.parse(features[:1]).boundaries.tolist() == []
    letter = BoundaryTCN(channels=2, hidden_channels=16)
    letter.load_state_dict(parser.state_dict())
    assert set(found.boundaries.tolist()) <= set(letter.parse(features).boundaries.tolist())


@pytest.mark.parametrize(("given", "told"), [(dict(kernel_size=4), "odd"), (dict(threshold=1.0), "below 1")])
def test_what_a_config_can_get_wrong(given, told):
    with pytest.raises(InputError, match=told):
        BoundaryTCN(channels=2, **given)
