"""The Kinetics-TPS score: the area under the accuracy of videos over the demanded PSC.

As the released script sums it: a video counts at t when its action is right and its PSC is at least t (the README
says greater); t = 0 is left out of the area, so 0.9999 is the highest score.

Shapes: V videos, Q thresholds.
"""

from __future__ import annotations

import numpy as np

STEPS = 10_000


def psc_accuracy(psc: np.ndarray, action_correct: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Share (Q,) of videos whose action is right and whose PSC (V,) is at least each of ``thresholds`` (Q,).

    Args:
        psc: (V,) in [0, 1].
        action_correct: (V,) bool.
        thresholds: (Q,).
    """
    reached = np.sort(np.asarray(psc, dtype=np.float64)[np.asarray(action_correct, dtype=bool)])
    return (len(reached) - np.searchsorted(reached, thresholds, side="left")) / len(psc)


def psc_score(psc: np.ndarray, action_correct: np.ndarray) -> float:
    """The score of V videos from their PSC (V,) and whether their actions are right (V,)."""
    return float(psc_accuracy(psc, action_correct, np.arange(1, STEPS) / STEPS).sum() / STEPS)


def score_contributions(psc: np.ndarray, action_correct: np.ndarray) -> np.ndarray:
    """What each video adds to the score, (V,) in [0, 0.9999]: the score is their mean.

    Turned around, the area under the accuracy is a mean over videos: a video with the right action earns one ten
    thousandth for each threshold that its PSC (V,) reaches, any other video nothing. It depends on that video alone,
    which is what resampling videos and naming those that lose points need.
    """
    thresholds = np.arange(1, STEPS) / STEPS
    reached = np.searchsorted(thresholds, np.asarray(psc, dtype=np.float64), side="right")
    return np.where(np.asarray(action_correct, dtype=bool), reached, 0) / STEPS
