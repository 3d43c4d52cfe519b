import json

import bodies
import numpy as np
import pytest

from tpsparse.annotation.labels import frame_annotation, label_clip, steady_states, usable_fps
from tpsparse.annotation.parts import PARTS
from tpsparse.annotation.poses import Pose
from tpsparse.annotation.rules import read_rules

CLIP = {"size": (400, 400), "fps": 25.0}


def column(text: str) -> np.ndarray:
    return np.array([[letter] for letter in text], dtype=object)


@pytest.mark.parametrize(
    ("states", "reach", "steady"),
    [
        ("aabaa", 1, "aaaaa"),  # a flicker goes
        ("aaabbb", 2, "aaabbb"),  # a change stays where it is
        ("ababab", 0, "ababab"),
        ("ab", 1, "ab"),  # a tie keeps its own
        ("abc", 1, "abc"),
        ("aabbc", 2, "aabbb"),
        ("a", 3, "a"),
        ("", 2, ""),
    ],
)
def test_steady_states(states: str, reach: int, steady: str) -> None:
    given = column(states).reshape(-1, 1)
    assert "".join(steady_states(given, reach)[:, 0]) == steady
    assert "".join(given[:, 0]) == states, "the input stays"


def test_a_tie_of_others_takes_the_first() -> None:
    assert "".join(steady_states(column("aacbb"), 2)[:, 0]) == "aaabb"


def test_a_clip_has_every_frame_and_persons_keep_their_numbers() -> None:
    world = bodies.hanging()
    first = bodies.track([bodies.pose(world, at=(100, 150))] * 3, number=1, first=2)
    second = bodies.track([bodies.pose(world, at=(300, 150), score=0.8)] * 2, number=2, first=4)
    frames = label_clip([second, first], read_rules(), num_frames=6, **CLIP)
    assert [[person.number for person in frame] for frame in frames] == [[], [1], [1], [1, 2], [2], []]
    person = frames[1][0]
    assert set(person.parts) == set(PARTS)
    assert person.parts["left_leg"][1] == "stand"
    assert person.keypoints.shape == (17, 3)
    np.testing.assert_allclose(person.keypoints[11], [110, 150, 1], atol=1e-4)  # COCO's left hip
    for box, _ in person.parts.values():
        assert (box[:2] >= person.box[:2]).all() and (box[2:] <= person.box[2:]).all()
    assert frames[4][0].score == pytest.approx(0.8)


def test_no_tracks_and_persons_out_of_sight() -> None:
    assert label_clip([], read_rules(), num_frames=2, **CLIP) == [[], []]
    pose = bodies.pose(bodies.t_pose())
    unseen = bodies.track([Pose(pose.points, pose.world, np.zeros(33), 0.0)])
    assert label_clip([unseen], read_rules(), num_frames=1, **CLIP) == [[]]
    outside = bodies.track([bodies.pose(bodies.t_pose(), at=(-500, 0))])
    assert label_clip([outside], read_rules(), num_frames=1, **CLIP) == [[]]


def test_an_annotation_is_in_the_official_form() -> None:
    track = bodies.track([bodies.pose(bodies.hanging(), at=(200.04, 150.02))], number=3)
    [[person]] = label_clip([track], read_rules(), num_frames=1, **CLIP)
    data = json.loads(json.dumps(frame_annotation([person])))
    assert data["objects"] == []
    [human] = data["humans"]
    assert human["number"] == 3 and human["name"] == "person" and list(human["parts"]) == list(PARTS)
    hip = human["parts"]["hip"]
    assert hip["name"] == "hip" and hip["number"] == 1 and hip["verb"] == "none"
    # Hips at x 190.04 and 210.04 and y 150.02, radius 0.062 of 175 pixels, in tenths of a pixel.
    assert hip["box"] == [179.2, 139.2, 220.9, 160.9]
    assert frame_annotation([]) == {"humans": [], "objects": []}


@pytest.mark.parametrize(
    ("fps", "usable"), [(30.0, 30.0), (0.0, 25.0), (-1.0, 25.0), (float("nan"), 25.0), (90000.0, 25.0), (1.0, 1.0)]
)
def test_frame_rates_that_no_clock_could_follow(fps: float, usable: float) -> None:
    assert usable_fps(fps) == usable
