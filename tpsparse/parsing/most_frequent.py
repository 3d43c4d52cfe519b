"""The floor that a state model has to beat: for each action and part, the state most frequent in training.

The 2021 runner-up's report shows how far this alone goes (its table 1).
Shapes: A actions, K parts, S states.
"""

from __future__ import annotations

import numpy as np

from ..datasets.index import TPSIndex, open_index
from ..datasets.video import Video
from ..registry import STAGES
from ..structures import VideoParse
from ..taxonomy import Taxonomy
from .base import Stage


@STAGES.register_module()
class MostFrequentStates(Stage):
    """Give every part the state that it most often has in the training videos of the video's action.

    Args:
        data_root: The data set whose annotations are counted.
        split: The videos that are counted.
    """

    needs = ("action", "part_boxes")
    gives = ("part_states",)

    def __init__(self, *, data_root: str, taxonomy: Taxonomy, split: str = "train") -> None:
        self.table = most_frequent_states(open_index(data_root, split, taxonomy))

    def parse_video(self, video: Video, parse: VideoParse) -> None:
        """Give the states, in place of any state scores."""
        states = self.table[parse.action()]
        for frame in parse.frames:
            frame.state_scores = None
            frame.part_states = np.tile(states, (len(frame), 1))


def most_frequent_states(index: TPSIndex) -> np.ndarray:
    """(A, K) state ids; the first of equals, and over all actions where an action has no such part."""
    taxonomy = index.taxonomy
    counts = np.zeros((len(taxonomy.actions), len(taxonomy.parts), len(taxonomy.states)), dtype=np.int64)
    rows = index.parts
    video = index.frame_video[index.person_frame[index.part_person[rows]]]
    np.add.at(counts, (index.video_actions[video], index.part_id[rows], index.state_id[rows]), 1)
    unseen = counts.sum(axis=2, keepdims=True) == 0
    return np.where(unseen, counts.sum(axis=0, keepdims=True), counts).argmax(axis=2)
