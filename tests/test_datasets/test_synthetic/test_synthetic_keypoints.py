"""Keypoints of the drawn figure, by hand. J = 17."""

import numpy as np
import pytest

from tpsparse.datasets.synthetic.actions import ACTIONS
from tpsparse.datasets.synthetic.camera import Camera, Painter, Shot
from tpsparse.datasets.synthetic.figure import Dresser, draw_build, draw_figure, draw_outfit
from tpsparse.datasets.synthetic.keypoints import frame_keypoints, world_keypoints
from tpsparse.datasets.synthetic.raster import OVERSAMPLE
from tpsparse.datasets.synthetic.scene import plan_scene
from tpsparse.datasets.synthetic.skeleton import Build, Pose, forward_kinematics
from tpsparse.structures.keypoints import KEYPOINTS, flip_keypoints

BUILD = Build()
SIZE = (120, 160)


def standing(yaw: float = 0.0, **fields):
    skeleton = forward_kinematics(BUILD, Pose(pelvis=(0.0, BUILD.stand, 0.0), **fields))
    return skeleton.moved(yaw, (0.0, 0.0, 0.0))


def painter(centre=(80.0, 60.0), focal=50.0) -> Painter:
    """Looking level from 1,000 m: a metre is 50 pixels, whatever its depth, and the height of 0.85 m is at row 60."""
    return Painter(Camera(0.0, 1000.0, focal, centre), Shot(SIZE), np.array([0.3, 1.0, 0.5]))


def test_face_by_hand():
    points = dict(zip(KEYPOINTS, world_keypoints(standing(), BUILD)))
    # The skull's middle: 0.885 + 0.48 + 0.085 + 0.75 heads of 0.135 m above the floor.
    height = 0.885 + 0.48 + 0.085 + 0.75 * 0.135
    np.testing.assert_allclose(points["nose"], [0, height - 0.16 * 0.135, 0.95 * 0.88 * 0.135])
    np.testing.assert_allclose(points["left_ear"], [0.98 * 0.8 * 0.135, height - 0.06 * 0.135, -0.05 * 0.88 * 0.135])
    np.testing.assert_allclose(points["right_eye"][:2], [-0.36 * 0.8 * 0.135, height + 0.04 * 0.135])
    np.testing.assert_allclose(points["left_hip"], [0.09, 0.885, 0])


def test_the_head_turns_the_face():
    points = dict(zip(KEYPOINTS, world_keypoints(standing(head=(90.0, 0.0, 0.0)), BUILD)))
    assert points["nose"][0] > 0.1 and points["left_ear"][2] < -0.1  # to the own left


def test_in_the_frame_by_hand():
    found = dict(zip(KEYPOINTS, frame_keypoints(painter(), standing(), BUILD)))
    # A person facing the camera has the own left at the picture's right.
    np.testing.assert_allclose(found["left_hip"], [80 + 50 * 0.09, 60 - 50 * (0.885 - 0.85), 1], atol=0.02)
    np.testing.assert_allclose(found["right_ankle"], [80 - 50 * 0.09, 60 - 50 * (0.075 - 0.85), 1], atol=0.02)


def test_who_shows_the_back_has_the_sides_the_other_way_and_hidden_keypoints_count():
    found = dict(zip(KEYPOINTS, frame_keypoints(painter(), standing(yaw=180), BUILD)))
    assert found["left_hip"][0] < 80 < found["right_hip"][0]
    assert found["nose"][2] == 1  # behind the head


@pytest.mark.parametrize(
    ("centre", "outside"),
    [
        ((-10.0, 60.0), set(KEYPOINTS) - {"left_elbow", "left_wrist"}),
        ((80.0, 20.0), {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"}),
    ],
)
def test_outside_the_frame_there_are_three_zeros(centre, outside):
    found = dict(zip(KEYPOINTS, frame_keypoints(painter(centre), standing(), BUILD)))
    assert {name for name, row in found.items() if row[2] == 0} == outside
    assert not any(found[name].any() for name in outside)


def test_at_the_very_edge():
    """A frame of 160 columns reaches from 0 to below 160."""
    skeleton = standing()
    at_zero = frame_keypoints(painter((50 * 0.09, 60.0)), skeleton, BUILD)[KEYPOINTS.index("right_hip")]
    beyond = frame_keypoints(painter((160 - 50 * 0.09, 60.0)), skeleton, BUILD)[KEYPOINTS.index("left_hip")]
    inside = frame_keypoints(painter((160 - 50 * 0.09 - 0.01, 60.0)), skeleton, BUILD)[KEYPOINTS.index("left_hip")]
    assert abs(at_zero[0]) < 1e-6 and beyond[2] == 0 and inside[2] == 1


def test_keypoints_are_where_the_figure_is_drawn():
    """Every joint lies on drawn pixels, and six pixels outside of the ear nothing is drawn."""
    rng = np.random.default_rng(4)
    build = draw_build(rng)
    outfit = draw_outfit(rng, "lunge")
    drawn = painter()
    skeleton = forward_kinematics(build, Pose(pelvis=(0.0, build.stand, 0.0)))
    draw_figure(drawn, skeleton, build, outfit, Dresser(0))
    owner = drawn.canvas.owner[drawn.canvas.frame_window()]
    found = dict(zip(KEYPOINTS, frame_keypoints(drawn, skeleton, build)))
    for name in ("nose", "left_shoulder", "right_elbow", "left_wrist", "right_hip", "left_knee", "right_ankle"):
        x, y = (int(value * OVERSAMPLE) for value in found[name][:2])
        assert owner[y, x] > 0, name
    assert owner[int(found["left_ear"][1] * OVERSAMPLE), int((found["left_ear"][0] + 6) * OVERSAMPLE)] == 0


def test_of_a_scene_by_its_persons():
    scene = plan_scene(np.random.default_rng(1), ACTIONS[4], frames=2, size=(72, 96))
    _, annotation, keypoints = scene.render(1)
    for human, points in zip(annotation["humans"], keypoints, strict=True):
        x0, y0, x1, y1 = human["box"]
        seen = points[points[:, 2] > 0]
        # Joints lie inside the body, so inside the box around it.
        assert (seen[:, 0] >= x0 - 1).all() and (seen[:, 0] <= x1 + 1).all()
        assert (seen[:, 1] >= y0 - 1).all() and (seen[:, 1] <= y1 + 1).all()


def test_mirrored_pose_has_mirrored_keypoints():
    """A head turned to the other side, with limbs alike, is the mirror image."""
    left = frame_keypoints(painter(), standing(head=(30.0, 0.0, 0.0)), BUILD)[None]
    right = frame_keypoints(painter(), standing(head=(-30.0, 0.0, 0.0)), BUILD)[None]
    np.testing.assert_allclose(flip_keypoints(left, 160), right, atol=1e-4)
