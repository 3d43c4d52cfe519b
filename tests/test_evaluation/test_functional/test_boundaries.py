"""Scores of boundaries: by hand, by the public evaluators' plain loop, and on the real annotation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tpsparse.evaluation.functional.boundaries import (
    ABSOLUTE,
    RELATIVE,
    Distances,
    boundary_scores,
    even_boundaries,
    nearest,
    one_to_one,
)

REAL = Path(__file__).resolve().parents[3] / ".." / "shared" / "tapos" / "tapos_annotation_val.json"
ONE = Distances(relative=(0.1,), absolute=(5,))


def at(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def hits(rule, truths, predictions, limit: float) -> tuple[int, int]:
    hit, right = rule(at(*truths), at(*predictions), np.array([limit]))
    return int(hit[0]), int(right[0])


def draw(generator: np.random.Generator, frames: int, mean: float) -> np.ndarray:
    number = min(int(generator.poisson(mean)), frames - 1)
    return np.sort(generator.choice(np.arange(1, frames), size=number, replace=False))


def one_to_one_by_deleting(truths: list[int], predictions: list[int], limit: float) -> int:
    """For each truth the nearest that is left, which is taken away if it is near enough."""
    left, found = list(predictions), 0
    for truth in truths:
        if not left:
            break
        best = min(range(len(left)), key=lambda place: (abs(left[place] - truth), place))
        if abs(left[best] - truth) <= limit:
            found += 1
            del left[best]
    return found


@pytest.mark.parametrize(
    ("truths", "predictions", "limit", "expected"),
    [
        ((), (), 5, 0),
        ((10,), (), 5, 0),
        ((), (10,), 5, 0),
        ((10,), (15,), 5, 1),  # exactly at the threshold
        ((10,), (16,), 5, 0),
        ((10,), (5, 15), 5, 1),  # a tie is one hit
        ((10, 12), (11,), 5, 1),  # used up by the first
        ((10, 12), (11, 30), 5, 1),
        # In order, not best overall: 10 takes 12 (as near as 8, but 8 is gone), and nothing is left for 14.
        ((9, 10, 14), (8, 12), 3, 2),
        ((10, 20), (20, 21), 20, 2),  # the first truth takes 20, the second has 21
        # Of two equally near ones the first truth takes the earlier, 6, and leaves 14 to the second.
        ((10, 17), (6, 14), 4, 2),
        # Not used up by a truth that it is too far from.
        ((10, 30), (29,), 2, 1),
        ((50,), (48, 49, 50, 51, 52), 5, 1),
    ],
)
def test_one_to_one_by_hand(truths, predictions, limit, expected):
    assert hits(one_to_one, truths, predictions, limit) == (expected, expected)


@pytest.mark.parametrize(
    ("truths", "predictions", "limit", "expected"),
    [
        ((), (), 5, (0, 0)),
        ((10,), (), 5, (0, 0)),
        ((), (10,), 5, (0, 0)),
        ((10,), (15,), 5, (0, 0)),  # the paper's "smaller than"
        ((10,), (14,), 5, (1, 1)),
        ((50,), (48, 49, 50, 51, 52), 5, (1, 5)),  # all are right, one truth is hit
        ((10, 12), (11,), 5, (2, 1)),
        ((10, 40), (9, 11, 70), 5, (1, 2)),
    ],
)
def test_nearest_by_hand(truths, predictions, limit, expected):
    assert hits(nearest, truths, predictions, limit) == expected


def test_the_rule_against_a_plain_loop():
    generator = np.random.default_rng(0)
    distances, pairs, sums = Distances(), [], np.zeros(20, dtype=int)
    for _ in range(200):
        frames = int(generator.integers(2, 160))
        truths, predictions = draw(generator, frames, 3), draw(generator, frames, 5)
        pairs.append((frames, truths, predictions))
        limits = [d * frames + 1e-9 for d in RELATIVE] + list(ABSOLUTE)
        sums += [one_to_one_by_deleting(truths.tolist(), predictions.tolist(), limit) for limit in limits]
    scores = boundary_scores(pairs, distances=distances)
    assert scores.truths == sum(len(truths) for _, truths, _ in pairs) and scores.instances == 200
    np.testing.assert_allclose(scores.recall, sums / scores.truths)
    np.testing.assert_allclose(scores.precision, sums / scores.predictions)
    assert (sums > 0).all() and (np.diff(sums[:10]) >= 0).all()


def test_the_other_rule_against_a_plain_loop():
    generator = np.random.default_rng(1)
    pairs = []
    for _ in range(100):
        frames = int(generator.integers(2, 160))
        pairs.append((frames, draw(generator, frames, 3), draw(generator, frames, 5)))
    hit = right = 0
    for frames, truths, predictions in pairs:
        limit = 0.1 * frames
        hit += sum(any(abs(t - p) < limit - 1e-9 for p in predictions) for t in truths)
        right += sum(any(abs(t - p) < limit - 1e-9 for t in truths) for p in predictions)
    scores = boundary_scores(pairs, rule="nearest", distances=ONE)
    assert scores.recall[0] == pytest.approx(hit / scores.truths)
    assert scores.precision[0] == pytest.approx(right / scores.predictions)


def test_counts_are_summed_over_the_set():
    # Two of three truths, and two of five predictions; the means over instances would be 0.75 and 0.6.
    pairs = [(100, at(20, 50), at(20)), (100, at(70), at(1, 3, 5, 70))]
    scores = boundary_scores(pairs, distances=ONE)
    assert scores.recall[1] == pytest.approx(2 / 3) and scores.precision[1] == pytest.approx(2 / 5)
    assert scores.f1[1] == pytest.approx(2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5))


def test_an_instance_without_predictions_counts_as_misses():
    scores = boundary_scores([(100, at(20), at(20)), (100, at(30, 60, 90), at())], distances=ONE)
    assert scores.recall[1] == pytest.approx(1 / 4) and scores.precision[1] == 1


@pytest.mark.parametrize("rule", ["one_to_one", "nearest"])
@pytest.mark.parametrize(
    ("pairs", "recall", "precision", "f1"),
    [
        ([], 1, 0, 0),
        ([(1, at(), at())], 1, 0, 0),
        ([(9, at(), at(3))], 1, 0, 0),
        ([(9, at(3), at())], 0, 0, 0),
        ([(90, at(3), at(80))], 0, 0, 0),
    ],
)
def test_what_is_undefined(rule, pairs, recall, precision, f1):
    scores = boundary_scores(pairs, rule=rule, distances=ONE)
    assert (scores.recall[0], scores.precision[0], scores.f1[0]) == (recall, precision, f1)


def test_distances():
    assert list(RELATIVE) == [round(0.05 * n, 2) for n in range(1, 11)]
    assert list(ABSOLUTE) == [*range(5, 51, 5)]
    assert Distances().limits(100).tolist() == [*range(5, 51, 5), *range(5, 51, 5)]
    # 0.35 * 180 is 62.99999999999999.
    limits = Distances().limits(180)
    assert limits[6] == 63 and hits(one_to_one, [1], [64], limits[6]) == (1, 1)
    assert hits(nearest, [1], [64], limits[6]) == (0, 0)
    for wrong in (dict(relative=()), dict(absolute=(5, -1))):
        with pytest.raises(ValueError, match="distances are"):
            Distances(**wrong)
    with pytest.raises(ValueError, match="rule is 'other', expected one_to_one or nearest"):
        boundary_scores([], rule="other")


def test_means():
    # Hits at 10 frames and more: 0.1 of 100 and 10 ... 50 frames.
    scores = boundary_scores([(100, at(20), at(30))])
    assert (
        scores.mean("relative", "f1") == pytest.approx(0.9)
        and scores.of("absolute", "recall").tolist() == [0] + [1] * 9
    )


@pytest.mark.parametrize(
    ("frames", "number", "expected"),
    [
        (90, 2, [30, 60]),
        (10, 2, [3, 7]),
        (10, 3, [3, 5, 8]),  # 2.5 and 7.5 are rounded up
        (4, 9, [1, 2, 3]),
        (2, 1, [1]),
        (1, 3, []),
        (50, 0, []),
    ],
)
def test_even_boundaries(frames, number, expected):
    found = even_boundaries(frames, number)
    assert found.tolist() == expected and found.dtype == np.int64


def test_even_boundaries_are_inside_and_rising():
    for frames in range(1, 40):
        for number in range(45):
            edges = [0, *even_boundaries(frames, number).tolist(), frames]
            assert (np.diff(edges) > 0).all() and len(edges) == min(number, frames - 1) + 2


@pytest.mark.skipif(not REAL.is_file(), reason="the real annotation is not here")
def test_the_real_boundaries():
    content = json.loads(REAL.read_text(encoding="utf-8"))
    instances = [instance for video in content.values() for instance in video.values()]
    truths = [(each["total_frames"], at(*each["substages"][1:-1])) for each in instances]
    for rule in ("one_to_one", "nearest"):
        same = boundary_scores([(frames, known, known) for frames, known in truths], rule=rule)
        assert (same.instances, same.truths, same.predictions) == (1755, 4150, 4150)
        assert same.f1.min() == 1 == same.recall.min()
        nothing = boundary_scores([(frames, known, at()) for frames, known in truths], rule=rule)
        assert nothing.f1.max() == 0 and nothing.truths == 4150
    even = [(frames, known, even_boundaries(frames, 2)) for frames, known in truths]
    scores = boundary_scores(even)
    by_loop = sum(
        one_to_one_by_deleting(known.tolist(), found.tolist(), 0.05 * frames) for frames, known, found in even
    )
    assert scores.predictions == 2 * 1755 and scores.recall[0] == pytest.approx(by_loop / 4150)
