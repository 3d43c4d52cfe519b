"""State precision of records by hand: persons matched, parts that are missing, states without scores."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from tpsparse.registry import METRICS
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend"), actions=("lunge", "jump"))
HERE, THERE = [0.0, 0.0, 9.0, 9.0], [50.0, 50.0, 59.0, 59.0]  # 10 x 10 of the challenge's pixels
ABSENT = [np.nan] * 4


def run(*pairs, **arguments):
    evaluator = Evaluator(METRICS.build(dict(type="ParsedStateMAP", **arguments)))
    evaluator.dataset_meta = dict(taxonomy=NAMES.to_meta())
    for parse, truth in pairs:
        evaluator.process(data_samples=[parse], data_batch=dict(ground_truth=[truth]))
    return evaluator.evaluate(len(pairs))


def true(*states, boxes=(HERE,), number=1):
    return VideoParse("v", frames=[FrameParse(number, np.array(boxes), part_states=np.array(states).reshape(-1, 3))])


def found(scores=None, states=None, *, boxes=(HERE,), parts=None, number=1, video="v"):
    scores = None if scores is None else np.array(scores, dtype=np.float32)
    states = None if states is None else np.array(states)
    part_boxes = None if parts is None else np.array(parts, dtype=np.float32)
    frame = FrameParse(
        number, np.array(boxes).reshape(-1, 4), state_scores=scores, part_states=states, part_boxes=part_boxes
    )
    return VideoParse(video, frames=[frame])


def test_by_hand():
    # Rows: head none, left arm bend, right arm bend. none: .9, .8, .1 -> 1. bend: .3 (wrong), .2, .7 (both right):
    # right, wrong, right -> (1 + 2/3) / 2 = 5/6.
    parse = found([[[0.9, 0.3], [0.8, 0.2], [0.1, 0.7]]])
    numbers = run((parse, true([0, 1, 1])))
    assert numbers == {
        "state/mAP": pytest.approx((1 + 5 / 6) / 2),
        "state/mAP/head": 1.0,
        "state/mAP/arm": 1.0,
    }


@pytest.mark.parametrize(
    "parse",
    [
        found([[[0.5, 0.5], [0.9, 0.1], [0.2, 0.3]]], parts=[[HERE, ABSENT, HERE]]),
        found([[[0.5, 0.5], [np.nan, 0.1], [0.2, 0.3]]]),
        found([[[0.5, 0.5], [0.1, 0.9], [0.2, 0.3]]], [[0, -1, 1]]),
    ],
    ids=["no box", "no number", "no state"],
)
def test_a_part_that_is_not_found_comes_last(parse):
    # bend among (none .5, bend -1, bend .3): wrong, right, right -> (1/2 + 2/3) / 2; none: 1.
    assert run((parse, true([0, 1, 1])))["state/mAP"] == pytest.approx((1 + 7 / 12) / 2)


def test_persons_are_matched():
    # The record has them in the other order, and a third whom nobody is like.
    scores = [[[0.1, 0.9]] * 3, [[0.5, 0.5]] * 3, [[0.9, 0.1]] * 3]
    parse = found(scores, boxes=(THERE, [80, 80, 99, 99], HERE))
    assert run((parse, true([0, 0, 0], [1, 1, 1], boxes=(HERE, THERE))))["state/mAP"] == 1.0


@pytest.mark.parametrize(("human_iou", "expected"), [(0.5, 1 / 2), (0.49, 1.0)])
def test_an_iou_exactly_at_the_threshold_is_not_enough(human_iou, expected):
    # 10 x 10 against 10 x 5 pixels: IoU 0.5. A person who is not matched shares the last place in every state; the
    # other video's person is right.
    half = [0.0, 0.0, 9.0, 4.0]
    parse = found([[[0.9, 0.1]] * 3], boxes=(half,))
    other = found([[[0.2, 0.8]] * 3], video="w")
    numbers = run((parse, true([0, -1, -1])), (other, true([1, -1, -1])), human_iou=human_iou)
    # Unmatched: none has its positive behind the other's .2 -> 1/2; bend is right -> 1.
    assert numbers["state/mAP"] == pytest.approx((expected + 1) / 2)


def test_states_without_scores():
    parse = found(states=[[0, 1, 0]])
    # none: 1, 0, 1 with rows (none, bend, bend): both at once -> 1/2. bend: 0, 1, 0: 1 then 2/3 -> 5/6.
    assert run((parse, true([0, 1, 1])))["state/mAP"] == pytest.approx((1 / 2 + 5 / 6) / 2)


def test_nobody_found_in_a_frame():
    nobody = FrameParse(2, np.zeros((0, 4)), state_scores=np.zeros((0, 3, 2)))
    parse = found([[[0.9, 0.1]] * 3])
    truth = true([0, 0, 0])
    truth.frames += true([0, -1, -1], number=2).frames
    parse.frames.append(nobody)
    # none: three right at .9, the fourth at -1: all right; there is no wrong row.
    assert run((parse, truth))["state/mAP"] == 1.0
    empty = VideoParse("v", frames=[FrameParse(1, np.zeros((0, 4)))])
    with pytest.raises(ValueError, match="neither part_states nor state_scores"):
        run((VideoParse("v", frames=[FrameParse(1, np.array([HERE]))]), true([0, 1, 1])))
    assert run((empty, true([0, 1, 1])))["state/mAP"] == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_annotated_and_parsed_frames_alone():
    parse = found([[[0.9, 0.1]] * 3])
    assert run((parse, None), (VideoParse("w", error="w.mp4 is empty"), true([0, 1, 1]))) == {}
    assert run((parse, true([0, 1, 1], number=6))) == {}


def test_a_video_that_comes_twice_counts_once():
    right = (found([[[0.9, 0.1]] * 3]), true([0, -1, -1]))
    wrong = (found([[[0.95, 0.1]] * 3], video="w"), true([1, -1, -1]))
    assert run(right, right, wrong) == run(right, wrong)
    assert run(right, wrong)["state/mAP"] == pytest.approx((1 / 2 + 1 / 2) / 2)


@pytest.mark.parametrize("scores", [None, [[[0.5, 0.5], [0.1, 0.9], [0.2, 0.3]]]], ids=["states alone", "with scores"])
def test_a_given_state_of_a_part_without_a_box_is_not_found(scores):
    states = [[0, 1, 1]]
    whole, lacking = (found(scores, states, parts=[[HERE, HERE if there else ABSENT, HERE]]) for there in (True, False))
    # bend among (head, left arm, right arm), the arms right. Whole: both before the head, or .5, .9, .3 -> 1, 2/3.
    # Without the left arm's box it comes last: right, wrong, right -> 1, 2/3; or wrong, right, right -> 1/2, 2/3.
    both, one = (1.0, (1 + 2 / 3) / 2) if scores is None else ((1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2)
    assert run((whole, true([0, 1, 1])))["state/mAP"] == pytest.approx((1 + both) / 2)
    assert run((lacking, true([0, 1, 1])))["state/mAP"] == pytest.approx((1 + one) / 2)
