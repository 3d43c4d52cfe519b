"""Bodies made by hand: 1.75 m tall, seen from the front from far away, 100 pixels a metre.

World landmarks are metres from the middle of the hips, x to the right of the picture (the body's left), y down, z away
from the camera. Trunk, thigh and shank have the lengths of a body of 1.75 m.
"""

from __future__ import annotations

import numpy as np

from tpsparse.annotation.tracking import Track
from tpsparse.poses.landmarks import LANDMARK_IDS, LANDMARKS, Pose

HEIGHT = 1.75
SCALE = 100.0
TRUNK, THIGH, SHANK = 0.288 * HEIGHT, 0.245 * HEIGHT, 0.246 * HEIGHT
UPPER_ARM, FOREARM, SHOULDER, HIP = 0.30, 0.25, 0.20, 0.10
_FACE = {"nose": (0, -0.10), "mouth": (0.03, -0.09), "ear": (0.07, 0), "eye": (0.03, -0.08)}


def t_pose() -> np.ndarray:
    """(33, 3) metres: upright, arms held out, feet pointing at the camera."""
    world = np.zeros((len(LANDMARKS), 3))
    for name, i in LANDMARK_IDS.items():
        if i <= 10:
            kind = next(kind for kind in _FACE if kind in name)
            side, depth = _FACE[kind]
            world[i] = (side if "left" in name else -side, -TRUNK - 0.20, depth)
    for side, sign in (("left", 1), ("right", -1)):
        legs = {
            "hip": (HIP, 0, 0),
            "knee": (HIP, THIGH, 0),
            "ankle": (HIP, THIGH + SHANK, 0),
            "heel": (HIP, THIGH + SHANK + 0.05, 0.05),
            "foot_index": (HIP, THIGH + SHANK + 0.05, -0.15),
            "shoulder": (SHOULDER, -TRUNK, 0),
        }
        for joint, (x, y, z) in legs.items():
            world[LANDMARK_IDS[f"{side}_{joint}"]] = (sign * x, y, z)
        set_arm(world, side, upper=(sign, 0, 0), lower=(sign, 0, 0))
    return world


def set_arm(world: np.ndarray, side: str, *, upper: tuple[float, ...], lower: tuple[float, ...]) -> np.ndarray:
    """Point the upper arm, and the forearm with its hand, along unit directions; changes and returns the body."""
    shoulder = world[LANDMARK_IDS[f"{side}_shoulder"]]
    elbow = shoulder + UPPER_ARM * np.array(upper)
    wrist = elbow + FOREARM * np.array(lower)
    world[LANDMARK_IDS[f"{side}_elbow"]], world[LANDMARK_IDS[f"{side}_wrist"]] = elbow, wrist
    for finger in ("pinky", "index", "thumb"):
        world[LANDMARK_IDS[f"{side}_{finger}"]] = wrist + 0.08 * np.array(lower)
    return world


def hanging() -> np.ndarray:
    """Upright with both arms hanging straight down."""
    world = t_pose()
    for side in ("left", "right"):
        set_arm(world, side, upper=(0, 1, 0), lower=(0, 1, 0))
    return world


def pose(world: np.ndarray, *, at: tuple[float, float] = (200.0, 150.0), score: float = 1.0) -> Pose:
    """The body in a picture, the middle of its hips at pixel ``at``, all landmarks seen."""
    points = world * SCALE + np.array([*at, 0.0])
    return Pose(points, world, np.ones(len(LANDMARKS)), score)


def track(poses: list[Pose], *, number: int = 1, first: int = 1) -> Track:
    """Poses in consecutive frames."""
    return Track(
        number=number,
        frames=np.arange(first, first + len(poses)),
        points=np.stack([pose.points for pose in poses]),
        world=np.stack([pose.world for pose in poses]),
        visibility=np.stack([pose.visibility for pose in poses]),
        scores=np.array([pose.score for pose in poses]),
        seen=np.ones(len(poses), dtype=bool),
    )
