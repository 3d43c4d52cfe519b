"""What is said of stretches of a video: scores of (action, state) pairs, and the pairs that are labels.

A recognizer of part states tells one part group (head, arm, ...), left and right and all persons together, over a
segment of the video: its labels are pairs of the video's action and the group's most frequent state there (Chen et al.,
"Part-level Action Parsing via a Pose-guided Coarse-to-Fine Framework", 2022, section II-C).

Shapes: T frames, N segments, A actions, S states, L labels. Frames are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..taxonomy import Taxonomy


@dataclass
class SegmentScores:
    """What one recognizer says of one part group in the segments of a video.

    Args:
        frames: (N, 2) int64, first and last frame of each segment, both included, rising and without overlap.
        scores: (N, A, S) float32, probability of each pair of action and state; 0 where a pair is no label.

    Raises:
        ValueError: If there is no segment, a shape does not fit, segments overlap or are out of order, or a segment's
            scores are not finite, negative or all zero.
    """

    frames: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        self.frames = np.asarray(self.frames, dtype=np.int64)
        self.scores = np.asarray(self.scores, dtype=np.float32)
        if self.frames.ndim != 2 or self.frames.shape[1] != 2 or not len(self.frames):
            raise ValueError(f"frames of segments have shape {self.frames.shape}, expected (at least 1, 2)")
        if self.scores.ndim != 3 or len(self.scores) != len(self.frames):
            raise ValueError(f"scores of segments have shape {self.scores.shape}, expected ({len(self.frames)}, A, S)")
        places = self.frames.ravel()
        if places[0] < 1 or (self.frames[:, 1] < self.frames[:, 0]).any() or (np.diff(places)[1::2] < 1).any():
            raise ValueError(f"segments are not in rising order from frame 1 without overlap: {self.frames.tolist()}")
        if not np.isfinite(self.scores).all() or (self.scores < 0).any() or not self.scores.any(axis=(1, 2)).all():
            raise ValueError("scores of segments must be finite and not negative, with one above 0 in every segment")

    def __len__(self) -> int:
        """Number of segments."""
        return len(self.frames)

    def segment_of(self, numbers: Sequence[int] | np.ndarray) -> np.ndarray:
        """(T,) position of the segment that each frame lies in, or of the nearest, the earlier of equals."""
        middles = (self.frames[:-1, 1] + self.frames[1:, 0]) / 2
        return np.searchsorted(middles, np.asarray(numbers), side="left")


def best_pairs(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best pair of each of N segments from scores (N, A, S): actions (N,) and states (N,), the first of equals."""
    flat = scores.reshape(len(scores), scores.shape[1] * scores.shape[2]).argmax(axis=1)
    return flat // scores.shape[2], flat % scores.shape[2]


@dataclass(frozen=True)
class LabelTable:
    """What the outputs of a state recognizer stand for; label ``i`` is ``labels[i]``.

    Args:
        group: Part group, as :attr:`Taxonomy.part_groups` names it.
        seconds: Length aimed at of the segments that it was derived from; None for whole videos.
        labels: L pairs of an action's and a state's name, in rising order of their ids when derived.

    Raises:
        InputError: If a pair is given twice.
    """

    group: str
    seconds: float | None
    labels: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple((str(action), str(state)) for action, state in self.labels))
        if len(set(self.labels)) < len(self.labels):
            raise InputError(f"the label table of {self.group} repeats a pair: derive it again from the training data")

    def __len__(self) -> int:
        """Number of labels."""
        return len(self.labels)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any], source: str = "the label table") -> LabelTable:
        """Rebuild from :meth:`to_meta`, as stored in checkpoints.

        Args:
            meta: What was stored.
            source: Where, for the message.

        Raises:
            InputError: If it is no label table.
        """
        try:
            seconds = meta["seconds"]
            return cls(str(meta["group"]), None if seconds is None else float(seconds), tuple(meta["labels"]))
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            told = f"{source} is no table of group, seconds and pairs of names ({error!r})"
            raise InputError(f"{told}: use the one that the network was trained with") from error

    def to_meta(self) -> dict[str, Any]:
        """Plain names and numbers, for configs and checkpoints."""
        return dict(group=self.group, seconds=self.seconds, labels=[list(pair) for pair in self.labels])

    def ids(self, taxonomy: Taxonomy, source: str = "the label table") -> np.ndarray:
        """(L, 2) int64 ids of action and state.

        Args:
            taxonomy: The names of this run.
            source: Where the table comes from, for the message.

        Raises:
            InputError: If the taxonomy lacks the group or a name.
        """
        strange = [f"part group {self.group}"] if self.group not in taxonomy.part_groups else []
        strange += sorted({f"action {name}" for name, _ in self.labels if name not in taxonomy.action_ids})
        strange += sorted({f"state {name}" for _, name in self.labels if name not in taxonomy.state_ids})
        if strange:
            told = f"{source} has labels that the data set's lists do not have ({', '.join(strange)})"
            raise InputError(f"{told}: use its own data set, or train again")
        pairs = [(taxonomy.action_ids[action], taxonomy.state_ids[state]) for action, state in self.labels]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def lookup(self, taxonomy: Taxonomy, source: str = "the label table") -> np.ndarray:
        """(A, S) int64 label of each pair of action and state, -1 for a pair that is none.

        Raises:
            InputError: As :meth:`ids`.
        """
        table = np.full((len(taxonomy.actions), len(taxonomy.states)), -1, dtype=np.int64)
        action, state = self.ids(taxonomy, source).T
        table[action, state] = np.arange(len(self))
        return table
