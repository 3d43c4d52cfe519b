"""Boxes of detectors, and the actions of that of persons, from mmdet's outputs.

Shapes: N annotated and P detected boxes of a frame, A actions. Boxes are ``xyxy`` in pixels of the image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ...datasets.tasks.frames import part_object_classes
from ...registry import METRICS
from ...taxonomy import Taxonomy
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
        self.results.extend({**_boxes_of(sample), **_actions_right(sample)} for sample in data_samples)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """AP, AP50, and the shares of frames whose action is right."""
        precision = _average_precision(results, self.classes)
        metrics = {name: precision[name] for name in ("AP", "AP50")}
        for name in ("context_top1", "instance_top1"):
            known = [entry[name] for entry in results if name in entry]
            if known:
                metrics[name] = float(np.mean(known))
        return metrics


@METRICS.register_module()
class PartObjectAPMetric(BaseMetric):
    """COCO AP and AP50 of a detector of parts and objects, over all classes and of each.

    ``AP``, ``AP50``, ``parts_AP50`` and ``objects_AP50`` are means over classes; ``AP50/<class>`` is that of one. A
    class of which nothing is annotated is not reported and is in no mean; a kind without any other class has no mean.

    Args:
        taxonomy: Names, as :meth:`Taxonomy.to_meta` gives them; the classes are its parts, then its objects.
        collect_device: Where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: Put before the names of the numbers.
    """

    default_prefix = "box"

    def __init__(
        self, *, taxonomy: Mapping[str, list[str]], collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.classes = part_object_classes(Taxonomy.from_meta(dict(taxonomy)))
        self.num_parts = len(taxonomy["parts"])

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep boxes.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_instances`` (``bboxes`` (P, 4), ``scores`` (P,), ``labels`` (P,)) and
                ``gt_instances`` (``bboxes`` (N, 4), ``labels`` (N,)).
        """
        self.results.extend(_boxes_of(sample) for sample in data_samples)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """See the class."""
        precision = _average_precision(results, self.classes)
        by_class = {name: precision["classes"][name]["AP50"] for name in self.classes}
        metrics = {name: precision[name] for name in ("AP", "AP50")}
        for kind, names in (("parts", self.classes[: self.num_parts]), ("objects", self.classes[self.num_parts :])):
            known = [by_class[name] for name in names if not np.isnan(by_class[name])]
            if known:
                metrics[f"{kind}_AP50"] = float(np.mean(known))
        return {**metrics, **{f"AP50/{name}": value for name, value in by_class.items() if not np.isnan(value)}}


def _boxes_of(sample: dict[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """The annotated and predicted boxes of a frame, as :func:`box_average_precision` wants them."""
    names = {"boxes": "bboxes", "scores": "scores", "labels": "labels"}
    predicted, annotated = sample["pred_instances"], sample["gt_instances"]
    return {
        "annotated": {name: to_numpy(annotated[names[name]]) for name in ("boxes", "labels")},
        "predicted": {name: to_numpy(predicted[their]) for name, their in names.items()},
    }


def _average_precision(results: list[dict[str, Any]], classes: Sequence[str]) -> dict[str, Any]:
    annotated, predicted = ([entry[kind] for entry in results] for kind in ("annotated", "predicted"))
    return box_average_precision(annotated, predicted, classes)


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
