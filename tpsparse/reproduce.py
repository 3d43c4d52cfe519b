"""A whole system from its config: every network trained, features extracted, tested, drawn.

Each step is skipped when it has been done with the same config and data, and goes on where it was interrupted.
"""

from __future__ import annotations

import copy
import json
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from tqdm import tqdm

from . import apis
from .datasets.index import TPSIndex, open_index
from .datasets.layout import SPLITS, frames_folder
from .datasets.video import Video, frames_of, open_video
from .engine import config_taxonomy, load_config
from .errors import InputError
from .parsing import ActionParser
from .parsing.network import fingerprint
from .registry import DATASETS
from .structures import VideoParse
from .structures.files import write_json
from .visualization import write_overlay_reel
from .workers import end_with

DRAWN_VIDEOS = 8
WHERE_CONFIGS_LIE = ("filename", "floor", "quick", "configs")
LOG = logging.getLogger("tpsparse")
Result = dict[str, Any]


class Reproduction:
    """The steps of one system in one work folder.

    Args:
        config: A system config.
        work_dir: Where everything is written; ``work_dirs/<name of the config>`` by default.
        options: Overrides. Those of ``model.*`` are of the system alone, the others of every network as well.
        jobs: Networks trained at a time, each with its share of the cores; by default one a core, or one where there
            is a GPU.
    """

    def __init__(
        self,
        config: str | Path,
        *,
        work_dir: str | None = None,
        options: dict[str, Any] | None = None,
        jobs: int | None = None,
    ) -> None:
        self.config = Path(config)
        self.options = options or {}
        self.jobs = jobs or (1 if torch.cuda.is_available() else os.cpu_count() or 1)
        self.cfg = load_config(config, options=self.options, work_dir=work_dir)
        if not apis.is_system(self.cfg):
            raise InputError(f"config {config} is of one network: train it with tools/train.py")
        self.work_dir = Path(self.cfg.work_dir)
        self.record_file = self.work_dir / "steps.json"
        self.record: dict[str, Any] = _read_json(self.record_file)
        self.data = {kind: data_digest(self.index(kind)) for kind in ("train", "test")}

    def index(self, kind: str) -> TPSIndex:
        """The videos that are trained on (``train``) or tested on (``test``)."""
        return open_index(self.cfg.data_root, self.cfg[f"{kind}_split"], config_taxonomy(self.cfg))

    def run(self) -> Result:
        """Do every step; the report, which is also in ``report.json``."""
        networks = [Network(self, position) for position, s in enumerate(self.cfg.model.stages) if "config" in s]
        self._train_side_by_side([network for network in networks if not network.parses])
        for network in networks:
            if network.parses:
                self.step(f"features for {network.name}", network.identity, network.extract)
                self.step(f"train {network.name}", network.identity, network.train)
            elif network.can_be_measured():
                self.step(f"measure {network.name}", [network.identity, self.data["test"]], network.measure)
            else:
                LOG.info("measure %s: left out, the test split has no annotations", network.name)
        system = [self.identity(self.config, self.options, len(self.cfg.model.stages)), self.data["test"]]
        self.step("test", system, self._test_system)
        self.step("floor", [system, self.cfg.floor], self._test_floor)
        self.step("overlay", system, self._draw)
        return self._report()

    def done(self, name: str, identity: Any) -> bool:
        """Whether the record says that a step was done with this identity and this data."""
        return self.record.get(name, {}).get("mark") == self.mark(identity)

    def mark(self, identity: Any) -> str:
        """What a step is recognised by."""
        return fingerprint([identity, self.data["train"]])

    def step(self, name: str, identity: Any, work: Callable[[], Result]) -> Result:
        """Do ``work`` unless it was done; its result, which JSON can hold."""
        if self.done(name, identity):
            LOG.info("%s: done before", name)
            return self.record[name]["result"]
        LOG.info("%s: started", name)
        start = time.perf_counter()
        return self.note(name, identity, work(), time.perf_counter() - start)

    def note(self, name: str, identity: Any, result: Result, seconds: float) -> Result:
        """Put a step that is done into the record."""
        self.record[name] = dict(mark=self.mark(identity), seconds=round(seconds, 1), result=result)
        write_json(self.record_file, self.record)
        LOG.info("%s: done in %.0f s", name, seconds)
        return result

    def identity(self, config: str | Path, options: dict[str, Any], stages: int) -> Any:
        """What a step's result follows from: its config, wherever its folders lie, and the networks before it."""
        nowhere = dict(options, data_root="data", parses_dir="parses")
        cfg = load_config(config, options=nowhere, work_dir="work", taxonomy=config_taxonomy(self.cfg)).to_dict()
        for stage in cfg["model"].get("stages", []):
            if "config" in stage:
                stage["config"] = Path(stage["config"]).name
        values = {key: value for key, value in cfg.items() if key not in WHERE_CONFIGS_LIE}
        before = [f"train {Path(s.config).stem}" for s in self.cfg.model.stages[:stages] if "config" in s]
        return [values, [self.record.get(name, {}).get("mark") for name in before]]

    @property
    def skipped(self) -> int:
        """How many items could not be used, over all steps that were done, now or before."""
        return sum(step["result"].get("skipped", 0) for step in self.record.values())

    def _train_side_by_side(self, networks: list[Network]) -> None:
        """Train networks that do not learn from each other's output."""
        waiting = [network for network in networks if not self.done(f"train {network.name}", network.identity)]
        if self.jobs == 1 or len(waiting) < 2:
            for network in networks:
                self.step(f"train {network.name}", network.identity, network.train)
            return
        jobs = min(self.jobs, len(waiting))
        threads = max(1, (os.cpu_count() or 1) // jobs)
        for network in waiting:
            network.claim()
        LOG.info("train %s: started, %d at a time", ", ".join(network.name for network in waiting), jobs)
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, spawn, _enter_worker, (threads, os.getpid()))
        try:
            started = {pool.submit(_train_in_worker, n.call(), i % jobs): n for i, n in enumerate(waiting)}
            for future in as_completed(started):
                network = started[future]
                result, seconds = future.result()
                self.note(f"train {network.name}", network.identity, result, seconds)
        finally:
            # After an error or an interrupt, what has not begun does not begin.
            pool.shutdown(cancel_futures=True)

    def _test_system(self) -> Result:
        metrics, runner = apis.test(copy.deepcopy(self.cfg))
        return dict(
            metrics=metrics,
            report=_read_json(self.work_dir / "report.json"),
            skipped=len(runner.test_dataloader.dataset.problems),
        )

    def _test_floor(self) -> Result:
        cfg = load_config(self.cfg.floor, options=self.options, work_dir=self.work_dir)
        apis.test(cfg)
        return dict(score=_read_json(Path(cfg.test_evaluator.out_dir) / "report.json")["score"])

    def _draw(self) -> Result:
        """One test video of each action, every frame parsed and drawn, one after the other."""
        parser, taxonomy = apis.build_parser(self.config, work_dir=self.work_dir, options=self.options)
        first = {entry.action: entry for entry in reversed(self.index("test").videos)}
        videos = [open_video(first[action].path) for action in sorted(first)[:DRAWN_VIDEOS]]
        parsed = _parse_each(parser, tqdm(videos, desc="draw", unit="video"))
        write_overlay_reel(self.work_dir / "overlay.mp4", parsed, taxonomy, videos[0].fps)
        return {}

    def _report(self) -> Result:
        results = {name: step["result"] for name, step in self.record.items()}
        report = dict(
            results["test"]["report"],
            baseline_score=results["floor"]["score"],
            networks={
                name.removeprefix("measure "): result["metrics"]
                for name, result in results.items()
                if name.startswith("measure ")
            },
            seconds={name: step["seconds"] for name, step in self.record.items()},
            system=self.config.name,
        )
        write_json(self.work_dir / "report.json", report)
        return report


