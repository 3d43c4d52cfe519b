"""A jointed figure: body lengths, a pose, and forward kinematics.

Person frame: x to the person's own left, y up, z ahead; the origin lies on the floor. Lengths are metres, angles
degrees. A pose turned into points has 22 joints: pelvis, waist, neck, head, and for each side shoulder, elbow, wrist,
fingers, hip, knee, ankle, heel, toe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

SIDES = {"left": 1.0, "right": -1.0}
HEEL_BEHIND_ANKLE = 0.055
TOE_BEYOND_BALL = 0.045
_REACH_LIMIT = 0.9995  # of the limb's length: a fully stretched limb has no defined bending plane


@dataclass(frozen=True)
class Build:
    """Body lengths of one person (metres); ``girth`` scales every thickness."""

    hip: float = 0.09
    thigh: float = 0.41
    shin: float = 0.40
    sole: float = 0.075
    foot: float = 0.15
    waist: float = 0.12
    chest: float = 0.36
    shoulder: float = 0.185
    upper_arm: float = 0.28
    forearm: float = 0.25
    hand: float = 0.16
    neck: float = 0.085
    head: float = 0.135
    girth: float = 1.0

    @property
    def leg(self) -> float:
        """From the hip joint to the ankle."""
        return self.thigh + self.shin

    @property
    def arm(self) -> float:
        """From the shoulder to the wrist."""
        return self.upper_arm + self.forearm

    @property
    def stand(self) -> float:
        """Height of the pelvis when standing with straight legs."""
        return self.leg + self.sole

    @property
    def trunk(self) -> float:
        """From the pelvis to the neck."""
        return self.waist + self.chest


@dataclass(frozen=True)
class Swing:
    """A limb by joint angles (degrees); all 0 is a limb hanging straight along the trunk.

    Args:
        flex: Upper segment swung ahead.
        spread: Upper segment swung out to its own side.
        bend: Flexion of the elbow or knee.
        twist: Upper segment turned about itself, outward.
    """

    flex: float = 0.0
    spread: float = 0.0
    bend: float = 0.0
    twist: float = 0.0


@dataclass(frozen=True)
class Reach:
    """A limb by the place of its end in the person frame (metres).

    An arm brings its palm there (its wrist, where the pose has flat hands); a leg the ball of its foot.

    Args:
        out: Distance from the middle plane to the limb's own side.
        up: Height above the floor.
        ahead: Distance ahead.
        pole: (out, up, ahead) direction into which the elbow or knee points; None for the natural one.
    """

    out: float
    up: float
    ahead: float
    pole: tuple[float, float, float] | None = None


Limb = Swing | Reach


def _both(limb: Limb) -> dict[str, Limb]:
    return dict.fromkeys(SIDES, limb)


@dataclass(frozen=True)
class Pose:
    """Everything that changes from frame to frame in one person, in the person frame.

    Args:
        pelvis: (x, y, z) of the pelvis.
        facing: (turn to the left, pitch ahead, lean to the left) of the pelvis.
        spine: (turn, bend ahead, lean) of the chest against the pelvis.
        head: (turn, nod down, lean) of the head against the chest.
        arms: A limb for each side.
        legs: A limb for each side.
        heels: How far each heel is lifted about the ball (a leg by ``Reach``) or the foot stretched (by ``Swing``).
        grips: What each hand holds, an object or the own "hip"; "" for nothing.
        flat_hands: Palms lie flat, pointing ahead.
    """

    pelvis: tuple[float, float, float]
    facing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    arms: Mapping[str, Limb] = field(default_factory=lambda: _both(Swing(spread=6)))
    legs: Mapping[str, Limb] = field(default_factory=lambda: _both(Swing()))
    heels: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    grips: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(SIDES, ""))
    flat_hands: bool = False


@dataclass(frozen=True)
class Skeleton:
    """A pose in space.

    Args:
        points: Joint name to (3,) metres.
        pelvis: (3, 3) axes of the pelvis as columns (left, up, ahead).
        chest: (3, 3) axes of the chest.
        head: (3, 3) axes of the head.
    """

    points: dict[str, np.ndarray]
    pelvis: np.ndarray
    chest: np.ndarray
    head: np.ndarray

    def moved(self, yaw: float, place: tuple[float, float, float]) -> Skeleton:
        """The same body turned to its left by ``yaw`` degrees about the origin, then put at ``place``."""
        turn = rotation("y", yaw)
        points = {name: turn @ point + np.asarray(place) for name, point in self.points.items()}
        return Skeleton(points, turn @ self.pelvis, turn @ self.chest, turn @ self.head)

    def palm(self, side: str) -> np.ndarray:
        """(3,) the middle of a hand."""
        return (self.points[f"{side}_wrist"] + self.points[f"{side}_fingers"]) / 2


def rotation(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) right-handed rotation about ``x``, ``y`` or ``z``."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def mirror(pose: Pose) -> Pose:
    """The pose as a mirror shows it: left and right change places; its own inverse."""

    def swap(sides: Mapping) -> dict:
        return {"left": sides["right"], "right": sides["left"]}

    def turned(angles: tuple[float, float, float]) -> tuple[float, float, float]:
        return (-angles[0], angles[1], -angles[2])

    return replace(
        pose,
        pelvis=(-pose.pelvis[0], pose.pelvis[1], pose.pelvis[2]),
        facing=turned(pose.facing),
        spine=turned(pose.spine),
        head=turned(pose.head),
        arms=swap(pose.arms),
        legs=swap(pose.legs),
        heels=swap(pose.heels),
        grips=swap(pose.grips),
    )


def forward_kinematics(build: Build, pose: Pose) -> Skeleton:
    """Joint points of a pose in the person frame."""
    pelvis_axes = _axes(pose.facing)
    chest_axes = pelvis_axes @ _axes(pose.spine)
    head_axes = chest_axes @ _axes(pose.head)
    pelvis = np.asarray(pose.pelvis, dtype=float)
    waist = pelvis + pelvis_axes[:, 1] * build.waist
    neck = waist + chest_axes[:, 1] * build.chest
    skull = neck + chest_axes[:, 1] * build.neck * 0.5 + head_axes[:, 1] * (build.neck * 0.5 + build.head * 0.75)
    points = {"pelvis": pelvis, "waist": waist, "neck": neck, "head": skull}
    for side, sign in SIDES.items():
        shoulder = neck + chest_axes @ np.array([sign * build.shoulder, -0.045, 0.0])
        points.update(_arm(build, pose, side, chest_axes, shoulder))
        hip = pelvis + pelvis_axes @ np.array([sign * build.hip, 0.0, 0.0])
        points.update(_leg(build, pose, side, pelvis_axes, hip))
    return Skeleton(points, pelvis_axes, chest_axes, head_axes)


def bend_limb(root: np.ndarray, target: np.ndarray, lengths: tuple[float, float], pole: np.ndarray) -> np.ndarray:
    """(2, 3) middle and end joint of a two-segment limb that reaches from ``root`` towards ``target``.

    A target out of reach is approached as far as the limb allows. The middle joint lies on the side of ``pole``.
    """
    upper, lower = lengths
    line = target - root
    distance = max(float(np.linalg.norm(line)), 1e-6)
    line = line / distance
    distance = float(np.clip(distance, abs(upper - lower) + 1e-3, (upper + lower) * _REACH_LIMIT))
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    aside = pole - line * (pole @ line)
    aside = aside / max(float(np.linalg.norm(aside)), 1e-6)
    middle = root + line * along + aside * np.sqrt(max(upper**2 - along**2, 0.0))
    return np.stack([middle, root + line * distance])


def _axes(angles: tuple[float, float, float]) -> np.ndarray:
    turn, bend, lean = angles
    return rotation("y", turn) @ rotation("x", bend) @ rotation("z", -lean)


def _swung(axes: np.ndarray, sign: float, limb: Swing) -> np.ndarray:
    return axes @ rotation("z", sign * limb.spread) @ rotation("x", -limb.flex) @ rotation("y", sign * limb.twist)


def _arm(build: Build, pose: Pose, side: str, axes: np.ndarray, shoulder: np.ndarray) -> dict[str, np.ndarray]:
    sign, limb = SIDES[side], pose.arms[side]
    if isinstance(limb, Swing):
        frame = _swung(axes, sign, limb)
        elbow = shoulder - frame[:, 1] * build.upper_arm
        direction = -(frame @ rotation("x", -limb.bend))[:, 1]
    else:
        pole = axes @ np.array([sign * 0.8, -0.6, -0.5]) if limb.pole is None else _sided(limb.pole, sign)
        beyond = 0.0 if pose.flat_hands else build.hand / 2
        target = np.array([sign * limb.out, limb.up, limb.ahead])
        elbow, end = bend_limb(shoulder, target, (build.upper_arm, build.forearm + beyond), pole)
        direction = (end - elbow) / (build.forearm + beyond)
    wrist = elbow + direction * build.forearm
    ahead = np.array([0.0, 0.0, 1.0]) if pose.flat_hands and wrist[1] < 0.12 else direction
    names = ("shoulder", "elbow", "wrist", "fingers")
    return dict(zip((f"{side}_{name}" for name in names), (shoulder, elbow, wrist, wrist + ahead * build.hand)))


def _leg(build: Build, pose: Pose, side: str, axes: np.ndarray, hip: np.ndarray) -> dict[str, np.ndarray]:
    sign, limb, heel_lift = SIDES[side], pose.legs[side], pose.heels[side]
    if isinstance(limb, Swing):
        frame = _swung(axes, sign, limb)
        knee = hip - frame[:, 1] * build.thigh
        shin = frame @ rotation("x", limb.bend)
        ankle = knee - shin[:, 1] * build.shin
        sole = shin @ rotation("x", heel_lift)
        ball = ankle + sole @ np.array([0.0, -build.sole, build.foot])
    else:
        sole = rotation("y", sign * 12) @ rotation("x", heel_lift)
        ball = np.array([sign * limb.out, limb.up, limb.ahead])
        ankle = ball - sole @ np.array([0.0, -build.sole, build.foot])
        pole = axes @ np.array([sign * 0.25, 0.0, 1.0]) if limb.pole is None else _sided(limb.pole, sign)
        knee, ankle = bend_limb(hip, ankle, (build.thigh, build.shin), pole)
        ball = ankle + sole @ np.array([0.0, -build.sole, build.foot])
    heel = ankle + sole @ np.array([0.0, -build.sole, -HEEL_BEHIND_ANKLE])
    toe = ball + sole[:, 2] * TOE_BEYOND_BALL
    names = ("hip", "knee", "ankle", "heel", "toe")
    return dict(zip((f"{side}_{name}" for name in names), (hip, knee, ankle, heel, toe)))


def _sided(direction: tuple[float, float, float], sign: float) -> np.ndarray:
    return np.array([sign * direction[0], direction[1], direction[2]])
