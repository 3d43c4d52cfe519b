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
