"""What the generated tree says: people, parts, states and objects that move smoothly, drawn for each video.

Numbers follow what is published of Kinetics-TPS: 2.8 persons a frame, 5 parts a person, 0.9 objects a frame, an
action with seven times the persons of another, heads and hands whose states are mostly ``none``.
Shapes: T frames, P persons of a video, K = 10 parts. Boxes are ``xyxy`` in pixels of the frame.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PARTS = (
    "head",
    "hip",
    *(f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in ("left", "right")),
)
# The names of states that are public, and fillers up to the official number.
NAMED_STATES = _words(
    "none others bend unbend lift raise turn hold grab carry push pull hug applaud stand step step_on tiptoe sit stoop "
    "swing strike eat watch"
)
STATES = (*NAMED_STATES, *(f"state_{i}" for i in range(len(NAMED_STATES) + 1, 75)))
OBJECTS = ("none", "ball", "barbell", "bat", "bull", "discus", "rope", *(f"object_{i}" for i in range(8, 76)))
# In falling order of persons: of the first there are seven times those of the last.
ACTIONS = _words(
    "capoeira country_line_dancing belly_dancing salsa_dancing surfing_crowd hurling_(sport) hopscotch "
    "hammer_throw hitting_baseball skateboarding skipping_rope throwing_discus punching_bag push_up pull_ups lunge "
    "juggling_balls front_raises deadlifting clean_and_jerk snatch_weight_lifting riding_mechanical_bull "
    "crawling_baby tobogganing"
)
MEAN_PERSONS, MEAN_PARTS, MEAN_OBJECTS = 2.8, 5.0, 0.9
MOST_TO_FEWEST = 7.0
_SEEN = 0.9  # share of a video's frames in which one of its persons is annotated
_STATE_FRAMES = 20  # a part keeps its state for so long

# Where a part is inside its person, in shares of the person's sides, and how often it is annotated.
_PLACES = np.array(
    [
        (0.36, 0.00, 0.64, 0.16),
        (0.28, 0.42, 0.72, 0.58),
        (0.62, 0.17, 0.90, 0.48),
        (0.10, 0.17, 0.38, 0.48),
        (0.70, 0.44, 0.92, 0.54),
        (0.08, 0.44, 0.30, 0.54),
        (0.50, 0.52, 0.78, 0.95),
        (0.22, 0.52, 0.50, 0.95),
        (0.55, 0.90, 0.82, 1.00),
        (0.18, 0.90, 0.45, 1.00),
    ]
)
_SHOWN = np.array([0.8, 0.4, 0.6, 0.6, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3])
_STATES_OF = {
    "head": (("none", 0.985), ("others", 0.01), ("turn", 0.002), ("eat", 0.001), ("watch", 0.001), ("state_30", 0.001)),
    "hip": (("none", 0.6), ("bend", 0.1), ("stoop", 0.1), ("turn", 0.1), ("swing", 0.05), ("sit", 0.05)),
    "arm": (("bend", 0.4), ("unbend", 0.3), ("lift", 0.1), ("raise", 0.1), ("swing", 0.06), ("strike", 0.04)),
    "hand": (
        ("none", 0.7),
        ("hold", 0.1),
        ("grab", 0.06),
        ("carry", 0.04),
        ("push", 0.04),
        ("pull", 0.03),
        ("hug", 0.02),
        ("applaud", 0.01),
    ),
    "leg": (("stand", 0.5), ("bend", 0.25), ("unbend", 0.2), ("sit", 0.05)),
    "foot": (("step_on", 0.6), ("step", 0.2), ("tiptoe", 0.1), ("none", 0.1)),
}


@dataclass(frozen=True)
class Counts:
    """Rows that an index of the files must have."""

    frames: int = 0
    persons: int = 0
    parts: int = 0
    objects: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.frames + other.frames,
            self.persons + other.persons,
            self.parts + other.parts,
            self.objects + other.objects,
        )


@dataclass(frozen=True)
class People:
    """Annotated persons of one video.

    Args:
        boxes: (T, P, 4).
        seen: (T, P) whether the person is annotated.
        part_boxes: (T, P, K, 4).
        shown: (T, P, K) whether the part is annotated.
        states: (T, P, K) into :data:`STATES`.
    """

    boxes: np.ndarray
    seen: np.ndarray
    part_boxes: np.ndarray
    shown: np.ndarray
    states: np.ndarray


def video_frames(rng: np.random.Generator, action: int, *, frames: int, size: tuple[int, int]) -> list[dict[str, Any]]:
    """The content of every frame's JSON.

    Args:
        rng: The video's own.
        action: Position in :data:`ACTIONS`.
        frames: T.
        size: (height, width).
    """
    people = draw_people(rng, _draw_count(rng, mean_persons(action) / _SEEN), frames=frames, size=size)
    things = _smooth_boxes(rng, _draw_count(rng, MEAN_OBJECTS), frames=frames, size=size, heights=(10, 60), lean=1.0)
    names = [OBJECTS[i] for i in rng.integers(len(OBJECTS), size=things.shape[1])]
    digits = int(rng.random() < 0.25)  # some tools write whole pixels, some fractions
    extra = rng.random(3) < (0.2, 0.15, 0.1)
    contents = []
    for t in range(frames):
        content: dict[str, Any] = {"humans": _humans(people, t, digits=digits, track=extra[0], occluded=extra[1])}
        content["objects"] = [
            {"number": i + 1, "name": name, "box": _numbers(things[t, i], digits)} for i, name in enumerate(names)
        ]
        if extra[2]:
            content.update(image=f"img_{t + 1:05d}.jpg", height=size[0], width=size[1])
        contents.append(content)
    return contents


def count(contents: list[dict[str, Any]]) -> Counts:
    """What is annotated in some frames."""
    humans = [human for content in contents for human in content["humans"]]
    objects = sum(len(content["objects"]) for content in contents)
    return Counts(len(contents), len(humans), sum(len(human["parts"]) for human in humans), objects)


def encode(content: dict[str, Any]) -> bytes:
    """A frame's file."""
    return json.dumps(content).encode()


