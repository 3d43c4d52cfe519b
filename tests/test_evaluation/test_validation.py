import copy

import numpy as np
import pytest

from tpsparse.evaluation.validation import Finding, validate_submission

BOX = [0.0, 0.0, 9.0, 9.0]
NAN = [0.0, float("nan"), 9.0, 9.0]
FRAME = "img_00001.json"


def _parts(frame=FRAME, **changes):
    person = {"number": 1, "box": BOX, "parts": {"head": {"number": 1, "name": "head", "box": [BOX], "verb": ["none"]}}}
    return {"v": {frame: {"humans": [{**person, **changes}]}}}


def _head(**changes):
    return _parts(parts={"head": {"number": 1, "name": "head", "box": [BOX], "verb": ["none"], **changes}})


def _found(*args, **kwargs):
    return [(f.video, f.frame, f.key) for f in validate_submission(*args, **kwargs)]


GT_PARTS = {"v": {FRAME: {"humans": [{"box": BOX, "parts": {"head": {"box": BOX, "verb": "none"}}}]}}}
GT_ACTIONS = {"v": "lunge"}


def test_a_valid_submission_has_no_findings(taxonomy):
    single = _parts(parts={"head": {"box": BOX, "verb": "none"}})
    for parts in (_parts(), single, {"v": {}}, {"v": {FRAME: {"humans": []}}}):
        assert validate_submission(parts, {"v": "lunge"}) == []
        assert validate_submission(parts, {"v": "lunge"}, taxonomy=taxonomy) == []
    assert validate_submission(_parts(), {"v": "lunge"}, gt_parts=GT_PARTS, gt_actions=GT_ACTIONS) == []
    assert validate_submission({}, {}) == []


@pytest.mark.parametrize(
    ("parts", "frame", "key", "words"),
    [
        (_parts(box=[0, 0, 9]), FRAME, "humans[0].box", "a list of 3"),
        (_parts(box=[9, 0, 0, 9]), FRAME, "humans[0].box", "inverted"),
        (_parts(box=[0, 9, 9, 0]), FRAME, "humans[0].box", "inverted"),
        (_parts(box=[0, float("nan"), 9, 9]), FRAME, "humans[0].box", "not finite"),
        (_parts(number="1"), FRAME, "humans[0].number", "a string"),
        (_parts(parts=[]), FRAME, "humans[0].parts", "a list"),
        (_parts(parts={"nose": {"box": [BOX], "verb": ["none"]}}), FRAME, "humans[0].parts.nose", "'nose' is unknown"),
        (_head(verb=["fly"]), FRAME, "humans[0].parts.head.verb[0]", "'fly' is unknown to the taxonomy"),
        (_head(verb="fly", box=BOX), FRAME, "humans[0].parts.head.verb", "'fly' is unknown"),
        (_head(verb=["none", "none"]), FRAME, "humans[0].parts.head", "box has 1 entries and verb has 2"),
        (_head(box=[[9, 0, 0, 9]]), FRAME, "humans[0].parts.head.box[0]", "inverted"),
        (_head(box=[BOX] * 6, verb=["none"] * 6), FRAME, "humans[0].parts.head", "6 proposals"),
        (_head(name="hip"), FRAME, "humans[0].parts.head.name", "differs from its key"),
        (_head(number=None), FRAME, "humans[0].parts.head.number", "null"),
        (_parts("img_00002.json"), "img_00002.json", "", "not evaluated"),
        (_parts("img_1.json"), "img_1.json", "", "not of the form"),
        ({"v": 3}, "", "pred_part_result", "the video is a number"),
        ({"v": {FRAME: None}}, FRAME, "", "the frame is null"),
    ],
)
def test_one_fault_one_finding(parts, frame, key, words, taxonomy):
    (finding,) = validate_submission(parts, {"v": "lunge"}, taxonomy=taxonomy)
    assert (finding.video, finding.frame, finding.key) == ("v", frame, key)
    assert words in finding.message


