"""Calls of networks, kept and repeated."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn


class Adding(nn.Module):
    """Tells the sum of its inputs and counts its calls; writes into its samples, as the packages' networks do."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, inputs, data_samples, mode):
        assert mode == "predict" and not data_samples[0]
        data_samples[0]["result"] = True
        self.seen.append(float(inputs.sum()))
        return self.seen[-1]


class Pointing(Adding):
    def predict_keypoints(self, inputs, data_samples):
        self.seen.append(-float(inputs.sum()))
        return self.seen[-1]


@pytest.fixture
def passes(benchmark):
    networks = {"a": SimpleNamespace(model=Adding()), "b": SimpleNamespace(model=Pointing())}
    return benchmark("pipeline_limit").ForwardPasses(networks), networks


def test_calls_are_repeated_as_they_were(passes):
    passes, networks = passes
    a, b = (network.model for network in networks.values())
    inputs = torch.ones(2, 3)

    def run():
        for value in (1.0, 2.0):
            inputs.fill_(value)  # the same memory for each batch
            a(inputs, [{}], mode="predict")
        b.predict_keypoints(inputs=inputs, data_samples=[{}])
        return "done"

    assert passes.record(run) == "done"
    inputs.fill_(7.0)
    assert set(passes.run()) == {"a", "b"}
    assert a.seen == [6.0, 12.0] * 2 and b.seen == [-12.0] * 2
    assert a(inputs, [{}], mode="predict") == 42.0
    assert len(passes.calls["a"]) == 2, "a call after the run is kept"
    assert "forward" not in vars(a) and "predict_keypoints" not in vars(b)


def test_another_method_in_place_stays(passes):
    passes, networks = passes
    model = networks["a"].model
    own = model.forward
    model.forward = lambda inputs, data_samples, mode: 2 * own(inputs, data_samples, mode)
    put = model.forward
    inputs = torch.ones(1)

    def run():
        networks["b"].model(inputs, [{}], mode="predict")
        return model(inputs, [{}], mode="predict")

    assert passes.record(run) == 2.0 and model.forward is put


def test_a_network_that_is_not_called(passes):
    passes, networks = passes
    with pytest.raises(RuntimeError, match="b was not called by forward or predict_keypoints"):
        passes.record(lambda: networks["a"].model(torch.ones(1), [{}], mode="predict"))
