"""Which files of features a data set of instances leaves out before a run."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import tiny_tapos
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as torch_file

from tpsparse.datasets.instances import names_at, open_instances
from tpsparse.datasets.tasks import TAPOSFeatureDataset
from tpsparse.datasets.tasks import instances as module
from tpsparse.errors import InputError
from tpsparse.structures.files import MADE_BY
from tpsparse.taxonomy import Taxonomy


def make(root):
    features = str(root / "features" / "tiny")
    names = Taxonomy((), (), names_at(root)).to_meta()
    return TAPOSFeatureDataset(data_root=str(root), split="train", taxonomy=names, pipeline=[], features=features)


@pytest.fixture
def root(tmp_path):
    return tiny_tapos.write_instances(tmp_path / "data (é)")


def change_features(root, numbers, change, **metadata):
    """Write the features of some training instances anew; their files."""
    instances = open_instances(root, "train").instances
    paths = [root / "features" / "tiny" / f"{instances[number].key}.safetensors" for number in numbers]
    for path in paths:
        features = np.ascontiguousarray(change(load_file(path)["features"]))
        save_file(dict(features=features), path, metadata or None)
    return paths


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (dict(features=np.zeros((3, 8), np.float16)), r"has features of 3 frames, not of \d+: cut"),
        (dict(features=np.zeros((8,), np.float16)), r"has features of shape \(8,\), expected .*: remove it"),
        (dict(features=np.zeros((0, 8), np.float16)), r"has features of shape \(0, 8\), expected .*: remove it"),
        (dict(features=np.zeros((40, 0), np.float16)), r"has features of shape \(40, 0\), expected"),
        (dict(other=np.zeros((3, 8), np.float16)), "holds no features .*: remove it"),
        (b"", "holds no features .*: remove it"),
        (b"no such format", "holds no features .*: remove it"),
        (None, "holds no features .*: remove it"),  # a folder
    ],
)
def test_headers_tell_before_a_run(root, content, told):
    whole = make(root)
    path = whole.file(whole.instances[2])
    if isinstance(content, dict):
        save_file(content, path)
    elif content is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(content)
    dataset = make(root)
    assert [one.key for one in dataset.instances] == [one.key for n, one in enumerate(whole.instances) if n != 2]
    [problem] = dataset.problems
    assert problem.skipped == "instance" and problem.path == path
    assert re.fullmatch(f"{told}.*", problem.message)


def test_types_that_numpy_lacks(root):
    path = change_features(root, [1], lambda features: features.astype(np.float32))[0]
    torch_file({"features": torch.zeros(load_file(path)["features"].shape, dtype=torch.bfloat16)}, path)
    [problem] = make(root).problems
    assert problem.message == "has features of type BF16: save them as float16"


def test_neighbours_of_another_length_do_not_end_a_run(tmp_path):
    # More than MAX_TRIES in a row: a source video that was cut at another frame rate.
    root = tiny_tapos.write_instances(tmp_path, train=30)
    change_features(root, range(3, 28), lambda features: features[:-1])
    dataset = make(root)
    assert len(dataset) == 5 and len(dataset.problems) == 25
    assert len({dataset[position]["key"] for position in range(5)}) == 5


def test_neighbours_that_are_no_numbers_do_not_end_a_run(tmp_path):
    # What no header tells, and more than MAX_TRIES in a row.
    root = tiny_tapos.write_instances(tmp_path, train=30)
    change_features(root, range(3, 28), lambda features: np.full_like(features, np.nan))
    dataset = make(root)
    assert dataset[3]["key"] == dataset.instances[28].key and len(dataset.problems) == 25


def test_no_features_are_read_for_it(root, monkeypatch):
    monkeypatch.setattr(module, "read_features", lambda *_: pytest.fail("features are read"))
    change_features(root, [0], lambda features: np.full_like(features, np.nan))
    assert len(make(root)) == 6


@pytest.mark.parametrize("odd", [[0], [5], [1, 4], [3, 4, 5]])
def test_the_width_of_most_files_counts(root, odd):
    whole = make(root)
    paths = change_features(root, odd, lambda features: features[:, :5])
    dataset = make(root)
    assert [problem.path for problem in dataset.problems] == paths
    folder = root / "features" / "tiny"
    for problem in dataset.problems:
        assert problem.message == (
            f"has features of 5 channels, and most of {folder} have 8: "
            "write all features of the folder with one feature config"
        )
    assert [one.key for one in dataset.instances] == [one.key for n, one in enumerate(whole.instances) if n not in odd]


def test_files_that_are_broken_anyway_do_not_decide_the_width(root):
    change_features(root, [0, 1, 2, 3], lambda features: features[:-1, :5])
    assert make(root)[0]["features"].shape[1] == 8


def test_features_of_several_encoders(root, monkeypatch):
    folder = root / "features" / "tiny"
    old = change_features(root, [1, 2, 3], lambda features: features, encoder="old")
    change_features(root, [4], lambda features: features, encoder="new")
    # Of their own: without a word on who made the folder, and files without a mark.
    assert len(make(root)) == 6
    (folder / "made_by.json").write_text("broken")
    assert len(make(root)) == 6
    (folder / "made_by.json").write_text(json.dumps(dict(stamp="new")))
    dataset = make(root)
    assert [problem.path for problem in dataset.problems] == old and len(dataset) == 3
    told = "is of encoder old, and made_by.json of its folder names new: run tools/test.py with the feature config"
    assert all(problem.message == f"{told} for this split again" for problem in dataset.problems)
    monkeypatch.setattr(module, "TOLD", 1)
    last = list(make(root).problems)[-1]
    assert last.message.startswith("has 2 more of these: run tools/test.py with the feature config for this split")


def test_all_features_are_of_another_encoder(root):
    change_features(root, range(6), lambda features: features, encoder="old")
    (root / "features" / "tiny" / MADE_BY).write_text(json.dumps(dict(stamp="new")))
    with pytest.raises(InputError, match=r"has no instance with features: run .* for this split again"):
        make(root)


def test_each_reason_is_counted_by_itself(root, monkeypatch):
    monkeypatch.setattr(module, "TOLD", 1)
    change_features(root, [0, 1], lambda features: features[:-1])
    change_features(root, [2, 3, 4], lambda features: features[0])
    told = [problem.message for problem in make(root).problems]
    assert [message.split(":")[0] for message in told if "more" in message] == [
        "has 1 more of these",
        "has 2 more of these",
    ]
    assert len(told) == 4
