from __future__ import annotations

import numpy as np
import pytest
from mmdet.datasets.transforms import RandomFlip, Resize

from tpsparse.datasets.transforms import LoadBoxes, SwapSides


def test_boxes_follow_the_image():
    boxes = np.array([[10, 20, 30, 60]], dtype=np.float32)
    results = dict(img=np.zeros((64, 96, 3), dtype=np.uint8), img_shape=(64, 96), boxes=boxes)
    results = Resize(scale=(192, 128))(LoadBoxes()(results))
    results = RandomFlip(prob=1.0)(results)
    # Twice the size, then mirrored in 192 pixels.
    assert results["gt_bboxes"].numpy().tolist() == [[192 - 60, 40, 192 - 20, 120]]
    assert boxes.tolist() == [[10, 20, 30, 60]]


@pytest.mark.parametrize("persons", [0, 3])
def test_one_class_and_nothing_ignored(persons):
    results = LoadBoxes()(dict(boxes=np.tile(np.array([0, 0, 5, 5], dtype=np.float32), (persons, 1))))
    assert results["gt_bboxes"].tensor.shape == (persons, 4)
    assert results["gt_bboxes_labels"].tolist() == [0] * persons
    assert results["gt_ignore_flags"].tolist() == [False] * persons


def test_without_annotation_nothing_is_added():
    assert LoadBoxes()(dict(img=1)) == dict(img=1)


def test_labels_of_several_classes():
    labels = np.array([3, 0])
    results = LoadBoxes()(dict(boxes=np.ones((2, 4), dtype=np.float32), labels=labels))
    assert results["gt_bboxes_labels"].tolist() == [3, 0] and results["gt_bboxes_labels"].dtype == np.int64
    results["gt_bboxes_labels"][0] = 1
    assert labels.tolist() == [3, 0]


# Head, left arm, right arm, ball.
TWINS = np.array([0, 2, 1, 3])


@pytest.mark.parametrize(
    ("flipped", "labels"),
    [
        (dict(flip=True, flip_direction="horizontal"), [2, 1, 0, 3, 2]),
        (dict(flip=False, flip_direction=None), [1, 2, 0, 3, 1]),
        (dict(flip=True, flip_direction="vertical"), [1, 2, 0, 3, 1]),
        (dict(), [1, 2, 0, 3, 1]),
    ],
)
def test_left_and_right_change_places_in_a_mirrored_image_only(flipped, labels):
    results = dict(gt_bboxes_labels=np.array([1, 2, 0, 3, 1]), flip_labels=TWINS, **flipped)
    assert SwapSides()(results)["gt_bboxes_labels"].tolist() == labels


def test_twice_mirrored_is_as_before():
    results = dict(gt_bboxes_labels=np.array([1, 2, 3]), flip_labels=TWINS, flip=True, flip_direction="horizontal")
    assert SwapSides()(SwapSides()(results))["gt_bboxes_labels"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_after_the_flip_of_mmdet(prob):
    boxes = np.array([[10, 20, 30, 60]], dtype=np.float32)
    results = dict(img=np.zeros((64, 96, 3), dtype=np.uint8), img_shape=(64, 96), boxes=boxes, labels=np.array([1]))
    results = SwapSides()(RandomFlip(prob=prob)(LoadBoxes()(dict(results, flip_labels=TWINS))))
    expected = ([[66, 20, 86, 60]], [2]) if prob else ([[10, 20, 30, 60]], [1])
    assert (results["gt_bboxes"].numpy().tolist(), results["gt_bboxes_labels"].tolist()) == expected


def test_frame_without_boxes():
    results = LoadBoxes()(dict(boxes=np.zeros((0, 4), dtype=np.float32), labels=np.zeros(0, dtype=np.int64)))
    results = SwapSides()(dict(results, flip_labels=TWINS, flip=True, flip_direction="horizontal"))
    assert results["gt_bboxes_labels"].shape == (0,)
