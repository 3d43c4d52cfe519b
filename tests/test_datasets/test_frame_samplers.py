from __future__ import annotations

import pytest

from tpsparse.datasets.frame_samplers import EvenFrames, EveryFrame, even_positions
from tpsparse.registry import FRAME_SAMPLERS


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [(1, 3, [1, 2, 3]), (5, 1, [1]), (5, 5, [1]), (5, 6, [1, 6]), (5, 11, [1, 6, 11]), (2, 0, [])],
)
def test_every_frame(step, count, expected):
    assert EveryFrame(step)(count) == expected


@pytest.mark.parametrize(
    ("num", "count", "expected"),
    [
        (2, 8, [3, 7]),  # middles of 0-4 and 4-8 are positions 2 and 6
        (3, 10, [2, 6, 9]),  # 1.67, 5, 8.33
        (4, 4, [1, 2, 3, 4]),
        (4, 2, [1, 2]),
        (1, 1, [1]),
    ],
)
def test_even_frames(num, count, expected):
    assert EvenFrames(num)(count) == expected


@pytest.mark.parametrize("available", [1, 7, 32, 151])
def test_even_positions_are_distinct_and_inside(available):
    for wanted in range(1, available + 1):
        positions = even_positions(available, wanted)
        assert len(set(positions)) == wanted and positions[0] >= 0 and positions[-1] < available
        assert list(positions) == sorted(positions)


def test_built_by_name():
    assert FRAME_SAMPLERS.build(dict(type="EveryFrame", step=5))(7) == [1, 6]
