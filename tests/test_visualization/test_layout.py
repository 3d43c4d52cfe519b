from __future__ import annotations

import pytest

from tpsparse.visualization.layout import overlap, place_beside, place_label

CANVAS = (100, 200)  # height, width


@pytest.mark.parametrize(
    ("second", "pixels"),
    [((5, 5, 15, 15), 25), ((10, 0, 20, 10), 0), ((20, 20, 30, 30), 0), ((2, 3, 4, 6), 6), ((20, 0, 30, 10), 0)],
)
def test_overlap_by_hand(second, pixels):
    assert overlap((0, 0, 10, 10), second) == pixels
    assert overlap(second, (0, 0, 10, 10)) == pixels


def test_panel_stands_at_the_right_in_line_with_the_top():
    assert place_beside((20, 30), (50, 30, 80, 90), [], CANVAS, gap=6) == (86, 30, 116, 50)


def test_panel_goes_left_at_the_right_edge():
    assert place_beside((20, 30), (150, 30, 190, 90), [], CANVAS, gap=6) == (114, 30, 144, 50)


def test_panel_goes_below_what_fills_the_width():
    assert place_beside((20, 30), (0, 0, 200, 70), [], CANVAS, gap=6) == (0, 76, 30, 96)


def test_panel_keeps_clear_of_what_is_taken():
    taken = [(86, 0, 200, 60)]
    rect = place_beside((20, 30), (50, 30, 80, 90), taken, CANVAS, gap=6)
    assert rect == (86, 70, 116, 90)  # in line with the bottom: middle, 50 to 70, still meets the obstacle


def test_panel_of_a_box_that_leaves_the_picture_stays_inside():
    rect = place_beside((20, 30), (50, -40, 80, 140), [], CANVAS, gap=6)
    assert rect == (86, 0, 116, 20)


def test_no_place_for_a_panel():
    assert place_beside((20, 30), (0, 0, 200, 100), [], CANVAS) is None
    assert place_beside((120, 30), (50, 30, 80, 90), [], CANVAS) is None
    assert place_beside((20, 30), (50, 30, 80, 90), [(0, 0, 200, 100)], CANVAS) is None


def test_label_stands_above_then_below_then_at_the_right_then_at_the_left():
    size, anchor = (10, 30), (50, 40, 60, 50)
    above, below, right, left = (50, 30, 80, 40), (50, 50, 80, 60), (60, 40, 90, 50), (20, 40, 50, 50)
    for taken, expected in (
        ([], above),
        ([above], below),
        ([above, below], right),
        ([above, below, right], left),
        ([above, below, right, left], None),
    ):
        assert place_label(size, anchor, taken, CANVAS) == expected


def test_label_at_the_upper_edge_goes_below():
    assert place_label((10, 30), (50, 0, 60, 20), [], CANVAS) == (50, 20, 80, 30)
