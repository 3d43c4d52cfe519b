from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.structures import FrameObjects, FrameParse, SegmentScores, VideoParse, parse_to_json
from tpsparse.structures.export import named_states, present_parts
from tpsparse.taxonomy import Taxonomy

NAN = np.nan
TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "lift"),
    actions=("hurling_(sport)", "snatch_weight_lifting"),
)
# One person; of the keypoints the first and the last are known, one with a score is nowhere.
KEYPOINTS_OF_ONE = np.zeros((1, 17, 3))
KEYPOINTS_OF_ONE[0, [0, 16]] = [[10.04, 11.06, 0.5], [7, 90, 1]]
KEYPOINTS_OF_ONE[0, 3] = [NAN, NAN, 0.0]
# One person; the right arm is absent.
PART_BOXES = np.array([[[10, 10, 20, 20], [5.04, 20.06, 15, 40], [NAN] * 4]], np.float32)


def full_parse() -> VideoParse:
    frame = FrameParse(
        frame_index=6,
        boxes=[[1.26, 2, 50, 100]],
        scores=np.array([0.987654], np.float32),
        keypoints=KEYPOINTS_OF_ONE,
        part_boxes=PART_BOXES,
        part_scores=np.array([[0.9, 0.25, 0.8]], np.float32),
        state_scores=np.array([[[0.7, 0.2, 0.1], [0.1, 0.12346, 0.77654], [1, 0, 0]]]),
    )
    scores = {"action": np.array([0.25, 0.75], np.float32), "csn": np.array([1.0, 0.0])}
    return VideoParse("clip", (120, 160), 30, 25.0, [FrameParse(1, []), frame], scores)


def test_everything_by_hand():
    assert parse_to_json(full_parse(), TAXONOMY) == {
        "format_version": 1,
        "video": "clip",
        "size": {"height": 120, "width": 160},
        "num_frames": 30,
        "fps": 25.0,
        "action": {"name": "snatch_weight_lifting", "score": 0.75},
        "action_scores": {
            "action": {"hurling_(sport)": 0.25, "snatch_weight_lifting": 0.75},
            "csn": {"hurling_(sport)": 1.0, "snatch_weight_lifting": 0.0},
        },
        "frames": [
            {"frame": 1, "time": 0.0, "persons": []},
            {
                "frame": 6,
                "time": 0.2,  # five frames at 25 a second
                "persons": [
                    {
                        "number": 1,
                        "box": [1.3, 2.0, 50.0, 100.0],
                        "score": 0.9877,
                        "keypoints": {"nose": [10.0, 11.1, 0.5], "right_ankle": [7.0, 90.0, 1.0]},
                        "parts": {
                            "head": {
                                "box": [10.0, 10.0, 20.0, 20.0],
                                "score": 0.9,
                                "state": "none",
                                "state_score": 0.7,
                                "states": {"none": 0.7},
                            },
                            "left_arm": {
                                "box": [5.0, 20.1, 15.0, 40.0],
                                "score": 0.25,
                                "state": "lift",
                                "state_score": 0.7765,
                                "states": {"lift": 0.7765},
                            },
                        },
                    }
                ],
            },
        ],
    }


def test_it_is_plain_data():
    data = parse_to_json(full_parse(), TAXONOMY)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


@pytest.mark.parametrize(
    ("least", "names"), [(0.25, ["head", "left_arm"]), (0.2501, ["head"]), (0.95, [])], ids=["at", "above", "all"]
)
def test_parts_below_the_score_are_left_out(least, names):
    data = parse_to_json(full_parse(), TAXONOMY, min_part_score=least)
    assert list(data["frames"][1]["persons"][0]["parts"]) == names


def test_unknown_things_are_left_out():
    frame = FrameParse(1, [[0, 0, 1, 1], [2, 2, 3, 3]])
    data = parse_to_json(VideoParse("clip", frames=[frame]), TAXONOMY)
    assert data["action"] is None
    assert data["action_scores"] == {}
    assert "error" not in data
    assert data["frames"][0] == {
        "frame": 1,  # no frame rate, no time
        "persons": [
            {"number": 1, "box": [0.0, 0.0, 1.0, 1.0], "score": 1.0, "parts": {}},
            {"number": 2, "box": [2.0, 2.0, 3.0, 3.0], "score": 1.0, "parts": {}},
        ],
    }


def test_error_is_told():
    assert parse_to_json(VideoParse("clip", error="cannot be decoded"), TAXONOMY)["error"] == "cannot be decoded"


def test_given_states_and_boxes_without_scores():
    frame = FrameParse(1, [[0, 0, 9, 9]], part_boxes=PART_BOXES, part_states=np.array([[-1, 1, 2]]))
    parts = parse_to_json(VideoParse("clip", frames=[frame]), TAXONOMY)["frames"][0]["persons"][0]["parts"]
    assert parts == {"head": {"box": [10, 10, 20, 20]}, "left_arm": {"box": [5.0, 20.1, 15, 40], "state": "bend"}}


def test_states_without_boxes_make_parts_present():
    frame = FrameParse(1, [[0, 0, 9, 9]], part_states=np.array([[-1, 1, 2]]))
    assert present_parts(frame).tolist() == [[False, True, True]]
    parts = parse_to_json(VideoParse("clip", frames=[frame]), TAXONOMY)["frames"][0]["persons"][0]["parts"]
    assert parts == {"left_arm": {"state": "bend"}, "right_arm": {"state": "lift"}}


