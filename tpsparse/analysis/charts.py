"""Charts as inline SVG that fit any width: places along x are percentages, heights and text are in pixels.

Text takes the page's colour (``currentColor``); colours of marks are those of :mod:`tpsparse.visualization.palette`.
A mark tells its exact value in a ``<title>``, which browsers show under the pointer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ..visualization.palette import Colour

ROW, BAR = 26, 22
LONGEST = 64.0
"""Per cent of the width that the longest bar takes; beyond it stand the values."""
PLOT_HEIGHT, AXIS_HEIGHT = 140, 20
LEAST_WRITTEN = 12.0
"""Per cent of the width below which a segment's name is not written into it."""


@dataclass(frozen=True)
class Mark:
    """A bar or a segment: its name, its value, the value as text, and its colour."""

    name: str
    value: float
    text: str
    colour: Colour


def bar_chart(title: str, marks: Sequence[Mark], *, logarithmic: bool = False, longest: float | None = None) -> Markup:
    """One horizontal bar a mark, with its name and value written over it.

    Args:
        title: What is charted, for readers who do not see it.
        marks: From top to bottom.
        logarithmic: Lengths go by the logarithm of value + 1.
        longest: The value of the longest bar there can be; by default the greatest.
    """
    greatest = max((mark.value for mark in marks), default=0) if longest is None else longest
    body = []
    for i, mark in enumerate(marks):
        y, width = i * ROW, LONGEST * _share(mark.value, greatest, logarithmic)
        body.append(
            f"<g><title>{escape(mark.name)}: {escape(mark.text)}</title>"
            f'<rect y="{y}" width="{width:.2f}%" height="{BAR}" rx="3" fill="{_css(mark.colour)}" opacity=".55"/>'
            f'<text x="6" y="{y + 15}">{escape(mark.name)}</text>'
            f'<text x="99%" y="{y + 15}" text-anchor="end" class="value">{escape(mark.text)}</text></g>'
        )
    return _svg(title, len(marks) * ROW, body)


def stacked_bar(title: str, marks: Sequence[Mark]) -> Markup:
    """One bar of 100 %, cut into segments; each fainter than the one before, its name in it where there is room."""
    total = sum(mark.value for mark in marks)
    x, body = 0.0, []
    for i, mark in enumerate(marks):
        width = 100 * mark.value / total if total else 0.0
        text = f'<text x="5" y="19">{escape(mark.name)}</text>' if width >= LEAST_WRITTEN else ""
        body.append(
            f'<svg x="{x:.2f}%" width="{width:.2f}%" height="30">'
            f"<title>{escape(mark.name)}: {escape(mark.text)}</title>"
            f'<rect width="100%" height="30" fill="{_css(mark.colour)}" opacity="{max(0.72 - 0.11 * i, 0.1):.2f}" '
            f'class="segment"/>{text}</svg>'
        )
        x += width
    return _svg(title, 30, body)


def histogram(title: str, marks: Sequence[Mark], *, ticks: Sequence[str]) -> Markup:
    """Vertical bars side by side.

    Args:
        title: What is charted, for readers who do not see it.
        marks: From left to right.
        ticks: Written below: one a bar, or one more for the borders between bars; an empty one is left out.
    """
    greatest = max((mark.value for mark in marks), default=0)
    step, body = 100 / max(len(marks), 1), []
    for i, mark in enumerate(marks):
        height = PLOT_HEIGHT * _share(mark.value, greatest, False)
        body.append(
            f"<g><title>{escape(mark.name)}: {escape(mark.text)}</title>"
            f'<rect x="{(i + 0.08) * step:.2f}%" y="{PLOT_HEIGHT - height:.1f}" width="{0.84 * step:.2f}%" '
            f'height="{height:.1f}" rx="2" fill="{_css(mark.colour)}" opacity=".75"/></g>'
        )
    borders = len(ticks) == len(marks) + 1
    body.append(f'<line x2="100%" y1="{PLOT_HEIGHT}" y2="{PLOT_HEIGHT}" class="axis"/>')
    for i, tick in enumerate(ticks):
        place = i * step if borders else (i + 0.5) * step
        anchor = "start" if place < 1 else "end" if place > 99 else "middle"
        body.append(f'<text x="{place:.2f}%" y="{PLOT_HEIGHT + 15}" text-anchor="{anchor}">{escape(tick)}</text>')
    return _svg(title, PLOT_HEIGHT + AXIS_HEIGHT, body)


def range_chart(title: str, rows: Sequence[tuple[Mark, Sequence[float]]]) -> Markup:
    """For each row a line from the first to the last of five values, a box from the second to the fourth, and a stroke.

    The scale is logarithmic and the same for all rows; a row whose values are not finite is empty.

    Args:
        title: What is charted, for readers who do not see it.
        rows: A mark, whose text stands at the right, and five positive values in rising order.
    """
    known = [value for _, values in rows for value in values if math.isfinite(value) and value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 2.0)
    span = max(math.log(high / low), 1e-9)
    body = []
    for i, (mark, values) in enumerate(rows):
        y = i * 44
        body.append(f'<text x="0" y="{y + 12}">{escape(mark.name)}</text>')
        body.append(f'<text x="100%" y="{y + 12}" text-anchor="end" class="value">{escape(mark.text)}</text>')
        if all(math.isfinite(value) for value in values):
            places = [100 * math.log(max(value, low) / low) / span for value in values]
            body.append(_range(y + 18, places, mark))
    return _svg(title, len(rows) * 44, body)


def _range(y: int, places: Sequence[float], mark: Mark) -> str:
    first, lower, middle, upper, last = places
    colour = _css(mark.colour)
    return (
        f"<g><title>{escape(mark.name)}: {escape(mark.text)}</title>"
        f'<line x1="{first:.2f}%" x2="{last:.2f}%" y1="{y + 8}" y2="{y + 8}" stroke="{colour}" stroke-width="2"/>'
        f'<rect x="{lower:.2f}%" y="{y}" width="{max(upper - lower, 0.3):.2f}%" height="16" rx="2" fill="{colour}" '
        f'opacity=".7"/>'
        f'<line x1="{middle:.2f}%" x2="{middle:.2f}%" y1="{y - 1}" y2="{y + 17}" stroke="currentColor" '
        'stroke-width="2"/></g>'
    )


def _svg(title: str, height: float, body: Sequence[str]) -> Markup:
    head = f'<svg class="chart" role="img" aria-label="{escape(title)}" width="100%" height="{max(height, 1):.0f}">'
    return Markup("\n".join([head, *body, "</svg>"]))


def _share(value: float, greatest: float, logarithmic: bool) -> float:
    if greatest <= 0:
        return 0.0
    return min(math.log1p(value) / math.log1p(greatest) if logarithmic else value / greatest, 1.0)


def _css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
