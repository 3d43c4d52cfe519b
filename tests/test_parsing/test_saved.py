from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.parsing import ActionParser, ReadAnnotation, ReadParse
from tpsparse.structures import FrameParse, VideoParse


@pytest.fixture
def video(tiny_root):
    return Video(tiny_root / "test_videos" / "lunge" / "lunge_test_0.mp4")


def test_takes_the_place_of_the_record(video, tmp_path, tiny_taxonomy):
    frames = [FrameParse(6, np.ones((2, 4)), part_states=np.array([[0, 1, 2], [2, 1, 0]]))]
    saved = VideoParse("lunge_test_0", (64, 96), 12, 10.0, frames, {"action": np.array([0, 1, 0.0])})
    saved.save(tmp_path / "lunge_test_0.safetensors")
    parse = VideoParse("lunge_test_0", frames=[FrameParse(1, np.zeros((0, 4)))])
    stage = ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy)
    stage.parse_video(video, parse)
    assert stage.gives == ["boxes"] and not stage.sees_frames
    assert parse.frame_indices == [6] and parse.action() == 1 and parse.size == (64, 96)
    assert parse.frames[0].part_states.tolist() == [[0, 1, 2], [2, 1, 0]]


@pytest.mark.parametrize("content", [None, b"half"])
def test_missing_or_broken(video, tmp_path, tiny_taxonomy, content):
    if content is not None:
        (tmp_path / "lunge_test_0.safetensors").write_bytes(content)
    stage = ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy)
    with pytest.raises(InputError, match=r"lunge_test_0\.safetensors"):
        stage.parse_video(video, VideoParse("lunge_test_0"))


def test_record_of_a_failed_video_fails_again(video, tmp_path, tiny_taxonomy):
    VideoParse("lunge_test_0", error="lunge.mp4 is empty").save(tmp_path / "lunge_test_0.safetensors")
    parse = VideoParse("lunge_test_0")
    ReadParse(folder=str(tmp_path), gives=["boxes"], taxonomy=tiny_taxonomy).parse_video(video, parse)
    assert parse.error == "lunge.mp4 is empty"


