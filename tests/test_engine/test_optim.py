from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from tpsparse.engine import BFloat16OptimWrapper, ScalingRunner


def scaled(caplog, *, base=16, batch=2, processes=1, accumulated=1, rates=(0.1, 0.01), enable=True) -> list[float]:
    groups = [dict(params=[nn.Parameter(torch.zeros(1))], lr=lr) for lr in rates]
    wrapper = OptimWrapper(torch.optim.SGD(groups, lr=0.1), accumulative_counts=accumulated)
    runner = SimpleNamespace(
        _train_dataloader=dict(batch_size=batch), world_size=processes, logger=logging.getLogger("tests.optim")
    )
    ScalingRunner.scale_lr(runner, wrapper, dict(enable=enable, base_batch_size=base))
    assert wrapper.get_lr()["lr"][0] == wrapper.optimizer.param_groups[0]["lr"]  # what is logged is what is used
    return [group["lr"] for group in wrapper.optimizer.param_groups]


@pytest.mark.parametrize(
    ("sizes", "factor"),
    [
        (dict(batch=2, processes=8), 1),
        (dict(batch=2, processes=4), 0.5),
        (dict(batch=2, processes=4, accumulated=2), 1),
        (dict(batch=1, processes=1), 1 / 16),
        (dict(batch=4, processes=8, accumulated=4), 8),
    ],
)
def test_rate_is_in_proportion_to_the_samples_of_a_step(caplog, sizes, factor):
    assert scaled(caplog, **sizes) == pytest.approx([0.1 * factor, 0.01 * factor])
    [told] = caplog.messages
    assert "learning rate 0.1, which is for 16 samples a step, becomes " in told
    assert f"becomes {0.1 * factor:g} for {round(16 * factor)} (" in told


def test_not_asked_for(caplog):
    assert scaled(caplog, enable=False) == [0.1, 0.01] and caplog.messages == []
    assert ScalingRunner.scale_lr(SimpleNamespace(), None, None) is None


def test_loader_that_is_built_already(caplog):
    runner = SimpleNamespace(
        _train_dataloader=torch.utils.data.DataLoader([1, 2, 3, 4], batch_size=4),
        world_size=2,
        logger=logging.getLogger("tests.optim"),
    )
    wrapper = OptimWrapper(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0))
    ScalingRunner.scale_lr(runner, wrapper, dict(enable=True, base_batch_size=16))
    assert wrapper.param_groups[0]["lr"] == 0.5


class TestBFloat16:
    def test_forward_is_in_half_precision_and_weights_are_not(self):
        torch.manual_seed(0)
        model = nn.Linear(3, 1)
        wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.5))
        inputs = torch.randn(4, 3)
        with wrapper.optim_context(model):
            output = model(inputs)
        assert output.dtype == torch.bfloat16
        torch.testing.assert_close(output.float(), model(inputs), atol=0.02, rtol=0.02)
        before = model.weight.clone()
        wrapper.update_params(output.float().sum())
        assert model.weight.dtype == torch.float32
        torch.testing.assert_close(model.weight, before - 0.5 * inputs.sum(0), atol=0.05, rtol=0)

    def test_scores_of_a_recognizer_are_floats_that_numpy_has(self):
        class Recognizer(nn.Module):
            def __init__(self):
                super().__init__()
                self.cls_head = nn.Linear(3, 2)

        model = Recognizer()
        wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
        for _ in range(2):
            with wrapper.optim_context(model):
                assert model.cls_head(torch.ones(1, 3)).detach().numpy().dtype == "float32"
        assert len(model.cls_head._forward_hooks) == 1  # the second iteration adds none
