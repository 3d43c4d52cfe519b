import numpy as np
import pytest

from tpsparse.evaluation.functional import inclusive_iou, match_persons


@pytest.mark.parametrize(
    ("box", "other", "expected", "reason"),
    [
        ([0, 0, 9, 9], [0, 0, 9, 9], 1.0, "the same 10 x 10 pixels"),
        ([0, 0, 9, 9], [5, 0, 14, 9], 50 / 150, "5 of 10 columns: the continuous rule would give 36 / 126"),
        ([0, 0, 9, 9], [9, 9, 18, 18], 1 / 199, "one shared pixel, though the continuous boxes only touch"),
        ([0, 0, 9, 9], [10, 0, 19, 9], -1.0, "next to each other, no shared pixel"),
        ([0, 0, 9, 9], [50, 50, 60, 60], -1.0, "far apart"),
        ([3, 4, 3, 4], [3, 4, 3, 4], 1.0, "a single pixel has the area 1"),
        ([9, 0, 0, 9], [0, 0, 9, 9], -1.0, "inverted by more than a pixel"),
        ([0, 0, 9.5, 9], [0, 0, 9, 9.5], 100 / 110, "10.5 x 10 and 10 x 10.5: fractions count"),
    ],
)
def test_inclusive_iou_by_hand(box, other, expected, reason):
    for pair in ((box, other), (other, box)):
        assert inclusive_iou(*map(np.array, pair)) == pytest.approx(expected, abs=1e-12), reason


def test_inclusive_iou_broadcasts():
    boxes = np.array([[0, 0, 9, 9], [5, 0, 14, 9]])
    table = inclusive_iou(boxes[:, None], boxes[None])
    np.testing.assert_allclose(table, [[1, 1 / 3], [1 / 3, 1]])
    assert inclusive_iou(np.zeros((0, 1, 4)), boxes[None]).shape == (0, 2)


def _pairs(annotated, predicted, threshold=0.5):
    rows, columns = match_persons(np.array(annotated), np.array(predicted), threshold)
    return list(zip(rows.tolist(), columns.tolist()))


def test_exactly_at_the_person_threshold_is_no_match():
    half = [0, 0, 9, 4]  # 10 x 5 of 10 x 10 pixels
    assert _pairs([[0, 0, 9, 9]], [half], 0.5) == []
    assert _pairs([[0, 0, 9, 9]], [half], 0.4999) == [(0, 0)]


def test_persons_share_predictions_one_to_one():
    # Both annotated persons like prediction 0 best (IoU 100/120 and 100/110); the total is best when the first
    # takes its second choice, where the README's rule would give prediction 0 to both.
    annotated = [[0, 0, 9, 11], [0, 0, 9, 10]]
    predicted = [[0, 0, 9, 9], [0, 0, 9, 14]]
    assert _pairs(annotated, predicted) == [(0, 1), (1, 0)]


def test_the_best_total_may_cost_a_person_its_match():
    # IoU: a0-p0 0.6, a0-p1 0.5, a1-p0 1, a1-p1 0.1. The best total pairs a0 with p1, which is not above 0.5.
    annotated, predicted = [[0, 0, 9, 9], [0, 0, 9, 5]], [[0, 0, 9, 5], [0, 5, 9, 9]]
    assert _pairs(annotated, predicted) == [(1, 0)]


@pytest.mark.parametrize(("annotated", "predicted"), [(0, 0), (0, 2), (2, 0)])
def test_nobody_to_match(annotated, predicted):
    box = [0, 0, 9, 9]
    assert _pairs([box] * annotated, [box] * predicted) == []


def test_more_predictions_than_persons_and_the_reverse():
    boxes = [[100 * i, 0, 100 * i + 9, 9] for i in range(4)]
    assert _pairs([boxes[2]], boxes) == [(0, 2)]
    assert _pairs(boxes, [boxes[3], boxes[1]]) == [(1, 1), (3, 0)]


def test_a_tie_gives_one_match_each():
    box = [0, 0, 9, 9]
    pairs = _pairs([box, box], [box, box])
    assert sorted(i for i, _ in pairs) == sorted(j for _, j in pairs) == [0, 1]
