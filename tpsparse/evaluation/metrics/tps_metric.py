"""The Kinetics-TPS score of a parsing run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from ...registry import METRICS
from ...structures import VideoParse
from ...structures.files import write_json
from ...taxonomy import Taxonomy
from ..functional import TPSResult, evaluate
from ..submission import (
    ARCHIVE,
    part_result_of,
    part_truth_of,
    report_of,
    save_ground_truth,
    save_submission,
    video_result_of,
    video_truth_of,
)
from ..validation import validate_submission
from .inputs import TaxonomyMetric

SHOWN_FINDINGS = 20


@METRICS.register_module()
class KineticsTPSMetric(TaxonomyMetric):
    """The challenge's score, and its files.

    A prediction is a ``VideoParse``; its ground truth is the ``VideoParse`` at the same place of the batch's
    ``"ground_truth"``, or None. Only videos with ground truth are scored; the submission holds all. Where nothing is
    annotated, as in the official test split, the actions in the batch's ``"action"`` still give the top-1 accuracy.
    Videos that could not be parsed are scored as empty, counted as skipped, and named in the log and the report.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        out_dir: Where ``submission/``, ``submission.zip``, ``ground_truth/`` and ``report.json`` are written;
            nothing is written if None.
        human_iou: Persons match above this IoU.
        part_iou: A part is located from this IoU on.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "tps"

    def __init__(
        self,
        *,
        taxonomy: dict[str, Any] | None = None,
        out_dir: str | None = None,
        human_iou: float = 0.5,
        part_iou: float = 0.3,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(taxonomy=taxonomy, collect_device=collect_device, prefix=prefix)
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.human_iou = human_iou
        self.part_iou = part_iou

    def process(self, data_batch: Any, data_samples: Sequence[VideoParse]) -> None:
        """Keep what the challenge's files say of each video; features and scores stay behind.

        Args:
            data_batch: May hold ``"ground_truth"``, a list with a VideoParse or None for each sample, and ``"action"``,
                a list of action ids, -1 where unknown.
            data_samples: Predictions.

        Raises:
            ValueError: If the ground truth is not as long as the predictions, or is of another video.
        """
        truths = data_batch.get("ground_truth") if isinstance(data_batch, dict) else None
        truths = [None] * len(data_samples) if truths is None else truths
        if len(truths) != len(data_samples):
            raise ValueError(f"{len(data_samples)} predictions but {len(truths)} ground truths in one batch")
        actions = data_batch.get("action") if isinstance(data_batch, dict) else None
        taxonomy = self.taxonomy
        for parse, truth, action in zip(data_samples, truths, [-1] * len(truths) if actions is None else actions):
            if truth is not None and truth.video != parse.video:
                raise ValueError(f"the prediction is of {parse.video} but its ground truth of {truth.video}")
            # mmengine cuts the gathered list to the size of the data set: one entry a sample, no more.
            self.results.append(_entry_of(parse, truth, int(action), taxonomy))

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Score the videos that have ground truth, and write the files; runs on the main process alone."""
        # A sampler that fills up the last round of several processes repeats videos.
        videos = {entry["video"]: entry for entry in reversed(results)}
        videos = dict(sorted(videos.items()))
        for entry in videos.values():
            if entry["report"] is not None:
                print_log(entry["report"], "current", logging.WARNING)
        skipped = {video: entry["error"] for video, entry in videos.items() if entry["error"] is not None}
        if skipped:
            print_log(f"{len(skipped)} of {len(videos)} videos were skipped", "current", logging.WARNING)
        self._write_files(videos)
        result = self._score(videos)
        right = _right_actions(list(videos.values()))
        if self.out_dir is not None:
            names = ("score", "action_top1", "mean_psc", "psc", "action_correct", "part_accuracy")
            unscored = {**dict.fromkeys(names), "action_top1": _share(right), "action_correct": right or None}
            report = unscored if result is None else result.to_json()
            sources = _source_accuracies(list(videos.values()))
            write_json(self.out_dir / "report.json", {**report, "sources": sources, "skipped": skipped})
        if result is None:
            print_log("no video has ground truth, so there is no score", "current", logging.WARNING)
            top1 = _share(right)
            return {} if top1 is None else {"action_top1": top1}
        return {"score": result.score, "action_top1": result.action_top1, "mean_psc": result.mean_psc}

    def _score(self, videos: dict[str, dict[str, Any]]) -> TPSResult | None:
        annotated = {video: entry for video, entry in videos.items() if entry["gt_actions"]}
        if not annotated:
            return None
        names = ("gt_parts", "gt_actions", "pred_parts", "pred_actions")
        gt_parts, gt_actions, pred_parts, pred_actions = (_merge(annotated, name) for name in names)
        findings = validate_submission(
            pred_parts, pred_actions, gt_parts=gt_parts, gt_actions=gt_actions, taxonomy=self.taxonomy
        )
        for finding in findings[:SHOWN_FINDINGS]:
            print_log(str(finding), "current", logging.WARNING)
        if len(findings) > SHOWN_FINDINGS:
            print_log(f"and {len(findings) - SHOWN_FINDINGS} more findings", "current", logging.WARNING)
        return evaluate(
            gt_parts, gt_actions, pred_parts, pred_actions, human_iou=self.human_iou, part_iou=self.part_iou
        )

    def _write_files(self, videos: dict[str, dict[str, Any]]) -> None:
        if self.out_dir is None or not videos:
            return
        pred_parts, pred_actions = _merge(videos, "pred_parts"), _merge(videos, "pred_actions")
        archive = self.out_dir / ARCHIVE
        save_submission(self.out_dir / "submission", pred_parts, pred_actions, taxonomy=self.taxonomy, archive=archive)
        gt_parts, gt_actions = _merge(videos, "gt_parts"), _merge(videos, "gt_actions")
        if gt_actions:
            save_ground_truth(self.out_dir / "ground_truth", gt_parts, gt_actions, self.taxonomy)


def _entry_of(parse: VideoParse, truth: VideoParse | None, action: int, taxonomy: Taxonomy) -> dict[str, Any]:
    # A video whose action is not annotated cannot be scored.
    truths = [] if truth is None or truth.action() is None else [truth]
    actions = video_truth_of(truths, taxonomy)
    return {
        "video": parse.video,
        "error": parse.error,
        "report": report_of(parse),
        "pred_parts": part_result_of([parse], taxonomy),
        "pred_actions": video_result_of([parse], taxonomy),
        "sources": {name: taxonomy.actions[int(scores.argmax())] for name, scores in parse.action_scores.items()},
        "gt_parts": part_truth_of(truths, taxonomy),
        "gt_actions": actions,
        "action": actions.get(parse.video, taxonomy.actions[action] if action >= 0 else None),
    }


def _source_accuracies(entries: list[dict[str, Any]]) -> dict[str, float]:
    """Top-1 accuracy of every source of action scores, the system's own under ``action``."""
    right: dict[str, list[bool]] = {}
    for entry in entries:
        for name, action in entry["sources"].items():
            if entry["action"] is not None:
                right.setdefault(name, []).append(action == entry["action"])
    return {name: sum(each) / len(each) for name, each in sorted(right.items())}


def _right_actions(entries: list[dict[str, Any]]) -> dict[str, bool]:
    """Whether the submission's action is right, by video whose action is known."""
    known = [entry for entry in entries if entry["action"] is not None]
    return {entry["video"]: entry["pred_actions"][entry["video"]] == entry["action"] for entry in known}


def _share(right: dict[str, bool]) -> float | None:
    return sum(right.values()) / len(right) if right else None


def _merge(videos: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return {video: content for entry in videos.values() for video, content in entry[name].items()}
