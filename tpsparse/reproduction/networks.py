"""Single networks in a workplace: trained, several at a time, and measured."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from .. import apis
from ..engine import load_config
from ..errors import InputError
from ..registry import DATASETS
from ..structures.files import write_json
from ..workers import end_with
from .workplace import LOG, Result, Workplace, read_json

# What two trainings must have in common to give the same network, whatever they ran on: processes, precision, folders.
DECISIVE: dict[str, Callable[[Config], Any]] = {
    "seed": lambda cfg: cfg.randomness.seed,
    "model": lambda cfg: {key: value for key, value in cfg.model.items() if key != "test_cfg"},
    "optimizer": lambda cfg: cfg.optim_wrapper.optimizer,
    "schedule": lambda cfg: [cfg.train_cfg, cfg.param_scheduler],
    "training data": lambda cfg: {
        key: value for key, value in cfg.train_dataloader.dataset.items() if key not in ("data_root", "parses")
    },
}


class Network:
    """One network: its config as the workplace trains it, and the steps that lead to its weights.

    Args:
        place: Where it is trained.
        config: Its training config.
        checkpoint: Folder of its run; by default ``WORK_DIR/<name of the config>``.
        before: The networks whose features it learns from, if it does.
    """

    def __init__(
        self, place: Workplace, config: str | Path, checkpoint: str | Path | None = None, before: Sequence[Network] = ()
    ) -> None:
        self.place, self.config = place, Path(config)
        self.name = self.config.stem
        self.folder = Path(checkpoint or place.work_dir / self.name)
        self.cfg = load_config(**self.call())
        self.parses: str | None = self.cfg.train_dataloader.dataset.get("parses")
        self.before = list(before) if self.parses else []

    @property
    def identity(self) -> Any:
        """What its weights follow from."""
        options, before = self.place.network_options(self.config), [network.tested for network in self.before]
        return self.place.identity(self.config, options, before, training=True)

    @property
    def tested(self) -> Any:
        """What its predictions follow from: its weights, and how it is tested."""
        mark = self.place.record.get(f"train {self.name}", {}).get("mark")
        return [mark, self.place.identity(self.config, self.place.network_options(self.config))]

    @property
    def trained(self) -> bool:
        """Whether its training is done."""
        return self.place.done(f"train {self.name}", self.identity)

    def call(self) -> dict[str, Any]:
        """Arguments of ``load_config`` for its training."""
        options = dict(self.place.network_options(self.config), parses_dir=str(self.place.work_dir / "parses"))
        return dict(path=str(self.config), options=options, work_dir=str(self.folder))

    def load(self) -> Config:
        """Its config, as it is trained here, to be changed at will."""
        return copy.deepcopy(self.cfg)

    def train(self) -> Result:
        """Train it in this process, unless that was done."""
        return self.place.step(f"train {self.name}", self.identity, self._train)

    def measure(self) -> Result:
        """Test it by its own metric, unless that was done; nothing if the test split has no annotations."""
        if not self._can_be_measured():
            LOG.info("measure %s: left out, the test split has no annotations", self.name)
            return dict(metrics={}, skipped=0)
        return self.place.step(f"measure {self.name}", [self.tested, self.place.data["test"]], self._measure)

    @property
    def finished(self) -> bool:
        """Whether its folder holds the checkpoint of the last epoch, whoever trained it."""
        last = self.folder / "last_checkpoint"
        epochs = self.cfg.train_cfg.max_epochs
        return last.is_file() and Path(last.read_text().strip()).stem == f"epoch_{epochs}"

    def claim(self) -> None:
        """Refuse to go on from weights that were trained otherwise."""
        mark = self.place.mark(self.identity)
        known = read_json(self.folder / "trained_from.json")
        others = [] if known else self._differences()
        if others or (known and known.get("mark") != mark):
            told = f"{self.folder} was trained with another config or data" + f" ({', '.join(others)})" * bool(others)
            raise InputError(f"{told}: remove it or give another --work-dir")
        write_json(self.folder / "trained_from.json", dict(mark=mark))

    def _differences(self) -> list[str]:
        """What is set otherwise in the config that a training by tools/train.py has left in the folder, if one has."""
        file = self.folder / self.config.name
        if not file.is_file():
            return []
        left = Config.fromfile(file, lazy_import=False)
        return [name for name, of in DECISIVE.items() if _plain(of(left)) != _plain(of(self.cfg))]

    def _train(self) -> Result:
        self.claim()
        return train_network(self.call())

    def _can_be_measured(self) -> bool:
        dataset = DATASETS.get(self.cfg.test_dataloader.dataset.type)
        return not dataset.needs_annotations or len(self.place.index("test").frames) > 0

    def _measure(self) -> Result:
        metrics, runner = apis.test(self.load())
        return dict(metrics=metrics, skipped=len(runner.test_dataloader.dataset.problems))


def default_jobs() -> int:
    """Networks trained at a time where nothing is said: one a core, or one where there is a GPU."""
    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def train_side_by_side(networks: Sequence[Network], jobs: int) -> None:
    """Train networks that do not learn from each other's output.

    Args:
        networks: Of one workplace or several; those that are trained already are passed over.
        jobs: At a time, each with its share of the cores.
    """
    waiting = [network for network in networks if not network.trained]
    if jobs == 1 or len(waiting) < 2:
        for network in networks:
            network.train()
        return
    jobs = min(jobs, len(waiting))
    threads = max(1, (os.cpu_count() or 1) // jobs)
    for network in waiting:
        network.claim()
    LOG.info("train %s: started, %d at a time", ", ".join(network.name for network in waiting), jobs)
    with spawned_pool(jobs, threads) as pool:
        started = {pool.submit(_train_in_worker, n.call(), i % jobs): n for i, n in enumerate(waiting)}
        try:
            for future in as_completed(started):
                network = started[future]
                result, seconds = future.result()
                network.place.note(f"train {network.name}", network.identity, result, seconds)
        except BaseException:
            # After an error or an interrupt, what has not begun does not begin.
            pool.shutdown(cancel_futures=True)
            raise


def spawned_pool(jobs: int, threads: int) -> ProcessPoolExecutor:
    """Processes of their own interpreter, which share the cores and end with this one."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, spawn, _enter_worker, (threads, os.getpid()))


def train_network(call: dict[str, Any], line: int = 0) -> Result:
    """Train a network, or go on training it.

    Args:
        call: Arguments of ``load_config``.
        line: Which line of the terminal its progress bar takes.
    """
    cfg = load_config(**call)
    cfg.progress_line = line
    return dict(skipped=len(apis.train(cfg, resume=True).train_dataloader.dataset.problems))


def _plain(value: Any) -> Any:
    """A part of a config as JSON has it: a dumped config has lists in place of some tuples."""
    return json.loads(json.dumps(value, default=str))


def _train_in_worker(call: dict[str, Any], line: int) -> tuple[Result, float]:
    start = time.perf_counter()
    return train_network(call, line), time.perf_counter() - start


def _enter_worker(threads: int, parent: int) -> None:
    """Take a share of the cores, and end with the parent."""
    torch.set_num_threads(threads)
    # The pool spawned this process; the runner wants loader workers forked, and says so where it finds otherwise.
    multiprocessing.set_start_method("fork", force=True)
    end_with(parent)
