"""The detector of parts and objects on whole frames: the quick network with random weights, and made predictions.

K = 3 parts (head, left arm, right arm); the drawn data set lists one object, ``none``.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from tpsparse.datasets.video import Video
from tpsparse.engine import load_config
from tpsparse.errors import InputError
from tpsparse.parsing import DetectPartsAndObjects, check_row, frame_parts
from tpsparse.registry import MODELS
from tpsparse.runtime import Runtime
from tpsparse.structures import FrameParse, VideoParse

CONFIG = "part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py"
HEAD, LEFT, RIGHT, NONE, BALL = range(5)


@pytest.fixture(scope="module")
def names(tiny_taxonomy):
    return dataclasses.replace(tiny_taxonomy, objects=("none", "ball"))


@pytest.fixture
def frames(drawn):
    """The persons of the frames 1, 6 and 11 of a drawn video; in the second frame nobody."""
    boxes = {number: [drawn.person_box("push_up", number, i) for i in range(2)] for number in (1, 11)}
    return [FrameParse(number, np.array(boxes.get(number, [])).reshape(-1, 4)) for number in (1, 6, 11)]


class TestNetwork:
    @pytest.fixture(scope="class")
    def network(self, drawn, names, tmp_path_factory):
        """Config and checkpoint of the quick network with random weights: every class has about the same score."""
        config = drawn.QUICK / CONFIG
        init_default_scope("tpsparse")
        torch.manual_seed(0)
        model = MODELS.build(load_config(config, taxonomy=names).model)
        model.init_weights()
        path = tmp_path_factory.mktemp("networks (1)") / "größe.pth"
        torch.save({"meta": {"dataset_meta": {"taxonomy": names.to_meta()}}, "state_dict": model.state_dict()}, path)
        return dict(config=str(config), checkpoint=str(path))

    @pytest.fixture(scope="class")
    def images(self, tiny_root):
        return Video(tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4").frames([1, 6, 11])

    @pytest.fixture
    def run(self, network, names, images, frames):
        def go(batch_frames=8, **kwargs):
            options = {"model.test_cfg.rcnn.max_per_img": 1000}
            stage = DetectPartsAndObjects(**network, taxonomy=names, options=options, **kwargs)
            stage.use(Runtime(batch_frames=batch_frames))
            parses = [dataclasses.replace(frame) for frame in frames]
            stage.parse_frames(images, parses)
            return stage, parses

        return go

    def test_gives_what_it_says(self, run, tmp_path):
        stage, parses = run(min_object_score=0.0)
        assert list(stage.gives) == ["part_boxes", "part_scores", "objects"] and list(stage.needs) == ["boxes"]
        for frame in parses:
            frame.check()
            assert frame.part_boxes.shape == (len(frame), 3, 4) and frame.part_scores.shape == (len(frame), 3)
            np.testing.assert_array_equal(np.isfinite(frame.part_boxes).all(axis=2), frame.part_scores > 0)
        assert sum(len(frame.objects) for frame in parses) > 0
        assert {label for frame in parses for label in frame.objects.labels.tolist()} <= {0, 1}
        VideoParse("clip", (64, 96), 12, 10.0, parses).save(tmp_path / "a.safetensors")

    def test_parts_lie_in_their_persons(self, run, frames):
        frames[0].boxes[0] = [0, 0, 90, 60]  # boxes of random weights are large
        _, parses = run(min_inside=1.0)
        found = 0
        for frame in parses:
            for row, part in np.argwhere(frame.part_scores > 0):
                box, person = frame.part_boxes[row, part], frame.boxes[row]
                found += 1
                assert (box[:2] >= person[:2] - 1e-3).all() and (box[2:] <= person[2:] + 1e-3).all()
        assert found > 0

    def test_batches_change_nothing(self, run):
        (_, one), (_, many) = run(batch_frames=1), run(batch_frames=3)
        for first, second in zip(one, many):
            np.testing.assert_allclose(first.part_boxes, second.part_boxes, atol=1e-2)
            np.testing.assert_allclose(first.objects.boxes, second.objects.boxes, atol=1e-2)

    def test_other_objects_are_refused(self, network, tiny_taxonomy):
        with pytest.raises(InputError, match=r"größe\.pth was trained with other objects \(2 names\) .* \(1\)"):
            DetectPartsAndObjects(**network, taxonomy=tiny_taxonomy)

    @pytest.mark.parametrize("wrong", [dict(min_inside=0.0), dict(min_inside=1.1), dict(max_objects=-1)])
    def test_values_that_mean_nothing(self, run, wrong):
        with pytest.raises(ValueError, match="min_inside is"):
            run(**wrong)

    def test_persons_come_first(self, run):
        stage, _ = run()
        with pytest.raises(InputError, match="DetectPartsAndObjects needs boxes"):
            check_row([stage])


class TestMadePredictions:
    """Two persons of 20 x 40 pixels at (10, 5) and (55, 5) in frame 1."""

    @pytest.fixture
    def parse(self, monkeypatch, names, frames):
        def go(*predictions, **kwargs):
            results = []
            for found in predictions:
                boxes = torch.tensor([box for *_, box in found], dtype=torch.float32).reshape(-1, 4)
                scores = torch.tensor([score for _, score, _ in found])
                labels = torch.tensor([label for label, *_ in found], dtype=torch.long)
                instances = InstanceData(bboxes=boxes, scores=scores.float(), labels=labels)
                results.append(SimpleNamespace(pred_instances=instances))
            network = SimpleNamespace(
                pipeline=lambda item: item, predict=lambda items: results, preparation=lambda kind: None
            )
            monkeypatch.setattr(frame_parts, "load_network", lambda *args: network)
            stage = DetectPartsAndObjects(config="a.py", checkpoint="a.pth", taxonomy=names, **kwargs)
            parses = frames[: len(predictions)]
            stage.parse_frames(np.zeros((len(parses), 64, 96, 3), dtype=np.uint8), parses)
            return parses

        return go

    def test_parts_and_objects_by_hand(self, parse):
        head, arm, far = [15, 5, 25, 15], [60, 15, 70, 30], [40, 50, 50, 60]
        found = [(HEAD, 0.9, head), (HEAD, 0.5, head), (LEFT, 0.8, arm), (RIGHT, 0.7, far), (BALL, 0.6, far)]
        first, nobody = parse(found, [(HEAD, 0.9, head), (NONE, 0.4, head)])
        assert first.part_boxes[0, HEAD].tolist() == head and first.part_boxes[1, LEFT].tolist() == arm
        np.testing.assert_allclose(first.part_scores, [[0.9, 0, 0], [0, 0.8, 0]])
        assert (first.objects.labels.tolist(), first.objects.boxes.tolist()) == ([1], [far])
        assert nobody.part_boxes.shape == (0, 3, 4) and nobody.part_scores.shape == (0, 3)
        assert (nobody.objects.labels.tolist(), nobody.objects.scores.tolist()) == ([0], [pytest.approx(0.4)])

    def test_nothing_found(self, parse):
        (frame,) = parse([])
        assert np.isnan(frame.part_boxes).all() and not frame.part_scores.any() and len(frame.objects) == 0

    def test_best_objects_are_kept(self, parse):
        # The score is a float32: 0.5 is the same number there.
        found = [(BALL, score, [0, 0, 5, 5]) for score in (0.4, 0.9, 0.5, 0.6, 0.5)]
        (frame,) = parse(found, min_object_score=0.5, max_objects=3)
        np.testing.assert_allclose(frame.objects.scores, [0.9, 0.6, 0.5])
        (frame,) = parse(found, min_object_score=0.5)
        assert len(frame.objects) == 4
        (frame,) = parse(found, max_objects=0)
        assert len(frame.objects) == 0
