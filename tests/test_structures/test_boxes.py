from __future__ import annotations

import warnings

import numpy as np
import pytest

from tpsparse.structures import box_area, clip_boxes, flip_boxes, is_present, pairwise_iou

NAN_BOX = [np.nan] * 4


def boxes(*rows) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def test_area_has_no_plus_one_and_inverted_boxes_have_none():
    # 3 x 4 = 12; a box from 5 back to 2 has no width; two negative sides must not make a positive area.
    assert box_area(boxes([1, 2, 4, 6], [5, 0, 2, 4], [5, 5, 2, 2], [1, 1, 1, 9])).tolist() == [12, 0, 0, 0]


def test_area_takes_leading_axes():
    assert box_area(np.ones((2, 3, 4), np.float32)).shape == (2, 3)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 1.0),
        ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7),  # 1 shared of 4 + 4 - 1
        ([0, 0, 4, 4], [1, 1, 3, 3], 4 / 16),  # one inside the other
        ([0, 0, 2, 2], [2, 0, 4, 2], 0.0),  # a shared edge is no area
        ([0, 0, 2, 2], [5, 5, 6, 6], 0.0),
        ([1, 1, 1, 1], [1, 1, 1, 1], 0.0),  # both empty
        (NAN_BOX, [0, 0, 2, 2], 0.0),
    ],
)
def test_iou_by_hand(first, second, expected):
    assert pairwise_iou(boxes(first), boxes(second)).item() == pytest.approx(expected, abs=1e-6)
    assert pairwise_iou(boxes(second), boxes(first)).item() == pytest.approx(expected, abs=1e-6)


def test_iou_is_a_table_of_all_pairs_in_float32():
    table = pairwise_iou(boxes([0, 0, 2, 2], [0, 0, 4, 4]), boxes([0, 0, 2, 2], [9, 9, 10, 10], [2, 2, 4, 4]))
    assert table.dtype == np.float32
    np.testing.assert_allclose(table, [[1, 0, 0], [0.25, 0, 0.25]])


def test_iou_of_whole_number_boxes_is_not_cut_to_whole_numbers():
    first = np.array([[0, 0, 2, 2]])
    assert pairwise_iou(first, np.array([[1, 1, 3, 3]])).item() == pytest.approx(1 / 7)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (2, 0)])
def test_iou_of_nothing(n, m):
    assert pairwise_iou(np.zeros((n, 4), np.float32), np.zeros((m, 4), np.float32)).shape == (n, m)


def test_iou_of_random_boxes_equals_counting_cells():
    # Independent road: boxes on a grid of whole cells, areas by counting cells.
    rng = np.random.default_rng(0)
    low = rng.integers(0, 8, (6, 2))
    grid_boxes = np.concatenate([low, low + rng.integers(1, 6, (6, 2))], axis=1)
    cells = np.zeros((6, 14, 14), dtype=bool)
    for mask, (x0, y0, x1, y1) in zip(cells, grid_boxes):
        mask[y0:y1, x0:x1] = True
    shared = (cells[:, None] & cells[None]).sum(axis=(2, 3))
    union = (cells[:, None] | cells[None]).sum(axis=(2, 3))
    np.testing.assert_allclose(pairwise_iou(grid_boxes.astype(np.float32), grid_boxes), shared / union, rtol=1e-6)


def test_clip_uses_height_for_y_and_width_for_x_and_keeps_nan():
    clipped = clip_boxes(boxes([-5, -6, 50, 60], NAN_BOX), (20, 30))
    assert clipped[0].tolist() == [0, 0, 30, 20]
    assert np.isnan(clipped[1]).all()
    assert clipped.dtype == np.float32


def test_flip_by_hand_and_back_leaves_the_input_alone():
    given = boxes([1, 2, 4, 6], NAN_BOX)
    before = given.copy()
    flipped = flip_boxes(given, 10)
    assert flipped[0].tolist() == [6, 2, 9, 6]
    assert np.isnan(flipped[1]).all()
    np.testing.assert_array_equal(flip_boxes(flipped, 10), given)
    np.testing.assert_array_equal(given, before)


def test_presence_needs_four_finite_numbers():
    given = boxes([0, 0, 1, 1], NAN_BOX, [0, 0, 1, np.nan], [0, 0, np.inf, 1])
    assert is_present(given).tolist() == [True, False, False, False]
    assert is_present(np.zeros((0, 10, 4))).shape == (0, 10)


def test_nan_boxes_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairwise_iou(boxes(NAN_BOX), boxes(NAN_BOX))
        clip_boxes(boxes(NAN_BOX), (2, 2))
