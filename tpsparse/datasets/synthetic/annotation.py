"""From the owner and cover buffers of a drawn frame to its annotation in the official form.

Boxes are [x0, y0, x1, y1] in whole pixels of the frame, x1 and y1 at the far edge of the last pixel but never beyond
the last column and row. Only what shows of a part is boxed, and a part that is mostly hidden is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .raster import OVERSAMPLE, Canvas
from .states import PARTS

SEEN_SHARE = 0.5  # a part needs this much of what an open view shows of it
# What an open view shows of a part, whose ends lie inside its neighbours.
_OPEN_VIEW = {"head": 1.0, "hip": 0.56, "arm": 0.9, "hand": 0.95, "leg": 0.85, "foot": 0.8}
_SEEN_PERSON = 0.15  # a person likewise
_SMALLEST = 5 * OVERSAMPLE**2  # canvas pixels in sight below which nothing is annotated


@dataclass(frozen=True)
class Sight:
    """What one person covers, hidden or not.

    Args:
        first_owner: Owner number of the first part.
        states: Part to state.
        totals: Canvas pixels of each part, then of the rest of the body, hidden or not.
        box: The whole body's box in the frame, None when it is outside.
    """

    first_owner: int
    states: dict[str, str]
    totals: list[int]
    box: list[int] | None

    @classmethod
    def take(cls, canvas: Canvas, first_owner: int, states: dict[str, str]) -> Sight:
        """Read and clear the cover buffer, right after the person is drawn."""
        cover = canvas.cover
        x, y, width, height = cv2.boundingRect((cover != 0).view(np.uint8))
        drawn = cover[y : y + height, x : x + width]
        totals = [int(np.count_nonzero(drawn & np.uint16(1 << bit))) for bit in range(len(PARTS) + 1)]
        box = _tight_box(cover[canvas.frame_window()] != 0, canvas.size)
        cover[y : y + height, x : x + width] = 0
        return cls(first_owner, states, totals, box)


def frame_annotation(canvas: Canvas, sights: list[Sight], objects: dict[int, str]) -> tuple[dict, list[int]]:
    """The frame's JSON, persons and objects numbered from 1, and the positions in ``sights`` of its persons.

    Args:
        canvas: The finished frame.
        sights: One for each person, in the order of drawing.
        objects: Owner number to object name.
    """
    owner = canvas.owner[canvas.frame_window()]
    seen = np.bincount(owner.ravel(), minlength=256)
    looks = [_human(owner, seen, sight, canvas.size) for sight in sights]
    annotated = [position for position, human in enumerate(looks) if human is not None]
    things = []
    for number, name in objects.items():
        box = _tight_box(owner == number, canvas.size) if seen[number] >= _SMALLEST else None
        if box is not None:
            things.append({"name": name, "box": box})
    humans = [{"number": i, **human} for i, human in enumerate(filter(None, looks), start=1)]
    return {"humans": humans, "objects": [{"number": i, **thing} for i, thing in enumerate(things, start=1)]}, annotated


def _human(owner: np.ndarray, seen: np.ndarray, sight: Sight, size: tuple[int, int]) -> dict | None:
    first = sight.first_owner
    visible = int(seen[first : first + len(sight.totals)].sum())
    if sight.box is None or visible < max(_SMALLEST, _SEEN_PERSON * sum(sight.totals)):
        return None
    parts = {}
    for i, part in enumerate(PARTS):
        open_view = sight.totals[i] * _OPEN_VIEW[part.rpartition("_")[2]]
        if seen[first + i] < max(_SMALLEST, SEEN_SHARE * open_view):
            continue
        box = _tight_box(owner == first + i, size)
        if box is not None:
            parts[part] = {"number": 1, "box": box, "verb": sight.states[part], "name": part}
    return {"box": sight.box, "name": "person", "parts": parts}


def _tight_box(mask: np.ndarray, size: tuple[int, int]) -> list[int] | None:
    """The box of a mask of the frame's canvas window; None when it is empty or less than a pixel wide or high."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    x0, y0 = x // OVERSAMPLE, y // OVERSAMPLE
    x1 = min(-(-(x + width) // OVERSAMPLE), size[1] - 1)
    y1 = min(-(-(y + height) // OVERSAMPLE), size[0] - 1)
    return [x0, y0, x1, y1] if x1 > x0 and y1 > y0 else None
