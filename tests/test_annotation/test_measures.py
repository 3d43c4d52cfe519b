import bodies
import numpy as np
import pytest
from bodies import HEIGHT

from tpsparse.annotation.measures import GROUPS, MEASURES, Body, angle_between
from tpsparse.poses.landmarks import LANDMARK_IDS

FOREARM, UPPER_ARM = bodies.FOREARM / HEIGHT, bodies.UPPER_ARM / HEIGHT


def measure(name: str, world: np.ndarray, side: str = "left") -> float:
    """The measure in the one frame of a clip."""
    return float(MEASURES[name].compute(Body(bodies.track([bodies.pose(world)]), fps=25.0), side)[0])


def moving(world: np.ndarray, pixels: list[float], fps: float) -> Body:
    """A body that stands at these places from frame to frame."""
    return Body(bodies.track([bodies.pose(world, at=(200 + x, 150)) for x in pixels]), fps)


def test_angles() -> None:
    x, y = np.array([[1.0, 0, 0]]), np.array([[0, 2.0, 0]])
    assert angle_between(x, y)[0] == pytest.approx(90)
    assert angle_between(x, 3 * x)[0] == pytest.approx(0)
    assert angle_between(x, -x)[0] == pytest.approx(180)
    assert np.isnan(angle_between(x, 0 * x)[0])


def test_the_arm_of_a_t_pose() -> None:
    world = bodies.t_pose()
    assert measure("elbow_angle", world) == pytest.approx(180, abs=0.1)
    assert measure("wrist_above_shoulder", world) == pytest.approx(0, abs=1e-5)
    assert measure("wrist_above_hip", world) == pytest.approx(0.288, rel=1e-4)
    assert measure("wrists_apart", world) == pytest.approx(1.5 / HEIGHT, rel=1e-4)
    # From the shoulder the hip is 0.10 m nearer to the middle and a trunk lower; the arm points outwards.
    assert measure("shoulder_angle", world) == pytest.approx(90 + np.degrees(np.arctan(0.10 / bodies.TRUNK)), abs=0.01)


def test_an_elbow_bent_at_a_right_angle() -> None:
    world = bodies.set_arm(bodies.t_pose(), "left", upper=(1, 0, 0), lower=(0, -1, 0))
    assert measure("elbow_angle", world, "left") == pytest.approx(90, abs=0.01)
    assert measure("elbow_angle", world, "right") == pytest.approx(180, abs=0.1)
    assert measure("wrist_above_shoulder", world, "left") == pytest.approx(FOREARM, rel=1e-4)


def test_an_angle_is_seen_also_when_it_points_at_the_camera() -> None:
    world = bodies.set_arm(bodies.t_pose(), "left", upper=(1, 0, 0), lower=(0, 0, -1))
    assert measure("elbow_angle", world) == pytest.approx(90, abs=0.01)


def test_hanging_and_raised_arms() -> None:
    assert measure("wrist_above_shoulder", bodies.hanging()) == pytest.approx(-UPPER_ARM - FOREARM, rel=1e-4)
    up = bodies.set_arm(bodies.t_pose(), "left", upper=(0, -1, 0), lower=(0, -1, 0))
    assert measure("wrist_above_shoulder", up) == pytest.approx(UPPER_ARM + FOREARM, rel=1e-4)
    assert measure("shoulder_angle", up) > 165


def test_standing_legs() -> None:
    world = bodies.t_pose()
    for side in ("left", "right"):
        assert measure("knee_angle", world, side) == pytest.approx(180, abs=0.1)
        assert measure("thigh_tilt", world, side) == pytest.approx(0, abs=0.1)
        assert measure("foot_above_other", world, side) == pytest.approx(0, abs=1e-5)
        assert measure("heel_lift", world, side) == pytest.approx(0, abs=1e-5)
        assert measure("ankle_angle", world, side) == pytest.approx(90, abs=0.01)
    assert measure("ankles_apart", world) == pytest.approx(0.20 / HEIGHT, rel=1e-4)
    assert measure("hips_above_ankles", world) == pytest.approx(0.245 + 0.246, rel=1e-4)


def lifted_leg() -> np.ndarray:
    """The left thigh level towards the camera, the shank hanging."""
    world = bodies.t_pose()
    for joint in ("knee", "ankle", "heel", "foot_index"):
        world[LANDMARK_IDS[f"left_{joint}"]] += (0, -bodies.THIGH, -bodies.THIGH)
    return world


def test_a_lifted_leg() -> None:
    world = lifted_leg()
    assert measure("knee_angle", world) == pytest.approx(90, abs=0.01)
    assert measure("thigh_tilt", world) == pytest.approx(90, abs=0.01)
    assert measure("foot_above_other", world, "left") == pytest.approx(0.245, rel=1e-3)
    assert measure("foot_above_other", world, "right") == pytest.approx(-0.245, rel=1e-3)
    # The hip speaks of the side that is bent more.
    assert measure("knee_angle", world, "") == pytest.approx(90, abs=0.01)
    assert measure("hip_angle", world, "") == pytest.approx(measure("hip_angle", world, "left"))
    # The supporting ankle is the lower one.
    assert measure("hips_above_ankles", world) == pytest.approx(0.491, rel=1e-3)


