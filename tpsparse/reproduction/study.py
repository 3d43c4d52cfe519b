"""Comparisons of systems or networks over several seeds, as the tables of a report have them.

A study config names its data set and splits, and has

``rows``
    name of a row to ``name`` (as printed), ``config`` (of a system or of one network, below the folder ``configs``),
    ``paper``, the report's own numbers by metric, for a network maybe ``train_options``, overrides of its config, and
    for a system maybe ``source``, the one source of action scores that is taken from its records, or ``fit_split``,
    held-out videos on which the weights of all sources are fitted;
``columns``
    name of a metric, as a test gives it, to its heading;
``by_task``
    folder of training configs to overrides of the networks in it, such as fewer frames to train on;
``given_weights``
    name of a network to a file of weights that are used as they are in every system, instead of being trained;
``by_part``
    metrics that are given for each part, to their headings: a table each, parts by rows;
``comparisons``
    pairs ``[first, second]`` of systems whose score and top-1 are compared video by video.

All rows of a seed share one work folder, and so the networks that they have in common.
"""

from __future__ import annotations

import logging
import os
import shlex
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import numpy as np

from .. import apis
from ..engine import load_config
from ..errors import InputError
from ..evaluation.functional.intervals import difference_interval
from ..evaluation.functional.score import score_contributions
from ..structures.files import atomic_write, write_json
from ..structures.folder_lock import folder_lock
from .networks import Network
from .reweighing import Reweighing
from .system import Reproduction
from .tables import render
from .training import default_jobs, spawned_pool, train_side_by_side, with_sources
from .workplace import Result, Workplace

Row = Network | Reproduction | Reweighing


class Study:
    """The rows of a table, trained and tested over seeds.

    Args:
        config: A study config.
        work_dir: Where everything is written, a folder a seed in it; ``work_dirs/<name of the config>`` by default.
        options: Overrides of the study and of every network and system in it.
        seeds: Of the trainings; the data set is the same in all.
        jobs: Networks trained, and seeds tested, at a time; by default one a core, or one where there is a GPU.

    Raises:
        InputError: If the config is not of a study, or names a row that is not there.
    """

    def __init__(
        self,
        config: str | Path,
        *,
        work_dir: str | None = None,
        options: dict[str, Any] | None = None,
        seeds: tuple[int, ...] = (0,),
        jobs: int | None = None,
    ) -> None:
        self.config, self.seeds = Path(config), tuple(dict.fromkeys(seeds))
        self.jobs = jobs or default_jobs()
        self.cfg = load_config(config, options=options, work_dir=work_dir)
        if not self.cfg.get("rows") or not self.cfg.get("columns"):
            raise InputError(f"config {config} has no rows or columns: give a study config, as in configs/studies/")
        for row in (row for pair in self.cfg.get("comparisons", []) for row in pair):
            if row not in self.cfg.rows:
                raise InputError(f"config {config} compares {row}, which is none of its rows: correct comparisons")
        self.work_dir = Path(self.cfg.work_dir)
        self.options = options or {}
        self.places = {seed: self._place(seed) for seed in self.seeds}
        self.rows = {seed: self._rows(place) for seed, place in self.places.items()}

    def run(self) -> Result:
        """Train and test every row with every seed; the table, also in ``<name of the config>.json`` and ``.md``."""
        with folder_lock(self.work_dir):
            return self._run()

    def _run(self) -> Result:
        self.train()
        results = self._test_seeds() if self.jobs > 1 and len(self.seeds) > 1 else self.test()
        table = dict(
            title=self.cfg.title,
            data=dict(root=self.cfg.data_root, train=self.cfg.train_split, test=self.cfg.test_split),
            seeds=list(self.seeds),
            columns=self.cfg.columns.to_dict(),
            by_part=dict(self.cfg.get("by_part", {})),
            parts=list(self.cfg.taxonomy.parts),
            rows={
                name: dict(name=row.name, paper=dict(row.get("paper", {})), values=_by_metric(results, name))
                for name, row in self.cfg.rows.items()
            },
            comparisons=[_compare(results, *pair) for pair in self.cfg.get("comparisons", [])],
        )
        write_json(self.work_dir / f"{self.config.stem}.json", table)
        with atomic_write(self.work_dir / f"{self.config.stem}.md") as partial:
            partial.write_text(render(table), encoding="utf-8")
        return table

    def train(self) -> None:
        """Train every network of every row and seed that does not learn from another one's output."""
        networks: dict[tuple[int, str], Network] = {}
        for seed, rows in self.rows.items():
            for row in rows.values():
                networks.update({(seed, network.name): network for network in _own(row) if not network.parses})
        train_side_by_side(list(networks.values()), self.jobs)

    def test(self) -> dict[int, dict[str, Result]]:
        """Do what is left of every row, in this process; seed to row to its metrics and, for a system, its videos."""
        return {seed: {name: _finish(row) for name, row in rows.items()} for seed, rows in self.rows.items()}

    def _rows(self, place: Workplace) -> dict[str, Row]:
        """The networks and systems of the table in the workplace of a seed."""
        found: dict[str, Row] = {}
        for name, row in self.cfg.rows.items():
            config = Path(self.cfg.configs) / row.config
            cfg = load_config(config, options=place.options, taxonomy=place.taxonomy, label_table={})
            if not apis.is_system(cfg):
                found[name] = self._network(place, config, row)
                continue
            system = Reproduction(config, place=place, jobs=1)
            given = {key: row[key] for key in ("source", "fit_split") if key in row}
            found[name] = Reweighing(system, name, **given) if given else system
        return found

    def commands(self, processes: int) -> list[str]:
        """What a cluster is given: one training a line, in the order of the rows; those that are done are left out,
        whoever did them.

        A network stands below the one that it starts from, and must wait for it. Networks that learn from the records
        of others are not among them: the study itself trains them afterwards.
        """
        lines: dict[str, None] = {}
        for seed, rows in self.rows.items():
            for row in rows.values():
                for network in with_sources([each for each in _own(row) if not each.parses]):
                    if not network.finished:
                        lines[_command(network, seed, processes)] = None
        return list(lines)

    def _network(self, place: Workplace, config: Path, row: Any) -> Network:
        network = Network(place, config, options=row.get("train_options"))
        if network.parses:
            told = f"config {self.config} has a row of {config}, which learns from what other networks have parsed"
            raise InputError(f"{told}: name a system in which it stands")
        return network

    def _place(self, seed: int) -> Workplace:
        shared = ("data_root", "train_split", "test_split", "given_weights")
        given = {key: self.cfg[key] for key in shared if key in self.cfg}
        options = {**self.options, **given, "randomness.seed": seed}
        cfg = load_config(self.config, options=options, work_dir=self.work_dir / f"seed{seed}")
        return Workplace(cfg, options, self.cfg.get("by_task", {}))

    def _test_seeds(self) -> dict[int, dict[str, Result]]:
        """As :meth:`test`, several seeds at a time."""
        call = dict(config=str(self.config), work_dir=str(self.work_dir), options=self.options, jobs=1)
        with spawned_pool(min(self.jobs, len(self.seeds)), threads=1) as pool:
            started = {pool.submit(_test_seed, {**call, "seeds": (seed,)}): seed for seed in self.seeds}
            done = {started[future]: future.result() for future in as_completed(started)}
        return {seed: done[seed] for seed in self.seeds}

    @property
    def skipped(self) -> int:
        """How many items could not be used, over all seeds."""
        return sum(place.skipped for place in self.places.values())


