"""Columns of a window against the records they stand for, by hand. T = 3 frames with 2, 0 and 1 persons; K = 2."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tpsparse.parsing.window import Window
from tpsparse.structures import FrameObjects, FrameParse

IMAGES = np.arange(3 * 4 * 6 * 3, dtype=np.uint8).reshape(3, 4, 6, 3)


def records() -> list[FrameParse]:
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    first = FrameParse(1, boxes[:2], np.array([0.9, 0.8], np.float32), person_features={"f": np.ones((2, 5), "f4")})
    nobody = FrameParse(6, np.zeros((0, 4)), person_features={"f": np.zeros((0, 5), "f4")})
    last = FrameParse(11, boxes[2:], np.array([0.7], np.float32), person_features={"f": np.full((1, 5), 2, "f4")})
    for number, frame in enumerate((first, nobody, last)):
        frame.features["g"] = np.array([number, -number], dtype=np.float32)
        frame.part_boxes = np.full((len(frame), 2, 4), number, dtype=np.float32)
        frame.objects = FrameObjects(np.full((number, 4), number), np.ones(number), np.arange(number))
    return [first, nobody, last]


def same(left: FrameParse, right: FrameParse) -> None:
    assert left.frame_index == right.frame_index
    for name in ("boxes", "scores", "part_boxes"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    np.testing.assert_array_equal(left.objects.boxes, right.objects.boxes)
    np.testing.assert_array_equal(left.objects.labels, right.objects.labels)
    assert {n: rows.tolist() for n, rows in left.features.items()} == {n: r.tolist() for n, r in right.features.items()}
    for name, rows in left.person_features.items():
        np.testing.assert_array_equal(rows, right.person_features[name])


def test_persons_of_all_frames_stand_in_one_column():
    window = Window.of(IMAGES, records())
    assert len(window) == 3 and window.num_persons == 3
    assert window.owner.tolist() == [0, 0, 2] and window.counts == [2, 0, 1] and window.numbers == [1, 6, 11]
    assert window.persons["boxes"].tolist() == np.arange(12).reshape(3, 4).tolist()
    assert window.persons["part_boxes"].shape == (3, 2, 4) and "keypoints" not in window.persons
    assert window.person_features["f"][:, 0].tolist() == [1, 1, 2]
    assert window.features["g"].tolist() == [[0, 0], [1, -1], [2, -2]]
    assert window.object_owner.tolist() == [1, 2, 2] and window.objects["labels"].tolist() == [0, 0, 1]


def test_there_and_back():
    frames = records()
    for before, after in zip(records(), Window.of(IMAGES, frames).records(), strict=True):
        same(before, after)


def test_no_frame_keeps_the_whole_column_in_memory():
    for frame in Window.of(IMAGES, records()).records():
        assert frame.boxes.base is None or frame.boxes.base.nbytes == frame.boxes.nbytes


def test_records_without_anything():
    window = Window.of(IMAGES[:1], [FrameParse(3, np.zeros((0, 4)))])
    assert window.num_persons == 0 and window.persons["boxes"].shape == (0, 4) and window.object_owner is None
    assert list(window.person_batches(4)) == [] and list(window.frame_batches(4)) == [slice(0, 1)]
    [frame] = window.records()
    assert len(frame) == 0 and frame.objects is None and frame.part_boxes is None


@pytest.mark.parametrize(
    ("size", "expected"), [(1, [(0, 1), (1, 2), (2, 3)]), (2, [(0, 2), (2, 3)]), (3, [(0, 3)]), (9, [(0, 3)])]
)
def test_batches_span_frames(size, expected):
    window = Window.of(IMAGES, records())
    assert [(rows.start, rows.stop) for rows in window.person_batches(size)] == expected


def test_other_persons_replace_what_was_known_of_those_before():
    window = Window.of(IMAGES, records())
    window.set_persons(
        [torch.zeros(1, 4), torch.ones(2, 4), torch.zeros(0, 4)], [torch.ones(1), torch.ones(2)] + [torch.ones(0)]
    )
    assert window.owner.tolist() == [0, 1, 1] and window.counts == [1, 2, 0]
    assert set(window.persons) == {"boxes", "scores"} and window.person_features == {}
    assert window.features  # of the frames, which are the same


def test_a_column_of_another_length_is_told():
    window = Window.of(IMAGES, records())
    window.persons["part_scores"] = torch.zeros(2, 2)
    with pytest.raises(ValueError, match="a column of a window has 2 rows for 3 persons"):
        window.records()


def test_a_field_of_the_wrong_shape_is_told():
    window = Window.of(IMAGES, records())
    window.persons["part_scores"] = torch.zeros(3, 7)
    with pytest.raises(ValueError, match=r"part_scores has shape \(2, 7\), expected \(2, 2\)"):
        window.records()


def test_objects_of_some_frames_alone_are_none():
    frames = records()
    frames[1].objects = None
    assert Window.of(IMAGES, frames).object_owner is None
