"""Mixed precision: bfloat16 on any processor, float16 on GPUs; weights, gradients, updates and losses stay float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import autocast
from torch import Tensor, nn
from torch.optim import Optimizer

from ..errors import InputError

WRAPPER = "MixedPrecisionOptimWrapper"
PRECISIONS = {"fp32": None, "bf16": "bfloat16", "fp16": "float16"}
"""What ``train_precision`` of a config may be, and the type that the forward pass then has."""


def set_precision(cfg: Config) -> None:
    """Have a training config follow its ``train_precision``, if it has one.

    ``train_precision="bf16"`` sets ``optim_wrapper.type`` and ``optim_wrapper.dtype``; ``fp32`` undoes both. It stands
    at the top of a config, so one option of a system or a study reaches each of its networks. A config without
    gradients to learn by is left as it is.

    Args:
        cfg: A loaded training config, changed in place.

    Raises:
        InputError: If it is no known precision, or cannot be had on this processor.
    """
    precision, wrapper = cfg.get("train_precision"), cfg.get("optim_wrapper")
    if precision is not None and precision not in PRECISIONS:
        told = f"config {cfg.filename} has train_precision {precision!r}"
        raise InputError(f"{told}: use {', '.join(PRECISIONS)}")
    if precision is None or not wrapper:
        return
    dtype = PRECISIONS[precision]
    wrapper.pop("dtype", None)
    wrapper.type = "OptimWrapper" if dtype is None else WRAPPER
    if dtype is not None:
        wrapper.dtype = dtype


def check_precision(cfg: Config) -> None:
    """Refuse float16 without a GPU.

    Raises:
        InputError: If the config asks for it.
    """
    wrapper = cfg.get("optim_wrapper") or {}
    upstream = wrapper.get("type") == "AmpOptimWrapper"
    if get_device() == "cpu" and (upstream or wrapper.get("dtype") == "float16"):
        asked = "AmpOptimWrapper" if upstream else "float16"
        told = f"config {cfg.filename} asks for {asked}, which needs a GPU, and there is none"
        raise InputError(f"{told}: use --bf16, which trains in bfloat16 on a CPU too")


# The second name is that of version 0.6, which configs of users and dumped ones have.
@OPTIM_WRAPPERS.register_module(name=[WRAPPER, "BFloat16OptimWrapper"])
class MixedPrecisionOptimWrapper(AmpOptimWrapper):
    """Forward passes in bfloat16, on a CPU too, where mmengine 0.10.7 refuses its own ``AmpOptimWrapper``; or float16.

    torch's autocast chooses by operator: matrix products and convolutions are computed in half precision, what sums up
    or divides is not. bfloat16 has float32's range, so that no loss needs scaling; float16 has not, and the loss is
    scaled as upstream does it. Losses are computed in float32, see :func:`keep_losses_wide`. Weights, gradients,
    the optimizer's state and checkpoints are float32, so that a training goes on in either precision.

    Args:
        optimizer: Of the float32 weights.
        dtype: ``bfloat16``, or ``float16``, on a GPU alone.
        loss_scale: As upstream, for float16.
        kwargs: Of mmengine's ``OptimWrapper``.

    Raises:
        InputError: If the type is another, or float16 where there is no GPU.
    """

    def __init__(
        self, optimizer: Optimizer, *, dtype: str = "bfloat16", loss_scale: Any = "dynamic", **kwargs: Any
    ) -> None:
        if dtype not in ("bfloat16", "float16"):
            raise InputError(f"optim_wrapper.dtype is {dtype!r}: use bfloat16, or float16 on a GPU")
        if dtype == "float16":
            if get_device() == "cpu":
                raise InputError("optim_wrapper.dtype is 'float16', which needs a GPU, and there is none: use bfloat16")
            super().__init__(loss_scale, dtype, optimizer=optimizer, **kwargs)
        else:
            OptimWrapper.__init__(self, optimizer, **kwargs)
            self._scale_update_param = None
            # Upstream's methods serve both: a scaler that is switched off passes everything on.
            self.loss_scaler = torch.amp.GradScaler(enabled=False)
        self.cast_dtype = getattr(torch, dtype)
        self._prepared: nn.Module | None = None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in mixed precision."""
        if self._prepared is not model:
            keep_losses_wide(model)
            self._prepared = model
        with OptimWrapper.optim_context(self, model), autocast(dtype=self.cast_dtype):
            yield

    def state_dict(self) -> dict:
        """As upstream, without the state of a scaler that is switched off, which another precision could not load."""
        state = super().state_dict()
        return state if self.loss_scaler.is_enabled() else {k: v for k, v in state.items() if k != "loss_scaler"}

    def load_state_dict(self, state_dict: dict) -> None:
        """As upstream; the state of a scaler is for float16 alone."""
        if not self.loss_scaler.is_enabled():
            state_dict.pop("loss_scaler", None)
        super().load_state_dict(state_dict)


def keep_losses_wide(model: nn.Module) -> None:
    """Have every loss of a network be given float32, and the heads of recognizers and pose networks give it.

    Some of mmdet's losses (focal, IoU) are written out in the type that they are given: a sum over thousands of anchors
    would be rounded to three digits. The heads of mmaction2 1.2.0 and of mmpose 1.3.2 count their hits in NumPy, which
    has no bfloat16; mmpose's calls its own ``forward`` past any hook, so that it is its last layer that gives float32.
    The losses of this package widen what they are given themselves.

    Args:
        model: Gets hooks; a second call adds none.
    """
    network = getattr(model, "module", model)
    for module in network.modules():
        if type(module).__name__.endswith("Loss") and not _has(module._forward_pre_hooks, _widen_inputs):
            module.register_forward_pre_hook(_widen_inputs, with_kwargs=True)
    last = getattr(network, "cls_head", None), getattr(getattr(network, "head", None), "final_layer", None)
    for module in last:
        if isinstance(module, nn.Module) and not _has(module._forward_hooks, _widen_output):
            module.register_forward_hook(_widen_output)


def _has(hooks: dict[int, Any], hook: Any) -> bool:
    return any(each is hook for each in hooks.values())


def _widen_inputs(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    return tuple(_wide(value) for value in args), {name: _wide(value) for name, value in kwargs.items()}


def _widen_output(module: nn.Module, args: tuple, output: Any) -> Any:
    return _wide(output)


def _wide(value: Any) -> Any:
    """A tensor of half precision as float32; anything else as it is."""
    half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if half else value
