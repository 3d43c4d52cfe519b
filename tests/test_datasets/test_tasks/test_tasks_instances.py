"""Data sets of action instances, against what was written. T frames, D channels, N segments."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tiny
import tiny_tapos
import torch
from mmengine.dataset import pseudo_collate
from safetensors.numpy import save_file
from torch.utils.data import DataLoader

from tpsparse.datasets.instances import names_at, open_instances
from tpsparse.datasets.instances.layout import instance_file
from tpsparse.datasets.tasks import (
    TAPOSClipDataset,
    TAPOSFeatureDataset,
    TAPOSInstanceDataset,
    TPSClipDataset,
)
from tpsparse.datasets.tasks import instances as module
from tpsparse.engine import SeededIndex
from tpsparse.errors import InputError
from tpsparse.registry import DATASETS
from tpsparse.structures.boundaries_file import Boundaries
from tpsparse.taxonomy import Taxonomy


def taxonomy(root):
    return Taxonomy((), (), names_at(root)).to_meta()


def make(kind, root, split="train", **kwargs):
    if kind is not TAPOSInstanceDataset:
        kwargs.setdefault("pipeline", [])
    if kind is TAPOSFeatureDataset:
        kwargs.setdefault("features", str(root / "features" / "tiny"))
    return kind(data_root=str(root), split=split, taxonomy=taxonomy(root), **kwargs)


@pytest.fixture(scope="module")
def instance_root(tmp_path_factory):
    """Six training and three validation instances with features and, where a frame is its own number, videos."""
    root = tiny_tapos.write_instances(tmp_path_factory.mktemp("instances") / "data (é)")
    for split in ("train", "val"):
        for instance in open_instances(root, split).instances:
            frames = [np.full((32, 32, 3), 2 * number, dtype=np.uint8) for number in range(instance.num_frames)]
            tiny.encode(instance_file(root, instance.key), frames)
    return root


@pytest.fixture
def copied(instance_root, tmp_path):
    return shutil.copytree(instance_root, tmp_path / "copy")


def rewrite(root, change):
    path = root / "tapos_annotation.json"
    content = json.loads(path.read_text())
    for video, entries in content.items():
        for entry in entries.values():
            change(video, entry)
    path.write_text(json.dumps(content))


class TestFeatures:
    def test_sample_is_what_was_written(self, instance_root):
        dataset = make(TAPOSFeatureDataset, instance_root)
        assert len(dataset) == 6 and not len(dataset.problems)
        annotation = json.loads((instance_root / "tapos_annotation.json").read_text())
        for position in range(6):
            sample = dataset[position]
            video, name = sample["key"].split("/")
            entry = annotation[video][name]
            assert sample["num_frames"] == entry["total_frames"] and sample["fps"] == pytest.approx(25, abs=0.05)
            assert sample["features"].shape == (entry["total_frames"], tiny_tapos.CHANNELS)
            assert sample["features"].dtype == np.float32 and sample["boundaries"].dtype == np.int64
            assert [0, *sample["boundaries"].tolist(), entry["total_frames"]] == entry["substages"]
            assert sorted(tiny_tapos.ACTIONS)[sample["label"]] == entry["action"]
            # Frames of a sub-action are one unit vector, with noise.
            strongest = sample["features"].argmax(axis=1)
            assert set(np.flatnonzero(np.diff(strongest)) + 1) == set(entry["substages"][1:-1])

    def test_is_named_in_configs_and_tells_its_names(self, instance_root):
        assert DATASETS.get("TAPOSFeatureDataset") is TAPOSFeatureDataset
        names = make(TAPOSFeatureDataset, instance_root).metainfo["taxonomy"]
        assert names["actions"] == sorted(tiny_tapos.ACTIONS) and names["parts"] == []
        assert not TAPOSFeatureDataset.needs_annotations

    def test_batches_of_packed_instances_of_different_lengths(self, instance_root, scope):
        dataset = make(TAPOSFeatureDataset, instance_root, pipeline=[dict(type="PackInstance")])
        [batch] = list(DataLoader(dataset, batch_size=6, collate_fn=pseudo_collate))
        lengths = [sample.num_frames for sample in batch["data_samples"]]
        assert [len(features) for features in batch["inputs"]] == lengths and len(set(lengths)) > 1
        assert all(features.dtype == torch.float32 for features in batch["inputs"])

    def test_labels_follow_the_names_that_are_given(self, instance_root):
        names = Taxonomy((), (), ("hurdles (men)", "other")).to_meta()
        dataset = TAPOSFeatureDataset(
            data_root=str(instance_root),
            split="val",
            taxonomy=names,
            pipeline=[],
            features=str(instance_root / "features" / "tiny"),
        )
        assert sorted(dataset[position]["label"] for position in range(3)) == [-1, -1, 0]

    def test_groups_are_source_videos(self, copied):
        def join(video, entry):
            entry["subset"] = "train"

        rewrite(copied, join)
        content = json.loads((copied / "tapos_annotation.json").read_text())
        first, second, *_ = sorted(content)
        (copied / "features" / "tiny" / second).rename(copied / "features" / "tiny" / "moved")
        for path in (copied / "features" / "tiny" / "moved").iterdir():
            path.rename(copied / "features" / "tiny" / first / path.name)
        content[first].update(content.pop(second))
        (copied / "tapos_annotation.json").write_text(json.dumps(content))
        groups = make(TAPOSFeatureDataset, copied).sample_groups()
        assert len(groups) == 9 and groups[0] == groups[1] and len(set(groups)) == 8

    @pytest.mark.parametrize("most", [1, 10, 10_000])
    def test_stretches_of_long_instances(self, instance_root, most):
        whole = {
            sample["key"]: sample for sample in map(make(TAPOSFeatureDataset, instance_root).__getitem__, range(6))
        }
        dataset = make(TAPOSFeatureDataset, instance_root, max_frames=most)
        starts = set()
        for seed in range(40):
            sample = dataset[SeededIndex(2, seed)]
            full = whole[sample["key"]]
            length = min(most, full["num_frames"])
            assert sample["num_frames"] == len(sample["features"]) == length
            [start] = [
                start
                for start in range(full["num_frames"] - length + 1)
                if (full["features"][start : start + length] == sample["features"]).all()
            ]
            inside = [b - start for b in full["boundaries"] if start < b < start + length]
            assert sample["boundaries"].tolist() == inside
            starts.add(start)
        assert (len(starts) > 5) == (most < 10_000)

    def test_max_frames_of_none_is_refused(self, instance_root):
        with pytest.raises(InputError, match="max_frames is 0: give at least 1"):
            make(TAPOSFeatureDataset, instance_root, max_frames=0)

    def test_missing_features_are_left_out_and_named(self, copied, monkeypatch):
        dataset = make(TAPOSFeatureDataset, copied)
        for instance in dataset.instances[1:5]:
            dataset.file(instance).unlink()
        told = make(TAPOSFeatureDataset, copied)
        assert len(told) == 2 and len(told.problems) == 4
        problem = next(iter(told.problems))
        assert problem.skipped == "instance" and problem.path == dataset.file(dataset.instances[1])
        assert "is missing: write" in problem.message and "tools/test.py" in problem.message
        monkeypatch.setattr(module, "TOLD", 3)
        few = list(make(TAPOSFeatureDataset, copied).problems)
        assert [problem.skipped for problem in few] == ["instance"] * 3 + ["others"]
        assert "has 1 more of these" in few[-1].message

    def test_no_features_at_all(self, copied):
        with pytest.raises(
            InputError, match=r"\(train\) has no instance with features: write .*none with tools/test\.py"
        ):
            make(TAPOSFeatureDataset, copied, features=str(copied / "features" / "none"))

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (dict(features=np.zeros((3, 8), np.float16)), r"features of 3 frames, not of \d+"),
            (dict(features=np.zeros((8,), np.float16)), r"shape \(8,\), expected frames by channels"),
            (dict(features=np.zeros((0, 8), np.float16)), r"shape \(0, 8\), expected"),
            (dict(other=np.zeros((3, 8), np.float16)), "holds no features"),
            (b"", "holds no features"),
            (b"no such format", "holds no features"),
            ("nan", "features that are not finite"),
            ("inf", "features that are not finite"),
        ],
    )
    def test_broken_features_cost_their_instance(self, copied, content, told):
        dataset = make(TAPOSFeatureDataset, copied)
        path = dataset.file(dataset.instances[2])
        if isinstance(content, dict):
            save_file(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            features = np.zeros((dataset.instances[2].num_frames, 8), np.float16)
            features[-1, 3] = float(content)
            save_file(dict(features=features), path)
        keys = [dataset[position]["key"] for position in range(6)]
        assert keys[2] == keys[3] and len(set(keys)) == 5
        [problem] = dataset.problems
        assert problem.path == path and problem.skipped == "sample"
        with pytest.raises(InputError, match=told):
            dataset.sample(2)

    def test_broken_instances_of_the_annotation_are_counted(self, copied):
        def spoil(video, entry):
            if video.startswith("video-1"):
                entry["substages"] = [0, 30, 20, entry["total_frames"]]

        rewrite(copied, spoil)
        dataset = make(TAPOSFeatureDataset, copied)
        assert len(dataset) == 5 and len(dataset.problems) == 1

    def test_one_frame_and_no_boundary(self, copied):
        dataset = make(TAPOSFeatureDataset, copied)
        one, two = dataset.instances[:2]

        def shorten(video, entry):
            if video == one.youtube_id:
                entry.update(total_frames=1, substages=[0, 1])
            elif video == two.youtube_id:
                entry.update(substages=[0, entry["total_frames"]])

        rewrite(copied, shorten)
        save_file(dict(features=np.ones((1, 8), np.float16)), dataset.file(one))
        found = {sample["key"]: sample for sample in map(make(TAPOSFeatureDataset, copied).__getitem__, range(6))}
        assert found[one.key]["features"].shape == (1, 8) and found[one.key]["boundaries"].tolist() == []
        assert found[two.key]["boundaries"].tolist() == []


class TestWholeInstances:
    def test_every_instance_with_its_video(self, instance_root):
        dataset = make(TAPOSInstanceDataset, instance_root, "val")
        samples = [dataset[position] for position in range(len(dataset))]
        assert len(samples) == 3
        for sample in samples:
            assert sample == dict(key=sample["key"], video=str(instance_file(instance_root, sample["key"])))

    def test_unreadable_ones_are_for_the_run_to_tell(self, copied):
        dataset = make(TAPOSInstanceDataset, copied, "val")
        instance_file(copied, dataset.instances[0].key).write_bytes(b"no video")
        assert len(make(TAPOSInstanceDataset, copied, "val")) == 3

    def test_missing_ones_are_named(self, copied):
        dataset = make(TAPOSInstanceDataset, copied, "val")
        path = instance_file(copied, dataset.instances[0].key)
        path.unlink()
        left = make(TAPOSInstanceDataset, copied, "val")
        [problem] = left.problems
        assert len(left) == 2 and problem.path == path and "tapos cut" in problem.message

    def test_none_is_cut(self, copied):
        shutil.rmtree(copied / "instances")
        with pytest.raises(InputError, match=r"has no cut instance: run tools/prepare_data\.py tapos cut"):
            make(TAPOSInstanceDataset, copied)


class TestClips:
    def test_sample_in_mmaction_s_terms(self, instance_root):
        dataset = make(TAPOSClipDataset, instance_root)
        sample = dataset[1]
        instance = dataset.instances[1]
        assert sample["key"] == sample["video"] == instance.key and "segments" not in sample
        assert sample["filename"] == str(instance_file(instance_root, instance.key))
        assert (sample["total_frames"], sample["start_index"], sample["modality"]) == (instance.num_frames, 1, "RGB")
        assert sorted(tiny_tapos.ACTIONS)[sample["label"]] == instance.action

    def test_annotated_segments(self, instance_root):
        dataset = make(TAPOSClipDataset, instance_root, segments="truth")
        for position, instance in enumerate(dataset.instances):
            edges = instance.substages
            assert dataset[position]["segments"].tolist() == [list(pair) for pair in zip(edges, edges[1:])]

    def test_frames_come_from_their_segments(self, instance_root, scope):
        pipeline = [dict(type="SampleAlongSegments", num_clips=4, test_mode=True), dict(type="DecodeFrames")]
        dataset = make(TAPOSClipDataset, instance_root, segments="truth", pipeline=pipeline)
        sample = dataset[0]
        shown = [image.mean() / 2 for image in sample["imgs"]]  # each frame is as bright as twice its position
        np.testing.assert_allclose(shown, sample["frame_inds"] - 1, atol=1.5)
        segments = sample["segments"]
        inside = [int(np.searchsorted(segments[:, 0], place, side="right")) - 1 for place in sample["frame_inds"] - 1]
        assert set(inside) == set(range(len(segments)))

    def test_predicted_segments(self, instance_root, tmp_path):
        dataset = make(TAPOSClipDataset, instance_root)
        one, two, three, *others = dataset.instances
        found = Boundaries("some method")
        found.add(one.key, one.num_frames, np.array([5, 9]))
        found.add(two.key, two.num_frames, np.array([], dtype=int))
        found.add(three.key, three.num_frames + 1, np.array([4]))  # of other frames
        for instance in others[1:]:
            found.add(instance.key, instance.num_frames, np.array([1]))
        found.save(tmp_path / "train.json")
        dataset = make(TAPOSClipDataset, instance_root, segments=str(tmp_path / "train.json"))
        assert dataset[0]["segments"].tolist() == [[0, 5], [5, 9], [9, one.num_frames]]
        assert dataset[1]["segments"].tolist() == [[0, two.num_frames]]
        assert dataset[2]["segments"].tolist() == [[0, three.num_frames]]
        assert dataset[3]["segments"].tolist() == [[0, others[0].num_frames]]
        assert dataset[5]["segments"].tolist() == [[0, 1], [1, others[2].num_frames]]
        [problem] = dataset.problems
        assert problem.path == tmp_path / "train.json" and problem.skipped == "segmentation"
        assert problem.message.startswith(f"tells no boundaries of 2 of 6 videos, such as {three.key}, in their length")

    def test_a_file_that_is_not_there(self, instance_root, tmp_path):
        with pytest.raises(InputError, match=r"none\.json is missing"):
            make(TAPOSClipDataset, instance_root, segments=str(tmp_path / "none.json"))

    def test_unlabelled_instances_are_left_out(self, copied):
        rewrite(copied, lambda video, entry: entry.pop("action") if video.startswith("video-2") else None)
        dataset = make(TAPOSClipDataset, copied)
        assert len(dataset) == 5 and all(sample["label"] >= 0 for sample in map(dataset.__getitem__, range(5)))
        assert [problem for problem in dataset.problems if "video-2" in problem.message]

    def test_no_labels_at_all(self, copied):
        rewrite(copied, lambda video, entry: entry.pop("action"))
        with pytest.raises(InputError, match=r"\(train\) has no labelled instance: add the labels"):
            make(TAPOSClipDataset, copied)

    def test_a_video_of_other_frames_costs_its_instance(self, copied):
        dataset = make(TAPOSClipDataset, copied)
        path = instance_file(copied, dataset.instances[0].key)
        shutil.copy(instance_file(copied, dataset.instances[1].key), path)
        annotated = dataset.instances[0].num_frames
        assert dataset.instances[1].num_frames != annotated
        assert dataset[0]["key"] == dataset.instances[1].key
        [problem] = dataset.problems
        assert problem.path == path and f"and {annotated} are annotated: remove it" in problem.message


class TestClipsOfWholeVideos:
    def test_segments_by_the_name_of_the_video(self, tiny_root, tmp_path):
        names = Taxonomy.from_root(tiny_root).to_meta()
        common = dict(data_root=str(tiny_root), split="test", taxonomy=names, pipeline=[])
        assert "segments" not in TPSClipDataset(**common)[0]
        found = Boundaries()
        found.add("lunge_test_0", 12, np.array([4]))
        found.add("push_up_test_0", 12, np.array([3, 11]))
        found.save(tmp_path / "test.json")
        dataset = TPSClipDataset(**common, segments=str(tmp_path / "test.json"), repeat=2)
        segments = [dataset[position]["segments"].tolist() for position in range(6)]
        assert segments == [[[0, 4], [4, 12]], [[0, 12]], [[0, 3], [3, 11], [11, 12]]] * 2
        [problem] = dataset.problems
        assert "of 1 of 3 videos, such as pull_ups_test_0" in problem.message
