"""Average precision: the project's, by faster-coco-eval, beside pycocotools on the same boxes, in turns.

Both are given the same lists of boxes, build their own structures and must give the same AP.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from measure import in_turns, median_ratio, parser, report
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tpsparse.cli import DONE, run
from tpsparse.evaluation.functional import box_average_precision

OURS, PEER = "faster-coco-eval", "pycocotools"
Boxes = list[dict[str, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """As many images, each with as many annotated and predicted boxes of each class; jitter in pixels."""

    name: str
    images: int
    persons: int
    classes: int
    jitter: float = 15.0


CASES = (
    Case("persons of a validation split", images=30_000, persons=3, classes=1),
    Case("ten parts of each person", images=10_000, persons=3, classes=10),
)
QUICK = (Case("persons", images=50, persons=3, classes=1), Case("parts", images=20, persons=2, classes=10))


def boxes_of(case: Case, seed: int = 0) -> tuple[Boxes, Boxes]:
    """Annotated boxes, and the same moved a little with random scores."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(case.classes), case.persons)
    truth: Boxes = []
    found: Boxes = []
    for _ in range(case.images):
        corner = rng.uniform(0, 900, (len(labels), 2))
        boxes = np.concatenate([corner, corner + rng.uniform(50, 400, corner.shape)], axis=1)
        truth.append(dict(boxes=boxes, labels=labels))
        moved = boxes + rng.normal(0, case.jitter, boxes.shape)
        found.append(dict(boxes=moved, labels=labels, scores=rng.random(len(labels))))
    return truth, found


def reference(truth: Boxes, found: Boxes, classes: Sequence[str]) -> float:
    """AP by pycocotools, over all areas, of at most 100 boxes an image and class."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_coco(truth, classes), _coco(found, classes), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
        evaluation.params.maxDets = evaluation.params.maxDets[-1:]
        evaluation.evaluate()
        evaluation.accumulate()
    return float(evaluation.eval["precision"].mean())


def _coco(images: Boxes, classes: Sequence[str]) -> COCO:
    coco = COCO()
    rows = [
        (image, box, int(label), float(score))
        for image, entry in enumerate(images)
        for box, label, score in zip(entry["boxes"], entry["labels"], entry.get("scores", np.ones(len(entry["boxes"]))))
    ]
    coco.dataset = dict(
        images=[dict(id=image) for image in range(len(images))],
        categories=[dict(id=i, name=name) for i, name in enumerate(classes)],
        annotations=[
            dict(id=i, image_id=image, category_id=label, score=score, iscrowd=0, area=float((x1 - x0) * (y1 - y0)))
            | dict(bbox=[float(x0), float(y0), float(x1 - x0), float(y1 - y0)])
            for i, (image, (x0, y0, x1, y1), label, score) in enumerate(rows, start=1)
        ],
    )
    coco.createIndex()
    return coco


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """One row: seconds of both and their ratio.

    Raises:
        RuntimeError: If the two do not agree.
    """
    truth, found = boxes_of(case)
    classes = [f"class {i}" for i in range(case.classes)]
    peers: Mapping[str, Callable[[], tuple[float, float]]] = {
        OURS: partial(_timed, lambda: float(box_average_precision(truth, found, classes)["AP"])),
        PEER: partial(_timed, lambda: reference(truth, found, classes)),
    }
    results = in_turns(peers, rounds)
    ours, peer = results[OURS][0][1], results[PEER][0][1]
    if abs(ours - peer) > 1e-9:
        raise RuntimeError(f"{case.name}: AP is {ours} by {OURS} and {peer} by {PEER}")
    seconds = {name: [one[0] for one in done] for name, done in results.items()}
    return {
        "boxes": case.name,
        "images": case.images,
        "boxes an image": case.persons * case.classes,
        **{f"{name}, s": statistics.median(times) for name, times in seconds.items()},
        f"speed / {PEER}": median_ratio(seconds[PEER], seconds[OURS]),
    }


def _timed(work: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    args = parser(__doc__).parse_args(argv)
    rows = [measure(case, 1 if args.quick else args.rounds) for case in (QUICK if args.quick else CASES)]
    report("average_precision", {"Average precision": rows}, file=args.json)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
