"""How well predicted sub-action boundaries meet annotated ones, by two rules.

Shapes: G annotated and P predicted boundaries of an instance, L distances. Boundaries are positions in the instance.

A prediction is right if it is no farther than ``d`` frames from a truth (absolute), or than ``d`` times the frames of
the instance (relative). The rounding of that product does not decide: 0.35 x 180 frames are 63.

``one_to_one``
    What the public evaluators of boundaries on TAPOS and Kinetics-GEBD share (those of Kinetics-GEBD, DDM-Net, Temporal
    Perceiver and EfficientGEBD were read): for each truth in order, the nearest prediction that is left counts if its
    distance is at most d (``<=``), and is used up then; of two equally near ones it is the earlier. Hits, truths and
    predictions are summed over the instances before anything is divided. An instance without predictions counts with
    all its truths as missed, as in all but the last of the four, which leaves those without an entry out.
``nearest``
    Equation 7 of the TAPOS paper (Shao et al., CVPR 2020) as it is written: a prediction is right if the nearest truth
    is closer than d (``<``), however many predictions share that truth. The equation divides the number of right
    predictions by that of the truths for the recall, which exceeds 1 where several share one. An intersection is no
    larger than either set, so what is counted for the recall here are the truths that have a prediction closer than d.
    To clip the quotient at 1 instead would let many predictions around one truth stand for all others.

Without any truth recall is 1, without any prediction precision is 0, and F1 is 0 where both are 0: as in the public
evaluators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

RELATIVE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Shares of an instance's frames, section 6.3 of the paper."""
ABSOLUTE = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0)
"""Frames, likewise."""
DECIMALS = 9
"""Beyond these a product of a share and a number of frames is rounding."""

Pair = tuple[int, np.ndarray, np.ndarray]
"""Frames of an instance, its truths (G,) and its predictions (P,)."""


@dataclass(frozen=True)
class Distances:
    """The distances at which predictions are judged.

    Args:
        relative: Shares of the frames of an instance.
        absolute: Frames.

    Raises:
        ValueError: If there is none of a kind, or one is negative.
    """

    relative: tuple[float, ...] = RELATIVE
    absolute: tuple[float, ...] = ABSOLUTE

    def __post_init__(self) -> None:
        for name in ("relative", "absolute"):
            values = tuple(float(value) for value in getattr(self, name))
            if not values or min(values) < 0:
                raise ValueError(f"{name} distances are {values}, expected one or more of 0 or more")
            object.__setattr__(self, name, values)

    def limits(self, num_frames: int) -> np.ndarray:
        """(L,) all distances in frames of an instance, the relative ones first."""
        return np.round(np.concatenate([np.array(self.relative) * num_frames, self.absolute]), DECIMALS)


@dataclass(frozen=True)
class BoundaryScores:
    """Scores at all distances, and what they were counted from.

    Args:
        recall: (L,) the relative distances first.
        precision: (L,).
        distances: What the places stand for.
        instances: How many were judged.
        truths: Annotated boundaries of all of them.
        predictions: Predicted boundaries of all of them.
    """

    recall: np.ndarray
    precision: np.ndarray
    distances: Distances
    instances: int
    truths: int
    predictions: int

    @property
    def f1(self) -> np.ndarray:
        """(L,) equation 8; 0 where recall and precision are."""
        total = self.recall + self.precision
        return np.divide(2 * self.recall * self.precision, total, out=np.zeros_like(total), where=total > 0)

    def of(self, kind: str, name: str) -> np.ndarray:
        """``f1``, ``recall`` or ``precision`` at the ``relative`` or ``absolute`` distances."""
        relative = len(self.distances.relative)
        return getattr(self, name)[:relative] if kind == "relative" else getattr(self, name)[relative:]

    def mean(self, kind: str, name: str) -> float:
        """The mean over the distances of a kind; of the F1s, not the F1 of the means."""
        return float(self.of(kind, name).mean())


def one_to_one(truths: np.ndarray, predictions: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hits by the rule of the public evaluators, see the module.

    Args:
        truths: (G,) in order.
        predictions: (P,) in order.
        limits: (L,) greatest distance that counts, in frames.

    Returns:
        (L,) truths hit and (L,) predictions that are right, which are as many here.
    """
    hits = np.zeros(len(limits), dtype=np.int64)
    if not len(predictions):
        return hits, hits
    places = np.arange(len(limits))
    used = np.zeros((len(limits), len(predictions)), dtype=bool)
    for distance in np.abs(truths[:, None] - predictions[None]):
        left = np.where(used, np.inf, distance)
        nearest = left.argmin(axis=1)
        counts = left[places, nearest] <= limits
        used[places[counts], nearest[counts]] = True
        hits += counts
    return hits, hits


def nearest(truths: np.ndarray, predictions: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hits by the letter of the paper, see the module; arguments and result are those of :func:`one_to_one`."""
    if not len(predictions) or not len(truths):
        none = np.zeros(len(limits), dtype=np.int64)
        return none, none
    distance = np.abs(truths[:, None] - predictions[None])
    hit, right = distance.min(axis=1), distance.min(axis=0)
    return (hit < limits[:, None]).sum(axis=1), (right < limits[:, None]).sum(axis=1)


RULES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "one_to_one": one_to_one,
    "nearest": nearest,
}


def boundary_scores(
    pairs: Iterable[Pair], *, rule: str = "one_to_one", distances: Distances | None = None
) -> BoundaryScores:
    """Recall, precision and F1 of predicted boundaries over a set of instances.

    Args:
        pairs: Of each instance its frames, annotated and predicted boundaries, both in order.
        rule: ``one_to_one`` or ``nearest``, see the module.
        distances: The paper's by default.

    Raises:
        ValueError: If the rule is another.
    """
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}, expected {' or '.join(RULES)}")
    distances = distances or Distances()
    hits = np.zeros((2, len(distances.relative) + len(distances.absolute)), dtype=np.int64)
    instances = num_truths = num_predictions = 0
    for num_frames, truths, predictions in pairs:
        hits += RULES[rule](truths, predictions, distances.limits(num_frames))
        instances, num_truths = instances + 1, num_truths + len(truths)
        num_predictions += len(predictions)
    return BoundaryScores(
        recall=hits[0] / num_truths if num_truths else np.ones(hits.shape[1]),
        precision=hits[1] / num_predictions if num_predictions else np.zeros(hits.shape[1]),
        distances=distances,
        instances=instances,
        truths=num_truths,
        predictions=num_predictions,
    )


def even_boundaries(num_frames: int, number: int) -> np.ndarray:
    """Boundaries that cut an instance into equal parts: (B,) int64, the k-th at k x frames / (number + 1), rounded.

    Halves are rounded up. An instance has at most frames - 1 boundaries, so a short one has fewer than ``number``.

    Args:
        num_frames: Of the instance.
        number: How many are wanted.
    """
    number = min(number, max(num_frames - 1, 0))
    parts = number + 1
    return (2 * np.arange(1, parts, dtype=np.int64) * num_frames + parts) // (2 * parts)
