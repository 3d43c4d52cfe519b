"""Boxes: float32 ``xyxy`` in absolute pixels, continuous coordinates (a box's width is ``x1 - x0``).

The challenge's inclusive pixel count (``x1 - x0 + 1``) lives in ``evaluation.functional`` alone.
Shapes: N and M boxes, ``...`` any leading axes. An absent box is four NaN.
"""

from __future__ import annotations

import numpy as np


def box_area(boxes: np.ndarray) -> np.ndarray:
    """Areas (...,) of boxes (..., 4); 0 for an inverted box."""
    size = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    return size[..., 0] * size[..., 1]


def pairwise_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (N, M) in [0, 1] of boxes (N, 4) with others (M, 4); 0 where both are empty."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = box_area(boxes)[:, None] + box_area(others)[None] - shared
    iou = np.zeros(shared.shape, dtype=np.result_type(shared, np.float32))  # a float for whole-number boxes too
    return np.divide(shared, union, out=iou, where=union > 0)


def clip_boxes(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes (..., 4) cut to an image of ``size`` (height, width); NaN stays NaN."""
    height, width = size
    return np.clip(boxes, 0, np.array([width, height, width, height], dtype=boxes.dtype))


def flip_boxes(boxes: np.ndarray, width: float) -> np.ndarray:
    """Boxes (..., 4) mirrored left to right in an image of ``width`` pixels; its own inverse."""
    flipped = boxes.copy()
    flipped[..., 0], flipped[..., 2] = width - boxes[..., 2], width - boxes[..., 0]
    return flipped


def is_present(boxes: np.ndarray) -> np.ndarray:
    """Which boxes (..., 4) are there at all: bool (...,), False for NaN."""
    return np.isfinite(boxes).all(axis=-1)
