from __future__ import annotations

import numpy as np
import pytest

from tpsparse.evaluation.functional import evaluate
from tpsparse.evaluation.functional.outcomes import Outcome, collect_video

BOX, HALF, FAR = [0, 0, 9, 9], [0, 0, 9, 4], [500, 500, 509, 509]
F1, F2, F3 = "img_00001.json", "img_00006.json", "img_00011.json"
RIGHT, WRONG_STATE, NOT_LOCATED, NO_PERSON = Outcome


def person(box=BOX, **parts):
    """A person whose parts are pairs of box and state."""
    return {"box": box, "parts": {name: {"box": box, "verb": state} for name, (box, state) in parts.items()}}


def guesses(box=BOX, **parts):
    """A person with lists of such pairs."""
    return {
        "box": box,
        "parts": {name: {"box": [b for b, _ in p], "verb": [s for _, s in p]} for name, p in parts.items()},
    }


def outcomes(truth, guess, *, human_iou=0.5, part_iou=0.3):
    truth, guess = ({name: {"humans": humans} for name, humans in frames.items()} for frames in (truth, guess))
    return collect_video("v", truth, guess, human_iou).outcomes(part_iou)


@pytest.mark.parametrize(
    ("guess", "outcome", "found", "loss", "reason"),
    [
        ([person(head=(BOX, "a"))], RIGHT, "a", 0, "all right"),
        ([person(head=(BOX, "b"))], WRONG_STATE, "b", 1, "state"),
        ([person(head=(FAR, "a"))], NOT_LOCATED, None, 1, "elsewhere"),
        ([person()], NOT_LOCATED, None, 1, "no proposal"),
        ([person(FAR, head=(BOX, "a"))], NO_PERSON, None, 1, "a person elsewhere"),
        ([], NO_PERSON, None, 1, "nobody"),
        ([guesses(head=[])], NOT_LOCATED, None, 1, "an empty list of proposals"),
        ([guesses(head=[(BOX, "b"), (FAR, "a")])], WRONG_STATE, "b", 1, "the right state lies elsewhere"),
        ([guesses(head=[(HALF, "a"), (BOX, "b")])], RIGHT, "a", 0.5, "right beats near, and two share the reward"),
        ([guesses(head=[(HALF, "c"), (BOX, "b"), (FAR, "d")])], WRONG_STATE, "b", 1, "the nearest of the wrong"),
    ],
)
def test_one_part(guess, outcome, found, loss, reason):
    result = outcomes({F1: [person(head=(BOX, "a"))]}, {F1: guess})
    assert (result.parts, result.states, result.found_states) == (["head"], ["a"], [found]), reason
    assert result.outcomes.tolist() == [outcome] and result.losses.tolist() == [loss], reason
    assert result.frame_loss == 0 and result.psc == pytest.approx(1 - loss)


def test_exactly_at_the_thresholds():
    """Half a box has IoU 0.5: enough for a part, too little for a person."""
    truth = {F1: [person(head=(BOX, "a"))]}
    assert outcomes(truth, {F1: [person(head=(HALF, "b"))]}, part_iou=0.5).outcomes.tolist() == [WRONG_STATE]
    assert outcomes(truth, {F1: [person(HALF, head=(BOX, "a"))]}).outcomes.tolist() == [NO_PERSON]


def test_weights_by_hand():
    # Frame 1 has two parts (a quarter each of the two frames that count), frame 6 one (a half); in frame 11 is nobody.
    truth = {F1: [person(head=(BOX, "a"), hip=(BOX, "a"))], F2: [person(head=(BOX, "a"))], F3: []}
    guess = {F1: [person(head=(BOX, "a"), hip=(BOX, "b"))], F2: []}
    result = outcomes(truth, guess)
    assert result.losses.tolist() == [0, 0.25, 0.5] and result.psc == 0.25
    assert result.outcomes.tolist() == [RIGHT, WRONG_STATE, NO_PERSON]


def test_missing_frame_without_parts():
    # Two frames count: that with the part, and that which is missing; it takes one half.
    result = outcomes({F1: [person(head=(BOX, "a"))], F2: [person()]}, {F1: [person(head=(BOX, "b"))]})
    assert (result.losses.tolist(), result.frame_loss, result.psc) == ([0.5], 0.5, 0.0)


@pytest.mark.parametrize("truth", [{}, {F1: []}, {F1: [person()]}])
def test_nothing_to_find(truth):
    result = outcomes(truth, {F1: []})
    assert (result.parts, result.losses.tolist(), result.frame_loss, result.psc) == ([], [], 0, 1.0)


def test_losses_add_up_on_the_golden_inputs(golden):
    (gt_parts, gt_actions, pred_parts, pred_actions), _ = golden
    result = evaluate(gt_parts, gt_actions, pred_parts, pred_actions)
    counts, right = {}, {}
    for video in gt_actions:
        found = collect_video(video, gt_parts[video], pred_parts.get(video, {}), 0.5).outcomes(0.3)
        assert found.psc == result.psc[video]
        assert found.losses.sum() + found.frame_loss == pytest.approx(1 - found.psc, abs=1e-12)
        assert np.all(found.losses >= 0)
        for part, outcome, state, given in zip(found.parts, found.outcomes, found.states, found.found_states):
            assert (given is None) == (outcome in (NOT_LOCATED, NO_PERSON))
            assert (given == state) == (outcome == RIGHT)
            counts[part] = counts.get(part, 0) + 1
            right[part] = right.get(part, 0) + (outcome == RIGHT)
    assert {part: right[part] / counts[part] for part in counts} == pytest.approx(result.part_accuracy)
