"""From tracks to the labels of a clip: every person of every frame with part boxes and states, in the official form.

Shapes: N frames of a track, K = 10 parts, J = 17 COCO keypoints. Boxes are ``xyxy`` in pixels of the decoded frame.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.layout import FRAME_FILE, frame_number
from ..errors import InputError
from ..poses.landmarks import COCO_KEYPOINTS
from ..structures.boxes import is_present
from .measures import Body
from .parts import PARTS, part_boxes, person_boxes
from .rules import RuleTable
from .tracking import Track

_DIGITS = 1  # tenths of a pixel
_DEFAULT_FPS = 25.0  # of a file that does not say
_MOST_PERSONS = 1000


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


def annotation_files(folder: Path) -> dict[int, Path]:
    """The annotations of a clip by frame number."""
    files = (path for path in folder.iterdir() if FRAME_FILE.fullmatch(path.name)) if folder.is_dir() else ()
    return {frame_number(path.name): path for path in files}


def read_labels(folder: Path, num_frames: int) -> list[list[Person]]:
    """The persons of every frame as the annotations of a clip have them now, without landmarks.

    Persons and parts whose boxes cannot be used are left out: the index tells them.

    Raises:
        InputError: If a file is no annotation.
    """
    frames: list[list[Person]] = [[] for _ in range(num_frames)]
    for number, path in annotation_files(folder).items():
        if 1 <= number <= num_frames:
            frames[number - 1] = _read_frame(path)
    return frames


def _read_frame(path: Path) -> list[Person]:
    try:
        humans = json.loads(path.read_text(encoding="utf-8")).get("humans") or []
        boxed = [human for human in humans if _box(human) is not None]
        numbers = _numbers([human.get("number") for human in boxed])
        return [_read_person(human, number) for human, number in zip(boxed, numbers)]
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is no annotation ({error}): restore it, or make the labels anew with --redo"
        ) from error


def _read_person(human: dict[str, Any], number: int) -> Person:
    boxes = {name: (_box(part), part) for name, part in (human.get("parts") or {}).items()}
    parts = {name: (box, str(part.get("verb"))) for name, (box, part) in boxes.items() if box is not None}
    box = _box(human)
    assert box is not None
    return Person(number, box, parts, np.full((len(COCO_KEYPOINTS), 3), np.nan), 1.0)


def _box(item: dict[str, Any]) -> np.ndarray | None:
    from ..datasets.index.checks import box_faults, read_boxes  # brings pyarrow, which labelling does without

    boxes = read_boxes([item.get("box")])
    return None if box_faults(boxes, None) else boxes[0].astype(np.float32)


def _numbers(given: Sequence[Any]) -> list[int]:
    """The persons' numbers, all different; one that is none, or is another's, becomes the first that is free."""
    usable = [number if type(number) is int and 1 <= number <= _MOST_PERSONS else 0 for number in given]
    free = (number for number in range(1, len(usable) + _MOST_PERSONS) if number not in usable)
    return [n if n and n not in usable[:i] else next(free) for i, n in enumerate(usable)]


def _human(person: Person) -> dict[str, Any]:
    parts = {
        name: {"number": 1, "box": _plain(box), "verb": state, "name": name}
        for name, (box, state) in person.parts.items()
    }
    return {"number": person.number, "box": _plain(person.box), "name": "person", "parts": parts}


def _plain(box: np.ndarray) -> list[float]:
    return [round(float(value), _DIGITS) for value in box]
