"""Whose part is it: part boxes found in a whole frame are given to the persons found there.

Shapes: N boxes of parts, P persons, K parts. Boxes are ``xyxy`` in pixels, continuous coordinates.
"""

from __future__ import annotations

import numpy as np

from ..structures.boxes import box_area, pairwise_iou

WHOLLY_INSIDE = 0.95
"""From this share of its area on, a part counts as inside a person: the two boxes come from two detectors."""
DUPLICATE_IOU = 0.5
"""From this IoU on, two boxes of a part are two detections of one and the same."""
_NOBODY = -1


def assign_parts(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, persons: np.ndarray, *, min_inside: float = 0.5
) -> np.ndarray:
    """The person of each part box: containment, then distance.

    A person *holds* a box of which at least ``min_inside`` of the area lies inside the person's box. The boxes of one
    part are gone through in falling score, the first of equals first. Each goes to one of the persons who hold it:

    1. to one of those inside whom it lies wholly (at least 95% of its area), if there are any; else to one of the rest;
    2. among them to the nearest, by the distance of the two centres in units of half the person's width and height, so
       that 0 is the middle of the person and a corner is the square root of 2 away;
    3. among equally near ones to the first.

    Where that person has such a part already, the box is either a duplicate, of an IoU of at least 0.5 with the
    person's, and left out, so that it does not displace a neighbour's own; or it goes, by the same rule, to one of the
    persons who have none yet. A box that nobody can take is left out. A box without an area is inside where its centre
    is; a person's box without one holds nothing.

    Args:
        boxes: (N, 4) of parts.
        scores: (N,).
        labels: (N,) ids of the parts.
        persons: (P, 4).
        min_inside: Share of a part's area, in (0, 1].

    Returns:
        (N,) int64 position of the person, -1 where there is none.
    """
    owners = np.full(len(boxes), _NOBODY, dtype=np.int64)
    if not len(boxes) or not len(persons):
        return owners
    inside, distance = contained_share(boxes, persons), centre_distance(boxes, persons)
    shared = pairwise_iou(boxes.astype(np.float64), boxes.astype(np.float64))
    taken = np.full((len(persons), int(labels.max()) + 1), _NOBODY, dtype=np.int64)  # the box that is there
    for box in np.argsort(-scores, kind="stable"):
        label = labels[box]
        owner = _best(inside[box] >= min_inside, inside[box], distance[box])
        if owner != _NOBODY and taken[owner, label] != _NOBODY:
            if shared[box, taken[owner, label]] >= DUPLICATE_IOU:
                continue
            able = (inside[box] >= min_inside) & (taken[:, label] == _NOBODY)
            owner = _best(able, inside[box], distance[box])
        if owner != _NOBODY:
            owners[box], taken[owner, label] = owner, box
    return owners


def _best(able: np.ndarray, inside: np.ndarray, distance: np.ndarray) -> int:
    """The person whom a box goes to, of those in able (P,); -1 where there is none."""
    if not able.any():
        return _NOBODY
    wholly = able & (inside >= WHOLLY_INSIDE)
    candidates = np.flatnonzero(wholly if wholly.any() else able)
    return int(candidates[distance[candidates].argmin()])


def parts_by_person(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, owners: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Part boxes in the order of the record.

    Args:
        boxes: (N, 4).
        scores: (N,).
        labels: (N,) ids of the parts.
        owners: (N,) of :func:`assign_parts`.
        shape: (P, K).

    Returns:
        Boxes (P, K, 4) float32, NaN for an absent part, and scores (P, K) float32, 0 for an absent part.
    """
    part_boxes = np.full((*shape, 4), np.nan, dtype=np.float32)
    part_scores = np.zeros(shape, dtype=np.float32)
    owned = owners >= 0
    part_boxes[owners[owned], labels[owned]] = boxes[owned]
    part_scores[owners[owned], labels[owned]] = scores[owned]
    return part_boxes, part_scores


def contained_share(boxes: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Share (N, P) of the area of boxes (N, 4) that lies inside persons (P, 4)."""
    boxes, persons = boxes.astype(np.float64), persons.astype(np.float64)  # else 95 of 100 are less than 0.95
    low = np.maximum(boxes[:, None, :2], persons[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], persons[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = np.broadcast_to(box_area(boxes)[:, None], shared.shape)
    centre = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    at_centre = ((centre >= persons[None, :, :2]) & (centre <= persons[None, :, 2:])).all(axis=2)
    at_centre &= box_area(persons)[None] > 0
    return np.divide(shared, area, out=at_centre.astype(np.float64), where=area > 0)


def centre_distance(boxes: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Distance (N, P) of the centres of boxes (N, 4) from those of persons (P, 4), in half sides of the person.

    Infinite for a person without an area.
    """
    half = (persons[:, 2:] - persons[:, :2]) / 2
    offset = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2 - (persons[None, :, :2] + persons[None, :, 2:]) / 2
    units = np.broadcast_to(half[None], offset.shape)
    scaled = np.divide(offset, units, out=np.full(offset.shape, np.inf), where=units > 0)
    return np.hypot(scaled[..., 0], scaled[..., 1])
