"""A whole system from its config: every network trained, features extracted, tested, drawn.

Each step is skipped when it has been done with the same config and data, and goes on where it was interrupted.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .. import apis
from ..datasets.video import Video, frames_of, open_video
from ..engine import load_config
from ..errors import InputError
from ..parsing import ActionParser
from ..structures import VideoParse
from ..structures.files import write_json
from ..visualization import write_overlay_reel
from .networks import Network, default_jobs, train_side_by_side
from .workplace import LOG, Result, Workplace, read_json

DRAWN_VIDEOS = 8


class Reproduction:
    """The steps of one system.

    Args:
        config: A system config.
        work_dir: Folder of its networks; ``work_dirs/<name of the config>`` by default.
        options: Overrides. Those of ``model.*`` are of the system alone, the others of every network as well.
        jobs: Networks trained at a time, each with its share of the cores; by default one a core, or one where there
            is a GPU.
        place: The workplace, where several systems share one; its overrides are then used.
    """

    def __init__(
        self,
        config: str | Path,
        *,
        work_dir: str | Path | None = None,
        options: dict[str, Any] | None = None,
        jobs: int | None = None,
        place: Workplace | None = None,
    ) -> None:
        if place is not None:
            work_dir, options = place.work_dir, place.options
        self.config = Path(config)
        self.options = options or {}
        self.jobs = jobs or default_jobs()
        self.cfg = load_config(config, options=self.options, work_dir=work_dir)
        if not apis.is_system(self.cfg):
            raise InputError(f"config {config} is of one network: train it with tools/train.py")
        self.name = self.config.stem
        self.place = place or Workplace(self.cfg, self.options)
        self.out_dir = Path(self.cfg.test_evaluator.out_dir)
        self.positions, self.networks = self._networks()

    def run(self) -> Result:
        """Do every step, down to the floor and the overlay; the report, which is also in ``report.json``."""
        self.test()
        self.place.step(f"floor {self.name}", [self.identity, self.cfg.floor], self._test_floor)
        self.place.step(f"overlay {self.name}", self.identity, self._draw)
        return self._whole_report()

    def test(self) -> Result:
        """Train and measure the networks, and test the system; the metrics of all of them, by name."""
        train_side_by_side([network for network in self.networks if not network.parses], self.jobs)
        metrics: dict[str, Any] = {}
        for position, network in zip(self.positions, self.networks):
            if network.parses:
                extract = partial(self._extract, position, network)
                self.place.step(f"features for {network.name}", network.identity, extract)
                network.train()
            else:
                metrics |= network.measure()["metrics"]
        return metrics | self.place.step(f"test {self.name}", self.identity, self._test)["metrics"]

    def report(self) -> Result:
        """The report of the test."""
        return self.place.record[f"test {self.name}"]["result"]["report"]

    @property
    def identity(self) -> Any:
        """What its scores follow from."""
        before = [network.tested for network in self.networks]
        return [self.place.identity(self.config, self.options, before), self.place.data["test"]]

    def _networks(self) -> tuple[list[int], list[Network]]:
        """Positions of the stages that have a network, and the networks."""
        stages = self.cfg.model.stages
        positions = [position for position, stage in enumerate(stages) if "config" in stage]
        networks: list[Network] = []
        for position in positions:
            stage = stages[position]
            # Those that learn from features themselves give scores, and no features to learn from.
            before = [network for network in networks if not network.parses]
            networks.append(Network(self.place, stage.config, stage.checkpoint, before))
        return positions, networks

    def _extract(self, position: int, network: Network) -> Result:
        """Parse the training videos with the stages before a network's own, at the frames that its stage wants."""
        stage = self.cfg.model.stages[position]
        cfg = copy.deepcopy(self.cfg)
        cfg.title = "features"
        cfg.model.frames = stage.get("train_frames", stage.frames)
        cfg.model.stages = cfg.model.stages[:position]
        cfg.model.save_dir = network.parses
        cfg.test_dataloader.dataset.split = cfg.train_split
        cfg.test_evaluator = dict(type="ParseCount")
        metrics, _ = apis.test(cfg)
        return dict(metrics=metrics, skipped=int(metrics["failed"]))

    def _test(self) -> Result:
        metrics, runner = apis.test(copy.deepcopy(self.cfg))
        return dict(
            metrics=metrics,
            report=read_json(self.out_dir / "report.json"),
            skipped=len(runner.test_dataloader.dataset.problems),
        )

    def _test_floor(self) -> Result:
        """Score the floor of this system, which takes its persons, parts and actions from the records of the test."""
        out_dir = self.out_dir / "most_frequent"
        cfg = load_config(
            self.cfg.floor, options=dict(self.options, out_dir=str(out_dir)), work_dir=self.place.work_dir
        )
        cfg.model.stages[0].folder = self.cfg.model.save_dir
        apis.test(cfg)
        return dict(score=read_json(out_dir / "report.json")["score"])

    def _draw(self) -> Result:
        """One test video of each action, every frame parsed and drawn, one after the other."""
        parser, taxonomy = apis.build_parser(self.config, work_dir=self.place.work_dir, options=self.options)
        first = {entry.action: entry for entry in reversed(self.place.index("test").videos)}
        videos = [open_video(first[action].path) for action in sorted(first)[:DRAWN_VIDEOS]]
        parsed = _parse_each(parser, tqdm(videos, desc="draw", unit="video"))
        write_overlay_reel(self.out_dir / "overlay.mp4", parsed, taxonomy, videos[0].fps)
        return {}

    def _whole_report(self) -> Result:
        record = self.place.record
        report = dict(
            self.report(),
            baseline_score=record[f"floor {self.name}"]["result"]["score"],
            networks={
                network.name: record[f"measure {network.name}"]["result"]["metrics"]
                for network in self.networks
                if f"measure {network.name}" in record
            },
            seconds={name: step["seconds"] for name, step in record.items()},
            system=self.config.name,
        )
        write_json(self.out_dir / "report.json", report)
        return report


def _parse_each(parser: ActionParser, videos: Iterable[Video]) -> Iterator[tuple[Iterator[np.ndarray], VideoParse]]:
    """Frames and record of each video; one that breaks has been told of in the test."""
    for video in videos:
        try:
            parse = parser.parse_video(video)
        except InputError as error:
            LOG.warning("%s (not drawn)", error)
            continue
        yield frames_of(video), parse
