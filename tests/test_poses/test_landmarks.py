import bodies
import numpy as np
import pytest

from tpsparse.poses.landmarks import (
    COCO_KEYPOINTS,
    LANDMARKS,
    Pose,
    body_height,
    coco_keypoints,
    height_in_pixels,
    middle,
    pixels_per_metre,
)


def test_landmarks_are_mediapipes_33_and_coco_picks_its_17() -> None:
    assert len(LANDMARKS) == len(set(LANDMARKS)) == 33
    assert LANDMARKS[0] == "nose" and LANDMARKS[11] == "left_shoulder" and LANDMARKS[32] == "right_foot_index"
    assert [LANDMARKS[i] for i in COCO_KEYPOINTS] == [
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ]


def test_height_of_a_body_does_not_depend_on_how_it_is_bent() -> None:
    upright = bodies.t_pose()
    crouching = upright.copy()
    crouching[25:] *= [1, 0.3, 1]  # knees and below drawn up: only the trunk has its length
    assert body_height(upright) == pytest.approx(1.75)
    assert body_height(crouching) == pytest.approx(1.75)


def test_height_in_pixels_is_kept_when_the_body_is_turned_from_the_camera() -> None:
    upright = bodies.t_pose()
    tipped = upright[:, [0, 2, 1]]  # lying with the feet towards the camera
    points = np.stack([bodies.pose(upright).points, bodies.pose(tipped).points])
    world = np.stack([upright, tipped])
    np.testing.assert_allclose(height_in_pixels(points, world), [175, 175], rtol=1e-5)
    np.testing.assert_allclose(pixels_per_metre(points, world), [100, 100], rtol=1e-5)


def test_a_body_without_spread_has_no_height() -> None:
    flat = Pose(np.zeros((33, 3)), np.zeros((33, 3)), np.ones(33), 1.0)
    assert np.isnan(height_in_pixels(flat.points, flat.world))
    assert flat.height == 0


def test_middle() -> None:
    np.testing.assert_allclose(middle(bodies.t_pose(), "left_hip", "right_hip"), [0, 0, 0])


@pytest.mark.parametrize("name", ["points", "world", "visibility"])
def test_a_wrong_shape_is_refused_with_both_shapes(name: str) -> None:
    fields = {"points": np.zeros((33, 3)), "world": np.zeros((33, 3)), "visibility": np.zeros(33), "score": 1.0}
    fields[name] = np.zeros((17, 3))
    with pytest.raises(ValueError, match=rf"{name} has shape \(17, 3\), expected \(33"):
        Pose(**fields)


def test_box_is_around_all_landmarks() -> None:
    box = bodies.pose(bodies.t_pose(), at=(200, 150)).box
    # The arms reach 0.20 + 0.30 + 0.25 + 0.08 m to either side; the face is 0.704 m above the hips.
    np.testing.assert_allclose(box, [117, 79.6, 283, 240.925], atol=1e-3)


def test_coco_keypoints_of_poses() -> None:
    pose = bodies.pose(bodies.t_pose(), at=(200, 150))
    other = Pose(pose.points + 5, pose.world, np.linspace(0, 1, 33), 0.5)
    keypoints = coco_keypoints([pose, other])
    assert keypoints.shape == (2, 17, 3) and keypoints.dtype == np.float32
    # The left hip, 0.1 m beside the middle; the right ankle is landmark 28 of 0 to 32.
    np.testing.assert_allclose(keypoints[0, 11], [210, 150, pose.visibility[23]])
    np.testing.assert_allclose(keypoints[1, 16, 2], 28 / 32)
    np.testing.assert_allclose(keypoints[1, 11, :2], [215, 155])


def test_coco_keypoints_of_nobody() -> None:
    assert coco_keypoints([]).shape == (0, 17, 3)
