import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement, InstanceData

from tpsparse.evaluation.metrics import PartObjectAPMetric, PersonAPMetric
from tpsparse.registry import METRICS

TRUE, FAR = [0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]


def _sample(boxes, scores, action=None, context=None, persons=None, annotated=(TRUE,)):
    sample = BaseDataElement(metainfo={} if action is None else {"action": action})
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor(annotated).reshape(-1, 4), labels=torch.zeros(len(annotated), dtype=torch.long)
    )
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor(boxes).reshape(-1, 4),
        scores=torch.tensor(scores).float(),
        labels=torch.zeros(len(boxes), dtype=torch.long),
    )
    if persons is not None:
        sample.pred_instances.action_scores = torch.tensor(persons).reshape(len(boxes), 2)
    if context is not None:
        sample.context_scores = torch.tensor(context)
    return sample


def _run(*samples):
    evaluator = Evaluator(METRICS.build({"type": "PersonAPMetric"}))
    for sample in samples:
        evaluator.process(data_samples=[sample])
    return evaluator.evaluate(len(samples))


def test_average_precision_of_persons():
    # One frame right, one with nothing but a mistake of lower score: recall 1/2 at precision 1, 51 of 101 levels.
    numbers = _run(_sample([TRUE], [0.9]), _sample([FAR], [0.4]))
    assert numbers == {"person/AP": pytest.approx(51 / 101), "person/AP50": pytest.approx(51 / 101)}


def test_action_heads_by_hand():
    persons = [[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]
    samples = [
        # Weighted by 0.9, 0.2, 0.2 the scores sum to (0.97, 0.33), and unweighted to (1.7, 1.3): action 0.
        _sample([TRUE, FAR, FAR], [0.9, 0.2, 0.2], action=0, context=[0.3, 0.7], persons=persons),
        # Weighted by 0.1, 0.9, 0.9 the same scores sum to (0.81, 1.09): action 1.
        _sample([TRUE, FAR, FAR], [0.1, 0.9, 0.9], action=1, context=[0.3, 0.7], persons=persons),
        # Nobody found: no action of persons, but one of the frame.
        _sample([], [], action=1, context=[0.3, 0.7], persons=[]),
        # Unknown action.
        _sample([TRUE], [0.9], action=-1, context=[0.3, 0.7], persons=[[0.5, 0.5]]),
    ]
    numbers = _run(*samples)
    assert numbers["person/context_top1"] == pytest.approx(2 / 3)
    assert numbers["person/instance_top1"] == pytest.approx(2 / 3)


def test_numbers_without_a_head_are_not_reported():
    assert set(_run(_sample([TRUE], [0.9], action=1))) == {"person/AP", "person/AP50"}
    assert "person/instance_top1" not in _run(_sample([TRUE], [0.9], action=1, context=[0.0, 1.0]))


def test_no_persons_annotated_is_not_a_number():
    assert np.isnan(_run(_sample([TRUE], [0.9], annotated=()))["person/AP"])


def test_wrapped_boxes_are_unwrapped():
    class Wrapped:
        tensor = torch.tensor([TRUE])

    sample = {
        "gt_instances": {"bboxes": Wrapped(), "labels": np.array([0])},
        "pred_instances": {"bboxes": np.array([TRUE]), "scores": np.array([0.5]), "labels": np.array([0])},
    }
    metric = PersonAPMetric()
    metric.process(None, [sample])
    assert metric.evaluate(1)["person/AP"] == pytest.approx(1)


NAMES = {
    "parts": ["head", "left_arm", "right_arm"],
    "states": ["none"],
    "actions": ["lunge"],
    "objects": ["none", "head", "hurling_(sport) bat"],
}
HEAD, LEFT, RIGHT, NONE, OBJECT_HEAD, BAT = range(6)


def _classes(annotated, predicted):
    """A frame with (label, box) annotated and (label, box, score) predicted."""
    return {
        "gt_instances": {
            "bboxes": np.array([box for _, box in annotated]).reshape(-1, 4),
            "labels": np.array([label for label, _ in annotated], dtype=np.int64),
        },
        "pred_instances": {
            "bboxes": np.array([box for _, box, _ in predicted]).reshape(-1, 4),
            "scores": np.array([score for *_, score in predicted]),
            "labels": np.array([label for label, *_ in predicted], dtype=np.int64),
        },
    }


def _by_class(*frames):
    metric = PartObjectAPMetric(taxonomy=NAMES)
    metric.process(None, list(frames))
    return metric.evaluate(len(frames))


def test_precision_by_class_by_hand():
    other = [30.0, 30.0, 40.0, 40.0]
    # 6 of 10 pixels of the width: IoU 0.6 is right from 0.50 to 0.60, at three of ten thresholds.
    loose = [0.0, 0.0, 6.0, 10.0]
    numbers = _by_class(
        _classes([(HEAD, TRUE), (LEFT, TRUE), (BAT, other)], [(HEAD, TRUE, 0.9), (LEFT, FAR, 0.8), (BAT, loose, 0.7)]),
        _classes([(HEAD, other), (BAT, TRUE)], [(HEAD, other, 0.6), (BAT, loose, 0.8), (RIGHT, FAR, 0.9)]),
    )
    # Of two bats one is found, by the better of two boxes: recall 1/2 at precision 1, 51 of 101 levels.
    assert numbers == {
        "box/AP": pytest.approx((1 + 0 + 0.3 * 51 / 101) / 3),
        "box/AP50": pytest.approx((1 + 0 + 51 / 101) / 3),
        "box/parts_AP50": pytest.approx(0.5),
        "box/objects_AP50": pytest.approx(51 / 101),
        "box/AP50/head": pytest.approx(1),
        "box/AP50/left_arm": pytest.approx(0),
        "box/AP50/hurling_(sport) bat": pytest.approx(51 / 101),
    }


def test_object_that_is_called_like_a_part_is_another_class():
    numbers = _by_class(_classes([(HEAD, TRUE), (OBJECT_HEAD, FAR)], [(HEAD, TRUE, 0.9), (HEAD, FAR, 0.8)]))
    assert (numbers["box/AP50/head"], numbers["box/AP50/head (object)"]) == (pytest.approx(1), pytest.approx(0))


def test_kind_of_which_nothing_is_annotated_is_not_reported():
    numbers = _by_class(_classes([(NONE, TRUE)], [(NONE, TRUE, 0.5), (HEAD, FAR, 0.9)]))
    assert set(numbers) == {"box/AP", "box/AP50", "box/objects_AP50", "box/AP50/none"}
    assert numbers["box/objects_AP50"] == pytest.approx(1)


def test_nothing_annotated_at_all():
    numbers = _by_class(_classes([], [(HEAD, TRUE, 0.9)]), _classes([], []))
    assert set(numbers) == {"box/AP", "box/AP50"} and np.isnan(list(numbers.values())).all()
