"""Checks of boxes, each at its threshold. Frames are 100 pixels wide and 50 high."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny import REPOSITORY

from tpsparse.datasets.index.checks import KINDS, beyond_frame, box_faults, far_parts, read_boxes, same_persons

SIZE = (50, 100)


def faults(*boxes, size=SIZE) -> list[tuple[int, str]]:
    return box_faults(read_boxes(list(boxes)), size)


def test_sound_boxes_are_read_as_they_are():
    boxes = read_boxes([[1, 2, 3.5, 4], [0, 0, 1, 1]])
    assert boxes.dtype == np.float64 and boxes.tolist() == [[1, 2, 3.5, 4], [0, 0, 1, 1]]


def test_nothing():
    assert read_boxes([]).shape == (0, 4) and faults() == [] and len(beyond_frame(np.zeros((0, 4)), SIZE)) == 0
    assert same_persons(np.zeros((0, 4)), np.zeros(0)).shape == (0, 2)
    assert len(far_parts(np.zeros((0, 4)), np.zeros((0, 4)))) == 0


@pytest.mark.parametrize(
    "box", [None, 3, "1234", [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, "3", 4], [True, 0, 3, 4], [[1]] * 4]
)
def test_not_four_numbers(box):
    sound = [1, 2, 3, 4]
    assert np.isnan(read_boxes([box])).all()
    assert faults(sound, box, sound) == [(1, "is not four numbers")]  # and the others are read


@pytest.mark.parametrize(
    "box",
    [
        [3, 0, 3, 4],
        [4, 0, 3, 4],
        [0, 4, 3, 4],
        [0, 0, math.nan, 4],
        [0, 0, math.inf, 4],
        [0, 0, 10**400, 4],
        [0, 0, 1e31, 4],
    ],
)
def test_empty_inverted_or_not_finite(box):
    assert faults(box) == [(0, "is empty, inverted or not finite")]


@pytest.mark.parametrize(
    ("box", "outside"),
    [
        ([-5, -5, 0.5, 0.5], False),
        ([-5, 1, 0, 2], True),  # ends where the frame begins
        ([1, -5, 2, 0], True),
        ([99.5, 49.5, 120, 70], False),
        ([100, 1, 120, 2], True),  # begins where the frame ends
        ([1, 50, 2, 60], True),
    ],
)
def test_outside(box, outside):
    assert faults(box) == ([(0, "is outside the 100x50 frame")] if outside else [])
    assert faults(box, size=None) == []


@pytest.mark.parametrize(
    ("box", "beyond"),
    [
        ([0, 0, 100, 50], False),
        ([-1, -1, 101, 51], False),  # the tolerance itself
        ([-1.01, 0, 10, 10], True),
        ([0, -1.01, 10, 10], True),
        ([0, 0, 101.01, 10], True),
        ([0, 0, 10, 51.01], True),
    ],
)
def test_beyond_frame(box, beyond):
    assert beyond_frame(read_boxes([box]), SIZE).tolist() == [0] * beyond
    assert beyond_frame(read_boxes([box]), None).tolist() == []


@pytest.mark.parametrize(
    ("part", "far"),
    [
        ([10, 10, 20, 20], False),
        ([0, 20, 5, 30], False),  # touches the person's box grown by a quarter of its 20 pixels
        ([0, 20, 4.9, 30], True),
        ([35, 20, 40, 30], False),
        ([35.1, 20, 40, 30], True),
        ([15, 60, 20, 70], False),  # its 40 pixels of height allow 10
        ([15, 60.1, 20, 70], True),
    ],
)
def test_far_part(part, far):
    person = np.array([[10.0, 10, 30, 50]])
    assert far_parts(np.array([part], dtype=float), person).tolist() == [0] * far


def test_same_persons():
    # 10 x 10 against 10 x 9: an overlap of 0.9, the threshold itself; 10 x 8 is less.
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8], [0, 0, 10, 10], [50, 0, 60, 10]], dtype=float)
    assert sorted(map(tuple, same_persons(boxes, np.ones(5)).tolist())) == [(0, 1), (0, 3), (1, 3)]
    assert same_persons(boxes, np.array([1, 2, 3, 4, 5])).tolist() == []  # each in a frame of its own
    assert same_persons(boxes, np.array([1, 2, 3, 3, 3])).tolist() == []


def test_same_persons_equal_a_plain_loop():
    generator = np.random.default_rng(0)
    frames = np.sort(generator.integers(0, 6, 40))
    boxes = generator.integers(0, 2, (40, 4)).astype(float) + [0, 0, 20, 20]
    expected = set()
    for i in range(40):
        for j in range(i + 1, 40):
            low, high = np.maximum(boxes[i, :2], boxes[j, :2]), np.minimum(boxes[i, 2:], boxes[j, 2:])
            common = (high - low).prod()
            areas = [(box[2:] - box[:2]).prod() for box in (boxes[i], boxes[j])]
            if frames[i] == frames[j] and common / (sum(areas) - common) >= 0.9:
                expected.add((i, j))
    assert set(map(tuple, same_persons(boxes, frames).tolist())) == expected and 10 < len(expected) < 120


def test_the_page_lists_every_kind():
    page, _, _ = (REPOSITORY / "docs" / "data.md").read_text().partition("## TAPOS")  # which has kinds of its own
    for name, kind in KINDS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` | {kind.severity} |")]
        assert row.endswith(f": {kind.remedy} |") and kind.item
