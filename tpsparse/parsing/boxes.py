"""Person boxes corrected by what later stages know. Shapes: T frames of H x W pixels, N persons, J = 17 keypoints."""

from __future__ import annotations

import torch
from torch import Tensor

from ..registry import STAGES
from ..structures.keypoints import CONFIDENT
from ..taxonomy import Taxonomy
from .base import Stage
from .window import Window


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

    def parse_window(self, window: Window) -> None:
        """Change the boxes of every frame."""
        if "keypoints" in window.persons:
            boxes, keypoints, size = window.persons["boxes"], window.persons["keypoints"], window.images.shape[1:3]
            window.persons["boxes"] = grown_boxes(
                boxes, keypoints, (size[0], size[1]), min_score=self.min_score, margin=self.margin
            )


def grown_boxes(
    boxes: Tensor, keypoints: Tensor, size: tuple[int, int], *, min_score: float, margin: float = 0.0
) -> Tensor:
    """Boxes (N, 4) float32 that hold the confident keypoints, cut to the frame.

    A person without a confident keypoint keeps the box as it is.

    Args:
        boxes: (N, 4) before.
        keypoints: (N, J, 3).
        size: (height, width) of the frame.
        min_score: See :class:`GrowBoxes`.
        margin: See :class:`GrowBoxes`.
    """
    points, scores = keypoints[..., :2], keypoints[..., 2]
    counts = (scores >= min_score) & (scores > 0) & points.isfinite().all(dim=-1)  # as is_confident
    reach = margin * (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True)
    low = points.masked_fill(~counts[..., None], torch.inf).amin(dim=1) - reach
    high = points.masked_fill(~counts[..., None], -torch.inf).amax(dim=1) + reach
    grown = torch.cat([torch.minimum(boxes[:, :2], low), torch.maximum(boxes[:, 2:], high)], dim=1)
    limits = boxes.new_tensor([size[1], size[0]] * 2)
    return torch.where(counts.any(dim=1)[:, None], grown.clamp(min=0).minimum(limits), boxes).float()
