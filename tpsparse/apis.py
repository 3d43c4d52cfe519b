"""What a user calls from Python; the scripts in ``tools/`` are thin layers over these functions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel
from mmengine.registry import init_default_scope
from mmengine.runner import BaseLoop, Runner
from torch import Tensor
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

from .datasets.tasks import TPSFeatureDataset
from .datasets.video import Video, frames_of
from .engine import build_runner, config_taxonomy, evaluators, fix_threads, load_config
from .engine.launch import check_sync_bn, noticing_lost_peers
from .engine.options import check_training
from .errors import InputError
from .models.fusion import FeatureClassifier
from .parsing import ActionParser, load_weights
from .parsing.network import compared_kinds, find_checkpoint, merges_views, read_checkpoint, stored_taxonomy
from .registry import MODELS, SCOPE
from .structures import VideoParse
from .structures.export import LEAST_STATE_SCORE, parse_to_json
from .structures.files import remove_partials, write_json, writing_told
from .taxonomy import Taxonomy
from .visualization import write_overlay

PARSER = "ActionParser"
BACKBONE = "backbone."
RECORD_FILE = "record.safetensors"
REPRODUCE = "tools/reproduce.py"
ASSUMED_FPS = 25.0
"""Frames a second of an overlay whose video tells none."""


def is_system(cfg: Config) -> bool:
    """Whether a config is of a system, a row of stages, rather than of one network."""
    return cfg.get("model", {}).get("type", "").rpartition(".")[2] == PARSER


def train(cfg: Config, *, launcher: str = "none", resume: bool = False) -> Runner:
    """Train one network.

    Args:
        cfg: A loaded training config.
        launcher: ``none``, ``pytorch`` or ``slurm``.
        resume: Go on from the last checkpoint in the work folder, if there is one.

    A config may name another one in ``start_from``: training then starts from the backbone of that network, whose last
    checkpoint is looked for in the folder beside the work folder, or is ``start_from_checkpoint``.

    Raises:
        InputError: If the config is not of a training run or cannot be built, or the checkpoint to go on from, or to
            start from, is missing or does not fit.
        LostPeerError: If another process of the run ended before its time.
    """
    if is_system(cfg) or "model" not in cfg or "train_dataloader" not in cfg:
        raise InputError(f"config {cfg.filename} trains no network: train a whole system with tools/reproduce.py")
    check_training(cfg, launcher)
    remove_partials(cfg.work_dir)
    checkpoint = _last_checkpoint(cfg) if resume else None
    cfg.resume = checkpoint is not None
    if checkpoint is not None:
        cfg.load_from = checkpoint
    with noticing_lost_peers(), _building(cfg.filename):
        runner = build_runner(cfg, launcher)
        # Else first built inside the training; both are what the training itself would build, in its order.
        if runner.train_loop is not None:
            runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
            _check_features(runner, runner.train_loop)
    if cfg.get("sync_bn"):
        check_sync_bn(runner.model, cfg.filename)
    if checkpoint is None and cfg.get("start_from"):
        runner.register_hook(_StartHook(_start_weights(cfg, _network_of(runner))))
    if checkpoint is not None:
        # mmengine itself would go on from a checkpoint of another network with the weights that fit.
        _load_into(runner, checkpoint, cfg)
        _check_average(runner, checkpoint)
    with noticing_lost_peers():
        runner.train()
    return runner


def test(cfg: Config, *, checkpoint: str | None = None, launcher: str = "none") -> tuple[dict[str, float], Runner]:
    """Measure a network by its own metric, or a system by the challenge's score.

    Args:
        cfg: A loaded config.
        checkpoint: Weights of the network; of the last epoch in the work folder by default. Not for a system, whose
            stages name theirs.
        launcher: As for :func:`train`.

    Returns:
        Metrics by name, and the runner.

    Raises:
        InputError: If the config cannot be built, or a checkpoint is missing or does not fit.
    """
    if "model" not in cfg or "test_dataloader" not in cfg:
        raise InputError(f"config {cfg.filename} tests nothing: give a training config or one of configs/systems/")
    if is_system(cfg) and checkpoint is not None:
        raise InputError(f"config {cfg.filename} is of a system, whose stages name checkpoints: leave {checkpoint} out")
    if not is_system(cfg):
        checkpoint = find_checkpoint(checkpoint or cfg.work_dir, cfg.filename)
    _drop_training(cfg)
    if merges_views(cfg):
        cfg.model = dict(cfg.tta_model, module=cfg.model)
    with _building(cfg.filename):
        runner = build_runner(cfg, launcher)
    if checkpoint is not None:
        _load_into(runner, checkpoint, cfg)
    with _building(cfg.filename):
        _check_features(runner, runner.test_loop)  # its data set would else first be built inside the test
    return runner.test(), runner


def write_to(cfg: Config, out: str | Path) -> None:
    """Have a system write its submission, report and records to ``out``."""
    for metric in evaluators(cfg):
        if "out_dir" in metric:
            metric.out_dir = str(out)
    cfg.model.save_dir = str(Path(out) / "parses" / "test")


def build_parser(
    config: str | Path,
    *,
    work_dir: str | Path | None = None,
    options: dict[str, Any] | None = None,
    frame_step: int = 1,
) -> tuple[ActionParser, Taxonomy]:
    """A system ready to parse any video: its names come with the weights, so no data set is needed.

    Args:
        config: A system config.
        work_dir: Folder of the trained networks, as written by ``tools/reproduce.py``.
        options: Overrides of the config.
        frame_step: Every how many frames are parsed.
    """
    taxonomy = _trained_taxonomy(config, work_dir, options)
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=taxonomy)
    init_default_scope(SCOPE)
    fix_threads(cfg)
    cfg.model.frames = dict(type="EveryFrame", step=frame_step)
    cfg.model.save_dir = None
    with _building(config):
        return MODELS.build(cfg.model), taxonomy


def parse_video(parser: ActionParser, path: str | Path) -> VideoParse:
    """Parse one video.

    Raises:
        InputError: If the video cannot be read.
    """
    return parser.parse_video(Video(path))


def parse_to_folder(
    parser: ActionParser,
    taxonomy: Taxonomy,
    path: str | Path,
    folder: Path,
    *,
    record: bool = False,
    min_state_score: float = LEAST_STATE_SCORE,
) -> VideoParse:
    """Parse one video and write ``parse.json`` and ``overlay.mp4`` to a folder of its own.

    Args:
        parser: A system, as :func:`build_parser` gives it.
        taxonomy: The names that it was trained with.
        path: The video.
        folder: Where to; it is made if need be.
        record: Write ``record.safetensors`` too, which :meth:`VideoParse.load` reads: all that the stages have found,
            with features, such as the relevance of parts that ``tools/analysis/part_relevance.py`` draws.
        min_state_score: As for :func:`parse_to_json` and :func:`draw_parse`.

    Raises:
        InputError: If the video cannot be read or drawn, and nothing is written then; or if there is no room.
    """
    video = Video(path)
    video.fps = video.fps if 0 < video.fps < math.inf else 0.0  # 0 stands for unknown
    parse = parser.parse_video(video)
    try:
        write_overlay(
            folder / "overlay.mp4",
            frames_of(video),
            parse,
            taxonomy,
            video.fps or ASSUMED_FPS,
            min_state_score=min_state_score,
        )
    except ValueError as error:
        with suppress(OSError):  # it holds something else
            folder.rmdir()
        raise InputError(f"{path} cannot be drawn ({_first_line(error)}): encode it again or leave it out") from error
    if record:
        with writing_told(folder / RECORD_FILE):
            parse.save(folder / RECORD_FILE)
    else:
        (folder / RECORD_FILE).unlink(missing_ok=True)  # an earlier run's would stand beside another parse
    # Last: a folder with parse.json is complete.
    write_json(folder / "parse.json", parse_to_json(parse, taxonomy, min_state_score=min_state_score))
    return parse


@contextmanager
def _building(config: str | Path) -> Iterator[None]:
    """Tell of a config's values that what is built from them does not take."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, KeyError, ValueError) as error:
        told = f"config {config} cannot be built ({_first_line(error)})"
        raise InputError(f"{told}: correct it or the --cfg-options") from error


