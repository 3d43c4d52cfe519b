"""Which object a person deals with. Shapes: P persons, O objects of one frame, C object names. Boxes are ``xyxy``."""

from __future__ import annotations

import torch
from torch import Tensor

NOBODY = -1


def choose_objects(persons: Tensor, objects: Tensor, scores: Tensor, *, reach: float = 1.2) -> Tensor:
    """The best-scored object that touches a person's box, grown by ``reach`` about its centre.

    Of objects of one score, as all annotated ones are, it is that which shares the greatest area with the person's own
    box, then the one whose centre is nearest, then the first. Boxes that meet at an edge touch.

    Args:
        persons: (P, 4).
        objects: (O, 4).
        scores: (O,).
        reach: Factor on the sides of a person's box.

    Returns:
        (P,) row of the object, -1 for none.
    """
    if not len(persons) or not len(objects):
        return torch.full((len(persons),), NOBODY, dtype=torch.int64, device=persons.device)
    persons, objects, scores = persons.float(), objects.float(), scores.float()
    centre, half = (persons[:, :2] + persons[:, 2:]) / 2, (persons[:, 2:] - persons[:, :2]) / 2
    grown = torch.cat([centre - reach * half, centre + reach * half], dim=1)
    touches = (_shared_sides(grown, objects) >= 0).all(dim=2)
    area = _shared_sides(persons, objects).clamp(min=0).prod(dim=2)
    distance = torch.cdist(centre, (objects[:, :2] + objects[:, 2:]) / 2)
    best = touches
    for value in (scores.expand_as(area), area, -distance):
        value = value.masked_fill(~best, -torch.inf)
        best = best & (value == value.amax(dim=1, keepdim=True))
    return torch.where(touches.any(dim=1), best.int().argmax(dim=1), NOBODY)


def object_scores_of(chosen: Tensor, scores: Tensor, labels: Tensor, num_objects: int) -> Tensor:
    """(P, C + 1) the score of each person's object at its name; the last column is 1 minus that score.

    Args:
        chosen: (P,) row of each person's object, -1 for none.
        scores: (O,) in [0, 1].
        labels: (O,) ids in [0, C).
        num_objects: C, may be 0.
    """
    result = torch.zeros(len(chosen), num_objects + 1, dtype=torch.float32, device=chosen.device)
    rows = torch.nonzero(chosen >= 0)[:, 0]
    result[rows, labels[chosen[rows]]] = scores[chosen[rows]].float()
    result[:, -1] = 1 - result[:, :-1].sum(dim=1)
    return result


def _shared_sides(boxes: Tensor, others: Tensor) -> Tensor:
    """(P, O, 2) sides of what boxes share, negative where they are apart."""
    low = torch.maximum(boxes[:, None, :2], others[None, :, :2])
    return torch.minimum(boxes[:, None, 2:], others[None, :, 2:]) - low
