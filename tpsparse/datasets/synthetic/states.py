"""Part states from joint angles, heights and contact: one readable table a part group.

The state names are the challenge's. The first rule of a table that holds names the state; the rules are the same for
left and right. Angles are degrees, lengths metres.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .skeleton import SIDES, Build, Skeleton

PARTS = ("head", "hip", *(f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in SIDES))
ON_FLOOR = 0.03  # a heel or toe below this height touches the floor
NEAR_FLOOR = 0.33  # a palm below this height takes something up from the floor
PALMS_MEET = 0.12  # palms nearer than this touch
FIXED = frozenset({"horizontal_bar"})  # what a hand can hang from


@dataclass(frozen=True)
class ArmMeasures:
    """What the rules of arms and hands look at.

    Args:
        elbow: Flexion, 0 when straight.
        wrist_height: Of the wrist above the shoulder, in arm lengths: -1 hanging, 1 straight up.
        palm: Height of the palm above the floor.
        grip: What the hand holds, "" for nothing.
        on_floor: Whether the bare hand touches the floor.
        palms_meet: Whether the two hands touch each other.
        hits: Whether the hand strikes something.
    """

    elbow: float
    wrist_height: float
    palm: float
    grip: str
    on_floor: bool
    palms_meet: bool
    hits: bool


@dataclass(frozen=True)
class LegMeasures:
    """What the rules of legs and feet look at.

    Args:
        knee: Flexion, 0 when straight.
        tilt: From the vertical, of the thigh or of the line from hip to ankle, whichever is larger.
        heel: Height of the heel.
        toe: Height of the toe.
        other_on_floor: Whether the other foot touches the floor.
    """

    knee: float
    tilt: float
    heel: float
    toe: float
    other_on_floor: bool

    @property
    def grounded(self) -> bool:
        """Whether the foot touches the floor."""
        return min(self.heel, self.toe) <= ON_FLOOR


@dataclass(frozen=True)
class TrunkMeasures:
    """What the rules of hip and head look at.

    Args:
        hip_flexion: Of the more flexed hip, 0 when trunk and thigh are in line.
        trunk_tilt: Of the trunk from the vertical.
        pelvis_tip: Of the pelvis to either side.
        chest_turn: Of the chest on the pelvis, to either side.
        head_turn: Of the head on the chest, to either side.
        head_nod: Of the head on the chest, positive down.
    """

    hip_flexion: float
    trunk_tilt: float
    pelvis_tip: float
    chest_turn: float
    head_turn: float
    head_nod: float


Rules = tuple[tuple[str, Callable[..., bool]], ...]

ARM_RULES: Rules = (
    ("raise", lambda m: m.wrist_height >= 0.6),
    ("lift", lambda m: m.wrist_height >= -0.4 and m.elbow < 70),
    ("bend", lambda m: m.elbow >= 55),
    ("unbend", lambda m: True),
)
HAND_RULES: Rules = (
    ("strike", lambda m: m.hits),
    ("push", lambda m: m.on_floor),
    ("applaud", lambda m: m.palms_meet and not m.grip),
    ("pull", lambda m: m.grip in FIXED and m.elbow >= 70),
    ("grab", lambda m: m.grip in FIXED),
    ("push", lambda m: bool(m.grip) and m.wrist_height >= 0.6),
    ("lift", lambda m: bool(m.grip) and m.wrist_height >= -0.4),
    ("grab", lambda m: bool(m.grip) and m.palm <= NEAR_FLOOR),
    ("hold", lambda m: bool(m.grip)),
    ("none", lambda m: True),
)
LEG_RULES: Rules = (
    ("lift", lambda m: not m.grounded and m.tilt >= 20),
    ("stoop", lambda m: m.grounded and m.knee >= 85),
    ("bend", lambda m: m.knee >= 38),
    ("stand", lambda m: m.grounded and m.tilt < 17),
    ("unbend", lambda m: True),
)
FOOT_RULES: Rules = (
    ("step_on", lambda m: m.toe <= ON_FLOOR and m.heel <= ON_FLOOR),
    ("tiptoe", lambda m: m.toe <= ON_FLOOR),
    ("step", lambda m: m.other_on_floor),
    ("none", lambda m: True),
)
HIP_RULES: Rules = (
    ("stoop", lambda m: m.trunk_tilt >= 35 and m.hip_flexion >= 40),
    ("swing", lambda m: m.pelvis_tip >= 8),
    ("bend", lambda m: m.hip_flexion >= 35),
    ("turn", lambda m: m.chest_turn >= 15),
    ("none", lambda m: True),
)
HEAD_RULES: Rules = (
    ("turn", lambda m: m.head_turn >= 25),
    ("raise", lambda m: m.head_nod <= -18),
    ("bend", lambda m: m.head_nod >= 18),
    ("none", lambda m: True),
)
TABLES: dict[str, Rules] = {
    "head": HEAD_RULES,
    "hip": HIP_RULES,
    "arm": ARM_RULES,
    "hand": HAND_RULES,
    "leg": LEG_RULES,
    "foot": FOOT_RULES,
}
STATES: tuple[str, ...] = tuple(dict.fromkeys(["none", "others", *(s for rules in TABLES.values() for s, _ in rules)]))


def part_states(
    build: Build, skeleton: Skeleton, grips: Mapping[str, str], hits: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Name the state of each of the ten parts.

    Args:
        build: The body's lengths.
        skeleton: The body, standing on the floor at height 0.
        grips: Side to what the hand holds, an object or the own "hip"; "" for nothing.
        hits: Sides whose hand strikes something.
    """
    trunk = _measure_trunk(skeleton)
    states = {"head": _first(HEAD_RULES, trunk), "hip": _first(HIP_RULES, trunk)}
    for side in SIDES:
        arm = _measure_arm(build, skeleton, side, grips[side], side in hits)
        leg = _measure_leg(skeleton, side)
        states[f"{side}_arm"] = _first(ARM_RULES, arm)
        states[f"{side}_hand"] = _first(HAND_RULES, arm)
        states[f"{side}_leg"] = _first(LEG_RULES, leg)
        states[f"{side}_foot"] = _first(FOOT_RULES, leg)
    return {part: states[part] for part in PARTS}


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Angle in [0, 180] degrees between two directions (3,)."""
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _first(rules: Rules, measures: ArmMeasures | LegMeasures | TrunkMeasures) -> str:
    return next(state for state, holds in rules if holds(measures))


def _measure_arm(build: Build, skeleton: Skeleton, side: str, grip: str, hits: bool) -> ArmMeasures:
    shoulder, elbow, wrist, fingers = (
        skeleton.points[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist", "fingers")
    )
    return ArmMeasures(
        elbow=angle_between(elbow - shoulder, wrist - elbow),
        wrist_height=float(wrist[1] - shoulder[1]) / build.arm,
        palm=float(skeleton.palm(side)[1]),
        grip=grip,
        on_floor=bool(min(wrist[1], fingers[1]) <= 2 * ON_FLOOR) and not grip,
        palms_meet=bool(np.linalg.norm(skeleton.palm("left") - skeleton.palm("right")) <= PALMS_MEET),
        hits=hits,
    )


def _measure_leg(skeleton: Skeleton, side: str) -> LegMeasures:
    other = "right" if side == "left" else "left"
    hip, knee, ankle = (skeleton.points[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    heights = {s: (skeleton.points[f"{s}_heel"][1], skeleton.points[f"{s}_toe"][1]) for s in (side, other)}
    tilt = max(angle_between(knee - hip, _DOWN), angle_between(ankle - hip, _DOWN))
    return LegMeasures(
        knee=angle_between(knee - hip, ankle - knee),
        tilt=tilt,
        heel=float(heights[side][0]),
        toe=float(heights[side][1]),
        other_on_floor=bool(min(heights[other]) <= ON_FLOOR),
    )


def _measure_trunk(skeleton: Skeleton) -> TrunkMeasures:
    trunk = skeleton.points["neck"] - skeleton.points["pelvis"]
    thighs = [skeleton.points[f"{side}_knee"] - skeleton.points[f"{side}_hip"] for side in SIDES]
    chest = skeleton.pelvis.T @ skeleton.chest
    head = skeleton.chest.T @ skeleton.head
    return TrunkMeasures(
        hip_flexion=max(180 - angle_between(trunk, thigh) for thigh in thighs),
        trunk_tilt=angle_between(trunk, -_DOWN),
        pelvis_tip=abs(90 - angle_between(skeleton.pelvis[:, 0], -_DOWN)),
        chest_turn=abs(_heading(chest)),
        head_turn=abs(_heading(head)),
        head_nod=float(np.degrees(np.arcsin(np.clip(-head[1, 2], -1, 1)))),
    )


def _heading(axes: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(axes[0, 2], axes[2, 2])))


_DOWN = np.array([0.0, -1.0, 0.0])
