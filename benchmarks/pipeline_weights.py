"""Weights for networks that only have to cost what trained ones cost: random, but with the numbers of trained ones.

Trained weights cannot be had everywhere, and what a network costs does not depend on them, with two exceptions: how
many persons are found, and whether results are decided by the last digits. So batch norms get the statistics that some
frames of the clip give, and each last layer is scaled until its outputs spread as those of trained networks do. All who
are compared load the same files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tpsparse.structures.files import atomic_write

SPREADS = {
    "rpn_head.rpn_cls": 1.0,
    "rpn_head.rpn_reg": 0.1,
    **{f"roi_head.bbox_head.{i}.{layer}": 0.7 for i in range(3) for layer in ("fc_cls", "fc_reg")},
    "head.final_layer": 0.15,
    "cls_head.fc_cls": 1.0,
}
"""Standard deviation of the outputs of a network's last layers, in the order in which one depends on the other."""


def make_weights(system: Path, work_dir: Path, frames: np.ndarray, *, taxonomy: Any = None, seed: int = 0) -> None:
    """Write a checkpoint for each network of a system to where the system looks for it, unless it is there.

    Args:
        system: Its config.
        work_dir: The system's.
        frames: (T, H, W, 3) RGB, of the clip.
        taxonomy: The names; None for as many as Kinetics-TPS has.
        seed: Of the random weights.
    """
    from mmengine.registry import init_default_scope

    from tpsparse.analysis.flops import official_sizes
    from tpsparse.engine import load_config
    from tpsparse.registry import SCOPE

    taxonomy = taxonomy or official_sizes()
    init_default_scope(SCOPE)
    for stage in load_config(system, work_dir=work_dir, taxonomy=taxonomy).model.stages:
        if "config" not in stage or (Path(stage.checkpoint) / "last_checkpoint").is_file():
            continue
        cfg = load_config(stage.config, options=stage.get("options"), taxonomy=taxonomy)
        torch.manual_seed(seed)
        model = random_network(cfg)
        calibrate(model, [prepared(stage.type, cfg, frame, frames) for frame in frames])
        _save(model, Path(stage.checkpoint), taxonomy)


def random_network(cfg: Any) -> nn.Module:
    """The network of a config with its own random weights, ready for testing; nothing is downloaded."""
    from tpsparse.registry import MODELS

    model = MODELS.build(_without_pretraining(cfg.model))
    with _quiet():  # a line for each weight
        model.init_weights()
    return model.eval()


def prepared(stage: str, cfg: Any, frame: np.ndarray, frames: np.ndarray) -> dict[str, Any]:
    """What a stage's network is given of a frame (H, W, 3): the frame, a person in its middle, or the whole clip."""
    from mmengine.dataset import Compose

    from tpsparse.datasets.tasks.poses import pose_sample
    from tpsparse.parsing.batches import frame_item

    height, width = frame.shape[:2]
    if stage == "DetectPersons":
        item = frame_item(frame)
    elif stage == "EstimatePose":
        item = pose_sample(frame, np.array([0.3 * width, 0.1 * height, 0.6 * width, 0.9 * height], dtype=np.float32))
    else:
        item = dict(
            filename="", label=-1, start_index=1, modality="RGB", total_frames=len(frames), source=_Held(frames)
        )
    return Compose(cfg.test_pipeline)(item)


def calibrate(model: nn.Module, items: Sequence[dict[str, Any]]) -> None:
    """Set the statistics of batch norms and the spread of the last layers by what is said of prepared items."""

    def look(count: int = len(items)) -> None:
        with torch.no_grad():
            for item in items[:count]:
                model.test_step({name: [value] for name, value in item.items()})

    norms = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the items
        norm.train()
    look()
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        norm.eval()
    layers = dict(model.named_modules())
    for name, spread in SPREADS.items():
        if name in layers:
            spread_outputs(layers[name], spread, lambda: look(1))


def spread_outputs(layer: Any, spread: float, look: Callable[[], None]) -> None:
    """Scale a layer until its outputs have a standard deviation; their mean becomes 0.

    Args:
        layer: Linear, with ``weight`` and ``bias``.
        spread: What is wanted.
        look: Runs the network, and with it the layer.
    """
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, inputs, outputs: seen.append(outputs.detach().flatten()))
    look()
    handle.remove()
    values = torch.cat(seen)
    factor = spread / values.std()
    with torch.no_grad():
        layer.weight.mul_(factor)
        layer.bias.sub_(values.mean()).mul_(factor)


@contextmanager
def _quiet() -> Iterator[None]:
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class _Held:
    """Gives frames by number, from 1, to the transforms of clips."""

    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames

    def frames(self, numbers: Sequence[int]) -> np.ndarray:
        return self._frames[np.asarray(numbers) - 1]


def _without_pretraining(model: Any) -> Any:
    if isinstance(model, dict):
        kept = {name: _without_pretraining(value) for name, value in model.items() if name != "init_cfg"}
        return type(model)({name: None if name == "pretrained" else value for name, value in kept.items()})
    return [_without_pretraining(value) for value in model] if isinstance(model, list) else model


def _save(model: nn.Module, folder: Path, taxonomy: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    meta = dict(epoch=1, dataset_meta=dict(taxonomy=taxonomy.to_meta()))
    with atomic_write(folder / "epoch_1.pth") as partial:
        torch.save(dict(meta=meta, state_dict=model.state_dict()), partial)
    (folder / "last_checkpoint").write_text("epoch_1.pth")
