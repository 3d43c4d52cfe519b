import json

import numpy as np
import pytest

from tpsparse.evaluation.functional import official

BOX = [0, 0, 9, 9]


def _frame(**part):
    return {"humans": [{"number": 1, "box": BOX, "parts": {"head": part}}]}


def _problems(frame):
    return [(problem.key, problem.message) for problem in official.frame_problems(frame)]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("img_00001.json", 1),
        ("img_99999.json", 99999),
        ("img_100001.json", 100001),
        ("img_000001.json", None),
        ("img_1.json", None),
        ("img_00001.jpg", None),
        ("img_00001.json\n", None),
        ("img_٠٠٠٠١.json", None),
        ("img_" + "9" * 5000 + ".json", None),
        ("", None),
    ],
)
def test_frame_numbers(name, number):
    assert official.frame_number(name) == number


def test_frame_names_and_numbers_are_inverse():
    assert all(official.frame_number(official.frame_name(n)) == n for n in (1, 6, 151, 100_000))
    assert [n for n in range(-5, 12) if official.is_evaluated(n)] == [1, 6, 11]


def test_both_released_shapes_are_sound():
    many, one = _frame(box=[BOX, BOX], verb=["a", "b"]), _frame(box=BOX, verb="a")
    assert _problems(many) == _problems(one) == _problems(_frame(box=[], verb=[])) == []
    parts = [frame["humans"][0]["parts"]["head"] for frame in (many, one)]
    assert official.proposals_of(parts[0]) == ([BOX, BOX], ["a", "b"])
    assert official.proposals_of(parts[1]) == ([BOX], ["a"])


@pytest.mark.parametrize(
    ("frame", "key", "words"),
    [
        (None, "", "null"),
        ([], "", "a list"),
        ({}, "humans", "missing"),
        ({"humans": {}}, "humans", "an object"),
        ({"humans": ["x"]}, "humans[0]", "a string"),
        ({"humans": [{"parts": {}}]}, "humans[0].box", "no box"),
        ({"humans": [{"box": BOX}]}, "humans[0].parts", "missing"),
        ({"humans": [{"box": BOX, "parts": []}]}, "humans[0].parts", "a list"),
        ({"humans": [{"box": [0, 0, 9], "parts": {}}]}, "humans[0].box", "a list of 3"),
        ({"humans": [{"box": [0, 0, "9", 9], "parts": {}}]}, "humans[0].box", "a string"),
        ({"humans": [{"box": [0, 0, True, 9], "parts": {}}]}, "humans[0].box", "a boolean"),
        ({"humans": [{"box": [0, 0, float("nan"), 9], "parts": {}}]}, "humans[0].box", "not finite"),
        ({"humans": [{"box": [0, 0, float("inf"), 9], "parts": {}}]}, "humans[0].box", "not finite"),
        ({"humans": [{"box": [0, 0, 10**5000, 9], "parts": {}}]}, "humans[0].box", "not finite"),
        ({"humans": [{"box": BOX, "parts": {"head": 3}}]}, "humans[0].parts.head", "a number"),
        (_frame(verb="a"), "humans[0].parts.head.box", "missing"),
        (_frame(box=BOX), "humans[0].parts.head.verb", "missing"),
        (_frame(box=BOX, verb=["a"]), "humans[0].parts.head", "box has 4 entries and verb has 1"),
        (_frame(box=[BOX], verb="a"), "humans[0].parts.head.box", "a list of 1"),
        (_frame(box=[BOX], verb=["a", "b"]), "humans[0].parts.head", "box has 1 entries and verb has 2"),
        (_frame(box=[BOX, [1]], verb=["a", "b"]), "humans[0].parts.head.box[1]", "a list of 1"),
        (_frame(box=[BOX], verb=[None]), "humans[0].parts.head.verb[0]", "null"),
    ],
)
def test_problems_name_key_and_cause(frame, key, words):
    key_found, message = _problems(frame)[0]
    assert key_found == key
    assert words in message


def test_limits_hold_exactly():
    def frame(persons, proposals):
        part = {"box": [BOX] * proposals, "verb": ["a"] * proposals}
        return {"humans": [{"box": BOX, "parts": {"head": part}}] * persons}

    assert list(official.limit_problems(frame(10, 5))) == []
    assert [problem.key for problem in official.limit_problems(frame(11, 1))] == ["humans"]
    assert [problem.key for problem in official.limit_problems(frame(1, 6))] == ["humans[0].parts.head"]


def test_the_quick_check_of_a_part_agrees_with_the_wordy_one():
    rng = np.random.default_rng(0)
    values = [None, True, 1, 0.5, float("nan"), "a", [], {}, BOX, [BOX], ["a"], [BOX, BOX], ["a", 1], [1, 2, 3], 1e9]
    outcomes = set()
    for _ in range(3000):
        part = {key: values[rng.integers(len(values))] for key in ("box", "verb") if rng.random() < 0.95}
        sound = official._is_sound_part(part)
        assert sound == (not list(official._part_problems(part, ""))), json.dumps(part)
        outcomes.add(sound)
    assert outcomes == {True, False}
