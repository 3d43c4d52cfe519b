from __future__ import annotations

import numpy as np
import pytest
import tiny_tapos

from tpsparse.datasets.instances import open_instances
from tpsparse.datasets.kept import Kept
from tpsparse.datasets.tasks import TAPOSFeatureDataset
from tpsparse.errors import InputError


def test_nothing_is_dropped_and_nothing_kept_beyond_the_room():
    kept = Kept(10)
    for key, size in (("a", 4), ("b", 7), ("c", 6), ("d", 1)):
        kept.keep(key, key.upper(), size)
    # b does not fit beside a; c fills the room exactly.
    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", None]
    assert (len(kept), kept.num_bytes) == (2, 10) and kept.has_room(0) and not kept.has_room(1)


def test_a_key_keeps_its_first_item():
    kept = Kept(10)
    kept.keep("a", 1, 4)
    kept.keep("a", 2, 4)
    assert (kept.get("a"), kept.num_bytes) == (1, 4)


def test_no_room():
    kept = Kept(0)
    kept.keep("a", 1, 1)
    assert len(kept) == 0 and kept.get("a") is None


@pytest.mark.parametrize("max_frames", [None, 5])
def test_features_of_instances_are_read_once(tmp_path, max_frames):
    from mmengine.registry import init_default_scope

    init_default_scope("tpsparse")
    root = tiny_tapos.write_instances(tmp_path / "data")
    place = dict(data_root=str(root), split="train", features=str(root / "features" / "tiny"), pipeline=[])
    names = dict(parts=[], states=[], actions=list(tiny_tapos.ACTIONS), objects=[])
    one, other = (TAPOSFeatureDataset(**place, taxonomy=names, max_frames=max_frames) for _ in range(2))
    other._kept.max_bytes = 0
    first = [one[index, 0]["features"] for index in range(len(one))]
    for features in first:
        features[:] = 0  # it is the sample's own
    for seed in range(3):
        for index in range(len(one)):
            np.testing.assert_array_equal(one[index, seed]["features"], other[index, seed]["features"])
    for instance in open_instances(root, "train").instances:
        one.file(instance).unlink()
    assert one[0, 0]["features"].any() and not list(one.problems)
    with pytest.raises(InputError, match="is missing"):
        other[0, 0]