def test_eleven_persons():
    parts = _parts()
    humans = parts["v"][FRAME]["humans"]
    parts["v"][FRAME]["humans"] = humans * 10
    assert validate_submission(parts, {"v": "a"}) == []
    parts["v"][FRAME]["humans"] = humans * 11
    (finding,) = validate_submission(parts, {"v": "a"})
    assert str(finding) == "v img_00001.json humans: 11 persons, at most 10 are allowed"


def test_a_misshapen_person_does_not_hide_the_others(taxonomy):
    parts = _head(verb=["fly"])
    parts["v"][FRAME]["humans"].insert(0, {"parts": {}})
    keys = [key for _, _, key in _found(parts, {"v": "lunge"}, taxonomy=taxonomy)]
    assert keys == ["humans[0].box", "humans[1].parts.head.verb[0]"]


def test_a_misshapen_box_does_not_hide_that_there_are_too_many_persons():
    parts = _parts()
    humans = parts["v"][FRAME]["humans"] * 11
    parts["v"][FRAME]["humans"] = [*humans[:10], {**humans[10], "box": NAN}]
    findings = validate_submission(parts, {"v": "a"})
    assert [(finding.key, finding.message.split(",")[0]) for finding in findings] == [
        ("humans[10].box", "a coordinate is not finite or beyond 1e+07 pixels"),
        ("humans", "11 persons"),
    ]


def test_a_misshapen_box_does_not_hide_that_another_person_has_too_many_proposals():
    parts = _head(box=[BOX] * 6, verb=["none"] * 6)
    parts["v"][FRAME]["humans"].insert(0, {"box": NAN, "parts": {}})
    findings = validate_submission(parts, {"v": "a"})
    assert [finding.key for finding in findings] == ["humans[0].box", "humans[1].parts.head"]
    assert "6 proposals" in findings[1].message


def test_a_misshapen_part_does_not_hide_what_else_is_wrong_with_its_person(taxonomy):
    heads = {"head": {"box": [NAN], "verb": ["none"]}, "left_arm": {"box": [BOX], "verb": ["fly"]}}
    found = _found(_parts(parts={**heads, "nose": {"box": [BOX], "verb": ["none"]}}), {"v": "lunge"}, taxonomy=taxonomy)
    keys = ["head.box[0]", "left_arm.verb[0]", "nose"]
    assert [key for _, _, key in found] == [f"humans[0].parts.{key}" for key in keys]


def test_everything_that_is_wrong_with_one_part_is_found(taxonomy):
    part = {"number": "1", "name": "hip", "box": [NAN, BOX[::-1], *[BOX] * 3], "verb": ["fly", 3, *["none"] * 4]}
    found = _found(_parts(parts={"nose": part}), {"v": "lunge"}, taxonomy=taxonomy)
    places = ["", ".box[0]", ".verb[1]", "", "", ".number", ".name", ".box[1]", ".verb[0]"]
    assert [key for _, _, key in found] == [f"humans[0].parts.nose{place}" for place in places]
    found = _found(_parts(parts={"head": {"box": 3}}, number=None), {"v": "lunge"}, taxonomy=taxonomy)
    assert [key for _, _, key in found] == ["humans[0].parts.head.box", "humans[0].parts.head.verb", "humans[0].number"]


@pytest.mark.parametrize(
    ("actions", "words"),
    [({"v": "sleeping"}, "'sleeping' is unknown"), ({"v": ["lunge"]}, "the action is a list"), ({}, "missing")],
)
def test_actions(actions, words, taxonomy):
    (finding,) = validate_submission(_parts(), actions, taxonomy=taxonomy)
    assert (finding.video, finding.key) == ("v", "pred_vid_result")
    assert words in finding.message


def test_names_of_the_ground_truth_serve_without_a_taxonomy(taxonomy):
    truth = {"gt_parts": GT_PARTS, "gt_actions": GT_ACTIONS}
    assert _found(_head(verb=["bend"]), {"v": "push_up"}, **truth) == [
        ("v", "", "pred_vid_result"),
        ("v", FRAME, "humans[0].parts.head.verb[0]"),
    ]
    # A taxonomy knows names that this ground truth happens not to use.
    assert _found(_head(verb=["bend"]), {"v": "push_up"}, **truth, taxonomy=taxonomy) == []
    # A ground truth without parts knows no part and state names.
    empty = {"v": {FRAME: {"humans": []}}}
    assert _found(_head(verb=["bend"]), {"v": "lunge"}, gt_parts=empty, gt_actions=GT_ACTIONS) == []