def mean_persons(action: int) -> float:
    """Persons in a frame of an action: a falling geometric row whose mean is :data:`MEAN_PERSONS`."""
    rise = MOST_TO_FEWEST ** (1 - np.arange(len(ACTIONS)) / (len(ACTIONS) - 1))
    return float(rise[action] / rise.mean() * MEAN_PERSONS)


def draw_people(rng: np.random.Generator, persons: int, *, frames: int, size: tuple[int, int]) -> People:
    """Persons who wander about, with parts that swing and come and go."""
    boxes = _smooth_boxes(rng, persons, frames=frames, size=size, heights=(0.25 * size[0], 0.8 * size[0]), lean=0.45)
    time = np.arange(frames)[:, None, None]
    swing = 0.04 * np.sin(
        rng.uniform(0.05, 0.3, (persons, len(PARTS))) * time + rng.uniform(0, 2 * np.pi, (persons, len(PARTS)))
    )
    corner, sides = boxes[:, :, None, :2], boxes[:, :, None, 2:] - boxes[:, :, None, :2]
    places = _PLACES + swing[..., None]
    parts = np.concatenate([corner + places[..., :2] * sides, corner + places[..., 2:] * sides], axis=-1)
    parts = np.clip(parts, 0, np.tile([size[1] - 1, size[0] - 1], 2))
    cycle = np.mod(rng.uniform(size=(persons, len(PARTS))) + time / rng.uniform(30, 90, (persons, len(PARTS))), 1)
    return People(
        boxes=boxes,
        seen=_draw_spans(rng, persons, frames),
        part_boxes=parts,
        shown=cycle < _SHOWN,
        states=_draw_states(rng, persons, frames),
    )


def _smooth_boxes(
    rng: np.random.Generator,
    count: int,
    *,
    frames: int,
    size: tuple[int, int],
    heights: tuple[float, float],
    lean: float,
) -> np.ndarray:
    """(T, count, 4) boxes inside the frame that move along slow waves; ``lean`` is width over height."""
    time = np.arange(frames)[:, None]
    wave = np.sin(
        rng.uniform(0.01, 0.06, (4, 1, count)) * time + rng.uniform(0, 2 * np.pi, (4, 1, count))
    )  # (4, T, count)
    height = rng.uniform(*heights, count) * (1 + 0.08 * wave[0])
    width = lean * height * (1 + 0.15 * wave[1])
    x = width / 2 + (size[1] - 1 - width) * np.clip(rng.uniform(size=count) + 0.1 * wave[2], 0, 1)
    y = height / 2 + (size[0] - 1 - height) * np.clip(rng.uniform(size=count) + 0.05 * wave[3], 0, 1)
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


def _draw_spans(rng: np.random.Generator, persons: int, frames: int) -> np.ndarray:
    """(T, P) every person is there for one span; spans cover :data:`_SEEN` of the frames on average."""
    length = np.rint(frames * rng.uniform(2 * _SEEN - 1, 1, persons))
    start = np.rint((frames - length) * rng.uniform(size=persons))
    time = np.arange(frames)[:, None]
    return (time >= start) & (time < start + length)


def _draw_states(rng: np.random.Generator, persons: int, frames: int) -> np.ndarray:
    """(T, P, K) state ids, drawn anew every :data:`_STATE_FRAMES`."""
    spans = -(-frames // _STATE_FRAMES)
    states = np.empty((spans, persons, len(PARTS)), dtype=np.int64)
    for k, part in enumerate(PARTS):
        names, shares = zip(*_STATES_OF[part.rpartition("_")[2]])
        ids = np.array([STATES.index(name) for name in names])
        states[..., k] = rng.choice(ids, size=(spans, persons), p=np.array(shares) / np.sum(shares))
    return np.repeat(states, _STATE_FRAMES, axis=0)[:frames]


def _draw_count(rng: np.random.Generator, mean: float) -> int:
    """A whole number with this mean, between none and about twice as many."""
    return int(mean * rng.uniform(0.4, 1.6) + rng.uniform())


def _humans(people: People, t: int, *, digits: int, track: bool, occluded: bool) -> list[dict[str, Any]]:
    humans = []
    for p in np.flatnonzero(people.seen[t]).tolist():
        parts = {}
        for k in np.flatnonzero(people.shown[t, p]).tolist():
            box, verb = _numbers(people.part_boxes[t, p, k], digits), STATES[people.states[t, p, k]]
            parts[PARTS[k]] = {"number": p + 1, "box": box, "verb": verb, "name": PARTS[k]}
            if occluded:
                parts[PARTS[k]]["occluded"] = (p + k) % 2
        human = {"number": p + 1, "box": _numbers(people.boxes[t, p], digits), "parts": parts}
        humans.append({**human, "track": p} if track else human)
    return humans


def _numbers(box: np.ndarray, digits: int) -> list[float]:
    values = np.round(box, digits).tolist()
    return values if digits else [int(value) for value in values]
