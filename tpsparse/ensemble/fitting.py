"""Weights of an ensemble that minimise the mean cross-entropy of labelled videos, a convex problem.

The videos should be held out: a network's scores of videos that it was trained on say little of others.

Shapes: V videos, M members, A actions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, minimize
from tqdm import tqdm

from ..errors import InputError
from .members import Member, Videos

SMALLEST = 1e-6
"""Scores of the true action count as at least this: a video that all members miss costs 13.8, not infinity."""
NEGLIGIBLE = 1e-6
"""Fitted weights below it are set to 0: they are what the optimiser leaves of a bound."""
SHOWN = 3


@dataclass
class Votes:
    """What members say of labelled videos; a video that a member has failed on is as likely each action.

    Args:
        scores: (V, M, A) probabilities.
        actions: (V,) ids of the true actions.
    """

    scores: np.ndarray
    actions: np.ndarray

    def of(self, weights: np.ndarray) -> dict[str, float]:
        """Top-1 accuracy and mean cross-entropy of the mean of the members by weights (M,)."""
        mixed = np.einsum("m,vma->va", weights, self.scores)
        right = np.take_along_axis(mixed, self.actions[:, None], axis=1)[:, 0]
        return dict(
            top1=float((mixed.argmax(axis=1) == self.actions).mean()),
            cross_entropy=float(-np.log(np.maximum(right, SMALLEST)).mean()),
        )

    def numbers(self, weights: np.ndarray) -> dict[str, Any]:
        """The same of each member alone, of equal weights and of ``weights``."""
        members = len(weights)
        return dict(
            videos=len(self.actions),
            members=[self.of(np.eye(members)[member]) for member in range(members)],
            equal=self.of(np.full(members, 1 / members)),
            ensemble=self.of(weights),
        )


def fit_weights(votes: Votes) -> np.ndarray:
    """(M,) weights in the simplex that minimise the mean cross-entropy of the weighted mean of probabilities.

    The loss is convex in the weights, so the start, equal weights, decides only between equals. Each member's score of
    the true action counts as at least ``SMALLEST``.
    """
    rows = np.arange(len(votes.actions))
    right = np.maximum(votes.scores[rows, :, votes.actions].astype(np.float64), SMALLEST)  # (V, M)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = right @ weights
        return float(-np.log(mixed).mean()), -(right / mixed[:, None]).mean(axis=0)

    members = right.shape[1]
    found = minimize(
        loss,
        np.full(members, 1 / members),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * members,
        constraints=LinearConstraint(np.ones(members), 1, 1),
        options=dict(ftol=1e-12, maxiter=1000),
    )
    weights = np.where(found.x < NEGLIGIBLE, 0, found.x)
    return weights / weights.sum()


def held_out_votes(members: Sequence[Member], videos: Videos) -> tuple[Votes, list[str]]:
    """The votes of members on the videos of which they have records.

    Returns:
        The votes, and the videos that were left out because a member had failed on them or none has a record.

    Raises:
        InputError: If a member misses videos that the others have, if records are of videos that are not in the
            split, or if no video is left.
    """
    names = sorted({video for member in members for video in member.files})
    for member in members:
        lacking = [name for name in names if name not in member.files]
        _refuse(member.folder, "has no record of", lacking, "which other members have: parse them with it too")
    unknown = [name for name in names if name not in videos.rows]
    _refuse(members[0].folder, "has records of", unknown, f"not in split {videos.split}: give their --fit-split")
    scores, actions = [], []
    left_out = list(videos.rows.keys() - set(names))
    for name in tqdm(names, desc="fit", unit="video", leave=False):
        votes = [member.scores(member.load(name), len(videos.taxonomy.actions)) for member in members]
        action = videos.action(name)
        if action is None or any(each is None for each in votes):
            left_out.append(name)
            continue
        scores.append(votes)
        actions.append(action)
    if not scores:
        raise InputError(f"{members[0].folder} has no video that all members of --fit could parse: parse them again")
    return Votes(np.array(scores), np.array(actions)), sorted(left_out)


def refuse_overlap(
    fit: Sequence[Member], members: Sequence[Member], reported: Videos, *, trained: Collection[str] = ()
) -> None:
    """Refuse to fit on videos that are then reported: the fitted weights would flatter the result.

    Args:
        fit: What is fitted on.
        members: What is reported.
        reported: The reported videos.
        trained: Names of videos that networks of the members are trained on: of these, the one that has learnt them
            best would be weighted, not the one that is best on others.

    Raises:
        InputError: Naming some of the videos.
    """
    known = set(reported.rows).union(*(member.files for member in members))
    for member in fit:
        shared = [video for video in member.files if video in known]
        _refuse(member.folder, "is to be fitted on", shared, "which are also reported: fit on a split of other videos")
        learnt = sorted(set(member.files).intersection(trained))
        remedy = "which networks are trained on: fit on a split of other videos"
        _refuse(member.folder, "is to be fitted on", learnt, remedy)


def _refuse(path: Path, told: str, videos: Sequence[str], remedy: str) -> None:
    if videos:
        more = f" and {len(videos) - SHOWN} more" if len(videos) > SHOWN else ""
        raise InputError(f"{path} {told} {', '.join(videos[:SHOWN])}{more}, {remedy}")