class Network:
    """One network of a system: its config as the system trains it, and the steps that lead to its weights."""

    def __init__(self, reproduction: Reproduction, position: int) -> None:
        self.reproduction, self.position = reproduction, position
        self.stage: ConfigDict = reproduction.cfg.model.stages[position]
        self.name = Path(self.stage.config).stem
        self.parses: str | None = self._config().train_dataloader.dataset.get("parses")

    @property
    def identity(self) -> Any:
        """What its weights follow from."""
        return self.reproduction.identity(self.stage.config, self._options(), self.position if self.parses else 0)

    def call(self) -> dict[str, Any]:
        """Arguments of ``load_config`` for its training."""
        options = dict(self._options(), parses_dir=str(self.reproduction.work_dir / "parses"))
        return dict(path=self.stage.config, options=options, work_dir=self.stage.checkpoint)

    def claim(self) -> None:
        """Refuse to go on from weights that were trained otherwise."""
        mark = self.reproduction.mark(self.identity)
        folder = Path(self.stage.checkpoint)
        known = _read_json(folder / "trained_from.json")
        if known and known.get("mark") != mark:
            raise InputError(f"{folder} was trained with another config or data: remove it or give another --work-dir")
        write_json(folder / "trained_from.json", dict(mark=mark))

    def train(self) -> Result:
        """Train it in this process."""
        self.claim()
        return train_network(self.call())

    def can_be_measured(self) -> bool:
        """Whether its test set can be made: the official test split has no annotations."""
        dataset = DATASETS.get(self._config().test_dataloader.dataset.type)
        return not dataset.needs_annotations or len(self.reproduction.index("test").frames) > 0

    def measure(self) -> Result:
        """Test it by its own metric."""
        metrics, runner = apis.test(self._config())
        return dict(metrics=metrics, skipped=len(runner.test_dataloader.dataset.problems))

    def extract(self) -> Result:
        """Parse the training videos with the stages before its own, at the frames that its stage wants."""
        cfg = copy.deepcopy(self.reproduction.cfg)
        cfg.title = "features"
        cfg.model.frames = self.stage.get("train_frames", self.stage.frames)
        cfg.model.stages = cfg.model.stages[: self.position]
        cfg.model.save_dir = self.parses
        cfg.test_dataloader.dataset.split = cfg.train_split
        cfg.test_evaluator = dict(type="ParseCount")
        metrics, _ = apis.test(cfg)
        return dict(metrics=metrics, skipped=int(metrics["failed"]))

    def _config(self) -> Config:
        return load_config(**self.call())

    def _options(self) -> dict[str, Any]:
        return {key: value for key, value in self.reproduction.options.items() if not key.startswith("model.")}


