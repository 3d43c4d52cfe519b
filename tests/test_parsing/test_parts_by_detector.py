"""Part and person detection of PCF with the quick networks and random weights. K = 3, J = 17."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import DetectPersons, ParseParts, check_row
from tpsparse.registry import MODELS
from tpsparse.runtime import Runtime
from tpsparse.structures import FrameParse

PARTS = "part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96"
PERSONS = "person_detection/pcf_yolof_r18-c5_1xb8_synthetic"


@pytest.fixture(scope="module")
def network(drawn, tiny_taxonomy, tmp_path_factory):
    """Config and checkpoint of a quick network with random weights whose scores are spread out."""
    folder = tmp_path_factory.mktemp("networks (1)")

    def make(name):
        config = drawn.QUICK / f"{name}.py"
        path = folder / f"{config.stem}.pth"
        if not path.is_file():
            init_default_scope("tpsparse")
            torch.manual_seed(0)
            model = MODELS.build(load_config(config, taxonomy=tiny_taxonomy).model)
            model.init_weights()
            torch.nn.init.normal_(model.bbox_head.cls_score.weight, std=0.5)
            torch.nn.init.normal_(model.bbox_head.object_pred.weight, std=0.5)
            meta = {"dataset_meta": {"taxonomy": tiny_taxonomy.to_meta()}}
            torch.save({"meta": meta, "state_dict": model.state_dict()}, path)
        return dict(config=str(config), checkpoint=str(path))

    return make


@pytest.fixture(scope="module")
def images(tiny_root):
    return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4").frames([1, 6, 11])


def frames(drawn, *, keypoints=True):
    """The persons of the frames 1, 6 and 11 of a drawn video; in the second frame nobody."""
    parses = []
    for number in (1, 6, 11):
        boxes = [drawn.person_box("push_up", number, person) for person in range(2) if number != 6]
        boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        points = np.zeros((len(boxes), 17, 3), dtype=np.float32)
        if len(boxes):
            points[:, :, :2] = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
            points[:, :, 0] += np.arange(17) - 8
            points[:, :, 2] = 0.9
        parses.append(FrameParse(number, boxes, keypoints=points if keypoints else None))
    return parses


class TestPartDetector:
    @pytest.fixture
    def run(self, network, tiny_taxonomy, images, drawn):
        def go(suffix="", parses=None, score_thr=0.0, batch_persons=8, **kwargs):
            options = {"model.test_cfg.score_thr": score_thr}
            stage = ParseParts(**network(PARTS + suffix), taxonomy=tiny_taxonomy, options=options, **kwargs)
            stage.use(Runtime(batch_persons=batch_persons))
            parses = frames(drawn) if parses is None else parses
            stage.parse_frames(images, parses)
            return stage, parses

        return go

    def test_gives_what_it_says(self, run):
        stage, parses = run()
        assert list(stage.gives) == ["part_boxes", "part_scores"]
        for frame in parses:
            frame.check()
            assert frame.part_boxes.shape == (len(frame), 3, 4) and frame.part_scores.shape == (len(frame), 3)
            assert frame.part_boxes.dtype == frame.part_scores.dtype == np.float32
            assert np.isfinite(frame.part_boxes).all() and (frame.part_scores > 0).all()
            assert frame.state_scores is None
        assert [len(frame) for frame in parses] == [2, 0, 2]

    def test_needs_keypoints_only_where_it_paints(self, run, drawn):
        guided, _ = run()
        plain, parses = run("_no-pose", frames(drawn, keypoints=False))
        assert list(guided.needs) == ["boxes", "keypoints"] and list(plain.needs) == ["boxes"]
        assert all(frame.part_boxes is not None for frame in parses)
        with pytest.raises(InputError, match="ParseParts needs keypoints"):
            check_row([_Given("boxes"), guided])
        check_row([_Given("boxes"), plain])

    def test_keypoints_change_what_is_found(self, run, drawn):
        _, painted = run()
        unknown = frames(drawn)
        for frame in unknown:
            frame.keypoints[..., 2] = 0.1
        run(parses=unknown)
        assert np.abs(painted[0].part_scores - unknown[0].part_scores).max() > 1e-4

    def test_below_confidence_is_the_plain_crop(self, run, drawn, images, monkeypatch):
        """A person whose keypoints are all below confidence is parsed as an unpainted crop is."""
        unknown, plain = frames(drawn), frames(drawn)
        for frame in unknown:
            frame.keypoints[..., 2] = 0.29
        stage, _ = run(parses=unknown)
        steps = stage.network.pipeline.transforms
        stage.network.pipeline.transforms = [step for step in steps if type(step).__name__ != "PaintKeypoints"]
        assert len(stage.network.pipeline.transforms) == len(steps) - 1
        monkeypatch.setattr(stage.network, "preparation", lambda kind: None)  # by the pipeline as it is now
        stage.parse_frames(images, plain)
        for one, other in zip(unknown, plain, strict=True):
            np.testing.assert_array_equal(one.part_scores, other.part_scores)

    def test_batches_do_not_matter(self, run):
        (_, one), (_, all_at_once) = run(batch_persons=1), run(batch_persons=32)
        for alone, together in zip(one, all_at_once, strict=True):
            np.testing.assert_allclose(alone.part_scores, together.part_scores, atol=1e-5)
            np.testing.assert_allclose(alone.part_boxes, together.part_boxes, atol=1e-2)

    def test_below_the_threshold_there_is_no_box(self, run):
        _, parses = run(score_thr=1.1)
        assert np.isnan(parses[0].part_boxes).all() and not parses[0].part_scores.any()

    def test_nobody_anywhere(self, run):
        empty = [FrameParse(number, np.zeros((0, 4))) for number in (1, 6, 11)]  # the pose stage gave nothing either
        run(parses=empty)
        assert [frame.part_boxes.shape for frame in empty] == [(0, 3, 4)] * 3

    def test_a_box_of_two_pixels(self, run):
        points = np.array([[[10.5, 10.5, 0.9]] * 17], dtype=np.float32)
        boxes = [[10, 10, 12, 12]], [[94, 62, 96, 64]], [[5, 5, 5, 5]]
        tiny = [FrameParse(n, np.array(box, np.float32), keypoints=points) for n, box in zip((1, 6, 11), boxes)]
        run(parses=tiny)
        for frame in tiny:
            assert np.isfinite(frame.part_boxes).all()
            assert np.abs(frame.part_boxes - np.tile(frame.boxes[:, None], (1, 3, 1))).max() < 4


class _Given:
    """Stands for an earlier stage."""

    needs = ()

    def __init__(self, *fields):
        self.gives = fields


def test_persons_of_a_detector_without_action_branches(network, tiny_taxonomy, images):
    stage = DetectPersons(**network(PERSONS), taxonomy=tiny_taxonomy, options={"model.test_cfg.score_thr": 0.0})
    assert list(stage.gives) == ["boxes", "scores"]
    parses = [FrameParse(number, np.zeros((0, 4))) for number in (1, 6, 11)]
    stage.parse_frames(images, parses)
    for frame in parses:
        frame.check()
        assert 0 < len(frame) <= 10 and not frame.features and not frame.person_features
        assert (frame.boxes >= 0).all() and (frame.boxes <= [96, 64, 96, 64]).all()
        assert (np.diff(frame.scores) <= 0).all()
