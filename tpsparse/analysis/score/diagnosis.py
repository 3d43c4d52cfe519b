"""One pass over a system's records: the eleven rows of the bottleneck analysis, and where its points are lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
from tqdm import tqdm

from ...evaluation.functional import (
    Interval,
    contributions,
    difference_interval,
    psc_accuracy,
    score_interval,
)
from ...evaluation.functional.kinetics_tps import TPSResult, check_ground_truth, summarise
from ...evaluation.functional.outcomes import VideoRows, collect_video
from ...evaluation.submission import part_result_of, part_truth_of, video_result_of, video_truth_of
from ...structures import VideoParse
from ...taxonomy import Taxonomy
from .points import PointTables
from .replacing import ROWS, Replacement, Row

ORGANISERS = {(0.5, 0.3): 0.2979, (0.01, 0.01): 0.3548, (0.99, 0.99): 0.0167}
"""IoU of persons and of parts in the organisers' figure of their baseline, and the score it gives there: the
challenge's own, next to any overlap, and next to none but the annotated box
(deeperaction.github.io/datasets/kineticstps.html, exp.png)."""
CURVE_STEPS = 1_000


@dataclass(frozen=True)
class Thresholds:
    """Above which IoU persons match, and from which on a part is located."""

    human_iou: float = 0.5
    part_iou: float = 0.3


@dataclass
class Diagnosis:
    """What the pass has found.

    Args:
        taxonomy: The names.
        thresholds: Those of the rows and the losses.
        rows: Result of each row of :data:`ROWS`, in its order; the first is the system as it is.
        curves: IoU of persons and of parts to the result with these.
        points: Where points are lost, and the confusion matrices.
    """

    taxonomy: Taxonomy
    thresholds: Thresholds
    rows: list[TPSResult]
    curves: dict[tuple[float, float], TPSResult]
    points: PointTables

    @property
    def result(self) -> TPSResult:
        """The system as it is."""
        return self.rows[0]

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """The main numbers with their 95 % intervals over videos."""
        correct = {video: float(right) for video, right in self.result.action_correct.items()}
        return {
            "score": score_interval(contributions(self.result)),
            "action_top1": score_interval(correct),
            "mean_psc": score_interval(self.result.psc),
        }

    @cached_property
    def row_intervals(self) -> list[Interval]:
        """The score of each row with its interval."""
        return [score_interval(contributions(row)) for row in self.rows]

    @cached_property
    def gains(self) -> list[Interval]:
        """What each row gains over the system as it is, paired by video."""
        base = contributions(self.result)
        return [difference_interval(contributions(row), base) for row in self.rows]

    def curve(self, setting: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        """PSC demanded, 0 to 1, and the share of videos whose action is right and whose PSC is at least that."""
        result, demanded = self.curves[setting], np.arange(CURVE_STEPS + 1) / CURVE_STEPS
        psc, correct = np.array(list(result.psc.values())), np.array(list(result.action_correct.values()))
        return demanded, psc_accuracy(psc, correct, demanded)

    def to_json(self) -> dict[str, Any]:
        """As ``bottleneck.json`` holds it; scores lie in [0, 1], the paper's too."""
        return {
            "thresholds": {"human_iou": self.thresholds.human_iou, "part_iou": self.thresholds.part_iou},
            "intervals": {name: interval.to_json() for name, interval in self.intervals.items()},
            "rows": [
                _row_json(row, result, interval, gain)
                for row, result, interval, gain in zip(ROWS, self.rows, self.row_intervals, self.gains)
            ],
            "psc_accuracy": [
                {
                    "human_iou": setting[0],
                    "part_iou": setting[1],
                    "score": result.score,
                    "organisers_baseline": ORGANISERS.get(setting),
                    "psc": self.curve(setting)[0][::10].tolist(),
                    "accuracy": self.curve(setting)[1][::10].tolist(),
                }
                for setting, result in self.curves.items()
            ],
            **self.points.to_json(),
            "videos": {
                video: {"score": value, "psc": self.result.psc[video], "right": self.result.action_correct[video]}
                for video, value in contributions(self.result).items()
            },
        }


@dataclass
class _Scores:
    """PSC and whether the action is right by video, as they come in."""

    psc: dict[str, float] = field(default_factory=dict)
    correct: dict[str, bool] = field(default_factory=dict)

    def result(self, part_accuracy: dict[str, float] | None = None) -> TPSResult:
        return summarise(self.psc, self.correct, part_accuracy or {})