class TestAnnotation:
    """The third training video of the drawn data set: two persons, a right arm that is hidden every fourth frame."""

    @pytest.fixture
    def make(self, tiny_root, tiny_taxonomy):
        def make(**options):
            return ReadAnnotation(data_root=str(tiny_root), taxonomy=tiny_taxonomy, **options)

        return make

    def record(self, root, video="push_up_train_1", numbers=(1, 4)):
        split, action = video.split("_")[-2], video.rsplit("_", 2)[0]
        frames = [FrameParse(number, np.zeros((0, 4))) for number in numbers]
        path = root / f"{split}_videos" / action / f"{video}.mp4"
        return Video(path), VideoParse(video, (64, 96), 12, 10.0, frames)

    def test_persons_and_parts(self, make, tiny_root, drawn):
        stage = make()
        video, parse = self.record(tiny_root)
        stage.parse_video(video, parse)
        assert set(stage.gives) == {"boxes", "scores", "part_boxes", "part_scores"} and not stage.sees_frames
        for frame in parse.frames:
            expected = [drawn.person_box("push_up", frame.frame_index, person) for person in range(2)]
            np.testing.assert_array_equal(frame.boxes, expected)
            assert frame.scores.tolist() == [1, 1] and frame.part_states is None and frame.state_scores is None
        first, fourth = parse.frames
        assert first.part_scores.tolist() == [[1, 1, 1]] * 2 and fourth.part_scores.tolist() == [[1, 1, 0]] * 2
        left, top = drawn.person_box("push_up", 1, 1)[:2]
        np.testing.assert_array_equal(first.part_boxes[1, 0], [left + 6, top, left + 14, top + 10])
        assert np.isnan(fourth.part_boxes[:, 2]).all() and parse.action_scores == {}

    def test_both_official_splits_by_default(self, make, tiny_root):
        stage = make(gives=["boxes"])
        for name, persons in (("lunge_train_0", 1), ("push_up_test_0", 2)):
            video, parse = self.record(tiny_root, name)
            stage.parse_video(video, parse)
            assert [len(frame) for frame in parse.frames] == [persons] * 2 and parse.frames[0].part_boxes is None

    def test_objects(self, tiny_copy, tiny_taxonomy):
        """One of the list, one of another name, one without a usable box; another frame has none at all."""
        path = tiny_copy / "train_annotations" / "push_up" / "push_up_train_1" / "img_00004.json"
        content = json.loads(path.read_text())
        names = [("none", [1, 2, 30, 40]), ("spear", [5, 5, 9, 9]), ("none", [30, 2, 1, 40])]
        content["objects"] = [{"number": i, "name": name, "box": box} for i, (name, box) in enumerate(names, start=1)]
        path.write_text(json.dumps(content))
        stage = ReadAnnotation(data_root=str(tiny_copy), taxonomy=tiny_taxonomy, gives=["objects"])
        video, parse = self.record(tiny_copy)
        stage.parse_video(video, parse)
        assert stage.gives == ["objects"]
        assert [len(frame.objects) for frame in parse.frames] == [0, 1] and [len(frame) for frame in parse.frames] == [
            0,
            0,
        ]
        found = parse.frames[1].objects
        assert (
            found.boxes.tolist() == [[1, 2, 30, 40]] and found.labels.tolist() == [0] and found.scores.tolist() == [1]
        )

    def test_objects_of_a_frame_that_is_not_annotated(self, tiny_copy, tiny_taxonomy):
        (tiny_copy / "test_annotations" / "lunge" / "lunge_test_0" / "img_00004.json").unlink()
        gives = ["boxes", "part_boxes", "objects"]
        stage = ReadAnnotation(data_root=str(tiny_copy), taxonomy=tiny_taxonomy, split="test", gives=gives)
        video, parse = self.record(tiny_copy, "lunge_test_0")
        stage.parse_video(video, parse)
        assert [len(frame.objects) for frame in parse.frames] == [0, 0]

    def test_action_alone(self, make, tiny_root):
        stage = make(gives=["action"])
        video, parse = self.record(tiny_root, "pull_ups_test_0")
        parse.frames[0] = FrameParse(1, np.ones((1, 4)), keypoints=np.zeros((1, 17, 3)))
        stage.parse_video(video, parse)
        assert parse.action_scores["action"].tolist() == [0, 1, 0] and len(parse.frames[0]) == 1

    def test_frame_that_is_not_annotated(self, tiny_copy, tiny_taxonomy):
        (tiny_copy / "test_annotations" / "lunge" / "lunge_test_0" / "img_00004.json").unlink()
        stage = ReadAnnotation(data_root=str(tiny_copy), taxonomy=tiny_taxonomy, split="test")
        video, parse = self.record(tiny_copy, "lunge_test_0")
        stage.parse_video(video, parse)
        assert [len(frame) for frame in parse.frames] == [1, 0] and parse.frames[1].part_boxes.shape == (0, 3, 4)

    @pytest.mark.parametrize("video", ["lunge_test_0", "lunge_train_0"])
    def test_video_that_is_not_annotated(self, tiny_copy, tiny_taxonomy, video):
        shutil.rmtree(tiny_copy / "test_annotations")
        stage = ReadAnnotation(data_root=str(tiny_copy), taxonomy=tiny_taxonomy, split="test")
        with pytest.raises(InputError, match=rf"{video}\.mp4 is not annotated in .*: annotate it or leave it out"):
            stage.parse_video(*self.record(tiny_copy, video))

    @pytest.mark.parametrize(
        ("gives", "told"),
        [(["boxes", "part_states"], "cannot give part_states: name some of"), (["part_boxes"], "without boxes")],
    )
    def test_what_cannot_be_given(self, make, gives, told):
        with pytest.raises(InputError, match=told):
            make(gives=gives)

    def test_records_are_of_one_annotation(self, tiny_copy, tiny_taxonomy):
        def stamp():
            stage = dict(type="ReadAnnotation", data_root=str(tiny_copy), split="test")
            frames = dict(type="EveryFrame", step=5)
            return ActionParser(stages=[stage], frames=frames, taxonomy=tiny_taxonomy.to_meta()).fingerprint

        before = stamp()
        assert stamp() == before
        (tiny_copy / "test_annotations" / "lunge" / "lunge_test_0" / "img_00004.json").write_text("{}")
        assert stamp() != before
