"""Person boxes and the actions of their detector, from mmdet's outputs.

Shapes: N annotated and P detected persons, A actions. Boxes are ``xyxy`` in pixels of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ...registry import METRICS
from ..functional import box_average_precision
from .inputs import to_numpy


@METRICS.register_module()
class PersonAPMetric(BaseMetric):
    """COCO AP and AP50 of persons, and the top-1 accuracies of the detector's action heads.

    ``context_top1`` judges the scores of the whole frame; ``instance_top1`` the mean of the detected persons'
    scores, weighted by their detection scores. A frame without detected persons counts as wrong there. Frames of
    unknown action (-1) are left out, and a number that no frame gives is not reported.

    Args:
        classes: Names of the detector's labels.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "person"

    def __init__(
        self, *, classes: Sequence[str] = ("person",), collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.classes = tuple(classes)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep boxes and whether each head's action is right.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_instances`` (``bboxes`` (P, 4), ``scores`` (P,), ``labels`` (P,), maybe
                ``action_scores`` (P, A)), ``gt_instances`` (``bboxes`` (N, 4), ``labels`` (N,)), and maybe
                ``action`` and ``context_scores`` (A,).
        """
        for sample in data_samples:
            predicted, annotated = sample["pred_instances"], sample["gt_instances"]
            self.results.append(
                {
                    "annotated": {"boxes": to_numpy(annotated["bboxes"]), "labels": to_numpy(annotated["labels"])},
                    "predicted": {
                        "boxes": to_numpy(predicted["bboxes"]),
                        "scores": to_numpy(predicted["scores"]),
                        "labels": to_numpy(predicted["labels"]),
                    },
                    **_actions_right(sample),
                }
            )

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """AP, AP50, and the shares of frames whose action is right."""
        precision = box_average_precision(
            [entry["annotated"] for entry in results], [entry["predicted"] for entry in results], self.classes
        )
        metrics = {name: precision[name] for name in ("AP", "AP50")}
        for name in ("context_top1", "instance_top1"):
            known = [entry[name] for entry in results if name in entry]
            if known:
                metrics[name] = float(np.mean(known))
        return metrics


def _actions_right(sample: dict[str, Any]) -> dict[str, bool]:
    """For each action head that the sample has scores of, whether its action is right."""
    action, persons = int(sample.get("action", -1)), sample["pred_instances"]
    if action < 0:
        return {}
    right = {}
    if "context_scores" in sample:
        right["context_top1"] = bool(to_numpy(sample["context_scores"]).argmax() == action)
    if "action_scores" in persons:
        weighted = to_numpy(persons["action_scores"]) * to_numpy(persons["scores"])[:, None]
        right["instance_top1"] = len(weighted) > 0 and bool(weighted.sum(axis=0).argmax() == action)
    return right
