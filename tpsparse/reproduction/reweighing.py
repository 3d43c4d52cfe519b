"""A system whose sources of action scores are weighed anew, from its records: one alone, or by fitted weights."""

from __future__ import annotations

import copy
import shutil
from typing import Any

import numpy as np

from .. import apis
from ..ensemble import Combination, Member, Videos, fit_weights, held_out_votes, refuse_overlap, write_recipe
from ..parsing.actions import read_weights
from .system import Reproduction
from .workplace import Result, read_json


class Reweighing:
    """Steps that follow the test of a system with an ``EnsembleActions``.

    Args:
        system: The system.
        name: Of these weights; what they give is written to a folder of this name.
        source: The one source that is taken, or
        fit_split: held-out videos, neither trained nor tested on, on which the weights of all sources are fitted.
    """

    def __init__(
        self, system: Reproduction, name: str, *, source: str | None = None, fit_split: str | None = None
    ) -> None:
        self.system, self.name, self.source, self.split = system, name, source, fit_split
        self.networks = system.networks
        self.out_dir = system.out_dir / "reweighed" / name
        [weights] = [stage.weights for stage in system.cfg.model.stages if stage.type == "EnsembleActions"]
        all_sources = list(read_weights(weights) if isinstance(weights, str) else weights)
        self.sources = [source] if source else all_sources

    def test(self) -> Result:
        """The metrics of networks and system, with the score and top-1 that the weights give."""
        metrics, place = self.system.test(), self.system.place
        if self.split:
            place.step(f"parse {self.split} for {self.name}", self.identity, self._parse_held_out)
        return metrics | place.step(f"weigh {self.name}", self.identity, self._weigh)["metrics"]

    def report(self) -> Result:
        """The report of the test with these weights."""
        return self.system.place.record[f"weigh {self.name}"]["result"]["report"]

    @property
    def identity(self) -> Any:
        """What the result follows from."""
        place = self.system.place
        held_out = place.digest(self.split) if self.split else None
        return [self.system.identity, self.source, self.split, held_out]

    def _parse_held_out(self) -> Result:
        # Records of other videos, from another reading of the split, would be taken for held-out ones.
        shutil.rmtree(self.out_dir / "held_out", ignore_errors=True)
        cfg = copy.deepcopy(self.system.cfg)
        cfg.model.save_dir = str(self.out_dir / "held_out")
        cfg.test_dataloader.dataset.split = self.split
        cfg.test_evaluator = dict(type="ParseCount")
        metrics, _ = apis.test(cfg)
        return dict(metrics=metrics, skipped=int(metrics["failed"]))

    def _weigh(self) -> Result:
        place, folder = self.system.place, self.system.cfg.model.save_dir
        members = [Member.read(f"{folder}:{source}") for source in self.sources]
        videos = Videos(place.data_root, place.splits["test"])
        weights, found = self._fit(members, videos) if self.split else (np.ones(1), dict(found="given"))
        combination = Combination(members, weights, videos)
        outcome = combination.run(self.out_dir)
        write_recipe(self.out_dir, combination, outcome, found)
        return dict(
            metrics=outcome.metrics,
            report=read_json(self.out_dir / "report.json"),
            weights=dict(zip(self.sources, weights.tolist())),
            skipped=len(outcome.failed),
        )

    def _fit(self, members: list[Member], videos: Videos) -> tuple[np.ndarray, Result]:
        held_out = [Member.read(f"{self.out_dir / 'held_out'}:{source}") for source in self.sources]
        refuse_overlap(held_out, members, videos, trained=self.system.place.names("train"))
        votes, left_out = held_out_votes(held_out, Videos(self.system.place.data_root, self.split or ""))
        weights = fit_weights(votes)
        about = dict(split=self.split, left_out=left_out, **votes.numbers(weights))
        return weights, dict(found="fitted", fit=about)
