"""Average precision by hand, with ties, and as mmaction2 has it. N rows, S states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tpsparse.evaluation.functional import average_precision, mean_known, state_average_precision


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.9, 0.8, 0.7], [1, 0, 1], (1 + 2 / 3) / 2),
        ([0.7, 0.8, 0.9], [1, 0, 1], (1 + 2 / 3) / 2),  # order of rows does not matter
        ([0.9, 0.1], [0, 1], 1 / 2),
        ([0.5], [1], 1.0),
        ([0.5, 0.5], [1, 0], 1 / 2),  # both at once
        ([0.5, 0.5], [0, 1], 1 / 2),
        ([0.5] * 4, [0, 1, 0, 0], 1 / 4),
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], (1 + 2 / 3) / 2),
        ([0.9, -1.0, -1.0, -1.0], [1, 1, 0, 0], (1 + 2 / 4) / 2),  # not found: below all
        ([-math.inf, math.inf], [1, 1], 1.0),
    ],
)
def test_by_hand(scores, labels, expected):
    assert average_precision(np.array(scores), np.array(labels, dtype=bool)) == pytest.approx(expected)


@pytest.mark.parametrize("scores", [[0.5, 0.4], []])
def test_without_positives(scores):
    assert math.isnan(average_precision(np.array(scores), np.zeros(len(scores), dtype=bool)))


def test_of_each_state():
    scores, labels = np.array([[0.9, 0.1, 0.2], [0.8, 0.3, 0.2]]), np.array([[0, 0, 1], [1, 0, 0]])
    found = state_average_precision(scores, labels)
    np.testing.assert_allclose(found, [0.5, np.nan, 0.5])
    assert mean_known(found) == 0.5
    assert np.isnan(state_average_precision(np.zeros((0, 3)), np.zeros((0, 3)))).all()
    assert math.isnan(mean_known(np.full(3, np.nan))) and math.isnan(mean_known(np.zeros(0)))


@pytest.mark.parametrize("levels", [3, 1000])
def test_as_mmaction2_has_it(levels):
    import tpsparse.compat  # noqa: F401 - mends what mmaction imports

    pytest.importorskip("mmaction")
    from mmaction.evaluation.functional import mean_average_precision

    rng = np.random.default_rng(0)
    scores, labels = rng.integers(levels, size=(200, 6)) / levels, rng.random((200, 6)) < 0.2
    expected = mean_average_precision(list(scores), list(labels.astype(int)))
    assert mean_known(state_average_precision(scores, labels)) == pytest.approx(expected, abs=1e-12)
    assert 0.1 < expected < 0.5


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"scores have shape \(2, 3\) and labels \(2, 2\), expected"):
        state_average_precision(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"scores have shape \(3,\)"):
        state_average_precision(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="1 of the scores are NaN"):
        state_average_precision(np.array([[0.1, np.nan]]), np.ones((1, 2)))
