"""Average precision where several labels may hold at once. Shapes: N rows, S states.

The average precision of a state is the area under its curve of precision over recall as steps: the sum over the
distinct scores, from the highest, of the recall that each adds times the precision at it. Rows of one score come all at
once, so their order does not matter. These are the numbers of mmaction2's ``mean_average_precision``, which does not
tell them apart by label.
"""

from __future__ import annotations

import numpy as np


def state_average_precision(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(S,) float64 average precision of each state, NaN for a state without positives.

    Args:
        scores: (N, S), higher for more likely.
        labels: (N, S) bool.

    Raises:
        ValueError: If the shapes are not (N, S) both, or a score is NaN.
    """
    scores, labels = np.asarray(scores), np.asarray(labels, dtype=bool)
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise ValueError(f"scores have shape {scores.shape} and labels {labels.shape}, expected (rows, states) twice")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of the scores are NaN, which has no place in an order")
    return np.array([average_precision(scores[:, i], labels[:, i]) for i in range(scores.shape[1])])


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Average precision of one label: scores (N,), labels (N,) bool; NaN without positives."""
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    positives = int(labels.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(labels[order])
    last_of_score = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = found[last_of_score]
    precision = hits / (last_of_score + 1)
    return float((np.diff(hits, prepend=0) * precision).sum() / positives)


def mean_known(values: np.ndarray) -> float:
    """The mean of the values that are not NaN; NaN where there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
