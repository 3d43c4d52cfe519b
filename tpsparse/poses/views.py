"""Where people are looked for in a frame, and which finds are the same person.

MediaPipe's detector sees 224 x 224 pixels whatever the frame's size, so people who are small in the frame are found in
square tiles of it. Shapes: N poses, L landmarks. Rectangles are ``xyxy`` in whole pixels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import InputError
from ..structures.boxes import clip_boxes, pairwise_iou
from .landmarks import Pose

Rect = tuple[int, int, int, int]

AUTO, WHOLE = "auto", "none"
# Sides of the tiles that `auto` lays, in short sides of the frame, and what neighbours share of a tile at least: too
# little, and a person between two tiles is whole in neither; more, and the time grows with the number of tiles.
_TILE_SIDES, _SHARED = (1.0, 0.6), 0.3
_SAME_CENTRE, _SAME_RADIUS = 0.12, 1.3
_SAME_POSE, _SAME_BOX = 0.06, 0.65
_SEEN = 0.5
_AROUND = 2.0


@dataclass(frozen=True)
class Region:
    """A circle that holds a whole body, and which way the body stands: what the landmark network is shown.

    Args:
        centre: (x, y) of the middle of the hips in pixels.
        rim: (x, y) of the point of the circle beyond the head.
        score: In [0, 1].
    """

    centre: tuple[float, float]
    rim: tuple[float, float]
    score: float

    @property
    def radius(self) -> float:
        """In pixels."""
        return float(np.hypot(self.rim[0] - self.centre[0], self.rim[1] - self.centre[1]))

    @property
    def rotation(self) -> float:
        """Radians, clockwise on the picture, by which the body is turned from upright."""
        x, y = self.rim[0] - self.centre[0], self.rim[1] - self.centre[1]
        return float(np.pi / 2 - np.arctan2(-y, x))


def tile_views(size: tuple[int, int], layout: str = AUTO) -> list[Rect]:
    """The parts of a frame in which people are looked for; the whole frame is the first.

    Args:
        size: (height, width) of the frame.
        layout: ``auto``: squares as high as the frame, and smaller ones; ``none``: the whole frame alone; ``RxC``:
            besides the whole frame R rows of C tiles, neighbours sharing three tenths.

    Raises:
        InputError: If the layout is none of these.
    """
    height, width = size
    whole = (0, 0, width, height)
    if layout == WHOLE:
        return [whole]
    if layout == AUTO:
        sides = [max(1, round(share * min(size))) for share in _TILE_SIDES]
        tiles = [tile for side in sides for tile in _grid(_starts(height, side), _starts(width, side), (side, side))]
        return list(dict.fromkeys([whole, *tiles]))
    grid = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", layout)
    if not grid:
        raise InputError(f"tiles {layout!r} are not known: give {AUTO}, {WHOLE}, or rows x columns as in 2x3")
    counts = int(grid[1]), int(grid[2])
    high, wide = (int(np.ceil(side / (count - (count - 1) * _SHARED))) for side, count in zip(size, counts))
    tops, lefts = _spread(height - high, counts[0]), _spread(width - wide, counts[1])
    return list(dict.fromkeys([whole, *_grid(tops, lefts, (high, wide))]))


def view_around(box: np.ndarray, size: tuple[int, int]) -> Rect | None:
    """The square about a person's box (4,) in which the detector is to look for the person; None outside the frame.

    It has twice the longer side of the box: the detector was made for people who do not fill the picture, and found
    fewer in closer squares and in wider ones.

    Args:
        box: In pixels of the frame.
        size: (height, width) of the frame.
    """
    middle, half = (box[:2] + box[2:]) / 2, _AROUND * max(float((box[2:] - box[:2]).max()), 1.0) / 2
    square = clip_boxes(np.concatenate([np.floor(middle - half), np.ceil(middle + half)]), size)
    x0, y0, x1, y1 = (int(side) for side in square)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def upright_region(box: np.ndarray) -> Region:
    """Where a body that stands upright and fills a box (4,) would be."""
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    return Region((x, y), (x, y - max(float((box[2:] - box[:2]).max()), 1.0) / 2), 0.0)


def match_poses(poses: Sequence[Pose], boxes: np.ndarray, min_iou: float) -> np.ndarray:
    """The pose of each box, (P,) positions or -1: one to one, the sum of their IoU as high as can be.

    Args:
        poses: Any number.
        boxes: (P, 4).
        min_iou: Of a box and the box around a pose's landmarks, below which the two are not matched.
    """
    matches = np.full(len(boxes), -1, dtype=np.int64)
    if not len(poses) or not len(boxes):
        return matches
    iou = pairwise_iou(boxes, np.stack([pose.box for pose in poses]))
    iou[iou < min_iou] = 0
    for box, pose in zip(*linear_sum_assignment(iou, maximize=True)):
        if iou[box, pose] > 0:
            matches[box] = pose
    return matches


def distinct_regions(regions: Sequence[Region]) -> list[Region]:
    """The regions without those that nearly repeat an earlier one."""
    kept: list[Region] = []
    for region in regions:
        if not any(_same_region(region, other) for other in kept):
            kept.append(region)
    return kept


def distinct_poses(poses: Sequence[Pose], max_persons: int) -> list[int]:
    """Positions of at most ``max_persons`` poses, the best score first, without those that repeat a better one."""
    kept: list[int] = []
    for i in np.argsort([-pose.score for pose in poses], kind="stable"):
        if len(kept) < max_persons and not any(_same_pose(poses[i], poses[j]) for j in kept):
            kept.append(int(i))
    return kept


def pose_distance(pose: Pose, other: Pose) -> float:
    """Median distance of the landmarks seen in both poses, or of all where fewer than four are, in body heights.

    The taller body counts; infinite where neither has any height.
    """
    seen = (pose.visibility >= _SEEN) & (other.visibility >= _SEEN)
    distances = np.linalg.norm(pose.points[:, :2] - other.points[:, :2], axis=1)
    return _in_heights(float(np.median(distances[seen] if seen.sum() >= 4 else distances)), pose, other)


def box_distance(pose: Pose, other: Pose) -> float:
    """Mean distance of the four sides of the boxes around two poses, in heights of the taller body."""
    return _in_heights(float(np.abs(pose.box - other.box).mean()), pose, other)


def _in_heights(pixels: float, pose: Pose, other: Pose) -> float:
    height = max(pose.height, other.height)
    return pixels / height if height > 0 else float("inf")


def _same_pose(pose: Pose, other: Pose) -> bool:
    """Whether two poses are of one person; of a somersault the network may give one upright and one upside down."""
    overlap = float(pairwise_iou(pose.box[None], other.box[None])[0, 0])
    return overlap >= _SAME_BOX or pose_distance(pose, other) <= _SAME_POSE


def _same_region(region: Region, other: Region) -> bool:
    apart = np.hypot(region.centre[0] - other.centre[0], region.centre[1] - other.centre[1])
    small, large = sorted((region.radius, other.radius))
    return bool(apart <= _SAME_CENTRE * large and large <= _SAME_RADIUS * small)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along a side so that neighbours share at least three tenths of a tile."""
    count = 1 if length <= side else int(np.ceil((length - side) / (side * (1 - _SHARED)))) + 1
    return _spread(max(length - side, 0), count)


def _spread(last: int, count: int) -> list[int]:
    return [int(start) for start in np.linspace(0, last, count).round()]


def _grid(tops: Sequence[int], lefts: Sequence[int], tile: tuple[int, int]) -> list[Rect]:
    return [(left, top, left + tile[1], top + tile[0]) for top in tops for left in lefts]
