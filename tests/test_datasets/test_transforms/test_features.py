"""T frames, P persons in a frame, D channels."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.datasets.transforms.features import PERSON_MASK, PackFeatures, pad_persons


def rows(*counts, width=2):
    return [np.arange(1, count * width + 1, dtype=np.float32).reshape(count, width) for count in counts]


@pytest.mark.parametrize("counts", [(2, 0, 1), (1,), (3, 3)], ids=["ragged", "one", "full"])
def test_pad_persons(counts):
    features, mask = pad_persons(rows(*counts))
    most = max(counts)
    assert features.shape == (len(counts), most, 2) and mask.shape == (len(counts), most)
    for frame, count in enumerate(counts):
        assert mask[frame].tolist() == [True] * count + [False] * (most - count)
        assert features[frame, :count].tolist() == rows(count)[0].tolist() and not features[frame, count:].any()


@pytest.mark.parametrize("counts", [(0, 0), (0,)])
def test_nobody(counts):
    features, mask = pad_persons(rows(*counts, width=5))
    assert features.shape == (len(counts), 0, 5) and mask.shape == (len(counts), 0) and mask.dtype == bool


def test_pack():
    results = dict(
        video="v",
        action=2,
        frame_features={"context": np.ones((3, 4))},
        video_features={"swin": np.ones(6)},
        person_features=[dict(part=part, state=state) for part, state in zip(rows(2, 0, 1), rows(2, 0, 1, width=3))],
    )
    packed = PackFeatures()(results)
    shapes = {name: value.shape for name, value in packed["inputs"].items()}
    assert shapes == {
        "context": (3, 4),
        "swin": (6,),
        "part": (3, 2, 2),
        "state": (3, 2, 3),
        PERSON_MASK: (3, 2),
    }
    assert (packed["data_samples"].video, packed["data_samples"].action) == ("v", 2)
