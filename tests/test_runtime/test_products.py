from __future__ import annotations

import mmcv.cnn
import pytest
import torch
from torch import nn
from torch.nn import functional

from tpsparse.runtime import products
from tpsparse.runtime.products import attend_at_once, linear, multiply_by_onednn

CPU = torch.device("cpu")


@pytest.fixture
def calls(monkeypatch):
    """Shapes of the inputs that oneDNN is given."""
    seen, own = [], products.linear

    def counted(input, *rest, **named):
        seen.append(tuple(input.shape))
        return own(input, *rest, **named)

    monkeypatch.setattr(products, "linear", counted)
    return seen


@torch.no_grad()
def test_by_hand():
    inputs, weights, shifts = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]]), torch.tensor([1.0, 0])
    assert linear(inputs, weights, shifts).tolist() == [[12.0, 17.0]]
    assert linear(inputs, weight=weights).tolist() == [[11.0, 17.0]]


@pytest.mark.parametrize("shape", [(5,), (7, 5), (2, 3, 5), (0, 5), (2, 0, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_functional_linear(shape, bias):
    torch.manual_seed(0)
    layer = nn.Linear(5, 4, bias=bias)
    inputs = torch.randn(shape)
    with torch.inference_mode():
        torch.testing.assert_close(linear(inputs, layer.weight, layer.bias), layer(inputs))
        turned = torch.randn(5, 6).t()  # not contiguous
        torch.testing.assert_close(linear(turned, layer.weight, layer.bias), layer(turned))


def test_other_dtypes_go_the_ordinary_way(monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", None)
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    assert torch.equal(linear(half, half), functional.linear(half, half))
    double = half.double()
    assert torch.equal(linear(double, double), functional.linear(double, double))


def test_layers_and_attention(calls):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), mmcv.cnn.Linear(8, 8)).eval()
    attention = nn.MultiheadAttention(8, 2).eval()
    inputs = torch.randn(4, 3, 8)
    with torch.no_grad():
        expected = layers(inputs), attention(inputs, inputs, inputs)[0]
        assert multiply_by_onednn(layers, CPU) and multiply_by_onednn(attention, CPU)
        torch.testing.assert_close(layers(inputs), expected[0])
        assert calls == [(4, 3, 8), (4, 3, 8)]
        torch.testing.assert_close(attention(inputs, inputs, inputs)[0], expected[1])
        assert calls[2:] == [(4, 3, 8), (4, 3, 8)]  # into queries, keys and values, and out


def test_gradients_go_the_ordinary_way():
    layer = nn.Linear(2, 2)
    assert multiply_by_onednn(layer, CPU)
    layer(torch.ones(1, 2)).sum().backward()
    assert layer.weight.grad is not None


def test_where_it_is_not_known(monkeypatch):
    layer = nn.Linear(2, 2)
    assert not multiply_by_onednn(layer, torch.device("cuda"))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not multiply_by_onednn(layer, CPU) and "forward" not in vars(layer)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_attention(batch_first, bias):
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(12, 3, bias=bias, batch_first=batch_first).eval()
    inputs = torch.randn(4, 5, 12)
    with torch.no_grad():
        expected, weights = layer(inputs, inputs, inputs)
        attend_at_once(layer)
        found, nothing = layer(inputs, inputs, inputs, need_weights=False)
        torch.testing.assert_close(found, expected)
        assert nothing is None and weights is not None
        assert layer(inputs, inputs, inputs)[1] is None


def test_attention_that_is_not_plain():
    torch.manual_seed(0)
    layer, inputs, others = nn.MultiheadAttention(8, 2).eval(), torch.randn(4, 3, 8), torch.randn(6, 3, 8)
    mask = torch.tensor([[False, True, False, False]] * 3)
    cases = [((inputs, others, others), {}), ((inputs,) * 3, dict(key_padding_mask=mask)), ((inputs[:, 0],) * 3, {})]
    with torch.no_grad():
        expected = [layer(*args, **options) for args, options in cases]
        attend_at_once(layer)
        for (args, options), (output, weights) in zip(cases, expected):
            found = layer(*args, **options)
            torch.testing.assert_close(found[0], output)
            torch.testing.assert_close(found[1], weights)
    for strange in (
        nn.MultiheadAttention(8, 2, kdim=4).eval(),
        nn.MultiheadAttention(8, 2, add_zero_attn=True).eval(),
        nn.MultiheadAttention(8, 2, add_bias_kv=True).eval(),
        nn.MultiheadAttention(8, 2),  # in training, with its dropout
    ):
        attend_at_once(strange)
        assert "forward" not in vars(strange)
