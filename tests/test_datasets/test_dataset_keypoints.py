"""Saved keypoints for annotated persons, against how the data set was drawn. J = 17."""

from __future__ import annotations

import dataclasses
import logging
import pickle
import shutil

import numpy as np
import pytest

from tpsparse.datasets import keypoints as keypoints_module
from tpsparse.datasets.index import open_index
from tpsparse.datasets.keypoints import SavedKeypoints, keypoints_of, load_keypoints, match_persons
from tpsparse.datasets.tasks import TPSPartDataset
from tpsparse.errors import InputError
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

SIZE = (64, 96)


def of_person(drawn, action, frame, person):
    """The person's box, and keypoints whose nose is its corner and whose score says who it is."""
    box = np.array(drawn.person_box(action, frame, person), dtype=np.float32)
    keypoints = np.zeros((17, 3), dtype=np.float32)
    keypoints[0] = [box[0], box[1], 0.5 + person / 10]
    return box, keypoints


def save(drawn, folder, video, *, numbers=range(1, 13), order=(0, 1), scale=1.0, size=SIZE, keep=None, num_frames=12):
    """A record of a drawn video, in pixels of frames ``scale`` as large."""
    action = video.rpartition("_")[0].rpartition("_")[0]
    frames = []
    for number in numbers:
        persons = [person for person in order if person < drawn.num_persons(action) and person in (keep or order)]
        found = [of_person(drawn, action, number, person) for person in persons]
        boxes = np.array([box for box, _ in found]).reshape(-1, 4) * scale
        keypoints = np.array([points for _, points in found]).reshape(-1, 17, 3) * [scale, scale, 1]
        frames.append(FrameParse(number, boxes, keypoints=keypoints.astype(np.float32)))
    VideoParse(video, size, num_frames, fps=10, frames=frames).save(folder / f"{video}.safetensors")


def make(root, folder, split="test", **kwargs):
    names = Taxonomy.from_root(root).to_meta()
    return TPSPartDataset(
        data_root=str(root), split=split, taxonomy=names, pipeline=[], keypoints=str(folder), **kwargs
    )


@pytest.fixture
def folder(drawn, tmp_path):
    """Records of the test videos, the persons in another order than in the annotation."""
    for action in drawn.ACTIONS:
        save(drawn, tmp_path / "key points (1)", f"{action}_test_0", order=(1, 0))
    return tmp_path / "key points (1)"


class TestSamples:
    def test_two_persons_of_one_frame(self, tiny_root, folder, drawn):
        dataset = make(tiny_root, folder)
        for person in range(2):
            sample = dataset[24 + 2 * 3 + person]  # push_up, frame 4
            _, expected = of_person(drawn, "push_up", 4, person)
            np.testing.assert_array_equal(sample["keypoints"], expected)
            assert sample["keypoints"].dtype == np.float32
            assert sample["box"][:2].tolist() == sample["keypoints"][0, :2].tolist()

    def test_without_a_folder_there_are_none(self, tiny_root):
        names = Taxonomy.from_root(tiny_root).to_meta()
        sample = TPSPartDataset(data_root=str(tiny_root), split="test", taxonomy=names, pipeline=[])[0]
        assert "keypoints" not in sample

    def test_a_person_whom_nobody_is_like(self, tiny_root, folder, drawn):
        save(drawn, folder, "push_up_test_0", keep=(0,))
        dataset = make(tiny_root, folder)
        assert dataset[24]["keypoints"].any()
        np.testing.assert_array_equal(dataset[25]["keypoints"], np.zeros((17, 3)))

    def test_a_frame_in_which_nobody_was_found(self, tiny_root, folder, drawn):
        save(drawn, folder, "push_up_test_0", order=())
        keypoints = make(tiny_root, folder)[24]["keypoints"]
        assert keypoints.shape == (17, 3) and not keypoints.any()

    @pytest.mark.parametrize(("scale", "size"), [(2.0, (128, 192)), (0.5, (32, 48)), (1.0, (0, 0))])
    def test_a_record_of_another_size(self, tiny_root, folder, drawn, scale, size):
        save(drawn, folder, "push_up_test_0", scale=scale, size=size)
        _, expected = of_person(drawn, "push_up", 1, 1)
        np.testing.assert_allclose(make(tiny_root, folder)[25]["keypoints"], expected, rtol=1e-6)

    def test_extracted_frames_of_another_size(self, tiny_copy, folder, drawn):
        from tpsparse.datasets.frame_folder import extract_frames

        extract_frames(tiny_copy, short_side=32, workers=1, progress=False)
        sample = make(tiny_copy, folder)[25]
        assert sample["img"].shape == (32, 48, 3)
        _, expected = of_person(drawn, "push_up", 1, 1)
        np.testing.assert_allclose(sample["keypoints"], expected * [0.5, 0.5, 1], rtol=1e-6)
        np.testing.assert_allclose(sample["keypoints"][0, :2], sample["box"][:2])

    def test_changes_to_a_sample_stay_there(self, tiny_root, folder):
        dataset = make(tiny_root, folder)
        kept = dataset[24]["keypoints"].copy()
        dataset[24]["keypoints"][:] = -1
        np.testing.assert_array_equal(dataset[24]["keypoints"], kept)