def test_the_hip_speaks_of_the_one_side_that_is_seen() -> None:
    pose = bodies.pose(lifted_leg())
    hidden = pose.visibility.copy()
    hidden[LANDMARK_IDS["left_knee"]] = 0.1
    track = bodies.track([type(pose)(pose.points, pose.world, hidden, 1.0)])
    assert MEASURES["knee_angle"].compute(Body(track, 25.0), "")[0] == pytest.approx(180, abs=0.1)
    assert np.isnan(MEASURES["knee_angle"].compute(Body(track, 25.0), "left")[0])


def test_on_tiptoe() -> None:
    world = bodies.t_pose()
    world[LANDMARK_IDS["left_heel"]] += (0, -0.05, 0)
    assert measure("heel_lift", world) == pytest.approx(0.05 / HEIGHT, rel=1e-4)
    assert measure("ankle_angle", world) == pytest.approx(90 + np.degrees(np.arctan(0.05 / 0.20)), abs=0.01)


def test_trunk_and_head() -> None:
    world = bodies.t_pose()
    assert measure("trunk_tilt", world, "") == pytest.approx(0, abs=0.1)
    assert measure("trunk_twist", world, "") == pytest.approx(0, abs=0.1)
    assert measure("head_turn", world, "") == pytest.approx(0, abs=0.1)
    assert measure("head_nod", world, "") == pytest.approx(0, abs=0.1)
    lying = world[:, [1, 0, 2]]
    assert measure("trunk_tilt", lying, "") == pytest.approx(90, abs=0.01)


@pytest.mark.parametrize("degrees", [30, -30, 60])
def test_a_turned_head_and_twisted_shoulders(degrees: float) -> None:
    turn = np.radians(degrees)
    about_spine = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    turned, twisted = bodies.t_pose(), bodies.t_pose()
    turned[:11] = turned[:11] @ about_spine
    twisted[:23] = twisted[:23] @ about_spine
    assert measure("head_turn", turned, "") == pytest.approx(abs(degrees), abs=0.01)
    assert measure("trunk_twist", twisted, "") == pytest.approx(abs(degrees), abs=0.01)
    assert measure("head_turn", twisted, "") == pytest.approx(0, abs=0.1)


def test_a_face_that_looks_down_and_up() -> None:
    down, up = bodies.t_pose(), bodies.t_pose()
    down[LANDMARK_IDS["nose"], 1] += 0.10  # as far down as it is in front of the ears
    up[LANDMARK_IDS["nose"], 1] -= 0.10
    assert measure("head_nod", down, "") == pytest.approx(45, abs=0.01)
    assert measure("head_nod", up, "") == pytest.approx(-45, abs=0.01)


def test_speeds_are_in_body_heights_a_second() -> None:
    # 1.75 pixels a frame at 25 frames a second: 0.25 body heights of 175 pixels a second.
    body = moving(bodies.t_pose(), [1.75 * i for i in range(9)], 25.0)
    np.testing.assert_allclose(MEASURES["body_speed"].compute(body, ""), 0.25, rtol=1e-3)
    np.testing.assert_allclose(MEASURES["ankle_speed"].compute(body, "left"), 0.25, rtol=1e-3)
    # As seen from the shoulder or from the feet nothing moves.
    np.testing.assert_allclose(MEASURES["wrist_speed"].compute(body, "left"), 0, atol=1e-4)
    np.testing.assert_allclose(MEASURES["hip_speed"].compute(body, ""), 0, atol=1e-4)
    # At twice the frame rate the same pictures go twice as fast.
    fast = Body(body.track, 50.0)
    np.testing.assert_allclose(MEASURES["body_speed"].compute(fast, ""), 0.5, rtol=1e-3)


def test_one_frame_has_no_speed() -> None:
    assert measure("body_speed", bodies.t_pose(), "") == 0


def test_a_moment_of_a_wrong_height_does_not_change_the_unit() -> None:
    poses = [bodies.pose(bodies.t_pose()) for _ in range(5)]
    poses[2] = bodies.pose(bodies.t_pose() * 1.5)
    heights = MEASURES["hips_above_ankles"].compute(Body(bodies.track(poses), 25.0), "")
    assert heights[1] == pytest.approx(0.491, rel=1e-3)
    assert heights[2] == pytest.approx(0.491 * 1.5, rel=1e-3)


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_every_measure_is_nan_for_a_body_that_is_not_seen_and_never_fails(name: str) -> None:
    pose = bodies.pose(bodies.t_pose())
    unseen = type(pose)(pose.points, pose.world, np.full(33, 0.49), 1.0)
    at_threshold = type(pose)(pose.points, pose.world, np.full(33, 0.5), 1.0)
    nothing = type(pose)(np.zeros((33, 3)), np.zeros((33, 3)), np.ones(33), 1.0)
    measure = MEASURES[name]
    for group in measure.groups:
        side = "" if group in ("head", "hip") else "left"
        values = [measure.compute(Body(bodies.track([p]), 25.0), side) for p in (unseen, at_threshold, nothing)]
        assert all(v.shape == (1,) for v in values)
        assert np.isnan(values[0][0]) and np.isfinite(values[1][0]) and np.isnan(values[2][0])


def test_measures_are_described_for_known_groups() -> None:
    for name, measure in MEASURES.items():
        assert measure.name == name and measure.meaning and set(measure.groups) <= set(GROUPS)
