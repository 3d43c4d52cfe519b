"""Networks measured, systems scored, frame features and sub-actions written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..datasets.instances import open_instances
from ..engine import build_runner, evaluators, load_config, of_evaluators
from ..engine.launch import is_first_process, own_folder
from ..errors import InputError
from ..parsing.network import (
    file_digest,
    find_checkpoint,
    fingerprint,
    merges_views,
)
from ..structures.boundaries_file import Boundaries
from ..structures.files import MADE_BY, atomic_write, remove_partials
from .building import building, check_features, is_encoder, is_system, load_into

FOLDERS = ("submission", "ground_truth")
"""Of a system's output besides its records."""


def test(cfg: Config, *, checkpoint: str | None = None, launcher: str = "none") -> tuple[dict[str, float], Runner]:
    """Measure a network by its own metric, or a system by the challenge's score, or write frame features.

    Args:
        cfg: A loaded config.
        checkpoint: Weights of the network; of the last epoch in the work folder by default. Not for a system, whose
            stages name theirs. For frame features, weights of the backbone in place of those that the config names, in
            ``model.checkpoint`` or, by the config that trains them, in ``weights_from``: then the folder of that
            network is looked for beside the work folder.
        launcher: As for :func:`train`.

    Returns:
        Metrics by name, and the runner.

    Raises:
        InputError: If the config cannot be built, a checkpoint is missing or does not fit, or another run is writing
            where this one would.
    """
    if "model" not in cfg or "test_dataloader" not in cfg:
        raise InputError(f"config {cfg.filename} tests nothing: give a training config or one of configs/systems/")
    if is_system(cfg) and checkpoint is not None:
        raise InputError(f"config {cfg.filename} is of a system, whose stages name checkpoints: leave {checkpoint} out")
    with _own_output(cfg, launcher):
        return _test(cfg, checkpoint, launcher)


def _test(cfg: Config, checkpoint: str | None, launcher: str) -> tuple[dict[str, float], Runner]:
    find_segments(cfg, "test", launcher=launcher)
    if is_encoder(cfg):
        _name_weights(cfg, checkpoint)
        checkpoint = None  # the model brings its own
    elif not is_system(cfg):
        checkpoint = find_checkpoint(checkpoint or cfg.work_dir, cfg.filename)
    _drop_training(cfg)
    if merges_views(cfg):
        cfg.model = dict(cfg.tta_model, module=cfg.model)
    with building(cfg.filename):
        runner = build_runner(cfg, launcher)
    if checkpoint is not None:
        load_into(runner, checkpoint, cfg)
    with building(cfg.filename):
        check_features(runner, runner.test_loop)  # its data set would else first be built inside the test
    return runner.test(), runner


def find_segments(cfg: Config, kind: str, *, launcher: str = "none") -> None:
    """Have the network that a config names in ``segments_from`` parse a split into sub-actions, unless it has.

    The file is ``train.json`` or ``test.json`` in ``@segments``, see :class:`Boundaries`; those in a folder that the
    user gives in its place are taken as they are.

    Args:
        cfg: A loaded config; one without ``segments_from`` needs nothing.
        kind: ``train`` or ``test``: which of its splits.
        launcher: As for :func:`train`.

    Raises:
        InputError: If that network is not trained.
    """
    folder = Path(cfg.work_dir).parent / Path(cfg.get("segments_from", "")).stem / "boundaries"
    if "segments_from" not in cfg or Path(cfg.segments) != folder:
        return
    checkpoint = find_checkpoint(str(folder.parent), cfg.segments_from)
    options = dict(data_root=cfg.data_root, test_split=cfg[f"{kind}_split"])
    parser = load_config(cfg.segments_from, options=options, work_dir=folder.parent)
    file, stamp = folder / f"{kind}.json", folder / f"{kind}.made_by"
    made_by = fingerprint([file_digest(checkpoint), parser.model.to_dict(), _parsed(parser)])
    if stamp.is_file() and stamp.read_text() == made_by and _is_whole(file):
        return
    evaluators(parser)[0].out_file = str(file)
    test(parser, checkpoint=checkpoint, launcher=launcher)
    if is_main_process():
        with atomic_write(stamp) as partial:
            partial.write_text(made_by)


def _parsed(parser: Config) -> list[Any]:
    """What a parser of sub-actions reads in its test: instances as annotated, and the files of their features."""
    dataset = parser.test_dataloader.dataset
    index, features = open_instances(dataset.data_root, dataset.split), Path(dataset.features)
    files = [features / MADE_BY, *(features / f"{instance.key}.safetensors" for instance in index.instances)]
    states = [(file.stat().st_size, file.stat().st_mtime_ns) if file.is_file() else None for file in files]
    return [dataset.split, index.digest(), states]


def _is_whole(file: Path) -> bool:
    try:
        Boundaries.load(file)
    except InputError:
        return False
    return True


def write_to(cfg: Config, out: str | Path) -> None:
    """Have a system write its submission, report and records to ``out``."""
    for metric in evaluators(cfg):
        if "out_dir" in metric:
            metric.out_dir = str(out)
    cfg.model.save_dir = str(Path(out) / "parses" / "test")


@contextmanager
def _own_output(cfg: Config, launcher: str) -> Iterator[None]:
    """Keep other runs out of the folder in which a system leaves its files, or an encoder its features.

    What a run that was killed has left half-written there is removed. The test of a network leaves nothing but a log,
    and may run beside the network's training.
    """
    records = cfg.model.get("save_dir")
    out = of_evaluators(cfg, "out_dir") or records
    if out is None:
        yield
        return
    with own_folder(out, launcher, remedy="give another --out or --work-dir"):
        for folder in (out, records, *(Path(out) / name for name in FOLDERS)) if is_first_process(launcher) else ():
            remove_partials(folder or out)
        yield


def _name_weights(cfg: Config, checkpoint: str | None) -> None:
    """Put into the config of frame features which weights make them."""
    source = cfg.get("weights_from")
    beside = None if source is None else str(Path(cfg.work_dir).parent / Path(source).stem)
    named = checkpoint or cfg.model.get("checkpoint") or beside
    if named is not None:
        cfg.model.checkpoint = named
        cfg.model.setdefault("trained_by", source)


def _drop_training(cfg: Config) -> None:
    """Testing needs neither the training set nor the weights that training started from."""
    for key in list(cfg):
        if key.startswith(("train_", "val_", "optim_wrapper", "param_scheduler", "auto_scale_lr")):
            cfg.pop(key)
    cfg.load_from = None
    cfg.resume = False
