"""What is known of a body in a frame: the 33 landmarks of MediaPipe Pose.

Shapes: L = 33 landmarks, P persons, J = 17 COCO keypoints. Image landmarks are x, y in pixels of the decoded frame and
z, the depth at about the scale of x, smaller towards the camera, 0 at the hips. World landmarks are metres from the
middle of the hips, y pointing down.
Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020, and its GHUM heat map model card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..structures.keypoints import KEYPOINTS

SIDES = ("left", "right")
LANDMARKS = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)
LANDMARK_IDS = {name: i for i, name in enumerate(LANDMARKS)}
FACE = tuple(range(11))
COCO_KEYPOINTS = tuple(LANDMARK_IDS[name] for name in KEYPOINTS)
"""(J,) the landmark that is each of COCO's keypoints: MediaPipe has them all, by the same names."""
# Lengths in body heights: trunk from shoulders to hips, thigh, shank. Drillis and Contini, "Body segment parameters",
# 1966, as drawn in Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1.
TRUNK, THIGH, SHANK = 0.288, 0.245, 0.246


@dataclass(frozen=True)
class Pose:
    """One person in one frame.

    Args:
        points: (L, 3) image landmarks in pixels.
        world: (L, 3) world landmarks in metres.
        visibility: (L,) in [0, 1]: in the frame and not hidden.
        score: Of the person, in [0, 1].

    Raises:
        ValueError: If a shape does not fit; the message has both shapes.
    """

    points: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    score: float

    def __post_init__(self) -> None:
        count = len(LANDMARKS)
        for name, shape in (("points", (count, 3)), ("world", (count, 3)), ("visibility", (count,))):
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
            object.__setattr__(self, name, array)

    @cached_property
    def box(self) -> np.ndarray:
        """(4,) ``xyxy`` around all landmarks, in pixels."""
        return np.concatenate([self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)])

    @cached_property
    def height(self) -> float:
        """Of the body when standing upright, in pixels; 0 where the landmarks are all at one place."""
        height = float(height_in_pixels(self.points, self.world))
        return height if np.isfinite(height) else 0.0


def coco_keypoints(poses: Sequence[Pose]) -> np.ndarray:
    """The poses as COCO's keypoints (P, J, 3): x, y in pixels, and the visibility as their score."""
    ids = list(COCO_KEYPOINTS)
    rows = [np.column_stack([pose.points[ids, :2], pose.visibility[ids]]) for pose in poses]
    return np.stack(rows) if rows else np.zeros((0, len(ids), 3), dtype=np.float32)


def middle(points: np.ndarray, first: str, second: str) -> np.ndarray:
    """The point (..., D) half way between two landmarks of ``points`` (..., L, D)."""
    return (points[..., LANDMARK_IDS[first], :] + points[..., LANDMARK_IDS[second], :]) / 2


def body_height(points: np.ndarray) -> np.ndarray:
    """Standing height (...) of bodies (..., L, D), bent or not, in the unit of the points.

    The longest of trunk, thighs and shanks decides, each in its share of the height: what is seen at an angle looks
    shorter, never longer.
    """

    def length(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return np.linalg.norm(end - start, axis=-1)

    trunk = length(middle(points, "left_shoulder", "right_shoulder"), middle(points, "left_hip", "right_hip"))
    heights = [trunk / TRUNK]
    for side in SIDES:
        hip, knee, ankle = (points[..., LANDMARK_IDS[f"{side}_{joint}"], :] for joint in ("hip", "knee", "ankle"))
        heights += [length(hip, knee) / THIGH, length(knee, ankle) / SHANK]
    return np.max(heights, axis=0)


def pixels_per_metre(points: np.ndarray, world: np.ndarray) -> np.ndarray:
    """How large a metre at the body is in the picture, (...) for image and world landmarks (..., L, 3).

    The image landmarks' spread about their mean over that of the world landmarks seen from the front: weak perspective.
    NaN for a body without spread.
    """

    def spread(of: np.ndarray) -> np.ndarray:
        plane = of[..., :2]
        return np.sqrt(np.square(plane - plane.mean(axis=-2, keepdims=True)).sum(axis=(-2, -1)))

    metres = spread(world)
    return np.divide(spread(points), metres, out=np.full(np.shape(metres), np.nan), where=metres > 0)


def height_in_pixels(points: np.ndarray, world: np.ndarray) -> np.ndarray:
    """Standing height (...) of bodies in pixels, whichever way they are bent or turned. NaN for one without spread."""
    return pixels_per_metre(points, world) * body_height(world)
