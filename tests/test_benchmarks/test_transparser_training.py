from __future__ import annotations

import json

import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def training(benchmark):
    return benchmark("transparser_training")


def test_quick_run(training, tmp_path):
    file = tmp_path / "out.json"
    assert run(training.main, ["--quick", "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    times, memory = written["tables"]["Time of training"], written["tables"]["Memory of training"]
    assert [row["frames an instance"] for row in times] == [row["frames an instance"] for row in memory] == [50, 200]
    assert all(row["us a frame"] > 0 for row in times) and times[0]["to 50 frames"] == 1
    # The hidden layers alone: 200 frames, 2 units, 1,024 channels of 4 bytes, before and after the ReLU.
    assert memory[1]["of the step MB"] > 3 and memory[1]["peak MB"] > memory[1]["of the step MB"]


def test_the_configs_are_there(training):
    assert all(config.is_file() for config in training.CONFIGS.values())
    assert training.REFERENCE in training.LENGTHS and all(length <= training.BATCH for length in training.LENGTHS)


@pytest.mark.parametrize(
    ("length", "count", "boundaries"),
    [(50, 12, [25]), (80, 7, [40]), (81, 7, [80]), (250, 2, [80, 160, 240])],
)
def test_batches(training, length, count, boundaries):
    inputs, samples = training.batch(4, length, 600)
    assert len(inputs) == len(samples) == count and inputs[0].shape == (length, 4)
    assert samples[-1].boundaries.tolist() == boundaries and samples[0].num_frames == length


def test_rows_by_hand(training):
    first, second = training.time_rows("quick", {50: [10.0, 30.0, 20.0], 500: [20.0, 20.0, 20.0]}, 500)
    assert first == {"network": "quick", "frames an instance": 50, "us a frame": 20.0, "to 500 frames": 1.0}
    assert second["to 500 frames"] == 1
    row = training.memory_rows("quick", {500: {"peak": 3_000_000, "grown": 1_000_000}})[0]
    assert (row["peak MB"], row["of the step MB"], row["KB a frame"]) == (3.0, 1.0, 2.0)
