"""Where text goes on a crowded picture. Rectangles are ``xyxy`` in whole pixels of the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from .canvas import Rect


def overlap(first: Rect, second: Rect) -> int:
    """Pixels that two rectangles share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0) * max(height, 0)


def place_beside(
    size: tuple[int, int], anchor: Rect, taken: Sequence[Rect], canvas: tuple[int, int], *, gap: int = 6
) -> Rect | None:
    """A place for a panel next to ``anchor`` that touches nothing taken; None if there is no such place.

    Right and left of the anchor come first, then above and below; beside the anchor the panel slides along it.

    Args:
        size: (height, width) of the panel.
        anchor: What the panel belongs to.
        taken: Rectangles to keep clear of.
        canvas: (height, width) of the picture.
        gap: Pixels between panel and anchor.
    """
    height, width = size
    x0, y0, x1, y1 = anchor
    tops = [_kept_within(top, height, canvas[0]) for top in _stops(y0, y1, height)]
    lefts = [_kept_within(left, width, canvas[1]) for left in _stops(x0, x1, width)]
    corners = [(x1 + gap, top) for top in tops] + [(x0 - gap - width, top) for top in tops]
    corners += [(left, y0 - gap - height) for left in lefts] + [(left, y1 + gap) for left in lefts]
    for x, y in corners:
        rect = (x, y, x + width, y + height)
        if _inside(rect, canvas) and not any(overlap(rect, other) for other in taken):
            return rect
    return None


def place_label(size: tuple[int, int], anchor: Rect, taken: Sequence[Rect], canvas: tuple[int, int]) -> Rect | None:
    """A place for a small label at ``anchor``: above it, below it, or at its right; None if all are taken.

    Args:
        size: (height, width) of the label.
        anchor: What the label belongs to.
        taken: Rectangles of other labels to keep clear of.
        canvas: (height, width) of the picture.
    """
    height, width = size
    x0, y0, x1, y1 = anchor
    for x, y in ((x0, y0 - height), (x0, y1), (x1, y0), (x0 - width, y0)):
        rect = (x, y, x + width, y + height)
        if _inside(rect, canvas) and not any(overlap(rect, other) for other in taken):
            return rect
    return None


def _stops(low: int, high: int, length: int) -> list[int]:
    """Where a panel may begin along a side: at its start, middle or end, or half past either end."""
    return [low, (low + high - length) // 2, high - length, low - length // 2, high - length // 2]


def _kept_within(start: int, length: int, limit: int) -> int:
    return max(min(start, limit - length), 0)


def _inside(rect: Rect, canvas: tuple[int, int]) -> bool:
    return rect[0] >= 0 and rect[1] >= 0 and rect[2] <= canvas[1] and rect[3] <= canvas[0]
