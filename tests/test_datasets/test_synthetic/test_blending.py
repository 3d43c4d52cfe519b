"""Bodies between two bodies: ends, lengths of bones, shortest turns."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.synthetic.blending import blend
from tpsparse.datasets.synthetic.posing import both
from tpsparse.datasets.synthetic.skeleton import Build, Pose, Swing, forward_kinematics

BUILD = Build()
LIMBS = [("left_shoulder", "left_elbow"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("neck", "head")]


def body(pitch=0.0, arm=0.0, knee=0.0, height=2.0):
    pose = Pose((0.0, height, 0.0), facing=(0.0, pitch, 0.0), arms=both(Swing(flex=arm)), legs=both(Swing(bend=knee)))
    return forward_kinematics(BUILD, pose)


def length(skeleton, bone):
    return np.linalg.norm(skeleton.points[bone[1]] - skeleton.points[bone[0]])


def test_ends_are_the_bodies_themselves():
    start, end = body(), body(arm=90)
    assert blend(start, end, 0.0) is start and blend(start, end, 1.0) is end


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_bones_keep_their_lengths(share):
    start, end = body(pitch=-80, arm=170, knee=120), body(pitch=175, arm=-40)
    between = blend(start, end, share)
    for bone in LIMBS:
        assert length(between, bone) == pytest.approx(length(start, bone), abs=1e-9), bone
    for axes in (between.pelvis, between.chest, between.head):
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(axes) == pytest.approx(1)


def test_half_way_of_a_right_angle_is_half_a_right_angle():
    between = blend(body(), body(arm=90), 0.5)
    upper = between.points["left_elbow"] - between.points["left_shoulder"]
    # Hanging is (0, -1, 0), ahead is (0, 0, 1).
    np.testing.assert_allclose(upper / np.linalg.norm(upper), [0, -np.sqrt(0.5), np.sqrt(0.5)], atol=1e-9)


def test_axes_turn_by_their_share():
    between = blend(body(), body(pitch=80), 0.25)
    np.testing.assert_allclose(between.pelvis[:, 1], [0, np.cos(np.radians(20)), np.sin(np.radians(20))], atol=1e-9)


def test_opposite_bones_and_half_turns_stay_finite():
    between = blend(body(), body(pitch=180, arm=0), 0.5)
    points = np.stack(list(between.points.values()))
    assert np.isfinite(points).all()
    assert length(between, LIMBS[0]) == pytest.approx(BUILD.upper_arm)


def test_nothing_sinks_below_the_floor():
    # Two crouches whose way between is a stretch: the pelvis alone would leave the feet below the floor.
    start = forward_kinematics(BUILD, Pose((0.0, 0.5, 0.0), legs=both(Swing(flex=100, bend=0))))
    end = forward_kinematics(BUILD, Pose((0.0, 0.5, 0.0), legs=both(Swing(flex=-100, bend=0))))
    assert min(point[1] for body in (start, end) for point in body.points.values()) >= 0
    between = blend(start, end, 0.5)
    assert min(point[1] for point in between.points.values()) >= -1e-9
