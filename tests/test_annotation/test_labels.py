import json
from pathlib import Path
from typing import Any

import bodies
import numpy as np
import pytest

from tpsparse.annotation.labels import frame_annotation, label_clip, read_labels, steady_states, usable_fps
from tpsparse.annotation.parts import PARTS
from tpsparse.annotation.rules import read_rules
from tpsparse.errors import InputError
from tpsparse.poses.landmarks import Pose

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


def write_frame(folder: Path, number: int, content: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"img_{number:05d}.json").write_text(json.dumps(content), encoding="utf-8")


def test_labels_come_back_from_annotations(tmp_path: Path) -> None:
    track = bodies.track([bodies.pose(bodies.hanging())] * 2, number=3, first=2)
    frames = label_clip([track], read_rules(), num_frames=4, size=(400, 400), fps=25.0)
    for number, persons in enumerate(frames, start=1):
        write_frame(tmp_path / "ä (1)", number, frame_annotation(persons))
    read = read_labels(tmp_path / "ä (1)", 4)
    assert [[person.number for person in persons] for persons in read] == [[], [3], [3], []]
    assert [frame_annotation(persons) for persons in read] == [frame_annotation(persons) for persons in frames]
    assert np.isnan(read[1][0].keypoints).all()


def test_what_cannot_be_drawn_is_left_out(tmp_path: Path) -> None:
    good = [0, 0, 4, 8]
    parts = {"head": {"box": good, "verb": "none"}, "hip": {"box": [4, 0, 0, 8], "verb": "none"}}
    numbers = [2, 2, None, 10**9, True]
    humans = [{"number": number, "box": good, "parts": parts} for number in numbers]
    write_frame(tmp_path, 1, {"humans": [*humans, {"number": 7, "box": [1, 2, "x", 3]}]})
    write_frame(tmp_path, 2, {"humans": None})
    write_frame(tmp_path, 9, {"humans": humans})
    first, second = read_labels(tmp_path, 2)
    assert [person.number for person in first] == [2, 1, 3, 4, 5] and second == []
    assert list(first[0].parts) == ["head"]
    assert read_labels(tmp_path / "none", 2) == [[], []]


@pytest.mark.parametrize(
    "content", [[1], {"humans": 3}, {"humans": [1]}, {"humans": [{"box": [0, 0, 1, 1], "parts": [1]}]}]
)
def test_files_that_are_no_annotations(tmp_path: Path, content: Any) -> None:
    write_frame(tmp_path, 1, content)
    with pytest.raises(InputError, match="img_00001.json is no annotation"):
        read_labels(tmp_path, 1)
