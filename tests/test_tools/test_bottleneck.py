"""tools/analysis/bottleneck.py on records of random networks, and on folders that hold none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny

NAME = "analysis/bottleneck"


@pytest.fixture(scope="module")
def tested(quick_work_dir, tiny_root, tmp_path_factory, load_tool):
    """A work folder in which the quick system was tested."""
    from mmengine.registry import DefaultScope

    DefaultScope._instance_dict.clear()
    work_dir = Path(shutil.copytree(quick_work_dir, tmp_path_factory.mktemp("tested") / "work"))
    options = ["--work-dir", str(work_dir), "--cfg-options", f"data_root={tiny_root}"]
    assert load_tool("test").main([str(tiny.QUICK_SYSTEM), *options]) == 0
    return work_dir


@pytest.fixture
def call(run_tool, tested, tiny_root):
    def run(*arguments, system=tiny.QUICK_SYSTEM, work_dir=tested, root=tiny_root, options=()):
        given = [*arguments, "--work-dir", work_dir, "--cfg-options", f"data_root={root}", *options]
        return run_tool(NAME, system, *given)

    return run


def test_table_and_files(call, tested, capsys, find_leftovers):
    assert call() == 0
    out = tested / "bottleneck"
    assert {path.name for path in out.iterdir()} == {
        "bottleneck.json",
        "report.html",
        "psc_accuracy.png",
        "lost_points.png",
        "confusion_actions.png",
        "confusion_states.png",
    }
    assert find_leftovers(tested) == []
    content, report = (json.loads(path.read_text()) for path in (out / "bottleneck.json", tested / "report.json"))
    # The first row is what the test itself has reported.
    assert content["rows"][0]["score"] == pytest.approx(report["score"], abs=1e-12)
    assert {video: entry["psc"] for video, entry in content["videos"].items()} == report["psc"]
    assert content["rows"][-1]["score"] == 0.9999 and content["failed"] == []
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert len(lines) == 11 and "33.32" in lines[0] and "✓" not in lines[0]
    gain = content["rows"][-1]["gain"]
    assert f"{100 * gain['value']:+.2f}" in lines[-1] and f"{100 * gain['low']:+.2f} to" in lines[-1]
    assert lines[-1].count("✓") == 4 and "99.99" in lines[-1] and "99.90" in lines[-1]


def test_against_a_folder_and_a_config(call, tested, tmp_path, capsys):
    for other in (tested / "parses" / "test", tiny.QUICK_SYSTEM):
        assert call("--against", other, "--out", tmp_path / "out") == 0
        content = json.loads((tmp_path / "out" / "bottleneck.json").read_text())
        assert content["against"]["system"] == str(other)
        assert content["against"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
        out = capsys.readouterr().out
        for name in ("score", "action top-1"):
            told = [line for line in out.splitlines() if line.startswith(f"{name} of {other}")]
            assert len(told) == 1 and told[0].endswith("difference +0.00, +0.00 to +0.00")


def test_records_missing(call, tested, tiny_root, tmp_path, capsys):
    assert call(work_dir=tmp_path / "empty (é)") == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/empty (é)/parses/test lacks the whole records of 3 of 3 videos (lunge_test_0, " in error
    command = f"run python tools/test.py {tiny.QUICK_SYSTEM} --work-dir '{tmp_path}/empty (é)' --cfg-options"
    assert command in error and f"data_root={tiny_root}" in error
    assert not (tmp_path / "empty (é)" / "bottleneck").exists()


def test_other_system_without_records(call, tmp_path, capsys):
    """Told before the long work."""
    assert call("--against", tmp_path, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert f"{tmp_path} lacks the whole records of 3 of 3 videos" in error and "--against" in error
    assert not (tmp_path / "out").exists()


def test_against_a_system_that_keeps_no_records(call, tmp_path, capsys):
    """The remedy is one that --against heeds: options of the model hold for the first system alone."""
    floor = tiny.QUICK_SYSTEM.with_name("most_frequent.py")
    assert call("--against", floor, "--out", tmp_path / "out", options=["model.save_dir=@work_dir/parses/test"]) == 2
    error = capsys.readouterr().err
    assert "keeps no records" in error and "and give --against DIR" in error and "@work_dir" not in error
    assert not (tmp_path / "out").exists()


def test_unreadable_video_is_told(call, tiny_copy, tested, tmp_path, capsys):
    (tiny_copy / "test_videos" / "lunge" / "lunge_test_0.mp4").write_text("not a video")
    assert call("--out", tmp_path / "out", root=tiny_copy) == 0
    assert "lunge_test_0: has no record and counts as empty" in capsys.readouterr().err
    content = json.loads((tmp_path / "out" / "bottleneck.json").read_text())
    assert content["failed"] == ["lunge_test_0"] and content["videos"]["lunge_test_0"]["psc"] == 0
    assert content["rows"][-1]["score"] == 0.9999


def test_thresholds_of_the_metric(call, tmp_path):
    assert call("--out", tmp_path / "out", options=["test_evaluator.part_iou=0.9"]) == 0
    content = json.loads((tmp_path / "out" / "bottleneck.json").read_text())
    assert content["thresholds"] == {"human_iou": 0.5, "part_iou": 0.9}
    assert len(content["psc_accuracy"]) == 4


@pytest.mark.parametrize(
    ("system", "told"),
    [
        (tiny.QUICK_SYSTEM.with_name("most_frequent.py"), "keeps no records"),
        (tiny.quick_config("part_parsing"), "is of one network: give a system config"),
        (Path("nothing.py"), "config nothing.py is missing"),
    ],
)
def test_config_that_does_not_fit(call, capsys, system, told):
    assert call(system=system) == 2
    assert told in capsys.readouterr().err
