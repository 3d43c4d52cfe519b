"""What every task's data set shares: seeds, replacement of bad items, and one count of them over all processes."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tpsparse.datasets.base import MAX_TRIES, TPSDataset
from tpsparse.engine import SeededIndex
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy


class Numbers(TPSDataset):
    """Its samples are their own positions, except the broken ones."""

    def __init__(self, root, *, size=6, broken=(), **kwargs):
        taxonomy = Taxonomy.from_root(root)
        super().__init__(data_root=str(root), split="train", taxonomy=taxonomy.to_meta(), pipeline=[], **kwargs)
        self.size, self.broken, self.root = size, set(broken), root

    def __len__(self):
        return self.size

    def sample(self, index):
        if index in self.broken:
            raise InputError(f"{self.root}/list/part_stat.txt has a broken sample {index}: mend it")
        return dict(index=index, drawn=(random.random(), np.random.random()))


def test_metainfo_is_the_vocabulary(tiny_root, drawn):
    assert Numbers(tiny_root).metainfo["taxonomy"] == {
        "parts": list(drawn.PARTS),
        "states": list(drawn.STATES),
        "actions": list(drawn.ACTIONS),
        "objects": ["none"],
    }


def test_seeded_key_decides_everything_random(tiny_root):
    numbers = Numbers(tiny_root)
    first = numbers[SeededIndex(3, 77)]
    random.seed(1), np.random.seed(1)
    assert numbers[SeededIndex(3, 77)] == first
    assert numbers[SeededIndex(3, 78)]["drawn"] != first["drawn"]


def test_plain_key_leaves_the_generators(tiny_root):
    numbers = Numbers(tiny_root)
    random.seed(5), np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5), np.random.seed(5)
    assert numbers[2] == {"index": 2, "drawn": expected}


def test_torch_is_left_to_the_model(tiny_root):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    Numbers(tiny_root)[SeededIndex(0, 1)]
    assert torch.equal(torch.get_rng_state(), state)


class TestBadItems:
    def test_next_item_takes_the_place(self, tiny_root):
        numbers = Numbers(tiny_root, broken=[2, 3, 5])
        assert [numbers[i]["index"] for i in range(6)] == [0, 1, 4, 4, 4, 0]

    def test_each_is_told_once(self, tiny_root):
        numbers = Numbers(tiny_root, broken=[2])
        for _ in range(3):
            numbers[2]
        [problem] = numbers.problems
        assert problem.skipped == "sample" and problem.path == tiny_root / "list" / "part_stat.txt"
        assert problem.message == "has a broken sample 2: mend it"

    def test_file_name_with_spaces(self, tiny_root, tmp_path):
        root = shutil.copytree(tiny_root, tmp_path / "my data")
        numbers = Numbers(root, broken=[0])
        numbers[0]
        assert [problem.path for problem in numbers.problems] == [root / "list" / "part_stat.txt"]

    def test_all_are_bad(self, tiny_root):
        with pytest.raises(InputError, match=r"6 samples in a row cannot be read; the last: .*sample 5"):
            Numbers(tiny_root, broken=range(6))[0]

    def test_too_many_in_a_row(self, tiny_root):
        numbers = Numbers(tiny_root, size=MAX_TRIES + 2, broken=range(MAX_TRIES))
        with pytest.raises(InputError, match=f"{MAX_TRIES} samples in a row"):
            numbers[0]
        assert numbers[1]["index"] == MAX_TRIES

    def test_problems_of_the_index_are_its_own_too(self, tiny_copy):
        (tiny_copy / "train_videos" / "lunge" / "lunge_train_0.mp4").write_bytes(b"")
        numbers = Numbers(tiny_copy, broken=[1])
        numbers[1]
        assert [problem.skipped for problem in numbers.problems] == ["video", "sample"]
        assert [problem.skipped for problem in numbers.index.problems] == ["video"]

    @pytest.mark.parametrize("workers", [0, 2])
    def test_workers_add_to_one_count(self, tiny_root, workers):
        numbers = Numbers(tiny_root, broken=[1, 4])
        for _ in range(2):  # workers are started anew for each pass
            for _ in DataLoader(numbers, batch_size=1, num_workers=workers, collate_fn=list):
                pass
        assert sorted(problem.message for problem in numbers.problems) == [
            "has a broken sample 1: mend it",
            "has a broken sample 4: mend it",
        ]


def test_temporary_file_goes_with_the_data_set(tiny_root):
    numbers = Numbers(tiny_root, broken=[1])
    inbox = numbers.problems._inbox
    assert not inbox.exists()
    for _ in DataLoader(numbers, num_workers=1, collate_fn=list):
        pass
    assert inbox.is_file()
    del numbers
    assert not inbox.exists()
