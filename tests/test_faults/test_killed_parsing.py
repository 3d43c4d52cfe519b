"""Tests of a system and parsing runs that are killed outright at moments drawn at random, and repeated."""

from __future__ import annotations

import json
import signal
import zipfile
from pathlib import Path

import numpy as np
import tiny
from fault_runs import Ended, Runs, kill_somewhere
from outcomes import files

from tpsparse.structures import VideoParse

KILLS = 10
"""Of each kind of run."""
IN_A_ROW = 3
"""How many times a run is killed before it is let go on to its end: one that begins anew each time never gets there."""


def killed_until_done(runs: Runs, tool: str, arguments: list, out: Path, whole: Ended, seed: int) -> int:
    """Start a run into a folder, kill it and repeat it until one ends by itself; how many were killed."""
    generator = np.random.default_rng(seed)
    for kills in range(IN_A_ROW + 1):
        run = runs.start(tool, [*arguments, "--out", out], out.with_suffix(".log"), out)
        ended = kill_somewhere(run, whole, generator) if kills < IN_A_ROW else run.wait()
        if ended.status == 0:
            break
        assert ended.status == -signal.SIGKILL, ended.printed[-2000:]
    assert ended.status == 0
    return kills


def repeat(runs: Runs, tool: str, arguments: list, tmp_path: Path) -> tuple[Path, list[Path], Ended]:
    """The output of an undisturbed run, and of as many others as it takes to be killed often enough."""
    for _ in range(2):  # once for the index of the data set, which the first one makes
        whole = runs.finish(tool, [*arguments, "--out", tmp_path / "whole"], tmp_path / "whole.log", tmp_path / "whole")
        assert whole.status == 0, whole.printed[-2000:]
    kills, folders = 0, []
    while kills < KILLS:
        folders.append(tmp_path / f"run{len(folders)}")
        kills += killed_until_done(runs, tool, arguments, folders[-1], whole, seed=len(folders))
    return tmp_path / "whole", folders, whole


def test_test_of_a_system(runs, systems, tmp_path):
    work_dir = systems[1].parent / "work"
    whole, folders, _ = repeat(runs, "test", [systems[1], "--work-dir", work_dir], tmp_path)
    expected = files(whole)
    score = json.loads(expected["report.json"])["score"]
    assert 0 < score <= 1 and "submission.zip" in expected
    assert sum(name.startswith("parses/test/") for name in expected) == 3
    for folder in folders:
        found = files(folder)
        assert found.keys() == expected.keys() and tiny.leftovers(folder) == []
        assert [name for name in expected if found[name] != expected[name]] == []
        with zipfile.ZipFile(folder / "submission.zip") as archive:
            assert len(archive.namelist()) == len(set(archive.namelist())) == 2


def test_parse_video(runs, systems, tiny_root, tmp_path):
    arguments = [systems[0], tiny_root / "test_videos", "--work-dir", systems[0].parent / "work", "--every", 6]
    whole, folders, _ = repeat(runs, "parse_video", [*arguments, "--record"], tmp_path)
    expected = files(whole)
    assert len(expected) == 3 * 3 and expected["lunge_test_0/overlay.mp4"] == tiny.NUM_FRAMES
    for folder in folders:
        found = files(folder)
        assert found.keys() == expected.keys() and tiny.leftovers(folder) == []
        assert [name for name in expected if found[name] != expected[name]] == []
        assert all(VideoParse.load(video / "record.safetensors").video == video.name for video in folder.iterdir())
