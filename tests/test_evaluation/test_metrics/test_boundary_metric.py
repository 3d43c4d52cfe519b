"""BoundaryMetric: names, repeated instances, the file."""

from __future__ import annotations

import pytest
import torch

from tpsparse.errors import InputError
from tpsparse.evaluation.metrics import BoundaryMetric
from tpsparse.structures.boundaries_file import Boundaries
from tpsparse.structures.temporal import TemporalSample

KEY = "vidéo (1)/s00001_0_0_4_0"


def sample(key: str, truths: list[int], found: list[int], frames: int = 100) -> dict:
    given = TemporalSample.of(key, frames, torch.tensor(truths, dtype=torch.int64))
    given.pred_boundaries = torch.tensor(found, dtype=torch.int64)
    return given.to_dict()  # as mmengine's evaluator gives it


def scored(metric: BoundaryMetric, *samples: dict) -> dict[str, float]:
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_the_numbers():
    told = scored(BoundaryMetric(), sample("a", [20, 60], [29, 61]), sample("b", [], []))
    # 61 is right at every distance; 29 from 10 frames, or 0.1 of 100 frames, on.
    for kind in ("rel", "abs"):
        assert told[f"boundary/f1_{kind}"] == told[f"boundary/recall_{kind}"] == pytest.approx(0.95)
        assert told[f"boundary/precision_{kind}"] == pytest.approx(0.95)
    assert told["boundary/f1@0.05"] == told["boundary/f1@5"] == 0.5 and told["boundary/f1@0.5"] == 1
    assert (told["boundary/instances"], told["boundary/truths"], told["boundary/predictions"]) == (2, 2, 2)
    assert sum(name.startswith("boundary/f1@") for name in told) == 20


def test_the_other_rule_and_other_distances():
    metric = BoundaryMetric(rule="nearest", prefix="boundary_loose", distances=dict(relative=[0.1], absolute=[10]))
    told = scored(metric, sample("a", [20], [30, 21, 22]))
    assert told["boundary_loose/precision_abs"] == pytest.approx(2 / 3)  # 10 is not below 10
    assert told["boundary_loose/recall_abs"] == 1 and "boundary_loose/f1@10" in told


def test_an_instance_that_fills_up_the_last_round_counts_once():
    told = scored(BoundaryMetric(), sample("a", [20], [20]), sample("b", [30], []), sample("a", [20], [20]))
    assert told["boundary/instances"] == 2 and told["boundary/f1@5"] == pytest.approx(2 / 3)


def test_the_file(tmp_path):
    path = tmp_path / "new folder" / "val.json"
    scored(BoundaryMetric(out_file=str(path), method="TCN ü"), sample(KEY, [20], [30, 40]), sample("b", [5], [], 9))
    held = Boundaries.load(path)
    assert held.method == "TCN ü" and set(held.instances) == {KEY, "b"}
    assert held.instances[KEY][0] == 100 and held.instances[KEY][1].tolist() == [30, 40]
    assert held.instances["b"][0] == 9 and not len(held.instances["b"][1])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (dict(rule="best"), "BoundaryMetric has no rule 'best': set it to one_to_one or nearest"),
        (dict(distances=dict(relative=[])), "cannot use its distances"),
        (dict(distances=dict(relatif=[1])), "cannot use its distances"),
    ],
)
def test_what_a_config_can_get_wrong(given, told):
    with pytest.raises(InputError, match=told):
        BoundaryMetric(**given)
