"""The evaluation as a whole: against the released script's results, against a plain loop, and trap by trap."""

import copy
import itertools

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.evaluation.functional import evaluate

BOX, FAR = [0, 0, 9, 9], [500, 500, 509, 509]
F1, F2, F3 = "img_00001.json", "img_00006.json", "img_00011.json"


def _truth(**states):
    """An annotated person at BOX whose parts lie there too."""
    return {"number": 1, "box": BOX, "parts": {name: {"box": BOX, "verb": state} for name, state in states.items()}}


def _guess(_box=BOX, **states):
    """A predicted person whose parts lie at BOX, one proposal a part."""
    return {"box": _box, "parts": {name: {"box": [BOX], "verb": [state]} for name, state in states.items()}}


def _score(truth, guess, **thresholds):
    """Evaluate one video ``v`` of frames to lists of persons, with the right action."""
    truth, guess = ({name: {"humans": humans} for name, humans in frames.items()} for frames in (truth, guess))
    return evaluate({"v": truth}, {"v": "a"}, {"v": guess}, {"v": "a"}, **thresholds)


def test_equals_the_released_script(golden):
    contents, expectations = golden
    assert len(expectations) == 5
    for expected in expectations:
        result = evaluate(*contents, human_iou=expected["human_iou"], part_iou=expected["part_iou"])
        assert result.score == pytest.approx(expected["score"], abs=1e-9)
        assert result.psc == pytest.approx(expected["psc"], abs=1e-9)
        assert result.action_correct == {video: bool(ok) for video, ok in expected["action_correct"].items()}
        accuracy = {threshold: result.accuracy_at(float(threshold)) for threshold in expected["accuracy_at"]}
        assert accuracy == pytest.approx(expected["accuracy_at"], abs=1e-9)


def test_does_not_change_what_it_is_given(golden):
    contents, _ = golden
    before = copy.deepcopy(contents)
    evaluate(*contents)
    assert contents == before


def test_two_frames_by_hand():
    # Frame 1: head right, arm wrong: 1/2. Frame 6: person not found: 0/1. PSC 1/4.
    truth = {F1: [_truth(head="none", left_arm="bend")], F2: [_truth(head="none")]}
    guess = {F1: [_guess(head="none", left_arm="lift")], F2: [_guess(FAR, head="none")]}
    result = _score(truth, guess)
    assert result.psc == {"v": 0.25}
    assert result.score == pytest.approx(0.25, abs=1e-12)
    assert (result.action_top1, result.mean_psc) == (1.0, 0.25)
    # Two annotated heads, one right; one annotated arm, wrong.
    assert result.part_accuracy == {"head": 0.5, "left_arm": 0.0}
    assert result.to_json() == {
        "score": result.score,
        "action_top1": 1.0,
        "mean_psc": 0.25,
        "psc": {"v": 0.25},
        "action_correct": {"v": True},
        "part_accuracy": {"head": 0.5, "left_arm": 0.0},
    }


@pytest.mark.parametrize(
    ("truth", "guess", "psc", "reason"),
    [
        ({F1: []}, {F1: []}, 1.0, "a video without annotated persons has PSC 1"),
        ({F1: []}, {}, 1.0, "also where the prediction has no frame"),
        ({}, {}, 1.0, "a video without frames has PSC 1"),
        ({F1: [_truth()]}, {F1: []}, 1.0, "persons without parts leave the average"),
        ({F1: [_truth()]}, {}, 0.0, "but not where the frame is missing from the prediction"),
        ({F1: [_truth(head="a")], F2: []}, {F1: [_guess(head="a")]}, 1.0, "an empty frame leaves the average"),
        ({F1: [_truth(head="a")], F2: [_truth(head="a")]}, {F1: [_guess(head="a")]}, 0.5, "a missing frame is 0"),
        ({F1: [_truth(head="a")]}, {F1: [_guess(head="a"), _guess(FAR, hip="a")]}, 1.0, "extra persons are free"),
        ({F1: [_truth(head="a")]}, {F1: [_guess(head="a", hip="b")]}, 1.0, "extra parts are free"),
        ({F1: [_truth(head="a")]}, {F1: [_guess(head="a")], F2: [_guess(head="b")]}, 1.0, "extra frames are free"),
        ({F1: [_truth(head="a", hip="a")]}, {F1: [_guess(head="a")]}, 0.5, "an absent part is wrong"),
        ({F1: [_truth(head="a")]}, {F1: [_guess(head="A")]}, 0.0, "names are compared to the letter"),
    ],
)
def test_traps(truth, guess, psc, reason):
    assert _score(truth, guess).psc == {"v": psc}, reason


