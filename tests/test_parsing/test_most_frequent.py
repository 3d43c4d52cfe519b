"""States counted by hand. A = 3 actions, K = 2 parts, S = 3 states."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import make_index

from tpsparse.datasets.index import open_index
from tpsparse.parsing import MostFrequentStates, most_frequent_states
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "hip"), states=("s0", "s1", "s2"), actions=("a", "b", "c"))


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        # Action 0: head 2, 2, 1; hip 0, 1, 1. The others have nothing: over all actions the same.
        ([(0, [[[2, 0], [2, 1]], [[1, 1]]])], [[2, 1]] * 3),
        # A tie of 1 and 2 goes to the first.
        ([(0, [[[2, 2], [1, 1]]])], [[1, 1]] * 3),
        # Each action for itself; action 2 has no hip, which over all is 1, 1, 0.
        ([(0, [[[0, 1]]]), (1, [[[1, 1]]]), (2, [[[2, -1]]]), (0, [[[0, 0]]])], [[0, 0], [1, 1], [2, 1]]),
        # Absent parts do not count, even where they are the most.
        ([(1, [[[-1, -1]], [[-1, 2]], [[1, -1]]])], [[1, 2]] * 3),
        # A frame without persons.
        ([(0, [[], [[1, 2]], []])], [[1, 2]] * 3),
        ([], [[0, 0]] * 3),
    ],
    ids=["majority", "tie", "by action", "absent", "empty frame", "nothing"],
)
def test_table(videos, expected):
    assert most_frequent_states(make_index(NAMES, videos)).tolist() == expected


def test_of_the_drawn_data_set(tiny_root, tiny_taxonomy):
    # The left arm is bent in eight frames of twelve; the right arm lifts in pull_ups alone.
    table = most_frequent_states(open_index(tiny_root, "train", tiny_taxonomy))
    assert table.tolist() == [[0, 1, 1], [0, 1, 2], [0, 1, 1]]


def test_stage_takes_the_place_of_state_scores(tiny_root, tiny_taxonomy):
    stage = MostFrequentStates(data_root=str(tiny_root), taxonomy=tiny_taxonomy)
    frames = [
        FrameParse(number, np.zeros((persons, 4)), state_scores=np.ones((persons, 3, 3)))
        for number, persons in ((1, 2), (6, 0))
    ]
    parse = VideoParse("v", frames=frames, action_scores={"action": np.array([0.1, 0.8, 0.1])})
    stage.parse_video(None, parse)
    assert [frame.states().tolist() for frame in parse.frames] == [[[0, 1, 2]] * 2, []]
    assert all(frame.state_scores is None for frame in parse.frames)
    for frame in parse.frames:
        frame.check()
