"""Pictures of a diagnosis as PNG, by matplotlib without its global state, so that nothing needs a display.

Colours are those of :mod:`tpsparse.visualization.palette`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ...visualization.palette import GREY, INK, Colour, display_name
from .diagnosis import ORGANISERS, Diagnosis
from .points import CAUSES, NO_PART, Entry, PointTables, per_cent

MOST_STATES = 20
OTHER = "other"
DPI = 130
# Hues of the palette's part groups, so that a page with charts of both looks of one piece.
CAUSE_COLOURS: dict[str, Colour] = dict(
    zip(CAUSES, ((186, 134, 255), (255, 131, 48), (41, 165, 246), (255, 88, 144), GREY))
)
CURVE_COLOURS: tuple[Colour, ...] = ((41, 165, 246), (255, 131, 48), (255, 88, 144), (92, 206, 102))
DARKEST: Colour = (8, 98, 112)


def figures_of(diagnosis: Diagnosis) -> dict[str, bytes]:
    """Every picture by the name of its file."""
    makers: dict[str, Callable[[Diagnosis], Figure]] = {
        "psc_accuracy.png": psc_accuracy_figure,
        "lost_points.png": lambda given: lost_points_figure(given.points),
        "confusion_actions.png": lambda given: action_confusion_figure(given.points),
        "confusion_states.png": lambda given: state_confusion_figure(given.points),
    }
    return {name: to_png(make(diagnosis)) for name, make in makers.items()}


def to_png(figure: Figure) -> bytes:
    """The picture's file, the same bytes for the same picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def psc_accuracy_figure(diagnosis: Diagnosis) -> Figure:
    """Share of videos whose action is right and whose PSC is at least what is demanded; the area is the score."""
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes = figure.subplots()
    for setting, colour in zip(diagnosis.curves, CURVE_COLOURS):
        demanded, accuracy = diagnosis.curve(setting)
        label = f"person {setting[0]:g}, part {setting[1]:g}: {per_cent(diagnosis.curves[setting].score)}"
        if setting in ORGANISERS:
            label += f" ({per_cent(ORGANISERS[setting])})"
        axes.plot(demanded, accuracy, color=_rgb(colour), linewidth=2, label=label)
    own = next(iter(diagnosis.curves))
    axes.fill_between(*diagnosis.curve(own), color=_rgb(CURVE_COLOURS[0]), alpha=0.12, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="PSC demanded", ylabel="share of videos with the right action")
    axes.set_title("Accuracy over the demanded PSC", loc="left", fontweight="bold")
    # Beneath: with three settings no corner is free of curves.
    title = "IoU thresholds: score, % (organisers' baseline)"
    axes.legend(title=title, loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False)
    axes.grid(color=_rgb(GREY), alpha=0.4)
    _bare(axes)
    return figure


def lost_points_figure(points: PointTables) -> Figure:
    """Lost points by action, part and annotated state, each split by cause, the most lost first."""
    tables = {kind: _top(points.table(kind), MOST_STATES if kind == "state" else None) for kind in _TITLES}
    tallest = max(len(table) for table in tables.values())
    figure = Figure(figsize=(15, 1.6 + 0.3 * max(tallest, 4)), layout="constrained")
    panels = figure.subplots(1, len(tables))
    for axes, (kind, table) in zip(panels, tables.items()):
        _stack(axes, table, tallest)
        axes.set_title(_TITLES[kind], loc="left", fontweight="bold")
    handles = [panels[0].barh([0], [0], color=_rgb(CAUSE_COLOURS[cause])) for cause in CAUSES]
    labels = [f"{cause} ({per_cent(loss)})" for cause, loss in points.totals().items()]
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def action_confusion_figure(points: PointTables) -> Figure:
    """Annotated actions by rows, predicted ones by columns."""
    names = [display_name(name) for name in points.taxonomy.actions]
    return confusion_figure(points.action_confusion(), names, names, "Actions: videos")


