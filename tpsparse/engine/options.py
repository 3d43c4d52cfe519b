"""How a training run may differ from its config: precision, accumulation, learning rate, batch norm, averaging.

Each option only sets a value of the config, which the run dumps into its work folder; the same values can stand in a
config file.
"""

from __future__ import annotations

from mmengine.config import Config
from mmengine.device import get_device

from ..errors import InputError
from .precision import check_precision


def set_training_options(
    cfg: Config,
    *,
    amp: bool = False,
    bf16: bool = False,
    accumulate: int | None = None,
    auto_scale_lr: bool = False,
    sync_bn: bool = False,
    ema: float | None = None,
) -> None:
    """Change a loaded training config.

    Args:
        cfg: Changed in place.
        amp: Mixed precision: float16 with loss scaling on a GPU, bfloat16 on a CPU. Sets ``train_precision``.
        bf16: Mixed precision with bfloat16 on any processor. Sets ``train_precision``.
        accumulate: Batches whose gradients are averaged for one step. Sets ``optim_wrapper.accumulative_counts``.
        auto_scale_lr: Learning rate in proportion to the frames, crops, clips or videos of a step. Sets
            ``auto_scale_lr.enable``.
        sync_bn: Statistics of batch norm over all processes. Sets ``sync_bn``.
        ema: Weight of an iteration in a moving average of the network's weights, between 0 and 1. Adds mmengine's
            ``EMAHook`` to ``custom_hooks``.

    Raises:
        InputError: If the config trains nothing, or has no ``auto_scale_lr.base_batch_size`` to scale from.
    """
    if "optim_wrapper" not in cfg:
        return  # it trains no network, which is told when it is built
    if amp:
        cfg.train_precision = "bf16" if get_device() == "cpu" else "fp16"
    if bf16:
        cfg.train_precision = "bf16"
    if accumulate is not None:
        cfg.optim_wrapper.accumulative_counts = accumulate
    if auto_scale_lr:
        cfg.auto_scale_lr = dict(cfg.get("auto_scale_lr") or {}, enable=True)
    if sync_bn:
        cfg.sync_bn = "torch"
    if ema is not None:
        kept = [hook for hook in cfg.get("custom_hooks", []) if hook["type"].rpartition(".")[2] != "EMAHook"]
        cfg.custom_hooks = [*kept, dict(type="EMAHook", momentum=ema)]


def check_training(cfg: Config, launcher: str) -> None:
    """Refuse what would fail only in the first iterations, or silently do something else.

    Args:
        cfg: A training config with its options set.
        launcher: As for :func:`tpsparse.engine.build_runner`.

    Raises:
        InputError: If the learning rate is to be scaled from an unknown batch, or the processors cannot do what the
            config asks for.
    """
    scaling = cfg.get("auto_scale_lr") or {}
    if scaling.get("enable") and not scaling.get("base_batch_size"):
        told = f"config {cfg.filename} does not say for which batch its learning rate is"
        raise InputError(f"{told}: give --cfg-options auto_scale_lr.base_batch_size=N or leave --auto-scale-lr out")
    check_precision(cfg)
    if get_device() == "cpu" and cfg.get("sync_bn") and launcher != "none":
        told = f"config {cfg.filename} asks for SyncBN (sync_bn), which torch has for GPUs only, and there is none"
        raise InputError(f"{told}: leave --sync-bn out")
