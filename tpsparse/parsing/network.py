"""Trained networks for stages: found, checked and loaded."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.runner import CheckpointLoader
from torch import Tensor

from ..engine.config import config_taxonomy, load_config
from ..errors import InputError
from ..registry import MODELS, SCOPE
from ..runtime import Runtime, run_with
from ..structures import LabelTable
from ..taxonomy import Taxonomy
from .preparation import Batch, Preprocess, find_preparation

SHOWN_KEYS = 3
ALWAYS_COMPARED = ("parts", "states", "actions")
OF_GROUP = ("group", "seconds")
"""What the networks of one state recognizer's config differ in."""
Prepare = Callable[..., Batch]
"""Of frames (n, H, W, 3), of a window and its rows of persons, or of decoded clips: :mod:`.preparation`."""
VIEWS = "TestTimeAug"
"""mmcv's transform that makes several views of an input."""


@dataclass
class TrainedNetwork:
    """A network ready for testing, and the transforms its inputs go through in testing.

    Args:
        config: What it was trained with, filled in.
        model: The network, with its weights.
        pipeline: Of ``test_pipeline``, item by item.
        checkpoint: File or URL of the weights.
    """

    config: Config
    model: BaseModel
    pipeline: Compose
    checkpoint: str = ""
    _preparations: dict[str, Prepare | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._preprocess = Preprocess(self.model)

    def use(self, runtime: Runtime) -> Runtime:
        """Run as a system's config says from now on; what that comes to on this machine.

        Raises:
            InputError: If the network cannot be run so.
        """
        return run_with(self, runtime, checkpoint=self.checkpoint)

    def preparation(self, kind: str) -> Prepare | None:
        """What prepares whole batches with the numbers of the pipeline; None where only the pipeline knows how.

        Args:
            kind: ``frame``, ``person`` or ``clip``: what an item is.
        """
        if "tta_model" in self.config:
            return None
        if kind not in self._preparations:
            twins = config_taxonomy(self.config).flip_parts
            with DefaultScope.overwrite_default_scope(SCOPE):  # the functions of mm* packages leave theirs
                self._preparations[kind] = find_preparation(self.config.test_pipeline, kind, flip_parts=twins)
        return self._preparations[kind]

    def predict_batch(self, batch: Batch) -> list[Any]:
        """Run a prepared batch; one result each."""
        with torch.inference_mode():
            return list(self.model(**self._preprocess(batch), mode="predict"))

    def predict_keypoints(self, batch: Batch) -> Tensor:
        """Keypoints (n, J, 3) in continuous pixels of the frame, of a prepared batch of persons."""
        with torch.inference_mode():
            return self.model.predict_keypoints(**self._preprocess(batch))

    def predict(self, items: list[dict[str, Any]]) -> list[Any]:
        """Run prepared items as one batch; one result each, however many views of it there are."""
        batch = {key: [item[key] for item in items] for key in ("inputs", "data_samples")}
        if "tta_model" in self.config:
            # A batch of several views goes view by view, as mmengine collates it.
            batch = {key: [list(view) for view in zip(*views)] for key, views in batch.items()}
        with torch.inference_mode():
            return list(self.model.test_step(batch))


def load_network(
    config: str, checkpoint: str, taxonomy: Taxonomy, options: dict[str, Any] | None = None
) -> TrainedNetwork:
    """Build the network of a training config and load its weights.

    Args:
        config: The config it was trained with, or a child with other choices for the test; its ``model``,
            ``test_pipeline`` and ``tta_model``, if any, are used.
        checkpoint: A file, a URL, or the folder of the training run, whose last checkpoint is taken.
        taxonomy: The names that the parsing run uses.
        options: Overrides of the config.

    Raises:
        InputError: If the checkpoint is missing, unreadable, of another network, of another vocabulary, of another
            part group or length of segments, or the config makes views that it does not merge.
    """
    init_default_scope(SCOPE)
    cfg = load_config(config, options=options, taxonomy=taxonomy, label_table={})
    if "test_pipeline" not in cfg:
        raise InputError(f"config {config} has no test_pipeline: a stage prepares its inputs with it")
    # One config of a state recognizer serves all part groups: which one it was trained for is told.
    training = {name: value for name, value in (options or {}).items() if name in OF_GROUP and "label_table" in cfg}
    path = find_checkpoint(checkpoint, config, training)
    content = read_checkpoint(path)
    if "label_table" in cfg:
        # What the outputs of a state recognizer stand for is known by its checkpoint, and needs no data set.
        table = _checked_labels(path, stored_label_table(content), cfg)
        cfg = load_config(config, options=options, taxonomy=taxonomy, label_table=table)
    model = MODELS.build(_without_pretraining(cfg.model))
    kinds = compared_kinds(cfg)
    _load(model, path, content, taxonomy=config_taxonomy(cfg), config=config, kinds=kinds)
    if merges_views(cfg):
        model = MODELS.build(dict(cfg.tta_model, module=model))
    return TrainedNetwork(cfg, model.to(get_device()).eval(), Compose(cfg.test_pipeline), path)


def merges_views(cfg: Config) -> bool:
    """Whether a config tests on several views of an input: ``test_pipeline`` makes them, ``tta_model`` merges them.

    Raises:
        InputError: If there is one without the other.
    """
    makes = has_step(cfg, VIEWS)
    if makes and "tta_model" not in cfg:
        raise InputError(f"config {cfg.filename} makes several views and merges none: add tta_model")
    if not makes and "tta_model" in cfg:
        raise InputError(f"config {cfg.filename} has a tta_model and one view: add mmcv.{VIEWS} to test_pipeline")
    return makes


def has_step(cfg: Config, transform: str) -> bool:
    """Whether a config's ``test_pipeline`` has a transform, named with its package or without."""
    return any(str(step["type"]).rpartition(".")[2] == transform for step in cfg.get("test_pipeline", []))


def load_weights(
    model: torch.nn.Module,
    checkpoint: str,
    taxonomy: Taxonomy,
    config: str,
    *,
    label_table: dict[str, Any] | None = None,
    kinds: Sequence[str] = ALWAYS_COMPARED,
) -> None:
    """Load a checkpoint that must fit the network and the vocabulary.

    Args:
        model: The network, as the config builds it.
        checkpoint: A file, a URL, or the folder of a training run.
        taxonomy: The names of this run.
        config: The config's file, for messages.
        label_table: What the network's outputs stand for in this run, as ``load_config`` leaves it in the config of a
            state recognizer.
        kinds: The lists of names that must be those of the checkpoint, see :func:`compared_kinds`.

    Raises:
        InputError: If it is missing, unreadable, of another network, of another vocabulary or of other labels.
    """
    path = find_checkpoint(checkpoint, config)
    content = read_checkpoint(path)
    if label_table:
        _compare_labels(path, stored_label_table(content), label_table)
    _load(model, path, content, taxonomy=taxonomy, config=config, kinds=kinds)


def compared_kinds(cfg: Config) -> tuple[str, ...]:
    """The lists of names that a network's checkpoint must share with a run: objects only where the network has them."""
    return (*ALWAYS_COMPARED, "objects") if cfg.get("uses_objects") else ALWAYS_COMPARED


def _load(
    model: torch.nn.Module,
    path: str,
    content: dict[str, Any],
    *,
    taxonomy: Taxonomy,
    config: str | Path,
    kinds: Sequence[str],
) -> None:
    names = stored_taxonomy(content)
    if names is not None:
        _check_names(path, names, taxonomy, kinds)
    weights = content.get("state_dict", content)
    weights = {name: value for name, value in weights.items() if isinstance(value, torch.Tensor)}
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    found = {name: tensor.shape for name, tensor in weights.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        shown = ", ".join(wrong[:SHOWN_KEYS])
        raise InputError(
            f"{path} is of another network than {config} ({len(wrong)} of {len(expected)} weights differ, "
            f"among them {shown}): give the checkpoint that was trained with this config"
        )
    model.load_state_dict(weights)


def stored_taxonomy(checkpoint: dict[str, Any]) -> dict[str, list[str]] | None:
    """The names that a checkpoint's network was trained with, as :meth:`Taxonomy.to_meta` gives them."""
    return _dataset_meta(checkpoint).get("taxonomy")


def stored_label_table(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """What the outputs of a checkpoint's state recognizer stand for, as :meth:`LabelTable.to_meta` gives it.

    Empty for any other network.
    """
    return _dataset_meta(checkpoint).get("label_table") or {}


def _dataset_meta(checkpoint: dict[str, Any]) -> dict[str, Any]:
    return (checkpoint.get("meta") or {}).get("dataset_meta") or {}


def read_checkpoint(path: str) -> dict[str, Any]:
    """The content of a checkpoint file or URL, read without the ability to run code.

    Raises:
        InputError: If it is not a checkpoint.
    """
    try:
        content = CheckpointLoader.load_checkpoint(path, map_location="cpu")
    except InputError:
        raise
    except Exception as error:  # pickle, zip and network errors share no base class
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path} cannot be read as a checkpoint ({first}): train again or fetch it again") from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict", content), dict):
        raise InputError(f"{path} holds no weights: give a checkpoint written by tools/train.py")
    return content


