"""The losses by hand, layers of a part's own weights, and which object a person deals with. N, K, S, O as there."""

from __future__ import annotations

import math

import pytest
import torch

from tpsparse.models import losses as losses_of
from tpsparse.models.part_states import (
    PartwiseLinear,
    RoIEmbedding,
    binary_relevance_loss,
    choose_objects,
    multi_label_state_loss,
    object_scores_of,
)

PERSON = [[10.0, 10.0, 30.0, 50.0]]  # grown by 1.2: 8, 6, 32, 54


def logit(probability):
    return math.log(probability / (1 - probability))


class TestLosses:
    def test_relevance_by_hand(self):
        logits = torch.tensor([[logit(0.9), logit(0.2), 5.0]])
        loss = binary_relevance_loss(logits, torch.tensor([[1.0, 0.0, -1.0]]))
        assert loss.item() == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2, rel=1e-5)

    @pytest.mark.parametrize("weight", [1.0, 4.0])
    def test_states_by_hand(self, weight):
        # One part in state 1 of 3, one unknown; a sum over the states, the annotated one weighted.
        logits = torch.tensor([[[logit(0.1), logit(0.6), logit(0.3)], [9.0, 9.0, 9.0]]])
        loss = multi_label_state_loss(logits, torch.tensor([[1, -1]]), weight)
        assert loss.item() == pytest.approx(-(math.log(0.9) + weight * math.log(0.6) + math.log(0.7)), rel=1e-5)

    def test_mean_over_parts(self):
        logits = torch.zeros(2, 2, 3)
        states = torch.tensor([[0, 1], [2, -1]])
        assert multi_label_state_loss(logits, states, 1.0).item() == pytest.approx(3 * math.log(2))

    @pytest.mark.parametrize("persons", [0, 2])
    def test_without_labels(self, persons):
        logits = torch.zeros(persons, 3, 4, requires_grad=True)
        states = torch.full((persons, 3), -1)
        loss = multi_label_state_loss(logits, states, 2.0) + binary_relevance_loss(logits[..., 0], states.float())
        loss.backward()
        assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()

    def test_half_precision(self):
        logits = torch.tensor([[[logit(0.1), logit(0.6)]]], dtype=torch.bfloat16)
        loss = multi_label_state_loss(logits, torch.tensor([[1]]), 1.0)
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(-(math.log(0.9) + math.log(0.6)), rel=1e-2)

    def test_the_mean_is_over_all_processes(self, monkeypatch):
        # Another process has three times the labels: the mean count is twice this one's.
        monkeypatch.setattr(losses_of, "all_reduce", lambda value, op: value.mul_(2))
        loss = binary_relevance_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
        assert loss.item() == pytest.approx(math.log(2) / 2)


class TestLayers:
    def test_weights_of_a_part_are_its_own(self):
        torch.manual_seed(0)
        layer, inputs = PartwiseLinear(3, 4, 5), torch.randn(2, 3, 4)
        torch.nn.init.normal_(layer.bias)
        result = layer(inputs)
        for person, part in ((0, 0), (1, 2)):
            expected = inputs[person, part] @ layer.weight[part] + layer.bias[part, 0]
            torch.testing.assert_close(result[person, part], expected)
        assert layer(torch.zeros(0, 3, 4)).shape == (0, 3, 5)

    def test_embedding(self):
        embedding = RoIEmbedding(in_channels=2, roi_size=3, fc_channels=(8, 6), out_channels=5).eval()
        assert embedding(torch.randn(4, 2, 3, 3)).shape == (4, 5) and embedding(torch.zeros(0, 2, 3, 3)).shape == (0, 5)
        assert [layer.out_features for layer in embedding.layers if isinstance(layer, torch.nn.Linear)] == [8, 6, 5]


class TestChooseObjects:
    @pytest.mark.parametrize(
        ("objects", "scores", "expected"),
        [
            ([], [], -1),
            ([[60, 60, 70, 70]], [1.0], -1),
            ([[32, 54, 40, 60]], [0.1], 0),  # a corner of the grown box
            ([[32.1, 20, 40, 30]], [1.0], -1),
            ([[12, 12, 14, 14], [31, 20, 40, 30]], [0.4, 0.6], 1),  # the score goes first
            ([[12, 12, 14, 14], [12, 12, 20, 20]], [0.5, 0.5], 1),  # then the shared area
            ([[31, 30, 33, 32], [31, 50, 33, 52]], [1.0, 1.0], 0),  # none is shared: the nearer to the centre
            ([[31, 50, 33, 52], [31, 30, 33, 32]], [1.0, 1.0], 1),  # in whatever order they come
            ([[31, 20, 33, 22], [31, 38, 33, 40]], [1.0, 1.0], 0),  # as near: the first
            ([[60, 60, 70, 70], [12, 12, 14, 14]], [1.0, 0.2], 1),  # one out of reach does not compete
        ],
    )
    def test_by_hand(self, objects, scores, expected):
        boxes = torch.tensor(objects, dtype=torch.float32).reshape(-1, 4)
        assert choose_objects(torch.tensor(PERSON), boxes, torch.tensor(scores)).tolist() == [expected]

    def test_reach(self):
        near = torch.tensor([[33.0, 20, 40, 30]])
        assert choose_objects(torch.tensor(PERSON), near, torch.ones(1), reach=1.0).tolist() == [-1]
        assert choose_objects(torch.tensor(PERSON), near, torch.ones(1), reach=1.3).tolist() == [0]

    def test_each_person_for_himself(self):
        persons = torch.tensor([*PERSON, [100.0, 10, 120, 50], [200, 10, 220, 50]])
        objects = torch.tensor([[105.0, 20, 110, 30], [12, 12, 18, 18]])
        assert choose_objects(persons, objects, torch.tensor([0.9, 0.3])).tolist() == [1, 0, -1]
        assert choose_objects(persons[:0], objects, torch.ones(2)).shape == (0,)

    def test_scores(self):
        chosen, scores, labels = torch.tensor([1, -1, 0]), torch.tensor([0.25, 0.75]), torch.tensor([2, 0])
        assert object_scores_of(chosen, scores, labels, 3).tolist() == [
            [0.75, 0, 0, 0.25],
            [0, 0, 0, 1],
            [0, 0, 0.25, 0.75],
        ]
        none = torch.zeros(0)
        assert object_scores_of(torch.tensor([-1]), none, none.long(), 0).tolist() == [[1]]
        assert object_scores_of(chosen[:0], scores, labels, 3).shape == (0, 4)
