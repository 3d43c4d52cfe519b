"""The benchmark of preparation: a quick run, and its rows by hand."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch

from tpsparse.cli import DONE, run

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def preparation():
    if str(BENCHMARKS) not in sys.path:
        sys.path.insert(0, str(BENCHMARKS))
    return importlib.import_module("preparation")


def test_quick_run(preparation, tmp_path):
    file = tmp_path / "out.json"
    assert run(preparation.main, ["--quick", "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    rows = {(row["inputs"], row["up to"]): row for row in written["tables"]["Milliseconds an item"]}
    both = {(name, form) for name in preparation.WORKS for form in ("bytes", "ready")}
    assert set(rows) == both | {(preparation.POSES, "bytes")}
    assert all(row[way] > 0 for row in rows.values() for way in (preparation.ITEMS, preparation.BATCH))


def test_ways_that_differ_are_no_comparison(preparation):
    ways = {"one": lambda ready: [torch.zeros(2)], "other": lambda ready: [torch.ones(2) if ready else torch.zeros(2)]}
    with pytest.raises(RuntimeError, match="not what its items are"):
        preparation.measure(ways, 1, repeats=1)


def test_rows_by_hand(preparation):
    rounds = [
        {preparation.ITEMS: dict(bytes=4.0, ready=9.0), preparation.BATCH: dict(bytes=2.0, ready=3.0)},
        {preparation.ITEMS: dict(bytes=6.0, ready=9.0), preparation.BATCH: dict(bytes=1.0, ready=1.0)},
    ]
    rows = preparation.rows_of({"frames": rounds, preparation.POSES: rounds})
    assert [(row["inputs"], row["up to"]) for row in rows] == [
        ("frames", "bytes"),
        ("frames", "ready"),
        (preparation.POSES, "bytes"),
    ]
    assert rows[0] == {
        "inputs": "frames",
        "up to": "bytes",
        preparation.ITEMS: 5.0,
        preparation.BATCH: 1.5,
        "times as fast": pytest.approx((2 + 6) / 2),
    }
