"""The challenge's dictionaries: their names, limits and shapes, read in one place.

One frame is ``{"humans": [{"number": 1, "box": [x0, y0, x1, y1], "parts": {part: {"number": 1, "name": part,
"box": ..., "verb": ...}}}]}``. A part's proposals come in either released shape: lists of boxes and states (2021),
or exactly one box and one state (2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

EVALUATED_STEP = 5  # frames 1, 6, 11, ... are evaluated
MAX_PERSONS = 10
MAX_PROPOSALS = 5
# Beyond this the script's single precision no longer tells pixels apart.
LARGEST_COORDINATE = 1e7

_FRAME_NAME = re.compile(r"img_(\d{5,})\.json")


@dataclass(frozen=True)
class Problem:
    """What is wrong at ``key`` inside one frame, such as ``humans[0].parts.head.box``."""

    key: str
    message: str


def frame_name(frame_index: int) -> str:
    """Key of a frame numbered from 1, such as ``img_00006.json``."""
    return f"img_{frame_index:05d}.json"


def frame_number(name: str) -> int | None:
    """The frame number in a key, or None if the key does not have the form of :func:`frame_name`."""
    found = _FRAME_NAME.fullmatch(name)
    number = int(found[1]) if found and len(found[1]) < 10 else None
    return number if number is not None and frame_name(number) == name else None


def is_evaluated(frame_index: int) -> bool:
    """Whether the challenge evaluates this frame."""
    return frame_index >= 1 and (frame_index - 1) % EVALUATED_STEP == 0


def proposals_of(part: dict[str, Any]) -> tuple[list[list[float]], list[str]]:
    """Boxes and states of a part without problems, in either released shape."""
    if isinstance(part["verb"], str):
        return [part["box"]], [part["verb"]]
    return part["box"], part["verb"]


def frame_problems(frame: Any) -> Iterator[Problem]:
    """What keeps a frame from being scored, whatever JSON value it is."""
    if not isinstance(frame, dict):
        yield Problem("", f"the frame is {kind_of(frame)}, expected an object with humans")
        return
    humans = frame.get("humans")
    if not isinstance(humans, list):
        yield Problem("humans", _wrong(frame, "humans", "a list"))
        return
    for i, human in enumerate(humans):
        yield from _human_problems(human, f"humans[{i}]")


def limit_problems(frame: Any) -> Iterator[Problem]:
    """Where a frame exceeds what a prediction may hold, whatever JSON value it is; misshapen places are skipped."""
    humans = frame.get("humans") if isinstance(frame, dict) else None
    if not isinstance(humans, list):
        return
    if len(humans) > MAX_PERSONS:
        yield Problem("humans", f"{len(humans)} persons, at most {MAX_PERSONS} are allowed")
    for i, human in enumerate(humans):
        parts = human.get("parts") if isinstance(human, dict) else None
        for name, part in parts.items() if isinstance(parts, dict) else ():
            states = part.get("verb") if isinstance(part, dict) else None
            proposals = len(states) if isinstance(states, list) else 1
            if proposals > MAX_PROPOSALS:
                message = f"{proposals} proposals, at most {MAX_PROPOSALS} are allowed"
                yield Problem(f"humans[{i}].parts.{name}", message)


def is_sound_box(box: Any) -> bool:
    """Whether a JSON value is four numbers that are no problem; they may be inverted."""
    if type(box) is not list or len(box) != 4:
        return False
    for value in box:
        if type(value) not in (float, int) or not -LARGEST_COORDINATE <= value <= LARGEST_COORDINATE:
            return False
    return True


def kind_of(value: Any) -> str:
    """What a JSON value is, for messages."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _human_problems(human: Any, key: str) -> Iterator[Problem]:
    if not isinstance(human, dict):
        yield Problem(key, f"the person is {kind_of(human)}, expected an object with box and parts")
        return
    if "box" in human:
        yield from _box_problems(human["box"], f"{key}.box")
    else:
        yield Problem(f"{key}.box", "the person has no box")
    parts = human.get("parts")
    if not isinstance(parts, dict):
        yield Problem(f"{key}.parts", _wrong(human, "parts", "an object of part names"))
        return
    for name, part in parts.items():
        # A test set has millions of parts: what is wrong is worded only where something is.
        if not _is_sound_part(part):
            yield from _part_problems(part, f"{key}.parts.{name}")


def _is_sound_part(part: Any) -> bool:
    """Whether :func:`_part_problems` would find nothing, in a fraction of its time."""
    if type(part) is not dict:
        return False
    box, verb = part.get("box"), part.get("verb")
    if type(verb) is str:
        return is_sound_box(box)
    if type(verb) is not list or type(box) is not list or len(verb) != len(box):
        return False
    return all(map(is_sound_box, box)) and all(type(state) is str for state in verb)


def _part_problems(part: Any, key: str) -> Iterator[Problem]:
    if not isinstance(part, dict):
        yield Problem(key, f"the part is {kind_of(part)}, expected an object with box and verb")
        return
    box, verb = part.get("box"), part.get("verb")
    if not isinstance(box, list):
        yield Problem(f"{key}.box", _wrong(part, "box", "a list of boxes, or one box"))
    elif isinstance(verb, str):
        yield from _box_problems(box, f"{key}.box")
    elif isinstance(verb, list):
        yield from _proposal_problems(box, verb, key)
    if not isinstance(verb, (list, str)):
        yield Problem(f"{key}.verb", _wrong(part, "verb", "a list of states, or one state"))


def _proposal_problems(boxes: list[Any], states: list[Any], key: str) -> Iterator[Problem]:
    if len(boxes) != len(states):
        yield Problem(key, f"box has {len(boxes)} entries and verb has {len(states)}, expected equal numbers")
    for j, box in enumerate(boxes):
        yield from _box_problems(box, f"{key}.box[{j}]")
    for j, state in enumerate(states):
        if not isinstance(state, str):
            yield Problem(f"{key}.verb[{j}]", f"the state is {kind_of(state)}, expected a string")


def _box_problems(box: Any, key: str) -> Iterator[Problem]:
    if not isinstance(box, list) or len(box) != 4:
        found = f"a list of {len(box)}" if isinstance(box, list) else kind_of(box)
        yield Problem(key, f"the box is {found}, expected four numbers")
        return
    for value in box:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Problem(key, f"a coordinate is {kind_of(value)}, expected a number")
            return
        # Written so that NaN fails too.
        if not abs(value) <= LARGEST_COORDINATE:
            yield Problem(key, f"a coordinate is not finite or beyond {LARGEST_COORDINATE:.0e} pixels")
            return


def _wrong(owner: dict[str, Any], name: str, expected: str) -> str:
    found = kind_of(owner[name]) if name in owner else "missing"
    return f"{name} is {found}, expected {expected}"
