"""Which part states matter to an action, by a rule over the annotation: the SCU report supervises part relevance with
labels that it does not define.

A part of a person is *relevant* when its state is not a plain one and is over-represented for the video's action: by
the lift ``P(state | action, part group) / P(state | part group)``, counted over the training split's annotated parts.

Shapes: G part groups (left and right together), K parts, S states, A actions, ``...`` any leading axes.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .index import TPSIndex

PLAIN_STATES = ("none",)
MIN_LIFT = 1.2
UNKNOWN, IRRELEVANT, RELEVANT = -1.0, 0.0, 1.0
ROUNDING = 1e-9
"""Share by which a lift may miss the threshold: a lift of 1.2 is one, whatever ``1.2 * expected`` rounds to."""


@dataclass(frozen=True)
class RelevanceTable:
    """The states that make a part relevant to an action.

    Args:
        relevant: (G, A, S) bool.
        group_of_part: (K,) row of each part in ``relevant``.

    Raises:
        ValueError: If ``relevant`` has not three axes or the groups are not its rows; the message has both shapes.
    """

    relevant: np.ndarray
    group_of_part: np.ndarray

    def __post_init__(self) -> None:
        if self.relevant.ndim != 3:
            raise ValueError(f"relevant has shape {self.relevant.shape}, expected (groups, actions, states)")
        groups = np.unique(self.group_of_part)
        if len(groups) and not 0 <= groups[0] <= groups[-1] < len(self.relevant):
            raise ValueError(f"group_of_part names groups {groups.tolist()}, relevant has {len(self.relevant)}")

    def labels(self, action: int, states: np.ndarray) -> np.ndarray:
        """Relevance of annotated parts: 1, 0, or -1 where the part or its state is not annotated.

        Args:
            action: Id of the video's action.
            states: (..., K) ids, -1 where not annotated.

        Returns:
            (..., K) float32.

        Raises:
            ValueError: If the last axis is not K long.
        """
        states = np.asarray(states)
        if states.shape[-1:] != self.group_of_part.shape:
            raise ValueError(f"states have shape {states.shape}, expected (..., {len(self.group_of_part)})")
        found = self.relevant[self.group_of_part, action, np.maximum(states, 0)]
        return np.where(states < 0, UNKNOWN, np.where(found, RELEVANT, IRRELEVANT)).astype(np.float32)


def derive_relevance(
    index: TPSIndex, plain_states: Sequence[str] = PLAIN_STATES, min_lift: float = MIN_LIFT
) -> RelevanceTable:
    """The relevant states of a training split, left and right parts and all persons together.

    A lift of exactly ``min_lift`` is enough. Where there is no lift to go by, any state but the plain ones is relevant:
    in a group that is annotated in videos of one action alone (the lift of every state is 1), and for an action in
    whose videos the group is never annotated. Else a state that is never seen with an action in a group is irrelevant.

    Args:
        index: The training split.
        plain_states: States that say nothing in particular, never relevant; names that the vocabulary lacks are told
            in the log.
        min_lift: Lift from which a state is over-represented.

    Raises:
        InputError: If ``min_lift`` is not a positive number, ``plain_states`` is one string, or no part is annotated.
    """
    if not 0 < min_lift < math.inf:
        raise InputError(f"min_lift {min_lift} of the relevance labels is not above 0: 1.2 is the default")
    if isinstance(plain_states, str):
        raise InputError(f"plain_states of the relevance labels is the string {plain_states!r}: give a list of names")
    names = index.taxonomy
    _tell_unknown(plain_states, names.states)
    groups = np.zeros(len(names.parts), dtype=np.int64)
    for row, members in enumerate(names.part_groups.values()):
        groups[members] = row
    counts = _counts(index, groups)
    if not counts.any():
        raise InputError(f"{index.root} ({index.split}) has no annotated part: annotate it or use another train_split")
    relevant = _over_represented(counts, min_lift)
    relevant[..., [names.state_ids[name] for name in plain_states if name in names.state_ids]] = False
    return RelevanceTable(relevant, groups)


def _tell_unknown(plain_states: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in plain_states if name not in known]
    if unknown:
        from mmengine.logging import print_log

        told = f"plain_states of the relevance labels names {', '.join(unknown)}, which the vocabulary has not"
        print_log(f"{told}: correct it in the config", "current", logging.WARNING)


def _counts(index: TPSIndex, groups: np.ndarray) -> np.ndarray:
    """(G, A, S) int64, how often each state is annotated in a part group in videos of an action."""
    rows, names = index.parts, index.taxonomy
    shape = (int(groups.max()) + 1, len(names.actions), len(names.states))
    video = index.frame_video[index.person_frame[index.part_person[rows]]]
    of = (groups[index.part_id[rows]], index.video_actions[video], index.state_id[rows])
    cells = np.ravel_multi_index(of, shape)
    return np.bincount(cells, minlength=math.prod(shape)).reshape(shape)


def _over_represented(counts: np.ndarray, min_lift: float) -> np.ndarray:
    """(G, A, S) bool, by lift where there is one, else all."""
    of_action, of_state = counts.sum(axis=2, keepdims=True), counts.sum(axis=1, keepdims=True)
    total = counts.sum(axis=(1, 2), keepdims=True)
    # Whole numbers in double precision: the lift multiplied out, so that nothing is divided by 0.
    wanted = min_lift * of_action.astype(np.float64) * of_state
    lifted = (counts > 0) & (counts.astype(np.float64) * total >= wanted * (1 - ROUNDING))
    no_lift = ((of_action > 0).sum(axis=1, keepdims=True) <= 1) | (of_action == 0)
    return np.where(no_lift, True, lifted)
