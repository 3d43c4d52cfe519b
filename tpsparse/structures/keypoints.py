"""The J = 17 keypoints of COCO, in its order.

A keypoint is (x, y, score): pixels of the decoded frame in continuous coordinates, and a confidence in [0, 1]. One that
is not known has score 0. Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014, and its data format.
"""

from __future__ import annotations

import numpy as np

KEYPOINTS = (
    "nose",
    *("left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)

CONFIDENT = 0.3
"""Score from which a keypoint counts as seen, where nothing else is said."""


def _twin(name: str) -> str:
    side, _, joint = name.partition("_")
    return {"left": f"right_{joint}", "right": f"left_{joint}"}.get(side, name)


FLIP_KEYPOINTS = np.array([KEYPOINTS.index(_twin(name)) for name in KEYPOINTS], dtype=np.int64)
"""(J,) for each keypoint the one it becomes in a mirrored image; its own inverse."""


def is_confident(scores: np.ndarray, min_score: float) -> np.ndarray:
    """Whether keypoints of these scores (...) count; one that is not known, of score 0 or NaN, never does."""
    return (scores >= min_score) & (scores > 0)


def flip_keypoints(keypoints: np.ndarray, width: float) -> np.ndarray:
    """Keypoints (..., J, 3) mirrored left to right in an image of ``width`` pixels; its own inverse."""
    flipped = keypoints[..., FLIP_KEYPOINTS, :].copy()
    flipped[..., 0] = width - flipped[..., 0]
    return flipped
