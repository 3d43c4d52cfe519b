"""k-means and the floors: what they fit and where they cut."""

from __future__ import annotations

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing import EvenBoundaries, KMeansParser, NoBoundary
from tpsparse.structures.temporal import TemporalSample


def samples(*numbers: int, frames: int = 30):
    return [(torch.zeros(frames, 2), TemporalSample.of("k", frames, range(1, number + 1))) for number in numbers]


def test_kmeans_cuts_where_the_cluster_changes():
    parser = KMeansParser(channels=2, num_groups=2)
    features = torch.tensor([[0.0, 0.1], [0.1, 0], [5, 5.1], [5.1, 5], [0, 0]])
    torch.manual_seed(0)
    parser.fit([(features, TemporalSample.of("k", 5, []))])
    assert parser.parse(features).boundaries.tolist() == [2, 4]
    assert parser.parse(features[:1]).boundaries.tolist() == []
    copy = KMeansParser(channels=2, num_groups=2)
    copy.load_state_dict(parser.state_dict())
    assert copy.parse(features).boundaries.tolist() == [2, 4]


def test_no_boundary():
    parser = NoBoundary()
    parser.fit(iter(()))
    found = parser.parse(torch.zeros(9, 2)).boundaries
    assert found.shape == (0,) and found.dtype == torch.int64 and not parser.state_dict()


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [((2, 2), [10, 20]), ((1, 2), [10, 20]), ((0, 1, 1), [15]), ((0, 0, 1), []), ((3, 2, 2), [10, 20])],
)
def test_even_boundaries_of_the_mean_number(numbers, expected):
    parser = EvenBoundaries()
    parser.fit(samples(*numbers))
    assert parser.parse(torch.zeros(30, 2)).boundaries.tolist() == expected
    assert float(parser.state_dict()["mean_number"]) == pytest.approx(sum(numbers) / len(numbers))


def test_even_boundaries_of_a_short_instance_and_of_no_training():
    parser = EvenBoundaries()
    parser.fit(samples(5))
    assert parser.parse(torch.zeros(3, 2)).boundaries.tolist() == [1, 2]
    assert parser.parse(torch.zeros(1, 2)).boundaries.tolist() == []
    with pytest.raises(InputError, match="no instance to count"):
        parser.fit([])
