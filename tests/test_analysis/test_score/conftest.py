"""Random records beside random annotations, for the analyses of a system."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

TAXONOMY = Taxonomy(
    parts=("head", "left_arm", "right_arm"),
    states=("none", "bend", "lift"),
    actions=("lunge", "push_up", "hurling_(sport)"),
)


def random_truth(rng, number, persons):
    low = np.array([[200.0 * person, 0.0] for person in range(persons)]).reshape(-1, 2) + rng.uniform(
        0, 9, (persons, 2)
    )
    boxes = np.concatenate([low, low + 100], axis=1)
    corners = low[:, None] + rng.uniform(0, 60, (persons, 3, 2))
    parts = np.concatenate([corners, corners + rng.uniform(20, 40, corners.shape)], axis=2)
    absent = rng.random((persons, 3)) < 0.2
    parts[absent] = np.nan
    states = np.where(absent, -1, rng.integers(0, 3, (persons, 3)))
    return FrameParse(number, boxes, part_boxes=parts, part_states=states)


def random_guess(rng, truth):
    """Persons moved, some lost; parts moved, some lost; states right more often than not."""
    kept = np.flatnonzero(rng.random(len(truth)) < 0.8)
    moved = truth.take(kept)
    states = rng.random((len(kept), 3, 3)).astype(np.float32)
    person, part = np.indices(states.shape[:2])
    states[person, part, np.maximum(moved.part_states, 0)] += 0.7
    parts = moved.part_boxes + rng.normal(0, 7, moved.part_boxes.shape)
    parts[rng.random((len(kept), 3)) < 0.1] = np.nan
    boxes = moved.boxes + rng.normal(0, 14, moved.boxes.shape)
    return FrameParse(truth.frame_index, boxes, rng.random(len(kept)), part_boxes=parts, state_scores=states)


@pytest.fixture
def make_records():
    """Pairs of record and annotation; the last video has failed, some lack a frame, one annotates nobody."""

    def make(seed, videos=6):
        rng, pairs = np.random.default_rng(seed), []
        for i in range(videos):
            name, action = f"v{i} (é)", int(rng.integers(0, 3))
            persons = [0 if i == 1 else int(rng.integers(1, 4)) for _ in range(4)]
            truths = [random_truth(rng, 1 + 5 * n, count) for n, count in enumerate(persons)]
            guesses = [random_guess(rng, truth) for truth in truths if i != 2 or truth.frame_index != 6]
            guessed = action if rng.random() < 0.7 else int(rng.integers(0, 3))
            truth = VideoParse(name, (200, 700), 20, 25.0, truths, {"action": np.eye(3)[action]})
            parse = VideoParse(name, (200, 700), 20, 25.0, guesses, {"action": np.eye(3)[guessed]})
            pairs.append((VideoParse(name, error="cut short") if i == videos - 1 else parse, truth))
        return TAXONOMY, pairs

    return make
