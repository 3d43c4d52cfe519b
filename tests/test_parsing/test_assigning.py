"""Parts to persons: containment, then distance; boxes drawn by hand in crowded frames."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.parsing.assigning import assign_parts, centre_distance, contained_share, parts_by_person

HAND, HEAD = 0, 1
TALL = [0.0, 0.0, 100.0, 200.0]
BESIDE = [80.0, 0.0, 180.0, 200.0]  # overlaps TALL by 20 pixels


def assign(boxes, persons, scores=None, labels=None, **options):
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    scores = np.linspace(0.9, 0.5, len(boxes)) if scores is None else np.array(scores)
    labels = np.zeros(len(boxes), dtype=np.int64) if labels is None else np.array(labels)
    persons = np.array(persons, dtype=np.float32).reshape(-1, 4)
    return assign_parts(boxes, scores, labels, persons, **options).tolist()


def around(x, y, half=5.0):
    return [x - half, y - half, x + half, y + half]


class TestOnePerson:
    def test_inside(self):
        assert assign([around(50, 50)], [TALL]) == [0]

    @pytest.mark.parametrize(("right", "owner"), [(105.0, 0), (105.1, -1), (100.0, 0), (111.0, -1)])
    def test_half_inside_is_enough_and_less_is_not(self, right, owner):
        # Ten pixels wide, so that at right = 105 exactly half lies inside.
        assert assign([[right - 10, 50, right, 60]], [TALL]) == [owner]

    @pytest.mark.parametrize(("min_inside", "owner"), [(0.3, 0), (0.31, -1), (1.0, -1)])
    def test_threshold_is_given(self, min_inside, owner):
        assert assign([[97, 50, 107, 60]], [TALL], min_inside=min_inside) == [owner]

    def test_best_of_a_part_is_taken_and_the_rest_left_out(self):
        boxes = [around(20, 50), around(50, 50), around(80, 50)]
        assert assign(boxes, [TALL], scores=[0.3, 0.8, 0.5]) == [-1, 0, -1]

    def test_first_of_equal_scores(self):
        assert assign([around(20, 50), around(50, 50)], [TALL], scores=[0.5, 0.5]) == [0, -1]

    def test_parts_do_not_compete(self):
        assert assign([around(20, 50), around(20, 50)], [TALL], labels=[HAND, HEAD]) == [0, 0]


class TestCrowd:
    def test_hand_that_reaches_into_the_neighbours_box_stays_with_its_own(self):
        # At x = 93 it is wholly inside both. In half widths it is 43/50 from TALL's middle and 37/50 from BESIDE's,
        # who has a better hand of his own.
        boxes = [around(140, 100), around(93, 100)]
        assert assign(boxes, [TALL, BESIDE], scores=[0.9, 0.8]) == [1, 0]

    def test_without_a_better_one_the_nearer_person_has_it(self):
        assert assign([around(93, 100)], [TALL, BESIDE]) == [1]
        assert assign([around(87, 100)], [TALL, BESIDE]) == [0]

    def test_wholly_inside_comes_before_nearer(self):
        # Wholly inside TALL, 45/50 from his middle; 4 of 10 pixels stand out of the small one, whose middle is at 90.
        small = [80.0, 90.0, 96.0, 110.0]
        box = [90.0, 95.0, 100.0, 105.0]
        assert contained_share(np.array([box]), np.array([TALL, small])).tolist() == [[1.0, pytest.approx(0.6)]]
        assert centre_distance(np.array([box]), np.array([TALL, small]))[0].tolist() == [pytest.approx(0.9), 0.875]
        assert assign([box], [TALL, small]) == [0]

    def test_partly_inside_by_distance(self):
        # Six of ten pixels are in either: 0.6 each. The centre at 100 is 49/49.5 half widths from the first's middle
        # and 50/50 from the second's.
        left, right = [2.0, 0.0, 101.0, 200.0], [99.0, 0.0, 199.0, 200.0]
        assert assign([around(100, 100)], [left, right]) == [0]
        assert assign([around(100.2, 100)], [left, right]) == [1]

    def test_person_inside_anothers_box(self):
        child = [40.0, 100.0, 60.0, 140.0]
        # 0 is the child's middle and also inside TALL; the second hand is outside the child.
        assert assign([around(50, 120), around(20, 120)], [TALL, child]) == [1, 0]
        # The child has a hand already: the next in the same place is TALL's.
        assert assign([around(50, 120), around(50, 125)], [TALL, child]) == [1, 0]

    def test_more_hands_than_persons(self):
        boxes = [around(50, 50 + 10 * i) for i in range(4)]
        assert sorted(assign(boxes, [TALL, TALL])) == [-1, -1, 0, 1]

    def test_two_persons_in_one_place_the_first_is_first(self):
        # Shifted by 4 of 10 pixels: an IoU of 60 / 140, so a hand of its own.
        assert assign([around(50, 100), around(50, 104)], [TALL, TALL]) == [0, 1]

    def test_a_second_detection_of_a_hand_does_not_displace_the_neighbours(self):
        # The duplicate is shifted by 1 of 10 pixels: an IoU of 9 / 11, and wholly in both persons.
        first, second = [0.0, 0.0, 100.0, 200.0], [60.0, 0.0, 160.0, 200.0]
        boxes = [[62, 90, 72, 110], [63, 90, 73, 110], [150, 90, 159, 110]]
        assert assign(boxes, [first, second], scores=[0.9, 0.8, 0.7]) == [0, -1, 1]
        # Of another part it is none, and alone it is the first's.
        assert assign(boxes, [first, second], scores=[0.9, 0.8, 0.7], labels=[HAND, HEAD, HAND]) == [0, 0, 1]
        assert assign(boxes[1:], [first, second], scores=[0.8, 0.7]) == [0, 1]

    @pytest.mark.parametrize(("shift", "owner"), [(2.0, -1), (2.1, 1)])
    def test_exactly_as_much_as_counts_as_a_duplicate(self, shift, owner):
        # Six pixels wide: shifted by 2, 4 of 8 are shared.
        boxes = [[40, 90, 46, 100], [40 + shift, 90, 46 + shift, 100]]
        assert assign(boxes, [TALL, TALL]) == [0, owner]

    def test_boxes_without_an_area_are_no_duplicates(self):
        assert assign([[50, 50, 50, 60], [50, 50, 50, 60]], [TALL, TALL]) == [0, 1]

    def test_distance_is_in_the_persons_own_size(self):
        # 30 pixels from a wide person's middle is less than 25 from a narrow one's.
        wide, narrow = [0.0, 0.0, 200.0, 100.0], [105.0, 0.0, 175.0, 100.0]
        assert assign([around(115, 50)], [wide, narrow]) == [0]

    @pytest.mark.parametrize(("overhang", "owner"), [(0.5, 1), (0.6, 0)])
    def test_exactly_as_much_as_counts_as_wholly(self, overhang, owner):
        # 95% inside the small person, whose middle is near, is wholly; 94% is not, and TALL holds all of it.
        small = [60.0, 50.0, 90.0 + 5 - overhang, 70.0]
        assert assign([[85.0, 55.0, 95.0, 65.0]], [TALL, small]) == [owner]


class TestEmpty:
    def test_no_persons(self):
        assert assign([around(5, 5)], []) == [-1]

    def test_no_parts(self):
        assert assign([], [TALL]) == []

    def test_neither(self):
        assert assign([], []) == []

    def test_box_without_area_is_where_its_centre_is(self):
        assert assign([[50, 50, 50, 60], [150, 50, 150, 60]], [TALL]) == [0, -1]

    def test_person_without_area_holds_nothing(self):
        assert assign([around(50, 50), [50, 50, 50, 50]], [[50, 0, 50, 100]]) == [-1, -1]


def test_equals_a_plain_loop_on_random_frames():
    rng = np.random.default_rng(0)
    for _ in range(40):
        corners = rng.integers(0, 60, (12, 2)) * 1.0
        boxes = np.concatenate([corners, corners + rng.integers(4, 20, (12, 2))], axis=1)
        corners = rng.integers(0, 40, (4, 2)) * 1.0
        persons = np.concatenate([corners, corners + rng.integers(20, 50, (4, 2))], axis=1)
        labels, scores = rng.integers(0, 3, 12), rng.permutation(12) / 12
        expected = plain(boxes, scores, labels, persons)
        assert assign_parts(boxes, scores, labels, persons).tolist() == expected


def plain(boxes, scores, labels, persons):
    """The rule as it is told, one box and one person at a time."""
    owners = [-1] * len(boxes)
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        ranked = []
        for p, person in enumerate(persons):
            width = min(boxes[i][2], person[2]) - max(boxes[i][0], person[0])
            height = min(boxes[i][3], person[3]) - max(boxes[i][1], person[1])
            area = (boxes[i][2] - boxes[i][0]) * (boxes[i][3] - boxes[i][1])
            share = max(width, 0) * max(height, 0) / area
            if share < 0.5:
                continue
            dx = (boxes[i][0] + boxes[i][2] - person[0] - person[2]) / (person[2] - person[0])
            dy = (boxes[i][1] + boxes[i][3] - person[1] - person[3]) / (person[3] - person[1])
            ranked.append((share < 0.95, np.hypot(dx, dy), p))
        theirs = [
            [j for j in range(len(boxes)) if (owners[j], labels[j]) == (p, labels[i])] for *_, p in sorted(ranked)
        ]
        if theirs and theirs[0] and plain_iou(boxes[i], boxes[theirs[0][0]]) >= 0.5:
            continue
        able = [p for (*_, p), has in zip(sorted(ranked), theirs) if not has]
        owners[i] = able[0] if able else -1
    return owners


def plain_iou(one, two):
    width, height = min(one[2], two[2]) - max(one[0], two[0]), min(one[3], two[3]) - max(one[1], two[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)) - shared)


class TestByPerson:
    def test_by_hand(self):
        boxes = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 10, 10]], dtype=np.float32)
        scores, labels = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 0])
        part_boxes, part_scores = parts_by_person(boxes, scores, labels, np.array([1, 1, -1]), (2, 3))
        assert part_boxes.shape == (2, 3, 4) and part_boxes.dtype == part_scores.dtype == np.float32
        assert part_boxes[1, :2].tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
        assert np.isnan(part_boxes[0]).all() and np.isnan(part_boxes[1, 2]).all()
        np.testing.assert_allclose(part_scores, [[0, 0, 0], [0.8, 0.9, 0]])

    @pytest.mark.parametrize("shape", [(0, 3), (2, 3)])
    def test_nothing_found(self, shape):
        empty = np.zeros(0, dtype=np.int64)
        part_boxes, part_scores = parts_by_person(np.zeros((0, 4)), np.zeros(0), empty, empty, shape)
        assert part_boxes.shape == (*shape, 4) and np.isnan(part_boxes).all() and not part_scores.any()
