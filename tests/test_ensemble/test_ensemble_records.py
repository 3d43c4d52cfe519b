"""One video: votes, whose people are the same, and the mean of states."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.ensemble import combine_records, mix_states, same_people, vote
from tpsparse.structures import FrameParse, VideoParse

VIDEO = "push_up_test_0"  # two persons
GUESS = dict(action=[0.2, 0.2, 0.6])


class TestVote:
    A, B = np.array([1.0, 0, 0]), np.array([0.2, 0.4, 0.4])

    @pytest.mark.parametrize(
        ("scores", "weights", "expected"),
        [
            ((A, B), (0.25, 0.75), [0.4, 0.3, 0.3]),
            ((A, B), (1, 3), [0.4, 0.3, 0.3]),
            ((A, B), (0, 1), [0.2, 0.4, 0.4]),
            ((None, B), (0.9, 0.1), [0.2, 0.4, 0.4]),
            ((None, A, B), (0.5, 0.25, 0.25), [0.6, 0.2, 0.2]),
            ((None, A, B), (1, 0, 0), [0.6, 0.2, 0.2]),
            ((A,), (1,), [1, 0, 0]),
        ],
        ids=["weighted", "not summing to 1", "none", "one failed", "one of three failed", "no weight left", "one"],
    )
    def test_mean(self, scores, weights, expected):
        found = vote(scores, weights)
        assert found.dtype == np.float32 and found.tolist() == pytest.approx(expected)

    def test_nobody(self):
        assert vote([None, None], [0.5, 0.5]) is None


class TestSamePeople:
    def test_up_to_half_a_pixel(self, make_record):
        first = make_record(VIDEO, GUESS)
        assert same_people(first, make_record(VIDEO, GUESS, shift=0.5, head=0.3))
        assert not same_people(first, make_record(VIDEO, GUESS, shift=0.75))

    def test_other_frames(self, make_record):
        assert not same_people(make_record(VIDEO, GUESS), make_record(VIDEO, GUESS, frames=(1, 6)))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda frame: setattr(frame, "part_boxes", None),
            lambda frame: setattr(frame, "state_scores", None),
            lambda frame: setattr(frame, "part_states", np.zeros((2, 3), dtype=int)),
            lambda frame: frame.part_boxes.__setitem__((0, 1), np.nan),
            lambda frame: frame.state_scores.__setitem__((0, 1), np.nan),
            lambda frame: setattr(frame, "state_scores", frame.state_scores[..., :2]),
        ],
        ids=["no parts", "no scores", "states given", "part absent", "score absent", "other states"],
    )
    def test_what_cannot_be_averaged(self, make_record, spoil):
        first, second = make_record(VIDEO, GUESS), make_record(VIDEO, GUESS)
        assert same_people(first, second)
        spoil(second.frames[1])
        assert not same_people(first, second) and not same_people(second, first)

    def test_one_person_fewer_and_another_order(self, make_record):
        first, second = make_record(VIDEO, GUESS), make_record(VIDEO, GUESS)
        second.frames[2] = second.frames[2].take(np.array([1, 0]))
        assert not same_people(first, second)
        second.frames[2] = second.frames[2].take(np.array([1]))
        assert not same_people(first, second)

    def test_frames_without_persons_need_no_parts(self):
        nobody = VideoParse("v", frames=[FrameParse(1, np.zeros((0, 4)))])
        assert same_people(nobody, nobody)
        mix_states([nobody, nobody], [0.5, 0.5])
        assert nobody.frames[0].state_scores is None


class TestCombine:
    def test_states_are_averaged_and_boxes_are_the_firsts(self, make_record):
        first = make_record(VIDEO, GUESS, head=0.4)
        second = make_record(VIDEO, dict(action=[1, 0, 0], swin=[0, 1, 0]), head=0.9, shift=0.5)
        boxes = [frame.part_boxes.copy() for frame in first.frames]
        found, others = combine_records([first, second], np.array([0, 0, 1.0]), [0.25, 0.75])
        assert others == [] and found.action() == 2
        for frame, before in zip(found.frames, boxes):
            # The head's true state is the first in the list: .25 * .4 + .75 * .9.
            assert frame.state_scores[:, 0].tolist() == [pytest.approx([0.775, 0.225, 0])] * 2
            assert np.array_equal(frame.part_boxes, before, equal_nan=True)
        assert list(found.action_scores) == ["1/action", "2/action", "2/swin", "action"]
        assert found.action_scores["2/swin"].tolist() == [0, 1, 0]

    def test_absent_parts_stay_absent(self, make_record):
        records = [make_record("lunge_test_0", GUESS, frames=(4,)) for _ in range(2)]
        found, _ = combine_records(records, None, [0.5, 0.5])
        assert np.isnan(found.frames[0].state_scores[0, 2]).all()
        assert found.frames[0].states().tolist() == [[0, 1, -1]]

    def test_states_of_other_people_stay_out(self, make_record):
        records = [
            make_record(VIDEO, GUESS, head=0.4),
            make_record(VIDEO, GUESS, head=0.9, shift=3),
            make_record(VIDEO, GUESS, head=0.8),
        ]
        found, others = combine_records(records, None, [0.25, 0.5, 0.25])
        assert others == [1]
        assert found.frames[0].state_scores[0, 0].tolist() == pytest.approx([0.6, 0.4, 0])

    def test_no_state_weight_among_those_that_agree(self, make_record):
        records = [make_record(VIDEO, GUESS, head=0.4), make_record(VIDEO, GUESS, head=0.9, shift=3)]
        found, _ = combine_records(records, None, [0.0, 1.0])
        assert found.frames[0].state_scores[0, 0].tolist() == pytest.approx([0.4, 0.6, 0])

    def test_failed_systems(self, make_record):
        failed, whole = VideoParse(VIDEO, error="cut"), make_record(VIDEO, GUESS, head=0.9)
        found, others = combine_records([failed, whole], np.array([1.0, 0, 0]), [0.5, 0.5])
        assert found.error is None and len(found.frames) == 3 and others == []
        assert list(found.action_scores) == ["2/action", "action"]
        found, _ = combine_records([failed, VideoParse(VIDEO, error="lost")], None, [0.5, 0.5])
        assert found == VideoParse(VIDEO, error="cut")

    def test_one_system_keeps_its_names(self, make_record):
        record = make_record(VIDEO, dict(GUESS, swin=[0, 1, 0], frame=[1, 0, 0]))
        found, _ = combine_records([record], np.array([0, 1.0, 0]), [1.0])
        assert sorted(found.action_scores) == ["1/action", "action", "frame", "swin"]
        assert found.action_scores["1/action"].tolist() == pytest.approx(GUESS["action"])
