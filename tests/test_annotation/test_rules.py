from pathlib import Path

import bodies
import pytest

from tpsparse.annotation.measures import GROUPS, Body
from tpsparse.annotation.parts import PARTS
from tpsparse.annotation.rules import DEFAULT_RULES, read_rules
from tpsparse.errors import InputError

DEFAULTS = {group: ["none: otherwise"] for group in GROUPS}
SEEN_IN_PUBLIC = {
    *("none", "others", "bend", "unbend", "lift", "raise", "turn", "hold", "grab", "carry", "push", "pull", "hug"),
    *("applaud", "stand", "step", "step_on", "tiptoe", "sit", "stoop", "swing", "strike", "eat", "watch"),
}


def write(path: Path, **groups: list[str]) -> Path:
    table = {**DEFAULTS, **groups}
    path.write_text("".join(f"{g}:\n" + "".join(f"  - {rule}\n" for rule in rules) for g, rules in table.items()))
    return path


def states(path: Path, world) -> dict[str, str]:
    row = read_rules(path).apply(Body(bodies.track([bodies.pose(world)]), 25.0))
    assert row.shape == (1, 10)
    return dict(zip(PARTS, row[0]))


def test_the_table_that_comes_with_the_package() -> None:
    table = read_rules()
    assert set(table.rules) == set(GROUPS)
    assert table.states[:2] == ("none", "others")
    assert len(table.states) == len(set(table.states))
    assert set(table.states) <= SEEN_IN_PUBLIC


def test_what_the_table_says_of_upright_bodies() -> None:
    standing = states(DEFAULT_RULES, bodies.hanging())
    assert standing == {
        "head": "none",
        "hip": "none",
        "left_arm": "unbend",
        "right_arm": "unbend",
        "left_hand": "none",
        "right_hand": "none",
        "left_leg": "stand",
        "right_leg": "stand",
        "left_foot": "step_on",
        "right_foot": "step_on",
    }
    world = bodies.set_arm(bodies.hanging(), "left", upper=(0, 1, 0), lower=(0, 0, -1))
    assert states(DEFAULT_RULES, world)["left_arm"] == "bend"
    world = bodies.set_arm(bodies.hanging(), "right", upper=(0, -1, 0), lower=(0, -1, 0))
    raised = states(DEFAULT_RULES, world)
    assert (raised["right_arm"], raised["right_hand"], raised["left_arm"]) == ("raise", "raise", "unbend")


def test_the_header_of_the_table_names_every_measure() -> None:
    from tpsparse.annotation.measures import MEASURES

    header = DEFAULT_RULES.read_text(encoding="utf-8").partition("\nhead:")[0]
    assert all(name in header for name in MEASURES)


