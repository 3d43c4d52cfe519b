"""Person boxes corrected by what later stages know. Shapes: T frames of H x W pixels, P persons, J = 17 keypoints."""

from __future__ import annotations

import numpy as np

from ..registry import STAGES
from ..structures import FrameParse
from ..structures.boxes import clip_boxes
from ..structures.keypoints import CONFIDENT, is_confident
from ..taxonomy import Taxonomy
from .base import Stage


@STAGES.register_module()
class GrowBoxes(Stage):
    """Grow each person's box just until it holds all of the person's confident keypoints (PCF report, section II-B).

    Args:
        min_score: Least score of a keypoint that counts; one of score 0 never does.
        margin: How far beyond such a keypoint the box reaches at least, in longer sides of the box before.
    """

    needs = ("boxes", "keypoints")
    gives = ("boxes",)

    def __init__(self, *, taxonomy: Taxonomy, min_score: float = CONFIDENT, margin: float = 0.0) -> None:
        self.min_score, self.margin = min_score, margin

    def parse_frames(self, images: np.ndarray, frames: list[FrameParse]) -> None:
        """Change the boxes of every frame."""
        for image, frame in zip(images, frames):
            if len(frame) and frame.keypoints is not None:
                frame.boxes = grown_boxes(
                    frame.boxes,
                    frame.keypoints,
                    image.shape[:2],
                    min_score=self.min_score,
                    margin=self.margin,
                )


def grown_boxes(
    boxes: np.ndarray, keypoints: np.ndarray, size: tuple[int, int], *, min_score: float, margin: float = 0.0
) -> np.ndarray:
    """Boxes (P, 4) float32 that hold the confident keypoints, cut to the frame.

    A person without a confident keypoint keeps the box as it is.

    Args:
        boxes: (P, 4) before.
        keypoints: (P, J, 3).
        size: (height, width) of the frame.
        min_score: See :class:`GrowBoxes`.
        margin: See :class:`GrowBoxes`.
    """
    counts = is_confident(keypoints[..., 2], min_score) & np.isfinite(keypoints[..., :2]).all(axis=-1)
    reach = margin * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)[:, None]
    low = np.where(counts[..., None], keypoints[..., :2], np.inf).min(axis=1) - reach
    high = np.where(counts[..., None], keypoints[..., :2], -np.inf).max(axis=1) + reach
    grown = np.concatenate([np.minimum(boxes[:, :2], low), np.maximum(boxes[:, 2:], high)], axis=1)
    return np.where(counts.any(axis=1)[:, None], clip_boxes(grown, size), boxes).astype(np.float32)
