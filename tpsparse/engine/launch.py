"""From a config to a runner, on one process or many, on GPUs or CPUs."""

from __future__ import annotations

import logging
import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..errors import InputError
from ..registry import MODEL_WRAPPERS

LAUNCHERS = ("none", "pytorch", "slurm")
OLD_NEWS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class",
)


def build_runner(cfg: Config, launcher: str = "none") -> Runner:
    """An mmengine runner for a loaded config.

    Args:
        cfg: From :func:`tpsparse.engine.load_config`.
        launcher: ``none``, ``pytorch`` (torchrun) or ``slurm``.
    """
    cfg.launcher = launcher
    fix_threads(cfg)
    if launcher != "none" and not torch.cuda.is_available():
        _start_cpu_processes(cfg, launcher)
    runner = Runner.from_cfg(cfg)
    runner.logger.addFilter(_is_news)
    return runner


def fix_threads(cfg: Config) -> None:
    """Use as many threads in an operator as ``num_threads`` of the config says, if it says so.

    Sums are split among threads, so their last digit, and with it a rounded box, depends on how many there are.
    """
    if cfg.get("num_threads"):
        torch.set_num_threads(cfg.num_threads)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a message is more than mmengine's hooks complaining of mmengine's own older parts in every run."""
    return not any(text in record.getMessage() for text in OLD_NEWS)


def _start_cpu_processes(cfg: Config, launcher: str) -> None:
    """Join a gloo group and keep GPU numbers away from DistributedDataParallel.

    mmengine 0.10.7 calls ``torch.cuda.set_device`` when it starts a group itself, and hands
    ``device_ids=[LOCAL_RANK]`` to the wrapper when the config names none.
    """
    if not torch.distributed.is_initialized():
        if launcher == "slurm":
            _take_over_slurm()
        _check_group()
        torch.distributed.init_process_group(backend="gloo")
    wrapper: dict[str, Any] = dict(type="MMDistributedDataParallel", device_ids=None, broadcast_buffers=False)
    # A system needs no gradients and stands for its own wrapper; mmengine refuses to be told of another one.
    if MODEL_WRAPPERS.get(cfg.model.type) is None:
        cfg.setdefault("model_wrapper_cfg", wrapper)


def _check_group() -> None:
    missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise InputError(f"launcher pytorch needs {', '.join(missing)}: start with tools/dist_train.sh or torchrun")


def _take_over_slurm() -> None:
    """Name this process as torch expects; ``tools/slurm_*.sh`` export MASTER_ADDR and MASTER_PORT."""
    names = {"RANK": "SLURM_PROCID", "WORLD_SIZE": "SLURM_NTASKS", "LOCAL_RANK": "SLURM_LOCALID"}
    missing = [slurm for slurm in names.values() if slurm not in os.environ]
    if missing:
        raise InputError(f"launcher slurm needs {', '.join(missing)}: start with tools/slurm_train.sh or srun")
    os.environ.update({name: os.environ[slurm] for name, slurm in names.items()})
