"""A whole system from its config: every network trained, what it learns from parsed, the system tested and drawn.

Each step is skipped when it has been done with the same config and data, and goes on where it was interrupted.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .. import apis
from ..datasets.video import Video, frames_of, open_video
from ..engine import evaluators, load_config, of_evaluators
from ..errors import InputError
from ..parsing import ActionParser
from ..parsing.network import file_digest, find_checkpoint
from ..registry import STAGES
from ..structures import VideoParse
from ..structures.files import MADE_BY, write_json
from ..visualization import write_overlay_reel
from .networks import Network
from .training import default_jobs, train_side_by_side
from .workplace import LOG, Result, Workplace, read_json

DRAWN_VIDEOS = 8
SCORE = "KineticsTPSMetric"


class Reproduction:
    """The steps of one system.

    A stage with a ``config`` has a network. Its ``checkpoint`` is the folder of the network's run, by default
    ``WORK_DIR/<name>``, and the network is trained there unless that was done. A checkpoint that is a file (``.pth``)
    or a URL is given: such a network is used unchanged, neither trained nor measured.

    A system whose ``test_evaluator`` is without the challenge's score has no floor, overlay or report of it.

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
        self.scored = SCORE in [str(each.type).rpartition(".")[2] for each in evaluators(self.cfg)]
        self.out_dir = Path(of_evaluators(self.cfg, "out_dir") or self.cfg.out_dir)
        self.positions, self.networks = self._networks()

    def run(self) -> Result:
        """Do every step, down to the floor and the overlay; the report, which is also in ``report.json``."""
        with self.place.own():
            self.test()
            if self.has_floor:
                self.place.step(f"floor {self.name}", [self.identity, self.cfg.floor], self._test_floor)
            if self.scored:
                self.place.step(f"overlay {self.name}", self.identity, self._draw)
            return self._whole_report()

    @property
    def has_floor(self) -> bool:
        """Whether there is a floor to compare its score with."""
        return self.scored and self.cfg.get("floor") is not None

    def test(self) -> Result:
        """Train and measure the networks, and test the system; the metrics of all of them, by name."""
        with self.place.own():
            return self._train_and_test()

    def _train_and_test(self) -> Result:
        train_side_by_side([network for network in self.networks if not network.parses], self.jobs)
        metrics: dict[str, Any] = {}
        for position, network in zip(self.positions, self.networks):
            if network.parses:
                self._learn(position, network)
            if network.is_measured_alone:
                metrics |= network.measure()["metrics"]
        return metrics | self.place.step(f"test {self.name}", self.identity, self._test)["metrics"]

    def report(self) -> Result:
        """The report of the test."""
        return self.place.record[f"test {self.name}"]["result"]["report"]

    @property
    def identity(self) -> Any:
        """What its scores follow from."""
        before = [network.tested for network in self.networks] + self._given(self.cfg.model.stages)
        return [self.place.identity(self.config, self.options, before), self.place.data["test"]]

    def _networks(self) -> tuple[list[int], list[Network]]:
        """Positions of the stages whose networks are trained here, and the networks."""
        stages = self.cfg.model.stages
        positions = [i for i, stage in enumerate(stages) if "config" in stage and not _is_given(stage)]
        networks: list[Network] = []
        for i in positions:
            stage = stages[i]
            network = Network(self.place, stage.config, stage.checkpoint, options=stage.get("train_options"))
            if network.parses:
                row = self._row_before(i, network)
                rules = [dict(each) for each in row if "config" not in each]
                before = [each for j, each in zip(positions, networks) if j < len(row)]
                # What follows from networks alone is known by these.
                network.learn_from(before, [*rules, *self._given(row)] or None)
            networks.append(network)
        return positions, networks

    def _row_before(self, position: int, network: Network) -> list[Any]:
        """The stages that make the records which a network learns from.

        Keypoints come with the boxes that they were found in, so the row ends with the stage that gives keypoints;
        features are of all stages before the network's own.
        """
        row = self.cfg.model.stages[:position]
        givers = [i for i, stage in enumerate(row) if network.reads in _gives(stage)]
        return row[: givers[-1] + 1] if givers else row

    def _given(self, stages: Iterable[Any]) -> list[str]:
        """Digests of the weights that are used as they are."""
        return [file_digest(find_checkpoint(each.checkpoint, each.config)) for each in stages if _is_given(each)]

    def _learn(self, position: int, network: Network) -> None:
        """Train a network on records of the stages before its own, and make those that it is measured on."""
        if not network.trained:
            network.claim()  # before the records that other weights in its folder were trained on are replaced
            self._fill(position, network, "train")
            network.train()
        if network.test_parses and not network.measured:
            self._fill(position, network, "test")

    def _fill(self, position: int, network: Network, kind: str) -> None:
        """Have a network's folder of saved parses hold the videos of its split, as the stages before it parse them.

        Networks with other stages before them may use the same folder, one after the other: a file in it says whose
        records it holds, and each record which stages have made it.
        """
        folder = network.parses if kind == "train" else network.test_parses
        assert folder is not None
        cfg = self._parsing(position, network, kind)
        cfg.model.save_dir = folder
        step = f"features for {network.name}" + " (test)" * (kind == "test")
        made_by = [[each.tested for each in network.before], network.made_by, dict(cfg.model.frames)]
        mark = self.place.mark([made_by, self.place.data[kind]])
        if read_json(Path(folder) / MADE_BY).get("mark") != mark:
            self.place.forget(step)
        identity = network.identity if kind == "train" else [network.identity, self.place.data["test"]]
        self.place.step(step, identity, partial(_parse_all, cfg, mark))

    def _parsing(self, position: int, network: Network, kind: str) -> Any:
        """A config that parses a split with the stages before a network's own, at the frames that it asks for.

        These are the stage's ``train_frames`` or ``frames`` or, where it has none, those that the network's data set
        takes of a video.
        """
        stage = self.cfg.model.stages[position]
        cfg = copy.deepcopy(self.cfg)
        cfg.title = "features"
        dataset = network.cfg[f"{kind}_dataloader"].dataset
        own = dict(type="EveryFrame", step=dataset.get("frame_step", 1))
        cfg.model.frames = (stage.get("train_frames") if kind == "train" else None) or stage.get("frames") or own
        cfg.model.stages = cfg.model.stages[: len(self._row_before(position, network))]
        cfg.test_dataloader.dataset.split = self.place.splits[kind]
        cfg.test_evaluator = dict(type="ParseCount")
        return cfg

    def _test(self) -> Result:
        metrics, runner = apis.test(copy.deepcopy(self.cfg))
        return dict(
            metrics=metrics,
            # Another system's may lie in the folder of one without the score.
            report=read_json(self.out_dir / "report.json") if self.scored else {},
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
        measured = [network.name for network in self.networks if f"measure {network.name}" in record]
        report = dict(
            self.report(),
            networks={name: record[f"measure {name}"]["result"]["metrics"] for name in measured},
            seconds={name: step["seconds"] for name, step in record.items()},
            system=self.config.name,
        )
        if self.has_floor:
            report["baseline_score"] = record[f"floor {self.name}"]["result"]["score"]
        # The challenge's own numbers are in the report already, as far as it was scored.
        metrics = record[f"test {self.name}"]["result"]["metrics"]
        report["metrics"] = {name: value for name, value in metrics.items() if not name.startswith("tps/")}
        write_json(self.out_dir / "report.json", report)
        return report


def _is_given(stage: Any) -> bool:
    """Whether the weights of a stage are used as they are: a file or a URL, not the folder of a training."""
    return "config" in stage and ("://" in stage.checkpoint or str(stage.checkpoint).endswith(".pth"))


def _gives(stage: Any) -> Sequence[str]:
    """The fields that a stage gives, as far as they follow from its kind or its config says so."""
    return stage.get("gives") or getattr(STAGES.get(stage.type), "gives", ())


def _parse_all(cfg: Any, mark: str) -> Result:
    """Parse a split into the folder of ``cfg``; a file in it says so once it is whole."""
    made_by = Path(cfg.model.save_dir) / MADE_BY
    made_by.unlink(missing_ok=True)
    metrics, _ = apis.test(cfg)
    write_json(made_by, dict(mark=mark))
    return dict(metrics=metrics, skipped=int(metrics["failed"]))


def _parse_each(parser: ActionParser, videos: Iterable[Video]) -> Iterator[tuple[Iterator[np.ndarray], VideoParse]]:
    """Frames and record of each video; one that breaks has been told of in the test."""
    for video in videos:
        try:
            parse = parser.parse_video(video)
        except InputError as error:
            LOG.warning("%s (not drawn)", error)
            continue
        yield frames_of(video), parse
