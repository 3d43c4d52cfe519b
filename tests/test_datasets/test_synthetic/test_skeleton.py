import numpy as np
import pytest

from tpsparse.datasets.synthetic.skeleton import (
    Build,
    Pose,
    Reach,
    Swing,
    bend_limb,
    forward_kinematics,
    mirror,
    rotation,
)

BUILD = Build()


def joint(pose: Pose, name: str) -> np.ndarray:
    return forward_kinematics(BUILD, pose).points[name]


def standing(**fields) -> Pose:
    return Pose(pelvis=(0.0, BUILD.stand, 0.0), **fields)


def test_standing_joints_by_hand():
    points = forward_kinematics(BUILD, standing(arms=dict.fromkeys(("left", "right"), Swing()))).points
    assert len(points) == 22
    # Legs straight down from the hips: 0.41 + 0.40 + 0.075 above the floor.
    np.testing.assert_allclose(points["left_hip"], [0.09, 0.885, 0])
    np.testing.assert_allclose(points["left_knee"], [0.09, 0.475, 0])
    np.testing.assert_allclose(points["left_ankle"], [0.09, 0.075, 0])
    np.testing.assert_allclose(points["left_toe"], [0.09, 0, 0.15 + 0.045], atol=1e-12)
    # The trunk is 0.12 + 0.36 long, shoulders lie 0.045 below its end, the arm is 0.28 + 0.25 long.
    np.testing.assert_allclose(points["right_shoulder"], [-0.185, 0.885 + 0.48 - 0.045, 0])
    np.testing.assert_allclose(points["right_wrist"], [-0.185, 1.32 - 0.53, 0])


@pytest.mark.parametrize(
    ("limb", "elbow", "wrist"),
    [
        (Swing(flex=90), [0.185, 1.32, 0.28], [0.185, 1.32, 0.53]),  # straight ahead
        (Swing(spread=90), [0.465, 1.32, 0], [0.715, 1.32, 0]),  # out to the left
        (Swing(bend=90), [0.185, 1.04, 0], [0.185, 1.04, 0.25]),  # upper arm hangs, forearm ahead
        (Swing(flex=180), [0.185, 1.60, 0], [0.185, 1.85, 0]),  # straight up
    ],
)
def test_arm_by_angles_by_hand(limb, elbow, wrist):
    pose = standing(arms={"left": limb, "right": Swing()})
    np.testing.assert_allclose(joint(pose, "left_elbow"), elbow, atol=1e-12)
    np.testing.assert_allclose(joint(pose, "left_wrist"), wrist, atol=1e-12)


def test_knee_bends_backwards():
    pose = standing(legs={"left": Swing(bend=90), "right": Swing()})
    np.testing.assert_allclose(joint(pose, "left_ankle"), [0.09, 0.475, -0.4], atol=1e-12)


def test_reach_brings_palm_and_foot_to_their_places():
    sides = ("left", "right")
    pose = Pose(
        pelvis=(0.0, 0.7, 0.0),
        arms=dict.fromkeys(sides, Reach(0.3, 1.3, 0.2)),
        legs=dict.fromkeys(sides, Reach(0.15, 0.0, 0.15)),
    )
    skeleton = forward_kinematics(BUILD, pose)
    np.testing.assert_allclose(skeleton.palm("left"), [0.3, 1.3, 0.2], atol=1e-6)
    np.testing.assert_allclose(skeleton.palm("right"), [-0.3, 1.3, 0.2], atol=1e-6)
    assert skeleton.points["left_heel"][1] == pytest.approx(0, abs=1e-9)
    assert skeleton.points["left_toe"][1] == pytest.approx(0, abs=1e-9)
    assert skeleton.points["left_knee"][2] > 0.1  # a knee bends ahead
    for upper, lower, length in (("hip", "knee", BUILD.thigh), ("knee", "ankle", BUILD.shin)):
        bone = skeleton.points[f"left_{upper}"] - skeleton.points[f"left_{lower}"]
        assert np.linalg.norm(bone) == pytest.approx(length)


def test_bend_limb_makes_the_3_4_5_triangle():
    middle, end = bend_limb(np.zeros(3), np.array([5.0, 0, 0]), (3.0, 4.0), np.array([0, 1.0, 0]))
    np.testing.assert_allclose(end, [5, 0, 0])
    np.testing.assert_allclose(middle, [9 / 5, 12 / 5, 0])  # foot and height of the right angle


def test_bend_limb_stretches_towards_what_it_cannot_reach():
    middle, end = bend_limb(np.zeros(3), np.array([0, 0, 10.0]), (1.0, 1.0), np.array([0, 1.0, 0]))
    np.testing.assert_allclose(end, [0, 0, 2], atol=2e-3)
    assert np.linalg.norm(middle) == pytest.approx(1)


def test_facing_spine_and_head_turn_to_the_left():
    skeleton = forward_kinematics(BUILD, standing(facing=(90, 0, 0)))
    np.testing.assert_allclose(skeleton.pelvis[:, 2], [1, 0, 0], atol=1e-12)  # ahead is now the old left
    leaning = forward_kinematics(BUILD, standing(spine=(0, 90, 0)))
    np.testing.assert_allclose(leaning.points["neck"], [0, 0.885 + 0.12, 0.36], atol=1e-12)


def test_moved_turns_about_the_origin_then_shifts():
    moved = forward_kinematics(BUILD, standing()).moved(90, (1.0, 0.0, -2.0))
    np.testing.assert_allclose(moved.points["left_hip"], [1.0, 0.885, -2.09], atol=1e-12)


def test_mirror_reflects_every_joint():
    pose = Pose(
        pelvis=(0.1, 0.8, 0.2),
        facing=(20, 10, 5),
        spine=(15, 20, -8),
        head=(30, -10, 6),
        arms={"left": Swing(30, 40, 50, 20), "right": Reach(0.2, 1.5, 0.3)},
        legs={"left": Reach(0.2, 0.0, 0.3), "right": Swing(10, 5, 60)},
        heels={"left": 20.0, "right": 5.0},
    )
    assert mirror(mirror(pose)) == pose
    points, twins = (forward_kinematics(BUILD, p).points for p in (pose, mirror(pose)))
    for name, point in points.items():
        twin = name.replace("left", "?").replace("right", "left").replace("?", "right")
        np.testing.assert_allclose(twins[twin], point * [-1, 1, 1], atol=1e-9, err_msg=name)


def test_rotation_is_right_handed():
    np.testing.assert_allclose(rotation("x", 90) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation("y", 90) @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(rotation("z", 90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
