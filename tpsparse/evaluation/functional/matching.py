"""Boxes compared and matched as the released evaluation script of Kinetics-TPS does it.

Leaderboards ran the script, so its reading holds where the organisers' README differs
(https://github.com/xiadingZ/Kinetics-TPS-evaluation, ``eval_detection.py``): pixels are counted inclusively, persons
are matched one to one by the Hungarian method and not each to its best prediction, and a pair of persons counts when
its IoU is strictly greater than the threshold. Versions of the script differ in one line: at 11ef7fb ``match_humans``
gives the i-th pair the parts of the i-th predicted person; here, as in the corrected version, those of the matched one.

Shapes: N annotated and M predicted boxes ``xyxy`` in pixels, ``...`` any leading axes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def inclusive_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (...,) float64 of ``boxes`` (..., 4) with ``others`` (..., 4), which broadcast.

    A side is ``x1 - x0 + 1`` pixels long. Boxes that do not overlap, and inverted boxes, count as -1.
    """
    sides = _sides(np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:]))
    shared = sides.prod(axis=-1)
    union = _area(boxes) + _area(others) - shared
    return np.divide(shared, union, out=np.full(shared.shape, -1.0), where=(sides > 0).all(axis=-1))


def match_persons(annotated: np.ndarray, predicted: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Match persons one to one by the Hungarian method on ``1 - IoU``.

    Args:
        annotated: (N, 4) annotated person boxes.
        predicted: (M, 4) predicted person boxes.
        threshold: A pair counts when its IoU is strictly greater.

    Returns:
        Rows of ``annotated`` and of ``predicted`` that belong together, of equal length, the first rising.
    """
    # The script keeps person boxes and their IoU in single precision, and pads the shorter side with IoU 0 in
    # double precision; both are repeated, for they decide ties and IoUs exactly at a threshold.
    annotated, predicted = np.float32(annotated).reshape(-1, 4), np.float32(predicted).reshape(-1, 4)
    iou: np.ndarray = inclusive_iou(annotated[:, None], predicted[None]).astype(np.float32)
    if len(annotated) != len(predicted):
        side = max(iou.shape)
        padded = np.zeros((side, side))
        padded[: len(annotated), : len(predicted)] = iou
        iou = padded
    rows, columns = linear_sum_assignment(1 - iou)
    real = (rows < len(annotated)) & (columns < len(predicted)) & (iou[rows, columns] > threshold)
    return rows[real], columns[real]


def _area(boxes: np.ndarray) -> np.ndarray:
    return _sides(boxes[..., :2], boxes[..., 2:]).prod(axis=-1)


def _sides(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (high - low).astype(np.float64) + 1
