"""Samples of each task, against how the data set was drawn. P persons, K = 3 parts."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from tpsparse.datasets.frame_folder import extract_frames
from tpsparse.datasets.splits import write_splits
from tpsparse.datasets.tasks import (
    TPSClipDataset,
    TPSFeatureDataset,
    TPSPartDataset,
    TPSPartObjectDataset,
    TPSPersonDataset,
    TPSSegmentDataset,
    VideoDataset,
    best_persons,
    feature_sample,
    pick_frames,
)
from tpsparse.datasets.video import Video
from tpsparse.engine import SeededSampler
from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, LabelTable, VideoParse
from tpsparse.taxonomy import Taxonomy


def make(kind, root, split="train", **kwargs):
    taxonomy = Taxonomy.from_root(root).to_meta()
    if kind is not VideoDataset:
        kwargs.setdefault("pipeline", [])
    return kind(data_root=str(root), split=split, taxonomy=taxonomy, **kwargs)


def colour_at(image, box, place):
    """Mean colour inside a part, away from the edges that compression blurs."""
    x0, y0 = int(box[0]) + place[0] + 2, int(box[1]) + place[1] + 2
    x1, y1 = int(box[0]) + place[2] - 2, int(box[1]) + place[3] - 2
    return image[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0)


class TestPersons:
    def test_sample(self, tiny_root, drawn):
        dataset = make(TPSPersonDataset, tiny_root, "test")
        assert len(dataset) == 36 and dataset.metainfo["classes"] == ("person",)
        sample = dataset[24 + 6]  # push_up, frame 7
        assert (sample["video"], sample["frame_index"], sample["action"]) == ("push_up_test_0", 7, 2)
        assert sample["boxes"].tolist() == [drawn.person_box("push_up", 7, person) for person in range(2)]
        assert sample["img"].shape == (64, 96, 3) and sample["img_shape"] == sample["ori_shape"] == (64, 96)
        assert (sample["img_id"], sample["img_path"]) == (30, str(dataset.index.videos[2].path))

    def test_frame_and_boxes_belong_together(self, tiny_root, drawn):
        sample = make(TPSPersonDataset, tiny_root)[12 * 4 + 10]
        for box in sample["boxes"]:
            found = colour_at(sample["img"], box, drawn.PART_PLACES["head"])
            assert np.abs(found - drawn.PART_COLOURS["head"]).max() < 30

    @pytest.mark.parametrize(("step", "numbers"), [(1, list(range(1, 13))), (5, [1, 6, 11]), (20, [1])])
    def test_frame_step(self, tiny_root, step, numbers):
        dataset = make(TPSPersonDataset, tiny_root, "test", frame_step=step)
        assert [dataset[i]["frame_index"] for i in range(len(dataset))] == numbers * 3

    def test_frame_without_persons(self, tiny_copy):
        (tiny_copy / "train_annotations" / "lunge" / "lunge_train_0" / "img_00001.json").write_text("{}")
        assert make(TPSPersonDataset, tiny_copy)[0]["boxes"].shape == (0, 4)

    def test_no_annotation(self, tiny_copy):
        shutil.rmtree(tiny_copy / "test_annotations")
        with pytest.raises(InputError, match=r"\(test\) has no annotated frame: annotate it or use another split"):
            make(TPSPersonDataset, tiny_copy, "test")

    def test_changes_to_a_sample_stay_there(self, tiny_root):
        dataset = make(TPSPersonDataset, tiny_root)
        first = dataset[0]
        boxes, image = first["boxes"].copy(), first["img"].copy()
        first["boxes"][:] = 0
        first["img"][:] = 0
        np.testing.assert_array_equal(dataset[0]["boxes"], boxes)
        np.testing.assert_array_equal(dataset[0]["img"], image)


class TestParts:
    def test_sample(self, tiny_root, drawn):
        dataset = make(TPSPartDataset, tiny_root, "test")
        assert len(dataset) == 48
        sample = dataset[24 + 2 * 3 + 1]  # push_up, frame 4, second person: its right arm is hidden
        assert (sample["video"], sample["frame_index"]) == ("push_up_test_0", 4)
        box = drawn.person_box("push_up", 4, 1)
        assert sample["box"].tolist() == box and sample["part_states"].tolist() == [0, 1, -1]
        assert sample["part_boxes"][0].tolist() == [box[0] + 6, box[1], box[0] + 14, box[1] + 10]
        assert np.isnan(sample["part_boxes"][2]).all() and sample["flip_parts"].tolist() == [0, 2, 1]

    def test_persons_without_parts_are_left_out(self, tiny_copy):
        path = tiny_copy / "train_annotations" / "lunge" / "lunge_train_0" / "img_00001.json"
        path.write_text('{"humans": [{"number": 1, "box": [1, 1, 30, 30], "parts": {}}]}')
        dataset = make(TPSPartDataset, tiny_copy)
        assert len(dataset) == 96 - 1 and dataset[0]["frame_index"] == 2

    def test_nobody_has_parts(self, tiny_copy):
        for path in (tiny_copy / "test_annotations").rglob("*.json"):
            path.write_text("{}")
        with pytest.raises(InputError, match="has no person with an annotated part"):
            make(TPSPartDataset, tiny_copy, "test")

    def test_augmentation_does_not_depend_on_workers(self, tiny_root, scope):
        pipeline = [dict(type="JitterBox"), dict(type="CropPerson", input_size=(32, 24)), dict(type="FlipPerson")]
        pipeline += [dict(type="JitterColor"), dict(type="PackPart")]
        dataset = make(TPSPartDataset, tiny_root, pipeline=pipeline)

        def load(workers):
            sampler = SeededSampler(dataset, seed=3)
            items = DataLoader(dataset, batch_size=16, sampler=sampler, num_workers=workers, collate_fn=list)
            return [item for batch in items for item in batch]

        alone, shared = load(0), load(2)
        assert len(alone) == 96
        for one, two in zip(alone, shared, strict=True):
            assert one["inputs"].equal(two["inputs"])
            assert one["data_samples"].flipped == two["data_samples"].flipped
        assert {item["data_samples"].flipped for item in alone} == {True, False}


class TestPartsAndObjects:
    """Classes of the drawn data set: head, left arm, right arm, and of objects ``none``."""

    def annotate(self, root, things, humans=None, split="train"):
        path = root / f"{split}_annotations" / "lunge" / f"lunge_{split}_0" / "img_00001.json"
        content = json.loads(path.read_text())
        content["objects"] = [{"number": i, "name": name, "box": box} for i, (name, box) in enumerate(things, start=1)]
        content["humans"] = content["humans"] if humans is None else humans
        path.write_text(json.dumps(content))

    def test_sample(self, tiny_root, drawn):
        dataset = make(TPSPartObjectDataset, tiny_root, "test")
        assert len(dataset) == 36 and dataset.metainfo["classes"] == (*drawn.PARTS, "none")
        sample = dataset[24 + 3]  # push_up, frame 4: two persons, whose right arms are hidden
        expected = []
        for person in range(2):
            left, top = drawn.person_box("push_up", 4, person)[:2]
            for part in ("head", "left_arm"):
                x0, y0, x1, y1 = drawn.PART_PLACES[part]
                expected.append((drawn.PARTS.index(part), left + x0, top + y0, left + x1, top + y1))
        found = zip(sample["labels"].tolist(), sample["boxes"].tolist(), strict=True)
        assert sorted((label, *box) for label, box in found) == sorted(expected)
        assert sample["flip_labels"].tolist() == [0, 2, 1, 3] and sample["boxes"].dtype == np.float32
        assert (sample["video"], sample["frame_index"], sample["img"].shape) == ("push_up_test_0", 4, (64, 96, 3))

    def test_objects_come_after_the_parts(self, tiny_copy):
        self.annotate(tiny_copy, [("none", [1, 2, 30, 40]), ("spear", [5, 5, 9, 9])])
        sample = make(TPSPartObjectDataset, tiny_copy)[0]
        assert sample["labels"].tolist()[-1] == 3 and len(sample["labels"]) == 4  # nobody knows what a spear is
        assert sample["boxes"][-1].tolist() == [1, 2, 30, 40]

    def test_boxes_follow_extracted_frames_of_another_size(self, tiny_copy):
        self.annotate(tiny_copy, [("none", [10, 20, 30, 40])])
        whole = make(TPSPartObjectDataset, tiny_copy)[0]
        extract_frames(tiny_copy, short_side=32, workers=1, progress=False)
        half = make(TPSPartObjectDataset, tiny_copy)[0]
        assert half["img"].shape == (32, 48, 3)
        np.testing.assert_allclose(half["boxes"] * 2, whole["boxes"])

    def test_object_with_the_name_of_a_part(self, tiny_copy):
        (tiny_copy / "list" / "object.txt").write_text("head\nhurling_(sport) bat\n")
        self.annotate(tiny_copy, [("head", [1, 2, 30, 40])], humans=[])
        dataset = make(TPSPartObjectDataset, tiny_copy)
        assert dataset.metainfo["classes"][3:] == ("head (object)", "hurling_(sport) bat")
        assert dataset[0]["labels"].tolist() == [3]

    def test_frames_without_boxes(self, tiny_copy):
        self.annotate(tiny_copy, [("spear", [5, 5, 9, 9])], humans=[{"number": 1, "box": [1, 1, 30, 30], "parts": {}}])
        dataset = make(TPSPartObjectDataset, tiny_copy)
        assert len(dataset) == 72 and dataset[0]["boxes"].shape == (0, 4) and dataset[0]["labels"].shape == (0,)
        dataset = make(TPSPartObjectDataset, tiny_copy, skip_empty=True)
        assert len(dataset) == 71 and dataset[0]["frame_index"] == 2

    def test_an_object_alone_is_enough(self, tiny_copy):
        self.annotate(tiny_copy, [("none", [5, 5, 9, 9])], humans=[])
        assert len(make(TPSPartObjectDataset, tiny_copy, skip_empty=True)) == 72

    def test_every_fifth_frame_of_which_some_are_empty(self, tiny_copy):
        self.annotate(tiny_copy, [], humans=[])
        dataset = make(TPSPartObjectDataset, tiny_copy, skip_empty=True, frame_step=5)
        assert [dataset[i]["frame_index"] for i in range(4)] == [6, 11, 1, 6]

    def test_nothing_to_be_found(self, tiny_copy):
        for path in (tiny_copy / "test_annotations").rglob("*.json"):
            path.write_text("{}")
        with pytest.raises(InputError, match="has no frame with an annotated part or object"):
            make(TPSPartObjectDataset, tiny_copy, "test", skip_empty=True)
        assert len(make(TPSPartObjectDataset, tiny_copy, "test")) == 36


class TestClips:
    def test_sample(self, tiny_root):
        dataset = make(TPSClipDataset, tiny_root, repeat=3)
        assert len(dataset) == 18
        sample = dataset[6 + 5]
        assert (sample["video"], sample["label"], sample["total_frames"]) == ("push_up_train_1", 2, 12)
        assert (sample["start_index"], sample["avg_fps"], sample["modality"]) == (1, 10.0, "RGB")

    def test_decoding_pipeline(self, tiny_root, scope):
        # Four frames, three apart, span ten of twelve: one is left over at either end.
        pipeline = [dict(type="mmaction.SampleFrames", clip_len=4, frame_interval=3, test_mode=True)]
        dataset = make(TPSClipDataset, tiny_root, pipeline=[*pipeline, dict(type="DecodeFrames")])
        sample = dataset[4]
        assert sample["frame_inds"].tolist() == [2, 5, 8, 11]
        expected = make(TPSPersonDataset, tiny_root)
        for image, number in zip(sample["imgs"], [2, 5, 8, 11], strict=True):
            np.testing.assert_array_equal(image, expected[12 * 4 + number - 1]["img"])
        assert sample["original_shape"] == sample["img_shape"] == (64, 96)


class TestVideos:
    def test_readable_and_unreadable(self, tiny_copy):
        (tiny_copy / "test_videos" / "lunge" / "lunge_test_0.mp4").write_bytes(b"")
        dataset = make(VideoDataset, tiny_copy, "test")
        items = [dataset[i] for i in range(len(dataset))]
        assert [item["video"].rsplit("/", 1)[1] for item in items] == [
            "pull_ups_test_0.mp4",
            "push_up_test_0.mp4",
            "lunge_test_0.mp4",
        ]
        assert [item["ground_truth"].video for item in items] == [
            "pull_ups_test_0",
            "push_up_test_0",
            "lunge_test_0",
        ]
        assert [item["action"] for item in items] == [1, 2, 0]
        truth = items[2]["ground_truth"]
        assert truth.frame_indices == list(range(1, 13)) and truth.action() == 0
        assert len(dataset.problems) == 1

    def test_actions_are_known_without_annotations(self, tiny_copy):
        shutil.rmtree(tiny_copy / "test_annotations")
        dataset = make(VideoDataset, tiny_copy, "test")
        items = [dataset[i] for i in range(len(dataset))]
        assert [(item["action"], item["ground_truth"]) for item in items] == [(0, None), (1, None), (2, None)]


def make_parse(video, frames=6, persons=(2, 0, 3, 1, 2, 2)) -> VideoParse:
    records = []
    for number in range(frames):
        count = persons[number]
        records.append(
            FrameParse(
                2 * number + 1,
                boxes=np.tile(np.array([0, 0, 9, 9], dtype=np.float32), (count, 1)),
                scores=np.linspace(0.2, 0.8, count, dtype=np.float32),
                features={"context": np.full(5, number, dtype=np.float32)},
                person_features={"part": 10 * number + np.arange(count * 2, dtype=np.float32).reshape(count, 2)},
            )
        )
    return VideoParse(video, num_frames=12, frames=records, features={"swin": np.arange(4, dtype=np.float32)})


class TestFeatures:
    @pytest.fixture
    def parses(self, tmp_path):
        for name in ("lunge_train_0", "push_up_train_1", "of_another_set"):
            make_parse(name).save(tmp_path / "parses" / f"{name}.safetensors")
        return tmp_path / "parses"

    def test_sample(self, tiny_root, parses):
        dataset = make(TPSFeatureDataset, tiny_root, parses=str(parses), num_frames=6, max_persons=2)
        assert [dataset[i]["video"] for i in range(len(dataset))] == ["lunge_train_0", "push_up_train_1"]
        sample = dataset[1]
        assert sample["action"] == 2 and sample["video_features"]["swin"].tolist() == [0, 1, 2, 3]
        assert sample["frame_features"]["context"].tolist() == [[i] * 5 for i in range(6)]
        persons = [frame["part"].tolist() for frame in sample["person_features"]]
        # Of three persons with rising scores the last two, the best first.
        assert persons[:3] == [[[2, 3], [0, 1]], [], [[24, 25], [22, 23]]]

    def test_no_parse_of_the_split(self, tiny_root, tmp_path):
        with pytest.raises(InputError, match=r"has no saved parse of a train video: run tools/reproduce\.py"):
            make(TPSFeatureDataset, tiny_root, parses=str(tmp_path))

    def test_parse_that_failed_is_replaced(self, tiny_root, parses):
        VideoParse("lunge_train_0", error="it is truncated").save(parses / "lunge_train_0.safetensors")
        dataset = make(TPSFeatureDataset, tiny_root, parses=str(parses))
        assert dataset[0]["video"] == "push_up_train_1"
        [problem] = dataset.problems
        assert problem.path.name == "lunge_train_0.safetensors" and "it is truncated" in problem.message

    def test_broken_file_is_replaced(self, tiny_root, parses):
        (parses / "push_up_train_1.safetensors").write_bytes(b"none")
        dataset = make(TPSFeatureDataset, tiny_root, parses=str(parses))
        assert dataset[1]["video"] == "lunge_train_0" and len(dataset.problems) == 1

    def test_first_record(self, tiny_root, parses):
        """A broken one, and one in which nobody is found, are passed over."""
        dataset = make(TPSFeatureDataset, tiny_root, parses=str(parses))
        path, found = dataset.first_record()
        assert path.name == "lunge_train_0.safetensors" and found == {"part": (3, 2), "context": (2, 5), "swin": (1, 4)}
        for content in ("error", "broken", "nobody"):
            make_parse("lunge_train_0", 2, (0, 0)).save(parses / "lunge_train_0.safetensors")
            if content == "error":
                VideoParse("lunge_train_0", error="truncated").save(parses / "lunge_train_0.safetensors")
            elif content == "broken":
                (parses / "lunge_train_0.safetensors").write_bytes(b"none")
            assert dataset.first_record()[0].name == "push_up_train_1.safetensors"
        (parses / "push_up_train_1.safetensors").write_bytes(b"none")
        assert dataset.first_record() is None

    def test_training_draws_frames_and_testing_does_not(self, tiny_root, parses, tmp_path):
        dataset = make(TPSFeatureDataset, tiny_root, parses=str(parses), num_frames=3, random=True)
        drawn = {tuple(dataset[(0, seed)]["frame_features"]["context"][:, 0]) for seed in range(20)}
        assert len(drawn) > 3 and all(list(frames) == sorted(frames) for frames in drawn)
        make_parse("lunge_test_0").save(tmp_path / "test" / "lunge_test_0.safetensors")
        dataset = make(TPSFeatureDataset, tiny_root, "test", parses=str(tmp_path / "test"), num_frames=3)
        frames = {tuple(dataset[(0, seed)]["frame_features"]["context"][:, 0]) for seed in range(5)}
        assert frames == {(1, 3, 5)}  # the middles of three stretches of six


class TestSegments:
    """Groups are head and arm; frames 1 to 8 have the left arm bent, 9 to 12 lifted, every fourth hides the right."""

    PAIRS = (("lunge", "bend"), ("pull_ups", "bend"), ("pull_ups", "lift"), ("push_up", "bend"))

    def make(self, root, split="test", *, seconds=0.6, pairs=PAIRS, group="arm", **kwargs):
        table = LabelTable("arm", seconds, pairs).to_meta()
        segments = kwargs.pop("segments", dict(type="EqualSegments", seconds=seconds))
        return make(TPSSegmentDataset, root, split, group=group, label_table=table, segments=segments, **kwargs)

    def test_samples(self, tiny_root):
        dataset = self.make(tiny_root)
        assert len(dataset) == 6 and dataset.sample_groups().tolist() == [0, 0, 1, 1, 2, 2]
        samples = [dataset[i] for i in range(6)]
        assert [(s["start_index"], s["total_frames"]) for s in samples] == [(1, 6), (7, 6)] * 3
        assert [s["video"] for s in samples[::2]] == ["lunge_test_0", "pull_ups_test_0", "push_up_test_0"]
        # In frames 7 to 12 of pull_ups arms are bent 2 times and lifted 4 + 4 times; in the others bent 2 + 4 times and
        # lifted 4 times. In frames 1 to 6 they are bent 6 times, and the right one is seen 5 times.
        bent, lifted = [0, 11, 0], [0, 6, 4]
        expected = [bent, lifted, [0, 6, 5], [0, 2, 8], [0, 22, 0], [0, 12, 8]]  # two persons in the third
        assert [s["state_counts"].tolist() for s in samples] == expected
        assert [s["label"] for s in samples] == [0, 0, 1, 2, 3, 3]
        assert [s["action"] for s in samples] == [0, 0, 1, 1, 2, 2]
        assert [s["states"].tolist() for s in samples] == [[-1, 1], [-1, 1], [-1, 1], [-1, 2], [-1, 1], [-1, 1]]

    def test_names_are_kept_for_the_checkpoint(self, tiny_root):
        dataset = self.make(tiny_root)
        assert dataset.metainfo["label_table"] == LabelTable("arm", 0.6, self.PAIRS).to_meta()
        assert set(dataset.metainfo) == {"taxonomy", "label_table"}

    def test_whole_video(self, tiny_root):
        dataset = self.make(tiny_root, seconds=None)
        assert len(dataset) == 3 and dataset[1]["total_frames"] == 12
        assert dataset[1]["state_counts"].tolist() == [0, 8, 13] and dataset[1]["label"] == 2  # bent 8, lifted 4 + 9

    def test_frame_by_frame(self, tiny_root):
        dataset = self.make(tiny_root, segments=dict(type="FrameSegments", step=5, frames=4))
        assert [(dataset[i]["start_index"], dataset[i]["total_frames"]) for i in range(3)] == [(1, 4), (4, 4), (9, 4)]
        assert [dataset[i]["state_counts"].tolist() for i in range(3, 6)] == [[0, 1, 1], [0, 1, 1], [0, 0, 2]]

    def test_shorter_than_a_segment(self, tiny_root):
        assert len(self.make(tiny_root, seconds=60)) == 3
        assert len(self.make(tiny_root, seconds=0.001)) == 36

    @pytest.mark.parametrize("left", [None, "{}"], ids=["no annotation", "nobody"])
    def test_segments_without_the_group_are_left_out(self, tiny_copy, left):
        for frame in range(1, 7):
            file = tiny_copy / "test_annotations" / "lunge" / "lunge_test_0" / f"img_{frame:05d}.json"
            file.unlink() if left is None else file.write_text(left)
        dataset = self.make(tiny_copy)
        assert len(dataset) == 5 and (dataset[0]["start_index"], dataset[0]["label"]) == (7, 0)
        assert dataset.sample_groups().tolist() == [0, 1, 1, 2, 2]

    def test_pair_that_the_table_does_not_have(self, tiny_root):
        dataset = self.make(tiny_root, pairs=self.PAIRS[:2])
        assert [dataset[i]["label"] for i in range(6)] == [0, 0, 1, -1, -1, -1]
        labelled = self.make(tiny_root, pairs=self.PAIRS[:2], only_labelled=True)
        assert [labelled[i]["label"] for i in range(len(labelled))] == [0, 0, 1]

    def test_nothing_of_the_group(self, tiny_copy):
        for path in (tiny_copy / "test_annotations").rglob("*.json"):
            path.write_text("{}")
        with pytest.raises(InputError, match="has no segment with an annotated part of group arm: annotate it"):
            self.make(tiny_copy)

    def test_table_of_another_group_or_vocabulary(self, tiny_root):
        with pytest.raises(InputError, match="label table is of part group arm, the data set of head: give the table"):
            self.make(tiny_root, group="head")
        with pytest.raises(InputError, match=r"lists do not have \(state moonwalk\)"):
            self.make(tiny_root, pairs=[("lunge", "moonwalk")])
        with pytest.raises(InputError, match="is no table of group"):
            make(TPSSegmentDataset, tiny_root, group="arm", label_table={}, segments=dict(type="EqualSegments"))

    def test_frames_are_those_of_the_segment(self, tiny_root, scope):
        pipeline = [dict(type="mmaction.SampleFrames", clip_len=6, frame_interval=1, num_clips=1, test_mode=True)]
        dataset = self.make(tiny_root, pipeline=[*pipeline, dict(type="DecodeFrames")])
        expected = Video(dataset.index.videos[0].path).frames(range(7, 13))
        np.testing.assert_array_equal(np.stack(dataset[1]["imgs"]), expected)


class TestNamedSplits:
    def test_train_and_val_share_no_video(self, tiny_root, tiny_copy):
        write_splits(tiny_copy, names=["dap"], folds=2)
        train, val = (make(TPSClipDataset, tiny_copy, f"dap/{subset}") for subset in ("train", "val"))
        names = [[dataset[i]["video"] for i in range(len(dataset))] for dataset in (train, val)]
        assert len(names[0]) == len(names[1]) == 3  # one of the two videos of each action
        assert sorted(names[0] + names[1]) == [entry.name for entry in make(TPSClipDataset, tiny_root).index.videos]

    def test_rows_of_a_named_split(self, tiny_copy):
        write_splits(tiny_copy, names=["dap"])
        train, val = (make(TPSPartDataset, tiny_copy, f"dap/{subset}") for subset in ("train", "val"))
        assert len(train) == len(val) == 12 * 4
        assert {val[i]["video"] for i in range(len(val))} == {entry.name for entry in val.index.videos}
        assert len(set(train.frames) & set(val.frames)) == 0

    def test_empty_subset(self, tiny_copy):
        write_splits(tiny_copy, names=["all"])
        with pytest.raises(InputError, match="has no usable video of split all/val"):
            make(TPSClipDataset, tiny_copy, "all/val")

    def test_listed_video_that_is_gone(self, tiny_copy):
        write_splits(tiny_copy, names=["all"])
        (tiny_copy / "train_videos" / "lunge" / "lunge_train_0.mp4").unlink()
        dataset = make(TPSClipDataset, tiny_copy, "all/train")
        assert len(dataset) == 5
        [problem] = [problem for problem in dataset.problems if problem.path.name == "lunge_train_0.mp4"]
        assert "is in split all/train but not there: restore it" in problem.message

    def test_second_of_a_name_is_told(self, tiny_copy):
        videos = tiny_copy / "train_videos"
        shutil.copy(videos / "lunge" / "lunge_train_0.mp4", videos / "push_up" / "lunge_train_0.mp4")
        write_splits(tiny_copy, names=["all"])
        told = [problem.path for problem in make(TPSClipDataset, tiny_copy, "all/train").problems]
        assert videos / "push_up" / "lunge_train_0.mp4" in told


@pytest.mark.parametrize("available", [1, 3])
def test_pick_frames_has_no_more_than_there_are(available):
    for random in (True, False):
        assert pick_frames(available, 3, random=random).tolist() == list(range(available))


def test_best_persons_keeps_order_of_equals():
    frame = FrameParse(1, boxes=np.eye(4, dtype=np.float32), scores=np.array([0.5, 0.9, 0.5, 0.1], dtype=np.float32))
    assert best_persons(frame, 3).boxes.argmax(axis=1).tolist() == [1, 0, 2]
    assert len(best_persons(frame, 9)) == 4


def test_feature_sample_of_one_frame_without_persons():
    sample = feature_sample(make_parse("v", 1, (0,)), 8, 10)
    assert sample["person_features"][0]["part"].shape == (0, 2)
    assert sample["frame_features"]["context"].shape == (1, 5)


def with_scores(*persons, **changes):
    """Frames of 2 parts and 3 states; None for one whose field is not filled."""
    frames = []
    for number, scores in enumerate(persons, start=1):
        scores = None if scores is None else np.array(scores, dtype=np.float32)
        count = 0 if scores is None else len(scores)
        frames.append(
            FrameParse(
                number,
                np.zeros((count, 4)),
                np.arange(count, dtype=np.float32),
                state_scores=scores,
                person_features={name: array[:count] for name, array in changes.items()},
            )
        )
    return VideoParse("v", num_frames=len(frames), frames=frames)


def test_state_scores_are_a_feature_of_persons():
    one = [[1, 2, 3], [4, np.nan, 6]]
    parse = with_scores([one, np.zeros((2, 3))], None, np.zeros((0, 2, 0)))
    features = feature_sample(parse, 8, 10)["person_features"]
    # The persons of the highest scores first; what is no number is 0.
    assert features[0]["part_states"].tolist() == [[0] * 6, [1, 2, 3, 4, 0, 6]]
    assert [frame["part_states"].shape for frame in features] == [(2, 6), (0, 6), (0, 6)]
    assert "part_states" not in parse.frames[0].person_features  # the record stays as it was


def test_a_feature_of_that_name_goes_first():
    own = np.array([[7.0, 8.0]], dtype=np.float32)
    parse = with_scores(np.zeros((1, 2, 3)), part_states=own)
    [persons] = feature_sample(parse, 8, 10)["person_features"]
    assert persons["part_states"].tolist() == own.tolist()


@pytest.mark.parametrize(("scores", "shape"), [(None, None), (np.zeros((0, 2, 3)), (0, 6))])
def test_state_scores_of_nobody(scores, shape):
    [persons] = feature_sample(with_scores(scores), 8, 10)["person_features"]
    assert (persons["part_states"].shape if "part_states" in persons else None) == shape


def test_sampler_of_the_framework_still_fits(tiny_root):
    dataset = make(TPSClipDataset, tiny_root)
    assert [dataset[i]["video"] for i in DefaultSampler(dataset, shuffle=False)][0] == "lunge_train_0"
