"""Annotated persons in mmdet's terms. Shapes: P persons."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.structures.bbox import HorizontalBoxes

from tpsparse.registry import TRANSFORMS

PERSON_LABEL = 0


@TRANSFORMS.register_module()
class LoadPersons(BaseTransform):
    """Give mmdet's transforms the annotated persons, where the sample has an annotation.

    Before ``mmdet.Resize`` in training, so that boxes follow the image; after it in testing, where they are compared
    in the image's own pixels, as mmdet's pipelines have it.

    Required keys: ``boxes`` (P, 4), or none. Added keys: ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_ignore_flags``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """See the class."""
        if "boxes" in results:
            boxes = results["boxes"]
            results["gt_bboxes"] = HorizontalBoxes(boxes.copy())
            results["gt_bboxes_labels"] = np.full(len(boxes), PERSON_LABEL, dtype=np.int64)
            results["gt_ignore_flags"] = np.zeros(len(boxes), dtype=bool)
        return results
