"""One pass equals the ordinary evaluation of all videos together, and its losses add up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tpsparse.analysis.score.diagnosis import Thresholds, diagnose, score_records
from tpsparse.analysis.score.points import HIGHEST, NO_PART, PART_CAUSES
from tpsparse.analysis.score.records import Annotated
from tpsparse.analysis.score.replacing import ROWS, Replacement
from tpsparse.errors import InputError
from tpsparse.evaluation.functional import evaluate
from tpsparse.evaluation.submission import part_result_of, part_truth_of, video_result_of, video_truth_of
from tpsparse.structures import VideoParse
from tpsparse.taxonomy import Taxonomy

REAL = Path(__file__).resolve().parents[3] / ".." / "shared" / "kinetics-tps-real"


@pytest.fixture
def records(make_records):
    return make_records(5, videos=12)


def ordinary(pairs, taxonomy, **thresholds):
    parses, truths = zip(*pairs)
    truth = part_truth_of(truths, taxonomy), video_truth_of(truths, taxonomy)
    return evaluate(*truth, part_result_of(parses, taxonomy), video_result_of(parses, taxonomy), **thresholds)


@pytest.mark.parametrize("thresholds", [(0.5, 0.3), (0.7, 0.5), (0.45, 0.6)])
def test_every_row_equals_the_ordinary_evaluation(records, thresholds):
    taxonomy, pairs = records
    human_iou, part_iou = thresholds
    found = diagnose(pairs, taxonomy, Thresholds(*thresholds))
    given = dict(human_iou=human_iou, part_iou=part_iou)
    expected = ordinary(pairs, taxonomy, **given)
    for name in ("psc", "action_correct", "part_accuracy"):
        assert getattr(found.result, name) == getattr(expected, name), name
    assert found.result.score == pytest.approx(expected.score, abs=1e-12)
    assert found.result.mean_psc == pytest.approx(expected.mean_psc, abs=1e-12)
    for row, result in zip(ROWS, found.rows):
        replaced = [
            (Replacement(parse, truth, len(taxonomy.parts), human_iou=human_iou).replaced(row), truth)
            for parse, truth in pairs
        ]
        assert result.score == pytest.approx(ordinary(replaced, taxonomy, **given).score, abs=1e-12), row.name
    assert found.rows[-1].score == 0.9999 and 0.1 < found.result.score < 0.9
    assert next(iter(found.curves)) == thresholds and len(found.curves) == (3 if human_iou == 0.5 else 4)
    assert list(found.curves)[-2:] == [(0.01, 0.01), (0.99, 0.99)]
    for (human, part), result in found.curves.items():
        expected = ordinary(pairs, taxonomy, human_iou=human, part_iou=part)
        assert result.score == pytest.approx(expected.score, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_losses_add_up(make_records, seed):
    taxonomy, pairs = make_records(seed, videos=9)
    found = diagnose(pairs, taxonomy)
    totals = found.points.totals()
    assert sum(totals.values()) == pytest.approx(HIGHEST - found.result.score, abs=1e-9)
    assert all(totals[cause] >= 0 for cause in PART_CAUSES) and -0.0001 <= totals["remainder"] <= 0
    by_action = found.points.table("action")
    for cause, loss in totals.items():
        assert sum(entry.losses[cause] for entry in by_action.values()) == pytest.approx(loss, abs=1e-12)
    for kind in ("part", "state"):
        table = found.points.table(kind)
        for cause in PART_CAUSES:
            assert sum(entry.losses[cause] for entry in table.values()) == pytest.approx(totals[cause], abs=1e-12)
        lost = [entry.lost for entry in table.values()]
        assert lost == sorted(lost, reverse=True)
    accuracy = {n: e.right / e.annotated for n, e in found.points.table("part").items() if n != NO_PART}
    assert accuracy == pytest.approx(found.result.part_accuracy)
    assert found.points.action_confusion().sum() == 9
    assert np.trace(found.points.action_confusion()) == sum(found.result.action_correct.values())
    right = sum(entry.right for entry in found.points.table("part").values())
    assert np.trace(found.points.state_confusion()) == right > 0


def test_curve_area_is_the_score(records):
    taxonomy, pairs = records
    found = diagnose(pairs, taxonomy)
    for setting, result in found.curves.items():
        demanded, accuracy = found.curve(setting)
        assert demanded[0] == 0 and demanded[-1] == 1 and len(accuracy) == 1001
        assert accuracy[0] == result.action_top1 and np.all(np.diff(accuracy) <= 0)
        assert accuracy[1:-1].sum() / 1000 == pytest.approx(result.score, abs=2e-3)


def test_intervals(records):
    taxonomy, pairs = records
    found = diagnose(pairs, taxonomy)
    for name, interval in found.intervals.items():
        assert interval.value == pytest.approx(getattr(found.result, name), abs=1e-12)
        assert interval.low < interval.value < interval.high
    assert found.gains[0].high == 0 and found.gains[-1].low > 0
    top = found.row_intervals[-1]
    assert (top.low, top.value, top.high) == (0.9999,) * 3


def test_json(records):
    taxonomy, pairs = records
    content = json.loads(json.dumps(diagnose(pairs, taxonomy).to_json(), allow_nan=False))
    assert [row["paper_score"] for row in content["rows"]][::5] == [0.3332, 0.456, 0.999]
    assert [row["actor"] for row in content["rows"]] == [row.actor for row in ROWS]
    mean = sum(video["score"] for video in content["videos"].values()) / 12
    assert mean == pytest.approx(content["rows"][0]["score"])
    assert len(content["psc_accuracy"]) == 3 and len(content["psc_accuracy"][0]["accuracy"]) == 101
    assert [curve["organisers_baseline"] for curve in content["psc_accuracy"]] == [0.2979, 0.3548, 0.0167]


def test_other_system(records):
    taxonomy, pairs = records
    assert score_records(pairs, taxonomy).score == diagnose(pairs, taxonomy).result.score


def test_row_without_a_published_number(records, monkeypatch):
    taxonomy, pairs = records
    rows = (ROWS[0], replace(ROWS[1], paper=float("nan")))
    monkeypatch.setattr("tpsparse.analysis.score.diagnosis.ROWS", rows)
    assert [row["paper_score"] for row in diagnose(pairs, taxonomy).to_json()["rows"]] == [0.3332, None]


def test_no_video():
    with pytest.raises(InputError, match="no video was scored"):
        diagnose([], Taxonomy(parts=("head",), states=("none",), actions=("lunge",)))


def test_record_of_other_names(records):
    _, pairs = records
    fewer = Taxonomy(parts=("head", "left_arm", "right_arm"), states=("none",), actions=("lunge", "push_up", "surf"))
    with pytest.raises(InputError, match="not among the 1 of the taxonomy"):
        diagnose(pairs, fewer)


def test_drawn_data_set(tiny_root, tiny_taxonomy):
    """Of nothing predicted at all, everything replaced is the highest score."""
    annotated = Annotated.open(tiny_root, "test", tiny_taxonomy)
    pairs = [(VideoParse(video, error="cut short"), annotated.truth(video)) for video in annotated.truths]
    found = diagnose(pairs, tiny_taxonomy)
    assert found.rows[-1].score == 0.9999 and found.result.score == 0
    # The first action of the list stands in for one that is not known.
    assert found.result.action_top1 == pytest.approx(1 / 3)
    assert found.points.totals()["person not found"] == pytest.approx(1 / 3)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real annotations are not here")
def test_real_annotations(tmp_path):
    import shutil

    root = Path(shutil.copytree(REAL, tmp_path / "data", ignore=shutil.ignore_patterns("index")))
    taxonomy = Taxonomy.from_root(root)
    for split in ("train", "test"):
        annotated = Annotated.open(root, split, taxonomy)
        truths = [annotated.truth(video) for video in annotated.truths]
        # The first failed, the second has empty frames, the others were parsed perfectly.
        parses = [replace(truth) for truth in truths]
        parses[0] = VideoParse(truths[0].video, error="cut short")
        parses[1] = replace(truths[1], frames=[frame.take(np.arange(0)) for frame in truths[1].frames])
        found = diagnose(zip(parses, truths), taxonomy)
        assert found.rows[-1].score == 0.9999 and found.result.score < 0.9999
        assert sum(found.points.totals().values()) == pytest.approx(HIGHEST - found.result.score, abs=1e-9)
