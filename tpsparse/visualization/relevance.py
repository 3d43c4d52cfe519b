"""Which parts matter to a video's action: a picture of parts against time.

Shapes: T parsed frames, P persons in a frame, K parts.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..errors import InputError
from ..structures import VideoParse, atomic_write, is_present
from ..structures.export import check_taxonomy
from ..structures.files import writing_told
from ..taxonomy import Taxonomy
from .palette import GREY, INK, display_name

FEATURE = "part_relevance"
DPI = 130
WIDTH, ROW = 12.0, 0.36
PLOT_WIDTH = 9.6
"""Inches of the width that time takes, about: names stand left of it, the colours' meaning right."""
FONT, LETTER = 7, 0.075
"""Points of a state's name, and inches that a letter of it takes."""
DARKEST = (8 / 255, 98 / 255, 112 / 255)


@dataclass
class RelevanceSeries:
    """Relevance of the parts of one person a frame.

    Args:
        numbers: (T,) frame numbers, from 1.
        relevance: (T, K) in [0, 1], NaN where nobody is found or the part has no box.
        states: (T, K) ids, -1 where the relevance is NaN or no state is told.
    """

    numbers: np.ndarray
    relevance: np.ndarray
    states: np.ndarray


def has_relevance(parse: VideoParse) -> bool:
    """Whether a record says how relevant parts are: in every frame with persons, and in one such frame at least."""
    inhabited = [frame for frame in parse.frames if len(frame)]
    return bool(inhabited) and all(FEATURE in frame.person_features for frame in inhabited)


def check_names(parse: VideoParse, taxonomy: Taxonomy) -> None:
    """Refuse names that do not fit a record.

    Raises:
        InputError: If the taxonomy has other numbers of parts or states, or fewer objects.
    """
    for frame in parse.frames:
        check_taxonomy(frame, taxonomy)
        given = frame.person_features.get(FEATURE)
        if given is not None and given.shape[1] != len(taxonomy.parts):
            told = f"the parse has the {FEATURE} of {given.shape[1]} parts and the taxonomy names {len(taxonomy.parts)}"
            raise InputError(f"{told}: use the lists it was made with")


def relevance_series(parse: VideoParse, num_parts: int) -> RelevanceSeries:
    """The relevance in each parsed frame, of the person with the highest score, the first of equals.

    There are no tracks in a record, so that person may change; a mean over all persons would mix those who act with
    those who look on.

    Args:
        parse: A record.
        num_parts: K.

    Raises:
        ValueError: If a frame with persons has no relevance, or not of K parts.
    """
    relevance = np.full((len(parse.frames), num_parts), np.nan)
    states = np.full((len(parse.frames), num_parts), -1, dtype=np.int64)
    for row, frame in enumerate(parse.frames):
        if not len(frame):
            continue
        if FEATURE not in frame.person_features:
            raise ValueError(f"frame {frame.frame_index} of {parse.video} has no {FEATURE}")
        best = int(np.argmax(frame.scores))
        given = frame.person_features[FEATURE][best]
        if given.shape != (num_parts,):
            raise ValueError(f"{FEATURE} of {parse.video} has {len(given)} parts, expected {num_parts}")
        seen = np.ones(num_parts, dtype=bool) if frame.part_boxes is None else is_present(frame.part_boxes[best])
        relevance[row] = np.where(seen, given, np.nan)
        if frame.part_states is not None or frame.state_scores is not None:
            states[row] = np.where(seen, frame.states()[best], -1)
    return RelevanceSeries(np.array(parse.frame_indices, dtype=np.int64), relevance, states)


