"""The weights of EnsembleActions: given, or read from what tools/ensemble.py has written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.ensemble import Combination, Member, Videos
from tpsparse.errors import InputError
from tpsparse.parsing import EnsembleActions
from tpsparse.parsing.actions import is_weighting, read_weights, weighted_mean
from tpsparse.structures import VideoParse


@pytest.fixture
def write(tmp_path):
    def call(*members):
        path = tmp_path / "a run (ü)" / "ensemble.json"
        path.parent.mkdir(exist_ok=True)
        rows = [dict(folder=folder, source=source, weight=weight) for folder, source, weight in members]
        path.write_text(json.dumps(dict(members=rows, split="test")), encoding="utf-8")
        return str(path)

    return call


def test_weighted_mean():
    arrays = [np.array([[1.0, 0]]), np.array([[0, 1.0]])]
    found = weighted_mean(arrays, [1, 3])
    assert found.dtype == np.float32 and found.tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [([1], True), ([0, 2.5], True), ([], False), ([0, 0], False), ([2, -1], False), ([1, float("nan")], False)],
)
def test_is_weighting(weights, expected):
    assert is_weighting(weights) is expected


def test_stage_by_a_file(write, tiny_taxonomy):
    path = write(("run/parses", "a", 0.25), ("run/parses", "b", 0.75), ("run/parses", "c", 0.0))
    stage = EnsembleActions(weights=path, taxonomy=tiny_taxonomy)
    # What has no weight is not even needed.
    assert stage.needs == ["action:a", "action:b"]
    parse = VideoParse("v", action_scores=dict(a=np.array([1.0, 0, 0]), b=np.array([0.2, 0.4, 0.4])))
    stage.parse_video(None, parse)
    assert parse.action_scores["action"].tolist() == pytest.approx([0.4, 0.3, 0.3])


def test_reads_what_a_combination_writes(tmp_path, tiny_root):
    folder = tmp_path / "parses"
    VideoParse("lunge_test_0", action_scores={}).save(folder / "lunge_test_0.safetensors")
    members = [Member(folder, "frame"), Member(folder, "swin")]
    recipe = Combination(members, np.array([0.3, 0.7]), Videos(tiny_root, "test")).recipe()
    (tmp_path / "ensemble.json").write_text(json.dumps(recipe))
    assert read_weights(tmp_path / "ensemble.json") == pytest.approx(dict(frame=0.3, swin=0.7))


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([("a", "frame", 0.5), ("b", "frame", 0.5)], "weighs 2 systems, .* combine the saved parses with"),
        ([("a", "frame", 0.5), ("a", "action", 0.5)], "own action, .* members written FOLDER:SOURCE"),
        ([("a", "frame", 0.5), ("a", "swin", -0.5)], "must not be negative, nor all zero"),
        ([("a", "frame", 0.0)], "must not be negative, nor all zero"),
        ([], "must not be negative, nor all zero"),
        ([("a", "frame", "much")], r"is no ensemble\.json .*fit weights with tools/ensemble\.py"),
    ],
    ids=["two systems", "own action", "negative", "zero", "nobody", "not a number"],
)
def test_files_that_cannot_be_used(write, tiny_taxonomy, members, told):
    with pytest.raises(InputError, match=told):
        EnsembleActions(weights=write(*members), taxonomy=tiny_taxonomy)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"members": 3}', '{"members": [{"folder": "a"}]}', "\xff"])
def test_other_files(tmp_path, content):
    path = tmp_path / "ensemble.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"ensemble\.json is no ensemble\.json .*: fit weights with tools/ensemble"):
        read_weights(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read \(No such file or directory\): fit weights"):
        read_weights(tmp_path / "nowhere.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(tmp_path)
