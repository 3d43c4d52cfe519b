"""Boxes grown around keypoints, by hand. P persons, J = 17."""

import numpy as np
import pytest
import torch

from tpsparse.parsing import GrowBoxes, base
from tpsparse.parsing.boxes import grown_boxes
from tpsparse.structures import FrameParse
from tpsparse.structures.keypoints import CONFIDENT
from tpsparse.taxonomy import Taxonomy

SIZE = (100, 200)
NAMES = Taxonomy(parts=("head",), states=("none",), actions=("a",))


def keypoints(*known: tuple[float, float, float]) -> np.ndarray:
    points = np.zeros((1, 17, 3), dtype=np.float32)
    for i, row in enumerate(known):
        points[0, i] = row
    return points


def grow(box, points, **options) -> list[float]:
    options = {"min_score": 0.3, **options}
    found = grown_boxes(torch.tensor([box], dtype=torch.float32), torch.from_numpy(points), SIZE, **options)
    assert found.dtype == torch.float32 and found.shape == (1, 4)
    return found[0].tolist()


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], [50, 20, 90, 80]),
        ([(60, 30, 1.0)], [50, 20, 90, 80]),
        ([(90, 80, 1.0)], [50, 20, 90, 80]),
        ([(45.5, 30, 1.0)], [45.5, 20, 90, 80]),
        ([(60, 90, 0.9), (95, 10, 0.8)], [50, 10, 95, 90]),
        ([(10, 10, 0.3)], [10, 10, 90, 80]),
        ([(10, 10, 0.29), (95, 50, 0.9)], [50, 20, 95, 80]),
        ([(10, 10, 0.29)], [50, 20, 90, 80]),
        ([(250, 120, 1.0)], [50, 20, 200, 100]),
        ([(-30, 50, 1.0)], [0, 20, 90, 80]),
        ([(np.nan, 10, 1.0)], [50, 20, 90, 80]),
    ],
    ids=[
        *("unknown", "inside", "on the edge", "to the left", "two sides", "at the threshold", "below", "all below"),
        *("beyond the frame", "before the frame", "nowhere"),
    ],
)
def test_by_hand(points, expected):
    assert grow([50, 20, 90, 80], keypoints(*points)) == expected


def test_a_box_outside_stays_where_nothing_is_confident():
    assert grow([-5, 20, 90, 80], keypoints((10, 10, 0.1))) == [-5, 20, 90, 80]
    assert grow([-5, 20, 90, 80], keypoints((10, 10, 0.9))) == [0, 10, 90, 80]


def test_margin_is_in_longer_sides():
    # 60 high: a tenth is 6 pixels.
    assert grow([50, 20, 90, 80], keypoints((60, 78, 1.0)), margin=0.1) == [50, 20, 90, 84]


def test_score_zero_never_counts():
    assert grow([50, 20, 90, 80], keypoints((10, 10, 0.0), (95, 50, 0.01)), min_score=0.0) == [50, 20, 95, 80]
    assert grow([50, 20, 90, 80], keypoints(), min_score=0.0) == [50, 20, 90, 80]


def test_nothing_more_than_needed():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = rng.uniform([0, 0, 0], [200, 100, 1], (1, 17, 3)).astype(np.float32)
        x0, y0, x1, y1 = grow([50, 20, 90, 80], points)
        seen = points[0][points[0, :, 2] >= 0.3]
        assert x0 == min(50, seen[:, 0].min()) and x1 == max(90, seen[:, 0].max())
        assert y0 == min(20, seen[:, 1].min()) and y1 == max(80, seen[:, 1].max())


def test_stage():
    stage = GrowBoxes(taxonomy=NAMES)
    frames = [
        FrameParse(1, np.zeros((0, 4)), keypoints=np.zeros((0, 17, 3))),
        FrameParse(
            6,
            [[50, 20, 90, 80], [10, 10, 20, 20]],
            keypoints=np.concatenate([keypoints((95, 50, 1.0)), keypoints((1, 1, 0.1))]),
        ),
        FrameParse(11, []),
    ]
    stage.parse_frames(np.zeros((3, *SIZE, 3), np.uint8), frames)
    assert [len(frame) for frame in frames] == [0, 2, 0]
    assert frames[1].boxes.tolist() == [[50, 20, 95, 80], [10, 10, 20, 20]]
    for frame in frames:
        frame.check()


def test_stage_goes_by_its_arguments():
    # 60 high: a margin of a twentieth is 3 pixels; the second keypoint would count at 0.3.
    frame = FrameParse(1, [[50, 20, 90, 80]], keypoints=keypoints((95, 50, 0.625), (10, 50, 0.5)))
    stage = GrowBoxes(taxonomy=NAMES, min_score=0.625, margin=0.05)
    stage.parse_frames(np.zeros((1, *SIZE, 3), np.uint8), [frame])
    assert frame.boxes.tolist() == [[50, 20, 98, 80]]
    assert GrowBoxes(taxonomy=NAMES).min_score == CONFIDENT


def test_needs_keypoints():
    with pytest.raises(ValueError, match="stage GrowBoxes needs boxes"):
        base.check_row([GrowBoxes(taxonomy=NAMES)])
