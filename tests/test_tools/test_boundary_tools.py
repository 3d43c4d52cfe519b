"""tools/analysis/score_boundaries.py and boundary_curves.py on a tiny set, and on the real boundaries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_tapos import write_instances

from tpsparse.datasets.instances import open_instances
from tpsparse.structures.boundaries_file import Boundaries

SCORE, CURVES = "analysis/score_boundaries", "analysis/boundary_curves"
REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "tapos"


@pytest.fixture
def root(tmp_path):
    return write_instances(tmp_path / "data (é)")


@pytest.fixture
def file(root, tmp_path):
    held = Boundaries("ours")
    for instance in open_instances(root, "val").instances:
        held.add(instance.key, instance.num_frames, instance.boundaries)
    held.save(tmp_path / "val.json")
    return tmp_path / "val.json"


def test_scores(run_tool, root, file, tmp_path, capsys):
    out = tmp_path / "new" / "scores.json"
    assert run_tool(SCORE, file, "floor:none", "--gt", root, "--out", out) == 0
    told = capsys.readouterr().out
    assert "ours, rule one_to_one" in told and "no boundary, rule one_to_one" in told
    written = json.loads(out.read_text())
    assert written["scores"][str(file)]["f1_rel"] == 1 and written["scores"]["floor:none"]["f1_abs"] == 0
    assert (written["rule"], written["split"]) == ("one_to_one", "val")
    assert run_tool(SCORE, "floor:even", "--gt", root, "--split", "train", "--rule", "nearest") == 0
    assert "of these 6 instances themselves), rule nearest" in capsys.readouterr().out


def test_curves(run_tool, root, file, tmp_path, capsys):
    out = tmp_path / "a b.png"
    assert run_tool(CURVES, f"A={file}", "floor:even", "--gt", root, "--out", out) == 0
    output = capsys.readouterr()
    assert output.out == f"{out} is written\n" and "even boundaries: " in output.err
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("tool", [SCORE, CURVES])
def test_an_instance_that_cannot_be_used(run_tool, root, file, tmp_path, tool):
    path = root / "tapos_annotation.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["video-broken"] = {"s00001_0_0_4_0": dict(subset="val", total_frames=9, substages=[0, 12, 9])}
    path.write_text(json.dumps(content), encoding="utf-8")
    out = tmp_path / ("x.json" if tool == SCORE else "x.png")
    assert run_tool(tool, file, "--gt", root, "--out", out) == 3 and out.is_file()


@pytest.mark.parametrize(
    ("tool", "given", "told"),
    [
        (SCORE, ["nowhere.json"], "nowhere.json is missing"),
        (SCORE, ["floor:odd"], "floor:odd is no floor"),
        (SCORE, ["floor:none", "--split", "test"], "no usable instance of subset test"),
        (CURVES, ["floor:none", "--out", "x.jpg"], "x.jpg is not the name of a PNG picture"),
        (CURVES, ["floor:none", "floor:none"], "is called no boundary like another one: write NAME="),
    ],
)
def test_what_cannot_be_used(run_tool, root, capsys, tool, given, told):
    assert run_tool(tool, *given, "--gt", root) == 2 and told in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_dir(), reason="the real annotation is not here")
def test_the_real_boundaries(run_tool, tmp_path):
    out = tmp_path / "scores.json"
    assert run_tool(SCORE, "floor:none", "floor:even", "--gt", REAL, "--split", "val", "--out", out) == 0
    none, even = json.loads(out.read_text())["scores"].values()
    assert (none["instances"], none["truths"], none["predictions"], none["f1_rel"]) == (1755, 4150, 0, 0)
    assert even["predictions"] == 2 * 1755
