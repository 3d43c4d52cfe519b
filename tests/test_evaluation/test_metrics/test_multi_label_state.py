"""Multi-label part states of a network by hand. P persons, K = 3 parts, S = 3 states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement

from tpsparse.errors import InputError
from tpsparse.registry import METRICS
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none", "bend", "lift"), actions=("lunge",))


def sample(scores, states, relevance=None, relevant=None):
    result = BaseDataElement()
    result.state_scores = torch.tensor(scores, dtype=torch.float32).reshape(-1, 3, 3)
    result.gt_part_states = torch.tensor(states).reshape(-1, 3)
    if relevant is not None:
        result.relevance = torch.tensor(relevance, dtype=torch.float32)
        result.gt_relevance = torch.tensor(relevant, dtype=torch.float32)
    return result


def run(samples, **arguments):
    evaluator = Evaluator(METRICS.build(dict(type="MultiLabelStateAP", **arguments)))
    evaluator.dataset_meta = dict(taxonomy=NAMES.to_meta())
    evaluator.process(data_samples=samples)
    return evaluator.evaluate(len(samples))


def test_by_hand():
    # Rows: head none; arms bend (left), lift (right), and the second person's left arm bend.
    #   none .9 .1 .2 .3 -> row 1 first: 1.  bend .2 .6 .7 .5 -> wrong, right, right: (1/2 + 2/3) / 2 = 7/12.
    #   lift .1 .2 .3 .8 -> wrong, right: 1/2.
    first = sample([[[0.9, 0.2, 0.1], [0.1, 0.6, 0.2], [0.2, 0.7, 0.3]]], [[0, 1, 2]])
    second = sample([[[9, 9, 9], [0.3, 0.5, 0.8], [9, 9, 9]]], [[-1, 1, -1]])
    numbers = run([first, second])
    assert numbers["state/mAP"] == pytest.approx((1 + 7 / 12 + 1 / 2) / 3)
    assert numbers["state/mAP/head"] == 1.0
    assert numbers["state/mAP/arm"] == pytest.approx((7 / 12 + 1 / 2) / 2)
    assert numbers["state/top1"] == 0.5
    assert set(numbers) == {"state/mAP", "state/mAP/head", "state/mAP/arm", "state/top1"}


def test_relevance():
    scores = np.full((1, 3, 3), 0.5).tolist()
    # Relevance .8 (wrong), .6 (right), unknown; .1 (wrong), .2 (right), unknown: (1/2 + 2/3) / 2.
    given = [
        sample(scores, [[0, 0, -1]], [[0.8, 0.6, 0.9]], [[0, 1, -1]]),
        sample(scores, [[0, 0, -1]], [[0.1, 0.2, 0.9]], [[0, 1, -1]]),
    ]
    assert run(given)["state/relevance_AP"] == pytest.approx(7 / 12)
    nothing = [sample(scores, [[0, 0, -1]], [[0.8, 0.6, 0.9]], [[0, 0, -1]])]
    assert "state/relevance_AP" not in run(nothing)


def test_ties_count_at_once():
    scores = [[[0.5, 0, 0], [0.5, 0, 0], [0.5, 0, 0]]]
    assert run([sample(scores, [[0, 1, 1]])])["state/mAP"] == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_nothing_to_measure():
    assert run([sample([], []), sample(np.zeros((1, 3, 3)).tolist(), [[-1, -1, -1]])]) == {}


def test_names():
    evaluator = Evaluator(METRICS.build(dict(type="MultiLabelStateAP", prefix="own", taxonomy=NAMES.to_meta())))
    evaluator.process(data_samples=[sample(np.zeros((1, 3, 3)).tolist(), [[0, -1, -1]])])
    assert evaluator.evaluate(1)["own/top1"] == 1.0
    evaluator = Evaluator(METRICS.build(dict(type="MultiLabelStateAP")))
    evaluator.process(data_samples=[sample(np.zeros((1, 3, 3)).tolist(), [[0, -1, -1]])])
    with pytest.raises(InputError, match="MultiLabelStateAP has no taxonomy"):
        evaluator.evaluate(1)
