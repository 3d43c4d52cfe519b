"""Which part states matter to an action: by hand, and against a plain loop. K = 3 parts, S = 3 states."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np
import pytest
from handmade import make_index

from tpsparse.datasets.relevance import RelevanceTable, derive_relevance
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend", "lift"), actions=("a", "b", "c"))
NONE, BEND, LIFT = range(3)
HEAD, ARM = range(2)


def arms(action, *states):
    """A video of an action with one person a frame, of whom only the left arm is annotated."""
    return action, [[[-1, state, -1]] for state in states]


class TestDerive:
    def test_by_hand(self):
        # Arms: action a has 3 bend, 1 lift; b has 1 bend, 3 lift. P(bend) = P(lift) = 1/2, lifts 1.5 and 0.5.
        table = derive_relevance(make_index(NAMES, [arms(0, BEND, BEND, BEND, LIFT), arms(1, BEND, LIFT, LIFT, LIFT)]))
        assert table.relevant.shape == (2, 3, 3) and table.group_of_part.tolist() == [HEAD, ARM, ARM]
        assert table.relevant[ARM, 0].tolist() == [False, True, False]
        assert table.relevant[ARM, 1].tolist() == [False, False, True]

    @pytest.mark.parametrize(("min_lift", "expected"), [(1.2, True), (1.2000001, False), (1.1999, True)])
    def test_exactly_at_the_threshold(self, min_lift, expected):
        # a: 6 of 10 bend; both: 10 of 20. The lift is 0.6 / 0.5 = 1.2.
        a, b = [BEND] * 6 + [LIFT] * 4, [BEND] * 4 + [LIFT] * 6
        table = derive_relevance(make_index(NAMES, [arms(0, *a), arms(1, *b)]), min_lift=min_lift)
        assert bool(table.relevant[ARM, 0, BEND]) is expected

    def test_exactly_at_a_threshold_that_is_no_round_number(self):
        # All 11 of a bend, and 9 of b's 11: the lift is 1 / (20 / 22) = 1.1. 1.1 * 11 * 20 is above 242 in doubles.
        index = make_index(NAMES, [arms(0, *[BEND] * 11), arms(1, *[BEND] * 9, LIFT, LIFT)])
        assert 1.1 * 11 * 20 > 11 * 22
        assert bool(derive_relevance(index, min_lift=1.1).relevant[ARM, 0, BEND])
        assert not derive_relevance(index, min_lift=1.1 + 1e-8).relevant[ARM, 0, BEND]

    def test_left_and_right_count_together(self):
        # a: left bends, right lifts; b: both lift. By sides the left arm's lift of bend would be 2, as it is here:
        # a has 1 bend of 2, all have 1 of 4; lift of "lift" in a is (1/2) / (3/4) < 1, in b 1 / (3/4) = 4/3.
        table = derive_relevance(make_index(NAMES, [(0, [[[-1, BEND, LIFT]]]), (1, [[[-1, LIFT, LIFT]]])]))
        assert table.relevant[ARM, :2].tolist() == [[False, True, False], [False, False, True]]
        assert table.labels(0, np.array([-1, LIFT, BEND])).tolist() == [-1, 0, 1]

    def test_plain_states(self):
        # "none" is over-represented in a, and says nothing; nor does "lift" in b where it is declared plain.
        videos = [arms(0, NONE, NONE), arms(1, LIFT, LIFT)]
        assert not derive_relevance(make_index(NAMES, videos)).relevant[ARM, 0].any()
        assert derive_relevance(make_index(NAMES, videos)).relevant[ARM, 1].tolist() == [False, False, True]
        table = derive_relevance(make_index(NAMES, videos), plain_states=["lift", "moonwalk"])
        assert table.relevant[ARM, :2].tolist() == [[True, False, False], [False, False, False]]

    def test_plain_states_that_there_are_not(self, monkeypatch):
        told = []
        monkeypatch.setattr("mmengine.logging.print_log", lambda text, *level: told.append((text, *level)))
        index = make_index(NAMES, [arms(0, NONE, BEND)])
        derive_relevance(index, plain_states=["none"])
        derive_relevance(index, plain_states=[])
        assert told == []
        derive_relevance(index, plain_states=["noone", "none", "nothing"])
        expected = "plain_states of the relevance labels names noone, nothing, which the vocabulary has not: correct it"
        assert told == [(f"{expected} in the config", "current", logging.WARNING)]

    def test_one_action_has_no_lift(self):
        table = derive_relevance(make_index(NAMES, [arms(1, NONE, BEND, BEND)]))
        assert table.relevant[ARM].tolist() == [[False, True, True]] * 3

    def test_one_action_in_a_group(self):
        # Both actions have arms; heads are annotated in the first alone.
        table = derive_relevance(make_index(NAMES, [(0, [[[BEND, BEND, -1]]]), arms(1, LIFT)]))
        assert table.relevant[HEAD].tolist() == [[False, True, True]] * 3
        assert table.relevant[ARM, 0].tolist() == [False, True, False]
        assert table.relevant[ARM, 2].tolist() == [False, True, True]  # no arm is annotated in action c

    def test_a_state_never_seen_with_the_action(self):
        table = derive_relevance(make_index(NAMES, [arms(0, BEND), arms(1, NONE)]))
        assert not table.relevant[ARM, 0, LIFT] and not table.relevant[ARM, 1, BEND]
        assert table.labels(1, np.array([-1, BEND, LIFT])).tolist() == [-1, 0, 0]

    def test_like_a_plain_loop(self):
        rng = np.random.default_rng(0)
        videos = [
            (int(rng.integers(3)), [rng.integers(-1, 3, (rng.integers(0, 3), 3)).tolist() for _ in range(6)])
            for _ in range(12)
        ]
        table = derive_relevance(make_index(NAMES, videos), min_lift=1.05)
        seen = Counter(
            (table.group_of_part[part], action, state)
            for action, frames in videos
            for persons in frames
            for states in persons
            for part, state in enumerate(states)
            if state >= 0
        )

        def count(**wanted):
            keys = ("group", "action", "state")
            return sum(n for cell, n in seen.items() if all(dict(zip(keys, cell))[k] == v for k, v in wanted.items()))

        for group, action, state in np.ndindex(2, 3, 3):
            share = count(group=group, action=action, state=state) / count(group=group, action=action)
            lift = share / (count(group=group, state=state) / count(group=group))
            assert bool(table.relevant[group, action, state]) is (state != NONE and lift >= 1.05)
        assert 0 < table.relevant.sum() < 12

    def test_what_is_refused(self):
        index = make_index(NAMES, [arms(0, BEND)])
        for wrong in (0, -1.0, float("nan"), float("inf")):
            with pytest.raises(InputError, match=r"min_lift .* is not above 0"):
                derive_relevance(index, min_lift=wrong)
        with pytest.raises(InputError, match="plain_states .* give a list"):
            derive_relevance(index, "none")
        with pytest.raises(InputError, match=r"root \(train\) has no annotated part: annotate it"):
            derive_relevance(make_index(NAMES, [(0, [[[-1, -1, -1]]])]))


class TestTable:
    def test_labels(self):
        relevant = np.zeros((2, 1, 3), dtype=bool)
        relevant[ARM, 0, BEND] = True
        table = RelevanceTable(relevant, np.array([HEAD, ARM, ARM]))
        labels = table.labels(0, np.array([[BEND, BEND, LIFT], [-1, -1, BEND]]))
        assert labels.dtype == np.float32 and labels.tolist() == [[0, 1, 0], [-1, -1, 1]]
        assert table.labels(0, np.zeros((0, 3), dtype=np.int64)).shape == (0, 3)

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"shape \(2, 3\), expected \(groups, actions, states\)"):
            RelevanceTable(np.zeros((2, 3), dtype=bool), np.zeros(3, dtype=int))
        with pytest.raises(ValueError, match=r"names groups \[0, 2\], relevant has 2"):
            RelevanceTable(np.zeros((2, 1, 3), dtype=bool), np.array([0, 2]))
        table = RelevanceTable(np.zeros((1, 1, 3), dtype=bool), np.zeros(3, dtype=int))
        with pytest.raises(ValueError, match=r"states have shape \(4,\), expected \(\.\.\., 3\)"):
            table.labels(0, np.zeros(4, dtype=int))
