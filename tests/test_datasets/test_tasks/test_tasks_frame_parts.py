"""Frames with all their persons, parts and objects, against how the data sets were drawn. P persons, K parts."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from tpsparse.datasets.relevance import derive_relevance
from tpsparse.datasets.tasks import TPSFramePartsDataset
from tpsparse.errors import InputError
from tpsparse.taxonomy import Taxonomy

RULE = dict(split="train")
PUSH_UP = 24  # the drawn test split has 12 frames of each action's one video


def make(root, split="test", pipeline=(), **kwargs):
    taxonomy = Taxonomy.from_root(root).to_meta()
    return TPSFramePartsDataset(data_root=str(root), split=split, taxonomy=taxonomy, pipeline=[*pipeline], **kwargs)


def test_sample(tiny_root, drawn):
    dataset = make(tiny_root, relevance=RULE)
    assert len(dataset) == 36
    sample = dataset[PUSH_UP + 7]  # frame 8, in which the right arm is hidden
    assert (sample["video"], sample["frame_index"]) == ("push_up_test_0", 8)
    assert sample["img"].shape == (64, 96, 3) and sample["flip_parts"].tolist() == [0, 2, 1]
    boxes = [drawn.person_box("push_up", 8, person) for person in range(2)]
    assert sample["boxes"].tolist() == boxes
    left, top = boxes[1][:2]
    assert sample["part_boxes"][1, 1].tolist() == [left + 14, top + 10, left + 20, top + 25]
    assert np.isnan(sample["part_boxes"][:, 2]).all()
    assert sample["part_states"].tolist() == [[0, 1, -1]] * 2  # none, bend
    # Of 12 left and 9 right arms a person, push_up (two persons) and lunge bend 8 and 9, pull_ups 8 and 0:
    # P(bend | push_up) = 34 / 42, P(bend) = (34 + 17 + 8) / 84, lift 1.153; of "lift" in pull_ups it is
    # (13 / 21) / (25 / 84) = 2.08.
    assert sample["relevance"].tolist() == [[0, 0, -1]] * 2
    assert dataset[12 + 8]["part_states"].tolist() == [[0, 2, 2]]  # pull_ups, frame 9
    assert dataset[12 + 8]["relevance"].tolist() == [[0, 1, 1]]
    assert sample["object_boxes"].shape == (0, 4) and sample["object_labels"].shape == (0,)


def test_rule_of_the_config(tiny_root):
    assert make(tiny_root, relevance=dict(RULE, min_lift=1.16))[PUSH_UP]["relevance"].tolist() == [[0, 0, 0]] * 2
    low = dict(RULE, min_lift=1.15)
    assert make(tiny_root, relevance=low)[PUSH_UP]["relevance"].tolist() == [[0, 1, 1]] * 2
    assert make(tiny_root, relevance=dict(low, plain_states=["bend"]))[PUSH_UP]["relevance"][0, 1:].tolist() == [0, 0]
    assert make(tiny_root)[PUSH_UP + 7]["relevance"].tolist() == [[-1, -1, -1]] * 2


def test_objects(people_root):
    dataset = make(people_root, relevance=RULE)
    index = dataset.index
    frame = next(
        int(row) for row in dataset.frames if index.objects_of(int(row)).stop > index.objects_of(int(row)).start
    )
    sample = dataset[int(np.flatnonzero(dataset.frames == frame)[0])]
    rows = index.objects_of(frame)
    np.testing.assert_array_equal(sample["object_boxes"], index.object_box[rows])
    np.testing.assert_array_equal(sample["object_labels"], index.object_id[rows])
    expected = derive_relevance(index if index.split == "train" else make(people_root, "train").index)
    np.testing.assert_array_equal(
        sample["relevance"], expected.labels(index.video_of(frame).action, sample["part_states"])
    )


def test_an_object_that_the_list_lacks(people_root, tmp_path):
    root = shutil.copytree(people_root, tmp_path / "data (é)")
    whole = make(root)
    at = next(i for i in range(len(whole)) if len(whole[i]["object_labels"]))
    (root / "list" / "object.txt").write_text("moon\n")
    assert whole[at]["object_boxes"].shape[0] > 0 and make(root)[at]["object_boxes"].shape == (0, 4)


def test_step_and_frames_without_parts(tiny_copy):
    notes = tiny_copy / "test_annotations" / "lunge" / "lunge_test_0"
    for number, parts in ((1, {}), (6, None)):
        path = notes / f"img_{number:05d}.json"
        content = json.loads(path.read_text())
        if parts is None:
            content["humans"] = []
        else:
            content["humans"][0]["parts"] = parts
        path.write_text(json.dumps(content))
    dataset = make(tiny_copy, frame_step=5)
    numbers = dataset.index.frame_number[dataset.frames]
    assert numbers.tolist() == [11, 1, 6, 11, 1, 6, 11]


def test_persons_are_drawn_in_training_alone(tiny_root):
    dataset = make(tiny_root, max_persons=1)
    drawn = Counter(tuple(dataset[(PUSH_UP, seed)]["boxes"][0].tolist()) for seed in range(40))
    assert len(drawn) == 2 and min(drawn.values()) > 8
    for seed in range(3):
        first, again = dataset[(PUSH_UP, seed)], dataset[(PUSH_UP, seed)]
        assert len(first["boxes"]) == len(first["part_boxes"]) == len(first["relevance"]) == 1
        np.testing.assert_array_equal(first["boxes"], again["boxes"])
    assert len(dataset[PUSH_UP]["boxes"]) == 2
    assert len(make(tiny_root, max_persons=5)[(PUSH_UP, 0)]["boxes"]) == 2


def test_a_person_without_parts_is_not_drawn(tiny_copy):
    path = tiny_copy / "test_annotations" / "push_up" / "push_up_test_0" / "img_00001.json"
    content = json.loads(path.read_text())
    content["humans"][0]["parts"] = {}
    path.write_text(json.dumps(content))
    dataset = make(tiny_copy, max_persons=1)
    boxes = dataset[PUSH_UP]["boxes"]
    assert all(dataset[(PUSH_UP, seed)]["boxes"].tolist() == [boxes[1].tolist()] for seed in range(8))


def test_what_is_refused(tiny_root, tiny_copy):
    with pytest.raises(InputError, match="max_persons 0 of TPSFramePartsDataset leaves nobody"):
        make(tiny_root, max_persons=0)
    for path in (tiny_copy / "test_annotations").rglob("*.json"):
        content = json.loads(path.read_text())
        for human in content["humans"]:
            human["parts"] = {}
        path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"\(test\) has no frame with an annotated part: annotate it"):
        make(tiny_copy)


def test_through_the_pipeline(tiny_root):
    steps = [
        dict(type="ScaleFrame", size=(128, 96)),
        dict(type="CropFrame", size=(112, 84)),
        dict(type="FlipFrame"),
        dict(type="JitterColor"),
        dict(type="PackFrameParts"),
    ]
    from mmengine.registry import init_default_scope

    init_default_scope("tpsparse")
    dataset = make(tiny_root, pipeline=steps, relevance=RULE)
    packed = [dataset[(PUSH_UP, seed)] for seed in range(8)]
    assert all(item["inputs"].shape == (3, 112, 84) for item in packed)
    again = dataset[(PUSH_UP, 3)]
    assert again["data_samples"].part_boxes.nan_to_num().equal(packed[3]["data_samples"].part_boxes.nan_to_num())
    assert len({item["data_samples"].flipped for item in packed}) == 2
