"""Patterns over time and the frames that excite them. T frames, M patterns."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tpsparse.errors import InputError
from tpsparse.visualization.patterns import (
    ParsedInstance,
    PatternGallery,
    instance_figure,
    pattern_colour,
    patterns_figure,
    shown_patterns,
    strip_positions,
    write_figure,
)


def instance(responses, key="vidé $x$/s1 (b)", action="hurdles_(men)", **facts):
    given = dict(fps=10.0, boundaries=np.array([2]), predicted=np.array([1, 3]))
    return ParsedInstance(key=key, action=action, responses=np.array(responses, dtype=np.float32), **(given | facts))


FOUR = [[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]]


def picture(value, shape=(12, 20, 3)):
    return np.full(shape, value, dtype=np.uint8)


class TestInstance:
    def test_active_is_the_first_of_equals(self):
        assert instance(FOUR).active.tolist() == [0, 0, 1, 2]

    def test_found_is_one_pattern_a_predicted_sub_action(self):
        # Means of frames 1 and 2: 0.25, 0.6, 0.15; of the last two alike, the first.
        assert instance(FOUR).found == [(0, 1, 0), (1, 3, 1), (3, 4, 2)]
        assert instance([[0.2, 0.5, 0.5]], predicted=np.zeros(0, dtype=np.int64)).found == [(0, 1, 1)]

    def test_found_where_boundaries_are_the_changes_of_the_active(self):
        responses = np.random.default_rng(0).dirichlet(np.full(5, 0.1), 200)
        active = responses.argmax(axis=1)
        parsed = instance(responses, predicted=np.flatnonzero(np.diff(active)) + 1)
        frames = [pattern for first, end, pattern in parsed.found for _ in range(first, end)]
        assert frames == active.tolist() and len(parsed.found) > 50

    @pytest.mark.parametrize(
        ("length", "count", "expected"),
        [(10, 2, [2, 7]), (3, 10, [0, 1, 2]), (1, 10, [0]), (100, 4, [12, 37, 62, 87])],
    )
    def test_strip_positions(self, length, count, expected):
        assert strip_positions(length, count).tolist() == expected

    def test_shown_patterns(self):
        # Pattern 0 is active in two frames; of 2 and 1, with one each, 1 has the higher mean.
        assert shown_patterns(instance(FOUR)) == [0, 1, 2] and shown_patterns(instance(FOUR), 2) == [0, 1]
        # Of the patterns that are never active, one that is never at 0.1 is left out.
        unused = instance([[0.05, 0.1, 0.15, 0.7], [0.09, 0.1, 0.11, 0.7]])
        assert shown_patterns(unused) == [3, 2, 1]

    def test_what_is_drawn(self):
        figure = instance_figure(instance(FOUR), [picture(10), picture(200)])
        strip, bands, heat = figure.axes[:3]
        assert len(strip.images) == 2 and strip.images[1].get_extent() == [0.2, 0.4, 0, 1]
        # Seconds; a band ends where a boundary is predicted, and frame 1, most excited by pattern 0, is inside of one.
        spans = [
            (band.get_x(), band.get_x() + band.get_width(), to_rgb(band.get_facecolor())) for band in bands.patches
        ]
        expected = [(0, 0.1, pattern_colour(0)), (0.1, 0.3, pattern_colour(1)), (0.3, 0.4, pattern_colour(2))]
        for (left, right, colour), (wanted_left, wanted_right, wanted_colour) in zip(spans, expected, strict=True):
            assert (left, right) == pytest.approx((wanted_left, wanted_right)) and colour == pytest.approx(
                wanted_colour
            )
        np.testing.assert_allclose(heat.collections[0].get_array(), np.array(FOUR, dtype=np.float32).T)
        for axes in (strip, bands, heat):
            true, predicted = axes.collections[-2:]
            assert [line[0][0] for line in true.get_segments()] == pytest.approx([0.2])
            assert [line[0][0] for line in predicted.get_segments()] == pytest.approx([0.1, 0.3])
        [legend] = figure.legends
        told = [
            "true boundaries (1)",
            "predicted (2)",
            "pattern of the highest mean response between predicted boundaries",
        ]
        assert [text.get_text() for text in legend.get_texts()] == told
        assert heat.get_xlabel() == "time, seconds" and figure.get_suptitle() == r"vidé \$x\$/s1 (b): hurdles (men)"

    def test_without_rate_pictures_and_action(self):
        figure = instance_figure(instance(FOUR, fps=0.0, action=None))
        bands, heat = figure.axes[:2]
        assert len(bands.patches) == 3 and heat.get_xlabel() == "frame" and heat.get_xlim() == (0, 4)
        assert ":" not in figure.get_suptitle()

    def test_one_frame_without_boundaries(self, tmp_path):
        none = np.zeros(0, dtype=np.int64)
        figure = instance_figure(instance([[0.5, 0.5]], boundaries=none, predicted=none), [picture(3)])
        write_figure(tmp_path / "one.png", figure)
        assert Image.open(tmp_path / "one.png").size[0] > 1000

    def test_the_same_bytes_and_any_letters(self, tmp_path, recwarn):
        for name in ("a", "b"):
            write_figure(
                tmp_path / "é (neu)" / f"{name}.png", instance_figure(instance(FOUR, key="東京 $/é", action="跳"))
            )
        first, second = ((tmp_path / "é (neu)" / f"{name}.png").read_bytes() for name in ("a", "b"))
        assert first == second and Image.open(io.BytesIO(first)).format == "PNG"
        assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]

    def test_no_room(self, tmp_path, little_room):
        figure = instance_figure(instance(FOUR))
        with little_room(), pytest.raises(InputError, match=r"a\.png cannot be written .*: make room there"):
            write_figure(tmp_path / "a.png", figure)
        assert not list(tmp_path.iterdir())


class TestGallery:
    def test_the_best_frame_of_each_instance(self):
        gallery = PatternGallery(2)
        gallery.add(instance([[0.9, 0.1], [0.8, 0.2]], key="a/1", action="diving"))
        gallery.add(instance([[0.3, 0.7], [0.6, 0.4], [0.6, 0.4]], key="b/1", action=None))
        gallery.add(instance([[0.95, 0.05]], key="c/1"))
        assert gallery.uses.tolist() == [5, 1]
        best = [(one.key, one.position, one.action) for one in gallery.best(0)]
        # Two are kept, the most excited first, and the second frame of a, more excited than any of b, is not asked.
        assert best == [("c/1", 0, "hurdles_(men)"), ("a/1", 0, "diving")]
        assert [(one.key, one.position, one.action) for one in gallery.best(1)] == [
            ("b/1", 0, ""),
            ("a/1", 1, "diving"),
        ]
        assert gallery.best(1)[0].response == pytest.approx(0.7)

    def test_equals_are_not_taken_by_name(self):
        gallery = PatternGallery(40)
        for number in range(80):
            gallery.add(instance([[1.0, 0.0]], key=f"{number // 20}/{number}"))
        counts = [sum(one.key.startswith(f"{video}/") for one in gallery.best(0)) for video in range(4)]
        # 40 of 80, of four videos alike; by name they would be of two.
        assert sum(counts) == 40 and min(counts) >= 4

    def test_most_used(self):
        gallery = PatternGallery(1)
        assert gallery.most_used(3) == []
        gallery.add(instance(np.eye(4)[[2, 2, 1, 0]]))
        # Never active is never shown; of equals the first.
        assert gallery.most_used(9) == [2, 0, 1] and gallery.most_used(2) == [2, 0]

    def test_what_is_drawn(self, tmp_path):
        gallery = PatternGallery(2)
        gallery.add(instance([[0.9, 0.1]], key="a/1", action="long_jump"))
        gallery.add(instance([[0.2, 0.8]], key="b/1", action=None))
        first, second = gallery.best(0), gallery.best(1)
        rows = [(0, 0.75, [(first[0], picture(10)), (first[1], picture(20))]), (1, 0.25, [(second[0], picture(30))])]
        figure = patterns_figure(rows)
        drawn = [axes for axes in figure.axes if axes.images]
        assert [axes.images[0].get_array()[0, 0, 0] for axes in drawn] == [10, 20, 30]
        labels = [[text.get_text() for text in axes.texts] for axes in drawn]
        first_row = [["$\\phi_{1}$\n75 %", "long jump\n0.90"], ["unknown\n0.20"]]
        assert labels == [*first_row, ["$\\phi_{2}$\n25 %", "unknown\n0.80"]]
        write_figure(tmp_path / "all.png", figure)

    @pytest.mark.parametrize("shape", [(12, 20, 3), (20, 12, 3)])
    def test_names_are_below_their_frames(self, shape):
        gallery = PatternGallery(1)
        gallery.add(instance([[0.9, 0.1], [0.2, 0.8]], action="jg_" * 3))
        rows = [(pattern, 0.5, [(gallery.best(pattern)[0], picture(10, shape))]) for pattern in (0, 1)]
        figure = patterns_figure(rows)
        figure.draw_without_rendering()
        frames = [(axes.images[0].get_window_extent(), axes.texts[-1].get_window_extent()) for axes in figure.axes]
        assert all(name.y1 < frame.y0 for frame, name in frames)
        assert frames[0][1].y0 > frames[1][0].y1 and frames[1][1].y0 >= 0

    @pytest.mark.parametrize("rows", [[], [(4, 1.0, [])]])
    def test_nothing_to_show(self, tmp_path, rows):
        write_figure(tmp_path / "none.png", patterns_figure(rows))
        assert (tmp_path / "none.png").is_file()


def test_colours_of_many_patterns_differ():
    colours = np.array([pattern_colour(pattern) for pattern in range(20)])
    apart = np.abs(colours[:, None] - colours[None]).max(axis=2) + np.eye(20)
    assert apart.min() > 0.05 and (colours >= 0).all() and (colours <= 1).all()
