"""What a parser's patterns stand for (figures 8 and 9 of TransParser): patterns over time, and the frames they like.

Shapes: T frames of an instance, M patterns, B inner boundaries; pictures (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

import colorsys
import heapq
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..structures import atomic_write
from ..structures.files import writing_told
from ..structures.temporal import segments_of
from .palette import INK, display_name

DPI = 130
WIDTH = 12.0
PLOT_WIDTH = 10.4
"""Inches of the width that time takes, about."""
STRIP = 10
"""Pictures in the strip of an instance."""
SHOWN = 8
"""Rows of an instance's heat map."""
FAINT = 0.1
"""A response that can be seen on it."""
CELL = 1.9
"""Inches of a picture of a pattern, with the space around it."""
LETTER = 0.09
PREDICTED = (0.86, 0.12, 0.24)
BAND = (0.6, 0.6, 0.6)
"""Of the bands in the legend, where they have no pattern."""
TRUE = (INK[0] / 255, INK[1] / 255, INK[2] / 255)


@dataclass
class ParsedInstance:
    """An instance as a parser with patterns sees it.

    Args:
        key: ``<video>/<instance>``.
        action: Name of its action, None where it is not known.
        fps: Frames a second, 0 where it is not known.
        boundaries: (B,) the annotated ones.
        predicted: (B',) those that were found.
        responses: (T, M).
    """

    key: str
    action: str | None
    fps: float
    boundaries: np.ndarray
    predicted: np.ndarray
    responses: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """(T,) the most active pattern of each frame, the first of equals."""
        return self.responses.argmax(axis=1)

    @property
    def found(self) -> list[tuple[int, int, int]]:
        """Each predicted sub-action: first and end frame, and the pattern of the highest mean response in it.

        Where boundaries are the changes of :attr:`active`, that is the pattern active in each of its frames; a parser
        that averages over time before it decides has boundaries elsewhere.
        """
        spans = segments_of(self.predicted, len(self.responses)).tolist()
        return [(first, end, int(self.responses[first:end].mean(axis=0, dtype=float).argmax())) for first, end in spans]


@dataclass(frozen=True, order=True)
class Excited:
    """How strongly a frame excites a pattern; ordered by that.

    Args:
        response: In [0, 1].
        lot: Order of equals, of which a saturated softmax has many; by names it would favour one action.
        key: Of the instance.
        position: Of the frame in it, counted from 0.
        action: Name of its action, empty where it is not known.
    """

    response: float
    lot: int
    key: str
    position: int
    action: str


