"""tools/analysis/tapos_report.py."""

from __future__ import annotations

import json

import pytest
import tiny_tapos

NAME = "analysis/tapos_report"


@pytest.fixture
def root(tmp_path):
    return tiny_tapos.write_instances(tmp_path / "data ü (1)")


def test_page_is_written(run_tool, root, tmp_path, capsys, find_leftovers):
    out = tmp_path / "a (b)"
    assert run_tool(NAME, root, "--out", out) == 0
    told = capsys.readouterr().out
    assert f"{out / 'report.html'} is written" in told and "9 usable instances of 9 videos" in told
    assert "problems_tapos.csv" not in told  # which this tool does not write
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert find_leftovers(tmp_path) == []


def test_what_cannot_be_used_is_told(run_tool, root, tmp_path, capsys):
    content = json.loads((root / "tapos_annotation.json").read_text())
    next(iter(content["video-0_é"].values()))["substages"][1] = 10_000
    (root / "tapos_annotation.json").write_text(json.dumps(content))
    assert run_tool(NAME, root, "--out", tmp_path / "out") == 3
    assert "beyond-end" in capsys.readouterr().out
    assert run_tool(NAME, root, "--out", tmp_path / "out", "--subset", "val") == 0


def test_no_data_set(run_tool, tmp_path, capsys):
    assert run_tool(NAME, tmp_path, "--out", tmp_path / "out") == 2
    assert "has no tapos_annotation*.json: put the annotation of TAPOS there" in capsys.readouterr().err


def test_full_disk(run_tool, root, tmp_path, capsys, find_leftovers, little_room):
    with little_room():
        assert run_tool(NAME, root, "--out", tmp_path / "out") == 2
    assert "cannot be written (File too large): make room there" in capsys.readouterr().err
    assert find_leftovers(tmp_path) == []