def test_persons_exactly_at_the_threshold_do_not_match_but_parts_do():
    half = [0, 0, 9, 4]
    at_person = {"box": half, "parts": {"head": {"box": [BOX], "verb": ["a"]}}}
    at_part = {"box": BOX, "parts": {"head": {"box": [half], "verb": ["a"]}}}
    truth = {F1: [_truth(head="a")]}
    assert _score(truth, {F1: [at_person]}, human_iou=0.5).psc == {"v": 0.0}
    assert _score(truth, {F1: [at_part]}, part_iou=0.5).psc == {"v": 1.0}


def test_both_released_shapes_score_alike():
    truth = {F1: [_truth(head="a", hip="a")]}
    lists = {F1: [_guess(head="a", hip="b")]}
    single = {F1: [{"box": BOX, "parts": {"head": {"box": BOX, "verb": "a"}, "hip": {"box": BOX, "verb": "b"}}}]}
    assert _score(truth, lists) == _score(truth, single)
    assert _score(truth, single).psc == {"v": 0.5}


def test_more_proposals_earn_less_but_do_not_lower_part_accuracy():
    part = {"box": [BOX, BOX, FAR, FAR, FAR], "verb": ["b", "a", "a", "a", "a"]}
    result = _score({F1: [_truth(head="a")]}, {F1: [{"box": BOX, "parts": {"head": part}}]})
    assert result.psc == {"v": 0.2}
    assert result.part_accuracy == {"head": 1.0}


def test_wrong_action_scores_nothing_whatever_the_parts():
    frames = {F1: {"humans": [_truth(head="a")]}}
    truth, guess = {"v": frames, "w": frames}, {"v": frames, "w": frames}
    result = evaluate(truth, {"v": "a", "w": "a"}, guess, {"v": "a", "w": "b"})
    assert result.psc == {"v": 1.0, "w": 1.0}
    assert (result.action_top1, result.mean_psc) == (0.5, 1.0)
    assert result.score == pytest.approx(0.9999 / 2, abs=1e-12)


def test_a_missing_video_counts_as_all_wrong():
    frames = {F1: {"humans": [_truth(head="a")]}}
    result = evaluate({"v": frames, "w": frames}, {"v": "a", "w": "a"}, {"v": frames}, {"v": "a"})
    assert result.psc == {"v": 1.0, "w": 0.0}
    assert result.action_correct == {"v": True, "w": False}


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (({}, {}), "gt_part_result is empty"),
        (([], {"v": "a"}), "gt_part_result is a list"),
        (({"v": {}}, {}), "gt_vid_result is empty"),
        (({"w": {}}, {"v": "a"}), "gt_part_result, v: the video is missing"),
        (({"v": []}, {"v": "a"}), "gt_part_result, v: the video is a list"),
        (({"v": {}}, {"v": 3}), "gt_vid_result, v: the action is a number"),
        (({"v": {F1: {}}}, {"v": "a"}), "gt_part_result, v, img_00001.json, humans"),
        (
            ({"v": {F1: {"humans": [{"box": BOX, "parts": {"hip": {"box": [], "verb": []}}}]}}}, {"v": "a"}),
            "humans[0].parts.hip: an annotated part has exactly one box",
        ),
    ],
)
def test_refuses_a_ground_truth_that_cannot_be_used(truth, words):
    with pytest.raises(InputError) as caught:
        evaluate(*truth, {"v": {}}, {"v": "a"})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        (None, "pred_part_result is null"),
        ({"v": 3}, "v: the video is a number"),
        ({"v": {F1: {"humans": [{"parts": {}}]}}}, "v, img_00001.json, humans[0].box: the person has no box"),
        ({"v": {F1: {"humans": [_guess()] * 11}}}, "11 persons, at most 10"),
    ],
)
def test_refuses_a_prediction_that_the_script_would_stop_at(guess, words):
    with pytest.raises(InputError) as caught:
        evaluate({"v": {F1: {"humans": [_truth(head="a")]}}}, {"v": "a"}, guess, {"v": "a"})
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["human_iou", "part_iou"])
def test_refuses_thresholds_outside_the_unit_interval(name):
    with pytest.raises(ValueError, match=name):
        _score({}, {}, **{name: 1.5})


