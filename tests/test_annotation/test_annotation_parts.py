import bodies
import numpy as np
import pytest

from tpsparse.annotation.parts import PARTS, landmarks_of, part_boxes, person_boxes
from tpsparse.poses.landmarks import LANDMARK_IDS, LANDMARKS

SIZE = (400, 400)
H = 175.0  # the body's height in pixels


def boxes_of(world: np.ndarray, *, at: tuple[float, float] = (200, 150), visibility=None, **options) -> dict:
    pose = bodies.pose(world, at=at)
    visibility = pose.visibility if visibility is None else visibility
    boxes = part_boxes(pose.points[None], pose.world[None], visibility[None], size=SIZE, **options)
    assert boxes.shape == (1, 10, 4) and boxes.dtype == np.float32
    return dict(zip(PARTS, boxes[0]))


def test_parts_are_the_official_ten() -> None:
    assert (
        *("head", "hip", "left_arm", "right_arm", "left_hand", "right_hand"),
        *("left_leg", "right_leg", "left_foot", "right_foot"),
    ) == PARTS


def test_boxes_of_a_t_pose() -> None:
    boxes = boxes_of(bodies.t_pose())
    # Left arm: shoulder at (220, 99.6), wrist at (275, 99.6); radii 0.040, 0.030 and 0.022 body heights.
    np.testing.assert_allclose(
        boxes["left_arm"], [220 - 0.040 * H, 99.6 - 0.040 * H, 275 + 0.022 * H, 99.6 + 0.040 * H], atol=0.01
    )
    # Hips at (190, 150) and (210, 150), radius 0.062.
    np.testing.assert_allclose(boxes["hip"], [190 - 0.062 * H, 150 - 0.062 * H, 210 + 0.062 * H, 150 + 0.062 * H])
    # Left leg: x = 210 down to the ankle at y = 150 + 42.875 + 43.05; radii 0.055, 0.042, 0.030.
    np.testing.assert_allclose(
        boxes["left_leg"], [210 - 0.055 * H, 150 - 0.055 * H, 210 + 0.055 * H, 235.925 + 0.030 * H], atol=0.01
    )
    # Left foot: ankle at y = 235.925, heel and toes 5 pixels lower; radius 0.025.
    np.testing.assert_allclose(
        boxes["left_foot"], [210 - 0.025 * H, 235.925 - 0.025 * H, 210 + 0.025 * H, 240.925 + 0.025 * H], atol=0.01
    )
    # Left hand: wrist at x = 275, knuckles at 283, finger tips 1.8 times as far from the wrist.
    np.testing.assert_allclose(
        boxes["left_hand"], [275 - 0.020 * H, 99.6 - 0.020 * H, 289.4 + 0.018 * H, 99.6 + 0.020 * H], atol=0.01
    )
    # Head: the ears' middle is at (200, 79.6), as is the nose; it points straight up.
    centre = 79.6 - 0.015 * H
    np.testing.assert_allclose(
        boxes["head"], [200 - 0.062 * H, centre - 0.078 * H, 200 + 0.062 * H, centre + 0.078 * H], atol=0.01
    )


def test_left_and_right_mirror_each_other() -> None:
    boxes = boxes_of(bodies.t_pose())
    for part in ("arm", "hand", "leg", "foot"):
        x0, y0, x1, y1 = boxes[f"left_{part}"]
        np.testing.assert_allclose(boxes[f"right_{part}"], [400 - x1, y0, 400 - x0, y1], atol=0.01)


def test_the_head_of_a_lying_body_is_longer_than_high() -> None:
    boxes = boxes_of(bodies.t_pose()[:, [1, 0, 2]])  # x and y swapped: the head points to the left
    x0, y0, x1, y1 = boxes["head"]
    assert (x1 - x0, y1 - y0) == (pytest.approx(2 * 0.078 * H, abs=0.01), pytest.approx(2 * 0.062 * H, abs=0.01))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_not_seen_is_left_out(part: str) -> None:
    visibility = np.ones(len(LANDMARKS))
    visibility[landmarks_of(part)] = 0.5
    assert np.isfinite(boxes_of(bodies.t_pose(), visibility=visibility)[part]).all(), "exactly at the threshold"
    visibility[landmarks_of(part)] = 0.49
    boxes = boxes_of(bodies.t_pose(), visibility=visibility)
    assert np.isnan(boxes[part]).all()
    assert np.isfinite(boxes_of(bodies.t_pose(), visibility=visibility, min_visibility=0.4)[part]).all()


def test_boxes_are_cut_to_the_frame_and_left_out_when_mostly_outside() -> None:
    # The middle of the hips is on the right border: the left arm begins 20 pixels beyond it.
    boxes = boxes_of(bodies.t_pose(), at=(400, 150))
    assert np.isnan(boxes["left_arm"]).all() and np.isnan(boxes["left_hand"]).all()
    assert boxes["head"][2] == 400 and boxes["hip"][2] == 400
    assert np.isfinite(boxes["right_arm"]).all()
    assert all(np.isnan(box).all() for box in boxes_of(bodies.t_pose(), at=(-900, 150)).values())


def test_a_body_of_a_few_pixels_has_no_parts() -> None:
    tiny = bodies.pose(bodies.t_pose() * 0.01)
    boxes = part_boxes(tiny.points[None], tiny.world[None], tiny.visibility[None], size=SIZE)
    # An arm is 0.5 pixels long.
    assert np.isnan(boxes[0, PARTS.index("left_arm")]).all()


def test_no_bodies_and_bodies_without_spread() -> None:
    assert part_boxes(np.zeros((0, 33, 3)), np.zeros((0, 33, 3)), np.zeros((0, 33)), size=SIZE).shape == (0, 10, 4)
    assert np.isnan(part_boxes(np.zeros((1, 33, 3)), np.zeros((1, 33, 3)), np.ones((1, 33)), size=SIZE)).all()


def test_the_person_box_is_around_the_parts() -> None:
    pose = bodies.pose(bodies.t_pose())
    boxes = part_boxes(pose.points[None], pose.world[None], pose.visibility[None], size=SIZE)
    np.testing.assert_allclose(person_boxes(boxes)[0, :2], boxes[0, :, :2].min(axis=0))
    np.testing.assert_allclose(person_boxes(boxes)[0, 2:], boxes[0, :, 2:].max(axis=0))
    boxes[0, [4, 5]] = np.nan  # without hands the arms decide the sides
    assert person_boxes(boxes)[0, 2] == pytest.approx(275 + 0.022 * H, abs=0.01)
    assert np.isnan(person_boxes(np.full((2, 10, 4), np.nan))).all()
    assert person_boxes(np.zeros((0, 10, 4))).shape == (0, 4)


def test_landmarks_of_a_hand() -> None:
    assert landmarks_of("right_hand") == [
        LANDMARK_IDS[f"right_{name}"] for name in ("wrist", "pinky", "index", "thumb")
    ]
