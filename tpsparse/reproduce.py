"""A whole system from its config: every network trained in order, features extracted, tested, drawn.

Each step is skipped when it has been done with the same config and data, and goes on where it was interrupted.
"""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config
from tqdm import tqdm

from . import apis
from .datasets.index import open_index
from .datasets.video import frames_of, open_video
from .engine import load_config
from .errors import InputError
from .parsing.network import fingerprint
from .structures.files import write_json
from .visualization import write_overlay_reel

DRAWN_VIDEOS = 8
LOG = logging.getLogger("tpsparse")


class Reproduction:
    """The steps of one system in one work folder.

    Args:
        config: A system config.
        work_dir: Where everything is written; ``work_dirs/<name of the config>`` by default.
        options: Overrides. Those of ``model.*`` are of the system alone, the others of every network as well.

    Attributes:
        skipped: How many items could not be used, over all steps.
    """

    def __init__(self, config: str | Path, *, work_dir: str | None = None, options: dict[str, Any] | None = None):
        self.config = Path(config)
        self.options = options or {}
        self.cfg = load_config(config, options=self.options, work_dir=work_dir)
        if not apis.is_system(self.cfg):
            raise InputError(f"config {config} is of one network: train it with tools/train.py")
        self.work_dir = Path(self.cfg.work_dir)
        self.record_file = self.work_dir / "steps.json"
        self.record: dict[str, Any] = _read_json(self.record_file)
        self.data = data_fingerprint(Path(self.cfg.data_root))
        self.skipped = 0

    def run(self) -> dict[str, Any]:
        """Do every step; the report, which is also in ``report.json``."""
        for position, stage in enumerate(self.cfg.model.stages):
            if "config" in stage:
                self._train_network(position, stage)
        results = self.step("test", self._identity(self.cfg), self._test_system)
        floor = self.step("floor", [self._identity(self.cfg), self.cfg.floor], self._test_floor)
        self.step("overlay", self._identity(self.cfg), self._draw)
        report = dict(_read_json(self.work_dir / "report.json"))
        report.update(
            baseline_score=floor["score"],
            networks=self._network_metrics(),
            seconds={name: step["seconds"] for name, step in self.record.items()},
            system=self.config.name,
            sources=results["sources"],
        )
        write_json(self.work_dir / "report.json", report)
        return report

    def step(self, name: str, identity: Any, work: Callable[[], Any]) -> Any:
        """Do ``work`` unless the record says that it was done with this identity; its result, which JSON can hold."""
        mark = fingerprint([identity, self.data])
        known = self.record.get(name)
        if known and known["mark"] == mark:
            LOG.info("%s: done before", name)
            return known["result"]
        start = time.perf_counter()
        LOG.info("%s: started", name)
        result = work()
        seconds = round(time.perf_counter() - start, 1)
        self.record[name] = dict(mark=mark, seconds=seconds, result=result)
        write_json(self.record_file, self.record)
        LOG.info("%s: done in %.0f s", name, seconds)
        return result

    def _train_network(self, position: int, stage: Any) -> None:
        cfg = self._network_config(stage)
        name = Path(stage.config).stem
        eats = cfg.train_dataloader.dataset.get("parses")
        if eats:
            self.step(f"features for {name}", self._identity(self.cfg), lambda: self._extract(position, eats))
        identity = self._identity(cfg)
        self._claim(Path(cfg.work_dir), identity)
        self.step(f"train {name}", identity, lambda: self._train(cfg))
        if not cfg.test_dataloader.dataset.get("parses"):
            self.step(f"measure {name}", identity, lambda: self._measure(stage))

    def _network_config(self, stage: Any) -> Config:
        shared = {key: value for key, value in self.options.items() if not key.startswith("model.")}
        words = {"parses_dir": str(self.work_dir / "parses")}
        return load_config(stage.config, options={**shared, **words}, work_dir=stage.checkpoint)

    def _claim(self, folder: Path, identity: Any) -> None:
        """Refuse to go on from weights that were trained otherwise."""
        mark = fingerprint([identity, self.data])
        file = folder / "trained_from.json"
        known = _read_json(file)
        if known and known.get("mark") != mark:
            raise InputError(f"{folder} was trained with another config or data: remove it or give another --work-dir")
        write_json(file, dict(mark=mark))

    def _train(self, cfg: Config) -> dict[str, Any]:
        runner = apis.train(cfg, resume=True)
        self.skipped += len(runner.train_dataloader.dataset.problems)
        return {}

    def _measure(self, stage: Any) -> dict[str, float]:
        metrics, runner = apis.test(self._network_config(stage))
        self.skipped += len(runner.test_dataloader.dataset.problems)
        return metrics

    def _extract(self, position: int, folder: str) -> dict[str, Any]:
        """Parse the training videos with the stages before ``position`` at the frames that its stage wants."""
        cfg = copy.deepcopy(self.cfg)
        cfg.title = "features"
        cfg.model.frames = cfg.model.stages[position].frames
        cfg.model.stages = cfg.model.stages[:position]
        cfg.model.save_dir = folder
        cfg.test_dataloader.dataset.split = "train"
        cfg.test_evaluator = dict(type="ParseCount")
        metrics, _ = apis.test(cfg)
        return metrics

    def _test_system(self) -> dict[str, Any]:
        metrics, runner = apis.test(copy.deepcopy(self.cfg))
        self.skipped += len(runner.test_dataloader.dataset.problems)
        report = _read_json(self.work_dir / "report.json")
        return dict(metrics=metrics, sources=report.get("sources", {}))

    def _test_floor(self) -> dict[str, Any]:
        cfg = load_config(self.cfg.floor, options=self.options, work_dir=self.work_dir)
        apis.test(cfg)
        return dict(score=_read_json(Path(cfg.test_evaluator.out_dir) / "report.json")["score"])

    def _draw(self) -> dict[str, Any]:
        """One test video of each action, every frame parsed and drawn, one after the other."""
        parser, taxonomy = apis.build_parser(self.config, work_dir=self.work_dir, options=self.options)
        first = {entry.action: entry for entry in reversed(open_index(self.cfg.data_root, "test", taxonomy).videos)}
        videos = [open_video(first[action].path) for action in sorted(first)[:DRAWN_VIDEOS]]
        parsed = ((frames_of(video), parser.parse_video(video)) for video in tqdm(videos, desc="draw", unit="video"))
        write_overlay_reel(self.work_dir / "overlay.mp4", parsed, taxonomy, videos[0].fps)
        return {}

    def _network_metrics(self) -> dict[str, Any]:
        prefix = "measure "
        return {name.removeprefix(prefix): step["result"] for name, step in self.record.items() if prefix in name}

    def _identity(self, cfg: Config) -> Any:
        """A config without where it writes, joined with what the networks of a system were trained from."""
        values = {key: value for key, value in cfg.to_dict().items() if key not in ("work_dir", "filename")}
        networks = [
            self.record.get(f"train {Path(stage.config).stem}", {}).get("mark")
            for stage in cfg.model.get("stages", [])
            if "config" in stage
        ]
        return [values, networks]


def data_fingerprint(root: Path) -> str:
    """A digest of the names, sizes and times of the files of a data set."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return fingerprint([(str(path.relative_to(root)), (s := path.stat()).st_size, s.st_mtime_ns) for path in files])


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
