"""Expected values are worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from tpsparse.models.losses import masked_mse, softmax_focal_loss


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
