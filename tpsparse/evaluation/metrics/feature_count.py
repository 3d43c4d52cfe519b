"""How many videos a run of frame features has been through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from ...registry import METRICS
from ...structures.features_file import EncodedVideo


@METRICS.register_module()
class FeatureCount(BaseMetric):
    """Count the videos whose features were ``encoded``, those ``found`` from an earlier run, and the ``failed``."""

    default_prefix = "features"

    def process(self, data_batch: Any, data_samples: Sequence[EncodedVideo]) -> None:
        """Keep what became of each video."""
        self.results.extend(
            (sample.key, "failed" if sample.error is not None else "found" if sample.found else "encoded")
            for sample in data_samples
        )

    def compute_metrics(self, results: list[tuple[str, str]]) -> dict[str, float]:
        """Count, each video once."""
        # A sampler that fills up the last round of several processes repeats videos, which are then found: the first
        # that is told of one counts.
        outcomes = list(dict(reversed(results)).values())
        return {name: outcomes.count(name) for name in ("encoded", "found", "failed")}
