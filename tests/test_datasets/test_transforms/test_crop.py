"""Cropping, by hand and by drawing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tpsparse.datasets.transforms import CropPerson, FlipPerson, JitterBox, JitterColor, PackPart, PackPartBoxes
from tpsparse.datasets.transforms.crop import grow_box
from tpsparse.models.part_parsing.parsing_hrnet import to_image

FLIP_PARTS = np.array([0, 2, 1])


@pytest.fixture(autouse=True)
def seeded():
    state = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(state)


def make_results(**changes) -> dict:
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    results = dict(
        img=image,
        box=np.array([40, 20, 80, 100], dtype=np.float32),
        part_boxes=np.array([[44, 24, 60, 40], [np.nan] * 4, [60, 60, 76, 90]], dtype=np.float32),
        part_states=np.array([2, -1, 0]),
        flip_parts=FLIP_PARTS,
        video="v",
        frame_index=6,
    )
    return {**results, **changes}


def test_grow_box_by_hand():
    # 40 x 80 in the proportions 3 : 4 becomes 60 x 80, times 1.25 is 75 x 100, about (60, 60).
    np.testing.assert_allclose(grow_box(np.array([40, 20, 80, 100]), (256, 192), 1.25), [22.5, 10, 97.5, 110])
    # Wider than the proportions: 90 x 30 becomes 90 x 120.
    np.testing.assert_allclose(grow_box(np.array([0, 0, 90, 30]), (256, 192), 1.0), [0, -45, 90, 75])


def test_crop_of_a_degenerate_box_is_small_and_real():
    results = CropPerson((64, 48))(make_results(box=np.array([10.0, 10, 10, 10])))
    assert results["img"].shape == (64, 48, 3)
    np.testing.assert_allclose(results["crop"][2:] - results["crop"][:2], [1.25, 1.25 * 64 / 48], rtol=1e-5)


def test_crop_maps_boxes_by_hand():
    results = CropPerson((200, 150), padding=1.25)(make_results())
    np.testing.assert_allclose(results["crop"], [22.5, 10, 97.5, 110])
    # The crop is drawn at twice its size.
    np.testing.assert_allclose(results["part_boxes"][0], [43, 28, 75, 60])
    assert np.isnan(results["part_boxes"][1]).all()
    assert results["img"].shape == (200, 150, 3) and results["img"].dtype == np.uint8


@pytest.mark.parametrize("size", [(200, 150), (100, 75), (128, 96)])
def test_crop_draws_what_the_boxes_say(size):
    results = make_results()
    results["img"][24:40, 44:60] = 255
    results = CropPerson(size)(results)
    bright = results["img"][..., 0].astype(float) / 255
    x0, y0, x1, y1 = results["part_boxes"][0]
    # The mass of the bright square, and its centre, in continuous coordinates.
    assert bright.sum() == pytest.approx((x1 - x0) * (y1 - y0), rel=0.02)
    ys, xs = np.mgrid[: size[0], : size[1]] + 0.5
    assert (bright * xs).sum() / bright.sum() == pytest.approx((x0 + x1) / 2, abs=0.05)
    assert (bright * ys).sum() / bright.sum() == pytest.approx((y0 + y1) / 2, abs=0.05)


def test_crop_beyond_the_image_is_black():
    results = CropPerson((64, 48))(
        make_results(img=np.full((120, 160, 3), 200, np.uint8), box=np.array([150, 0, 200, 60]))
    )
    assert (results["img"][:, -5:] == 0).all() and (results["img"][32, :10] == 200).all()


def test_crop_and_back():
    original = make_results()
    results = CropPerson((256, 192))(make_results())
    back = to_image(torch.tensor(results["part_boxes"]), torch.tensor(results["crop"]), (256, 192))
    np.testing.assert_allclose(back.numpy(), original["part_boxes"], atol=1e-4)


def test_crop_without_annotation():
    results = make_results()
    del results["part_boxes"], results["part_states"]
    packed = PackPart()(FlipPerson(prob=1)(CropPerson((64, 48))(results)))
    assert "part_boxes" not in packed["data_samples"] and "part_states" not in packed["data_samples"]


def test_flip_by_hand():
    results = FlipPerson(prob=1)(make_results(img=np.arange(12, dtype=np.uint8).reshape(1, 4, 3).repeat(80, 0)))
    # The image is 4 wide; parts 1 and 2 change places.
    np.testing.assert_allclose(results["part_boxes"][0], [4 - 60, 24, 4 - 44, 40])
    np.testing.assert_allclose(results["part_boxes"][1], [4 - 76, 60, 4 - 60, 90])
    assert np.isnan(results["part_boxes"][2]).all()
    assert results["part_states"].tolist() == [2, 0, -1]
    assert results["img"][0].tolist() == [[9, 10, 11], [6, 7, 8], [3, 4, 5], [0, 1, 2]]
    assert results["flipped"] is True


def test_flip_twice_is_nothing():
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    once = FlipPerson(prob=1)(make_results(img=image))
    twice = FlipPerson(prob=1)(once)
    original = make_results(img=image)
    for name in ("img", "part_boxes", "part_states"):
        np.testing.assert_array_equal(twice[name], original[name])
    assert twice["flipped"] is False


def test_flip_with_probability_zero_is_nothing():
    assert FlipPerson(prob=0)(make_results()).get("flipped", False) is False


def test_flip_leaves_the_samples_own_arrays_alone():
    results = make_results()
    boxes = results["part_boxes"].copy()
    kept = results["part_boxes"]
    FlipPerson(prob=1)(results)
    np.testing.assert_array_equal(kept, boxes)


def test_jitter_stays_within_its_limits():
    transform = JitterBox(scale=0.2, shift=0.1)
    boxes = np.stack([transform(make_results())["box"] for _ in range(300)])
    sides = boxes[:, 2:] - boxes[:, :2]
    factors = sides / [40, 80]
    assert factors.max() <= 1.2 + 1e-5 and factors.min() >= 1 / 1.2 - 1e-5 and np.ptp(factors) > 0.3
    shifts = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - 60) / [40, 80]
    assert shifts.max() <= 0.1 + 1e-5 and shifts.max() > 0.09
    assert boxes.dtype == np.float32


def test_jitter_with_probability_zero_is_nothing():
    np.testing.assert_array_equal(JitterBox(prob=0)(make_results())["box"], make_results()["box"])


def test_color_jitter_without_reach_is_nothing():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    result = JitterColor(0, 0, 0)(make_results(img=image))
    np.testing.assert_array_equal(result["img"], image)


def test_color_jitter_changes_colors_and_keeps_grey_grey():
    grey = np.full((4, 4, 3), 100, dtype=np.uint8)
    results = [JitterColor(0.3, 0.3, 0.3)(make_results(img=grey.copy()))["img"] for _ in range(20)]
    assert all(np.ptp(image.astype(int), axis=2).max() <= 1 for image in results)
    assert len({int(image[0, 0, 0]) for image in results}) > 5


def test_random_steps_follow_numpys_seed():
    def draw() -> np.ndarray:
        np.random.seed(7)
        return np.concatenate([JitterBox()(make_results())["box"] for _ in range(3)])

    np.testing.assert_array_equal(draw(), draw())


def test_pack():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    packed = PackPart()(make_results(img=image, crop=np.array([1.0, 2, 3, 4])))
    assert packed["inputs"].dtype == torch.uint8 and packed["inputs"].shape == (3, 2, 4)
    assert packed["inputs"][:, 1, 2].tolist() == image[1, 2].tolist()
    sample = packed["data_samples"]
    assert sample.part_boxes.shape == (3, 4) and sample.part_boxes.dtype == torch.float32
    assert sample.part_states.tolist() == [2, -1, 0]
    assert (sample.video, sample.frame_index, sample.flipped) == ("v", 6, False)
    assert sample.flip_parts.tolist() == [0, 2, 1] and sample.crop.tolist() == [1, 2, 3, 4]


def test_crop_maps_keypoints_by_hand():
    keypoints = np.zeros((17, 3), dtype=np.float32)
    keypoints[0] = [44, 24, 0.7]
    kept = keypoints.copy()
    results = CropPerson((200, 150), padding=1.25)(make_results(keypoints=keypoints))
    # As the corner of the first part: twice the distance from (22.5, 10); the score stays.
    np.testing.assert_allclose(results["keypoints"][0], [43, 28, 0.7], rtol=1e-6)
    assert results["keypoints"].dtype == np.float32
    np.testing.assert_array_equal(keypoints, kept)


class TestPackPartBoxes:
    def test_by_hand(self):
        # A crop of 160 x 120: part 0 inside, part 1 absent, part 2 half outside.
        boxes = np.array([[44, 24, 60, 40], [np.nan] * 4, [150, 60, 176, 130]], dtype=np.float32)
        packed = PackPartBoxes()(make_results(part_boxes=boxes, crop=np.array([1.0, 2, 3, 4])))
        assert packed["inputs"].shape == (3, 120, 160) and packed["inputs"].dtype == torch.uint8
        sample = packed["data_samples"]
        assert sample.gt_instances.bboxes.tolist() == [[44, 24, 60, 40], [150, 60, 160, 120]]
        assert sample.gt_instances.labels.tolist() == [0, 2] and sample.gt_instances.labels.dtype == torch.int64
        np.testing.assert_array_equal(sample.part_boxes.numpy(), boxes)
        assert sample.img_shape == sample.ori_shape == (120, 160) and sample.scale_factor == (1.0, 1.0)
        assert (sample.video, sample.frame_index, sample.flipped) == ("v", 6, False)
        assert sample.crop.tolist() == [1, 2, 3, 4] and sample.flip_parts.tolist() == [0, 2, 1]

    @pytest.mark.parametrize(
        ("box", "kept"),
        [
            ([10, 10, 11, 11], True),  # one pixel exactly
            ([10, 10, 10.9, 30], False),
            ([-20, 10, 0.5, 30], False),
            ([200, 10, 220, 30], False),
            ([10, 10, 10, 10], False),
        ],
        ids=str,
    )
    def test_what_is_left_inside_the_crop(self, box, kept):
        boxes = np.array([box, [np.nan] * 4, [np.nan] * 4], dtype=np.float32)
        instances = PackPartBoxes()(make_results(part_boxes=boxes))["data_samples"].gt_instances
        assert len(instances) == kept and instances.bboxes.shape == (int(kept), 4)

    def test_without_annotation(self):
        results = make_results()
        del results["part_boxes"], results["part_states"]
        sample = PackPartBoxes()(results)["data_samples"]
        assert "gt_instances" not in sample and "part_boxes" not in sample
