"""Accuracy of a state recognizer by hand. S = 3 states, L = 3 labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import PackActionInputs
from mmengine.evaluator import Evaluator

from tpsparse.errors import InputError
from tpsparse.evaluation.metrics import StateAccuracy
from tpsparse.structures import LabelTable
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head",), states=("none", "bend", "lift"), actions=("a", "b"))
TABLE = LabelTable("head", 3.0, (("a", "none"), ("a", "lift"), ("b", "none")))
META = dict(taxonomy=NAMES.to_meta(), label_table=TABLE.to_meta())


def sample(scores, label, counts):
    return {
        "pred_score": torch.tensor(scores, dtype=torch.float32),
        "gt_label": torch.tensor([label]),
        "state_counts": np.array(counts),
    }


def run(*samples, meta=META, **options):
    metric = StateAccuracy(**options)
    metric.dataset_meta = meta
    for each in samples:
        metric.process(None, [each])
    return metric.evaluate(len(samples))


A_NONE, A_LIFT, B_NONE = [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]


@pytest.mark.parametrize(
    ("samples", "accuracy", "top1"),
    [
        # 6 of 10, and 1 of 4 annotated parts have the predicted state.
        ([(A_NONE, 0, [6, 0, 4]), (A_LIFT, 0, [3, 0, 1])], 7 / 14, 1 / 2),
        # Another action, the same state: right in each frame, wrong as a label.
        ([(B_NONE, 0, [5, 0, 0])], 1.0, 0.0),
        # Nothing annotated: counts in neither.
        ([(A_LIFT, 1, [0, 0, 2]), (A_NONE, -1, [0, 0, 0])], 1.0, 1.0),
        # A pair that is no label cannot be told.
        ([(A_NONE, -1, [0, 3, 1])], 0.0, 0.0),
        # Ties go to the first label.
        ([([1 / 3, 1 / 3, 1 / 3], 0, [1, 0, 3])], 0.25, 1.0),
    ],
    ids=["two", "another action", "unannotated", "no label", "tie"],
)
def test_by_hand(samples, accuracy, top1):
    numbers = run(*[sample(*each) for each in samples])
    assert numbers == pytest.approx({"state/head": accuracy, "state/label_top1_head": top1})


def test_nothing_to_measure():
    assert run(sample(A_NONE, -1, [0, 0, 0])) == {}
    assert StateAccuracy(group="head", prefix="x").compute_metrics([]) == {}


def test_what_cannot_be_measured():
    with pytest.raises(InputError, match="has no label table: test on a TPSSegmentDataset"):
        run(sample(A_NONE, 0, [1, 0, 0]), meta=dict(taxonomy=NAMES.to_meta()))
    with pytest.raises(InputError, match="is to measure part group arm, the data set has head"):
        run(sample(A_NONE, 0, [1, 0, 0]), group="arm")
    with pytest.raises(InputError, match="2 scores for 3 labels: set num_classes to @num_labels"):
        run(sample([0.5, 0.5], 0, [1, 0, 0]))
    lacking = sample(A_NONE, 0, [1, 0, 0])
    del lacking["state_counts"]
    with pytest.raises(InputError, match=r"without state_counts: end the pipeline in PackActionInputs\(meta_keys"):
        run(lacking)


def test_of_packed_samples_in_an_evaluator():
    pack = PackActionInputs(meta_keys=("state_counts",))
    packed = pack(dict(imgs=np.zeros((1, 3, 2, 2)), label=1, state_counts=np.array([1, 0, 3])))["data_samples"]
    packed.set_pred_score(torch.tensor(A_LIFT))
    evaluator = Evaluator([StateAccuracy()])
    evaluator.dataset_meta = META
    evaluator.process([packed])
    assert evaluator.evaluate(1) == pytest.approx({"state/head": 0.75, "state/label_top1_head": 1.0})
