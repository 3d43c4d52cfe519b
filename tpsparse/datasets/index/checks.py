"""What is checked of an annotation, and on what grounds.

An **error** costs the item that it names: it is not used. A **warning** is told, and the item is used as annotated.
Shapes: N boxes, ``xyxy`` in pixels.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ...structures.boxes import box_area

ERROR, WARNING = "error", "warning"


class Kind(NamedTuple):
    """A kind of problem: how severe, what is skipped or meant, and what to do about it."""

    severity: str
    item: str
    remedy: str


KINDS: dict[str, Kind] = {
    "unreadable-video": Kind(ERROR, "video", "replace or remove the file"),
    "short-video": Kind(ERROR, "end of video", "the file may be truncated: fetch it again"),
    "duplicate-video": Kind(ERROR, "video", "rename one: results are by name"),
    "unknown-action": Kind(ERROR, "video", "add a training video of the action or move the file"),
    "listed-missing": Kind(ERROR, "video", "put the file there or take it off the list"),
    "no-annotations": Kind(ERROR, "annotations of video", "put img_00001.json and so on there"),
    "missing-frame": Kind(ERROR, "frame", "restore the files"),
    "unreadable-frame": Kind(ERROR, "frame", "restore the file"),
    "bad-person": Kind(ERROR, "person", "correct the file"),
    "bad-part": Kind(ERROR, "part", "correct the file"),
    "bad-object": Kind(ERROR, "object", "correct the file"),
    "unknown-part": Kind(ERROR, "part", "add it to list/body_part.txt or correct the files"),
    "unknown-state": Kind(ERROR, "part", "add it to list/part_stat.txt or correct the files"),
    "unknown-object": Kind(WARNING, "object", "add it to list/object.txt or correct the files"),
    "not-listed": Kind(WARNING, "video", "add it to the list"),
    "unusable-name": Kind(ERROR, "video", "rename it in UTF-8"),
    "listed-elsewhere": Kind(WARNING, "video", "move the file, or correct the list"),
    "listed-twice": Kind(WARNING, "video", "keep one line for each file"),
    "same-frame": Kind(WARNING, "frame", "remove one of the two files"),
    "frames-beyond-end": Kind(WARNING, "frame", "see that the annotation is of this video"),
    "beyond-frame": Kind(WARNING, "box", "see that the box is in pixels of the video's own frames"),
    "far-part": Kind(WARNING, "part", "see that the part is this person's"),
    "duplicate-person": Kind(WARNING, "person", "remove one"),
    "same-number": Kind(WARNING, "person", "number persons differently within a frame"),
    "other-name": Kind(WARNING, "part", "its key is what counts"),
    "no-person": Kind(WARNING, "frame", "annotate the frame, or leave it if nobody shows"),
    "no-part": Kind(WARNING, "person", "annotate the person's parts"),
}

LARGEST = 1e30
"""Numbers beyond this are taken for infinite: float32 cannot hold their squares."""
TOLERANCE = 1.0
"""Pixels that a box may reach beyond the frame untold: the organisers' boxes count pixels inclusively."""
FAR = 0.25
"""A part is far from its person where it does not touch the person's box grown by this share of its size each side."""
SAME_IOU = 0.9
"""Two persons of a frame whose boxes overlap this much are told as one person annotated twice."""


def read_boxes(raw: list[Any]) -> np.ndarray:
    """What is written as boxes, as (N, 4) float64; a row of NaN where it is not four numbers.

    To Python true and false are whole numbers, and JSON's whole numbers have no limit.
    """
    if all(type(box) is list and len(box) == 4 for box in raw):
        flat = list(chain.from_iterable(raw))
        if set(map(type, flat)) <= {int, float}:
            try:
                return np.array(flat, dtype=np.float64).reshape(-1, 4)
            except OverflowError:
                pass
    return np.array([_read_box(box) for box in raw], dtype=np.float64).reshape(-1, 4)


def box_faults(boxes: np.ndarray, size: tuple[int, int] | None) -> list[tuple[int, str]]:
    """Rows of boxes (N, 4) that cannot be used, with what is wrong.

    Args:
        boxes: As :func:`read_boxes` gives them.
        size: (height, width) of the frame, None where it is not known.
    """
    malformed = np.isnan(boxes).all(axis=1)
    finite = (np.abs(boxes) < LARGEST).all(axis=1)  # false for NaN
    filled = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    outside = np.zeros(len(boxes), dtype=bool)
    if size is not None:
        outside = (boxes[:, 2:] <= 0).any(axis=1) | (boxes[:, :2] >= [size[1], size[0]]).any(axis=1)
    told = {int(row): "is empty, inverted or not finite" for row in np.flatnonzero(~(finite & filled))}
    if size is not None:
        for row in np.flatnonzero(outside & finite & filled):
            told[int(row)] = f"is outside the {size[1]}x{size[0]} frame"
    told.update({int(row): "is not four numbers" for row in np.flatnonzero(malformed)})
    return sorted(told.items())


def beyond_frame(boxes: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Rows of boxes (N, 4) that reach beyond the frame by more than :data:`TOLERANCE`."""
    if size is None or not len(boxes):
        return np.zeros(0, dtype=np.int64)
    limit = np.array([size[1], size[0]]) + TOLERANCE
    return np.flatnonzero((boxes[:, :2] < -TOLERANCE).any(axis=1) | (boxes[:, 2:] > limit).any(axis=1))


def far_parts(part_boxes: np.ndarray, person_boxes: np.ndarray) -> np.ndarray:
    """Rows of parts (N, 4) that lie far from their persons (N, 4), see :data:`FAR`."""
    margin = FAR * (person_boxes[:, 2:] - person_boxes[:, :2])
    before = (part_boxes[:, 2:] < person_boxes[:, :2] - margin).any(axis=1)
    behind = (part_boxes[:, :2] > person_boxes[:, 2:] + margin).any(axis=1)
    return np.flatnonzero(before | behind)


def same_persons(boxes: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(M, 2) rows of persons of one frame whose boxes overlap by :data:`SAME_IOU` or more.

    Args:
        boxes: (N, 4) of persons, those of a frame beside each other.
        frames: (N,) the frame of each.
    """
    found: list[np.ndarray] = []
    for step in range(1, len(boxes)):  # neighbours at this distance; no more rounds than a frame has persons
        first = np.flatnonzero(frames[step:] == frames[:-step])
        if not len(first):
            break
        second = first + step
        close = _ious(boxes[first], boxes[second]) >= SAME_IOU
        found.append(np.stack([first[close], second[close]], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)


def _ious(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    top_left = np.maximum(first[:, :2], second[:, :2])
    sides = np.maximum(np.minimum(first[:, 2:], second[:, 2:]) - top_left, 0)
    common = sides.prod(axis=1)
    return common / (box_area(first) + box_area(second) - common)


def _read_box(box: Any) -> list[float]:
    if not isinstance(box, list) or len(box) != 4 or not {*map(type, box)} <= {int, float}:
        return [math.nan] * 4
    return [float(value) if abs(value) < LARGEST else math.inf for value in box]