def relevance_figure(parse: VideoParse, taxonomy: Taxonomy) -> Figure:
    """Parts by rows, time in seconds (frame numbers where the rate is not known), the darker the more relevant.

    A state, the most probable one, is written where it begins, if its name fits into the time that it lasts. Grey is a
    part that is not seen.

    Raises:
        InputError: As :func:`check_names` does.
        ValueError: As :func:`relevance_series` does.
    """
    check_names(parse, taxonomy)
    series = relevance_series(parse, len(taxonomy.parts))
    figure = Figure(figsize=(WIDTH, 1.4 + ROW * len(taxonomy.parts)), layout="constrained")
    axes = figure.subplots()
    axes.set_title(_title(parse, taxonomy), loc="left", fontweight="bold")
    names = [display_name(name) for name in taxonomy.parts]
    axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=9)
    axes.set_ylim(len(names), 0)
    axes.set_xlabel("time, seconds" if parse.fps > 0 else "frame")
    axes.set_facecolor(_rgb(GREY))
    if not len(series.numbers):
        axes.text(0.5, 0.5, "no frame was parsed", ha="center", va="center", transform=axes.transAxes)
        return figure
    edges = _edges(series.numbers, parse.fps)
    colours = LinearSegmentedColormap.from_list("relevance", [(1, 1, 1), DARKEST])
    mesh = axes.pcolormesh(edges, np.arange(len(names) + 1), series.relevance.T, cmap=colours, vmin=0, vmax=1)
    figure.colorbar(mesh, ax=axes, label="relevance", pad=0.01)
    if np.isnan(series.relevance).all():
        axes.text(0.5, 0.5, "no part was found", ha="center", va="center", transform=axes.transAxes)
    if np.isnan(series.relevance).any():
        unseen = Patch(facecolor=_rgb(GREY), edgecolor=_rgb(INK), linewidth=0.6, label="not seen")
        figure.legend(handles=[unseen], loc="outside lower right", frameon=False, fontsize=9)
    _write_states(axes, series, edges, taxonomy)
    return figure


def check_picture(path: str | Path) -> None:
    """Refuse a name that says something else than is written.

    Raises:
        InputError: If it does not end in ``.png``.
    """
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"{path} is not the name of a PNG picture: give one that ends in .png")


def write_relevance(path: str | Path, parse: VideoParse, taxonomy: Taxonomy) -> None:
    """Write the picture as PNG in one move, the same bytes for the same record.

    Raises:
        InputError: As :func:`relevance_figure` and :func:`check_picture` do, or if there is no room for the file.
    """
    check_picture(path)
    figure = relevance_figure(parse, taxonomy)
    with warnings.catch_warnings(), writing_told(path), atomic_write(path) as partial:
        # A letter that the font lacks is a box on the picture; nobody at the terminal can mend it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def state_runs(states: np.ndarray) -> list[tuple[int, int, int]]:
    """Stretches of equal state of one part: first row, row behind the last, and state, where there is one.

    Args:
        states: (T,) ids, -1 for none.
    """
    bounds = np.flatnonzero(np.diff(states, prepend=-2, append=-2))
    runs = zip(bounds[:-1].tolist(), bounds[1:].tolist())
    return [(first, stop, int(states[first])) for first, stop in runs if states[first] >= 0]


def _write_states(axes: Axes, series: RelevanceSeries, edges: np.ndarray, taxonomy: Taxonomy) -> None:
    inches = PLOT_WIDTH / (edges[-1] - edges[0])
    for part in range(series.states.shape[1]):
        for first, stop, state in state_runs(series.states[:, part]):
            name = display_name(taxonomy.states[state])
            if first > 0:
                axes.plot([edges[first]] * 2, [part, part + 1], color=_rgb(INK), linewidth=0.6)
            if (edges[stop] - edges[first]) * inches < LETTER * (len(name) + 1):
                continue
            ink = (1, 1, 1) if series.relevance[first:stop, part].mean() > 0.55 else _rgb(INK)
            place = edges[first] + 0.5 * LETTER / inches
            axes.text(place, part + 0.5, name, va="center", fontsize=FONT, color=ink, clip_on=True)


def _edges(numbers: np.ndarray, fps: float) -> np.ndarray:
    """(T + 1,) where cells begin and end, in seconds or frames; the last is as long as most are."""
    step = np.median(np.diff(numbers)) if len(numbers) > 1 else 1
    edges = np.append(numbers, numbers[-1] + step).astype(np.float64)
    return (edges - 1) / fps if fps > 0 else edges


def _title(parse: VideoParse, taxonomy: Taxonomy) -> str:
    action = parse.action()
    told = "" if action is None else f": {display_name(taxonomy.actions[action])}"
    return f"Relevance of parts, {parse.video}{told}".replace("$", r"\$")  # no formulas in names


def _rgb(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    red, green, blue = (value / 255 for value in colour)
    return red, green, blue
