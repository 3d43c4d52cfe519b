from __future__ import annotations

import pytest
import torch
from torch import nn

from tpsparse.runtime import precision
from tpsparse.runtime.precision import exactly, usable_precision

CPU = torch.device("cpu")


@pytest.fixture
def told(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(precision, "print_log", lambda text, *args, **kwargs: lines.append(text))
    precision._warn.cache_clear()
    yield lines
    precision._warn.cache_clear()


def test_what_the_device_has(monkeypatch, told):
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: False)
    assert usable_precision("fp32", CPU) == "fp32" and not told
    assert usable_precision("bf16", CPU) == usable_precision("bf16", CPU) == "fp32"
    assert told == ["this processor computes bf16 no faster than fp32: the networks run in fp32"]
    assert usable_precision("fp16", CPU) == "fp32" and len(told) == 2
    assert usable_precision("fp16", torch.device("cuda")) == "fp16"
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: True)
    assert usable_precision("bf16", CPU) == "bf16" and usable_precision("fp16", CPU) == "fp32"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(dict(avx512_bf16=True), True), (dict(amx_bf16=True), True), (dict(avx2=True, avx512_bf16=False), False)],
)
def test_what_the_processor_says(monkeypatch, flags, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda: False, raising=False)
    precision._multiplies_bf16.cache_clear()
    assert precision._multiplies_bf16() is expected
    precision._multiplies_bf16.cache_clear()


def test_exactly():
    layer = nn.Linear(2, 2)
    call = exactly(lambda pair, *, name: (layer(pair[0]), name), CPU)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16
        found, name = call((torch.ones(1, 2, dtype=torch.bfloat16),), name="x")
    assert found.dtype == torch.float32 and name == "x"
    assert torch.equal(found, layer(torch.ones(1, 2)))


def test_last_layers_and_weights():
    network = nn.Module()
    network.body, network.fc_cls = nn.Linear(2, 2), nn.Linear(2, 2)
    network.norm, network.attention = nn.LayerNorm(2), nn.MultiheadAttention(2, 1)
    precision._lower_weights(network, torch.bfloat16, CPU)
    dtypes = {name: weight.dtype for name, weight in network.named_parameters()}
    kept = {name for name, dtype in dtypes.items() if dtype == torch.float32}
    assert kept == {"fc_cls.weight", "fc_cls.bias", "norm.weight", "norm.bias"}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network.body(torch.ones(1, 2)).dtype == torch.bfloat16
        assert network.fc_cls(torch.ones(1, 2, dtype=torch.bfloat16)).dtype == torch.float32
