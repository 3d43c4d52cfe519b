import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from tpsparse.errors import InputError
from tpsparse.evaluation.metrics import KineticsTPSMetric
from tpsparse.registry import METRICS
from tpsparse.structures import VideoParse

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pairs(make_parse):
    """Predictions and ground truths of five videos; the second has the wrong action, the last is broken."""
    rng = np.random.default_rng(0)
    truths = [make_parse(rng, video=f"v{i}") for i in range(5)]
    parses = []
    for i, truth in enumerate(truths):
        frames = [frame.take(np.arange(len(frame))) for frame in truth.frames]
        for frame in frames:
            wrong = rng.random(frame.part_states.shape) < 0.4
            frame.part_states = np.where(wrong, 0, frame.part_states)
        action = np.eye(3)[0 if i == 1 else 1]
        parses.append(VideoParse(truth.video, frames=frames, action_scores={"action": action}))
    parses[4] = VideoParse("v4", error="the file is cut short")
    return parses, truths


def _run(metric, parses, truths, size=None):
    for parse, truth in zip(parses, truths):
        metric.process({"ground_truth": [truth]}, [parse])
    return metric.evaluate(size or len(parses))


def _evaluate_tool():
    spec = importlib.util.spec_from_file_location("evaluate_tool", ROOT / "tools" / "evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_equals_the_tool_on_the_files_it_wrote(tmp_path, pairs, taxonomy):
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta(), out_dir=str(tmp_path))
    numbers = _run(metric, *pairs)
    assert set(numbers) == {"tps/score", "tps/action_top1", "tps/mean_psc"}
    assert 0 < numbers["tps/score"] < 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report.pop("skipped") == {"v4": "the file is cut short"}
    assert report.pop("sources") == {"action": 0.75}
    written = tmp_path / "again.json"
    for prediction in ("submission", "submission.zip"):
        command = ["--gt", tmp_path / "ground_truth", "--pred", tmp_path / prediction, "--json", written]
        # The broken video's frames are missing, which is an invalid submission.
        assert _evaluate_tool().main([str(word) for word in command]) == 2
        again = json.loads(written.read_text())
        assert len(again.pop("findings")) == 3
        assert again == report
    assert {f"tps/{name}": report[name] for name in ("score", "action_top1", "mean_psc")} == numbers
    assert list(report) == ["score", "action_top1", "mean_psc", "psc", "action_correct", "part_accuracy"]


def test_skipped_videos_and_the_reason_are_logged(pairs, taxonomy, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "tpsparse.evaluation.metrics.tps_metric.print_log", lambda text, *_: lines.append(text), raising=True
    )
    _run(KineticsTPSMetric(taxonomy=taxonomy.to_meta()), *pairs)
    assert any("v4" in line and "the file is cut short" in line for line in lines)
    assert "1 of 5 videos were skipped" in lines


def test_repeated_videos_count_once_and_the_first_is_kept(pairs, taxonomy):
    parses, truths = pairs
    expected = _run(KineticsTPSMetric(taxonomy=taxonomy.to_meta()), parses, truths)
    second = VideoParse("v0", error="a second attempt that failed")
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta())
    assert _run(metric, [*parses, second], [*truths, truths[0]]) == expected


def test_videos_without_ground_truth_are_submitted_and_not_scored(tmp_path, pairs, taxonomy):
    parses, truths = pairs
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta(), out_dir=str(tmp_path / "some"))
    some = _run(metric, parses, [truths[0], truths[1], None, None, None])
    only = _run(KineticsTPSMetric(taxonomy=taxonomy.to_meta()), parses[:2], truths[:2])
    assert some == only
    submitted = json.loads((tmp_path / "some" / "submission" / "pred_vid_result.json").read_text())
    assert sorted(submitted) == [f"v{i}" for i in range(5)]
    annotated = json.loads((tmp_path / "some" / "ground_truth" / "gt_vid_result.json").read_text())
    assert sorted(annotated) == ["v0", "v1"]


def test_no_ground_truth_at_all(tmp_path, pairs, taxonomy):
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta(), out_dir=str(tmp_path))
    metric.process({}, pairs[0])
    assert metric.evaluate(5) == {}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["score"] is None
    assert (tmp_path / "submission.zip").is_file()
    assert not (tmp_path / "ground_truth").exists()


def test_actions_alone_give_top1(tmp_path, pairs, taxonomy):
    """As in the official test split, where nothing but the folders' actions is known: 3 of 4 known ones are right."""
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta(), out_dir=str(tmp_path))
    parses = pairs[0][:4] + [VideoParse("v4", action_scores={"action": np.eye(3)[2]})]
    actions = [parse.action() for parse in parses[:3]] + [(parses[3].action() + 1) % 3, -1]
    for parse, action in zip(parses, actions):
        metric.process({"ground_truth": [None], "action": [action]}, [parse])
    assert metric.evaluate(5) == {"tps/action_top1": 0.75}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["score"] is None and report["psc"] is None and report["action_top1"] == 0.75
    assert report["action_correct"] == {"v0": True, "v1": True, "v2": True, "v3": False}
    assert report["sources"] == {"action": 0.75}


def test_thresholds_reach_the_score(pairs, taxonomy):
    parses, truths = pairs
    for parse in parses:
        for frame in parse.frames:
            frame.part_boxes[..., 2] -= 8
    loose, strict = (
        _run(KineticsTPSMetric(taxonomy=taxonomy.to_meta(), part_iou=iou), parses, truths) for iou in (0.3, 0.99)
    )
    assert loose["tps/score"] > 0
    assert strict["tps/mean_psc"] == 0


def test_built_by_the_registry_with_the_data_sets_names(pairs, taxonomy):
    metric = METRICS.build({"type": "KineticsTPSMetric", "prefix": "val"})
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {"taxonomy": taxonomy.to_meta()}
    parses, truths = pairs
    evaluator.process(data_samples=parses, data_batch={"ground_truth": truths})
    assert evaluator.evaluate(5)["val/action_top1"] == pytest.approx(3 / 5)


def test_without_names_it_says_so(pairs):
    with pytest.raises(InputError, match="KineticsTPSMetric has no taxonomy"):
        KineticsTPSMetric().process({}, pairs[0])


def test_ground_truth_must_fit_the_predictions(pairs, taxonomy):
    parses, truths = pairs
    metric = KineticsTPSMetric(taxonomy=taxonomy.to_meta())
    with pytest.raises(ValueError, match="5 predictions but 1 ground truths"):
        metric.process({"ground_truth": truths[:1]}, parses)
    with pytest.raises(ValueError, match="prediction is of v0 but its ground truth of v1"):
        metric.process({"ground_truth": [truths[1]]}, parses[:1])
