"""Annotated boxes in mmdet's terms. Shapes: N boxes, C classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.structures.bbox import HorizontalBoxes

from tpsparse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadBoxes(BaseTransform):
    """Give mmdet's transforms the annotated boxes, where the sample has an annotation.

    Before ``mmdet.Resize`` in training, so that boxes follow the image; after it in testing, where they are compared
    in the image's own pixels, as mmdet's pipelines have it.

    Required keys: ``boxes`` (N, 4), or none, and ``labels`` (N,) where there is more than one class. Added keys:
    ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_ignore_flags``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        if "boxes" in results:
            boxes = results["boxes"]
            labels = results.get("labels", np.zeros(len(boxes)))
            results["gt_bboxes"] = HorizontalBoxes(boxes.copy())
            results["gt_bboxes_labels"] = np.array(labels, dtype=np.int64)
            results["gt_ignore_flags"] = np.zeros(len(boxes), dtype=bool)
        return results


@TRANSFORMS.register_module()
class SwapSides(BaseTransform):
    """After ``mmdet.RandomFlip``: in a mirrored image a left arm is a right one.

    Required keys: ``gt_bboxes_labels`` (N,), ``flip_labels`` (C,) with the class that each becomes in a mirrored image,
    and those of ``mmdet.RandomFlip``. Changed key: ``gt_bboxes_labels``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        if results.get("flip") and results["flip_direction"] == "horizontal":
            results["gt_bboxes_labels"] = np.asarray(results["flip_labels"])[results["gt_bboxes_labels"]]
        return results
