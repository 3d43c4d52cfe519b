"""What the rules for part states may ask about: angles, heights, distances and speeds of a person through a clip.

Angles are degrees between directions in space (world landmarks), so they do not depend on where the camera stands;
heights and speeds are measured in the picture. Their unit is the body height: a person's length when standing upright.
A measure is NaN in frames where a landmark that it needs is not seen. Shapes: N frames of a track, L = 33 landmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..poses.landmarks import LANDMARK_IDS, SIDES, body_height, height_in_pixels
from .tracking import Track

_SEEN = 0.5
_SPEED_WINDOW = 0.07  # seconds before and after a frame, over which a speed is taken
_HEIGHT_WINDOW = 0.5  # seconds before and after a frame, over which the body height is a median
_UP = np.array([0.0, -1.0, 0.0])  # y points down in pictures
ARM, LEG, TRUNK = ("arm", "hand"), ("leg", "foot"), ("head", "hip")
GROUPS = ("head", "hip", "arm", "hand", "leg", "foot")


@dataclass(frozen=True)
class Body:
    """One person through a clip, in body heights.

    Args:
        track: The person's landmarks.
        fps: Frames a second.
    """

    track: Track
    fps: float

    @cached_property
    def picture(self) -> np.ndarray:
        """(N, L, 2) image landmarks in body heights."""
        height = height_in_pixels(self.track.points, self.track.world)
        reach = max(1, round(_HEIGHT_WINDOW * self.fps))
        return self.track.points[..., :2] / _running_median(height, reach)[:, None, None]

    @cached_property
    def space(self) -> np.ndarray:
        """(N, L, 3) world landmarks in body heights."""
        height = body_height(self.track.world)
        return self.track.world / np.where(height > 0, height, np.nan)[:, None, None]

    def at(self, *names: str) -> tuple[np.ndarray, ...]:
        """(N, 3) places in space of landmarks, NaN in frames in which one is not seen."""
        return tuple(self._seen(self.space[:, LANDMARK_IDS[name]], name) for name in names)

    def shown(self, *names: str) -> tuple[np.ndarray, ...]:
        """(N, 2) places in the picture of landmarks, NaN in frames in which one is not seen."""
        return tuple(self._seen(self.picture[:, LANDMARK_IDS[name]], name) for name in names)

    def speed(self, places: np.ndarray) -> np.ndarray:
        """Speed (N,) a second of something at places (N, D), by central differences."""
        count, reach = len(places), max(1, round(_SPEED_WINDOW * self.fps))
        later = np.minimum(np.arange(count) + reach, count - 1)
        earlier = np.maximum(np.arange(count) - reach, 0)
        seconds = np.maximum(later - earlier, 1) / self.fps
        return np.linalg.norm(places[later] - places[earlier], axis=1) / seconds

    def _seen(self, places: np.ndarray, name: str) -> np.ndarray:
        visible = self.track.visibility[:, LANDMARK_IDS[name]] >= _SEEN
        return np.where(visible[:, None], places, np.nan)


@dataclass(frozen=True)
class Measure:
    """One thing a rule may ask about.

    Args:
        name: As written in rules.
        groups: The part groups whose rules may use it.
        meaning: What it is, with its unit.
        compute: From a body and a side ("" for head and hip) to (N,) values.
    """

    name: str
    groups: tuple[str, ...]
    meaning: str
    compute: Callable[[Body, str], np.ndarray]


MEASURES: dict[str, Measure] = {}

_Compute = Callable[[Body, str], np.ndarray]


def _measure(groups: tuple[str, ...], meaning: str) -> Callable[[_Compute], _Compute]:
    """Make a function one of the measures, under its name."""

    def add(compute: _Compute) -> _Compute:
        name = compute.__name__
        MEASURES[name] = Measure(name, groups, meaning, compute)
        return compute

    return add


@_measure(ARM, "degrees between upper arm and forearm: 180 straight, 90 a right angle")
def elbow_angle(body: Body, side: str) -> np.ndarray:  # noqa: D103 - the decorator says it
    shoulder, elbow, wrist = body.at(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    return angle_between(shoulder - elbow, wrist - elbow)


@_measure(ARM, "degrees between upper arm and trunk: 0 hanging, 90 held out, 180 straight up")
def shoulder_angle(body: Body, side: str) -> np.ndarray:  # noqa: D103
    hip, shoulder, elbow = body.at(f"{side}_hip", f"{side}_shoulder", f"{side}_elbow")
    return angle_between(hip - shoulder, elbow - shoulder)


@_measure(ARM, "height of the wrist above the shoulder, in body heights: about 0.3 straight up, -0.3 hanging")
def wrist_above_shoulder(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _above(*body.shown(f"{side}_wrist", f"{side}_shoulder"))


@_measure(ARM, "height of the wrist above the hip, in body heights")
def wrist_above_hip(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _above(*body.shown(f"{side}_wrist", f"{side}_hip"))


@_measure(ARM, "distance from wrist to nose, in body heights")
def wrist_to_nose(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _apart(*body.at(f"{side}_wrist", "nose"))


@_measure(ARM, "distance from wrist to the hip of the same side, in body heights")
def wrist_to_hip(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _apart(*body.at(f"{side}_wrist", f"{side}_hip"))


@_measure(ARM, "distance between the two wrists, in body heights")
def wrists_apart(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _apart(*body.at("left_wrist", "right_wrist"))


@_measure(ARM, "speed of the wrist as seen from the shoulder, in body heights a second")
def wrist_speed(body: Body, side: str) -> np.ndarray:  # noqa: D103
    wrist, shoulder = body.shown(f"{side}_wrist", f"{side}_shoulder")
    return body.speed(wrist - shoulder)


@_measure((*LEG, "hip"), "degrees between thigh and shank: 180 straight; for the hip, of the knee bent more")
def knee_angle(body: Body, side: str) -> np.ndarray:  # noqa: D103
    if not side:
        return np.fmin(knee_angle(body, "left"), knee_angle(body, "right"))
    hip, knee, ankle = body.at(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
    return angle_between(hip - knee, ankle - knee)


@_measure((*LEG, "hip"), "degrees between trunk and thigh: 180 straight; for the hip, of the side bent more")
def hip_angle(body: Body, side: str) -> np.ndarray:  # noqa: D103
    if not side:
        return np.fmin(hip_angle(body, "left"), hip_angle(body, "right"))
    shoulder, hip, knee = body.at(f"{side}_shoulder", f"{side}_hip", f"{side}_knee")
    return angle_between(shoulder - hip, knee - hip)


@_measure(LEG, "degrees of the thigh from hanging straight down: 0 standing, 90 level")
def thigh_tilt(body: Body, side: str) -> np.ndarray:  # noqa: D103
    hip, knee = body.at(f"{side}_hip", f"{side}_knee")
    return angle_between(knee - hip, np.broadcast_to(-_UP, hip.shape))


@_measure(LEG, "height of the foot's lowest point above that of the other foot, in body heights; negative below")
def foot_above_other(body: Body, side: str) -> np.ndarray:  # noqa: D103
    other = "right" if side == "left" else "left"
    lowest = {s: np.maximum(*(place[:, 1] for place in body.shown(f"{s}_heel", f"{s}_foot_index"))) for s in SIDES}
    return lowest[other] - lowest[side]


@_measure(LEG, "height of the heel above the toes, in body heights; negative with the toes up")
def heel_lift(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _above(*body.shown(f"{side}_heel", f"{side}_foot_index"))


@_measure(LEG, "degrees between shank and foot sole: 90 flat under an upright shank, 180 with the foot pointed")
def ankle_angle(body: Body, side: str) -> np.ndarray:  # noqa: D103
    knee, ankle, heel, toes = body.at(*(f"{side}_{joint}" for joint in ("knee", "ankle", "heel", "foot_index")))
    return angle_between(knee - ankle, toes - heel)


@_measure(LEG, "distance between the two ankles, in body heights")
def ankles_apart(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _apart(*body.at("left_ankle", "right_ankle"))


@_measure(LEG, "speed of the ankle in the picture, in body heights a second")
def ankle_speed(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return body.speed(*body.shown(f"{side}_ankle"))


@_measure(GROUPS, "degrees of the trunk from upright: 0 upright, 90 level")
def trunk_tilt(body: Body, side: str) -> np.ndarray:  # noqa: D103
    shoulders, hips = _middle_of(body, "shoulder"), _middle_of(body, "hip")
    return angle_between(shoulders - hips, np.broadcast_to(_UP, hips.shape))


@_measure(GROUPS, "degrees that the shoulders are turned from the hips about the spine, to either side")
def trunk_twist(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _turned(body, "shoulder", "hip")


@_measure(GROUPS, "height of the hips above the lower ankle, in body heights: about 0.4 standing")
def hips_above_ankles(body: Body, side: str) -> np.ndarray:  # noqa: D103
    ankles = np.fmax(*(place[:, 1] for place in body.shown("left_ankle", "right_ankle")))
    left, right = body.shown("left_hip", "right_hip")
    return ankles - (left[:, 1] + right[:, 1]) / 2


@_measure(TRUNK, "speed of the hips as seen from the feet, in body heights a second")
def hip_speed(body: Body, side: str) -> np.ndarray:  # noqa: D103
    left_hip, right_hip, left_ankle, right_ankle = body.shown("left_hip", "right_hip", "left_ankle", "right_ankle")
    return body.speed((left_hip + right_hip - left_ankle - right_ankle) / 2)


@_measure(TRUNK, "degrees that the face is turned from the shoulders, to either side")
def head_turn(body: Body, side: str) -> np.ndarray:  # noqa: D103
    return _turned(body, "ear", "shoulder")


@_measure(TRUNK, "degrees that the face looks down, seen from the trunk; negative up")
def head_nod(body: Body, side: str) -> np.ndarray:  # noqa: D103
    (nose,) = body.at("nose")
    spine = _middle_of(body, "shoulder") - _middle_of(body, "hip")
    return angle_between(nose - _middle_of(body, "ear"), spine) - 90


@_measure(GROUPS, "speed of the hips in the picture, in body heights a second")
def body_speed(body: Body, side: str) -> np.ndarray:  # noqa: D103
    left, right = body.shown("left_hip", "right_hip")
    return body.speed((left + right) / 2)


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (N,) in [0, 180] degrees between directions (N, D); NaN where one has no length."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (first * second).sum(axis=-1) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _above(place: np.ndarray, other: np.ndarray) -> np.ndarray:
    return other[:, 1] - place[:, 1]


def _apart(place: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(place - other, axis=1)


def _middle_of(body: Body, joint: str) -> np.ndarray:
    left, right = body.at(f"left_{joint}", f"right_{joint}")
    return (left + right) / 2


def _turned(body: Body, joint: str, base: str) -> np.ndarray:
    """Degrees in [0, 180] between two lines from right to left, seen along the spine."""
    spine = _middle_of(body, "shoulder") - _middle_of(body, "hip")
    spine = spine / np.linalg.norm(spine, axis=1, keepdims=True)
    lines = []
    for name in (joint, base):
        left, right = body.at(f"left_{name}", f"right_{name}")
        line = left - right
        lines.append(line - (line * spine).sum(axis=1, keepdims=True) * spine)
    return angle_between(*lines)


def _running_median(values: np.ndarray, reach: int) -> np.ndarray:
    """Median of each value (N,) and up to ``reach`` before and after it, without NaN; NaN where all are."""
    padded = np.pad(values.astype(float), reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    known = np.isfinite(windows).any(axis=1)
    medians = np.full(len(values), np.nan)
    medians[known] = np.nanmedian(windows[known], axis=1)
    return medians
