"""One frame at a time by hand; whole records against the score of the ground truth itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tpsparse.analysis.score.replacing import ROWS, Replacement, Row
from tpsparse.errors import InputError
from tpsparse.evaluation.functional import evaluate
from tpsparse.evaluation.submission import part_result_of, part_truth_of, video_result_of, video_truth_of
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(parts=("head", "hip"), states=("none", "bend", "lift"), actions=("lunge", "surf (é)"))
NAN = [math.nan] * 4
BOX, FAR = [0, 0, 99, 99], [500, 500, 599, 599]
HEAD, HIP = [10, 10, 39, 39], [40, 40, 79, 79]
ALL = ROWS[-1]


def frame(boxes, part_boxes, states=None, *, number=1, scores=None, state_scores=None):
    shape = (len(boxes), 2)
    return FrameParse(
        number,
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        None if scores is None else np.array(scores, dtype=np.float32),
        part_boxes=np.array(part_boxes, dtype=np.float32).reshape(*shape, 4),
        part_states=None if states is None else np.array(states).reshape(shape),
        state_scores=None if state_scores is None else np.array(state_scores, dtype=np.float32),
    )


def video(*frames, action=0, **options):
    return VideoParse("v (é)", frames=list(frames), action_scores={"action": np.eye(2)[action]}, **options)


def score(parse, truth, **thresholds):
    parts, actions = part_result_of([parse], TAXONOMY), video_result_of([parse], TAXONOMY)
    return evaluate(part_truth_of([truth], TAXONOMY), video_truth_of([truth], TAXONOMY), parts, actions, **thresholds)


def psc(parse, truth, **replaced):
    row = Row(**replaced)
    return score(Replacement(parse, truth, 2).replaced(row), truth).psc["v (é)"]


TRUTH = video(frame([BOX], [[HEAD, HIP]], [[1, 2]]))


@pytest.mark.parametrize(
    ("predicted", "expected", "reason"),
    [
        # Expected: as is, actor, part boxes, part states, boxes and states, actor and boxes, those three.
        (frame([BOX], [[HEAD, HIP]], [[1, 2]]), (1, 1, 1, 1, 1, 1, 1), "all right"),
        (frame([BOX], [[HEAD, HIP]], [[1, 0]]), (0.5, 0.5, 0.5, 1, 1, 0.5, 1), "one state wrong"),
        (frame([BOX], [[HEAD, FAR]], [[1, 2]]), (0.5, 0.5, 1, 0.5, 1, 1, 1), "one part elsewhere"),
        (frame([BOX], [[HEAD, NAN]], [[1, -1]]), (0.5, 0.5, 0.5, 0.5, 1, 0.5, 1), "a part without box or state"),
        (frame([[0, 0, 99, 19]], [[HEAD, HIP]], [[1, 2]]), (0, 1, 0, 0, 0, 1, 1), "IoU 0.2: its parts are credited"),
        (frame([FAR], [[HEAD, HIP]], [[1, 2]]), (0, 0, 0, 0, 0, 0, 1), "no overlap: nobody looked at the person"),
        (frame([], []), (0, 0, 0, 0, 0, 0, 1), "nobody found"),
    ],
)
def test_one_person(predicted, expected, reason):
    parse = video(predicted)
    rows = (
        {},
        dict(actor=True),
        dict(part_boxes=True),
        dict(part_states=True),
        dict(part_boxes=True, part_states=True),
        dict(actor=True, part_boxes=True),
        dict(actor=True, part_boxes=True, part_states=True),
    )
    assert [psc(parse, TRUTH, **row) for row in rows] == list(expected), reason


def test_state_scores_serve_parts_without_a_box():
    """A state is predicted for every part: an annotated box in place of none meets the state that the scores say."""
    scores = [[[0, 1, 0], [0, 0.25, 0.75]]]
    parse = video(frame([BOX], [[HEAD, NAN]], state_scores=scores))
    assert psc(parse, TRUTH) == 0.5 and psc(parse, TRUTH, part_boxes=True) == 1
    unknown = video(frame([BOX], [[HEAD, NAN]], state_scores=[[[0, 1, 0], [math.nan] * 3]]))
    assert psc(unknown, TRUTH, part_boxes=True) == 0.5


def test_given_states_stand_before_scores():
    """As in FrameParse.states; a box whose state a stage has taken away does not become a proposal."""
    scores = [[[0, 1, 0], [0, 0, 1]]]
    given = video(frame([BOX], [[HEAD, HIP]], [[0, -1]], state_scores=scores))
    assert psc(given, TRUTH) == 0
    assert psc(given, TRUTH, part_boxes=True) == 0.5  # the head's given state is wrong, the hip's score is right


def test_persons_are_matched_one_to_one():
    truth = video(frame([BOX, FAR], [[HEAD, NAN], [FAR, NAN]], [[1, -1], [2, -1]]))
    # Two predictions on the first person, none on the second: the nearer one is matched, whatever its score.
    near = [0, 0, 99, 94]
    parse = video(frame([near, BOX], [[HEAD, NAN], [FAR, NAN]], [[1, -1], [1, -1]], scores=[0.9, 0.5]))
    assert psc(parse, truth) == 0
    assert psc(parse, truth, part_boxes=True) == 0.5 and psc(parse, truth, actor=True, part_boxes=True) == 0.5


def test_persons_are_matched_as_they_are_written():
    """Widths 50.006 of 100.014 are 0.49999; written with two decimals, 50.01 of 100.01 are more than a half."""
    truth = video(frame([[0, 0, 99.014, 99]], [[HEAD, NAN]], [[1, -1]]))
    parse = video(frame([[0, 0, 49.006, 99]], [[FAR, NAN]], [[1, -1]]))
    assert psc(parse, truth) == 0 and psc(parse, truth, part_boxes=True) == 1


def test_only_persons_of_the_submission_count():
    """The eleventh person by score is not submitted, so it is not there to be matched either."""
    others = [[600 + 100 * i, 0, 650 + 100 * i, 50] for i in range(10)]
    parts = [[NAN, NAN]] * 10 + [[HEAD, HIP]]
    parse = video(frame([*others, BOX], parts, [[-1, -1]] * 10 + [[1, 2]], scores=[0.9] * 10 + [0.1]))
    assert psc(parse, TRUTH) == 0 and psc(parse, TRUTH, actor=True) == 0
    parse.frames[0].scores[10] = 0.95
    assert psc(parse, TRUTH) == 1


def test_inverted_and_unfinite_boxes_are_not_persons():
    odd = frame([[99, 99, 0, 0], NAN, BOX], [[HEAD, HIP]] * 3, [[0, 0], [0, 0], [1, 2]])
    assert psc(video(odd), TRUTH) == 1 and psc(video(odd), TRUTH, actor=True) == 1


def test_missing_frames_come_with_the_actor_alone():
    truth = video(*(frame([BOX], [[HEAD, HIP]], [[1, 2]], number=number) for number in (1, 6)))
    parse = video(frame([BOX], [[HEAD, HIP]], [[1, 2]], number=1))
    assert psc(parse, truth, part_boxes=True, part_states=True) == 0.5
    replaced = Replacement(parse, truth, 2).replaced(Row(actor=True))
    assert replaced.frame_indices == [1, 6] and len(replaced.frames[1]) == 1
    assert not np.isfinite(replaced.frames[1].part_boxes).any()
    assert psc(parse, truth, actor=True) == 0.5 and psc(parse, truth, actor=True, part_boxes=True) == 0.5
    assert psc(parse, truth, actor=True, part_boxes=True, part_states=True) == 1


def test_action():
    wrong = video(*TRUTH.frames, action=1)
    assert score(Replacement(wrong, TRUTH, 2).replaced(Row()), TRUTH).score == 0
    assert score(Replacement(wrong, TRUTH, 2).replaced(Row(action=True)), TRUTH).score == pytest.approx(0.9999)


@pytest.mark.parametrize(
    "parse",
    [
        VideoParse("v (é)", error="the file is cut short"),
        video(frame([], []), frame([], [], number=6), action=1),
        video(FrameParse(1, np.zeros((0, 4)))),
        video(FrameParse(1, np.array([BOX]))),  # persons of a row without a part stage
    ],
    ids=["failed", "nobody", "no parts field", "boxes alone"],
)
def test_everything_replaced_is_the_highest_score(parse):
    persons = frame([BOX, BOX, FAR], [[HEAD, HIP], [HIP, NAN], [FAR, NAN]], [[1, 2], [0, -1], [2, -1]], number=6)
    truth = video(TRUTH.frames[0], persons, frame([], [], number=11))
    assert score(Replacement(parse, truth, 2).replaced(ALL), truth).score == 0.9999


@pytest.mark.parametrize("seed", range(4))
def test_random_records(make_records, seed):
    taxonomy, pairs = make_records(seed)
    as_is = []
    for parse, truth in pairs:
        replacement = Replacement(parse, truth, len(taxonomy.parts))
        given, actions = part_truth_of([truth], taxonomy), video_truth_of([truth], taxonomy)

        def result(record, given=given, actions=actions):
            parts, action = part_result_of([record], taxonomy), video_result_of([record], taxonomy)
            return evaluate(given, actions, parts, action)

        assert result(replacement.replaced(ROWS[0])) == result(parse)
        assert result(replacement.replaced(ALL)).score == 0.9999
        # Only the annotated boxes and states differ from one of these rows to the next, so none can be lower.
        chain = [Row(), Row(part_states=True), Row(part_boxes=True, part_states=True), ROWS[7]]
        scores = [result(replacement.replaced(row)).mean_psc for row in chain]
        assert scores == sorted(scores) and scores[-1] == 1
        as_is.append(scores[0])
    assert min(as_is) == 0 and 0 < sorted(as_is)[2] < 1


def test_records_are_not_changed(make_records):
    taxonomy, [(parse, truth), *_] = make_records(0)
    before = [frame.part_boxes.copy() for frame in (*parse.frames, *truth.frames)]
    replacement = Replacement(parse, truth, len(taxonomy.parts))
    for row in ROWS:
        replacement.replaced(row)
    after = [frame.part_boxes for frame in (*parse.frames, *truth.frames)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after))


def test_rows_of_the_report():
    """As printed: 33.32 35.33 36.22 72.46 42.20 45.60 38.10 77.30 44.76 93.41 99.90."""
    assert len(ROWS) == 11 and [row.paper for row in ROWS[:4]] == [33.32, 35.33, 36.22, 72.46]
    assert [row.name for row in (ROWS[0], ROWS[5], ROWS[8])] == ["as is", "part states", "actor + action"]
    assert len({row.name for row in ROWS}) == 11 and ALL.paper == 99.90


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="the record is of v"):
        Replacement(TRUTH, VideoParse("w"), 2)
    with pytest.raises(InputError, match="a record of 2 parts, the data set has 3"):
        Replacement(TRUTH, TRUTH, 3)
