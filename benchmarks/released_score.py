"""The challenge's score as the released script computes it: the peer of ``evaluate_submission.py``.

    python benchmarks/released_score.py GT_DIR PRED_DIR [--human-iou 0.5] [--part-iou 0.3] [--script FILE]

One pass over videos, frames, persons and parts in plain loops, in the order and the precision of ``eval_detection.py``
of https://github.com/xiadingZ/Kinetics-TPS-evaluation, written anew, for that script has no licence. Its main program
repeats the scoring at 26 pairs of thresholds; here it is done for one. Its versions differ in one line: at 11ef7fb and
ed3a6bc the i-th match takes the parts of the i-th predicted person, in the version of 2022 those of the matched one, as
here; the reference results that the tests compare with are of the latter. ``--script`` runs the functions of a
downloaded ``eval_detection.py`` instead. Prints JSON: the score and, by video, PSC and whether the action is right.

Boxes are ``xyxy`` lists in pixels.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

STEPS = 10_000
FILES = ("gt_part_result", "gt_vid_result", "pred_part_result", "pred_vid_result")


def overlap(box: Any, other: Any) -> float:
    """IoU with both border pixels counted; -1 where nothing is shared."""
    width = min(box[2], other[2]) - max(box[0], other[0]) + 1
    height = min(box[3], other[3]) - max(box[1], other[1]) + 1
    if width <= 0 or height <= 0:
        return -1.0
    shared = width * height
    area = (box[2] - box[0] + 1) * (box[3] - box[1] + 1)
    other_area = (other[2] - other[0] + 1) * (other[3] - other[1] + 1)
    return shared / float(area + other_area - shared)


def pair_persons(annotated: list[Any], predicted: list[Any], threshold: float) -> dict[int, Any]:
    """Row of an annotated person to the predicted one that it is matched with."""
    boxes = np.float32([person["box"] for person in annotated])
    others = np.float32([person["box"] for person in predicted])
    table = np.zeros((len(boxes), len(others)), dtype=np.float32)
    for i in range(len(boxes)):
        for j in range(len(others)):
            table[i, j] = overlap(boxes[i], others[j])
    side = max(table.shape)
    if table.shape != (side, side):
        padded = np.zeros((side, side))
        padded[: len(boxes), : len(others)] = table
        table = padded
    pairs = {}
    for i, j in zip(*linear_sum_assignment(1 - table)):
        if i < len(boxes) and j < len(others) and table[i, j] > threshold:
            pairs[int(i)] = predicted[j]
    return pairs


def person_reward(annotated: Any, predicted: Any, threshold: float) -> float:
    """Sum over the annotated parts of one divided by the number of proposals, where one of these is right."""
    total = 0.0
    for name, part in annotated["parts"].items():
        if name not in predicted["parts"]:
            continue
        boxes, states = predicted["parts"][name]["box"], predicted["parts"][name]["verb"]
        for box, state in zip(boxes, states):
            if overlap(part["box"], box) >= threshold and state == part["verb"]:
                total += 1.0 / len(states)
                break
    return total


def video_psc(truth: Any, prediction: Any, human_iou: float, part_iou: float) -> float:
    """Mean over the counted frames of the mean reward of their parts; 1 where no frame counts."""
    counted, total = len(truth), 0.0
    for frame, content in truth.items():
        if not content["humans"]:
            counted -= 1
            continue
        if frame not in prediction:
            continue
        pairs = pair_persons(content["humans"], prediction[frame]["humans"], human_iou)
        parts, reward = 0, 0.0
        for i, person in enumerate(content["humans"]):
            parts += len(person["parts"])
            reward += person_reward(person, pairs[i], part_iou) if i in pairs else 0.0
        if parts == 0:
            counted -= 1
        else:
            total += reward / parts
    return total / counted if counted else 1.0


def area(rows: list[tuple[str, float, int]]) -> float:
    """The sum over the thresholds of the share of videos that reach them with the right action."""
    total = 0.0
    for step in range(1, STEPS):
        reached = 0
        for _, psc, correct in rows:
            if psc >= step / STEPS and correct == 1:
                reached += 1
        total += 1.0 / STEPS * (reached / len(rows))
    return total


def score(contents: dict[str, Any], human_iou: float = 0.5, part_iou: float = 0.3) -> dict[str, Any]:
    """Score the four files' contents, by their names (:data:`FILES`).

    Raises:
        KeyError: If the prediction lacks a video, as the script does.
    """
    rows = []
    for video, action in contents["gt_vid_result"].items():
        truth, prediction = contents["gt_part_result"][video], contents["pred_part_result"][video]
        correct = int(action == contents["pred_vid_result"][video])
        rows.append((video, video_psc(truth, prediction, human_iou, part_iou), correct))
    return _result(rows, area(rows))


def score_by(script: Path, contents: dict[str, Any], human_iou: float = 0.5, part_iou: float = 0.3) -> dict[str, Any]:
    """The same by the functions of a downloaded ``eval_detection.py``."""
    spec = importlib.util.spec_from_file_location("eval_detection", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    given = [contents[name] for name in ("gt_vid_result", "gt_part_result", "pred_vid_result", "pred_part_result")]
    rows = module.cal_task_acc(*given, max_human_iou=human_iou, max_part_iou=part_iou)
    return _result(rows, module.cal_area(rows))


def _result(rows: list[Any], value: float) -> dict[str, Any]:
    psc = {video: float(psc) for video, psc, _ in rows}
    return dict(score=float(value), psc=psc, action_correct={video: bool(right) for video, _, right in rows})


def read(truth: Path, prediction: Path) -> dict[str, Any]:
    """The contents of the four files by name, read as the script reads them."""
    contents = {}
    for name in FILES:
        with open((truth if name.startswith("gt") else prediction) / f"{name}.json") as file:
            contents[name] = json.load(file)
    return contents


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path, metavar="GT_DIR", help="folder of the ground truth")
    parser.add_argument("prediction", type=Path, metavar="PRED_DIR", help="folder of the prediction")
    parser.add_argument("--human-iou", type=float, default=0.5, help="persons match above it")
    parser.add_argument("--part-iou", type=float, default=0.3, help="parts are located from it on")
    parser.add_argument("--script", type=Path, metavar="FILE", help="a downloaded eval_detection.py to run instead")
    args = parser.parse_args(argv)
    contents = read(args.truth, args.prediction)
    thresholds = (args.human_iou, args.part_iou)
    found = score_by(args.script, contents, *thresholds) if args.script else score(contents, *thresholds)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
