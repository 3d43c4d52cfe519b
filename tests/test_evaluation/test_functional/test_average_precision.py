import numpy as np
import pytest

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


def test_prints_nothing(capsys):
    box_average_precision([NOBODY], [NOBODY], ["person"])
    assert capsys.readouterr().out == ""
