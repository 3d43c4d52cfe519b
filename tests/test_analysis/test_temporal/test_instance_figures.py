from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tpsparse.analysis.temporal.figures import (
    BINS,
    BOUNDARIES,
    MOST,
    SUB_ACTIONS,
    boundaries_figure,
    boundary_density,
    figures_of,
    sub_action_counts,
    sub_actions_figure,
)
from tpsparse.analysis.temporal.statistics import instance_statistics
from tpsparse.datasets.instances import Instance


def made(*counts, actions=None):
    """Statistics of instances with so many sub-actions each, of equal length."""
    instances = []
    for number, count in enumerate(counts):
        substages = tuple(range(0, 10 * count + 1, 10))
        action = None if actions is None else actions[number]
        instances.append(Instance("v", f"s1_{number}_0_{number}_9", "train", 10 * count, substages, action=action))
    return instance_statistics(instances)


def widths(axes):
    return [round(bar.get_width(), 6) for bar in axes.patches]


def test_density_has_a_mean_of_one():
    positions = np.array([0.01, 0.51, 0.512, 0.99])
    density = boundary_density(positions)
    assert len(density) == BINS == 40 and density.mean() == 1
    # One of four in a bin of a fortieth: 10.
    assert (density[0], density[20], density[39]) == (10, 20, 10)
    assert boundary_density(np.zeros(0)).tolist() == [0] * BINS


def test_positions_at_the_border_of_bins():
    assert boundary_density(np.array([0.5]))[20] == 40 and boundary_density(np.array([0.025]))[1] == 40


@pytest.mark.parametrize(
    ("sub_actions", "counts", "last"),
    [
        ([2, 3, 3], [0, 1, 2], "3"),
        ([1], [1], "1"),
        ([], [0], "1"),
        ([MOST, 1], [1] + [0] * (MOST - 2) + [1], str(MOST)),
        ([MOST + 1, MOST, 60], [0] * (MOST - 1) + [3], f"{MOST}+"),
    ],
)
def test_counts_of_sub_actions(sub_actions, counts, last):
    found, names = sub_action_counts(np.array(sub_actions, dtype=np.int64))
    assert found.tolist() == counts and names[0] == "1" and names[-1] == last and len(names) == len(counts)


def test_figure_1_by_action():
    figure = sub_actions_figure(made(2, 4, 6, actions=["high jump $5", "parallel_bars", "parallel_bars"]))
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["parallel bars", r"high jump \$5"]
    assert widths(left) == [5, 2] and widths(right) == [2, 1]


def test_figure_1_without_labels():
    (axes,) = sub_actions_figure(made(2, 2, 3)).axes
    assert [bar.get_height() for bar in axes.patches] == [0, 2, 1]
    assert axes.get_title(loc="left") == "Sub-actions of an instance: 2.33 on average"


def test_figure_2():
    (axes,) = boundaries_figure(made(2, 4)).axes  # at 1/2, 1/4, 1/2, 3/4
    heights = [bar.get_height() for bar in axes.patches]
    assert (heights[10], heights[20], heights[30]) == (10, 20, 10) and sum(heights) == 40
    assert "4 of 2 instances" in axes.get_title(loc="left")


@pytest.mark.parametrize("given", [(1,), (2, 30)])
def test_files(given):
    pictures = figures_of(made(*given))
    assert list(pictures) == [SUB_ACTIONS, BOUNDARIES]
    for picture in pictures.values():
        image = Image.open(io.BytesIO(picture))
        assert image.format == "PNG" and image.width > 600
    assert figures_of(made(*given)) == pictures  # the same bytes
