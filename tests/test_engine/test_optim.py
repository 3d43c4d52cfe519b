from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from tpsparse.engine import ScalingRunner, SeededSampler
from tpsparse.engine.optim import end_workers
from tpsparse.engine.parcels import Parcels


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


class Counted(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, key):
        return dict(inputs=torch.tensor(key.item), seed=key.seed)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_loader_with_and_without_workers(workers):
    """One value is enough to change their number, and the batches are the same."""
    loader = dict(
        dataset=Counted(),
        batch_size=4,
        num_workers=workers,
        persistent_workers=True,
        prefetch_factor=3,
        sampler=dict(type="tpsparse.SeededSampler"),
    )
    built = ScalingRunner.build_dataloader(loader, seed=0)
    assert built.num_workers == workers and built.persistent_workers == (workers > 0)
    epochs = [[(int(item), seed) for batch in built for item, seed in zip(batch["inputs"], batch["seed"])]] * 2
    keys = list(SeededSampler(range(6), seed=0))
    assert epochs == [[(key.item, key.seed) for key in keys]] * 2
    assert "persistent_workers" in loader  # the config stays as it is
    assert isinstance(built.collate_fn, Parcels) == bool(workers)
    started = list(built._iterator._workers) if workers else []
    end_workers(built)
    assert len(started) == workers and not any(worker.is_alive() for worker in started)
    assert [int(item) for batch in built for item in batch["inputs"]] == [key.item for key in keys]
    end_workers(built)
