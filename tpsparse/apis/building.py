"""What training, testing and parsing have in common: kinds of configs, and networks inside runners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config
from mmengine.model import BaseTTAModel
from mmengine.runner import BaseLoop, Runner
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

from ..datasets.tasks import TPSFeatureDataset
from ..engine import config_taxonomy
from ..errors import InputError, first_line
from ..models.fusion import FeatureClassifier
from ..parsing import load_weights
from ..parsing.network import (
    compared_kinds,
)

PARSER = "ActionParser"
ENCODER = "FrameEncoder"
REPRODUCE = "tools/reproduce.py"


def is_system(cfg: Config) -> bool:
    """Whether a config is of a system, a row of stages, rather than of one network."""
    return _model_type(cfg) == PARSER


def is_encoder(cfg: Config) -> bool:
    """Whether a config writes the frame features of a data set rather than measuring a network."""
    return _model_type(cfg) == ENCODER


def _model_type(cfg: Config) -> str:
    return cfg.get("model", {}).get("type", "").rpartition(".")[2]


@contextmanager
def building(config: str | Path) -> Iterator[None]:
    """Tell of a config's values that what is built from them does not take."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, KeyError, ValueError) as error:
        told = f"config {config} cannot be built ({first_line(error)})"
        raise InputError(f"{told}: correct it or the --cfg-options") from error


def network_of(runner: Runner) -> Module:
    """The network itself, where several processes, or several views in testing, have wrapped it."""
    model = runner.model
    while isinstance(model, DistributedDataParallel | BaseTTAModel):
        model = model.module
    return model


def load_into(runner: Runner, checkpoint: str, cfg: Config) -> None:
    """Load weights that must fit the network of a runner, and the names of the run."""
    names, labels = config_taxonomy(cfg), cfg.get("label_table")
    kinds = compared_kinds(cfg)
    load_weights(network_of(runner), checkpoint, names, cfg.filename, label_table=labels, kinds=kinds)


def check_features(runner: Runner, loop: BaseLoop) -> None:
    """Refuse records whose features are not those that a classifier of features takes: told by the first with a person.

    Raises:
        InputError: Naming the folder and the feature.
    """
    network, dataset = network_of(runner), loop.dataloader.dataset
    if not isinstance(network, FeatureClassifier) or not isinstance(dataset, TPSFeatureDataset):
        return
    record = dataset.first_record()
    if record is None:
        return
    path, found = record
    for name, shape in network.feature_shapes(1, 1).items():
        if found.get(name) != (len(shape), shape[-1]):
            has = "no such feature" if name not in found else _told(*found[name])
            told = f"{path.parent} has records of other features than the network takes ({name}: {has} in {path.name}"
            raise InputError(
                f"{told}, the network takes {_told(len(shape), shape[-1])}): fill it again with {REPRODUCE}"
            )


def _told(axes: int, channels: int) -> str:
    return f"{channels} channels of {('the video', 'each frame', 'each person')[axes - 1]}"
