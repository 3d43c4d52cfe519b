import numpy as np
import pytest

from tpsparse.datasets.synthetic.actions import ACTIONS
from tpsparse.datasets.synthetic.posing import Style
from tpsparse.datasets.synthetic.skeleton import Build, Pose, Reach, Swing, forward_kinematics, mirror
from tpsparse.datasets.synthetic.states import (
    FOOT_RULES,
    PARTS,
    STATES,
    LegMeasures,
    angle_between,
    part_states,
)

BUILD = Build()
FREE = {"left": "", "right": ""}
# The names seen in public material on Kinetics-TPS.
OFFICIAL = {
    "none",
    "others",
    "bend",
    "unbend",
    "lift",
    "raise",
    "turn",
    "hold",
    "grab",
    "carry",
    "push",
    "pull",
    "hug",
    "applaud",
    "stand",
    "step",
    "step_on",
    "tiptoe",
    "sit",
    "stoop",
    "swing",
    "strike",
    "eat",
    "watch",
}


def states(grips=FREE, hits=frozenset(), height=BUILD.stand, **fields) -> dict[str, str]:
    pose = Pose(pelvis=(0.0, height, 0.0), **fields)
    return part_states(BUILD, forward_kinematics(BUILD, pose), grips, hits)


def both(limb) -> dict:
    return {"left": limb, "right": limb}


def test_parts_are_the_official_ten_in_order():
    assert PARTS == (
        "head", "hip", "left_arm", "right_arm", "left_hand", "right_hand", "left_leg", "right_leg", "left_foot",
        "right_foot",
    )  # fmt: skip
    assert set(STATES) <= OFFICIAL


def test_standing_at_rest():
    assert states() == {
        "head": "none", "hip": "none", "left_arm": "unbend", "right_arm": "unbend", "left_hand": "none",
        "right_hand": "none", "left_leg": "stand", "right_leg": "stand", "left_foot": "step_on",
        "right_foot": "step_on",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limb", "state"),
    [
        (Swing(flex=180), "raise"),
        (Swing(flex=90), "lift"),
        (Swing(spread=90), "lift"),
        (Swing(bend=100), "bend"),
        (Swing(bend=20), "unbend"),
    ],
)
def test_arm_states(limb, state):
    assert states(arms={"left": limb, "right": Swing()})["left_arm"] == state


@pytest.mark.parametrize(
    ("grip", "limb", "state"),
    [
        ("", Swing(), "none"),
        ("dumbbell", Swing(), "hold"),
        ("dumbbell", Swing(flex=90), "lift"),
        ("barbell", Swing(flex=180), "push"),
        ("horizontal_bar", Swing(flex=180), "grab"),
        ("horizontal_bar", Swing(flex=100, bend=90), "pull"),
    ],
)
def test_hand_states_follow_grip_and_arm(grip, limb, state):
    result = states(grips={"left": grip, "right": ""}, arms={"left": limb, "right": Swing()})
    assert result["left_hand"] == state
    assert result["right_hand"] == "none"


def test_hand_states_of_contact():
    assert states(hits=frozenset({"right"}))["right_hand"] == "strike"
    meeting = states(arms=both(Reach(0.03, 1.2, 0.3)))
    assert meeting["left_hand"] == meeting["right_hand"] == "applaud"
    # A bow with hanging arms: the hands come to the floor.
    bow = {"height": 0.5, "facing": (0, 90, 0), "arms": both(Swing(flex=90))}
    assert states(**bow)["left_hand"] == "push"
    assert states(**bow, grips={"left": "barbell", "right": "barbell"})["left_hand"] == "grab"


def test_leg_and_foot_states():
    raised = states(legs={"left": Swing(flex=60, bend=60), "right": Swing()})
    assert (raised["left_leg"], raised["left_foot"]) == ("lift", "step")
    assert (raised["right_leg"], raised["right_foot"]) == ("stand", "step_on")
    squat = states(height=0.45, legs=both(Reach(0.1, 0.0, 0.2)))
    assert squat["left_leg"] == squat["right_leg"] == "stoop"
    half = states(height=0.75, legs=both(Reach(0.1, 0.0, 0.15)))
    assert half["left_leg"] == "bend"
    in_the_air = states(height=1.2)
    assert (in_the_air["left_leg"], in_the_air["left_foot"]) == ("unbend", "none")
    tiptoe = states(height=BUILD.stand + 0.09, legs=both(Reach(0.09, 0.0, 0.15)), heels=both(40.0))
    assert (tiptoe["left_leg"], tiptoe["left_foot"]) == ("stand", "tiptoe")


@pytest.mark.parametrize(
    ("heel", "toe", "state"),
    [
        (0.03, 0.03, "step_on"),  # exactly at the threshold is on the floor
        (0.031, 0.03, "tiptoe"),
        (0.031, 0.031, "step"),
    ],
)
def test_foot_threshold(heel, toe, state):
    measures = LegMeasures(knee=0, tilt=0, heel=heel, toe=toe, other_on_floor=True)
    assert next(name for name, holds in FOOT_RULES if holds(measures)) == state


@pytest.mark.parametrize(
    ("fields", "part", "state"),
    [
        ({"head": (30, 0, 0)}, "head", "turn"),
        ({"head": (-30, 0, 0)}, "head", "turn"),
        ({"head": (0, 25, 0)}, "head", "bend"),
        ({"head": (0, -25, 0)}, "head", "raise"),
        ({"facing": (0, 60, 0), "legs": both(Swing(flex=60))}, "hip", "stoop"),
        ({"facing": (0, 0, 10)}, "hip", "swing"),
        ({"spine": (20, 0, 0)}, "hip", "turn"),
    ],
)
def test_head_and_hip_states(fields, part, state):
    assert states(**fields)[part] == state


def test_angle_between_by_hand():
    assert angle_between(np.array([1.0, 0, 0]), np.array([0, 2.0, 0])) == pytest.approx(90)
    assert angle_between(np.array([1.0, 0, 0]), np.array([-3.0, 0, 0])) == pytest.approx(180)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_mirrored_pose_gives_mirrored_states(action):
    rng = np.random.default_rng(0)
    for kind in range(3):
        style = Style(kind, float(rng.random()), "left")
        for phase in rng.uniform(0, 4, 8):
            pose = action.motion(BUILD, style, float(phase))
            straight = part_states(BUILD, forward_kinematics(BUILD, pose), pose.grips)
            twin = mirror(pose)
            swapped = part_states(BUILD, forward_kinematics(BUILD, twin), twin.grips)
            for side, other in (("left", "right"), ("right", "left")):
                for part in ("arm", "hand", "leg", "foot"):
                    assert swapped[f"{side}_{part}"] == straight[f"{other}_{part}"]
            assert (swapped["head"], swapped["hip"]) == (straight["head"], straight["hip"])
