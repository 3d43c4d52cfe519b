import contextlib
import io
import logging

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tpsparse.evaluation.functional import box_average_precision

NOBODY = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, dtype=int)}


def _image(boxes, labels=None, scores=None):
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    labels = np.zeros(len(boxes), dtype=int) if labels is None else np.array(labels)
    return {"boxes": boxes, "labels": labels, "scores": np.ones(len(boxes)) if scores is None else np.array(scores)}


def test_a_box_of_iou_0_64_passes_three_of_ten_thresholds():
    # 80 x 80 inside 100 x 100: IoU 0.64, so right at 0.50, 0.55 and 0.60.
    result = box_average_precision([_image([[0, 0, 100, 100]])], [_image([[0, 0, 80, 80]])], ["person"])
    assert result["AP50"] == pytest.approx(1.0)
    assert result["AP"] == pytest.approx(0.3)
    assert result["classes"] == {"person": {"AP": pytest.approx(0.3), "AP50": pytest.approx(1.0)}}


def test_precision_is_interpolated_at_101_recalls():
    # By falling score: right, wrong, right, of three true boxes. Precision is 1 up to recall 1/3, 2/3 up to 2/3,
    # 0 beyond: of the 101 recall levels 34 (0 to 0.33) have 1 and 33 (0.34 to 0.66) have 2/3.
    truth = _image([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
    guess = _image([[40, 0, 50, 10], [80, 80, 90, 90], [0, 0, 10, 10]], scores=[0.3, 0.6, 0.9])
    expected = (34 + 33 * 2 / 3) / 101
    assert box_average_precision([truth], [guess], ["person"])["AP50"] == pytest.approx(expected, abs=1e-9)


def test_a_second_box_on_the_same_person_is_wrong():
    truth = _image([[0, 0, 10, 10], [20, 0, 30, 10]])
    guess = _image([[0, 0, 10, 10], [0, 0, 10, 10], [20, 0, 30, 10]], scores=[0.9, 0.8, 0.7])
    # Precision 1 up to recall 1/2 (51 levels), then 2/3 (50 levels).
    expected = (51 + 50 * 2 / 3) / 101
    assert box_average_precision([truth], [guess], ["person"])["AP50"] == pytest.approx(expected, abs=1e-9)


def test_classes_without_ground_truth_leave_the_mean():
    truth = [_image([[0, 0, 10, 10], [0, 0, 10, 10]], labels=[0, 2])]
    guess = [_image([[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]], labels=[0, 1, 2])]
    result = box_average_precision(truth, guess, ["head", "hip", "left_arm"])
    assert result["AP50"] == pytest.approx(0.5)
    assert [result["classes"][name]["AP50"] for name in ("head", "left_arm")] == pytest.approx([1.0, 0.0])
    assert np.isnan(result["classes"]["hip"]["AP"])


def test_boxes_match_within_their_own_image():
    truth = [_image([[0, 0, 10, 10]]), NOBODY]
    assert box_average_precision(truth, [NOBODY, _image([[0, 0, 10, 10]])], ["person"])["AP50"] == 0
    assert box_average_precision(truth, [_image([[0, 0, 10, 10]]), NOBODY], ["person"])["AP50"] == pytest.approx(1)


@pytest.mark.parametrize("images", [[], [NOBODY]])
def test_nothing_annotated_is_not_a_number(images):
    assert np.isnan(box_average_precision(images, images, ["person"])["AP"])


def test_nothing_predicted_is_zero_and_labels_of_other_classes_are_left_out():
    truth = [_image([[0, 0, 10, 10]])]
    assert box_average_precision(truth, [NOBODY], ["person"])["AP"] == 0
    assert box_average_precision(truth, [_image([[0, 0, 10, 10]], labels=[7])], ["person"])["AP"] == 0


def test_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match="1 images have ground truth but 0"):
        box_average_precision([NOBODY], [], ["person"])


def test_prints_and_logs_nothing(capsys, caplog):
    with caplog.at_level(logging.DEBUG):
        box_average_precision([NOBODY, _image([[0, 0, 10, 10]])], [NOBODY, _image([[0, 0, 10, 10]])], ["person"])
    assert capsys.readouterr() == ("", "")
    # Where the index of boxes is made it is told at the lowest level of all.
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_only_the_hundred_most_certain_boxes_of_a_class_count():
    # The right box is behind 100 wrong ones in one class, and behind none in the other.
    wrong = np.tile([50, 50, 60, 60], (100, 1))
    boxes = np.concatenate([wrong, [[0, 0, 10, 10]], [[0, 0, 10, 10]]])
    guess = _image(boxes, labels=[0] * 101 + [1], scores=[0.9] * 100 + [0.8, 0.1])
    result = box_average_precision([_image([[0, 0, 10, 10]] * 2, labels=[0, 1])], [guess], ["head", "hip"])
    assert result["classes"] == {"head": {"AP": 0.0, "AP50": 0.0}, "hip": pytest.approx({"AP": 1.0, "AP50": 1.0})}


def _random_images(rng, count, *, least, most, classes, ties):
    images = []
    for _ in range(count):
        number = rng.integers(least, most + 1)
        corner, size = rng.uniform(0, 80, (number, 2)), rng.uniform(5, 40, (number, 2))
        scores = rng.random(number)
        images.append(
            {
                "boxes": np.concatenate([corner, corner + size], axis=1).astype(np.float32),
                "labels": rng.integers(0, classes, number),
                "scores": scores.round(1) if ties else scores,
            }
        )
    return images


def _nearly(rng, truth, ties):
    """Predictions around the truth: shaken, some missing, some false, some of a wrong class."""
    images = _random_images(rng, len(truth), least=0, most=4, classes=3, ties=ties)
    for image, true in zip(images, truth):
        kept = rng.random(len(true["boxes"])) < 0.8
        shaken = true["boxes"][kept] + rng.normal(0, 2, (kept.sum(), 4)).astype(np.float32)
        scores = rng.random(kept.sum())
        image["boxes"] = np.concatenate([image["boxes"], shaken])
        image["labels"] = np.concatenate([image["labels"], true["labels"][kept]])
        image["scores"] = np.concatenate([image["scores"], scores.round(1) if ties else scores])
    return images


def _reference(truth, guess, classes):
    """AP and AP50 of each class by pycocotools, NaN for a class without ground truth."""

    def coco(images):
        boxes = [
            {
                "image_id": number,
                "category_id": int(label),
                "bbox": [float(v) for v in (x0, y0, x1 - x0, y1 - y0)],
                "area": float((x1 - x0) * (y1 - y0)),
                "score": float(score),
                "iscrowd": 0,
            }
            for number, image in enumerate(images)
            for (x0, y0, x1, y1), label, score in zip(
                image["boxes"].astype(np.float64), image["labels"], image["scores"]
            )
        ]
        made = COCO()
        made.dataset = {
            "images": [{"id": number} for number in range(len(images))],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": [{"id": number, **box} for number, box in enumerate(boxes, 1)],
        }
        made.createIndex()
        return made

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco(truth), coco(guess), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0, -1]  # all areas, 100 boxes
    precision = np.where(precision < 0, np.nan, precision)
    return precision.mean(axis=(0, 1)), precision[0].mean(axis=0)


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools(seed, ties):
    rng = np.random.default_rng(seed)
    # Images without persons among them, and a fourth class that is never annotated.
    truth = _random_images(rng, 40, least=0, most=5, classes=3, ties=False)
    guess = _nearly(rng, truth, ties)
    guess[3] = NOBODY
    result = box_average_precision(truth, guess, ["head", "hip", "left_arm", "nowhere"])
    ap, ap50 = _reference(truth, guess, 4)
    assert 0.05 < np.nanmean(ap) < 0.95
    for name, expected in (("AP", ap), ("AP50", ap50)):
        assert [entry[name] for entry in result["classes"].values()] == pytest.approx(
            expected.tolist(), abs=1e-12, nan_ok=True
        )
        assert result[name] == pytest.approx(np.nanmean(expected), abs=1e-12)


def test_equals_pycocotools_where_an_image_has_more_than_a_hundred_boxes():
    rng = np.random.default_rng(9)
    truth = _random_images(rng, 2, least=110, most=130, classes=1, ties=False)
    guess = [{**image, "boxes": image["boxes"] + 1, "scores": rng.random(len(image["boxes"]))} for image in truth]
    ap, ap50 = _reference(truth, guess, 1)
    result = box_average_precision(truth, guess, ["person"])
    assert (result["AP"], result["AP50"]) == (pytest.approx(ap[0], abs=1e-12), pytest.approx(ap50[0], abs=1e-12))
    assert result["AP50"] < 0.95
