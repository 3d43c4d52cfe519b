"""Records of one video combined into one: the members' votes for its action, and the mean of their state scores.

Shapes: A actions, P persons in a frame, K parts, S states.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..parsing.actions import weighted_mean
from ..structures import FrameParse, VideoParse

SAME_BOX = 0.5
"""Pixels by which sides of one person's box may differ between two systems."""


def vote(scores: Sequence[np.ndarray | None], weights: Sequence[float]) -> np.ndarray | None:
    """(A,) weighted mean of those members that have scores; None if none has.

    Where only members of weight 0 have any, they count alike: a guess is better than none.
    """
    given = [(each, weight) for each, weight in zip(scores, weights) if each is not None]
    if not given:
        return None
    kept = [weight for _, weight in given]
    return weighted_mean([each for each, _ in given], kept if sum(kept) > 0 else [1.0] * len(kept))


def same_people(first: VideoParse, other: VideoParse) -> bool:
    """Whether two records have the same frames, persons and parts, and state scores of each part that is there."""
    if first.frame_indices != other.frame_indices:
        return False
    return all(_same_frame(one, two) for one, two in zip(first.frames, other.frames))


def _same_frame(one: FrameParse, two: FrameParse) -> bool:
    if len(one) != len(two):
        return False
    if not len(one):
        return True
    fields = [frame.part_boxes for frame in (one, two)], [frame.state_scores for frame in (one, two)]
    for first, second in fields:
        if first is None or second is None or first.shape != second.shape:
            return False
        # NaN stands for an absent part.
        if (np.isfinite(first).all(axis=2) != np.isfinite(second).all(axis=2)).any():
            return False
    given = one.part_states is not None or two.part_states is not None
    return not given and bool(np.allclose(one.boxes, two.boxes, rtol=0, atol=SAME_BOX))


def mix_states(records: Sequence[VideoParse], weights: Sequence[float]) -> None:
    """Give the first of records of the same people the weighted mean of all their state scores."""
    if len(records) < 2 or sum(weights) <= 0:
        return
    for frames in zip(*(record.frames for record in records)):
        if len(frames[0]):
            frames[0].state_scores = weighted_mean([frame.state_scores for frame in frames], weights)


def combine_records(
    records: Sequence[VideoParse], action: np.ndarray | None, state_weights: Sequence[float]
) -> tuple[VideoParse, list[int]]:
    """One record of a video from those of several systems.

    Args:
        records: One a system, at least one; those with an ``error`` take no part.
        action: (A,) the ensemble's own action scores, or None if it has none.
        state_weights: One a record.

    Returns:
        The first whole record with the ensemble's action and states, and the positions of the systems that found
        other people in it, whose states were therefore not taken. It keeps all action scores: those of the first
        system under their names, those of the n-th as ``n/name``, and the first system's own as ``1/action``. A video
        that failed in all systems stays as failed as in the first.
    """
    whole = [position for position, record in enumerate(records) if record.error is None]
    if not whole:
        return VideoParse(records[0].video, error=records[0].error), []
    base = records[whole[0]]
    alike = [position for position in whole if position == whole[0] or same_people(base, records[position])]
    mix_states([records[position] for position in alike], [state_weights[position] for position in alike])
    base.action_scores = _named(records)
    if action is not None:
        base.action_scores["action"] = action
    return base, [position for position in whole if position not in alike]


def _named(records: Sequence[VideoParse]) -> dict[str, np.ndarray]:
    scores: dict[str, np.ndarray] = {}
    for number, record in enumerate(records, start=1):
        for name, values in record.action_scores.items():
            scores[name if number == 1 and name != "action" else f"{number}/{name}"] = values
    return scores
