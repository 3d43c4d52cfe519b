from __future__ import annotations

import shutil

import numpy as np
import pytest

from tpsparse.datasets.index import build_index, open_index
from tpsparse.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def real_size(benchmark):
    return benchmark("real_size")


@pytest.fixture(scope="module")
def tree(small_data, tmp_path_factory):
    root = shutil.copytree(small_data / "tree_80", tmp_path_factory.mktemp("real") / "tree")
    build_index(root, workers=1, progress=False)
    return root


@pytest.fixture(scope="module")
def made(real_size, tree):
    real_size.make_real_size(tree.parent / "made", tree, videos={"train": 10, "test": 3})
    return tree.parent / "made"


def test_rows_are_those_of_the_tree_over_and_over(made, tree, capsys):
    small = open_index(tree, "train", Taxonomy.from_root(tree))
    large = open_index(made, "train", Taxonomy.from_root(made))
    assert "reading what is new" not in capsys.readouterr().out  # it is taken for current
    assert len(large.videos) == 10 and len(open_index(made, "test", large.taxonomy).videos) == 3
    assert len(large.frames) == 200 == len(large.frame_number)
    for video in (0, 4, 8):  # repetitions of the first of the four
        for one, other in zip(small.videos[0].frames, large.videos[video].frames):
            expected, got = small.frame_parse(one), large.frame_parse(other)
            np.testing.assert_array_equal(got.boxes, expected.boxes)
            np.testing.assert_array_equal(got.part_boxes, expected.part_boxes)
            np.testing.assert_array_equal(got.part_states, expected.part_states)


def test_files_of_the_videos_are_there(made):
    index = open_index(made, "train", Taxonomy.from_root(made))
    assert all(entry.path.is_file() for entry in index.videos)
    assert len({entry.path for entry in index.videos}) == 10
    assert len(index.taxonomy.actions) == 10  # as many as there are folders


def test_made_once(real_size, made, tree):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    real_size.make_real_size(made, tree, videos={"train": 10, "test": 3})
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before
    assert not list(made.parent.glob(".*.partial"))


def test_a_tree_without_an_index(real_size, tmp_path, small_data):
    (tmp_path / "tree").mkdir()
    with pytest.raises(RuntimeError, match="has no index"):
        real_size.make_real_size(tmp_path / "out", tmp_path / "tree")
    assert not (tmp_path / "out").exists()
