"""Expected values are worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from tpsparse.models import losses
from tpsparse.models.losses import (
    masked_mse,
    mean_over_processes,
    part_state_mse,
    softmax_focal_loss,
    state_map_mse,
)


def test_focal_loss_by_hand():
    # Probabilities 3/4 and 1/4: logits log 3 and 0.
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    labels = torch.tensor([0, 1])
    # (1/4)^2 ln(4/3) = 0.0179801, (3/4)^2 ln 4 = 0.7797906; mean 0.3988853.
    expected = (0.0625 * math.log(4 / 3) + 0.5625 * math.log(4)) / 2
    assert softmax_focal_loss(logits, labels, 2.0).item() == pytest.approx(expected, abs=1e-6)


def test_focal_loss_is_cross_entropy_at_gamma_zero():
    logits = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[0, 1, 2, 3], [4, 0, -1, 1], [2, -1, -1, 4]])
    expected = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1)
    torch.testing.assert_close(softmax_focal_loss(logits, labels, 0.0), expected)


def test_focal_loss_counts_labelled_parts_only():
    logits = torch.tensor([[[math.log(3.0), 0.0], [7.0, -7.0]]])
    labels = torch.tensor([[0, -1]])
    expected = 0.0625 * math.log(4 / 3)
    assert softmax_focal_loss(logits, labels).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_certain_predictions_has_finite_gradients(gamma):
    logits = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], requires_grad=True)
    loss = softmax_focal_loss(logits, torch.tensor([0, 0]), gamma)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()
    assert loss.item() == pytest.approx(500.0, rel=1e-3)


def test_focal_loss_without_labels_is_zero_with_a_gradient():
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = softmax_focal_loss(logits, torch.full((2, 3), -1))
    loss.backward()
    assert loss.item() == 0 and logits.grad.eq(0).all()


def test_masked_mse_by_hand():
    heatmaps = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]], [[9.0, 9.0], [9.0, 9.0]]]])
    masks = torch.zeros(1, 3, 2, 2)
    present = torch.tensor([[True, True, False]])
    # 1/4 for the first part, 1/4 for the second; the third is absent.
    assert masked_mse(heatmaps, masks, present).item() == pytest.approx(0.25)


def test_masked_mse_without_parts_is_zero_with_a_gradient():
    heatmaps = torch.ones(1, 2, 2, 2, requires_grad=True)
    loss = masked_mse(heatmaps, torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0 and heatmaps.grad.eq(0).all()


def test_masked_mse_refuses_other_sizes():
    with pytest.raises(ValueError, match=r"\(1, 2, 4, 4\).*\(1, 2, 8, 8\)"):
        masked_mse(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 8, 8), torch.ones(1, 2, dtype=torch.bool))


def test_part_state_mse_by_hand():
    # The first part is in state 1; the second's state is unknown, whatever its heatmaps say.
    masks = torch.tensor([[[[1.0, 0.0]], [[1.0, 1.0]]]])
    heatmaps = torch.tensor([[[[[0.5, 0.0]], [[1.0, 0.5]]], [[[9.0, 9.0]], [[9.0, 9.0]]]]])
    # Errors 0.5, 0 in state 0 and 0, 0.5 in state 1.
    loss = part_state_mse(heatmaps, masks, torch.tensor([[1, -1]]))
    assert loss.item() == pytest.approx(0.25 / 2 + 0.25 / 2)


def test_part_state_mse_is_the_error_of_targets_written_out():
    generator = torch.Generator().manual_seed(0)
    heatmaps = torch.randn(2, 3, 4, 5, 6, generator=generator).requires_grad_()
    masks = torch.rand(2, 3, 5, 6, generator=generator)
    masks[1, 0] = 0  # absent, though it has a state
    states = torch.tensor([[0, 3, -1], [2, 1, 1]])
    targets = torch.zeros(2, 3, 4, 5, 6)
    for crop, part, state in [(0, 0, 0), (0, 1, 3), (1, 1, 1), (1, 2, 1)]:
        targets[crop, part, state] = masks[crop, part]
    chosen = torch.tensor([[1, 1, 0], [0, 1, 1]])[..., None, None, None]
    expected = ((heatmaps - targets).square() * chosen).sum() / (5 * 6) / 4
    loss = part_state_mse(heatmaps, masks, states)
    torch.testing.assert_close(loss, expected)
    [own], [written] = torch.autograd.grad(loss, heatmaps), torch.autograd.grad(expected, heatmaps)
    torch.testing.assert_close(own, written)


def test_state_map_mse_by_hand():
    # Two parts in state 0, one beside the other, and one of unknown state over the last two cells.
    masks = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]], [[0.0, 1.0, 0.5, 0.0]], [[0.0, 0.0, 1.0, 1.0]]]])
    states = torch.tensor([[0, 0, -1]])
    # Targets 1, 1, 0.5 and 0. The last two cells count only where a known part is.
    heatmaps = torch.tensor([[[[1.0, 0.0, 0.0, 9.0]], [[0.5, 0.0, 9.0, 9.0]]]])
    expected = ((1 + 0.25) / 4 + 0.25 / 4) / 2
    assert state_map_mse(heatmaps, masks, states).item() == pytest.approx(expected)


def test_silent_heatmaps_err_alike():
    # Three parts that do not overlap, in two states: the weight of one loss fits the others.
    masks = torch.zeros(2, 3, 2, 3)
    masks[0, 0, 0], masks[0, 1, 1, :2], masks[1, 2, 1, 0] = 1, 0.5, 1
    states = torch.tensor([[0, 1, -1], [-1, -1, 0]])
    expected = masked_mse(torch.zeros_like(masks), masks, states >= 0)
    assert expected.item() == pytest.approx((3 + 0.5 + 1) / 6 / 3)
    torch.testing.assert_close(part_state_mse(torch.zeros(2, 3, 2, 2, 3), masks, states), expected)
    torch.testing.assert_close(state_map_mse(torch.zeros(2, 2, 2, 3), masks, states), expected)


@pytest.mark.parametrize("reason", ["no part", "state unknown", "cut off by the crop"])
@pytest.mark.parametrize(("loss", "shape"), [(part_state_mse, (2, 3, 4, 2, 2)), (state_map_mse, (2, 4, 2, 2))])
def test_heatmaps_without_labels_give_zero_with_a_gradient(loss, shape, reason):
    heatmaps = torch.ones(shape, requires_grad=True)
    masks = torch.ones(2, 3, 2, 2) if reason == "state unknown" else torch.zeros(2, 3, 2, 2)
    states = torch.full((2, 3), 1 if reason == "cut off by the crop" else -1)
    value = loss(heatmaps, masks, states)
    value.backward()
    assert value.item() == 0 and heatmaps.grad.eq(0).all()


def test_a_crop_without_labels_changes_nothing():
    heatmaps, masks = torch.rand(1, 4, 2, 2), torch.rand(1, 3, 2, 2)
    states = torch.tensor([[0, 1, 1], [-1, -1, -1]])
    alone = state_map_mse(heatmaps, masks, states[:1])
    torch.testing.assert_close(state_map_mse(heatmaps.repeat(2, 1, 1, 1), masks.repeat(2, 1, 1, 1), states), alone)


class Rank:
    """This process, as if others trained beside it: ``all_reduce`` takes the mean with their counts."""

    def __init__(self, monkeypatch, *others: float) -> None:
        self.others = list(others)
        monkeypatch.setattr(losses, "all_reduce", self.reduce)

    def reduce(self, data: torch.Tensor, op: str) -> None:
        assert op == "mean"
        data.copy_((data + sum(self.others)) / (1 + len(self.others)))


def test_count_of_a_single_process_is_its_own():
    count = torch.tensor(3)
    assert mean_over_processes(count).item() == 3 and mean_over_processes(0.25).item() == 0.25
    assert mean_over_processes(torch.tensor(0)).item() == 1
    assert count.item() == 3 and count.dtype == torch.int64


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (3, [1], 2.0),
        (0, [3], 1.5),
        (1, [0], 0.5),  # a total of 1: a lower bound of 1 would halve the loss of the only label
        (0, [0, 1, 0], 0.25),
        (0.5, [0.25], 0.375),
        (0, [0], 1.0),
    ],
)
def test_count_is_the_mean_over_processes(monkeypatch, own, others, expected):
    Rank(monkeypatch, *others)
    assert mean_over_processes(torch.tensor(own)).item() == pytest.approx(expected)


def test_count_is_left_alone_and_has_no_graph(monkeypatch):
    Rank(monkeypatch, 1.0)
    count = torch.tensor(3.0, requires_grad=True)
    mean = mean_over_processes(count)
    assert mean.item() == 2 and not mean.requires_grad and count.item() == 3


# Of predictions for some crops and their masks and states.
LOSSES = {
    "focal": (lambda logits, masks, states: softmax_focal_loss(logits, states), (5,)),
    "masks": (lambda heat, masks, states: masked_mse(heat, masks, states >= 0), (2, 2)),
    "pairs": (part_state_mse, (5, 2, 2)),
}


@pytest.mark.parametrize("share", [4, 3, 2])
@pytest.mark.parametrize("name", [*LOSSES, "state maps"])
def test_two_processes_have_the_gradient_of_one(monkeypatch, name, share):
    generator = torch.Generator().manual_seed(0)
    loss, shape = LOSSES.get(name, (state_map_mse, None))
    predictions = torch.randn((4, 3, *shape) if shape else (4, 5, 2, 2), generator=generator)
    masks = torch.rand(4, 3, 2, 2, generator=generator)
    # Crops have 3, 2, 0 and 1 labels: the processes never hold equally many.
    states = torch.tensor([[0, 1, 2], [3, -1, 4], [-1, -1, -1], [-1, 2, -1]])

    def gradient(crops: slice) -> torch.Tensor:
        inputs = predictions.clone().requires_grad_()
        loss(inputs[crops], masks[crops], states[crops]).backward()
        return inputs.grad

    whole = gradient(slice(None))
    parts = [slice(0, share), slice(share, 4)]
    counts = [int((states[part] >= 0).sum()) for part in parts]
    halves = []
    for part, other in zip(parts, reversed(counts)):
        Rank(monkeypatch, other)
        halves.append(gradient(part))
    assert whole.abs().sum() > 0
    torch.testing.assert_close((halves[0] + halves[1]) / 2, whole)
