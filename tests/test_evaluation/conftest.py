"""Random challenge dictionaries and parses; every builder draws from the generator that it is given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

GOLDEN = Path(__file__).resolve().parents[2] / ".." / "shared" / "golden"


@pytest.fixture
def taxonomy() -> Taxonomy:
    return Taxonomy(
        parts=("head", "left_arm", "right_arm"),
        states=("none", "bend", "lift"),
        actions=("lunge", "push_up", "hurling_(sport)"),
    )


@pytest.fixture
def make_parse():
    """A parse of ``frames`` with random persons; the part states are ids, as in an annotation."""

    def make(rng, *, video="v0", frames=(1, 6, 11), persons=2, action=1) -> VideoParse:
        parsed = []
        for number in frames:
            low = rng.uniform(0, 100, (persons, 4, 2))
            boxes = np.concatenate([low, low + rng.uniform(20, 80, low.shape)], axis=2).astype(np.float32)
            boxes[:, 1:][rng.random((persons, 3)) < 0.2] = np.nan
            states = np.where(np.isnan(boxes[:, 1:, 0]), -1, rng.integers(0, 3, (persons, 3)))
            parsed.append(FrameParse(number, boxes[:, 0], part_boxes=boxes[:, 1:], part_states=states))
        return VideoParse(video, frames=parsed, action_scores={"action": np.eye(3)[action]})

    return make


@pytest.fixture(params=["small", "sparse", "crowded"])
def golden(request):
    folder = GOLDEN / request.param
    if not folder.is_dir():
        pytest.skip(f"golden inputs of the released script are not here: {request.param}")
    names = ("gt_dir/gt_part_result", "gt_dir/gt_vid_result", "pred_dir/pred_part_result", "pred_dir/pred_vid_result")
    contents = [json.loads((folder / f"{name}.json").read_text()) for name in names]
    return contents, json.loads((folder / "expected.json").read_text())["thresholds"]
