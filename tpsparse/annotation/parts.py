"""Boxes of the ten body parts, and of the person, from landmarks.

A part is drawn as discs around its landmarks, with radii in body heights; its box is what the discs cover in the frame.
Shapes: N bodies, K = 10 parts, L = 33 landmarks. Boxes are float32 ``xyxy`` in pixels, an absent one is four NaN.
"""

from __future__ import annotations

import numpy as np

from ..poses.landmarks import FACE, LANDMARK_IDS, SIDES, height_in_pixels, middle
from ..structures.boxes import box_area, clip_boxes, is_present

# The order of the challenge's body_part.txt.
PARTS = ("head", "hip", *(f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in SIDES))

# Radii in body heights around a limb's landmarks: flesh, clothes and the landmarks' own error.
_RADII = {
    "arm": {"shoulder": 0.040, "elbow": 0.030, "wrist": 0.022},
    "hand": {"wrist": 0.020, "pinky": 0.018, "index": 0.018, "thumb": 0.018},
    "leg": {"hip": 0.055, "knee": 0.042, "ankle": 0.030},
    "foot": {"ankle": 0.025, "heel": 0.025, "foot_index": 0.025},
}
_HIP_RADIUS = 0.062
# The head is an ellipse, half as long as 0.13 body heights from chin to crown (Drillis and Contini, 1966) and hair.
_HEAD_LENGTH, _HEAD_WIDTH = 0.078, 0.062
_CROWN = 0.015  # of which the ears are this much below the middle
# The landmarks of a hand are its knuckles: from the wrist the finger tips are this much further.
_FINGER_REACH = 1.8
_SMALLEST = 2.0  # pixels
_IN_FRAME = 0.3  # share of a part's box


def part_boxes(
    points: np.ndarray, world: np.ndarray, visibility: np.ndarray, *, size: tuple[int, int], min_visibility: float = 0.5
) -> np.ndarray:
    """Boxes (N, K, 4) of the parts of bodies, cut to the frame.

    A part is left out where its landmarks' mean visibility is below ``min_visibility``, where less than three tenths of
    its box are in the frame, and where two pixels in width or height are not left of it.

    Args:
        points: (N, L, 3) image landmarks in pixels.
        world: (N, L, 3) world landmarks in metres.
        visibility: (N, L) in [0, 1].
        size: (height, width) of the frame.
        min_visibility: In [0, 1].
    """
    height = height_in_pixels(points, world)
    boxes = np.full((len(points), len(PARTS), 4), np.nan)
    for k, part in enumerate(PARTS):
        boxes[:, k] = _head_box(points, height) if part == "head" else _limb_box(part, points, height)
        ids = landmarks_of(part)
        boxes[visibility[:, ids].mean(axis=1) < min_visibility, k] = np.nan
    inside = clip_boxes(boxes, size)
    with np.errstate(invalid="ignore"):  # absent boxes are NaN
        large = (inside[..., 2:] - inside[..., :2] >= _SMALLEST).all(axis=-1)
        inside[~large | (box_area(inside) < _IN_FRAME * box_area(boxes))] = np.nan
    return inside.astype(np.float32)


def person_boxes(parts: np.ndarray) -> np.ndarray:
    """The smallest boxes (N, 4) around the boxes (N, K, 4) of the parts that are there; NaN where there are none."""
    there = is_present(parts)[..., None]
    low = np.where(there, parts[..., :2], np.inf).min(axis=1)
    high = np.where(there, parts[..., 2:], -np.inf).max(axis=1)
    boxes = np.concatenate([low, high], axis=1)
    boxes[~there[..., 0].any(axis=1)] = np.nan
    return boxes.astype(np.float32)


def landmarks_of(part: str) -> list[int]:
    """Positions of the landmarks that decide whether a part is seen."""
    if part == "head":
        return list(FACE)
    if part == "hip":
        return [LANDMARK_IDS["left_hip"], LANDMARK_IDS["right_hip"]]
    side, _, kind = part.partition("_")
    return [LANDMARK_IDS[f"{side}_{name}"] for name in _RADII[kind]]


def _limb_box(part: str, points: np.ndarray, height: np.ndarray) -> np.ndarray:
    ids, radii = landmarks_of(part), np.array([_HIP_RADIUS] * 2)
    if part != "hip":
        radii = np.array(list(_RADII[part.partition("_")[2]].values()))
    centres = points[:, ids, :2]
    if part.endswith("_hand"):
        wrist, knuckles = centres[:, :1], centres[:, 1:3].mean(axis=1, keepdims=True)
        centres = np.concatenate([centres, wrist + _FINGER_REACH * (knuckles - wrist)], axis=1)
        radii = np.append(radii, radii[1])
    rims = (height[:, None] * radii)[..., None]
    return np.concatenate([(centres - rims).min(axis=1), (centres + rims).max(axis=1)], axis=1)


def _head_box(points: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Box of an ellipse about the middle of the ears, whose length points away from the shoulders."""
    ears = middle(points, "left_ear", "right_ear")[:, :2]
    nose = points[:, LANDMARK_IDS["nose"], :2]
    centre = 0.75 * ears + 0.25 * nose  # seen from the side, the ears are behind the middle of the head
    axis = centre - middle(points, "left_shoulder", "right_shoulder")[:, :2]
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    axis = np.divide(axis, length, out=np.tile([[0.0, -1.0]], (len(points), 1)), where=length > 0)
    along, across = axis * _HEAD_LENGTH, axis[:, ::-1] * _HEAD_WIDTH
    reach = np.hypot(along, across) * height[:, None]
    centre = centre + _CROWN * axis * height[:, None]
    return np.concatenate([centre - reach, centre + reach], axis=1)
