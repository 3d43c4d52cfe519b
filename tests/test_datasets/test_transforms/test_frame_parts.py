"""Whole frames scaled, cropped, mirrored and packed. P persons, K = 3 parts: head and two arms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tpsparse.datasets.transforms import CropFrame, FlipFrame, PackFrameParts, ScaleFrame
from tpsparse.registry import TRANSFORMS

NAN = float("nan")
ABSENT = [NAN] * 4


def frame(height=10, width=20, **changes):
    """One person with a head and a left arm, one object; the picture has its column as red, its row as green."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    return (
        dict(
            img=image,
            video="a (1)",
            frame_index=7,
            flip_parts=np.array([0, 2, 1]),
            boxes=np.array([[2, 2, 8, 10]], dtype=np.float32),
            part_boxes=np.array([[[2, 2, 6, 4], [2, 4, 4, 8], ABSENT]], dtype=np.float32),
            part_states=np.array([[1, 2, -1]]),
            relevance=np.array([[0, 1, -1]], dtype=np.float32),
            object_boxes=np.array([[10, 0, 14, 4]], dtype=np.float32),
            object_labels=np.array([3]),
        )
        | changes
    )


def empty(**changes):
    nobody = dict(boxes=(0, 4), part_boxes=(0, 3, 4), relevance=(0, 3), object_boxes=(0, 4))
    rows = {name: np.zeros(shape, dtype=np.float32) for name, shape in nobody.items()}
    return frame(**rows, part_states=np.zeros((0, 3), dtype=int), object_labels=np.zeros(0, dtype=int)) | changes


class Place:
    """Draws the crop's corner (top, left) that a test wants, if the room for it is what the test expects."""

    def __init__(self, monkeypatch, corner, room):
        self.corner, self.room = corner, room
        monkeypatch.setattr(np.random, "randint", self)

    def __call__(self, low, high):
        assert low == 0 and (np.asarray(high) - 1).tolist() == list(self.room)
        return np.array(self.corner)


class TestScale:
    def test_proportions_are_not_kept(self):
        result = ScaleFrame((30, 10))(frame())  # three times as high, half as wide
        assert result["img"].shape == (30, 10, 3)
        assert result["boxes"].tolist() == [[1, 6, 4, 30]]
        np.testing.assert_array_equal(result["part_boxes"][0], [[1, 6, 3, 12], [1, 12, 2, 24], ABSENT])
        assert result["object_boxes"].tolist() == [[5, 0, 7, 12]]
        assert result["boxes"].dtype == result["part_boxes"].dtype == np.float32

    def test_without_anybody(self):
        assert ScaleFrame((5, 5))(empty())["part_boxes"].shape == (0, 3, 4)


class TestCrop:
    def test_by_hand(self, monkeypatch):
        # 8 x 16 pixels from row 2, column 3. The head (4 x 2 pixels) keeps 3 of 4 columns, the arm 1 of 2: just enough;
        # the person 5 of 6 columns and the object half of its rows.
        Place(monkeypatch, (2, 3), room=(2, 4))
        result = CropFrame((8, 16))(frame())
        assert result["img"].shape == (8, 16, 3) and result["img"][0, 0].tolist() == [3, 2, 0]
        np.testing.assert_array_equal(result["part_boxes"], [[[0, 0, 3, 2], [0, 2, 1, 6], ABSENT]])
        assert result["boxes"].tolist() == [[0, 0, 5, 8]]
        assert result["object_boxes"].tolist() == [[7, 0, 11, 2]] and result["object_labels"].tolist() == [3]
        assert result["part_states"].tolist() == [[1, 2, -1]] and result["relevance"].tolist() == [[0, 1, -1]]

    def test_parts_of_which_too_little_is_left(self, monkeypatch):
        Place(monkeypatch, (2, 3), room=(2, 4))
        result = CropFrame((8, 16), min_visible=0.51)(frame())
        np.testing.assert_array_equal(result["part_boxes"], [[[0, 0, 3, 2], ABSENT, ABSENT]])
        assert result["part_states"].tolist() == [[1, -1, -1]] and result["part_states"].dtype == np.int64
        assert result["relevance"].tolist() == [[0, -1, -1]] and result["relevance"].dtype == np.float32
        assert result["object_boxes"].shape == (0, 4) and result["object_labels"].shape == (0,)

    def test_persons_of_whom_too_little_is_left(self, monkeypatch):
        Place(monkeypatch, (0, 6), room=(0, 6))
        two = {
            name: np.concatenate([frame()[name]] * 2) for name in ("boxes", "part_boxes", "part_states", "relevance")
        }
        two["boxes"][1] = [7, 2, 9, 4]
        result = CropFrame((10, 14))(frame(**two))
        assert result["boxes"].tolist() == [[1, 2, 3, 4]]
        assert len(result["part_boxes"]) == len(result["part_states"]) == len(result["relevance"]) == 1

    def test_scores_of_objects_go_along(self, monkeypatch):
        Place(monkeypatch, (0, 12), room=(0, 18))
        given = dict(object_boxes=np.float32([[0, 0, 4, 4], [12, 0, 14, 2]]), object_labels=np.array([0, 1]))
        result = CropFrame((10, 2))(frame(**given, object_scores=np.float32([0.9, 0.2])))
        assert result["object_scores"].tolist() == [np.float32(0.2)] and result["object_labels"].tolist() == [1]

    def test_a_box_without_area_is_not_visible(self, monkeypatch):
        Place(monkeypatch, (0, 0), room=(0, 0))
        result = CropFrame((10, 20), min_visible=0)(frame(object_boxes=np.float32([[3, 3, 3, 5]])))
        assert len(result["object_boxes"]) == 0

    def test_without_anybody(self):
        result = CropFrame((5, 5))(empty())
        assert result["part_boxes"].shape == (0, 3, 4) and result["relevance"].shape == (0, 3)

    def test_every_place_is_drawn(self):
        np.random.seed(0)
        corners = {tuple(CropFrame((9, 18))(frame())["img"][0, 0, :2].tolist()) for _ in range(200)}
        assert corners == {(column, row) for column in range(3) for row in range(2)}

    def test_a_picture_that_is_too_small(self):
        with pytest.raises(ValueError, match=r"picture has \(10, 20\) pixels, the crop \(11, 20\): scale it first"):
            CropFrame((11, 20))(frame())