def diagnose(
    pairs: Iterable[tuple[VideoParse, VideoParse]],
    taxonomy: Taxonomy,
    thresholds: Thresholds | None = None,
    *,
    total: int | None = None,
    progress: bool = False,
) -> Diagnosis:
    """Look at every video once, one in memory at a time.

    Args:
        pairs: Record and annotation of each video.
        taxonomy: Names of both.
        thresholds: Of the metric; the challenge's if None.
        total: Number of videos, for the bar.
        progress: Show a bar.

    Raises:
        InputError: If there is no video, or a record does not fit the taxonomy.
    """
    thresholds = thresholds or Thresholds()
    own = (thresholds.human_iou, thresholds.part_iou)
    curves = {setting: _Scores() for setting in dict.fromkeys((own, *ORGANISERS))}
    rows, points = [_Scores() for _ in ROWS], PointTables(taxonomy)
    for parse, truth in tqdm(pairs, total=total, desc="videos", unit="video", disable=not progress):
        video = _Video(parse, truth, taxonomy, thresholds)
        for scores, row in zip(rows, ROWS):
            video.score(row, scores)
        for (human_iou, part_iou), scores in curves.items():
            video.score_as_is(human_iou, part_iou, scores)
        found = video.collect(video.as_is, thresholds.human_iou).outcomes(thresholds.part_iou)
        points.add(found, video.action, video.predicted_action)
    accuracy = {name: entry.right / entry.annotated for name, entry in points.table("part").items() if entry.annotated}
    results = [rows[0].result(dict(sorted(accuracy.items()))), *(scores.result() for scores in rows[1:])]
    return Diagnosis(taxonomy, thresholds, results, {key: scores.result() for key, scores in curves.items()}, points)


def score_records(
    pairs: Iterable[tuple[VideoParse, VideoParse]],
    taxonomy: Taxonomy,
    thresholds: Thresholds | None = None,
    *,
    total: int | None = None,
    progress: bool = False,
) -> TPSResult:
    """The system as it is, without the rest; arguments as for :func:`diagnose`."""
    thresholds, scores = thresholds or Thresholds(), _Scores()
    for parse, truth in tqdm(pairs, total=total, desc="other system", unit="video", disable=not progress):
        video = _Video(parse, truth, taxonomy, thresholds)
        video.score_as_is(thresholds.human_iou, thresholds.part_iou, scores)
    return scores.result()


class _Video:
    """One video in the challenge's terms: its truth is converted and checked once for all rows."""

    def __init__(self, parse: VideoParse, truth: VideoParse, taxonomy: Taxonomy, thresholds: Thresholds) -> None:
        self.name, self.taxonomy, self.thresholds = parse.video, taxonomy, thresholds
        parts, actions = part_truth_of([truth], taxonomy), video_truth_of([truth], taxonomy)
        check_ground_truth(parts, actions)
        self.truth, self.action = parts[self.name], actions[self.name]
        self.replacement = Replacement(parse, truth, len(taxonomy.parts), human_iou=thresholds.human_iou)
        as_is = self.replacement.replaced(ROWS[0])
        self.as_is = part_result_of([as_is], taxonomy)[self.name]
        self.predicted_action = video_result_of([as_is], taxonomy)[self.name]

    def collect(self, prediction: dict[str, Any], human_iou: float) -> VideoRows:
        return collect_video(self.name, self.truth, prediction, human_iou)

    def score(self, row: Row, scores: _Scores) -> None:
        parse = self.replacement.replaced(row)
        rows = self.collect(part_result_of([parse], self.taxonomy)[self.name], self.thresholds.human_iou)
        scores.psc[self.name] = rows.psc(rows.rewards(self.thresholds.part_iou))
        scores.correct[self.name] = video_result_of([parse], self.taxonomy)[self.name] == self.action

    def score_as_is(self, human_iou: float, part_iou: float, scores: _Scores) -> None:
        rows = self.collect(self.as_is, human_iou)
        scores.psc[self.name] = rows.psc(rows.rewards(part_iou))
        scores.correct[self.name] = self.predicted_action == self.action


def _row_json(row: Row, result: TPSResult, interval: Interval, gain: Interval) -> dict[str, Any]:
    replaced = {name: getattr(row, name) for name in ("actor", "part_boxes", "part_states", "action")}
    paper = None if isnan(row.paper) else round(row.paper / 100, 4)
    numbers = {"score": result.score, "action_top1": result.action_top1, "mean_psc": result.mean_psc}
    return {**replaced, **numbers, "interval": interval.to_json(), "gain": gain.to_json(), "paper_score": paper}
