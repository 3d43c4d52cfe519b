"""Segments' scores and label tables by hand. A = 2 actions, S = 3 states."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.errors import InputError
from tpsparse.structures import LabelTable, SegmentScores
from tpsparse.structures.segments import best_pairs
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend", "lift (up)"), actions=("été", "run"))
PAIRS = (("été", "none"), ("été", "lift (up)"), ("run", "none"))


def scores(*rows: dict[tuple[int, int], float]) -> np.ndarray:
    made = np.zeros((len(rows), 2, 3), dtype=np.float32)
    for place, row in enumerate(rows):
        for pair, value in row.items():
            made[(place, *pair)] = value
    return made


ONE = scores({(0, 0): 1.0})


class TestSegmentScores:
    def test_types(self):
        made = SegmentScores([[1, 4], [5, 9]], np.ones((2, 2, 3), dtype=np.float64).tolist())
        assert made.frames.dtype == np.int64 and made.scores.dtype == np.float32 and len(made) == 2

    @pytest.mark.parametrize(
        ("frames", "told"),
        [
            ([[1, 4]], "expected"),  # two rows of scores
            ([1, 4], "expected"),
            ([[1, 2, 3], [4, 5, 6]], "expected"),
            ([[0, 4], [5, 9]], "rising"),
            ([[1, 4], [4, 9]], "rising"),
            ([[5, 9], [1, 4]], "rising"),
            ([[1, 4], [9, 5]], "rising"),
            ([[4, 1], [5, 9]], "rising"),
        ],
        ids=["count", "flat", "three", "from 0", "overlap", "falling", "turned", "turned first"],
    )
    def test_frames_that_are_refused(self, frames, told):
        with pytest.raises(ValueError, match=told):
            SegmentScores(frames, np.ones((2, 2, 3)))

    def test_of_single_frames(self):
        assert len(SegmentScores([[1, 1], [2, 2], [6, 6]], np.ones((3, 2, 3)))) == 3

    def test_none_at_all(self):
        with pytest.raises(ValueError, match="at least 1"):
            SegmentScores(np.zeros((0, 2)), np.zeros((0, 2, 3)))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1])
    def test_what_is_no_probability(self, bad):
        with pytest.raises(ValueError, match="finite and not negative"):
            SegmentScores([[1, 2]], scores({(0, 0): 1.0, (1, 2): bad}))

    def test_nothing_said_of_a_segment(self):
        with pytest.raises(ValueError, match="above 0 in every segment"):
            SegmentScores([[1, 2], [3, 4]], scores({(0, 0): 1.0}, {}))

    @pytest.mark.parametrize(
        ("frames", "expected"),
        [
            # Covering all frames.
            ([[1, 3], [4, 5]], {1: 0, 3: 0, 4: 1, 5: 1, 6: 1}),
            # Of single frames: 6 is as far from 1 as from 11, and 1 comes first.
            ([[1, 1], [11, 11]], {1: 0, 5: 0, 6: 0, 7: 1, 11: 1, 40: 1}),
            # An even gap has no middle frame.
            ([[1, 1], [6, 6]], {3: 0, 4: 1}),
            ([[3, 8]], {1: 0, 5: 0, 99: 0}),
        ],
        ids=["whole", "odd gap", "even gap", "one"],
    )
    def test_segment_of(self, frames, expected):
        made = SegmentScores(frames, np.repeat(ONE, len(frames), axis=0))
        assert made.segment_of(list(expected)).tolist() == list(expected.values())
        assert made.segment_of([]).tolist() == []

    def test_segment_of_against_a_plain_search(self):
        rng = np.random.default_rng(0)
        for _ in range(20):
            ends = np.sort(rng.choice(np.arange(1, 80), 10, replace=False)).reshape(-1, 2)
            made = SegmentScores(ends, np.repeat(ONE, 5, axis=0))
            far = [[max(first - n, n - last, 0) for first, last in ends] for n in range(1, 90)]
            assert made.segment_of(range(1, 90)).tolist() == [row.index(min(row)) for row in far]


def test_best_pairs():
    made = scores({(0, 1): 0.2, (1, 2): 0.5}, {(1, 0): 0.5, (0, 2): 0.5}, {(0, 0): 1.0})
    actions, states = best_pairs(made)
    assert (actions.tolist(), states.tolist()) == ([1, 0, 0], [2, 2, 0])  # of equals the first
    assert [array.tolist() for array in best_pairs(np.zeros((0, 2, 3)))] == [[], []]


class TestLabelTable:
    table = LabelTable("arm", 3.0, PAIRS)

    def test_round_trip(self):
        meta = self.table.to_meta()
        assert meta == {"group": "arm", "seconds": 3.0, "labels": [list(pair) for pair in PAIRS]}
        assert LabelTable.from_meta(meta) == self.table and len(self.table) == 3
        assert LabelTable.from_meta(dict(meta, seconds=None)).seconds is None

    def test_ids_and_their_inverse(self):
        ids = self.table.ids(NAMES)
        assert ids.tolist() == [[0, 0], [0, 2], [1, 0]]
        lookup = self.table.lookup(NAMES)
        assert lookup.tolist() == [[0, -1, 1], [2, -1, -1]]
        assert lookup[tuple(ids.T)].tolist() == [0, 1, 2]

    def test_the_order_stored_is_kept(self):
        turned = LabelTable("arm", None, PAIRS[::-1])
        assert turned.ids(NAMES).tolist() == [[1, 0], [0, 2], [0, 0]]

    def test_empty(self):
        empty = LabelTable("head", 3.0, ())
        assert empty.ids(NAMES).shape == (0, 2) and (empty.lookup(NAMES) == -1).all()

    @pytest.mark.parametrize(
        ("group", "pair", "strange"),
        [
            ("tail", ("run", "none"), "part group tail"),
            ("arm", ("fly", "none"), "action fly"),
            ("arm", ("run", "moonwalk"), "state moonwalk"),
            ("left_arm", ("fly", "moonwalk"), "part group left_arm, action fly, state moonwalk"),
        ],
        ids=["group", "action", "state", "all"],
    )
    def test_names_that_the_data_does_not_have(self, group, pair, strange):
        table = LabelTable(group, 3.0, (*PAIRS, pair) if pair not in PAIRS else PAIRS)
        with pytest.raises(InputError) as error:
            table.ids(NAMES, "work dir (ä)/epoch_1.pth")
        assert str(error.value).startswith("work dir (ä)/epoch_1.pth has labels that the data set's lists do not have")
        assert f"({strange})" in str(error.value) and str(error.value).endswith("or train again")

    def test_repeated_pair(self):
        with pytest.raises(InputError, match="label table of arm repeats a pair"):
            LabelTable("arm", 3.0, (*PAIRS, PAIRS[0]))

    @pytest.mark.parametrize(
        "meta",
        [
            {},
            {"group": "arm", "labels": []},
            {"group": "arm", "seconds": "long", "labels": []},
            {"group": "arm", "seconds": 3, "labels": [["run"]]},
            {"group": "arm", "seconds": 3, "labels": 4},
            ["arm"],
        ],
        ids=["empty", "no seconds", "seconds", "half a pair", "number", "list"],
    )
    def test_that_is_none(self, meta):
        with pytest.raises(
            InputError, match=r"^a\.pth is no table of group, seconds and pairs of names .*: use the one"
        ):
            LabelTable.from_meta(meta, "a.pth")
