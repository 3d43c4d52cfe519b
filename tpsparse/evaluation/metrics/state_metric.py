"""How well a state recognizer tells the state of one part group in segments of videos.

Shapes: N segments, S states, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ...errors import InputError
from ...registry import METRICS
from ...structures import LabelTable
from .inputs import taxonomy_of, to_numpy


@METRICS.register_module()
class StateAccuracy(BaseMetric):
    """Frame-level and segment-level accuracy of a recognizer whose labels are pairs of action and state.

    ======================== ==================================================================================
    ``<group>``              share of the group's annotated parts, over all frames and persons of the segments,
                             that have the state of the predicted label: what table III of the PCF report has
    ``label_top1_<group>``   share of the segments whose label is predicted, action and state: what table 2 of
                             the 2021 runner-up's report has
    ======================== ==================================================================================

    A segment in which nothing of the group is annotated counts in neither; one whose pair the label table does not have
    counts as wrong in the second. A number that no segment gives is not reported.

    Args:
        group: The part group; that of the data set's label table if None.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "state"

    def __init__(self, *, group: str | None = None, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self._group = group
        self._known: tuple[LabelTable, np.ndarray] | None = None

    @property
    def labels(self) -> tuple[LabelTable, np.ndarray]:
        """What the outputs stand for, and the state (L,) of each.

        Raises:
            InputError: If the data set has no label table, or one of another group.
        """
        if self._known is None:
            meta = (self.dataset_meta or {}).get("label_table")
            if meta is None:
                raise InputError("StateAccuracy has no label table: test on a TPSSegmentDataset")
            table = LabelTable.from_meta(meta)
            if self._group not in (None, table.group):
                told = f"StateAccuracy is to measure part group {self._group}, the data set has {table.group}"
                raise InputError(f"{told}: leave group out")
            self._known = table, table.ids(taxonomy_of(self, None))[:, 1]
        return self._known

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep what each prediction gets right.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_score`` (L,), ``gt_label`` (1,) and ``state_counts`` (S,), how often each
                state is annotated in the group in that segment.

        Raises:
            InputError: If the counts were not packed, or the scores are of other labels.
        """
        table, states = self.labels
        for sample in data_samples:
            if "state_counts" not in sample:
                told = "StateAccuracy is given samples without state_counts"
                raise InputError(f'{told}: end the pipeline in PackActionInputs(meta_keys=("state_counts",))')
            scores, counts = to_numpy(sample["pred_score"]), to_numpy(sample["state_counts"])
            if len(scores) != len(table):
                told = f"StateAccuracy is given {len(scores)} scores for {len(table)} labels"
                raise InputError(f"{told}: set num_classes to @num_labels")
            label = int(scores.argmax())
            right = label == int(to_numpy(sample["gt_label"]).ravel()[0])
            self.results.append((int(counts[states[label]]), int(counts.sum()), right))

    def compute_metrics(self, results: list[tuple[int, int, bool]]) -> dict[str, float]:
        """Both shares, over all segments in which something is annotated."""
        known = [entry for entry in results if entry[1] > 0]
        if not known:
            return {}
        hits, totals, right = np.array(known, dtype=np.int64).sum(axis=0)
        group = self.labels[0].group
        return {group: float(hits / totals), f"label_top1_{group}": float(right / len(known))}
