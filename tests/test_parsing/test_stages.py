"""Stages with the quick networks and random weights, against the networks run directly. A = 3, K = 3, S = 3."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tpsparse.datasets.tasks import clip_sample
from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import ClassifyVideo, DetectPersons, EnsembleActions, FuseFeatures, ParseParts
from tpsparse.parsing.parser import build_stage
from tpsparse.parsing.persons import weighted_mean
from tpsparse.runtime import Runtime
from tpsparse.structures import FrameParse, VideoParse


@pytest.fixture(scope="module")
def stages(drawn, quick_work_dir, tiny_root):
    """The stages of the quick system as its config names them, by type or by name."""
    cfg = load_config(drawn.QUICK_SYSTEM, options={"data_root": str(tiny_root)}, work_dir=quick_work_dir)
    return {stage.get("name", stage.type): stage for stage in cfg.model.stages}


@pytest.fixture(scope="module")
def video(tiny_root):
    return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4")


def build(kind, config, taxonomy, **changes):
    stage = build_stage({**config, **changes}, taxonomy)
    assert isinstance(stage, kind)
    return stage


def start(video, numbers) -> VideoParse:
    frames = [FrameParse(number, np.zeros((0, 4))) for number in numbers]
    return VideoParse(video.name, size=video.size, num_frames=video.num_frames, fps=video.fps, frames=frames)


class TestDetectPersons:
    @pytest.fixture(scope="class")
    def found(self, stages, video, tiny_taxonomy):
        def run(batch_frames):
            stage = build(DetectPersons, stages["DetectPersons"], tiny_taxonomy)
            stage.use(Runtime(batch_frames=batch_frames))
            parse = start(video, [1, 6, 11])
            stage.parse_frames(video.frames([1, 6, 11]), parse.frames)
            stage.parse_video(video, parse)
            return stage, parse

        return run

    def test_gives_what_it_says(self, found):
        stage, parse = found(2)
        assert list(stage.gives) == [
            "boxes",
            "scores",
            "feature:context",
            "action:frame",
            "feature:instance_action",
            "action:instance",
        ]
        assert set(parse.action_scores) == {"frame", "instance"}
        for frame in parse.frames:
            frame.check()
            assert 0 < len(frame) <= 10 and set(frame.features) == {"context", "context_scores"}
            assert set(frame.person_features) == {"instance_action", "instance_scores"}
            assert (frame.boxes >= 0).all() and (frame.boxes <= [96, 64, 96, 64]).all()

    def test_action_scores_are_means(self, found):
        _, parse = found(2)
        frames = parse.frames
        np.testing.assert_allclose(
            parse.action_scores["frame"], sum(frame.features["context_scores"] for frame in frames) / 3, rtol=1e-5
        )
        total, weight = np.zeros(3), 0.0
        for frame in frames:
            for score, scores in zip(frame.scores, frame.person_features["instance_scores"], strict=True):
                total, weight = total + score * scores, weight + score
        np.testing.assert_allclose(parse.action_scores["instance"], total / weight, rtol=1e-5)
        assert sum(parse.action_scores["instance"]) == pytest.approx(1, abs=1e-5)

    def test_batches_do_not_matter(self, found):
        one, three = found(1)[1], found(3)[1]
        for alone, together in zip(one.frames, three.frames, strict=True):
            np.testing.assert_allclose(alone.boxes, together.boxes, atol=1e-3)
            np.testing.assert_allclose(alone.features["context"], together.features["context"], rtol=1e-4)


@pytest.mark.parametrize(
    ("scores", "weights", "expected"),
    [
        ([[1, 0], [0, 1]], [1, 3], [0.25, 0.75]),
        ([[0.2, 0.8]], [0.5], [0.2, 0.8]),
        ([], [], [0.5, 0.5]),
        ([[1, 0]], [0], [0.5, 0.5]),
    ],
    ids=["two", "one", "nobody", "no weight"],
)
def test_weighted_mean(scores, weights, expected):
    scores = np.array(scores, dtype=np.float32).reshape(-1, 2)
    assert weighted_mean(scores, np.array(weights, dtype=np.float32)).tolist() == pytest.approx(expected)


class TestParseParts:
    def parse(self, stages, video, taxonomy, batch_persons):
        stage = build(ParseParts, stages["ParseParts"], taxonomy)
        stage.use(Runtime(batch_persons=batch_persons))
        boxes = [np.array([[10, 5, 40, 60], [50, 5, 80, 60]]), np.zeros((0, 4)), np.array([[20, 10, 60, 50]])]
        frames = [FrameParse(number, box) for number, box in zip((1, 6, 11), boxes)]
        stage.parse_frames(video.frames([1, 6, 11]), frames)
        return stage, frames

    def test_gives_what_it_says(self, stages, video, tiny_taxonomy):
        stage, frames = self.parse(stages, video, tiny_taxonomy, 32)
        assert stage.gives == ["part_boxes", "part_scores", "state_scores", "feature:part", "feature:state"]
        for frame, persons in zip(frames, (2, 0, 1), strict=True):
            frame.check()
            assert frame.part_boxes.shape == (persons, 3, 4) and frame.state_scores.shape == (persons, 3, 3)
            assert {name: array.shape for name, array in frame.person_features.items()} == {
                "part": (persons, 16),  # channels of the backbone's finest map, and of the state head
                "state": (persons, 96),
            }
        np.testing.assert_allclose(frames[0].state_scores.sum(axis=2), 1, rtol=1e-4)

    def test_batches_across_frames(self, stages, video, tiny_taxonomy):
        _, one = self.parse(stages, video, tiny_taxonomy, 1)
        _, all_at_once = self.parse(stages, video, tiny_taxonomy, 3)
        for alone, together in zip(one, all_at_once, strict=True):
            np.testing.assert_allclose(alone.state_scores, together.state_scores, rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(alone.part_boxes, together.part_boxes, atol=1e-2)
        # Persons are not mixed up: each has other features.
        left, right = one[0].part_boxes[0], one[0].part_boxes[1]  # of the person at x = 10 and at x = 50
        assert np.isfinite(left).all() and np.isfinite(right).all() and (left[:, 0] < right[:, 0]).all()


def test_classify_video(stages, video, tiny_taxonomy):
    stage = build(ClassifyVideo, stages["swin"], tiny_taxonomy)
    assert list(stage.gives) == ["action:swin", "feature:swin"]
    parse = start(video, [1])
    stage.parse_video(video, parse)
    item = stage.network.pipeline(clip_sample(video.path, "v", 12, 10.0, label=-1))
    with torch.no_grad():
        images = stage.network.model.data_preprocessor(
            dict(inputs=[item["inputs"]], data_samples=[item["data_samples"]])
        )
        logits = stage.network.model(images["inputs"], images["data_samples"], mode="tensor")
    assert parse.features["swin"].shape == (192,) and parse.action_scores["swin"].shape == (3,)
    pooled = logits[0] if isinstance(logits, tuple) else logits
    np.testing.assert_allclose(parse.features["swin"], pooled.mean(dim=(2, 3, 4))[0].numpy(), rtol=1e-4, atol=1e-6)


class TestFuseFeatures:
    def filled(self, video, network, numbers, seed=0) -> VideoParse:
        rng = np.random.default_rng(seed)
        parse = start(video, numbers)
        model = network.config.model
        for frame in parse.frames:
            frame.boxes, frame.scores = np.zeros((2, 4), dtype=np.float32), np.ones(2, dtype=np.float32)
            frame.features = {name: rng.normal(size=size).astype("f4") for name, size in model.frame_features.items()}
            frame.person_features = {
                n: rng.normal(size=(2, size)).astype("f4") for n, size in model.person_features.items()
            }
        parse.features = {name: rng.normal(size=size).astype("f4") for name, size in model.video_features.items()}
        return parse

    def test_frames_that_others_wanted_do_not_matter(self, stages, video, tiny_taxonomy):
        stage = build(FuseFeatures, stages["FuseFeatures"], tiny_taxonomy)
        numbers = stage.frame_numbers(12)
        assert len(numbers) == 8
        parse = self.filled(video, stage.network, range(1, 13))
        stage.parse_video(video, parse)
        alone = VideoParse(
            "v", num_frames=12, frames=[f for f in parse.frames if f.frame_index in numbers], features=parse.features
        )
        stage.parse_video(video, alone)
        assert parse.action_scores["fusion"].tolist() == alone.action_scores["fusion"].tolist()
        assert parse.action_scores["fusion"].sum() == pytest.approx(1, abs=1e-5)
        other = self.filled(video, stage.network, range(1, 13), seed=1)
        stage.parse_video(video, other)
        assert parse.action_scores["fusion"].tolist() != other.action_scores["fusion"].tolist()

    def test_needs_what_its_network_eats(self, stages, tiny_taxonomy):
        stage = build(FuseFeatures, stages["FuseFeatures"], tiny_taxonomy)
        assert sorted(stage.needs) == sorted(
            f"feature:{name}" for name in ("context", "instance_action", "part", "state", "timesformer", "swin")
        )


class TestEnsembleActions:
    def test_weighted_mean(self, tiny_taxonomy):
        stage = EnsembleActions(weights=dict(a=1, b=3, c=0), taxonomy=tiny_taxonomy)
        assert stage.needs == ["action:a", "action:b", "action:c"]
        scores = dict(a=np.array([1.0, 0, 0]), b=np.array([0.2, 0.4, 0.4]), c=np.array([0, 0, 1.0]))
        parse = VideoParse("v", action_scores=scores)
        stage.parse_video(None, parse)
        assert parse.action_scores["action"].tolist() == pytest.approx([0.4, 0.3, 0.3])
        assert parse.action() == 0

    @pytest.mark.parametrize("weights", [{}, dict(a=0), dict(a=2, b=-1)], ids=["none", "zero", "negative"])
    def test_weights_that_make_no_mean(self, tiny_taxonomy, weights):
        with pytest.raises(InputError, match="must not be negative, nor all zero"):
            EnsembleActions(weights=weights, taxonomy=tiny_taxonomy)
