"""Small metrics: how many videos were parsed, and how many actions are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from tpsparse.registry import METRICS
from tpsparse.structures import VideoParse


@METRICS.register_module()
class ParseCount(BaseMetric):
    """For runs that only save records: how many videos were parsed, and how many could not be."""

    def process(self, data_batch: Any, data_samples: Sequence[VideoParse]) -> None:
        """Keep each video's name and error."""
        self.results.extend((parse.video, parse.error) for parse in data_samples)

    def compute_metrics(self, results: list[tuple[str, str | None]]) -> dict[str, float]:
        """Count, each video once."""
        errors = dict(results)
        failed = sum(error is not None for error in errors.values())
        return {"parsed": len(errors) - failed, "failed": failed}


@METRICS.register_module()
class ActionAccuracy(BaseMetric):
    """Top-1 accuracy of samples with ``action_scores`` (A,) and the true ``action``."""

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep whether each is right."""
        self.results.extend(int(sample["action_scores"].argmax()) == sample["action"] for sample in data_samples)

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        """The share that is right."""
        return {"top1": float(np.mean(results))} if results else {}