def test_named_states_of_persons_without_states():
    assert named_states(FrameParse(1, [[0, 0, 1, 1]]), TAXONOMY) == [[None, None, None]]
    assert named_states(FrameParse(1, []), TAXONOMY) == []
    assert present_parts(FrameParse(1, [[0, 0, 1, 1]])).shape == (1, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"part_boxes": np.zeros((1, 10, 4))}, "10 parts and the taxonomy names 3"),
        ({"part_scores": np.zeros((1, 2))}, "2 parts and the taxonomy names 3"),
        ({"state_scores": np.zeros((1, 3, 74))}, "74 states and the taxonomy names 3"),
        ({"part_states": np.array([[0, 3, 0]])}, "4 states and the taxonomy names 3"),
    ],
)
def test_taxonomy_of_another_data_set_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        parse_to_json(VideoParse("clip", frames=[FrameParse(1, [[0, 0, 1, 1]], **fields)]), TAXONOMY)


def test_actions_of_another_data_set_are_refused():
    with pytest.raises(InputError, match="24 actions and the taxonomy names 2"):
        parse_to_json(VideoParse("clip", action_scores={"csn": np.ones(24)}), TAXONOMY)


def test_segments_by_hand():
    scores = np.zeros((2, 2, 3))
    scores[0, 0, 2], scores[0, 1, 1] = 0.25, 0.75
    scores[1, 0, 0], scores[1, 1, 2] = 0.5, 0.5  # of equals the first
    parse = VideoParse("clip", segments={"arm (3 s)": SegmentScores([[1, 45], [46, 90]], scores)})
    assert parse_to_json(parse, TAXONOMY)["segments"] == {
        "arm (3 s)": [
            {"first": 1, "last": 45, "action": "snatch_weight_lifting", "state": "bend", "score": 0.75},
            {"first": 46, "last": 90, "action": "hurling_(sport)", "state": "none", "score": 0.5},
        ]
    }
    assert "segments" not in parse_to_json(VideoParse("clip"), TAXONOMY)


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 24, 3), "24 actions and the tax"), ((1, 2, 74), "74 states and the tax")]
)
def test_segments_of_another_data_set_are_refused(shape, message):
    with pytest.raises(InputError, match=message):
        parse_to_json(VideoParse("clip", segments={"arm": SegmentScores([[1, 2]], np.ones(shape))}), TAXONOMY)


class TestObjects:
    NAMES = Taxonomy(("head",), ("none",), ("push_up",), ("none", "ball", "hurling_(sport) bat"))

    def exported(self, objects):
        frame = FrameParse(1, [], objects=objects)
        return parse_to_json(VideoParse("clip", frames=[frame]), self.NAMES)["frames"][0]

    def test_by_hand(self):
        objects = FrameObjects([[1.26, 2, 30, 40], [5, 6, 7, 8]], [0.98765, 0.5], [2, 1])
        assert self.exported(objects)["objects"] == [
            {"name": "hurling_(sport) bat", "box": [1.3, 2.0, 30.0, 40.0], "score": 0.9876},
            {"name": "ball", "box": [5.0, 6.0, 7.0, 8.0], "score": 0.5},
        ]

    def test_none_found_and_not_looked_for(self):
        assert self.exported(FrameObjects.none())["objects"] == []
        assert "objects" not in self.exported(None)

    def test_more_than_are_named(self):
        with pytest.raises(InputError, match="has 4 objects and the taxonomy names 3: use the lists"):
            self.exported(FrameObjects([[1, 2, 3, 4]], [1], [3]))


class TestStatesAtOnce:
    """Sigmoids: a head that eats and watches."""

    def exported(self, *scores, given=None, **options):
        told = np.array([[scores, [NAN] * 3, [0, 0, 0]]], np.float32)
        states = None if given is None else np.array([[given, -1, 0]])
        frame = FrameParse(1, [[0, 0, 9, 9]], state_scores=told, part_states=states)
        data = parse_to_json(VideoParse("clip", frames=[frame]), TAXONOMY, **options)
        return data["frames"][0]["persons"][0]["parts"]

    @pytest.mark.parametrize(
        ("scores", "state", "expected"),
        [
            ((0.1, 0.9, 0.2), "bend", {"bend": 0.9}),
            ((0.1, 0.75, 0.9), "lift", {"lift": 0.9, "bend": 0.75}),
            ((0.1, 0.25, 0.3), "lift", {}),
            ((0.5, 0.5, 0.0), "none", {}),  # exactly at the threshold
            ((0.1, 0.50001, 0.5), "bend", {"bend": 0.5}),  # 0.50001 in four digits
            ((0.0, 0.75, 0.75), "bend", {"bend": 0.75, "lift": 0.75}),  # of equals the first
        ],
    )
    def test_above_a_half(self, scores, state, expected):
        head = self.exported(*scores)["head"]
        assert head["state"] == state and head["states"] == expected and list(head["states"]) == list(expected)

    def test_another_threshold(self):
        assert self.exported(0.25, 0.75, 0.5, min_state_score=0.25)["head"]["states"] == {"bend": 0.75, "lift": 0.5}
        assert self.exported(0.25, 0.75, 0.5, min_state_score=1.0)["head"]["states"] == {}

    def test_parts_without_probabilities(self):
        assert "left_arm" not in self.exported(0.1, 0.9, 0.2)
        frame = FrameParse(1, [[0, 0, 9, 9]], part_states=np.array([[0, -1, 1]]))
        data = parse_to_json(VideoParse("clip", frames=[frame]), TAXONOMY)
        assert data["frames"][0]["persons"][0]["parts"] == {"head": {"state": "none"}, "right_arm": {"state": "bend"}}

    def test_given_state_stays(self):
        head = self.exported(0.1, 0.9, 0.7, given=0)["head"]
        assert head == {"state": "none", "state_score": 0.1, "states": {"bend": 0.9, "lift": 0.7}}