def find_checkpoint(checkpoint: str, config: str, options: dict[str, Any] | None = None) -> str:
    """The file that a checkpoint argument means: itself, or the last checkpoint of a run's folder.

    Args:
        checkpoint: A file, a URL, or the folder of a training run.
        config: The config's file, for the message.
        options: Overrides of the config in its training, for the message.

    Raises:
        InputError: If there is none.
    """
    if "://" in checkpoint:
        return checkpoint
    path = Path(checkpoint)
    if path.is_dir() and (path / "last_checkpoint").is_file():
        # By name: the folder may have been moved since the full path was written into it.
        path = path / Path((path / "last_checkpoint").read_text().strip()).name
    if not path.is_file():
        folder = Path(checkpoint)
        folder = folder.parent if folder.suffix == ".pth" else folder
        command = f"python tools/train.py {shlex.quote(_short(config))} --work-dir {shlex.quote(str(folder))}"
        given = " ".join(shlex.quote(f"{key}={value}") for key, value in (options or {}).items())
        command += f" --cfg-options {given}" * bool(given)
        raise InputError(f"checkpoint {path} is missing: train it with {command}")
    return str(path)


def fingerprint(parts: Any) -> str:
    """A short digest of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: str) -> str:
    """A digest of a file's content; a URL stands for itself."""
    if "://" in path:
        return path
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):  # hashlib.file_digest came with Python 3.11
            digest.update(chunk)
    return digest.hexdigest()


