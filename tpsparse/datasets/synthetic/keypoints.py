"""COCO's 17 keypoints of a drawn person: the figure's own joints, and the face where it is drawn on the head.

Shapes: J = 17 keypoints, P persons. World points are metres. What a keypoint means is COCO's: the joint itself, which
also hides behind the body or a thing, and is labelled all the same (v = 1 in COCO's files).
"""

from __future__ import annotations

import numpy as np

from ...structures.keypoints import KEYPOINTS
from .camera import Painter
from .skeleton import SIDES, Build, Skeleton

HEAD_HALF_AXES = np.array([0.8, 1.0, 0.88])  # of the skull, in heads: to the side, up and ahead
# Places on the skull in its half axes (out to the own side, up, ahead).
NOSE = np.array([0.0, -0.16, 0.95])
EAR = np.array([0.98, -0.06, -0.05])
EYE_OUT, EYE_UP = 0.36, 0.04
EYE = np.array([EYE_OUT, EYE_UP, np.sqrt(1 - EYE_OUT**2 - EYE_UP**2)])


def on_head(skeleton: Skeleton, build: Build, place: np.ndarray, sign: float = 1.0) -> np.ndarray:
    """World point (3,) of a place on the skull, given in its half axes; ``sign`` is that of the side."""
    half = HEAD_HALF_AXES * build.head
    return skeleton.points["head"] + skeleton.head @ (half * place * np.array([sign, 1.0, 1.0]))


def world_keypoints(skeleton: Skeleton, build: Build) -> np.ndarray:
    """World points (J, 3) of the keypoints."""
    face = {"nose": on_head(skeleton, build, NOSE)}
    for side, sign in SIDES.items():
        face[f"{side}_eye"] = on_head(skeleton, build, EYE, sign)
        face[f"{side}_ear"] = on_head(skeleton, build, EAR, sign)
    return np.stack([face[name] if name in face else skeleton.points[name] for name in KEYPOINTS])


def frame_keypoints(painter: Painter, skeleton: Skeleton, build: Build) -> np.ndarray:
    """The keypoints (J, 3) of a person in a frame: x, y in pixels, continuous, and 1.

    A keypoint that something hides has score 1 as well; one outside the frame is three zeros, as in COCO's files.
    """
    points = painter.to_frame(world_keypoints(skeleton, build))
    height, width = painter.shot.size
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    return np.where(inside[:, None], np.column_stack([points, np.ones(len(points))]), 0).astype(np.float32)
