"""What is measured through the test runner."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def runner(benchmark):
    return benchmark("pipeline_runner")


@pytest.mark.parametrize(
    ("times", "expected", "reason"),
    [
        ([[10, 12, 14]], 0.5, "one process: the first video stands for the start"),
        ([[14, 10, 12]], 0.5, "in any order"),
        ([[10, 12, 14], [10, 12, 14]], 1.0, "two alike"),
        ([[10, 12, 14, 16], [13, 15, 17]], 1.0, "both at work from 13 to 16, one and a half videos each"),
        ([[0, 1, 2, 3], [2, 4, 6]], 1 + 0.5, "one is twice as fast: from 2 to 3"),
    ],
)
def test_rate_by_hand(runner, times, expected, reason):
    assert runner.rate(times) == pytest.approx(expected), reason


@pytest.mark.parametrize("times", [[[1, 2], [2, 3]], [[1, 2], [5, 6]], [[1]]], ids=["touching", "apart", "one video"])
def test_no_time_together(runner, times):
    with pytest.raises(RuntimeError, match="not at work together"):
        runner.rate(times)


def test_rows_by_hand(runner):
    rows = runner.sharing_rows({"one": [1.0, 2.0, 4.0], "two": [1.5, 2.0, 8.0]}, "one")
    assert [row["videos a minute"] for row in rows] == [120, 120]
    assert [row["speed / one process"] for row in rows] == [1, 1.5]


@pytest.mark.parametrize(("fast", "met"), [(30.0, "yes"), (30.25, "no"), (29.75, "no"), (30.125, "yes")])
def test_score_goal(runner, fast, met):
    goal = runner.score_goal(30.0, fast)
    assert goal["met"] == met and goal["measured"] == f"{fast - 30:+.3f} points"
    assert runner.score_rows({"exact": 30.0})[0]["score, points"] == "30.000"


def test_data_of_a_trained_system(runner, tmp_path):
    system = tmp_path / "configs" / "dap.py"
    assert runner.trained_data(system, tmp_path) is None
    (tmp_path / "dap.py").write_text('data_root = "some/data (ü)"\n')
    assert runner.trained_data(system, tmp_path) == "some/data (ü)"


def test_a_list_is_shared(runner, tmp_path):
    data = runner.make_list(tmp_path / "list", videos=4, frames=2, size=(48, 64))
    assert len(set(runner.listed(data))) == 4


def test_a_run_that_fails(runner):
    with pytest.raises(RuntimeError, match="ended with status 3: no such thing"):
        runner._run(["bash", "-c", 'echo "no such $WHAT" >&2; exit 3'], {"WHAT": "thing"})
