from __future__ import annotations

import json

import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def training(benchmark):
    return benchmark("training_speed")


def test_quick_run(training, tmp_path):
    file = tmp_path / "out.json"
    arguments = ["--quick", "--bf16", "--only", "tcn_synthetic", "dap_mlp_", "--workers", "0"]
    assert run(training.main, [*arguments, "--data", str(tmp_path), "--json", str(file)]) == DONE
    rows = json.loads(file.read_text())["tables"]["Training iterations"]
    assert {row["config"] for row in rows} == {"dap_mlp_1xb16_synthetic", "tcn_synthetic"}
    assert all(row["workers"] == 0 and 0 < row["waiting"] < 1 and row["bf16 to fp32"] > 0 for row in rows)


def test_every_way_of_training_counts_once(training):
    found = training.trainings()
    assert {path.parent.name for path in found.values()} == set(training.TASKS)
    # A child that differs in its test, and one that learns without gradients.
    assert "dap_swin-24_1xb8_synthetic-8x2x1-rgb" in found and "kmeans_k64_synthetic" not in found
    assert not [name for name in found if name.endswith(("_flip", "views"))]


def result(times, waits, loss=1.0):
    return dict(time=[9.0] * 2 + times, data_time=[9.0] * 2 + waits, loss=[loss], workers=1, first=2)


def test_first_epoch_counts_apart_where_it_is_short(training):
    assert [training.first_of(epoch, 30) for epoch in (1, 30, 31)] == [1, 30, training.FIRST]


def test_rows_by_hand(training):
    """Shares 1/4 and 1/2; busy 2 and 1 in 32 bits, 1 and 1 in 16: ratios 1/2 and 1."""
    full = [result([2.0, 2.0, 4.0], [0.0, 0.0, 2.0]), result([2.0, 2.0], [1.0, 1.0])]
    half = [result([1.0, 1.0], [0.0, 0.0]), result([1.0, 1.0], [0.0, 0.0])]
    row = training.row_of("x", dict(fp32=full, bf16=half))
    expected = {"config": "x", "workers": 1, "ms": 2000.0, "waiting": 0.375, "cold": 1.0, "waiting, bf16": 0.0}
    assert row == {**expected, "bf16 to fp32": 0.75}


def test_a_loss_that_is_not_finite(training):
    with pytest.raises(RuntimeError, match="x has a loss that is not finite"):
        training.row_of("x", dict(fp32=[result([1.0], [0.0], loss=float("nan"))]))


@pytest.mark.parametrize(("most", "told", "met"), [(0.099, "9.9 % (b)", "yes"), (0.1, "10.0 % (b)", "no")])
def test_the_goal_is_that_of_the_config_that_waits_most(training, most, told, met):
    rows = [dict(config="a", waiting=0.05), dict(config="b", waiting=most)]
    assert training.goal_of(rows) == {"goal": "waits below 10 %", "most": told, "met": met}