def state_confusion_figure(points: PointTables) -> Figure:
    """The most frequent states of located parts; predictions of any other state share the last column."""
    matrix = points.state_confusion()
    frequent = np.argsort(-matrix.sum(axis=1), kind="stable")[:MOST_STATES]
    frequent = frequent[matrix.sum(axis=1)[frequent] > 0]
    rows = [display_name(points.taxonomy.states[state]) for state in frequent]
    kept = matrix[np.ix_(frequent, frequent)]
    other = matrix[frequent].sum(axis=1) - kept.sum(axis=1)
    columns = list(rows)
    if other.any():
        kept, columns = np.column_stack([kept, other]), [*rows, OTHER]
    return confusion_figure(kept, rows, columns, "States of located parts")


def confusion_figure(matrix: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str) -> Figure:
    """Counts in cells, shaded by their share of the row.

    Args:
        matrix: (R, C) counts.
        rows: R names of what is annotated.
        columns: C names of what is predicted.
        title: Above the picture.
    """
    height, width = (max(count, 1) for count in matrix.shape)
    cell = 0.62 if height <= 10 else 0.42
    figure = Figure(figsize=(2.6 + cell * max(width, 6), 2.2 + cell * max(height, 3)), layout="constrained")
    axes = figure.subplots()
    shares = np.divide(matrix, matrix.sum(axis=1, keepdims=True), out=np.zeros(matrix.shape), where=matrix > 0)
    axes.set_title(title, loc="left", fontweight="bold")
    if not matrix.size:
        axes.text(0.5, 0.5, "nothing to compare", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return figure
    colours = LinearSegmentedColormap.from_list("shares", [(1, 1, 1), _rgb(DARKEST)])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.set(xlabel="predicted", ylabel="annotated")
    axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
    axes.grid(which="minor", color=_rgb(GREY), linewidth=0.4)
    axes.tick_params(which="minor", length=0)
    _write_counts(axes, matrix, shares)
    return figure


_TITLES = {"action": "Lost points by action", "part": "by part", "state": "by annotated state"}


def _write_counts(axes: Axes, matrix: np.ndarray, shares: np.ndarray) -> None:
    size = 9 if len(_count(matrix.max())) <= 3 else 7
    for row, column in zip(*np.nonzero(matrix)):
        ink = (1, 1, 1) if shares[row, column] > 0.5 else _rgb(INK)
        axes.text(column, row, _count(matrix[row, column]), ha="center", va="center", fontsize=size, color=ink)


def _count(number: int) -> str:
    """A count in at most four characters below a hundred millions: five digits do not fit a cell at a legible size."""
    if number < 10_000:
        return str(number)
    if number < 999_500:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e6:.1f}M" if number < 9.95e6 else f"{number / 1e6:.0f}M"


def _top(table: dict[str, Entry], count: int | None) -> dict[str, Entry]:
    return dict(list(table.items())[:count])


def _stack(axes: Axes, table: dict[str, Entry], tallest: int) -> None:
    """One bar an entry, cut by cause, with its lost points behind it; bars are equally thick in all panels."""
    places = np.arange(len(table))
    left = np.zeros(len(table))
    for cause in CAUSES:
        # A remainder below 0, of a hundredth of a point at most, has no length; it is in the sum.
        values = 100 * np.array([max(entry.losses[cause], 0.0) for entry in table.values()])
        axes.barh(places, values, left=left, height=0.72, color=_rgb(CAUSE_COLOURS[cause]))
        left += values
    for place, value, entry in zip(places, left, table.values()):
        axes.text(value, place, f" {per_cent(entry.lost)}", va="center", fontsize=9)
    names = [name if name == NO_PART else display_name(name) for name in table]
    axes.set_yticks(places, names, fontsize=9)
    axes.set_ylim(max(tallest, 4) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * max(left.max(initial=0), 1e-3))
    axes.set_xlabel("points of 100")
    _bare(axes)


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _rgb(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (value / 255 for value in colour)
    return red, green, blue
