"""Equations 3 to 5 against plain double loops. T frames, M patterns."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from tpsparse.models.temporal_parsing import local_loss as module
from tpsparse.models.temporal_parsing.local_loss import LEAST_DISTANCE, local_loss, pair_distances, pair_sums


def responses_of(length, patterns=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(length, patterns, generator=generator, dtype=torch.float64).softmax(dim=1)


def looped(responses, boundaries):
    """Mean distances in sub-actions and across, pair by pair, from the differences themselves."""
    ids = [sum(frame >= boundary for boundary in boundaries) for frame in range(len(responses))]
    sums, counts = [0.0, 0.0], [0, 0]
    for one, other in itertools.combinations(range(len(responses)), 2):
        across = ids[one] != ids[other]
        difference = responses[one] - responses[other]
        if difference.abs().max() > 0:  # a distance of 0 has no slope
            sums[across] = sums[across] + difference.square().sum().sqrt()
        counts[across] += 1
    return [torch.as_tensor(total / max(count, 1), dtype=torch.float64) for total, count in zip(sums, counts)]


def test_by_hand():
    # Distances: 0-1 5, 0-2 3, 0-3 5, 1-2 4, 1-3 0, 2-3 4; sub-actions {0, 1} and {2, 3}.
    responses = torch.tensor([[0.0, 0], [3, 4], [3, 0], [3, 4]], requires_grad=True)
    similar, dissimilar = pair_distances(responses, [2])
    assert similar.item() == pytest.approx((5 + 4) / 2)
    assert dissimilar.item() == pytest.approx((3 + 5 + 4 + 0) / 4)
    loss = local_loss(responses, torch.tensor([2]), 0.5)
    assert loss.item() == pytest.approx((4.5 + 0.5) / 3)
    dissimilar.backward()
    # Frame 1: away from frame 2 by (0, 1), and nothing from its equal, frame 3; each a fourth.
    torch.testing.assert_close(responses.grad[1], torch.tensor([0.0, 0.25]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("length", "boundaries"),
    [
        (2, [1]),  # the least that has a dissimilar pair, and no similar one
        (5, [1, 2, 3, 4]),  # every sub-action of one frame
        (7, [1]),
        (7, [6]),
        (23, [4, 5, 17]),
    ],
)
@pytest.mark.parametrize("cells", [1, 30, 1 << 18])
def test_a_double_loop_agrees(monkeypatch, length, boundaries, cells):
    monkeypatch.setitem(pair_sums.__kwdefaults__, "cells", cells)
    responses = responses_of(length).requires_grad_()
    expected = responses.detach().clone().requires_grad_()
    similar, dissimilar = looped(expected, boundaries)
    for found, wanted in zip(pair_distances(responses, boundaries), (similar, dissimilar)):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    ((similar + 0.3) / dissimilar).backward()
    local_loss(responses, torch.tensor(boundaries), 0.3).backward()
    torch.testing.assert_close(responses.grad, expected.grad, rtol=1e-9, atol=1e-12)


def test_gradcheck():
    responses = responses_of(9, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: pair_distances(each, [2, 3, 7]), (responses,))
    assert torch.autograd.gradcheck(lambda each: local_loss(each, [2, 3, 7], 0.5), (responses,))


@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-6])
def test_nearly_equal_responses_in_single_precision(spread):
    # |a|^2 + |b|^2 - 2ab in single precision would give distances below 3e-4 as noise.
    noise = torch.randn(40, 6, generator=torch.Generator().manual_seed(1)) * spread
    responses = (torch.tensor([0.7, 0.1, 0.1, 0.05, 0.05, 0.0]) + noise).requires_grad_()
    expected = responses.detach().double().requires_grad_()
    found, wanted = pair_distances(responses, [11, 30]), looped(expected, [11, 30])
    for one, other in zip(found, wanted):
        assert one.dtype == torch.float32 and one.item() == pytest.approx(other.item(), rel=1e-6)
    (found[0] / found[1]).backward()
    (wanted[0] / wanted[1]).backward()
    torch.testing.assert_close(responses.grad.double(), expected.grad, rtol=1e-4, atol=1e-5 * expected.grad.abs().max())


def test_two_kinds_of_equal_frames():
    # A still video: within a sub-action some distances are 0, and the others are sqrt(2).
    responses = torch.eye(2)[torch.tensor([0, 0, 1, 1, 1])].requires_grad_()
    similar, dissimilar = pair_distances(responses, [3])
    assert similar.item() == pytest.approx(2 * math.sqrt(2) / 4) and dissimilar.item() == pytest.approx(4 / 6 * 2**0.5)
    similar.backward()
    slope = math.sqrt(0.5) / 4
    expected = torch.tensor([[slope, -slope], [slope, -slope], [-2 * slope, 2 * slope], [0, 0], [0, 0]])
    torch.testing.assert_close(responses.grad, expected, atol=1e-6, rtol=0)


def test_equal_responses_have_a_finite_loss_and_no_slope():
    responses = torch.full((6, 4), 0.25, requires_grad=True)
    loss = local_loss(responses, [3], 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(0.5 / LEAST_DISTANCE) and responses.grad.eq(0).all()


@pytest.mark.parametrize("length", [1, 6])
def test_without_a_boundary_there_is_no_loss(length):
    responses = responses_of(length).requires_grad_()
    loss = local_loss(responses, torch.zeros(0, dtype=torch.int64), 0.5)
    loss.backward()
    assert loss.item() == 0 and responses.grad.eq(0).all()
    similar, dissimilar = pair_distances(responses, [])
    assert dissimilar.item() == 0 and (similar.item() > 0) == (length > 1)


def test_sub_actions_of_one_frame_have_no_similar_pair():
    similar, dissimilar = pair_distances(responses_of(4), [1, 2, 3])
    assert similar.item() == 0 and dissimilar.item() > 0


@pytest.mark.parametrize("boundaries", [[0], [6], [7], [3, 3], [4, 2], [-1]])
def test_wrong_boundaries(boundaries):
    with pytest.raises(ValueError, match="of 6 frames are out of order or outside"):
        local_loss(responses_of(6), boundaries, 0.5)


def test_half_precision_is_computed_in_double():
    responses = responses_of(12).half().requires_grad_()
    similar, _ = pair_distances(responses, [5])
    similar.backward()
    assert similar.dtype == torch.float32 and responses.grad.dtype == torch.float16
    assert similar.item() == pytest.approx(looped(responses.detach().double(), [5])[0].item(), rel=1e-6)


def test_a_block_is_all_that_is_held(monkeypatch):
    held, product = [], torch.addmm

    def noting(*args, **kwargs):
        block = product(*args, **kwargs)
        held.append(block.numel())
        return block

    monkeypatch.setattr(module.torch, "addmm", noting)
    pair_sums(responses_of(500, 3), [0, 100, 500], cells=2000)
    # 4 rows of 500 frames at a time, then 5 rows of 400.
    assert set(held) == {2000} and len(held) == 100 / 4 + 400 / 5
