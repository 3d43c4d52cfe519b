"""Part boxes and part states of given person crops: what the PSC is made of.

Shapes: N persons, K parts, S states. Boxes are ``xyxy`` in pixels; predicted and annotated ones in the same pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from ...registry import METRICS
from ...structures import is_present
from ..functional import box_average_precision, inclusive_iou
from .inputs import TaxonomyMetric, to_numpy


@METRICS.register_module()
class PartParsingMetric(TaxonomyMetric):
    """How well parts are found and their states named, given the person.

    ======================== ==================================================================================
    ``part_AP``              COCO AP over IoU 0.50:0.05:0.95, mean over the parts, each crop an image
    ``part_AP50``            the same at IoU 0.5 alone
    ``part_iou``             mean IoU of annotated parts, 0 where they do not overlap or nothing is predicted
    ``located``              share of annotated parts with IoU >= ``part_iou``
    ``state_top1``           share of annotated states that are named right
    ``state_top1_named``     the same without those annotated as ``none_state``
    ``correct``              located and state right, of parts with both annotated: what PSC rewards
    ``painted``              share of persons with confident keypoints, where keypoints are painted on the crops
    ======================== ==================================================================================

    ``part_AP50``, ``state_top1`` and ``state_top1_named`` are given for each part as well, as ``part_AP50/head``.
    Where states are not predicted, the numbers of boxes alone are given.

    The IoU counts pixels inclusively, as the challenge's score does; the AP alone does not. A number that no crop
    gives is not reported.

    Args:
        taxonomy: The names, from ``Taxonomy.to_meta``; those of the data set if None.
        none_state: The state that means "no particular one", and that most parts have.
        part_iou: IoU from which a part is located.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "part"

    def __init__(
        self,
        *,
        taxonomy: dict[str, Any] | None = None,
        none_state: str = "none",
        part_iou: float = 0.3,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(taxonomy=taxonomy, collect_device=collect_device, prefix=prefix)
        self.none_state = none_state
        self.part_iou = part_iou

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep predicted and annotated boxes and states.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``part_boxes`` (K, 4), ``part_scores`` (K,), ``gt_part_boxes`` (K, 4; NaN
                absent), ``state_scores`` (K, S) with ``gt_part_states`` (K; -1 absent) where states are
                predicted, and the bool ``painted`` where keypoints are painted.
        """
        for sample in data_samples:
            boxes = to_numpy(sample["part_boxes"])
            states = to_numpy(sample["state_scores"]).argmax(axis=1) if "state_scores" in sample else None
            unknown = np.full(len(boxes), -1)
            self.results.append(
                {
                    "boxes": boxes,
                    "scores": to_numpy(sample["part_scores"]),
                    "states": unknown if states is None else states,
                    "gt_boxes": to_numpy(sample["gt_part_boxes"]),
                    "gt_states": unknown if states is None else to_numpy(sample["gt_part_states"]),
                    **({"painted": np.array(sample["painted"])} if "painted" in sample else {}),
                }
            )

    def compute_metrics(self, results: list[dict[str, np.ndarray]]) -> dict[str, float]:
        """The numbers of the table above, over all crops."""
        if not results:
            return {}
        boxes, states, gt_boxes, gt_states = (
            np.stack([entry[name] for entry in results]) for name in ("boxes", "states", "gt_boxes", "gt_states")
        )
        present = is_present(gt_boxes)
        iou = np.zeros(present.shape)
        both = present & is_present(boxes)
        iou[both] = np.clip(inclusive_iou(boxes[both], gt_boxes[both]), 0, None)
        located, right, labelled = iou >= self.part_iou, states == gt_states, gt_states >= 0
        # -1 where the list has no such state: then every labelled part is a named one.
        none_id = self.taxonomy.state_ids.get(self.none_state, -1)
        named = labelled & (gt_states != none_id)
        precision = _part_precision(results, self.taxonomy.parts)
        numbers = {
            "part_AP": precision["AP"],
            "part_AP50": precision["AP50"],
            "part_iou": _mean(iou[present]),
            "located": _mean(located[present]),
            "state_top1": _mean(right[labelled]),
            "state_top1_named": _mean(right[named]),
            "correct": _mean((located & right)[present & labelled]),
            "painted": _painted(results),
        }
        for i, part in enumerate(self.taxonomy.parts):
            numbers[f"part_AP50/{part}"] = precision["classes"][part]["AP50"]
            numbers[f"state_top1/{part}"] = _mean(right[labelled[:, i], i])
            numbers[f"state_top1_named/{part}"] = _mean(right[named[:, i], i])
        return {name: value for name, value in numbers.items() if not np.isnan(value)}


def _painted(results: list[dict[str, np.ndarray]]) -> float:
    """The share of persons with confident keypoints, NaN where none are painted; nobody at all is told."""
    share = _mean(np.array([entry["painted"] for entry in results if "painted" in entry]))
    if share == 0:
        print_log(
            "not one person has a confident keypoint, so the part detector sees plain crops: train the person detector "
            "and the pose stage longer, or look at the records that the data set's keypoints are read from",
            "current",
            logging.WARNING,
        )
    return share


def _part_precision(results: list[dict[str, np.ndarray]], parts: tuple[str, ...]) -> dict[str, Any]:
    truths, predictions = [], []
    for entry in results:
        annotated, predicted = is_present(entry["gt_boxes"]), is_present(entry["boxes"])
        truths.append({"boxes": entry["gt_boxes"][annotated], "labels": np.flatnonzero(annotated)})
        predictions.append(
            {
                "boxes": entry["boxes"][predicted],
                "scores": entry["scores"][predicted],
                "labels": np.flatnonzero(predicted),
            }
        )
    return box_average_precision(truths, predictions, parts)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