def test_the_first_rule_that_holds_wins(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", arm=["lift: elbow_angle > 100", "bend: elbow_angle > 0", "none: otherwise"])
    world = bodies.set_arm(bodies.t_pose(), "left", upper=(1, 0, 0), lower=(0, -1, 0))
    found = states(path, world)
    assert (found["left_arm"], found["right_arm"], found["left_hand"]) == ("bend", "lift", "none")


@pytest.mark.parametrize(
    ("comparison", "holds"), [("<", False), ("<=", True), (">=", True), (">", False)], ids=["<", "<=", ">=", ">"]
)
def test_exactly_at_a_number(tmp_path: Path, comparison: str, holds: bool) -> None:
    path = write(tmp_path / "r.yaml", hip=[f"sit: hip_speed {comparison} 0", "none: otherwise"])
    assert (states(path, bodies.t_pose())["hip"] == "sit") is holds  # one frame: the speed is exactly 0


def test_all_joined_conditions_must_hold(tmp_path: Path) -> None:
    rules = ["lift: wrist_above_shoulder >= -0.01 and elbow_angle < 100", "unbend: otherwise"]
    path = write(tmp_path / "r.yaml", arm=rules)
    world = bodies.set_arm(bodies.t_pose(), "left", upper=(1, 0, 0), lower=(0, -1, 0))
    found = states(path, world)
    assert (found["left_arm"], found["right_arm"]) == ("lift", "unbend")


def test_numbers_may_be_negative_and_whole_and_words_that_yaml_takes_for_truth_are_states(tmp_path: Path) -> None:
    path = write(
        tmp_path / "eigene (Regeln) ü.yaml", head=["on: head_nod >= -1.5", "no: head_nod < +1", "off: otherwise"]
    )
    assert states(path, bodies.t_pose())["head"] == "on"
    assert read_rules(path).states == ("none", "others", "on", "no", "off")


def test_a_state_may_have_several_rules(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", leg=["bend: knee_angle < 90", "bend: thigh_tilt > 60", "none: otherwise"])
    assert [rule.state for rule in read_rules(path).rules["leg"]] == ["bend", "bend", "none"]


def test_what_is_not_seen_falls_through_to_the_default(tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", arm=["bend: elbow_angle <= 180", "lift: elbow_angle > 0", "others: otherwise"])
    pose = bodies.pose(bodies.t_pose())
    hidden = pose.visibility.copy()
    hidden[13] = 0.2  # the left elbow
    body = Body(bodies.track([type(pose)(pose.points, pose.world, hidden, 1.0)]), 25.0)
    found = dict(zip(PARTS, read_rules(path).apply(body)[0]))
    assert (found["left_arm"], found["right_arm"]) == ("others", "bend")


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (
            {"arm": ["bend: elbow_angel < 90", "none: otherwise"]},
            r"arm, rule 1 \(bend\): measure 'elbow_angel' is not known: did you mean elbow_angle\?",
        ),
        ({"arm": ["bend: xyz < 90", "none: otherwise"]}, r"measure 'xyz' is not known: use one of elbow_angle, "),
        (
            {"leg": ["bend: elbow_angle < 90", "none: otherwise"]},
            r"leg, rule 1 \(bend\): measure 'elbow_angle' is not one of leg: use knee_angle",
        ),
        (
            {"arm": ["bend: elbow_angle 90", "none: otherwise"]},
            r"arm, rule 1 \(bend\): 'elbow_angle 90' is not understood",
        ),
        ({"arm": ["bend: elbow_angle < ninety", "none: otherwise"]}, "is not understood"),
        ({"arm": ["bend: elbow_angle < 90 and", "none: otherwise"]}, r"'' is not understood"),
        ({"arm": ["bend: elbow_angle == 90", "none: otherwise"]}, "is not understood"),
        ({"arm": ["bend: elbow_angle < 90"]}, "arm has no default: end it with a line such as"),
        (
            {"arm": ["none: otherwise", "bend: elbow_angle < 90"]},
            r"arm, rule 1 \(none\) always holds, so the rules below",
        ),
        ({"arm": ["bend"]}, r"arm, rule 1 is not one state and its conditions"),
        ({"arm": ["{bend: otherwise, lift: otherwise}"]}, r"arm, rule 1 is not one state and its conditions"),
        ({"arm": ["bend: [1, 2]"]}, r"arm, rule 1 is not a state and its conditions"),
        ({"arms": ["none: otherwise"]}, "part group 'arms' is not known: did you mean arm"),
    ],
)
def test_mistakes_are_told_with_file_and_rule(tmp_path: Path, groups: dict[str, list[str]], told: str) -> None:
    path = write(tmp_path / "mine.yaml", **groups)
    with pytest.raises(InputError, match=told) as caught:
        read_rules(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no part groups"),
        ("- a\n- b\n", "has no part groups"),
        ("arm: [none: otherwise\n", "is not YAML"),
        ("arm: text\n", "has no rules"),
        ("head:\n- none: otherwise\nhead:\n- none: otherwise\n", "'head' is there twice"),
        ("head:\n- none: otherwise\n", "hip has no rules: write them as a list"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_rules(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.yaml cannot be read"):
        read_rules(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("arm: [ä]".encode("latin-1"))
    with pytest.raises(InputError, match="latin.yaml cannot be read"):
        read_rules(tmp_path / "latin.yaml")


def test_hand_heights_use_the_unit_of_the_table() -> None:
    # From 0.12 body heights on, 21 cm for a person of 1.75 m, a wrist above the shoulder is raised.
    for reach, state in ((0.20, "lift"), (0.22, "raise")):
        world = bodies.t_pose()
        world[15, 1] = world[11, 1] - reach
        assert states(DEFAULT_RULES, world)["left_arm"] == state
