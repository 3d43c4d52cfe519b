"""Mixed precision where mmengine has none, and learning rates for other batches than the config's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner, autocast


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Mixed precision with bfloat16, on a CPU too, where mmengine 0.10.7 refuses its own ``AmpOptimWrapper``.

    bfloat16 has float32's range, so no loss needs scaling. Weights and their updates stay float32.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared: torch.nn.Module | None = None

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        """Run the forward pass in mixed precision."""
        if self._prepared is not model:
            _give_float_scores(model)
            self._prepared = model
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield


def _give_float_scores(model: torch.nn.Module) -> None:
    """Have mmaction2's head give float32: it counts its hits in NumPy, which has no bfloat16 (mmaction2 1.2.0)."""
    head = getattr(getattr(model, "module", model), "cls_head", None)
    if isinstance(head, torch.nn.Module):
        head.register_forward_hook(lambda module, inputs, scores: scores.float())


class ScalingRunner(Runner):
    """mmengine's runner, whose scaling of the learning rate also counts accumulated batches."""

    def scale_lr(self, optim_wrapper: OptimWrapper, auto_scale_lr: dict[str, Any] | None = None) -> None:
        """Multiply every learning rate by (samples of a step) / ``base_batch_size`` (Goyal et al. 2017, section 2.1).

        A step sees the batches of all processes, ``accumulative_counts`` of them each. mmengine 0.10.7 leaves the
        last factor out.

        Args:
            optim_wrapper: Changed in place.
            auto_scale_lr: ``enable`` and ``base_batch_size``.
        """
        if not (auto_scale_lr or {}).get("enable"):
            return
        assert auto_scale_lr is not None
        loader = self._train_dataloader
        batch = loader["batch_size"] if isinstance(loader, dict) else loader.batch_size
        accumulated, base = optim_wrapper._accumulative_counts, auto_scale_lr["base_batch_size"]
        samples = batch * self.world_size * accumulated
        before = optim_wrapper.get_lr()["lr"][0]
        # Of the wrapper, not of the optimizer as upstream: with the rate that is logged where groups have their own.
        for group in optim_wrapper.param_groups:
            group["lr"] *= samples / base
        told = f"{batch} in a batch x {self.world_size} processes x {accumulated} accumulated"
        # A warning, so that it is told at every level of logging.
        self.logger.warning(
            f"learning rate {before:g}, which is for {base} samples a step, becomes {before * samples / base:g} "
            f"for {samples} ({told})"
        )
