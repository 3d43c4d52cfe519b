from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import binom

from tpsparse.errors import InputError
from tpsparse.evaluation.functional import (
    Interval,
    TPSResult,
    contributions,
    difference_interval,
    psc_score,
    score_contributions,
    score_interval,
)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def of(values) -> dict[str, float]:
    return {f"v {i:03d} (ü)": float(value) for i, value in enumerate(values)}


@pytest.mark.parametrize(
    ("psc", "correct", "expected", "reason"),
    [
        (1.0, True, 0.9999, "0 is no threshold"),
        (1.0, False, 0.0, "wrong action"),
        (0.25, True, 0.25, "a threshold itself is reached"),
        (0.24999, True, 0.2499, "the next below"),
        (0.0, True, 0.0, "nothing is reached"),
    ],
)
def test_contribution_by_hand(psc, correct, expected, reason):
    assert score_contributions(np.array([psc]), np.array([correct])).tolist() == [expected], reason


def test_score_is_the_mean_of_contributions():
    rng = np.random.default_rng(0)
    # Multiples of a ten thousandth lie exactly on thresholds.
    psc = np.concatenate([rng.integers(0, 10_001, 300) / 10_000, rng.random(300), rng.integers(0, 8, 300) / 7])
    correct = rng.random(900) < 0.6
    assert score_contributions(psc, correct).mean() == pytest.approx(psc_score(psc, correct), abs=1e-12)


def test_contributions_of_a_result():
    psc, correct = {"a": 0.5, "b": 1.0, "c": 0.123}, {"a": True, "b": False, "c": True}
    result = TPSResult(0.0, 0.0, 0.0, psc, correct, {})
    assert contributions(result) == {"a": 0.5, "b": 0.0, "c": 0.123}


@pytest.mark.parametrize(("confidence", "tails"), [(0.95, (0.025, 0.975)), (0.5, (0.25, 0.75))])
def test_interval_of_a_share_is_the_binomial_one(confidence, tails):
    """Drawing 200 of 200 videos with 60 right ones: the number of right ones drawn is binomial."""
    found = score_interval(of([1.0] * 60 + [0.0] * 140), confidence=confidence)
    low, high = (binom.ppf(tail, 200, 0.3) / 200 for tail in tails)
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(low, abs=1.01 / 200) and found.high == pytest.approx(high, abs=1.01 / 200)


def test_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(1).random(1000)
    found = score_interval(of(values))
    half = 1.959964 * values.std() / np.sqrt(1000)
    assert found.low == pytest.approx(values.mean() - half, abs=0.05 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05 * half)


def test_draws_follow_the_seed_and_not_the_order():
    values = of(np.random.default_rng(2).random(20))
    first = score_interval(values)
    assert score_interval(dict(reversed(values.items()))) == first
    assert score_interval(values, seed=1) != first


@pytest.mark.parametrize(
    ("values", "reason"), [([0.37], "one video"), ([0.1] * 3, "all equal"), ([True] * 4, "all right"), ([0.0], "zero")]
)
def test_no_spread(values, reason):
    value = float(values[0])
    assert score_interval(of(values)) == Interval(value, value, value), reason


def test_nearly_no_spread_is_finite():
    found = score_interval(of([0.0] * 50 + [1.0]))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_no_video():
    with pytest.raises(InputError, match="give at least one"):
        score_interval({})


@pytest.mark.parametrize(
    "arguments", [dict(confidence=0.0), dict(confidence=1.0), dict(confidence=95.0), dict(resamples=0)]
)
def test_odd_arguments(arguments):
    with pytest.raises(ValueError, match=r"must be in \(0, 1\)"):
        score_interval(of([0.0, 1.0]), **arguments)


def test_values_that_are_not_numbers():
    with pytest.raises(ValueError, match="not finite"):
        score_interval(of([0.0, float("nan")]))


def test_difference_is_paired():
    """A constant advantage is certain, however much the videos differ."""
    base = np.random.default_rng(3).random(50)
    found = difference_interval(of(base + 0.125), of(base))
    assert found.value == pytest.approx(0.125) and found.high - found.low < 1e-12
    lone = score_interval(of(base))
    assert lone.high - lone.low > 0.1


def test_difference_has_a_sign_and_holds_zero_for_equals():
    rng = np.random.default_rng(4)
    a, b = of(rng.random(80)), of(rng.random(80))
    forth, back = difference_interval(a, b), difference_interval(b, a)
    assert forth.value == pytest.approx(-back.value) and forth.low < forth.value < forth.high
    assert difference_interval(a, a) == Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"a": 1.0}, "b is in one of the two systems alone"),
        ({}, "a and 1 more are"),
        ({"a": 1, "c": 0}, "b and 1 more"),
    ],
)
def test_difference_over_other_videos(others, told):
    with pytest.raises(InputError, match=told):
        difference_interval({"a": 0.0, "b": 1.0}, others)


def test_text_and_json():
    interval = Interval(0.33324, 0.3, 0.36)
    assert str(interval) == "0.3332 [0.3000, 0.3600]"
    assert interval.to_json() == {"value": 0.33324, "low": 0.3, "high": 0.36}
