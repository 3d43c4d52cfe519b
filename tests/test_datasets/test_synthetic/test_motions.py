import numpy as np
import pytest

from tpsparse.datasets.synthetic.actions import ACTIONS
from tpsparse.datasets.synthetic.motions_strength import bar_height
from tpsparse.datasets.synthetic.posing import Style, straight_up, tween, wave
from tpsparse.datasets.synthetic.props import fists_on_bag
from tpsparse.datasets.synthetic.skeleton import SIDES, Build, forward_kinematics

BUILD = Build()
STYLES = [Style(kind, extent, lead) for kind in range(3) for extent in (0.0, 1.0) for lead in SIDES]
PHASES = np.linspace(0, 3, 60, endpoint=False)
MOTIONS = {action.name: action.motion for action in ACTIONS}


def bodies(name: str, style: Style):
    return [forward_kinematics(BUILD, MOTIONS[name](BUILD, style, float(phase))) for phase in PHASES]


def test_tween_meets_its_keys_and_closes():
    keys = ((0.25, 1.0), (0.75, 3.0))
    assert tween(0.25, *keys) == pytest.approx(1)
    assert tween(0.75, *keys) == pytest.approx(3)
    assert tween(0.5, *keys) == pytest.approx(2)  # smoothstep is half way in the middle
    assert tween(0.0, *keys) == pytest.approx(2)  # and so is the way back across the end
    assert tween(7.25, *keys) == pytest.approx(1)


def test_wave_and_straight_up_by_hand():
    assert (wave(0), wave(0.5), wave(1)) == pytest.approx((0, 1, 0))
    reach = (BUILD.arm + BUILD.hand / 2) * 0.995
    assert straight_up(BUILD, BUILD.shoulder) == pytest.approx(reach)


@pytest.mark.parametrize("name", MOTIONS)
def test_bodies_stay_above_the_floor_and_whole(name):
    for style in STYLES:
        for body in bodies(name, style):
            points = np.stack(list(body.points.values()))
            assert np.isfinite(points).all()
            assert points[:, 1].min() > -0.075  # the toes of a lifted heel dip a little
            assert points[:, 1].max() < 3.0


def test_hands_hold_the_bar_all_the_time():
    for style in STYLES:
        heights = [body.palm(side)[1] for body in bodies("pull_ups", style) for side in SIDES]
        np.testing.assert_allclose(heights, bar_height(BUILD), atol=0.03)


def test_hands_share_the_barbell():
    for name in ("clean_and_jerk", "deadlifting"):
        for style in STYLES:
            for body in bodies(name, style):
                left, right = body.palm("left"), body.palm("right")
                assert abs(left[1] - right[1]) < 0.03
                assert 0.4 < np.linalg.norm(left - right) < 0.8


def test_press_ups_keep_the_hands_on_the_floor_while_low():
    for style in STYLES:
        low = min(bodies("push_up", style), key=lambda body: body.points["neck"][1])
        assert all(low.points[f"{side}_wrist"][1] < 0.06 for side in SIDES)
        assert low.points["neck"][1] < 0.35


def test_both_fists_reach_the_bag_and_leave_it():
    for style in STYLES:
        hits = [fists_on_bag(body) for body in bodies("punching_bag", style)]
        assert frozenset() in hits
        assert {side for sides in hits for side in sides} == set(SIDES)
