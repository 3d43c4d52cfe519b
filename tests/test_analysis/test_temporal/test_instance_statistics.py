"""Expected values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tpsparse.analysis.temporal.statistics import Group, instance_statistics
from tpsparse.datasets.instances import Instance


def instance(video, name, substages, *, subset="train", action=None):
    return Instance(video, name, subset, substages[-1], tuple(substages), action=action)


THREE = [
    instance("v", "s1_0_0_2_0", [0, 10, 50], action="beam"),  # 25 frames a second
    instance("v", "s1_3_0_7_0", [0, 20, 40, 60, 100], action="vault"),  # 25 frames a second
    instance("w", "s1_0_0_1_0", [0, 50], subset="val", action="vault"),  # 50 frames a second
]


def test_groups():
    found = instance_statistics(THREE)
    assert found.total == Group("all", 3, 2, 4, 7 / 3, 7 / 3, 200 / 3)
    assert [(group.name, group.instances, group.videos) for group in found.subsets] == [("train", 2, 1), ("val", 1, 1)]
    assert [group.sub_actions for group in found.subsets] == [3.0, 1.0]
    # Two of vault with 4 and 1 sub-actions, one of beam with 2.
    assert [(group.name, group.sub_actions) for group in found.actions] == [("vault", 2.5), ("beam", 2.0)]


def test_arrays():
    found = instance_statistics(THREE)
    assert found.sub_actions.tolist() == [2, 4, 1] and found.frames.tolist() == [50, 100, 50]
    assert found.seconds.tolist() == [2, 4, 1] and found.fps.tolist() == [25, 25, 50]
    assert found.positions.tolist() == [0.2, 0.2, 0.4, 0.6]
    assert found.lengths.tolist() == pytest.approx([0.4, 1.6, 0.8, 0.8, 0.8, 1.6, 1.0])
    assert found.shares.tolist() == pytest.approx([0.2, 0.8, 0.2, 0.2, 0.2, 0.4, 1.0])
    assert found.lengths.sum() == pytest.approx(found.seconds.sum()) and found.shares.sum() == pytest.approx(3)


def test_without_labels():
    assert instance_statistics([instance("v", "s1_0_0_2_0", [0, 50])]).actions == []


def test_one_frame_and_nothing():
    found = instance_statistics([instance("v", "s1_0_0_0_04", [0, 1])])
    assert found.positions.tolist() == [] and found.shares.tolist() == [1]
    empty = instance_statistics([])
    assert empty.total == Group("all", 0, 0, 0, 0, 0, 0) and empty.subsets == []
    assert all(len(values) == 0 for values in (empty.lengths, empty.positions, empty.sub_actions))
    assert empty.positions.dtype == np.float64
