"""Objects of a frame: shapes, rows, and how those of many frames are joined and split."""

import numpy as np
import pytest

from tpsparse.structures.objects import FrameObjects, join_objects, split_objects


def some(count: int, seed: int = 0) -> FrameObjects:
    rng = np.random.default_rng(seed)
    return FrameObjects(rng.random((count, 4)), rng.random(count), rng.integers(0, 75, count))


def assert_same(actual: FrameObjects, expected: FrameObjects) -> None:
    for name in ("boxes", "scores", "labels"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))
        assert getattr(actual, name).dtype == getattr(expected, name).dtype


def test_lists_become_arrays():
    objects = FrameObjects([[1, 2, 3, 4]], [0.5], [7])
    assert (objects.boxes.dtype, objects.scores.dtype, objects.labels.dtype) == (np.float32, np.float32, np.int64)
    assert len(objects) == 1


@pytest.mark.parametrize("objects", [FrameObjects.none(), FrameObjects([], [], [])])
def test_none(objects):
    assert len(objects) == 0 and objects.boxes.shape == (0, 4)
    assert objects.scores.shape == objects.labels.shape == (0,)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"boxes": np.zeros((2, 5))}, r"boxes have shape \(2, 5\), expected \(2, 4\)"),
        ({"boxes": np.zeros(4)}, r"boxes have shape \(4,\), expected \(4, 4\)"),
        ({"boxes": np.zeros(())}, r"boxes have shape \(\), expected \(0, 4\)"),
        ({"scores": np.zeros(3)}, r"scores have shape \(3,\), expected \(2,\)"),
        ({"labels": np.zeros((2, 1))}, r"labels have shape \(2, 1\), expected \(2,\)"),
        ({"labels": np.array([0, -1])}, "label -1; ids begin at 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(changed, told):
    fields = {"boxes": np.zeros((2, 4)), "scores": np.zeros(2), "labels": np.zeros(2), **changed}
    with pytest.raises(ValueError, match=told):
        FrameObjects(**fields)


@pytest.mark.parametrize(
    ("rows", "kept"),
    [(np.array([2, 0]), [2, 0]), (np.array([False, True, True]), [1, 2]), (np.array([], dtype=int), [])],
)
def test_take(rows, kept):
    objects = some(3)
    taken = objects.take(rows)
    assert taken.labels.tolist() == [objects.labels[i] for i in kept]
    np.testing.assert_array_equal(taken.boxes, objects.boxes[kept])
    np.testing.assert_array_equal(taken.scores, objects.scores[kept])


@pytest.mark.parametrize("counts", [(2, 0, 3), (0, 0), (1,), (0, 2), (2, 0)])
def test_split_is_the_inverse_of_join(counts):
    frames = [some(count, seed=i) for i, count in enumerate(counts)]
    for actual, expected in zip(split_objects(join_objects(frames), len(frames)), frames, strict=True):
        assert actual is not None
        assert_same(actual, expected)


@pytest.mark.parametrize("count", [0, 2])
def test_unknown_objects_stay_unknown(count):
    assert join_objects([None] * count) == {}
    assert split_objects({}, count) == [None] * count


def test_frames_that_lack_them_are_told():
    with pytest.raises(ValueError, match=r"missing at the positions \[0, 2\]"):
        join_objects([None, some(1), None])


@pytest.mark.parametrize("change", ["frame", "row", "field"])
def test_damage_is_seen(change):
    arrays = join_objects([some(2), some(1)])
    if change == "frame":
        arrays["num_objects"] = arrays["num_objects"][:1]
    elif change == "row":
        arrays["objects/scores"] = arrays["objects/scores"][:-1]
    else:
        del arrays["objects/labels"]
    with pytest.raises((ValueError, KeyError)):
        split_objects(arrays, 2)