def train_network(call: dict[str, Any], line: int = 0) -> Result:
    """Train a network, or go on training it.

    Args:
        call: Arguments of ``load_config``.
        line: Which line of the terminal its progress bar takes.
    """
    cfg = load_config(**call)
    cfg.progress_line = line
    return dict(skipped=len(apis.train(cfg, resume=True).train_dataloader.dataset.problems))


def _parse_each(parser: ActionParser, videos: Iterable[Video]) -> Iterator[tuple[Iterator[np.ndarray], VideoParse]]:
    """Frames and record of each video; one that breaks has been told of in the test."""
    for video in videos:
        try:
            parse = parser.parse_video(video)
        except InputError as error:
            LOG.warning("%s (not drawn)", error)
            continue
        yield frames_of(video), parse


def data_digest(index: TPSIndex) -> str:
    """Digest of all that a run reads of one split: videos, annotations, names, and extracted frames."""
    manifests = {split: _read_json(frames_folder(index.root, split) / "frames.json") for split in SPLITS}
    return fingerprint([index.digest(), manifests])


def _train_in_worker(call: dict[str, Any], line: int) -> tuple[Result, float]:
    start = time.perf_counter()
    return train_network(call, line), time.perf_counter() - start


def _enter_worker(threads: int, parent: int) -> None:
    """Take a share of the cores, and end with the parent."""
    torch.set_num_threads(threads)
    # The pool spawned this process; the runner wants loader workers forked, and says so where it finds otherwise.
    multiprocessing.set_start_method("fork", force=True)

    end_with(parent)


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
