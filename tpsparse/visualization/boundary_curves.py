"""F1, precision and recall of parsers against the distance that is tolerated: figure 7 of the TAPOS paper.

Shapes: L distances of a kind.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..evaluation.functional.boundaries import BoundaryScores
from ..structures.files import atomic_write, writing_told
from .relevance import check_picture

DPI = 130
SIZE = (13.0, 7.4)
ROWS = {"relative": "relative distance, share of the instance", "absolute": "distance, frames"}
COLUMNS = {"f1": "F1", "precision": "precision", "recall": "recall"}
MARKERS = "osD^vP*Xd<>h"
LEGEND_ROW = 6
"""Names in a row of the legend."""


def curves_figure(scores: Mapping[str, BoundaryScores]) -> Figure:
    """Two rows, relative and absolute distances; three columns, F1, precision and recall; a line a method.

    Args:
        scores: By the name of the method, in the order of the legend. All were scored at the same distances.

    Raises:
        ValueError: If there is none, or the distances differ.
    """
    known = list(scores.values())
    if not known or any(each.distances != known[0].distances for each in known):
        raise ValueError("the curves of a figure need one method or more, scored at the same distances")
    figure = Figure(figsize=SIZE, layout="constrained")
    grid = figure.subplots(len(ROWS), len(COLUMNS), sharey=True, squeeze=False)
    for axes_row, kind in zip(grid, ROWS):
        for axes, name in zip(axes_row, COLUMNS):
            _draw(axes, scores, kind, name)
    for axes, title in zip(grid[0], COLUMNS.values()):
        axes.set_title(title, fontweight="bold")
    handles, names = grid[0][0].get_legend_handles_labels()
    columns = min(len(names), LEGEND_ROW)
    figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return figure


def write_curves(path: str | Path, scores: Mapping[str, BoundaryScores]) -> None:
    """Write the figure as PNG in one move, the same bytes for the same scores.

    Raises:
        InputError: If the name does not end in ``.png``, is that of a folder, or there is no room for the file.
        ValueError: As :func:`curves_figure` does.
    """
    path = Path(path)
    check_picture(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a picture in it, such as {path / 'curves.png'}")
    figure = curves_figure(scores)
    with warnings.catch_warnings(), writing_told(path), atomic_write(path) as partial:
        # A letter that the font lacks is a box on the picture; nobody at the terminal can mend it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def _draw(axes: Axes, scores: Mapping[str, BoundaryScores], kind: str, name: str) -> None:
    for number, (method, each) in enumerate(scores.items()):
        places = getattr(each.distances, kind)
        axes.plot(
            places,
            each.of(kind, name),
            color=f"C{number % 10}",
            # Beyond ten methods colours repeat; lines do not.
            linestyle=("-", "--", ":")[number // 10 % 3],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4.5,
            linewidth=1.6,
            label=method.replace("$", r"\$"),  # no formulas in names
            clip_on=False,
        )
    axes.set_ylim(0, 1)
    axes.set_xticks(places)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(ROWS[kind])
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
