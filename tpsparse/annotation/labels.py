"""From tracks to the labels of a clip: every person of every frame with part boxes and states, in the official form.

Shapes: N frames of a track, K = 10 parts, J = 17 COCO keypoints. Boxes are ``xyxy`` in pixels of the decoded frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..structures.boxes import is_present
from .measures import Body
from .parts import PARTS, part_boxes, person_boxes
from .poses import COCO_KEYPOINTS
from .rules import RuleTable
from .tracking import Track

_DIGITS = 1  # tenths of a pixel
_DEFAULT_FPS = 25.0  # of a file that does not say


@dataclass(frozen=True)
class Person:
    """One person in one frame.

    Args:
        number: From 1, the same in all frames of the clip.
        box: (4,) around the parts.
        parts: Name to box (4,) and state of the parts that are seen.
        keypoints: (J, 3) x, y in pixels and visibility.
        score: In [0, 1].
    """

    number: int
    box: np.ndarray
    parts: dict[str, tuple[np.ndarray, str]]
    keypoints: np.ndarray
    score: float


def label_clip(
    tracks: Sequence[Track],
    rules: RuleTable,
    *,
    num_frames: int,
    size: tuple[int, int],
    fps: float,
    min_visibility: float = 0.5,
    steady: float = 0.1,
) -> list[list[Person]]:
    """The persons of every frame, from frame 1, in order of their numbers.

    Args:
        tracks: Of the clip.
        rules: Which state a part has.
        num_frames: Of the clip; some may be without persons.
        size: (height, width) of the frames.
        fps: Frames a second, as the file has it.
        min_visibility: Parts that are seen less are left out.
        steady: Seconds before and after a frame whose most frequent state a part gets, so that it does not flicker.
    """
    frames: list[list[Person]] = [[] for _ in range(num_frames)]
    fps = usable_fps(fps)
    for track in sorted(tracks, key=lambda track: track.number):
        boxes = part_boxes(track.points, track.world, track.visibility, size=size, min_visibility=min_visibility)
        states = steady_states(rules.apply(Body(track, fps)), round(steady * fps))
        whole, there = person_boxes(boxes), is_present(boxes)
        joints = np.dstack([track.points[:, COCO_KEYPOINTS, :2], track.visibility[:, COCO_KEYPOINTS]])
        for i in np.flatnonzero(there.any(axis=1)):
            parts = {PARTS[k]: (boxes[i, k], str(states[i, k])) for k in np.flatnonzero(there[i])}
            person = Person(track.number, whole[i], parts, joints[i], float(track.scores[i]))
            frames[track.frames[i] - 1].append(person)
    return frames


def usable_fps(fps: float) -> float:
    """The frame rate of a file, or 25 where it has none that a clock could follow."""
    return float(fps) if np.isfinite(fps) and 1 <= fps <= 1000 else _DEFAULT_FPS


def steady_states(states: np.ndarray, reach: int) -> np.ndarray:
    """The most frequent state among each frame's and its ``reach`` neighbours before and after, (N, K) of names.

    Of states that are equally frequent the frame's own is kept, else the one that comes first in time.
    """
    steady = states.copy()
    for i in range(len(states)):
        window = states[max(i - reach, 0) : i + reach + 1]
        for k in range(states.shape[1]):
            column = list(window[:, k])
            most = max(map(column.count, column))
            if column.count(states[i, k]) < most:
                steady[i, k] = next(state for state in column if column.count(state) == most)
    return steady


def frame_annotation(persons: Sequence[Person]) -> dict[str, Any]:
    """One frame's JSON in the official form; a frame without persons has an empty list."""
    return {"humans": [_human(person) for person in persons], "objects": []}


def _human(person: Person) -> dict[str, Any]:
    parts = {
        name: {"number": 1, "box": _plain(box), "verb": state, "name": name}
        for name, (box, state) in person.parts.items()
    }
    return {"number": person.number, "box": _plain(person.box), "name": "person", "parts": parts}


def _plain(box: np.ndarray) -> list[float]:
    return [round(float(value), _DIGITS) for value in box]
