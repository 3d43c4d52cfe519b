"""Pictures are drawn for few and many names, and for nothing; what they show is read back from the axes."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from tpsparse.analysis.score import figures
from tpsparse.analysis.score.diagnosis import Thresholds, diagnose
from tpsparse.analysis.score.points import CAUSES, PointTables, per_cent
from tpsparse.evaluation.functional.outcomes import collect_video
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy


@pytest.fixture(autouse=True)
def no_warnings():
    """Matplotlib warns where a layout does not fit or a letter is not in its font."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def diagnosis(make_records):
    taxonomy, pairs = make_records(3, videos=8)
    return diagnose(pairs, taxonomy)


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_files(diagnosis):
    pictures = figures.figures_of(diagnosis)
    assert list(pictures) == ["psc_accuracy.png", "lost_points.png", "confusion_actions.png", "confusion_states.png"]
    for content in pictures.values():
        image = Image.open(io.BytesIO(content))
        assert image.format == "PNG" and min(image.size) > 300
        assert len(np.unique(np.asarray(image.convert("L")))) > 10  # something is drawn
    assert figures.figures_of(diagnosis) == pictures


def test_curve_names_its_area(diagnosis):
    axes = figures.psc_accuracy_figure(diagnosis).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    scores = [100 * result.score for result in diagnosis.curves.values()]
    assert [label.split(": ")[0] for label in labels] == [
        "person 0.5, part 0.3",
        "person 0.01, part 0.01",
        "person 0.99, part 0.99",
    ]
    baseline = ("29.79", "35.48", "1.67")
    assert [label.split(": ")[1] for label in labels] == [f"{s:.2f} ({b})" for s, b in zip(scores, baseline)]
    assert "organisers' baseline" in axes.get_legend().get_title().get_text()
    assert len(axes.lines) == 3 and len(set(scores)) == 3
    for line, setting in zip(axes.lines, diagnosis.curves):
        demanded, accuracy = line.get_data()
        assert np.array_equal(accuracy, diagnosis.curve(setting)[1])
        # The drawn curve encloses the score.
        area = ((accuracy[1:] + accuracy[:-1]) / 2 * np.diff(demanded)).sum()
        assert area == pytest.approx(diagnosis.curves[setting].score, abs=2e-3)
    assert len({line.get_color() for line in axes.lines}) == 3


def test_curve_of_own_thresholds_has_no_baseline(make_records):
    taxonomy, pairs = make_records(3, videos=3)
    axes = figures.psc_accuracy_figure(diagnose(pairs, taxonomy, Thresholds(0.6, 0.4))).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 4 and labels[0].startswith("person 0.6, part 0.4: ") and "(" not in labels[0]


def test_lost_points_are_written(diagnosis):
    figure = figures.lost_points_figure(diagnosis.points)
    assert len(figure.axes) == 3
    for axes, kind in zip(figure.axes, ("action", "part", "state")):
        # The same totals as the page's tables have.
        lost = [per_cent(entry.lost) for entry in diagnosis.points.table(kind).values()]
        assert texts(axes) == [f" {value}" for value in lost] and not any("-" in value for value in lost)
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == [
        name.replace("left_", "L ").replace("right_", "R ") for name in diagnosis.points.table("part")
    ]
    [legend] = figure.legends
    assert [text.get_text().split(" (")[0] for text in legend.get_texts()] == list(CAUSES)


def test_a_remainder_above_zero_is_drawn():
    """Of two proposals, one of them right, half a part is earned: 49.99 points of no other cause."""
    points = PointTables(Taxonomy(parts=("head",), states=("none", "bend"), actions=("lunge",)))
    head = {"box": [0, 0, 9, 9], "parts": {"head": {"box": [0, 0, 9, 9], "verb": "none"}}}
    twice = {"box": [0, 0, 9, 9], "parts": {"head": {"box": [[0, 0, 9, 9]] * 2, "verb": ["none", "bend"]}}}
    frames = [{"img_00001.json": {"humans": [person]}} for person in (head, twice)]
    points.add(collect_video("v", *frames, 0.5).outcomes(0.3), "lunge", "lunge")
    figure = figures.lost_points_figure(points)
    assert texts(figure.axes[0]) == [" 49.99"] and figure.axes[0].texts[0].get_position()[0] == pytest.approx(49.99)
    assert figure.legends[0].get_texts()[-1].get_text() == "remainder (49.99)"


@pytest.mark.parametrize("count", [2, 8, 24])
def test_confusion_of_many_actions(count):
    names = [f"riding_mechanical_bull_{i} (é)" for i in range(count)]
    figure = figures.confusion_figure(np.eye(count, dtype=int) * 1234, names, names, "Actions: videos")
    assert len(figures.to_png(figure)) > 5000
    axes = figure.axes[0]
    assert texts(axes) == ["1234"] * count
    # Names of neighbouring rows do not run into each other.
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in zip(boxes, boxes[1:]))


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (9_999, "9999"),
        (10_000, "10k"),
        (59_123, "59k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (9_949_999, "9.9M"),
        (12_345_678, "12M"),
    ],
)
def test_large_counts_fit_their_cells(count, told):
    states = [f"state {i}" for i in range(20)]
    figure = figures.confusion_figure(np.eye(20, dtype=int) * count, states, states, "States of located parts")
    figures.to_png(figure)  # lays out
    axes = figure.axes[0]
    assert texts(axes) == [told] * 20
    cell = axes.get_window_extent().width / 20
    assert all(text.get_window_extent().width < cell and text.get_fontsize() >= 7 for text in axes.texts)


def test_states_beyond_the_twentieth_share_a_column():
    states = tuple(f"state {i:02d}" for i in range(30))
    points = PointTables(Taxonomy(parts=("head",), states=states, actions=("lunge",)))
    # State i occurs 30 - i times; the first is once taken for the last.
    points._states.update({(name, name): 30 - i for i, name in enumerate(states)})
    points._states[states[0], states[29]] += 1
    axes = figures.state_confusion_figure(points).axes[0]
    rows, columns = (
        [label.get_text() for label in labels] for labels in (axes.get_yticklabels(), axes.get_xticklabels())
    )
    assert rows == list(states[:20]) and columns == [*states[:20], "other"]
    assert sorted(map(int, texts(axes))) == sorted([*range(11, 31), 1])


def test_nothing_located_and_nobody_annotated():
    """No state to compare, no part to lose: the pictures are there all the same."""
    taxonomy = Taxonomy(parts=("head",), states=("none",), actions=("lunge",))
    truth = VideoParse("v", (9, 9), 5, 5.0, [FrameParse(1, np.zeros((0, 4)))], {"action": np.ones(1)})
    found = diagnose([(truth, truth)], taxonomy)
    assert found.result.score == 0.9999
    assert len(figures.figures_of(found)) == 4
    assert texts(figures.state_confusion_figure(found.points).axes[0]) == ["nothing to compare"]