class TestUnusable:
    def test_no_record_of_any_video(self, tiny_root, tmp_path):
        with pytest.raises(InputError, match=r"nothing has no saved parse of these videos: run the pose stage"):
            make(tiny_root, tmp_path / "nothing")

    def test_no_record_of_one_video(self, tiny_root, folder):
        (folder / "push_up_test_0.safetensors").unlink()
        dataset = make(tiny_root, folder)
        with pytest.raises(InputError, match=r"push_up_test_0\.safetensors is missing: run the pose stage"):
            dataset.sample(24)
        # As with every sample that cannot be used, the next takes its place, and it is told.
        assert dataset[47]["video"] == "lunge_test_0"
        [problem] = dataset.problems
        assert "push_up_test_0.safetensors is missing" in str(problem)

    def test_no_such_frame(self, tiny_root, folder, drawn):
        save(drawn, folder, "push_up_test_0", numbers=[1, 6, 11])
        dataset = make(tiny_root, folder)
        assert dataset.sample(24)["frame_index"] == 1
        with pytest.raises(InputError, match=r"push_up_test_0\.safetensors has no frame 2: run the pose stage"):
            dataset.sample(26)
        assert len({make(tiny_root, folder, frame_step=5).sample(i)["frame_index"] for i in range(12)}) == 3

    def test_broken_record(self, tiny_root, folder):
        path = folder / "push_up_test_0.safetensors"
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(InputError, match=r"push_up_test_0\.safetensors cannot be read as a saved parse"):
            make(tiny_root, folder).sample(24)

    def test_a_record_with_an_error(self, tiny_root, folder):
        VideoParse("push_up_test_0", error="no frames").save(folder / "push_up_test_0.safetensors")
        with pytest.raises(InputError, match=r"holds no parsed frame \(no frames\): run the pose stage"):
            make(tiny_root, folder).sample(24)

    @pytest.mark.parametrize("keypoints", [None, np.zeros((1, 5, 3))], ids=["none", "five"])
    def test_a_record_without_coco_keypoints(self, tiny_root, folder, keypoints):
        frames = [FrameParse(1, np.ones((1, 4)), keypoints=keypoints)]
        VideoParse("push_up_test_0", size=SIZE, frames=frames).save(folder / "push_up_test_0.safetensors")
        with pytest.raises(InputError, match=r"has no keypoints of COCO's 17: run the pose stage"):
            make(tiny_root, folder).sample(24)

    def test_a_record_of_another_video(self, tiny_root, folder):
        shutil.copy(folder / "lunge_test_0.safetensors", folder / "push_up_test_0.safetensors")
        with pytest.raises(InputError, match="is of video lunge_test_0, not of push_up_test_0: run the pose stage"):
            make(tiny_root, folder).sample(24)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"num_frames": 11}, r"is of a video of 11 frames, and .*push_up_test_0\.mp4 has 12: run"),
            ({"num_frames": 13}, r"is of a video of 13 frames, and .*push_up_test_0\.mp4 has 12: run"),
            ({"size": (96, 64)}, r"is of frames of 64 x 96 pixels, and .*push_up_test_0\.mp4 has 96 x 64: run"),
            ({"size": (0, 96)}, r"is of frames of 96 x 0 pixels, and .*push_up_test_0\.mp4 has 96 x 64: run"),
        ],
        ids=str,
    )
    def test_a_record_that_does_not_fit(self, tiny_root, folder, drawn, changes, told):
        save(drawn, folder, "push_up_test_0", **changes)
        with pytest.raises(InputError, match=told):
            make(tiny_root, folder).sample(24)


def entry_of(root, name="push_up_test_0"):
    index = open_index(root, "test", Taxonomy.from_root(root))
    return next(entry for entry in index.videos if entry.name == name)


class TestLoad:
    def test_of_what_the_record_does_not_say(self, tiny_root, folder, drawn):
        save(drawn, folder, "push_up_test_0", num_frames=0, size=(0, 0))
        parse = load_keypoints(folder / "push_up_test_0.safetensors", entry_of(tiny_root))
        assert parse.size == SIZE and len(parse.frames) == 12

    @pytest.mark.parametrize("size", [(43, 64), (42, 64), (128, 192)])
    def test_sides_that_are_rounded(self, tiny_root, folder, drawn, size):
        save(drawn, folder, "push_up_test_0", size=size)
        assert load_keypoints(folder / "push_up_test_0.safetensors", entry_of(tiny_root)).size == size

    def test_an_annotation_that_uses_less_than_the_video_has(self, tiny_root, folder):
        used = dataclasses.replace(entry_of(tiny_root), num_frames=9)
        assert load_keypoints(folder / "push_up_test_0.safetensors", used).num_frames == 12

    def test_own_remedy(self, tiny_root, tmp_path):
        with pytest.raises(InputError, match=r"none\.safetensors is missing: write it"):
            load_keypoints(tmp_path / "none.safetensors", entry_of(tiny_root), "write it")


