"""Figures 1 and 2 of the TAPOS paper (2020) of any data set in its format, as PNG by matplotlib.

Matplotlib is used without its global state, so that nothing needs a display. Shapes: n instances, B inner boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...visualization.palette import GREY, Colour
from ..score.figures import to_png
from .statistics import Group, InstanceStatistics

SUB_ACTIONS, BOUNDARIES = "sub-actions.png", "boundaries.png"
BINS = 40
"""Of normalised time."""
MOST = 20
"""Sub-actions from which on instances share one bar."""
BLUE: Colour = (41, 165, 246)
ORANGE: Colour = (255, 131, 48)


def figures_of(statistics: InstanceStatistics) -> dict[str, bytes]:
    """Both pictures by the names of their files."""
    return {
        SUB_ACTIONS: to_png(sub_actions_figure(statistics)),
        BOUNDARIES: to_png(boundaries_figure(statistics)),
    }


def sub_actions_figure(statistics: InstanceStatistics) -> Figure:
    """Figure 1: mean number of sub-actions and number of instances by action; without labels, of all instances."""
    if statistics.actions:
        return _by_action(statistics.actions)
    counts, names = sub_action_counts(statistics.sub_actions)
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.bar(names, counts, width=0.84, color=_rgb(BLUE))
    for place, count in enumerate(counts):
        axes.text(place, count, f"{count:,}", ha="center", va="bottom", fontsize=9)
    mean = statistics.total.sub_actions
    axes.set_title(f"Sub-actions of an instance: {mean:.2f} on average", loc="left", fontweight="bold")
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set(xlabel="sub-actions", ylabel="instances", ylim=(0, 1.12 * max(counts.max(initial=0), 1)))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _bare(axes)
    return figure


def boundaries_figure(statistics: InstanceStatistics) -> Figure:
    """Figure 2: where boundaries fall, the length of each instance being one."""
    density = boundary_density(statistics.positions)
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.bar((np.arange(BINS) + 0.5) / BINS, density, width=0.84 / BINS, color=_rgb(BLUE))
    axes.axhline(1, color=_rgb(ORANGE), linestyle="--", linewidth=1.5, label="evenly spread")
    title = f"Where boundaries fall: {len(statistics.positions):,} of {statistics.total.instances:,} instances"
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set(xlabel="position in the instance", ylabel="probability density", xlim=(0, 1))
    axes.set_ylim(0, 1.12 * max(density.max(initial=0), 1))
    axes.legend(frameon=False, loc="upper left")
    _bare(axes)
    return figure


def sub_action_counts(sub_actions: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Instances by their number of sub-actions (n,): counts from one on, and what each bar is called."""
    counts = np.bincount(np.minimum(sub_actions, MOST), minlength=2)[1:]
    names = [str(number) for number in range(1, len(counts) + 1)]
    if len(names) == MOST and (sub_actions > MOST).any():
        names[-1] += "+"
    return counts, names


def boundary_density(positions: np.ndarray) -> np.ndarray:
    """(BINS,) probability density over normalised time of positions (B,); its mean is one where there are any."""
    counts = np.histogram(positions, bins=BINS, range=(0, 1))[0]
    return counts * BINS / max(counts.sum(), 1)


def _by_action(actions: Sequence[Group]) -> Figure:
    figure = Figure(figsize=(11, 1.4 + 0.3 * max(len(actions), 3)), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [group.name.replace("_", " ") for group in actions]
    _bars(left, names, [group.sub_actions for group in actions], BLUE, "{:.1f}")
    left.set_title("Mean number of sub-actions", loc="left", fontweight="bold")
    _bars(right, names, [group.instances for group in actions], ORANGE, "{:,}")
    right.set_title("Number of instances", loc="left", fontweight="bold")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _bars(axes: Axes, names: Sequence[str], values: Sequence[float], colour: Colour, form: str) -> None:
    # By place, not by name: two labels may look alike here.
    places = np.arange(len(names))
    axes.barh(places, values, height=0.72, color=_rgb(colour))
    for place, value in zip(places, values):
        axes.text(value, place, f" {form.format(value)}", va="center", fontsize=9)
    axes.set_yticks(places, [name.replace("$", r"\$") for name in names], fontsize=9)
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * max(values))
    _bare(axes)


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(color=_rgb(GREY))


def _rgb(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (value / 255 for value in colour)
    return red, green, blue
