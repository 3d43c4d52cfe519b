"""Sports: what their sub-actions are, how they are laid out in time, and that bodies move smoothly."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.synthetic.posing import Style
from tpsparse.datasets.synthetic.skeleton import SIDES, Build, forward_kinematics
from tpsparse.datasets.synthetic.sports import SPORTS, SUB_ACTIONS, TRANSITION, Routine, plan_routine
from tpsparse.datasets.synthetic.sports_scene import plan_instance

BUILD = Build()
STYLES = [Style(kind, 0.5, lead) for kind in range(3) for lead in SIDES]


def routines(sport, count=60):
    return [plan_routine(np.random.default_rng(seed), sport) for seed in range(count)]


def joints(skeleton):
    return np.stack(list(skeleton.points.values()))


def test_enough_sports_that_share_sub_actions():
    assert len(SPORTS) >= 8
    kinds = {sport: {name for step in steps for name in step.names} for sport, steps in SPORTS.items()}
    assert set().union(*kinds.values()) == set(SUB_ACTIONS)  # none is drawn nowhere
    firsts = list(SPORTS)[:8]
    shared = {name for one in firsts for other in firsts if one != other for name in kinds[one] & kinds[other]}
    assert {"run_up", "landing", "somersault", "recover"} <= shared
    assert len({frozenset(names) for names in kinds.values()}) == len(SPORTS)


@pytest.mark.parametrize("sport", SPORTS)
def test_routines_are_within_their_bounds(sport):
    found = routines(sport)
    for routine in found:
        assert 3 <= len(routine.names) <= 9
        assert all(one != other for one, other in zip(routine.names, routine.names[1:]))
        assert routine.substages[0] == 0 and len(routine.substages) == len(routine.names) + 1
        for name, length in zip(routine.names, np.diff(routine.substages)):
            low, high = SUB_ACTIONS[name].frames
            assert low <= length <= high
            assert length > TRANSITION[1]  # two transitions never meet
        assert len(routine.widths) == len(routine.names) - 1
        assert 30 <= routine.num_frames <= 160
    assert len({routine.num_frames for routine in found}) > 10


def test_optional_and_repeated_stretches():
    found = [routine.names for routine in routines("tumbling")]
    assert {names.count("cartwheel") for names in found} == {1, 2}
    assert {names[0] for names in found} == {"salute", "run_up"}
    assert all(names.count("cartwheel") == names.count("somersault") for names in found)


def test_same_seed_same_routine():
    assert routines("beam", 3) == routines("beam", 3)
    assert len(set(routines("beam", 3))) == 3


def test_transition_is_half_way_at_the_boundary():
    routine = Routine(("salute", "run_up"), (0, 10, 34), ((0.0, 0.0), (0.7, 0.0)), (4,))
    # Four frames wide about the place between frames 9 and 10: smoothstep of 1/8, 3/8, 5/8 and 7/8.
    shares = [routine._share(1, frame) for frame in range(6, 14)]
    expected = [0, 0] + [share * share * (3 - 2 * share) for share in (0.125, 0.375, 0.625, 0.875)] + [1, 1]
    assert shares == pytest.approx(expected)
    assert shares[3] < 0.5 < shares[4] and shares[3] + shares[4] == pytest.approx(1)


def test_inside_a_sub_action_the_body_is_its_motion():
    routine = Routine(("salute", "landing"), (0, 11, 22), ((0.0, 0.0), (0.0, 0.0)), (4,))
    style = STYLES[0]
    own = forward_kinematics(BUILD, SUB_ACTIONS["salute"].motion(BUILD, style, 0.5))
    np.testing.assert_array_equal(joints(routine.body(BUILD, style, 5)), joints(own))
    last = forward_kinematics(BUILD, SUB_ACTIONS["landing"].motion(BUILD, style, 1.0))
    np.testing.assert_array_equal(joints(routine.body(BUILD, style, 21)), joints(last))


@pytest.mark.parametrize("name", SUB_ACTIONS)
def test_bodies_stay_above_the_floor_and_whole(name):
    kind = SUB_ACTIONS[name]
    for style in STYLES:
        for share in np.linspace(0, 1, 9):
            phase = 3 * share if kind.seconds else kind.span[0] + (kind.span[1] - kind.span[0]) * share
            points = joints(forward_kinematics(BUILD, kind.motion(BUILD, style, float(phase))))
            assert np.isfinite(points).all()
            assert -0.075 < points[:, 1].min() < 1.0 and points[:, 1].max() < 3.2


@pytest.mark.parametrize("sport", SPORTS)
def test_no_joint_jumps(sport):
    """A joint moves less than the feet of a handspring, which turn 254 degrees within eight frames."""
    for seed, style in enumerate(STYLES[::3]):
        routine = plan_routine(np.random.default_rng(seed), sport)
        bodies = np.stack([joints(routine.body(BUILD, style, frame)) for frame in range(routine.num_frames)])
        assert np.linalg.norm(np.diff(bodies, axis=0), axis=2).max() < 1.8


def test_sub_actions_can_be_told_apart():
    """In the middle of two kinds of sub-actions some joint is elsewhere, seen from the pelvis."""
    middles = {}
    for name, kind in SUB_ACTIONS.items():
        phase = 0.5 if kind.seconds else sum(kind.span) / 2
        body = forward_kinematics(BUILD, kind.motion(BUILD, STYLES[0], phase))
        middles[name] = joints(body) - body.points["pelvis"]
    names = list(middles)
    for place, name in enumerate(names):
        for other in names[:place]:
            assert np.linalg.norm(middles[name] - middles[other], axis=1).max() > 0.15, (name, other)


def planned(sport, seed):
    return plan_instance(np.random.default_rng(seed), plan_routine(np.random.default_rng(seed), sport), size=(48, 64))


def test_scene_draws_one_person_in_every_frame():
    scene = planned("high_jump", 0)
    images = [scene.render(frame) for frame in range(0, scene.routine.num_frames, 12)]
    assert all(image.shape == (48, 64, 3) and image.dtype == np.uint8 for image in images)
    assert all((one != other).any() for one, other in zip(images, images[1:]))
    for frame in range(0, scene.routine.num_frames, 5):
        points = scene.setting.painter(frame).to_frame(joints(scene.athlete.body(scene.routine, frame)))
        assert (points > -2).all() and (points < (66, 50)).all()


def test_scene_is_the_same_for_the_same_seed():
    one, two = (planned("vault", 4).render(7) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_looks_do_not_tell_the_sport():
    one, other = planned("vault", 4).athlete, planned("beam", 4).athlete
    assert one == other and planned("beam", 5).athlete != other