class PatternGallery:
    """Which frames of many instances excite each pattern the most, at most one an instance.

    Args:
        kept: Frames that are kept of each pattern.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.uses = np.zeros(0, dtype=np.int64)
        self._best: list[list[Excited]] = []

    def add(self, instance: ParsedInstance) -> None:
        """Take an instance in."""
        patterns = instance.responses.shape[1]
        if not self._best:
            self.uses, self._best = np.zeros(patterns, dtype=np.int64), [[] for _ in range(patterns)]
        self.uses += np.bincount(instance.active, minlength=patterns)
        positions, lot = instance.responses.argmax(axis=0), zlib.crc32(instance.key.encode())
        for pattern, position in enumerate(positions.tolist()):
            response = float(instance.responses[position, pattern])
            excited = Excited(response, lot, instance.key, position, instance.action or "")
            heapq.heappush(self._best[pattern], excited)
            if len(self._best[pattern]) > self.kept:
                heapq.heappop(self._best[pattern])

    def most_used(self, count: int) -> list[int]:
        """At most ``count`` patterns that are the most active one of some frame, those of most frames first."""
        order = np.argsort(-self.uses, kind="stable")[:count]
        return [int(pattern) for pattern in order if self.uses[pattern] > 0]

    def best(self, pattern: int) -> list[Excited]:
        """The frames kept of a pattern, the most excited first."""
        return sorted(self._best[pattern], reverse=True)


def pattern_colour(pattern: int) -> tuple[float, float, float]:
    """The colour of a pattern, in [0, 1]; the same in every picture."""
    # Steps of the golden ratio keep the hues of any number of first patterns apart.
    return colorsys.hls_to_rgb(0.08 + 0.618034 * pattern % 1, (0.55, 0.7, 0.42)[pattern % 3], 0.75)


def strip_positions(length: int, count: int = STRIP) -> np.ndarray:
    """Middles of ``count`` even parts of ``length`` frames, fewer where there are fewer frames."""
    count = min(count, length)
    return ((np.arange(count) + 0.5) * length / count).astype(np.int64)


def shown_patterns(instance: ParsedInstance, count: int = SHOWN) -> list[int]:
    """The patterns of the heat map: those active in most frames, of equals those of the highest mean response.

    One that no frame excites by :data:`FAINT` is left out.
    """
    uses = np.bincount(instance.active, minlength=instance.responses.shape[1])
    order = np.lexsort((-instance.responses.mean(axis=0), -uses))
    seen = (uses > 0) | (instance.responses.max(axis=0) >= FAINT)
    return order[seen[order]][:count].tolist()


def instance_figure(instance: ParsedInstance, pictures: Sequence[np.ndarray] | None = None) -> Figure:
    """An instance over time: frames, the pattern of each predicted sub-action, the responses of some, boundaries.

    Args:
        instance: What is drawn.
        pictures: Of the frames at :func:`strip_positions`; none is drawn if not given.
    """
    patterns = shown_patterns(instance)
    heights = [0.45, 0.22 * len(patterns) + 0.3]
    if pictures is not None:
        height, width = pictures[0].shape[:2]
        heights.insert(0, PLOT_WIDTH / len(pictures) * height / width)
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.5), layout="constrained")
    rows = figure.subplots(len(heights), 1, sharex=True, gridspec_kw=dict(height_ratios=heights))
    edges = np.arange(len(instance.responses) + 1) / (instance.fps or 1)
    if pictures is not None:
        _draw_strip(rows[0], pictures, edges[-1])
    _draw_bands(rows[-2], instance.found, edges)
    _draw_responses(rows[-1], instance.responses[:, patterns], patterns, edges)
    figure.colorbar(rows[-1].collections[0], ax=rows[-1], label="response", pad=0.01)
    rows[-1].set_xlabel("time, seconds" if instance.fps else "frame")
    rows[-1].set_xlim(0, edges[-1])
    for axes in rows:
        _draw_boundaries(axes, edges, instance)
    told = "" if instance.action is None else f": {display_name(instance.action)}"
    figure.suptitle(_plain(f"{instance.key}{told}"), x=0.01, ha="left", fontweight="bold", fontsize=11)
    lines = [
        Line2D([], [], color=TRUE, label=f"true boundaries ({len(instance.boundaries)})"),
        Line2D([], [], color=PREDICTED, linestyle="--", label=f"predicted ({len(instance.predicted)})"),
        Patch(color=BAND, label="pattern of the highest mean response between predicted boundaries"),
    ]
    figure.legend(handles=lines, loc="outside lower right", ncols=3, frameon=False, fontsize=9)
    return figure


def patterns_figure(rows: Sequence[tuple[int, float, Sequence[tuple[Excited, np.ndarray]]]]) -> Figure:
    """Patterns by rows: the frames that excite each the most, with their action and response.

    Args:
        rows: Pattern, the share of frames in [0, 1] whose most active one it is, and frames with their pictures.
    """
    columns = max([1, *(len(row[2]) for row in rows)])
    figure = Figure(figsize=(0.9 + CELL * columns, 0.6 + CELL * max(len(rows), 1)), layout="constrained")
    figure.suptitle("Frames that excite each pattern the most", x=0.01, ha="left", fontweight="bold")
    grid = figure.subplots(max(len(rows), 1), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    if not rows:
        grid[0, 0].text(0.5, 0.5, "no frame was parsed", ha="center", va="center")
    for line, (pattern, share, frames) in zip(grid, rows):
        label = f"{_named(pattern)}\n{100 * share:.0f} %"
        place = dict(xytext=(-6, 0), textcoords="offset points", ha="right", va="center", fontweight="bold")
        line[0].annotate(label, (0, 0.5), xycoords="axes fraction", color=pattern_colour(pattern), **place)
        for axes, (excited, picture) in zip(line, frames):
            axes.imshow(picture)
            name = display_name(excited.action) or "unknown"
            told = f"{_plain(name)}\n{excited.response:.2f}"
            below = dict(xytext=(0, -3), textcoords="offset points", ha="center", va="top", fontsize=7)
            axes.annotate(told, (0.5, 0), xycoords="axes fraction", **below)
    return figure


def write_figure(path: str | Path, figure: Figure) -> None:
    """Write a picture as PNG in one move, the same bytes for the same figure.

    Raises:
        InputError: If there is no room for the file.
    """
    with warnings.catch_warnings(), writing_told(path), atomic_write(path) as partial:
        # A letter that the font lacks is a box on the picture; nobody at the terminal can mend it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def _draw_strip(axes: Axes, pictures: Sequence[np.ndarray], end: float) -> None:
    slots = np.linspace(0, end, len(pictures) + 1)
    for picture, left, right in zip(pictures, slots[:-1], slots[1:]):
        axes.imshow(picture, extent=(left, right, 0, 1), aspect="auto")
    axes.set_ylim(0, 1)
    axes.set_yticks([])


def _draw_bands(axes: Axes, found: Sequence[tuple[int, int, int]], edges: np.ndarray) -> None:
    inches = PLOT_WIDTH / edges[-1]
    for first, stop, pattern in found:
        axes.axvspan(edges[first], edges[stop], color=pattern_colour(pattern), linewidth=0)
        name = _named(pattern)
        if (edges[stop] - edges[first]) * inches > LETTER * (len(name) - 2):
            dark = np.dot(pattern_colour(pattern), (0.3, 0.59, 0.11)) < 0.5
            ink = "white" if dark else "black"
            axes.text((edges[first] + edges[stop]) / 2, 0.5, name, ha="center", va="center", fontsize=8, color=ink)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.5], ["most active\non average"], fontsize=9)


def _draw_responses(axes: Axes, responses: np.ndarray, patterns: Sequence[int], edges: np.ndarray) -> None:
    axes.pcolormesh(edges, np.arange(len(patterns) + 1), responses.T, cmap="Greys", vmin=0, vmax=1, rasterized=True)
    axes.set_ylim(len(patterns), 0)
    axes.set_yticks(np.arange(len(patterns)) + 0.5, [_named(pattern) for pattern in patterns], fontsize=9)
    for label, pattern in zip(axes.get_yticklabels(), patterns):
        label.set_color(pattern_colour(pattern))


def _draw_boundaries(axes: Axes, edges: np.ndarray, instance: ParsedInstance) -> None:
    bottom, top = axes.get_ylim()
    axes.vlines(edges[instance.boundaries], bottom, top, color=TRUE, linewidth=1.6)
    axes.vlines(edges[instance.predicted], bottom, top, color=PREDICTED, linewidth=1.2, linestyle="--")


def _named(pattern: int) -> str:
    return rf"$\phi_{{{pattern + 1}}}$"


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # no formulas in names
