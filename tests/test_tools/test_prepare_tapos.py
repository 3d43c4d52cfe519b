"""tools/prepare_data.py tapos."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import tiny
import tiny_tapos

NAME = "s00001_0_200_1_0"  # 0.8 s, 8 frames of the source


@pytest.fixture
def root(tmp_path):
    """A source video of 30 frames at 10 a second, an instance of it, and one of a video that is not there."""
    entry = dict(subset="train", shot_timestamps=[1.0, 3.0], total_frames=8, substages=[0, 5, 8])
    root = tmp_path / "data ü (1)"
    root.mkdir()
    (root / "tapos_annotation.json").write_text(json.dumps({"a b": {NAME: entry}, "gone": {NAME: entry}}))
    tiny.encode(root / "videos" / "a b.mp4", [tiny.draw_frame("lunge", frame) for frame in range(1, 31)])
    return root


class TestCheck:
    def test_sound(self, run_tool, tmp_path, capsys):
        root = tiny_tapos.write_instances(tmp_path)
        assert run_tool("prepare_data", "tapos", "check", root) == 0  # a warning costs nothing
        assert "9 usable instances" in capsys.readouterr().out
        assert (root / "problems_tapos.csv").read_text().count("\n") == 2

    def test_broken(self, run_tool, root, capsys):
        content = json.loads((root / "tapos_annotation.json").read_text())
        content["a b"]["s00001_2_0_1_0"] = dict(subset="val", total_frames=3, substages=[0, 3])
        (root / "tapos_annotation.json").write_text(json.dumps(content))
        assert run_tool("prepare_data", "tapos", "check", root) == 3
        told = capsys.readouterr().out
        assert "end-before-start" in told and "correct the times in its name" in told
        assert f"problems are in {root / 'problems_tapos.csv'}" in told
        listed = (root / "problems_tapos.csv").read_text(encoding="utf-8")
        assert "error,end-before-start,val,a b,s00001_2_0_1_0,tapos_annotation.json" in listed
        assert run_tool("prepare_data", "tapos", "check", root, "--subset", "train") == 0

    def test_videos(self, run_tool, root, capsys):
        assert run_tool("prepare_data", "tapos", "check", root, "--check-videos", "--workers", 1) == 3
        told = capsys.readouterr().out
        assert "no-video" in told and "not-cut" in told

    def test_not_a_data_set(self, run_tool, tmp_path, capsys):
        assert run_tool("prepare_data", "tapos", "check", tmp_path) == 2
        assert "has no tapos_annotation*.json" in capsys.readouterr().err


class TestCut:
    def test_then_check(self, run_tool, root, capsys, find_leftovers):
        assert run_tool("prepare_data", "tapos", "cut", root, "--workers", 1) == 3
        told = capsys.readouterr()
        assert "1 instances cut, 0 were there, 1 cannot be cut" in told.out
        assert (root / "instances" / "a b" / f"{NAME}.mp4").is_file() and find_leftovers(root) == []
        tiny.encode(root / "videos" / "gone.mp4", [tiny.draw_frame("lunge", frame) for frame in range(1, 31)])
        assert run_tool("prepare_data", "tapos", "cut", root, "--workers", 1) == 0
        assert "1 instances cut, 1 were there, 0 cannot be cut" in capsys.readouterr().out
        assert run_tool("prepare_data", "tapos", "check", root, "--check-videos", "--workers", 1) == 0
        assert "no problems found" in capsys.readouterr().out

    def test_in_the_shell(self, root):
        """Problems are logged, by name and with their number, and told by the exit status."""
        command = [sys.executable, "tools/prepare_data.py", "tapos", "cut", str(root), "--workers", "2"]
        done = subprocess.run(command, cwd=tiny.REPOSITORY, env=tiny.tool_environment(), capture_output=True, text=True)
        assert done.returncode == 3 and "cut: skipped 1 instance, listed above" in done.stdout + done.stderr
        assert f"gone.mp4: is missing, so {NAME} is not cut: put it there" in done.stdout + done.stderr

    def test_shots_at_zero(self, run_tool, root, capsys):
        text = (root / "tapos_annotation.json").read_text().replace("[1.0, 3.0]", "null")
        (root / "tapos_annotation.json").write_text(text)
        assert run_tool("prepare_data", "tapos", "cut", root, "--workers", 1) == 3
        assert "0 instances cut, 0 were there, 2 cannot be cut" in capsys.readouterr().out
        assert run_tool("prepare_data", "tapos", "cut", root, "--workers", 1, "--shots-at-zero") == 3
        assert "1 instances cut" in capsys.readouterr().out

    def test_no_videos(self, run_tool, tmp_path, capsys):
        assert run_tool("prepare_data", "tapos", "cut", tiny_tapos.write_instances(tmp_path)) == 2
        assert "videos is missing: put the source videos there as <youtube_id>.mp4" in capsys.readouterr().err


def test_synthetic(run_tool, tmp_path, capsys):
    out = tmp_path / "a (b) ü"
    options = ("--sports", 2, "--train", 1, "--val", 0, "--size", "48x64", "--workers", 1)
    assert run_tool("prepare_data", "tapos", "synthetic", "--out", out, *options) == 0
    assert run_tool("prepare_data", "tapos", "check", out, "--check-videos", "--workers", 1) == 0
    told = capsys.readouterr().out
    assert "2 usable instances" in told and "(train 2)" in told and "no problems found" in told


def test_no_command(run_tool, capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool("prepare_data", "tapos")
    assert ended.value.code == 2 and "check|cut|synthetic" in capsys.readouterr().err
