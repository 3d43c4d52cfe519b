import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement, InstanceData

from tpsparse.evaluation.metrics import PersonAPMetric
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