def _plain_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return -1
    pixels = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return width * height / (sum(pixels) - width * height)


def _plain_matches(truth, guess, threshold):
    """Try every assignment of the padded sides; keep the pairs above the threshold of the best."""
    side = max(len(truth), len(guess))
    iou = [
        [_plain_iou(truth[i]["box"], guess[j]["box"]) if i < len(truth) and j < len(guess) else 0 for j in range(side)]
        for i in range(side)
    ]
    best = max(itertools.permutations(range(side)), key=lambda order: sum(iou[i][j] for i, j in enumerate(order)))
    return {i: guess[j] for i, j in enumerate(best) if iou[i][j] > threshold}


def _plain_reward(part, proposals, threshold):
    for box, state in zip(proposals["box"], proposals["verb"]):
        if _plain_iou(part["box"], box) >= threshold and state == part["verb"]:
            return 1 / len(proposals["box"])
    return 0


def _plain_psc(truth, guess, human_iou, part_iou):
    counted = []
    for name, frame in truth.items():
        parts = sum(len(human["parts"]) for human in frame["humans"])
        if not frame["humans"] or (name in guess and not parts):
            continue
        matches = _plain_matches(frame["humans"], guess[name]["humans"], human_iou) if name in guess else {}
        total = 0
        for i, human in enumerate(frame["humans"]):
            for part_name, part in human["parts"].items():
                if i in matches and part_name in matches[i]["parts"]:
                    total += _plain_reward(part, matches[i]["parts"][part_name], part_iou)
        counted.append(total / parts if parts else 0)
    return sum(counted) / len(counted) if counted else 1.0


def _random_box(rng):
    low = rng.uniform(0, 20, 2)
    # A few are inverted, which the script scores too.
    return [*low.tolist(), *(low + rng.choice([1, -1], p=[0.97, 0.03]) * rng.uniform(5, 60, 2)).tolist()]


def _random_video(rng, proposals):
    def person():
        parts = {}
        for name in ("head", "hip", "left_arm"):
            count = int(rng.integers(0, 4)) if proposals else 1
            boxes, states = [_random_box(rng) for _ in range(count)], rng.choice(["a", "b"], count).tolist()
            if rng.random() < 0.8:
                parts[name] = {"box": boxes, "verb": states} if proposals else {"box": boxes[0], "verb": states[0]}
        return {"box": _random_box(rng), "parts": parts if rng.random() < 0.8 else {}}

    names = [F1, F2, F3]
    frames = {name: {"humans": [person() for _ in range(rng.integers(0, 5))]} for name in names}
    return {name: frame for name, frame in frames.items() if not proposals or rng.random() < 0.8}


@pytest.mark.parametrize("seed", range(12))
def test_equals_a_plain_loop_on_random_videos(seed):
    rng = np.random.default_rng(seed)
    truth = {f"v{i}": _random_video(rng, proposals=False) for i in range(4)}
    guess = {video: _random_video(rng, proposals=True) for video in truth}
    actions = dict.fromkeys(truth, "a")
    for human_iou, part_iou in ((0.5, 0.3), (0.3, 0.6), (0.1, 0.1)):
        result = evaluate(truth, actions, guess, actions, human_iou=human_iou, part_iou=part_iou)
        expected = {video: _plain_psc(truth[video], guess[video], human_iou, part_iou) for video in truth}
        assert result.psc == pytest.approx(expected, abs=1e-9)
    assert 0 < result.mean_psc < 1
