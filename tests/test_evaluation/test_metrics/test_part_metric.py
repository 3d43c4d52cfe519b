import logging

import numpy as np
import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.evaluation.metrics import PartParsingMetric

NAN = [np.nan] * 4
WHOLE = [0.0, 0.0, 9.0, 9.0]  # 10 x 10 pixels
THREE_TENTHS = [0.0, 0.0, 9.0, 2.0]
FAR = [50.0, 50.0, 59.0, 59.0]


def _sample(boxes, gt_boxes, states=(0, 0, 0), gt_states=(0, 0, 0)):
    return {
        "part_boxes": torch.tensor(boxes),
        "part_scores": torch.full((3,), 0.5),
        "state_scores": torch.eye(3)[list(states)],
        "gt_part_boxes": torch.tensor(gt_boxes),
        "gt_part_states": torch.tensor(gt_states),
    }


def _run(taxonomy, *samples, **options):
    metric = PartParsingMetric(taxonomy=taxonomy.to_meta(), **options)
    for sample in samples:
        metric.process(None, [sample])
    return metric.evaluate(len(samples))


def test_two_crops_by_hand(taxonomy):
    # States: 0 none, 1 bend, 2 lift. Five parts are annotated:
    #   head      whole, none as none       located, right
    #   left_arm  three tenths, bend right  located, right
    #   right_arm far off, lift right       not located, right
    #   head      whole, lift as none       located, wrong
    #   left_arm  nothing predicted, bend   not located, right
    numbers = _run(
        taxonomy,
        _sample([WHOLE, THREE_TENTHS, FAR], [WHOLE] * 3, states=(0, 1, 2), gt_states=(0, 1, 2)),
        _sample([WHOLE, NAN, WHOLE], [WHOLE, WHOLE, NAN], states=(0, 1, 2), gt_states=(2, 1, -1)),
    )
    assert numbers == {
        # Heads 1; arms 0: a box of IoU 0.3 is none at 0.5.
        "part/part_AP": pytest.approx(1 / 3),
        "part/part_AP50": pytest.approx(1 / 3),
        "part/part_iou": pytest.approx((1 + 0.3 + 0 + 1 + 0) / 5),
        "part/located": pytest.approx(3 / 5),
        "part/state_top1": pytest.approx(4 / 5),
        "part/state_top1_named": pytest.approx(3 / 4),
        "part/correct": pytest.approx(2 / 5),
        "part/part_AP50/head": pytest.approx(1),
        "part/part_AP50/left_arm": 0,
        "part/part_AP50/right_arm": 0,
        "part/state_top1/head": pytest.approx(1 / 2),
        "part/state_top1/left_arm": 1,
        "part/state_top1/right_arm": 1,
        # The head that is none leaves; the other, lift as none, stays.
        "part/state_top1_named/head": 0,
        "part/state_top1_named/left_arm": 1,
        "part/state_top1_named/right_arm": 1,
    }


def test_exactly_at_the_threshold_is_located(taxonomy):
    sample = _sample([THREE_TENTHS, NAN, NAN], [WHOLE, NAN, NAN], gt_states=(0, -1, -1))
    assert _run(taxonomy, sample)["part/located"] == 1
    assert _run(taxonomy, sample, part_iou=0.31)["part/located"] == 0


def test_numbers_that_no_crop_gives_are_not_reported(taxonomy):
    nothing = _sample([WHOLE] * 3, [NAN] * 3, gt_states=(-1, -1, -1))
    assert _run(taxonomy, nothing) == {}
    only_none = _run(taxonomy, _sample([WHOLE] * 3, [WHOLE] * 3))
    assert "part/state_top1_named" not in only_none
    assert only_none["part/state_top1"] == 1


def test_a_list_without_the_none_state_has_only_named_ones(taxonomy):
    numbers = _run(taxonomy, _sample([WHOLE] * 3, [WHOLE] * 3), none_state="nothing")
    assert numbers["part/state_top1_named"] == numbers["part/state_top1"] == 1


def test_boxes_alone(taxonomy):
    sample = _sample([WHOLE] * 3, [WHOLE] * 3)
    del sample["state_scores"], sample["gt_part_states"]
    numbers = _run(taxonomy, sample)
    for part in taxonomy.parts:
        assert numbers.pop(f"part/part_AP50/{part}") == pytest.approx(1)
    both = {"part/part_AP": pytest.approx(1), "part/part_AP50": pytest.approx(1)}
    assert numbers == {**both, "part/part_iou": 1, "part/located": 1}


def test_average_precision_over_the_thresholds(taxonomy):
    # 9 x 6 of 9 x 9: an IoU of 2/3, enough for 0.50, 0.55, 0.60 and 0.65 of the ten thresholds.
    sample = _sample([[0.0, 0.0, 9.0, 6.0], NAN, NAN], [WHOLE, NAN, NAN], gt_states=(0, -1, -1))
    numbers = _run(taxonomy, sample)
    assert numbers["part/part_AP"] == pytest.approx(0.4) and numbers["part/part_AP50"] == pytest.approx(1)


def test_a_part_without_annotation_has_no_number_of_its_own(taxonomy):
    numbers = _run(taxonomy, _sample([WHOLE] * 3, [WHOLE, WHOLE, NAN], states=(0, 1, 2), gt_states=(0, 1, -1)))
    own = {name.removeprefix("part/"): value for name, value in numbers.items() if name.count("/") == 2}
    # The head is annotated as none, the right arm not at all.
    assert own == {
        "part_AP50/head": pytest.approx(1),
        "part_AP50/left_arm": pytest.approx(1),
        "state_top1/head": 1,
        "state_top1/left_arm": 1,
        "state_top1_named/left_arm": 1,
    }


def test_names_come_from_the_data_set_or_not_at_all(taxonomy):
    metric = PartParsingMetric()
    metric.process(None, [_sample([WHOLE] * 3, [WHOLE] * 3)])
    with pytest.raises(InputError, match="PartParsingMetric has no taxonomy"):
        metric.compute_metrics(metric.results)
    metric.dataset_meta = {"taxonomy": taxonomy.to_meta()}
    assert metric.compute_metrics(metric.results)["correct"] == 1


class TestPainted:
    @pytest.fixture
    def told(self, monkeypatch):
        lines = []
        place = "tpsparse.evaluation.metrics.part_metric.print_log"
        monkeypatch.setattr(place, lambda line, logger, level: lines.append((level, line)))
        return lines

    @pytest.mark.parametrize(
        ("painted", "share"), [([True, False, False, True], 0.5), ([True], 1), ([False, False, True], 1 / 3)]
    )
    def test_share(self, taxonomy, told, painted, share):
        samples = [{**_sample([WHOLE] * 3, [WHOLE] * 3), "painted": each} for each in painted]
        assert _run(taxonomy, *samples)["part/painted"] == pytest.approx(share)
        assert told == []

    def test_nobody_is_told(self, taxonomy, told):
        samples = [{**_sample([WHOLE] * 3, [WHOLE] * 3), "painted": False}] * 2
        assert _run(taxonomy, *samples)["part/painted"] == 0
        [(level, line)] = told
        assert level == logging.WARNING
        assert "not one person has a confident keypoint" in line
        assert "train the person detector and the pose stage longer, or look at the records" in line

    def test_not_reported_where_nothing_is_painted(self, taxonomy, told):
        assert "part/painted" not in _run(taxonomy, _sample([WHOLE] * 3, [WHOLE] * 3))
        assert told == []
