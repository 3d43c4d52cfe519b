"""Parts against time: which person it is of, what is left grey, what is written. T frames, K = 3 parts."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy
from tpsparse.visualization.relevance import (
    has_relevance,
    relevance_figure,
    relevance_series,
    state_runs,
    write_relevance,
)

NAMES = Taxonomy(
    parts=("head", "left_arm", "right_arm"), states=("none", "bend", "step_on"), actions=("hurling_(sport)", "lunge")
)
NAN = float("nan")


def frame(number, *persons, scores=None, states=((0, 1, 2),), hidden=()):
    """Persons given by the relevance of their parts."""
    boxes = np.tile(np.float32([0, 0, 9, 9]), (len(persons), 1))
    parts = np.tile(boxes[:, None], (1, 3, 1))
    parts[:, list(hidden)] = np.nan
    ids = np.array(list(states) * len(persons), dtype=np.int64)[: len(persons)].reshape(-1, 3)
    return FrameParse(
        number,
        boxes,
        scores=None if scores is None else np.array(scores, dtype=np.float32),
        part_boxes=parts,
        state_scores=np.eye(3, dtype=np.float32)[ids],
        person_features={"part_relevance": np.array(persons, dtype=np.float32).reshape(-1, 3)},
    )


def record(*frames, **facts):
    return VideoParse("a (b) ü $x$", **{"size": (10, 10), "num_frames": 50, "fps": 10.0, **facts}, frames=list(frames))


class TestSeries:
    def test_the_person_of_the_highest_score(self):
        parse = record(
            frame(1, [0.1, 0.2, 0.3], [0.9, 0.8, 0.7], scores=[0.4, 0.6]),
            frame(6, [0.1, 0.2, 0.3], [0.9, 0.8, 0.7], scores=[0.5, 0.5]),
        )
        series = relevance_series(parse, 3)
        assert series.numbers.tolist() == [1, 6]
        np.testing.assert_allclose(series.relevance, [[0.9, 0.8, 0.7], [0.1, 0.2, 0.3]], rtol=1e-6)
        assert series.states.tolist() == [[0, 1, 2]] * 2

    def test_nobody_and_hidden_parts(self):
        series = relevance_series(record(frame(1), frame(6, [0.1, 0.2, 0.3], hidden=[1])), 3)
        np.testing.assert_allclose(series.relevance, [[NAN] * 3, [0.1, NAN, 0.3]], rtol=1e-6)
        assert series.states.tolist() == [[-1] * 3, [0, -1, 2]]

    def test_without_states(self):
        given = frame(1, [0.1, 0.2, 0.3])
        given.state_scores = None
        assert relevance_series(record(given), 3).states.tolist() == [[-1] * 3]

    def test_what_is_refused(self):
        with pytest.raises(ValueError, match="part_relevance of .* has 3 parts, expected 4"):
            relevance_series(record(frame(1, [0.1, 0.2, 0.3])), 4)
        with pytest.raises(ValueError, match="frame 1 of .* has no part_relevance"):
            relevance_series(record(FrameParse(1, np.zeros((1, 4)))), 3)

    def test_whether_there_is_any(self):
        assert has_relevance(record(frame(1), frame(6, [0, 0, 0])))
        assert not has_relevance(record()) and not has_relevance(record(frame(1)))
        assert not has_relevance(record(frame(1, [0, 0, 0]), FrameParse(6, np.zeros((1, 4)))))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], []),
        ([2], [(0, 1, 2)]),
        ([0, 0, 1, 1, 1], [(0, 2, 0), (2, 5, 1)]),
        ([-1, 0, -1, 0], [(1, 2, 0), (3, 4, 0)]),
        ([-1, -1], []),
    ],
)
def test_runs_of_states(states, expected):
    assert state_runs(np.array(states, dtype=np.int64)) == expected


class TestFigure:
    def test_rows_time_and_values(self):
        parse = record(frame(1, [0.0, 1.0, 0.5]), frame(6, [0.2, 0.4, 0.6]), frame(11, [1, 1, 1], hidden=[0]))
        parse.action_scores["action"] = np.array([0.2, 0.8])
        figure = relevance_figure(parse, NAMES)
        axes = figure.axes[0]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["head", "L arm", "R arm"]
        assert axes.get_title("left") == r"Relevance of parts, a (b) ü \$x\$: lunge"
        mesh = axes.collections[0]
        edges = mesh.get_coordinates()
        np.testing.assert_allclose(edges[0, :, 0], [0, 0.5, 1, 1.5])
        values = np.ma.filled(mesh.get_array().reshape(3, 3), np.nan)
        np.testing.assert_allclose(values, [[0, 0.2, NAN], [1, 0.4, 1], [0.5, 0.6, 1]], rtol=1e-6)
        assert mesh.get_clim() == (0, 1) and "seconds" in axes.get_xlabel()

    def test_frames_where_the_rate_is_not_known(self):
        axes = relevance_figure(record(frame(1, [0, 0, 0]), frame(6, [0, 0, 0]), fps=0), NAMES).axes[0]
        assert axes.get_xlabel() == "frame"
        np.testing.assert_allclose(axes.collections[0].get_coordinates()[0, :, 0], [1, 6, 11])

    def test_states_are_written_where_they_begin_and_fit(self):
        frames = [frame(n, [0, 0, 0], states=[[0, 1 if n < 50 else 2, 2 if n == 1 else 1]]) for n in range(1, 100)]
        axes = relevance_figure(record(*frames, num_frames=99), NAMES).axes[0]
        written = [(text.get_text(), round(text.get_position()[1])) for text in axes.texts]
        # The right arm's first state lasts one frame of 99: too short for its name.
        assert [name for name, _ in written] == ["none", "bend", "step on", "bend"]
        assert axes.texts[2].get_position()[0] > 4.9 and len(axes.lines) == 2

    def test_no_frames(self):
        axes = relevance_figure(record(), NAMES).axes[0]
        assert [text.get_text() for text in axes.texts] == ["no frame was parsed"]

    def test_one_frame_without_anybody(self):
        axes = relevance_figure(record(frame(1)), NAMES).axes[0]
        assert np.ma.getmaskarray(axes.collections[0].get_array()).all()
        assert [text.get_text() for text in axes.texts] == ["no part was found"]

    def test_persons_without_parts(self):
        axes = relevance_figure(record(frame(1, [0, 0, 0], hidden=[0, 1, 2])), NAMES).axes[0]
        assert [text.get_text() for text in axes.texts] == ["no part was found"]

    @pytest.mark.parametrize("hidden", [[], [1]])
    def test_grey_is_explained_where_there_is_any(self, hidden):
        figure = relevance_figure(record(frame(1, [0, 0, 0], hidden=hidden)), NAMES)
        told = [
            (text.get_text(), legend.get_patches()[0].get_facecolor())
            for legend in figure.legends
            for text in legend.get_texts()
        ]
        assert [name for name, _ in told] == ["not seen"] * len(hidden)
        assert all(colour == figure.axes[0].get_facecolor() for _, colour in told)
        assert "no part was found" not in [text.get_text() for text in figure.axes[0].texts]

    def test_another_vocabulary(self):
        other = Taxonomy(parts=("head",), states=("none",), actions=("lunge",))
        with pytest.raises(InputError, match="the parse has 3 parts and the taxonomy names 1"):
            relevance_figure(record(frame(1, [0, 0, 0])), other)
        bare = record(FrameParse(1, np.zeros((1, 4)), person_features={"part_relevance": np.zeros((1, 3))}))
        with pytest.raises(InputError, match="the part_relevance of 3 parts and the taxonomy names 1: use the lists"):
            relevance_figure(bare, other)


def test_file(tmp_path):
    parse = record(frame(1, [0.0, 1.0, 0.5]), frame(6), frame(11, [1, 1, 1]))
    for name in ("a (1) é.png", "again.png"):
        write_relevance(tmp_path / "new" / name, parse, NAMES)
    first, again = (path.read_bytes() for path in sorted((tmp_path / "new").iterdir()))
    assert first == again and Image.open(io.BytesIO(first)).size[0] > 1000


def test_no_room(tmp_path, little_room):
    with little_room(), pytest.raises(InputError, match=r"a\.png cannot be written .* make room there"):
        write_relevance(tmp_path / "a.png", record(frame(1, [0, 0, 0])), NAMES)
    assert list(tmp_path.iterdir()) == []


def test_letters_that_the_font_lacks(tmp_path, recwarn):
    parse = record(frame(1, [0.0, 1.0, 0.5]))
    parse.video = "深蹲"
    write_relevance(tmp_path / "深蹲.png", parse, NAMES)
    assert (tmp_path / "深蹲.png").is_file() and not [str(w.message) for w in recwarn if "Glyph" in str(w.message)]


@pytest.mark.parametrize("name", ["a.jpg", "a", "png", "a.png.pdf"])
def test_names_of_other_pictures(tmp_path, name):
    with pytest.raises(InputError, match="is not the name of a PNG picture: give one that ends in .png"):
        write_relevance(tmp_path / name, record(frame(1, [0, 0, 0])), NAMES)
    assert list(tmp_path.iterdir()) == []
    write_relevance(tmp_path / "A.PNG", record(frame(1, [0, 0, 0])), NAMES)
