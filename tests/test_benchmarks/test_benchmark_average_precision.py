"""benchmarks/average_precision.py."""

from __future__ import annotations

import json

import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def average_precision(benchmark):
    return benchmark("average_precision")


def test_quick_run(average_precision, tmp_path, capsys):
    file = tmp_path / "out.json"
    assert run(average_precision.main, ["--quick", "--json", str(file)]) == DONE
    rows = json.loads(file.read_text())["tables"]["Average precision"]
    assert [row["boxes an image"] for row in rows] == [3, 20]
    assert all(row["speed / pycocotools"] > 0 for row in rows) and "faster-coco-eval, s" in capsys.readouterr().out


def test_reference_by_hand(average_precision):
    """Two persons, of which the more certain box is right and the other far off: precision 1 up to recall 1/2."""
    import numpy as np

    truth = [dict(boxes=np.array([[0, 0, 10, 10], [50, 50, 60, 60.0]]), labels=np.zeros(2, int))]
    found = [dict(boxes=np.array([[0, 0, 10, 10], [80, 0, 90, 10.0]]), labels=np.zeros(2, int), scores=[0.9, 0.8])]
    found[0]["scores"] = np.array(found[0]["scores"])
    assert average_precision.reference(truth, found, ["person"]) == pytest.approx(51 / 101)


def test_another_number_is_no_measurement(average_precision, monkeypatch):
    monkeypatch.setattr(average_precision, "reference", lambda *args: 0.5)
    with pytest.raises(RuntimeError, match="AP is .* by faster-coco-eval and 0.5 by pycocotools"):
        average_precision.measure(average_precision.QUICK[0], 1)
