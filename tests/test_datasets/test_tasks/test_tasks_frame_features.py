"""Features of the frames of whole videos, and the sub-actions that a parser of TAPOS finds in them."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import tiny_tapos
import torch
from safetensors.numpy import save_file

from tpsparse.datasets.tasks import TPSClipDataset, TPSFrameFeatureDataset
from tpsparse.datasets.tasks import instances as module
from tpsparse.errors import InputError
from tpsparse.models.temporal_parsing import TransParser
from tpsparse.structures.boundaries_file import Boundaries
from tpsparse.taxonomy import Taxonomy

CONFIG = tiny.CONFIGS / "temporal_parsing" / "transparser_2xsps_1xb8_tapos_on-kinetics-tps.py"
CHANNELS = tiny_tapos.CHANNELS
NAMES = [f"{action}_train_{number}" for action in tiny.ACTIONS for number in range(2)]


def write(folder, name, features):
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"features": features.astype(np.float16)}, folder / f"{name}.safetensors")


@pytest.fixture
def features(tiny_root, tmp_path):
    """A folder in which the features of each video change in its middle, and begin with a number of its own."""
    folder = tmp_path / "é (features)"
    for number, path in enumerate(sorted(tiny_root.glob("*_videos/*/*.mp4"))):
        frames = np.eye(CHANNELS)[np.repeat([1, 2], tiny.NUM_FRAMES // 2)]
        frames[0, 0] = number
        write(folder, path.stem, frames)
    return folder


def make(root, folder, split="train", **kwargs):
    return TPSFrameFeatureDataset(data_root=str(root), split=split, features=str(folder), pipeline=[], **kwargs)


class TestSamples:
    def test_sample(self, tiny_root, features):
        dataset = make(tiny_root, features)
        assert len(dataset) == 6 and not len(dataset.problems) and dataset.sample_groups().tolist() == list(range(6))
        samples = [dataset[position] for position in range(6)]
        assert [sample["key"] for sample in samples] == NAMES and not dataset.needs_annotations
        assert [sample["label"] for sample in samples] == [0, 0, 1, 1, 2, 2]
        # Sorted by path the three test videos come first.
        assert [sample["features"][0, 0] for sample in samples] == [3, 4, 5, 6, 7, 8]
        for sample in samples:
            assert sample["features"].shape == (12, CHANNELS) and sample["features"].dtype == np.float32
            assert sample["boundaries"].shape == (0,) and sample["boundaries"].dtype == np.int64
            assert sample["num_frames"] == 12 and sample["fps"] == 10.0
        assert dataset.metainfo["taxonomy"] == Taxonomy.from_root(tiny_root).to_meta()

    def test_names_of_the_run(self, tiny_root, features):
        names = Taxonomy.from_root(tiny_root).to_meta()
        dataset = make(tiny_root, features, taxonomy=dict(names, actions=["push_up", "lunge", "pull_ups"]))
        assert [dataset[position]["label"] for position in range(6)] == [1, 1, 2, 2, 0, 0]

    def test_what_is_left_out(self, tiny_root, features):
        (features / f"{NAMES[0]}.safetensors").unlink()
        write(features, NAMES[1], np.zeros((11, CHANNELS)))
        (features / f"{NAMES[2]}.safetensors").write_bytes(b"broken")
        write(features, NAMES[3], np.zeros((12, CHANNELS, 1)))
        dataset = make(tiny_root, features)
        assert [dataset[position]["key"] for position in range(len(dataset))] == NAMES[4:]
        told = {problem.path.stem: problem.message for problem in dataset.problems if problem.skipped == "video"}
        assert list(told) == NAMES[:4]
        signs = ("is missing", "of 11 frames", "holds no features", "of shape (12, 8, 1)")
        assert all(sign in told[name] for name, sign in zip(NAMES, signs))
        assert all(
            message.endswith("with tools/test.py and a config of configs/frame_features") for message in told.values()
        )

    def test_not_finite(self, tiny_root, features):
        write(features, NAMES[0], np.full((12, CHANNELS), np.nan))
        dataset = make(tiny_root, features)
        assert dataset[0]["key"] == NAMES[1]
        assert ["not finite" in problem.message for problem in dataset.problems] == [True]

    def test_more_than_are_named(self, tiny_root, features, monkeypatch):
        monkeypatch.setattr(module, "TOLD", 2)
        for name in NAMES[:5]:
            (features / f"{name}.safetensors").unlink()
        told = [problem.message for problem in make(tiny_root, features).problems]
        assert len(told) == 3 and told[2].startswith("has 3 more of these")

    def test_none(self, tiny_root, tmp_path):
        with pytest.raises(InputError, match=r"data \(test\) has no video with features: write .*nowhere with"):
            make(tiny_root, tmp_path / "nowhere", "test")


def test_boundaries_of_a_parser_of_tapos_reach_a_recognizer(tiny_root, features, tmp_path, run_tool):
    """By tools/test.py: the checkpoint's names are TAPOS's, the videos Kinetics-TPS's."""
    tapos = tiny_tapos.write_instances(tmp_path / "tapos")
    actions = tuple(sorted(tiny_tapos.ACTIONS))
    torch.manual_seed(0)
    network = TransParser(CHANNELS, len(actions), unit=dict(num_patterns=20))
    work = tmp_path / "work"
    work.mkdir()
    meta = dict(dataset_meta=dict(taxonomy=Taxonomy((), (), actions).to_meta()))
    torch.save(dict(state_dict=network.state_dict(), meta=meta), work / "epoch_1.pth")
    (work / "last_checkpoint").write_text("epoch_1.pth")
    options = (f"data_root={tapos}", f"test_root={tiny_root}", f"test_dataloader.dataset.features={features}")
    options += (f"model.channels={CHANNELS}", "test_dataloader.num_workers=0")
    options += ("test_dataloader.persistent_workers=False",)
    assert run_tool("test", CONFIG, "--work-dir", work, "--cfg-options", *options) == 0
    train = work / "boundaries" / "train.json"
    options += ("test_split=train", f"test_evaluator.0.out_file={train}")
    assert run_tool("test", CONFIG, "--work-dir", work, "--cfg-options", *options) == 0

    assert set(Boundaries.load(work / "boundaries" / "test.json").instances) == {f"{a}_test_0" for a in tiny.ACTIONS}
    pipeline = [dict(type="SampleAlongSegments", num_clips=4, test_mode=True)]
    names = Taxonomy.from_root(tiny_root).to_meta()
    clips = TPSClipDataset(
        data_root=str(tiny_root), split="train", taxonomy=names, pipeline=pipeline, segments=str(train)
    )
    assert [clips[position]["video"] for position in range(6)] == NAMES and not len(clips.problems)
    network.eval()
    for position, found in enumerate(
        network([torch.tensor(make(tiny_root, features)[i]["features"]) for i in range(6)])
    ):
        starts = [0, *found.boundaries.tolist()]
        assert 6 in starts
        segments = clips[position]["segments"]
        assert segments.tolist() == [[a, b] for a, b in zip(starts, [*starts[1:], 12])]
