"""The figure of curves: what is drawn, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.evaluation.functional.boundaries import Distances, boundary_scores
from tpsparse.visualization.boundary_curves import curves_figure, write_curves


def scores(shift: int, distances: Distances | None = None):
    return boundary_scores([(100, np.array([40]), np.array([40 + shift]))], distances=distances)


def test_two_rows_three_columns_a_line_a_method():
    figure = curves_figure({"near $1$ é": scores(0), "far": scores(12)})
    assert [axes.get_title() for axes in figure.axes] == ["F1", "precision", "recall", "", "", ""]
    assert all(len(axes.get_lines()) == 2 for axes in figure.axes)
    far = figure.axes[3].get_lines()[1]
    assert far.get_xdata().tolist() == [*range(5, 51, 5)] and far.get_ydata().tolist() == [0, 0] + [1] * 8
    relative = figure.axes[2].get_lines()[1]
    assert relative.get_xdata()[0] == 0.05 and relative.get_ydata().tolist() == [0, 0] + [1] * 8
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [r"near \$1\$ é", "far"]


def test_many_methods_have_lines_of_their_own():
    figure = curves_figure({str(number): scores(number) for number in range(25)})
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in figure.axes[0].get_lines()}
    assert len(looks) == 25


def test_other_distances():
    few = Distances(relative=(0.1,), absolute=(3, 20))
    figure = curves_figure({"a": scores(12, few)})
    assert figure.axes[3].get_lines()[0].get_ydata().tolist() == [0, 1]
    with pytest.raises(ValueError, match="same distances"):
        curves_figure({"a": scores(1, few), "b": scores(1)})
    with pytest.raises(ValueError, match="one method or more"):
        curves_figure({})


def test_the_same_bytes(tmp_path):
    for name in ("a (b) ü.png", "c.png"):
        write_curves(tmp_path / "new" / name, {"x": scores(3)})
    first, second = sorted((tmp_path / "new").iterdir())
    assert first.read_bytes() == second.read_bytes() and first.read_bytes().startswith(b"\x89PNG")


def test_wrong_places(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for name, told in (("a.jpg", "ends in .png"), ("folder.png", "is a folder")):
        with pytest.raises(InputError, match=told):
            write_curves(tmp_path / name, {"x": scores(3)})


def test_no_room(tmp_path, little_room):
    with little_room(), pytest.raises(InputError, match=r"a.png cannot be written .*: make room there"):
        write_curves(tmp_path / "a.png", {"x": scores(3)})
    assert not list(tmp_path.iterdir())
