from __future__ import annotations

import numpy as np
import pytest

from tpsparse.analysis.score.points import (
    CAUSES,
    NO_PART,
    PART_CAUSES,
    PointTables,
    most_confused,
    per_cent,
    video_losses,
)
from tpsparse.evaluation.functional.outcomes import collect_video
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(parts=("head", "hip"), states=("none", "bend", "lift"), actions=("lunge", "surf"))
BOX, FAR = [0, 0, 9, 9], [500, 500, 509, 509]
F1, F2 = "img_00001.json", "img_00006.json"


def person(_box=BOX, **parts):
    return {"box": _box, "parts": {name: {"box": box, "verb": state} for name, (box, state) in parts.items()}}


def outcomes(truth, guess):
    truth, guess = ({name: {"humans": humans} for name, humans in frames.items()} for frames in (truth, guess))
    return collect_video("v", truth, guess, 0.5).outcomes(0.3)


def three_causes():
    """Frame 1: head right, hip's state wrong. Frame 6: head elsewhere, a second person not found: a quarter each."""
    truth = {
        F1: [person(head=(BOX, "none"), hip=(BOX, "bend"))],
        F2: [person(head=(BOX, "none")), person(FAR, hip=(FAR, "lift"))],
    }
    guess = {F1: [person(head=(BOX, "none"), hip=(BOX, "lift"))], F2: [person(head=(FAR, "none"))]}
    return outcomes(truth, guess)


def test_one_video_by_hand():
    losses = video_losses(three_causes(), True)
    # PSC 1/4, which earns 0.25: three quarters are lost, and of 0.9999 - 0.25 the remainder is -0.0001.
    assert [losses[cause] for cause in CAUSES[:4]] == [0, 0.25, 0.25, 0.25]
    assert losses["remainder"] == pytest.approx(-0.0001, abs=1e-12)


def test_wrong_action_takes_all():
    losses = video_losses(three_causes(), False)
    assert losses == {**dict.fromkeys(CAUSES, 0.0), "action wrong": 0.9999}


def test_nothing_lost():
    found = outcomes({F1: [person(head=(BOX, "none"))]}, {F1: [person(head=(BOX, "none"))]})
    assert list(video_losses(found, True).values()) == pytest.approx([0] * 5, abs=1e-12)


def test_shared_reward_is_in_the_remainder():
    guess = [{"box": BOX, "parts": {"head": {"box": [BOX, BOX], "verb": ["none", "bend"]}}}]
    losses = video_losses(outcomes({F1: [person(head=(BOX, "none"))]}, {F1: guess}), True)
    assert [losses[cause] for cause in PART_CAUSES] == [0, 0, 0]
    assert losses["remainder"] == pytest.approx(0.9999 - 0.5)


def test_tables_of_two_videos():
    points = PointTables(TAXONOMY)
    points.add(three_causes(), "surf", "surf")
    points.add(three_causes(), "lunge", "surf")  # its parts cost nothing more, but are counted
    totals = points.totals()
    assert [totals[cause] for cause in CAUSES[:4]] == pytest.approx([0.49995, 0.125, 0.125, 0.125])
    actions, parts, states = (points.table(kind) for kind in ("action", "part", "state"))
    assert list(actions) == ["lunge", "surf"] and [e.right for e in actions.values()] == [0, 1]
    # The hip loses by its state in frame 1 and by its person in frame 6, the head by its place.
    assert list(parts) == ["hip", "head"]
    assert [parts["hip"].losses[cause] for cause in PART_CAUSES] == [0.125, 0, 0.125]
    assert (parts["hip"].annotated, parts["hip"].located, parts["hip"].right) == (4, 2, 0)
    assert (parts["head"].annotated, parts["head"].located, parts["head"].right) == (4, 2, 2)
    assert {name: e.lost for name, e in states.items()} == {"bend": 0.125, "lift": 0.125, "none": 0.125}
    assert list(states) == ["bend", "lift", "none"]  # equals by name
    assert points.action_confusion().tolist() == [[0, 1], [0, 1]]
    assert points.state_confusion().tolist() == [[2, 0, 0], [0, 0, 2], [0, 0, 0]]


def test_missing_frame_without_parts_has_a_row_of_its_own():
    points = PointTables(TAXONOMY)
    found = outcomes({F1: [person(head=(BOX, "none"))], F2: [person()]}, {F1: [person(head=(BOX, "none"))]})
    points.add(found, "surf", "surf")
    # The person of the second frame was not found, which is no remainder.
    assert video_losses(found, True)["person not found"] == points.totals()["person not found"] == 0.5
    assert video_losses(found, True)["remainder"] == pytest.approx(-0.0001, abs=1e-12)
    for kind in ("part", "state"):
        entry = points.table(kind)[NO_PART]
        assert entry.losses["person not found"] == 0.5 and entry.annotated == 0


def test_json_leaves_unused_states_out():
    points = PointTables(TAXONOMY)
    points.add(three_causes(), "surf", "surf")
    content = points.to_json()
    assert content["confusion"]["states"] == {
        "names": ["none", "bend", "lift"],
        "counts": [[1, 0, 0], [0, 0, 1], [0, 0, 0]],
    }
    assert content["confusion"]["actions"] == {"names": ["lunge", "surf"], "counts": [[0, 0], [0, 1]]}
    assert [row["name"] for row in content["lost_points"]["by_part"]] == ["hip", "head"]
    right = outcomes({F1: [person(head=(BOX, "lift"))]}, {F1: [person(head=(BOX, "lift"))]})
    points = PointTables(TAXONOMY)
    points.add(right, "surf", "surf")
    assert points.to_json()["confusion"]["states"] == {"names": ["lift"], "counts": [[1]]}


@pytest.mark.parametrize(
    ("share", "plain", "signed"),
    [
        (0.33328, "33.33", "+33.33"),
        (-0.0001, "-0.01", "-0.01"),
        (-0.00004, "0.00", "+0.00"),
        (-0.0, "0.00", "+0.00"),
        (0, "0.00", "+0.00"),
        (1, "100.00", "+100.00"),
    ],
)
def test_per_cent(share, plain, signed):
    assert (per_cent(share), per_cent(share, sign=True)) == (plain, signed)


def test_most_confused():
    matrix = np.array([[9, 2, 0], [0, 1, 2], [5, 0, 7]])
    pairs = [("c", "a", 5), ("a", "b", 2), ("b", "c", 2)]
    assert most_confused(matrix, "abc", 10) == pairs and most_confused(matrix, "abc", 1) == pairs[:1]
    assert most_confused(np.eye(3, dtype=int), "abc", 10) == []