def test_missing_and_unknown_against_the_ground_truth():
    gt_parts = {name: {FRAME: {"humans": []}, "img_00006.json": {"humans": []}} for name in ("v", "w")}
    gt_actions = {"v": "lunge", "w": "lunge"}
    parts = {"v": {FRAME: {"humans": []}, "img_00011.json": {"humans": []}}, "x": {}}
    findings = validate_submission(parts, {"v": "lunge"}, gt_parts=gt_parts, gt_actions=gt_actions)
    assert [str(finding) for finding in findings] == [
        "w pred_part_result: the video is missing",
        "w pred_vid_result: the video is missing",
        "x pred_part_result: the video is unknown to the ground truth",
        "v img_00006.json: the frame is missing, its parts score 0",
        "v img_00011.json: the frame is unknown to the ground truth",
    ]


def test_a_frame_that_the_ground_truth_has_is_known_whatever_its_number():
    parts = _parts("img_00002.json")
    truth = {"v": {"img_00002.json": {"humans": []}}}
    assert validate_submission(parts, {"v": "a"}, gt_parts=truth) == []


@pytest.mark.parametrize("content", [None, [], "x", 3, True])
def test_files_that_hold_something_else(content):
    findings = validate_submission(content, content)
    assert [finding.key for finding in findings] == ["pred_part_result", "pred_vid_result"]
    assert all(str(finding).startswith(finding.key) for finding in findings)


def test_a_finding_is_one_printable_line():
    text = str(Finding("é\n\ud800", FRAME, "", "odd"))
    assert text == "é\\n\\ud800 img_00001.json: odd"
    text.encode()


def test_golden_predictions(golden):
    (gt_parts, gt_actions, pred_parts, pred_actions), _ = golden
    findings = validate_submission(pred_parts, pred_actions, gt_parts=gt_parts, gt_actions=gt_actions)
    missing = {(f.video, f.frame) for f in findings if "missing" in f.message}
    assert missing == {(v, frame) for v in gt_parts for frame in gt_parts[v] if frame not in pred_parts[v]}
    assert missing


def _random_json(rng, depth):
    leaves = [None, True, 0, -3.5, float("nan"), float("inf"), 10**400, "", "head", "none", "box", "\ud800", BOX]
    kind = rng.integers(0, 4) if depth else 3
    if kind == 0:
        return [_random_json(rng, depth - 1) for _ in range(rng.integers(0, 5))]
    if kind == 1:
        keys = ["humans", "box", "parts", "verb", "number", "name", "head", FRAME, "v"]
        return {keys[i]: _random_json(rng, depth - 1) for i in rng.integers(0, len(keys), rng.integers(0, 5))}
    return leaves[rng.integers(len(leaves))]


def _places(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


def _replaced(value, path, new):
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = _replaced(value[path[0]], path[1:], new)
    return value


def test_no_json_value_makes_it_stop(taxonomy):
    rng = np.random.default_rng(0)
    places = list(_places(_parts()))
    found = 0
    for i in range(4000):
        broken = _replaced(_parts(), places[i % len(places)], _random_json(rng, 4))
        actions = _random_json(rng, 2) if i % 3 == 0 else {"v": "lunge"}
        truth = {"gt_parts": broken, "gt_actions": actions} if i % 5 == 0 else {}
        findings = validate_submission(broken, actions, taxonomy=taxonomy if i % 2 else None, **truth)
        assert all("\n" not in str(finding) for finding in findings)
        found += bool(findings)
    assert found > 2000


def test_every_place_of_the_wrong_type_is_found(taxonomy):
    for path in _places(_parts()):
        # An object is right nowhere below the first three levels, and null not above.
        broken = _replaced(_parts(), path, {"unexpected": None} if len(path) > 2 else None)
        assert validate_submission(broken, {"v": "lunge"}, taxonomy=taxonomy), path
