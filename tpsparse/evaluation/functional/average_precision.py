"""COCO average precision of boxes, by faster-coco-eval, in memory.

It gives the numbers of pycocotools, the reference evaluator of COCO, in about half its time
(``benchmarks/average_precision.py``).

Shapes: N annotated and M predicted boxes of one image, ``xyxy`` in pixels, continuous coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster


def box_average_precision(
    ground_truth: Sequence[Mapping[str, np.ndarray]],
    predictions: Sequence[Mapping[str, np.ndarray]],
    classes: Sequence[str],
) -> dict[str, Any]:
    """AP over IoU 0.50:0.05:0.95 and AP50, of at most 100 boxes an image and class.

    Args:
        ground_truth: By image, ``boxes`` (N, 4) and ``labels`` (N,), positions in ``classes``.
        predictions: By image in the same order, ``boxes`` (M, 4), ``scores`` (M,) and ``labels`` (M,).
        classes: Names; boxes of other labels are left out.

    Returns:
        ``AP`` and ``AP50``, means over the classes that have ground truth, and ``classes``: name to its ``AP`` and
        ``AP50``. A class without ground truth has NaN and leaves the means, which are NaN when no class has any.

    Raises:
        ValueError: If the two do not hold the same number of images.
    """
    if len(ground_truth) != len(predictions):
        raise ValueError(f"{len(ground_truth)} images have ground truth but {len(predictions)} have predictions")
    # Its progress would go into the run's log.
    evaluation = COCOeval_faster(
        _coco(ground_truth, classes), _coco(predictions, classes), "bbox", print_function=lambda *_: None
    )
    evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
    evaluation.params.maxDets = evaluation.params.maxDets[-1:]
    evaluation.evaluate()
    evaluation.accumulate()
    # (IoU thresholds, recall levels, classes); -1 marks a class without ground truth.
    precision = evaluation.eval["precision"][..., 0, 0]
    precision = np.where(precision < 0, np.nan, precision)
    by_class = {"AP": precision.mean(axis=(0, 1)), "AP50": precision[0].mean(axis=0)}
    return {
        **{name: _mean(values) for name, values in by_class.items()},
        "classes": {name: {key: float(by_class[key][i]) for key in by_class} for i, name in enumerate(classes)},
    }


def _coco(images: Sequence[Mapping[str, np.ndarray]], classes: Sequence[str]) -> COCO:
    annotations: list[dict[str, Any]] = []
    for image, entry in enumerate(images, start=1):
        boxes = np.asarray(entry["boxes"], dtype=np.float64).reshape(-1, 4)
        labels = np.asarray(entry["labels"], dtype=np.int64)
        scores = entry.get("scores", np.ones(len(boxes)))
        for (x0, y0, x1, y1), label, score in zip(boxes.tolist(), labels.tolist(), np.asarray(scores).tolist()):
            if not 0 <= label < len(classes):
                continue
            box = [x0, y0, x1 - x0, y1 - y0]
            # Ids start at 1: the evaluator takes the id 0 for "not matched".
            where = {"id": len(annotations) + 1, "image_id": image, "category_id": label}
            what = {"bbox": box, "area": box[2] * box[3], "score": score, "iscrowd": 0, "ignore": 0}
            annotations.append({**where, **what})
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in range(1, len(images) + 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes)],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