def _short(path: str | Path) -> str:
    """A path without detours, seen from the current folder when it is inside."""
    plain = Path(os.path.normpath(path))
    return str(plain.relative_to(Path.cwd()) if plain.is_relative_to(Path.cwd()) else plain)


def _check_names(path: str, names: dict[str, list[str]], taxonomy: Taxonomy, kinds: Sequence[str]) -> None:
    for kind, expected in taxonomy.to_meta().items():
        if kind in kinds and list(names.get(kind, [])) != expected:
            raise InputError(
                f"{path} was trained with other {kind} ({len(names.get(kind, []))} names) than those at hand "
                f"({len(expected)}): use networks and data of one vocabulary, or train again"
            )


def _checked_labels(path: str, stored: dict[str, Any], cfg: Config) -> dict[str, Any]:
    """The stored labels of a state recognizer.

    Raises:
        InputError: If there are none, they are of another part group or of segments of another length, or the run has
            no such names.
    """
    if not stored:
        told = f"{path} does not say what its outputs stand for, as {cfg.filename} asks"
        raise InputError(f"{told}: give a checkpoint that was trained with this config")
    table = LabelTable.from_meta(stored, path)
    group = cfg.get("group", table.group)
    if table.group != group:
        raise InputError(f"{path} tells states of part group {table.group}, not of {group}: give that of {group}")
    seconds = cfg.get("seconds", table.seconds)
    if table.seconds != seconds:
        told = f"{path} was trained on {_stretches(table.seconds)}, not on {_stretches(seconds)} as {cfg.filename} asks"
        raise InputError(f"{told}: give a checkpoint of those, or set seconds={table.seconds}")
    table.ids(config_taxonomy(cfg), path)
    return stored


def _stretches(seconds: float | None) -> str:
    return "whole videos" if seconds is None else f"segments of {seconds:g} s"


def _compare_labels(path: str, stored: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse labels other than those of the data at hand; without names, as in bare weights, the sizes must do."""
    if not stored:
        return
    found, wanted = LabelTable.from_meta(stored, path), LabelTable.from_meta(expected)
    if found.seconds != wanted.seconds:
        told = f"{path} was trained on {_stretches(found.seconds)}, not on {_stretches(wanted.seconds)}"
        raise InputError(f"{told}: repeat with seconds={found.seconds}, or train again")
    if (found.group, found.labels) != (wanted.group, wanted.labels):
        raise InputError(
            f"{path} was trained with other labels ({len(found)} of {found.group}) than the training split gives "
            f"({len(wanted)} of {wanted.group}): use its own data set and options, or train again"
        )


def _without_pretraining(model: Any) -> Any:
    """The model without the weights to start training from: they would be downloaded only to be overwritten."""
    if isinstance(model, dict):
        kept: dict[str, Any] = {key: _without_pretraining(value) for key, value in model.items() if key != "init_cfg"}
        if kept.get("pretrained") is not None:
            kept["pretrained"] = None
        return type(model)(kept)
    if isinstance(model, list):
        return [_without_pretraining(value) for value in model]
    return model
