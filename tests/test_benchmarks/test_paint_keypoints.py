from __future__ import annotations

import json

import numpy as np
import pytest

from tpsparse.cli import DONE, run


@pytest.fixture(scope="module")
def paint_keypoints(benchmark):
    return benchmark("paint_keypoints")


def test_quick_run(paint_keypoints, tmp_path):
    file = tmp_path / "out.json"
    assert run(paint_keypoints.main, ["--quick", "--json", str(file)]) == DONE
    written = json.loads(file.read_text())
    rows = {(row["size"], row["step"]): row for row in written["tables"]["Painting keypoints"]}
    steps = {(size, step) for size in ("quick", "full size") for step in ("CropPerson", "PaintKeypoints")}
    # The full-size network has no place on a processor.
    assert set(rows) == steps | {("quick", "network")} and written["crops"] == 5
    assert all(row["ms"] > 0 for row in rows.values())
    assert (
        rows["quick", "PaintKeypoints"]["painting to it"] == rows["full size", "PaintKeypoints"]["painting to it"] == 1
    )


def test_the_configs_are_there(paint_keypoints):
    assert set(paint_keypoints.CONFIGS) == {"quick", "full size"}
    assert all(config.is_file() for config in paint_keypoints.CONFIGS.values())


def test_every_keypoint_is_painted(paint_keypoints):
    person = paint_keypoints.person()
    assert person["img"].shape == (720, 1280, 3) and person["keypoints"].shape == (17, 3)
    x0, y0, x1, y1 = person["box"]
    x, y, score = person["keypoints"].T
    assert (x0 <= x).all() and (x <= x1).all() and (y0 <= y).all() and (y <= y1).all() and (score == 1).all()
    np.testing.assert_array_equal(paint_keypoints.person()["img"], person["img"])


def test_rows_by_hand(paint_keypoints):
    rounds = [dict(CropPerson=4e-4, PaintKeypoints=1e-4), dict(CropPerson=2e-4, PaintKeypoints=1e-4)]
    crop, painting = paint_keypoints.rows_of({"quick": rounds})
    assert crop["ms"] == pytest.approx(0.3) and crop["painting to it"] == pytest.approx((0.25 + 0.5) / 2)
    assert painting["ms"] == pytest.approx(0.1) and painting["painting to it"] == 1