def test_records_are_read_once(tiny_root, folder):
    saved, entry = SavedKeypoints(folder), entry_of(tiny_root)
    first = saved.frame(entry, 1)[1]
    shutil.rmtree(folder)
    np.testing.assert_array_equal(saved.frame(entry_of(tiny_root), 1)[1], first)


def test_goes_to_another_process(tiny_root, folder):
    saved, entry = SavedKeypoints(folder), entry_of(tiny_root)
    saved.frame(entry, 1)
    copy = pickle.loads(pickle.dumps(saved))
    np.testing.assert_array_equal(copy.frame(entry, 1)[1], saved.frame(entry, 1)[1])


class TestWatch:
    """The test split, whose push-up video has two persons in 12 frames from sample 24 on, drawn as in training."""

    @pytest.fixture
    def told(self, monkeypatch):
        lines = []
        monkeypatch.setattr(keypoints_module, "WATCHED", 3)
        monkeypatch.setattr("mmengine.logging.print_log", lambda line, *_, level, **__: lines.append((level, line)))
        return lines

    @pytest.fixture
    def unposed(self, told, tiny_root, folder, drawn):
        save(drawn, folder, "push_up_test_0", order=())
        return make(tiny_root, folder)

    def test_once(self, unposed, told):
        for index in (24, 25, 25, 24):
            unposed[(index, 0)]
        assert told == []  # two distinct samples
        for index in (26, 27, 28, 29):
            unposed[(index, 0)]
        [(level, line)] = told
        assert level == logging.WARNING
        assert "key points (1): none of the first 3 persons has a keypoint of score 0.3 or more: train the" in line

    def test_one_person_is_enough(self, unposed, told):
        for index in (24, 0, 25, 26, 27, 28):
            unposed[(index, 0)]
        assert told == []

    def test_not_in_testing(self, unposed, told):
        for index in range(24, 34):
            unposed[index]
        assert told == []

    def test_a_data_set_of_fewer(self, tiny_root, folder, drawn, told, monkeypatch):
        monkeypatch.setattr(keypoints_module, "WATCHED", 1000)
        for action in drawn.ACTIONS:
            save(drawn, folder, f"{action}_test_0", order=())
        dataset = make(tiny_root, folder)
        for index in range(len(dataset) - 1):
            dataset[(index, 0)]
        assert told == []
        dataset[(len(dataset) - 1, 0)]
        assert len(told) == 1

    @pytest.mark.parametrize(("score", "warnings"), [(0.29, 1), (0.3, 0)])
    def test_low_scores(self, told, tmp_path, score, warnings):
        points = np.zeros((17, 3), dtype=np.float32)
        points[0, 2] = score
        watch = keypoints_module.KeypointWatch(tmp_path, 10)
        for index in range(3):
            watch.see(index, points)
        assert len(told) == warnings


# Boxes of 10 x 10 pixels; one moved by d overlaps by (10 - d) / (10 + d).
def boxes(*lefts):
    return np.array([[left, 0, left + 10, 10] for left in lefts], dtype=np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("annotated", "parsed", "min_iou", "expected"),
    [
        (boxes(), boxes(), 0.5, []),
        (boxes(0), boxes(), 0.5, [-1]),
        (boxes(), boxes(0), 0.5, []),
        (boxes(0), boxes(0), 0.5, [0]),
        (boxes(0, 50), boxes(50, 0), 0.5, [1, 0]),
        (boxes(0), boxes(40, 3, 1), 0.5, [2]),
        # Overlap of 10 - 5 over 15: exactly a third.
        (boxes(0), boxes(5), 1 / 3, [0]),
        (boxes(0), boxes(5), 0.34, [-1]),
        # The parsed person at 2 is nearer to the second, though the first would take it too.
        (boxes(0, 3), boxes(2), 0.5, [-1, 0]),
        # One to one: the first is left with the farther one.
        (boxes(0, 1), boxes(1, 4), 0.2, [1, 0]),
        # Equals: the first annotated takes the first parsed.
        (boxes(0, 0), boxes(0, 0), 0.5, [0, 1]),
        (boxes(0, 0), boxes(0), 0.5, [0, -1]),
    ],
    ids=[
        "none",
        "nobody parsed",
        "nobody annotated",
        "one",
        "two",
        "nearest",
        "at the threshold",
        "below the threshold",
        "highest first",
        "one to one",
        "tie",
        "tie for one",
    ],
)
def test_match_persons(annotated, parsed, min_iou, expected):
    min_iou = np.float32(min_iou) if min_iou == 1 / 3 else min_iou
    assert match_persons(annotated, parsed, min_iou).tolist() == expected


def test_keypoints_of():
    keypoints = np.arange(2 * 17 * 3, dtype=np.float32).reshape(2, 17, 3)
    matches = np.array([1, -1])
    np.testing.assert_array_equal(keypoints_of(0, matches, keypoints), keypoints[1])
    np.testing.assert_array_equal(keypoints_of(1, matches, keypoints), np.zeros((17, 3)))
