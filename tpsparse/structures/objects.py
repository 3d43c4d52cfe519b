"""The objects that are found in a frame.

Shapes: T frames, O objects in a frame. Boxes are float32 ``xyxy`` in absolute pixels of the decoded frame, continuous
coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_FIELDS = ("boxes", "scores", "labels")


@dataclass
class FrameObjects:
    """Objects of one frame, of whichever person they are.

    Args:
        boxes: (O, 4) float32.
        scores: (O,) float32 in [0, 1].
        labels: (O,) int64 ids in the taxonomy's ``objects``.

    Raises:
        ValueError: If a shape does not fit, with both shapes, or a label is negative.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        self.boxes = np.asarray(self.boxes, dtype=np.float32)
        if self.boxes.shape == (0,):  # an empty list of boxes
            self.boxes = self.boxes.reshape(0, 4)
        self.scores = np.asarray(self.scores, dtype=np.float32)
        self.labels = np.asarray(self.labels, dtype=np.int64)
        count = len(self.boxes) if self.boxes.ndim else 0
        for name, expected in (("boxes", (count, 4)), ("scores", (count,)), ("labels", (count,))):
            actual = getattr(self, name).shape
            if actual != expected:
                raise ValueError(f"objects' {name} have shape {actual}, expected {expected}")
        if count and self.labels.min() < 0:
            raise ValueError(f"an object has the label {self.labels.min()}; ids begin at 0")

    @classmethod
    def none(cls) -> FrameObjects:
        """No object at all."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0))

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.boxes)

    def take(self, rows: np.ndarray) -> FrameObjects:
        """Only the objects in ``rows`` (indices or a mask), in that order."""
        return FrameObjects(*(getattr(self, name)[rows] for name in _FIELDS))


def join_objects(frames: Sequence[FrameObjects | None]) -> dict[str, np.ndarray]:
    """The objects of T frames as arrays to be saved; nothing if no frame has the field.

    Returns:
        ``num_objects`` (T,), and ``objects/<field>`` with the rows of all frames.

    Raises:
        ValueError: If some frames lack the field, with their positions.
    """
    known = [objects for objects in frames if objects is not None]
    if not known:
        return {}
    if len(known) < len(frames):
        lacking = [i for i, objects in enumerate(frames) if objects is None]
        raise ValueError(f"objects are missing at the positions {lacking} and present at others")
    rows = {f"objects/{name}": np.concatenate([getattr(each, name) for each in known]) for name in _FIELDS}
    return {"num_objects": np.array([len(each) for each in known], dtype=np.int64), **rows}


def split_objects(arrays: dict[str, np.ndarray], count: int) -> list[FrameObjects | None]:
    """What :func:`join_objects` joined, for ``count`` frames; None for each where nothing of objects was saved.

    Raises:
        KeyError: If a field is missing.
        ValueError: If the rows are not of so many frames, or do not fit each other.
    """
    if "num_objects" not in arrays:
        return [None] * count
    lengths = arrays["num_objects"]
    fields = [arrays[f"objects/{name}"] for name in _FIELDS]
    if len(lengths) != count or any(len(field) != lengths.sum() for field in fields):
        raise ValueError(f"objects of {len(lengths)} frames, {int(lengths.sum())} in all, do not fit {count} frames")
    ends = np.cumsum(lengths)[:-1]
    return [FrameObjects(*rows) for rows in zip(*(np.split(field, ends) for field in fields))]