def _first_line(error: Exception) -> str:
    # The text of a KeyError is quoted.
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    return text.splitlines()[0] if text else type(error).__name__


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


def _load_into(runner: Runner, checkpoint: str, cfg: Config) -> None:
    names, labels = config_taxonomy(cfg), cfg.get("label_table")
    kinds = compared_kinds(cfg)
    load_weights(_network_of(runner), checkpoint, names, cfg.filename, label_table=labels, kinds=kinds)


def _check_features(runner: Runner, loop: BaseLoop) -> None:
    """Refuse records whose features are not those that a classifier of features takes: told by the first with a person.

    Raises:
        InputError: Naming the folder and the feature.
    """
    network, dataset = _network_of(runner), loop.dataloader.dataset
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


class _StartHook(Hook):
    """Put weights in place when the runner has drawn its own: it does so after everything has been built."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def before_train(self, runner: Runner) -> None:
        """Load the weights; the others stay as they were drawn."""
        _network_of(runner).load_state_dict(self.weights, strict=False)


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


def _network_of(runner: Runner) -> Module:
    """The network itself, where several processes, or several views in testing, have wrapped it."""
    model = runner.model
    while isinstance(model, DistributedDataParallel | BaseTTAModel):
        model = model.module
    return model


def _trained_taxonomy(config: str | Path, work_dir: Any, options: dict[str, Any] | None) -> Taxonomy:
    """The names that a system's networks were trained with.

    They are those of the first network; the objects, which other networks need not share, those of the first that uses
    them.
    """
    # Which names fill the config does not matter for finding the stages' checkpoints.
    any_names = Taxonomy(parts=("part",), states=("state",), actions=("action",))
    cfg = load_config(config, options=options, work_dir=work_dir, taxonomy=any_names)
    if not is_system(cfg):
        raise InputError(f"config {config} is of one network: give a system config, as in configs/systems/")
    stages = [stage for stage in cfg.model.get("stages", []) if "checkpoint" in stage]
    names = _first_names(stages)
    if names is not None:
        # Configs are read in no time, weights are not: of those no more are read than are asked.
        users = [s for s in stages if load_config(s.config, taxonomy=any_names, label_table={}).get("uses_objects")]
        objects = _first_names(users) or names
        return Taxonomy.from_meta({**names, "objects": objects.get("objects", [])})
    raise InputError(f"config {config} names no checkpoint that knows its labels: train with tools/reproduce.py")


def _first_names(stages: Sequence[Any]) -> dict[str, list[str]] | None:
    """The names in the first checkpoint that has any, of networks in a row; None where none has."""
    stored = (stored_taxonomy(read_checkpoint(find_checkpoint(each.checkpoint, each.config))) for each in stages)
    return next((names for names in stored if names is not None), None)


def _drop_training(cfg: Config) -> None:
    """Testing needs neither the training set nor the weights that training started from."""
    for key in list(cfg):
        if key.startswith(("train_", "val_", "optim_wrapper", "param_scheduler", "auto_scale_lr")):
            cfg.pop(key)
    cfg.load_from = None
    cfg.resume = False
