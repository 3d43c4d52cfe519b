from __future__ import annotations

import numpy as np
import pytest
from mmdet.datasets.transforms import RandomFlip, Resize

from tpsparse.datasets.transforms import LoadPersons


def test_boxes_follow_the_image():
    boxes = np.array([[10, 20, 30, 60]], dtype=np.float32)
    results = dict(img=np.zeros((64, 96, 3), dtype=np.uint8), img_shape=(64, 96), boxes=boxes)
    results = Resize(scale=(192, 128))(LoadPersons()(results))
    results = RandomFlip(prob=1.0)(results)
    # Twice the size, then mirrored in 192 pixels.
    assert results["gt_bboxes"].numpy().tolist() == [[192 - 60, 40, 192 - 20, 120]]
    assert boxes.tolist() == [[10, 20, 30, 60]]


@pytest.mark.parametrize("persons", [0, 3])
def test_one_class_and_nothing_ignored(persons):
    results = LoadPersons()(dict(boxes=np.tile(np.array([0, 0, 5, 5], dtype=np.float32), (persons, 1))))
    assert results["gt_bboxes"].tensor.shape == (persons, 4)
    assert results["gt_bboxes_labels"].tolist() == [0] * persons
    assert results["gt_ignore_flags"].tolist() == [False] * persons


def test_without_annotation_nothing_is_added():
    assert LoadPersons()(dict(img=1)) == dict(img=1)
