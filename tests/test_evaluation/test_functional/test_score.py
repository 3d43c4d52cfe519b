import numpy as np
import pytest

from tpsparse.evaluation.functional import psc_accuracy, psc_score


def test_accuracy_counts_equality_and_demands_the_action():
    psc, correct = np.array([0.2, 0.5, 0.9, 1.0]), np.array([True, True, False, True])
    # At 0.5: videos 1 and 3 of four; video 2 has the wrong action.
    assert psc_accuracy(psc, correct, np.array([0, 0.2, 0.5, 0.5001, 1])).tolist() == [0.75, 0.75, 0.5, 0.25, 0.25]


def test_perfect_is_just_below_one():
    # 9999 thresholds of width 0.0001: 0 is left out.
    assert psc_score(np.ones(3), np.ones(3, dtype=bool)) == pytest.approx(0.9999, abs=1e-12)


@pytest.mark.parametrize(
    ("psc", "correct", "expected", "reason"),
    [
        ([1.0], [False], 0.0, "wrong action"),
        ([0.0], [True], 0.0, "nothing right"),
        ([0.25], [True], 0.25, "0.25 itself counts: thresholds 0.0001 to 0.25 are 2500"),
        ([0.24999], [True], 0.2499, "one less"),
        ([0.00009], [True], 0.0, "below the first threshold"),
        ([1.0, 0.5], [True, True], (0.9999 + 0.5) / 2, "a mean over videos"),
        ([1.0, 0.5], [True, False], 0.9999 / 2, "wrong actions stay in the count"),
    ],
)
def test_score_by_hand(psc, correct, expected, reason):
    assert psc_score(np.array(psc), np.array(correct)) == pytest.approx(expected, abs=1e-12), reason


def test_score_equals_the_sum_over_thresholds():
    rng = np.random.default_rng(0)
    # Multiples of a ten thousandth, which lie exactly on thresholds, and others.
    psc = np.concatenate([rng.integers(0, 10_001, 10) / 10_000, rng.random(10)])
    correct = rng.random(20) < 0.7
    total = 0.0
    for step in range(1, 10_000):
        right = [ok for value, ok in zip(psc, correct) if value >= step / 10_000]
        total += sum(right) / 20 * 0.0001
    assert psc_score(psc, correct) == pytest.approx(total, abs=1e-9)
