"""Counting what a run of frame features did."""

from mmengine.evaluator import Evaluator

from tpsparse.evaluation.metrics import FeatureCount
from tpsparse.structures.features_file import EncodedVideo


def counts(*samples):
    evaluator = Evaluator(FeatureCount())
    for sample in samples:
        evaluator.process([sample], {})
    return evaluator.evaluate(len(samples))


def test_each_outcome():
    found = counts(
        EncodedVideo("a/1"),
        EncodedVideo("a/2", found=True),
        EncodedVideo("b/1", error="b.mp4 is missing"),
        EncodedVideo("b/2"),
    )
    assert found == {"features/encoded": 2, "features/found": 1, "features/failed": 1}


def test_nothing():
    assert counts() == {"features/encoded": 0, "features/found": 0, "features/failed": 0}


def test_a_repeated_video_counts_as_it_was_first():
    assert counts(EncodedVideo("a"), EncodedVideo("a", found=True))["features/encoded"] == 1


def test_is_registered(scope):
    from tpsparse.registry import METRICS

    assert isinstance(METRICS.build(dict(type="FeatureCount")), FeatureCount)
