"""How well a parser finds the boundaries of sub-actions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...errors import InputError
from ...registry import METRICS
from ...structures.boundaries_file import Boundaries
from ..functional.boundaries import RULES, BoundaryScores, Distances, boundary_scores
from .inputs import to_numpy

SHORT = {"relative": "rel", "absolute": "abs"}
NAMES = ("f1", "recall", "precision")


@METRICS.register_module()
class BoundaryMetric(BaseMetric):
    """Recall, precision and F1 of predicted boundaries, see :mod:`tpsparse.evaluation.functional.boundaries`.

    ============================== ========================================================================
    ``f1_rel``, ``f1_abs``         mean of the F1s at the relative and the absolute distances
    ``recall_...``                 the same of recall, and ``precision_...`` of precision
    ``f1@0.05``, ``f1@5``, ...     F1 at one distance: a share of the instance's frames, or frames
    ``instances``, ``truths``      what was judged: instances and their annotated boundaries
    ``predictions``                predicted boundaries
    ============================== ========================================================================

    An instance that the data set leaves out, such as one without features, is not judged and does not lower recall
    here, while ``tools/analysis/score_boundaries.py``, which takes every annotated instance, counts its boundaries as
    missed.

    Args:
        distances: ``relative`` and ``absolute`` ones, see :class:`Distances`; the paper's by default.
        rule: ``one_to_one``, as the public evaluators have it, or ``nearest``, the paper's equation 7.
        out_file: Where the predicted boundaries are written, see :class:`Boundaries`; nowhere if None.
        method: Who has predicted them, for that file; a config gives its ``title``.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.

    Raises:
        InputError: If the rule or the distances are none that are known.
    """

    default_prefix = "boundary"

    def __init__(
        self,
        *,
        distances: Mapping[str, Sequence[float]] | None = None,
        rule: str = "one_to_one",
        out_file: str | None = None,
        method: str = "",
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if rule not in RULES:
            raise InputError(f"BoundaryMetric has no rule {rule!r}: set it to {' or '.join(RULES)}")
        try:
            self.distances = Distances(**{name: tuple(values) for name, values in (distances or {}).items()})
        except (TypeError, ValueError) as error:
            raise InputError(f"BoundaryMetric cannot use its distances ({error}): correct them") from error
        self.rule, self.method = rule, method
        self.out_file = None if out_file is None else Path(out_file)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the boundaries of each instance.

        Args:
            data_batch: Not used.
            data_samples: Parsed :class:`TemporalSample` s as dicts, which is how mmengine's evaluator gives them.
        """
        for sample in data_samples:
            found, known = (to_numpy(sample[name]) for name in ("pred_boundaries", "boundaries"))
            self.results.append((sample["key"], int(sample["num_frames"]), known, found))

    def compute_metrics(self, results: list[tuple[str, int, np.ndarray, np.ndarray]]) -> dict[str, float]:
        """See the class; on the main process alone, which writes the file."""
        # A sampler that fills up the last round of several processes repeats instances.
        instances = {key: (num_frames, known, found) for key, num_frames, known, found in results}
        if self.out_file is not None:
            written = Boundaries(self.method)
            for key, (num_frames, _, found) in instances.items():
                written.add(key, num_frames, found)
            written.save(self.out_file)
            print_log(f"boundaries of {len(instances)} instances are in {self.out_file}", "current", logging.INFO)
        return metrics_of(boundary_scores(instances.values(), rule=self.rule, distances=self.distances))


def metrics_of(scores: BoundaryScores) -> dict[str, float]:
    """Scores as the numbers that are reported, by name; see :class:`BoundaryMetric`."""
    metrics: dict[str, float] = {
        f"{name}_{short}": scores.mean(kind, name) for kind, short in SHORT.items() for name in NAMES
    }
    for kind in SHORT:
        places = getattr(scores.distances, kind)
        metrics.update({f"f1@{d:g}": float(value) for d, value in zip(places, scores.of(kind, "f1"))})
    return {**metrics, "instances": scores.instances, "truths": scores.truths, "predictions": scores.predictions}
