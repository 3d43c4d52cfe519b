"""Equations 1 and 2 by hand and frame by frame. T frames, D channels, M patterns."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from tpsparse.models.temporal_parsing import SPSUnit


def test_by_hand():
    """One head, two channels, two patterns: projections, scale and FFN are numbers that can be followed."""
    unit = SPSUnit(2, num_patterns=2, num_heads=1, scaled=False, ffn_channels=2, residual=False, norm=False)
    eye = torch.eye(2)
    with torch.no_grad():
        unit.patterns.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        for layer in (unit.query, unit.key, unit.fc, unit.ffn[0]):
            layer.weight.copy_(eye)
        unit.value.weight.copy_(4 * eye)
        unit.ffn[2].weight.copy_(-eye)
        for layer in (unit.fc, unit.ffn[0], unit.ffn[2]):
            layer.bias.zero_()
    # Dot products log 3 and 0: responses 3/4 and 1/4, r = (3, 1); FFN(f + r) = -relu(f + r).
    refined, responses = unit(torch.tensor([[math.log(3.0), 0.0], [0.0, -9.0]]))
    torch.testing.assert_close(responses[0], torch.tensor([0.75, 0.25]))
    torch.testing.assert_close(refined[0], torch.tensor([-math.log(3.0) - 3, -1.0]))
    # Dot products 0 and -9: the second channel, -9 + 4 / (1 + e^9), is cut by the ReLU.
    assert refined[1, 1].item() == 0 and responses[1].sum().item() == pytest.approx(1)


def test_two_heads_one_by_one():
    torch.manual_seed(0)
    unit = SPSUnit(8, num_patterns=5, pattern_channels=3, ffn_channels=6)
    frames = torch.randn(4, 8)
    residues, attention = [], []
    for head in range(2):
        rows = slice(4 * head, 4 * head + 4)
        query, key = frames @ unit.query.weight[rows].T, unit.patterns @ unit.key.weight[rows].T
        attention.append((query @ key.T / math.sqrt(4)).softmax(dim=1))
        residues.append(attention[-1] @ (unit.patterns @ unit.value.weight[rows].T))
    strengthened = functional.layer_norm(frames + unit.fc(torch.cat(residues, dim=1)), (8,))
    hidden = (strengthened @ unit.ffn[0].weight.T + unit.ffn[0].bias).relu()
    expected = functional.layer_norm(strengthened + hidden @ unit.ffn[2].weight.T + unit.ffn[2].bias, (8,))
    refined, responses = unit(frames)
    torch.testing.assert_close(refined, expected)
    torch.testing.assert_close(responses, (attention[0] + attention[1]) / 2)
    torch.testing.assert_close(responses.sum(dim=1), torch.ones(4))


def test_frames_do_not_know_each_other():
    unit, frames = SPSUnit(8, num_patterns=3), torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    refined, responses = unit(frames)
    again = unit(frames[2:3])
    torch.testing.assert_close(again[0], refined[2:3])
    torch.testing.assert_close(again[1], responses[2:3])


def test_every_weight_learns_from_what_the_losses_use():
    torch.manual_seed(0)
    unit = SPSUnit(8, num_patterns=3)
    refined, responses = unit(torch.randn(5, 8))
    weights = torch.randn(8)  # a layer norm's own sum is constant
    ((refined @ weights).sum() + (responses[:, 0] ** 2).sum()).backward()
    assert all(each.grad is not None and each.grad.abs().max() > 0 for each in unit.parameters())


def test_the_scale_keeps_the_softmax_open_at_full_size():
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(50, 1024, generator=generator)
    torch.manual_seed(0)
    peaks = {}
    for scaled in (True, False):
        unit = SPSUnit(1024, scaled=scaled, num_heads=1)
        with torch.no_grad():
            peaks[scaled] = unit(frames)[1].amax(dim=1).mean().item()
    # Of 20 patterns: about evenly, or one with nearly all.
    assert peaks[True] < 0.2 and peaks[False] > 0.7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(dict(channels=9), "9 channels cannot be shared evenly by 2"), (dict(num_patterns=1), "at least 2 patterns")],
)
def test_sizes_that_do_not_fit(arguments, told):
    with pytest.raises(ValueError, match=told):
        SPSUnit(**{"channels": 8, **arguments})
