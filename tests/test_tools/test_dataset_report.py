"""tools/analysis/dataset_report.py."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tiny

NAME = "analysis/dataset_report"


def test_page_is_written(run_tool, tiny_root, tmp_path, capsys, find_leftovers):
    out = tmp_path / "a (b) ü.html"
    assert run_tool(NAME, tiny_root, "--out", out) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert f"{out} is written" in capsys.readouterr().out and find_leftovers(tmp_path) == []


def test_seed_and_split(run_tool, tiny_root, tmp_path):
    for name, options in (("a", ()), ("b", ("--seed", 0)), ("c", ("--seed", 9)), ("d", ("--split", "test"))):
        assert run_tool(NAME, tiny_root, "--out", tmp_path / name, *options) == 0
    first, same, other, test = ((tmp_path / name).read_text(encoding="utf-8") for name in "abcd")
    assert first == same and first != other and "split test" in test


def test_what_cannot_be_shown_is_told(run_tool, tiny_copy, tmp_path, capsys):
    (tiny_copy / "splits").mkdir()
    (tiny_copy / "splits" / "dap.json").write_text("{")
    assert run_tool(NAME, tiny_copy, "--out", tmp_path / "report.html") == 3
    assert "dap.json: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(("split", "status"), [("train", 3), ("test", 0)])
def test_items_that_cannot_be_used(run_tool, tiny_copy, tmp_path, capsys, split, status):
    """As the browser does it: those of the split that is charted."""
    (tiny_copy / "train_videos" / "lunge" / "lunge_train_0.mp4").write_bytes(b"")
    (tiny_copy / "train_annotations" / "push_up" / "push_up_train_1" / "img_00002.json").write_text("{")
    assert run_tool(NAME, tiny_copy, "--out", tmp_path / "report.html", "--split", split) == status
    error = capsys.readouterr().err
    assert ("lunge_train_0.mp4: is empty" in error) == ("img_00002.json: cannot be read" in error) == (status == 3)


def test_warnings_cost_nothing(run_tool, tiny_copy, tmp_path, capsys):
    file = tiny_copy / "train_annotations" / "push_up" / "push_up_train_1" / "img_00002.json"
    file.write_text('{"humans": []}')
    assert run_tool(NAME, tiny_copy, "--out", tmp_path / "report.html") == 0
    assert "no-person" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_full_disk(run_tool, tiny_root, tmp_path, capsys, find_leftovers, little_room):
    """No file may grow beyond 2,000 bytes; a page that was there stays."""
    out = tmp_path / "report.html"
    assert run_tool(NAME, tiny_root, "--out", out) == 0
    before = out.read_bytes()
    with little_room():
        assert run_tool(NAME, tiny_root, "--out", out, "--seed", 1) == 2
    assert f"error: {out} cannot be written (File too large): make room there" in capsys.readouterr().err
    assert out.read_bytes() == before and find_leftovers(tmp_path) == []


def test_no_data_set(run_tool, tmp_path, capsys):
    assert run_tool(NAME, tmp_path, "--out", tmp_path / "report.html") == 2
    assert "body_part.txt is missing" in capsys.readouterr().err and not (tmp_path / "report.html").exists()


def test_folder_in_place_of_a_page(run_tool, tiny_root, tmp_path, capsys):
    assert run_tool(NAME, tiny_root, "--out", tmp_path) == 2
    assert "is a folder: give the name of a page" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--seed", "-1")])
def test_odd_arguments(run_tool, tiny_root, option):
    with pytest.raises(SystemExit) as ended:
        run_tool(NAME, tiny_root, *option)
    assert ended.value.code == 2


def test_without_torch(tiny_root, tmp_path, environment):
    """A page about files does not wait for a network library to load."""
    code = f"""
import sys
from tpsparse.analysis.report import write_report
from pathlib import Path
write_report(Path({str(tiny_root)!r}), Path({str(tmp_path / "report.html")!r}))
print("torch" in sys.modules, "mmengine" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tiny.REPOSITORY, env=environment()
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "False False"
