"""What a workplace knows of its data."""

from __future__ import annotations

import shutil

import pytest

from tpsparse.datasets.index import open_index
from tpsparse.datasets.splits import write_splits
from tpsparse.reproduction import data_digest
from tpsparse.taxonomy import Taxonomy

CHANGES = {
    "list/object.txt": "none\nball\n",
    "list/video_test_flist.csv": "lunge/lunge_test_0.mp4,9\n",
    "list/video_train_flist.csv": "lunge/lunge_train_0.mp4,9\n",
}


def digest(root, split):
    return data_digest(open_index(root, split, Taxonomy.from_root(root)))


class TestDataDigest:
    @pytest.mark.parametrize(
        ("file", "train", "test"),
        [
            ("list/object.txt", True, True),
            ("train_annotations/lunge/lunge_train_0/img_00001.json", True, False),
            ("test_annotations/lunge/lunge_test_0/img_00001.json", False, True),
            ("train_videos/lunge/more.mp4", True, False),
            ("notes.txt", False, False),
            ("list/video_test_flist.csv", False, True),
            ("list/video_train_flist.csv", True, False),
        ],
    )
    def test_what_it_follows(self, tiny_copy, file, train, test):
        before = [digest(tiny_copy, split) for split in ("train", "test")]
        (tiny_copy / file).write_text(CHANGES.get(file, "something else"))
        after = [digest(tiny_copy, split) for split in ("train", "test")]
        assert [a != b for a, b in zip(after, before)] == [train, test]

    def test_place_and_times_do_not_matter(self, tiny_copy, tmp_path):
        first = digest(tiny_copy, "train")
        without = shutil.ignore_patterns("index")
        copied = shutil.copytree(tiny_copy, tmp_path / "copied", copy_function=shutil.copyfile, ignore=without)
        assert digest(copied, "train") == first

    def test_extracted_frames_count(self, tiny_copy):
        before = digest(tiny_copy, "train")
        (tiny_copy / "train_frames").mkdir()
        (tiny_copy / "train_frames" / "frames.json").write_text('{"short_side": 32}')
        assert digest(tiny_copy, "train") != before

    def test_named_splits_differ(self, tiny_copy):
        write_splits(tiny_copy, names=["dap"])
        assert len({digest(tiny_copy, split) for split in ("train", "dap/train", "dap/val")}) == 3