class TestFlip:
    def test_left_and_right_change_places(self):
        result = FlipFrame(prob=1.0)(frame())
        assert result["img"][0, :, 0].tolist() == list(range(19, -1, -1)) and result["flipped"] is True
        assert result["boxes"].tolist() == [[12, 2, 18, 10]]
        np.testing.assert_array_equal(result["part_boxes"], [[[14, 2, 18, 4], ABSENT, [16, 4, 18, 8]]])
        assert result["part_states"].tolist() == [[1, -1, 2]] and result["relevance"].tolist() == [[0, -1, 1]]
        assert result["object_boxes"].tolist() == [[6, 0, 10, 4]] and result["object_labels"].tolist() == [3]

    def test_twice_is_nothing(self):
        flip = FlipFrame(prob=1.0)
        result, given = flip(flip(frame())), frame()
        assert result["flipped"] is False
        for name in given:
            np.testing.assert_array_equal(result[name], given[name])

    def test_share(self):
        np.random.seed(0)
        assert "flipped" not in FlipFrame(prob=0.0)(frame())
        assert 70 < sum("flipped" in FlipFrame(prob=0.5)(frame()) for _ in range(200)) < 130

    def test_without_annotation_and_without_anybody(self):
        given = empty()
        del given["part_states"], given["relevance"]
        assert FlipFrame(prob=1.0)(given)["part_boxes"].shape == (0, 3, 4)


class TestPack:
    def test_fields(self):
        packed = PackFrameParts()(frame())
        assert packed["inputs"].dtype == torch.uint8 and packed["inputs"].shape == (3, 10, 20)
        assert packed["inputs"][:, 4, 6].tolist() == [6, 4, 0]
        sample = packed["data_samples"]
        assert (sample.video, sample.frame_index, sample.flipped) == ("a (1)", 7, False)
        assert sample.part_boxes.dtype == sample.relevance.dtype == sample.object_scores.dtype == torch.float32
        assert sample.part_states.dtype == sample.object_labels.dtype == torch.int64
        assert sample.object_scores.tolist() == [1.0] and sample.part_states.tolist() == [[1, 2, -1]]

    def test_in_testing(self):
        given = frame(object_scores=np.float32([0.25]))
        del given["part_states"], given["relevance"]
        sample = PackFrameParts()(given)["data_samples"]
        assert "part_states" not in sample and "relevance" not in sample and sample.object_scores.tolist() == [0.25]

    def test_without_anybody(self):
        sample = PackFrameParts()(empty())["data_samples"]
        assert sample.part_boxes.shape == (0, 3, 4) and sample.object_scores.shape == (0,)


def test_by_name():
    for name in ("ScaleFrame", "CropFrame"):
        assert TRANSFORMS.build(dict(type=name, size=[3, 4])).size == (3, 4)
    assert isinstance(TRANSFORMS.build(dict(type="PackFrameParts")), PackFrameParts)
