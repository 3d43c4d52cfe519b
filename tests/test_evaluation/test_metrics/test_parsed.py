"""Persons and part states of records."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement, InstanceData

from tpsparse.errors import InputError
from tpsparse.registry import METRICS
from tpsparse.structures import FrameParse, VideoParse
from tpsparse.taxonomy import Taxonomy

TRUE, FAR = [0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]
NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend"), actions=("lunge", "jump"))


def run(metric, pairs, size=None):
    """The numbers of records and their annotations, a video a batch."""
    evaluator = Evaluator(METRICS.build(metric))
    evaluator.dataset_meta = dict(taxonomy=NAMES.to_meta())
    for parse, truth in pairs:
        evaluator.process(data_samples=[parse], data_batch=dict(ground_truth=[truth]))
    return evaluator.evaluate(size or len(pairs))


def persons(number, *boxes, scores=None):
    return FrameParse(number, np.array(boxes).reshape(-1, 4), scores=None if scores is None else np.array(scores))


class TestPersonAP:
    def test_by_hand(self):
        # As in the metric of the detector: one frame right, one with nothing but a mistake of lower score.
        parse = VideoParse("a", frames=[persons(1, TRUE, scores=[0.9]), persons(6, FAR, scores=[0.4])])
        truth = VideoParse("a", frames=[persons(1, TRUE), persons(6, TRUE)])
        numbers = run(dict(type="ParsedPersonAP"), [(parse, truth)])
        assert numbers == {"person/AP": pytest.approx(51 / 101), "person/AP50": pytest.approx(51 / 101)}

    def test_annotated_and_parsed_frames_alone(self):
        parse = VideoParse("a", frames=[persons(1, TRUE, scores=[0.9]), persons(2, FAR, scores=[1.0])])
        truth = VideoParse("a", frames=[persons(1, TRUE), persons(6, FAR)])
        pairs = [
            (parse, truth),
            (VideoParse("b", error="b.mp4 is empty"), truth),
            (VideoParse("c", frames=parse.frames), None),
        ]
        assert run(dict(type="ParsedPersonAP"), pairs)["person/AP50"] == 1.0

    def test_same_numbers_as_the_detector(self):
        rng = np.random.default_rng(0)

        def boxes(count):
            low = rng.uniform(0, 40, (count, 2))
            return np.concatenate([low, low + rng.uniform(5, 40, (count, 2))], axis=1).astype(np.float32)

        frames, truths, samples = [], [], []
        for number in range(1, 30):
            true = boxes(rng.integers(0, 4))
            found = np.concatenate([true + rng.normal(0, 3, true.shape), boxes(rng.integers(0, 3))]).astype(np.float32)
            scores = rng.random(len(found)).astype(np.float32)
            frames.append(FrameParse(number, found, scores=scores))
            truths.append(FrameParse(number, true))
            sample = BaseDataElement()
            found_labels, true_labels = (torch.zeros(len(each), dtype=torch.long) for each in (found, true))
            sample.pred_instances = InstanceData(
                bboxes=torch.tensor(found), scores=torch.tensor(scores), labels=found_labels
            )
            sample.gt_instances = InstanceData(bboxes=torch.tensor(true), labels=true_labels)
            samples.append(sample)
        evaluator = Evaluator(METRICS.build(dict(type="PersonAPMetric")))
        evaluator.process(data_samples=samples)
        pair = (VideoParse("a", frames=frames), VideoParse("a", frames=truths))
        numbers = run(dict(type="ParsedPersonAP"), [pair])
        assert numbers == evaluator.evaluate(len(samples)) and 0.1 < numbers["person/AP"] < 0.9

    def test_a_video_that_comes_twice_counts_once(self):
        right = (VideoParse("a", frames=[persons(1, TRUE)]), VideoParse("a", frames=[persons(1, TRUE)]))
        wrong = (VideoParse("b", frames=[persons(1)]), VideoParse("b", frames=[persons(1, TRUE)]))
        once = run(dict(type="ParsedPersonAP"), [right, wrong])
        assert run(dict(type="ParsedPersonAP"), [right, wrong, right]) == once

    def test_nothing_annotated(self):
        assert run(dict(type="ParsedPersonAP"), [(VideoParse("a", frames=[persons(1, TRUE)]), None)]) == {}


def states(number, *rows):
    """Persons whose parts have these states; -1 is no part."""
    boxes = np.tile(np.array(TRUE), (len(rows), 1))
    return FrameParse(number, boxes, part_states=np.array(rows, dtype=np.int64).reshape(-1, 3))


class TestStateAccuracy:
    METRIC = dict(type="ParsedStateAccuracy")

    def test_by_hand(self):
        parse = VideoParse("a", frames=[states(1, [0, 1, -1], [1, 1, 0]), states(6, [0, 0, 0]), states(7, [1, 1, 1])])
        truth = VideoParse("a", frames=[states(1, [0, 1, 1], [-1, 0, 0]), states(6, [1, 0, -1]), states(8, [1, 1, 1])])
        numbers = run(self.METRIC, [(parse, truth)])
        # Heads: right in frame 1, wrong in 6. Arms: right, no state, wrong, right; right.
        assert numbers == {"state/head": 1 / 2, "state/arm": 3 / 5, "state/all": 4 / 7}

    def test_scores_in_place_of_states(self):
        frame = states(1, [0, 1, 1])
        frame.part_states, frame.state_scores = None, np.array([[[0.4, 0.6], [0.4, 0.6], [0.6, 0.4]]])
        pair = (VideoParse("a", frames=[frame]), VideoParse("a", frames=[states(1, [1, 1, 1])]))
        assert run(self.METRIC, [pair]) == {"state/head": 1.0, "state/arm": 0.5, "state/all": 2 / 3}

    def test_group_without_annotation_and_frames_without_persons(self):
        pair = (VideoParse("a", frames=[persons(1)]), VideoParse("a", frames=[states(1)]))
        assert run(self.METRIC, [pair, (VideoParse("b"), None)]) == {}
        pair = (VideoParse("a", frames=[states(1, [0, 0, 0])]), VideoParse("a", frames=[states(1, [0, -1, -1])]))
        assert run(self.METRIC, [pair]) == {"state/head": 1.0, "state/all": 1.0}

    def test_other_persons(self):
        pair = (VideoParse("a (ü)", frames=[states(6, [0, 0, 0])]), VideoParse("a (ü)", frames=[states(6)]))
        told = r"^a \(ü\), frame 6, has 1 persons in the record and 0 annotated: .* with a ReadAnnotation stage$"
        with pytest.raises(InputError, match=told):
            run(self.METRIC, [pair])

    def test_more_records_than_annotations(self):
        metric = METRICS.build(self.METRIC)
        metric.dataset_meta = dict(taxonomy=NAMES.to_meta())
        with pytest.raises(ValueError, match="2 records but 1 ground truths"):
            metric.process(dict(ground_truth=[None]), [VideoParse("a"), VideoParse("b")])
