"""Networks trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor
from torch.nn import Module

from ..engine import build_runner, set_precision
from ..engine.launch import check_sync_bn, is_first_process, noticing_lost_peers, own_folder
from ..engine.options import check_training
from ..errors import InputError
from ..parsing.network import (
    find_checkpoint,
    read_checkpoint,
)
from ..structures.files import full_disk_told, remove_partials
from .building import building, check_features, is_system, load_into, network_of
from .testing import find_segments

BACKBONE = "backbone."


def train(cfg: Config, *, launcher: str = "none", resume: bool = False) -> Runner:
    """Train one network.

    Args:
        cfg: A loaded training config.
        launcher: ``none``, ``pytorch`` or ``slurm``.
        resume: Go on from the last checkpoint in the work folder, if there is one.

    A config may name another one in ``start_from``: training then starts from the backbone of that network, whose last
    checkpoint is looked for in the folder beside the work folder, or is ``start_from_checkpoint``. Its
    ``train_precision`` (``fp32``, ``bf16`` or ``fp16``) decides in which precision forward passes are computed.

    Raises:
        InputError: If the config is not of a training run or cannot be built, another run is using the work folder, or
            the checkpoint to go on from, or to start from, is missing or does not fit.
        LostPeerError: If another process of the run ended before its time.
    """
    if is_system(cfg) or "model" not in cfg or "train_dataloader" not in cfg:
        raise InputError(f"config {cfg.filename} trains no network: train a whole system with tools/reproduce.py")
    set_precision(cfg)
    check_training(cfg, launcher)
    # Logs are written by mmengine, whose errors name no file.
    with own_folder(cfg.work_dir, launcher), full_disk_told(cfg.work_dir):
        return _train(cfg, launcher, resume)


def _train(cfg: Config, launcher: str, resume: bool) -> Runner:
    find_segments(cfg, "train", launcher=launcher)
    if is_first_process(launcher):
        remove_partials(cfg.work_dir)
    checkpoint = _last_checkpoint(cfg) if resume else None
    cfg.resume = checkpoint is not None
    if checkpoint is not None:
        cfg.load_from = checkpoint
    with noticing_lost_peers(), building(cfg.filename):
        runner = build_runner(cfg, launcher)
        # Else first built inside the training; both are what the training itself would build, in its order.
        if runner.train_loop is not None:
            runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
            check_features(runner, runner.train_loop)
    if cfg.get("sync_bn"):
        check_sync_bn(runner.model, cfg.filename)
    if checkpoint is None and cfg.get("start_from"):
        runner.register_hook(_StartHook(_start_weights(cfg, network_of(runner))))
    if checkpoint is not None:
        # mmengine itself would go on from a checkpoint of another network with the weights that fit.
        load_into(runner, checkpoint, cfg)
        _check_average(runner, checkpoint)
    with noticing_lost_peers():
        runner.train()
    return runner


def _last_checkpoint(cfg: Config) -> str | None:
    """Where an interrupted training goes on, also when its folder has been moved since; None before the first."""
    begun = (Path(cfg.work_dir) / "last_checkpoint").is_file()
    return find_checkpoint(cfg.work_dir, cfg.filename) if begun else None


def _check_average(runner: Runner, checkpoint: str) -> None:
    """Refuse to go on from averaged weights as if they had been trained, with the optimizer's state of others."""
    averaged = "ema_state_dict" in read_checkpoint(checkpoint)
    if averaged != any(isinstance(hook, EMAHook) for hook in runner.hooks):
        was, remedy = ("with", "give --ema as before") if averaged else ("without", "leave --ema out")
        raise InputError(f"{checkpoint} was trained {was} --ema: {remedy}, or start anew in another --work-dir")


class _StartHook(Hook):
    """Put weights in place when the runner has drawn its own: it does so after everything has been built."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def before_train(self, runner: Runner) -> None:
        """Load the weights; the others stay as they were drawn."""
        network_of(runner).load_state_dict(self.weights, strict=False)


def _start_weights(cfg: Config, network: Module) -> dict[str, Tensor]:
    """The backbone of the network that a training starts from.

    Raises:
        InputError: If it is missing, or not of this network's backbone, tensor by tensor.
    """
    source = Path(cfg.start_from)
    folder = Path(cfg.work_dir).parent / source.stem
    path = find_checkpoint(cfg.get("start_from_checkpoint") or str(folder), str(source))
    content = read_checkpoint(path)
    given = content.get("state_dict", content)
    found = {name: value for name, value in given.items() if name.startswith(BACKBONE)}
    wanted = {name: value.shape for name, value in network.state_dict().items() if name.startswith(BACKBONE)}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != _shape(found.get(name)))
    if wrong or not wanted:
        raise InputError(
            f"{path} has no backbone for {cfg.filename} to start from ({len(wrong)} of {len(wanted)} weights differ"
            f"{', among them ' + wrong[0] if wrong else ''}): name another config in start_from than {source.name}, "
            "or train that one again"
        )
    print_log(f"starting from the {len(found)} backbone weights of {path}", "current")
    return found


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, Tensor) else None
