"""How well a network tells states of given parts, of which several may hold at once, and which parts matter.

Shapes: P persons in a frame, K parts, S states, R rows, each an annotated part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...registry import METRICS
from ...taxonomy import Taxonomy
from ..functional import average_precision, mean_known, state_average_precision
from .inputs import TaxonomyMetric, to_numpy


@METRICS.register_module()
class MultiLabelStateAP(TaxonomyMetric):
    """Average precision of part states on the annotated parts.

    ==================== ======================================================================================
    ``mAP``              mean over the states of the average precision among all annotated parts
    ``mAP/<group>``      the same among the parts of a group, left and right together
    ``top1``             share of annotated parts whose state has the highest score
    ``relevance_AP``     average precision of the relevance, if the network predicts one and parts are labelled
    ==================== ======================================================================================

    The annotation names one state of a part: other states count as wrong even where they hold too. A state that no part
    has leaves the mean, and a number that nothing gives is not reported.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "state"

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the annotated parts of each frame.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``state_scores`` (P, K, S), ``gt_part_states`` (P, K; -1 unknown) and, where
                relevance is predicted, ``relevance`` and ``gt_relevance`` (P, K; -1 unknown).
        """
        for sample in data_samples:
            states = to_numpy(sample["gt_part_states"])
            labelled = states >= 0
            entry = dict(
                scores=to_numpy(sample["state_scores"])[labelled],
                states=states[labelled],
                parts=np.nonzero(labelled)[1],
                relevance=np.zeros(0, dtype=np.float32),
                relevant=np.zeros(0, dtype=bool),
            )
            if "gt_relevance" in sample:
                truth = to_numpy(sample["gt_relevance"])
                entry.update(relevance=to_numpy(sample["relevance"])[truth >= 0], relevant=truth[truth >= 0] > 0)
            self.results.append(entry)

    def compute_metrics(self, results: list[dict[str, np.ndarray]]) -> dict[str, float]:
        """The numbers of the table above, over all frames."""
        if not results:
            return {}
        columns = {name: np.concatenate([entry[name] for entry in results]) for name in results[0]}
        scores, states = columns["scores"], columns["states"]
        numbers = state_precisions(scores, states, columns["parts"], self.taxonomy)
        if len(states):
            numbers["top1"] = float((scores.argmax(axis=1) == states).mean())
        if columns["relevant"].any():
            numbers["relevance_AP"] = average_precision(columns["relevance"], columns["relevant"])
        return numbers


def state_precisions(scores: np.ndarray, states: np.ndarray, parts: np.ndarray, taxonomy: Taxonomy) -> dict[str, float]:
    """``mAP`` over all rows and ``mAP/<group>`` over those of a part group; none where there is no row.

    Args:
        scores: (R, S).
        states: (R,) annotated ids.
        parts: (R,) ids.
        taxonomy: The names.
    """
    labels = states[:, None] == np.arange(len(taxonomy.states))
    members = {f"mAP/{group}": np.isin(parts, of) for group, of in taxonomy.part_groups.items()}
    rows = {"mAP": np.ones(len(parts), dtype=bool), **members}
    return {name: mean_known(state_average_precision(scores[of], labels[of])) for name, of in rows.items() if of.any()}
