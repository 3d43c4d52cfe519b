"""A system whose sources of action scores are weighed anew, by what they are worth on held-out videos."""

from __future__ import annotations

import copy
from typing import Any

from .. import apis
from ..ensemble import Combination, Member, Videos, fit_weights, held_out_votes, refuse_overlap, write_recipe
from ..parsing.actions import read_weights
from .system import Reproduction
from .workplace import Result, read_json


class FittedEnsemble:
    """Steps that follow the test of a system: held-out videos parsed, weights fitted, the tested videos judged anew.

    Args:
        system: A system that ends in ``EnsembleActions``.
        split: The held-out videos, neither trained nor tested on.
    """

    def __init__(self, system: Reproduction, split: str) -> None:
        self.system, self.split = system, split
        self.networks = system.networks
        self.out_dir = system.out_dir / "fitted"
        weights = system.cfg.model.stages[-1].weights
        self.sources = list(read_weights(weights) if isinstance(weights, str) else weights)

    def test(self) -> Result:
        """The metrics of networks and system, with the score and top-1 that the fitted weights give."""
        metrics, place, identity = self.system.test(), self.system.place, self.identity
        place.step(f"parse {self.split} {self.system.name}", identity, self._parse_held_out)
        return metrics | place.step(f"fit {self.system.name}", identity, self._fit)["metrics"]

    def report(self) -> Result:
        """The report of the test with fitted weights."""
        return self.system.place.record[f"fit {self.system.name}"]["result"]["report"]

    @property
    def identity(self) -> Any:
        """What the weights follow from."""
        return [self.system.identity, self.split]

    def _parse_held_out(self) -> Result:
        cfg = copy.deepcopy(self.system.cfg)
        cfg.model.save_dir = str(self.out_dir / "held_out")
        cfg.test_dataloader.dataset.split = self.split
        cfg.test_evaluator = dict(type="ParseCount")
        metrics, _ = apis.test(cfg)
        return dict(metrics=metrics, skipped=int(metrics["failed"]))

    def _fit(self) -> Result:
        place, folder = self.system.place, self.system.cfg.model.save_dir
        members = [Member.read(f"{folder}:{source}") for source in self.sources]
        held_out = [Member.read(f"{self.out_dir / 'held_out'}:{source}") for source in self.sources]
        videos = Videos(place.data_root, place.splits["test"])
        refuse_overlap(held_out, members, videos)
        votes, left_out = held_out_votes(held_out, Videos(place.data_root, self.split))
        weights = fit_weights(votes)
        combination = Combination(members, weights, videos)
        outcome = combination.run(self.out_dir)
        about = dict(split=self.split, left_out=left_out, **votes.numbers(weights))
        write_recipe(self.out_dir, combination, outcome, dict(found="fitted", held_out=about))
        return dict(
            metrics=outcome.metrics,
            report=read_json(self.out_dir / "report.json"),
            weights=dict(zip(self.sources, weights.tolist())),
            skipped=len(outcome.failed) + len(left_out),
        )
