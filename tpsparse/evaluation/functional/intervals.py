"""How far a number could lie elsewhere had other videos been drawn: bootstrap intervals over videos.

Score, top-1 and mean PSC are means over videos, so one function serves all three. Videos, not frames, are drawn with
replacement: frames of one video resemble each other and are no independent evidence. Of two systems the difference is
resampled video by video (the paired bootstrap), since both find the same videos hard.

Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ...errors import InputError
from .kinetics_tps import TPSResult
from .score import score_contributions

RESAMPLES = 9_999
BATCH = 1_000
"""Resamples held in memory at a time: 1,123 videos times 1,000 are 9 MB."""

Values = Mapping[str, float]


@dataclass(frozen=True)
class Interval:
    """A mean over videos and the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"

    def to_json(self) -> dict[str, float]:
        """As files hold it."""
        return asdict(self)


def contributions(result: TPSResult) -> dict[str, float]:
    """What each video adds to the score, which is their mean; see :func:`score_contributions`."""
    psc = np.array([result.psc[video] for video in result.action_correct])
    correct = np.array(list(result.action_correct.values()))
    return dict(zip(result.action_correct, score_contributions(psc, correct).tolist()))


def score_interval(values: Values, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The mean of ``values`` and its percentile bootstrap interval over videos.

    The percentile interval is defined for any values, and stays within them; the bias-corrected one is not defined
    where, as with few videos, most values are equal.

    Args:
        values: Video to its value: :func:`contributions` for the score, ``TPSResult.action_correct`` for top-1,
            ``TPSResult.psc`` for the mean PSC.
        confidence: Share of such intervals that hold the true mean, in (0, 1).
        resamples: How many times the videos are drawn.
        seed: Of the draws.

    Returns:
        Low and high are the value itself for one video, and where all values are equal.

    Raises:
        InputError: If there is no video.
        ValueError: If a value is not finite, ``confidence`` is not in (0, 1) or ``resamples`` is below 1.
    """
    if not values:
        raise InputError("an interval was asked of no videos: give at least one")
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence {confidence} must be in (0, 1) and resamples {resamples} at least 1")
    # In the order of names: the draws, and with them the ends, then do not depend on the order of evaluation.
    array = np.array([float(values[video]) for video in sorted(values)])
    if not np.isfinite(array).all():
        raise ValueError("values are not finite")
    if np.ptp(array) == 0:
        return Interval(*[float(array[0])] * 3)
    # Scoring alone, which imports this package too, does not wait for all of scipy's statistics to load.
    from scipy.stats import bootstrap

    found = bootstrap(
        (array,),
        np.mean,
        n_resamples=resamples,
        batch=BATCH,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = found.confidence_interval
    return Interval(float(array.mean()), float(low), float(high))


def difference_interval(
    values: Values, others: Values, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean of ``values`` minus that of ``others``, two systems over the same videos, and its paired interval.

    An interval without 0 says that the systems differ by more than the choice of videos explains.

    Args:
        values: Video to value, as for :func:`score_interval`.
        others: The same of the other system.
        confidence: As for :func:`score_interval`.
        resamples: As for :func:`score_interval`.
        seed: As for :func:`score_interval`.

    Raises:
        InputError: If the two are not of the same videos, or of none.
        ValueError: As :func:`score_interval`.
    """
    alone = sorted(set(values) ^ set(others))
    if alone:
        some = f"{alone[0]} and {len(alone) - 1} more are" if len(alone) > 1 else f"{alone[0]} is"
        raise InputError(f"{some} in one of the two systems alone: compare systems over the same videos")
    differences = {video: float(values[video]) - float(others[video]) for video in values}
    return score_interval(differences, confidence=confidence, resamples=resamples, seed=seed)
