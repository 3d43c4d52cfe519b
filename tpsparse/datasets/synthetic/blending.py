"""From one body to another: bones turn along the shortest way and keep their lengths."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from .skeleton import SIDES, Skeleton

# Each joint with the one that carries it, roots first.
_BONES = (
    ("pelvis", "waist"), ("waist", "neck"), ("neck", "head"),
    *((parent.format(side), child.format(side)) for side in SIDES for parent, child in (
        ("neck", "{}_shoulder"), ("{}_shoulder", "{}_elbow"), ("{}_elbow", "{}_wrist"), ("{}_wrist", "{}_fingers"),
        ("pelvis", "{}_hip"), ("{}_hip", "{}_knee"), ("{}_knee", "{}_ankle"), ("{}_ankle", "{}_heel"),
        ("{}_ankle", "{}_toe"),
    )),
)  # fmt: skip


def blend(start: Skeleton, end: Skeleton, share: float) -> Skeleton:
    """The body between two of the same build, ``share`` of the way from ``start`` to ``end``; not below the floor."""
    if share <= 0:
        return start
    if share >= 1:
        return end
    points = {"pelvis": start.points["pelvis"] * (1 - share) + end.points["pelvis"] * share}
    for parent, child in _BONES:
        bones = [body.points[child] - body.points[parent] for body in (start, end)]
        points[child] = points[parent] + _turned(bones[0], bones[1], share)
    axes = [_turned_axes(getattr(start, name), getattr(end, name), share) for name in ("pelvis", "chest", "head")]
    lowest = min(float(point[1]) for point in points.values())
    floor = min(0.0, *(float(point[1]) for body in (start, end) for point in body.points.values()))
    lift = np.array([0.0, max(floor - lowest, 0.0), 0.0])
    return Skeleton({name: point + lift for name, point in points.items()}, *axes)


def _turned(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """(3,) the bone between two of one length, turned along the shortest way."""
    axis = np.cross(start, end)
    sine = float(np.linalg.norm(axis))
    angle = float(np.arctan2(sine, start @ end))
    if sine < 1e-9:  # alike, or opposite: then every axis across the bone is as short
        axis = np.cross(start, np.eye(3)[int(np.argmin(np.abs(start)))])
        sine = float(np.linalg.norm(axis))
    return Rotation.from_rotvec(axis * (angle * share / sine)).apply(start)


def _turned_axes(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """(3, 3) the axes between two, turned about one fixed axis."""
    turn = Rotation.from_matrix(end @ start.T).as_rotvec()
    return Rotation.from_rotvec(turn * share).as_matrix() @ start