def _own(row: Row) -> list[Network]:
    """The networks of a row."""
    return [row] if isinstance(row, Network) else row.networks


def _test_seed(call: dict[str, Any]) -> dict[str, Result]:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    [result] = Study(**call).test().values()
    return result


def _finish(row: Row) -> Result:
    """Metrics of a row by name and, for a system, what each video adds to its score and its top-1."""
    if isinstance(row, Network):
        row.train()
        return dict(metrics=row.measure()["metrics"], videos={})
    metrics, report = row.test(), row.report()
    correct = report.get("action_correct") or {}
    videos = {"tps/action_top1": {video: float(right) for video, right in correct.items()}}
    if report.get("psc") is not None:
        psc = np.array([report["psc"][video] for video in correct])
        added = score_contributions(psc, np.array(list(correct.values())))
        videos["tps/score"] = dict(zip(correct, added.tolist()))
    return dict(metrics=metrics, videos={metric: values for metric, values in videos.items() if values})


def _by_metric(results: dict[int, dict[str, Result]], row: str) -> dict[str, list[float]]:
    """Every metric of a row, one value a seed."""
    metrics = [result[row]["metrics"] for result in results.values()]
    return {name: [each[name] for each in metrics] for name in metrics[0] if all(name in each for each in metrics)}


def _compare(results: dict[int, dict[str, Result]], first: str, second: str) -> Result:
    """How two rows differ in score and top-1: by seed, and of their means over seeds with its interval over videos."""
    found: Result = {}
    for metric in ("tps/score", "tps/action_top1"):
        both = [[result[row]["videos"].get(metric) for result in results.values()] for row in (first, second)]
        if all(videos for row in both for videos in row):
            means = [{video: float(np.mean([each[video] for each in row])) for video in row[0]} for row in both]
            seeds = [float(np.mean(list(a.values())) - np.mean(list(b.values()))) for a, b in zip(*both)]
            found[metric] = dict(seeds=seeds, **difference_interval(*means).to_json())
    return dict(first=first, second=second, differences=found)


def _command(network: Network, seed: int, processes: int) -> str:
    options = {key: value for key, value in network.options.items() if key != "randomness.seed"}
    words = ["bash", "tools/dist_train.sh", os.path.relpath(network.config), str(processes)]
    words += ["--work-dir", str(network.folder), "--seed", str(seed), "--resume"]
    return shlex.join([*words, "--cfg-options", *(f"{key}={value}" for key, value in options.items())])
