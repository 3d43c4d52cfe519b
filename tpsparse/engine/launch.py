"""From a config to a runner, on one process or many, on GPUs or CPUs."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import InputError
from ..registry import MODEL_WRAPPERS
from ..structures.folder_lock import folder_lock
from .optim import ScalingRunner

LAUNCHERS = ("none", "pytorch", "slurm")
RANKS = {"pytorch": "RANK", "slurm": "SLURM_PROCID"}
"""Where a launcher says which process this one is."""
OLD_NEWS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class",
)
LOG_FILE_TOLD = "TPSPARSE_LOG_TOLD"
"""Names the file in which ``tools/launch.sh`` wants to be told where the log of the run is."""
LOST_PEER = 75
"""Exit status of a process that ends because another one of its job has ended."""
BROKEN_CONNECTION = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe")


class LostPeerError(RuntimeError):
    """Another process of the job has ended, so that this one cannot go on."""


def build_runner(cfg: Config, launcher: str = "none") -> Runner:
    """An mmengine runner for a loaded config.

    Args:
        cfg: From :func:`tpsparse.engine.load_config`.
        launcher: ``none``, ``pytorch`` (torchrun) or ``slurm``.
    """
    cfg.launcher = launcher
    fix_threads(cfg)
    # mmengine and this module pass it to DistributedDataParallel. What torch 2.13 names in its place is unknown to the
    # older versions that are supported, and synchronises the buffers at the start, which this does not.
    warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated", category=FutureWarning)
    if launcher != "none" and not torch.cuda.is_available():
        _start_cpu_processes(cfg, launcher)
    runner = ScalingRunner.from_cfg(cfg)
    runner.logger.addFilter(_is_news)
    if os.environ.get(LOG_FILE_TOLD) and os.environ.get("LOCAL_RANK", "0") == "0":
        Path(os.environ[LOG_FILE_TOLD]).write_text(str(Path(runner.log_dir) / f"{runner.timestamp}.log"))
    return runner


def is_first_process(launcher: str) -> bool:
    """Whether this is the process of a run that writes, which is known before the processes have met."""
    return os.environ.get(RANKS.get(launcher, ""), "0") == "0"


@contextmanager
def own_folder(
    folder: str | Path, launcher: str = "none", *, remedy: str = "give another --work-dir"
) -> Iterator[None]:
    """Keep other runs out of the folder that a run writes to; of several processes the first does so for all.

    Raises:
        InputError: As :func:`folder_lock`. The other processes of a run then wait until the launcher ends them.
    """
    if not is_first_process(launcher):
        yield
        return
    with folder_lock(folder, remedy=remedy):
        yield


def fix_threads(cfg: Config) -> None:
    """Use as many threads in an operator as ``num_threads`` of the config says, if it says so.

    Sums are split among threads, so their last digit, and with it a rounded box, depends on how many there are.
    """
    if cfg.get("num_threads"):
        torch.set_num_threads(cfg.num_threads)


@contextmanager
def noticing_lost_peers() -> Iterator[None]:
    """Tell a lost connection to another process from every other error.

    Raises:
        LostPeerError: In place of what gloo or NCCL raise when the process at the other end is gone.
    """
    try:
        yield
    except RuntimeError as error:
        told = str(error).lower()
        if torch.distributed.is_initialized() and any(sign in told for sign in BROKEN_CONNECTION):
            raise LostPeerError(str(error).strip().splitlines()[0]) from error
        raise


def end_after_lost_peer(error: LostPeerError) -> NoReturn:
    """End this process at once: to leave the group in order it would wait for the process that is gone.

    ``tools/launch.sh`` tells once for all processes what has happened; without it the first of them does.
    """
    if not os.environ.get(LOG_FILE_TOLD) and os.environ.get("RANK", "0") == "0":
        told = "another process of this job has ended, see its own message: start again with --resume"
        print(f"error: {told} [{error}]", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(LOST_PEER)


def check_sync_bn(model: torch.nn.Module, config: str) -> None:
    """Refuse to synchronise batch norm where none is trained: it would cost time and change nothing.

    Args:
        model: As it will be trained; it is put into training mode.
        config: Its config, for the message.

    Raises:
        InputError: If no batch norm takes statistics of its batch in training.
    """
    model.train()
    if not any(isinstance(module, _BatchNorm) and module.training for module in model.modules()):
        raise InputError(f"config {config} trains no batch norm, so SyncBN changes nothing: leave --sync-bn out")


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
        seconds = cfg.get("env_cfg", {}).get("dist_cfg", {}).get("timeout")
        limit: dict[str, Any] = {} if seconds is None else {"timeout": timedelta(seconds=seconds)}
        torch.distributed.init_process_group(backend="gloo", **limit)
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
