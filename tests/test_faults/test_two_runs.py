"""Two runs on one output folder: the second is refused at once, and the first does not notice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import tiny
from fault_runs import Run, Runs

from tpsparse.structures.folder_lock import LOCK_FILE, folder_lock


def commands(systems: tuple[Path, Path], root: Path, folder: Path) -> dict[str, list]:
    """Each kind of run into a folder, and how the message says to choose another one."""
    work, detector = systems[0].parent / "work", systems[0].parent / "narrow_persons.py"
    options = ["--cfg-options", f"data_root={root}"]
    short = ["train_cfg.max_epochs=1", "train_dataloader.dataset.frame_step=6"]
    drawn = ["--actions", 1, "--train", 1, "--test", 1]
    parse = [systems[0], root / "test_videos", "--every", 12, "--work-dir", work, "--out", folder]
    return {
        "train": [detector, "--work-dir", folder, *options, *short],
        "test": [systems[1], "--work-dir", work, "--out", folder],
        "parse_video": parse,
        "reproduce": [systems[1], "--work-dir", folder, "--jobs", 1, *options, *short],
        "prepare_data": ["synthetic", "--out", folder, *drawn, "--frames", 4, "--size", "48x64", "--workers", 1],
    }


REMEDIES = {
    "train": "--work-dir",
    "test": "--out or --work-dir",
    "parse_video": "--out",
    "reproduce": "--work-dir",
    "prepare_data": "--out",
}
LAST = {
    "train": "last_checkpoint",
    "test": "metrics.json",
    "parse_video": "lunge_test_0/parse.json",
    "reproduce": "report.json",
    "prepare_data": "test_videos/pull_ups/pull_ups_test_000.mp4",
}


def hold_once_locked(run: Run, folder: Path) -> None:
    """Stop a run as soon as its folder is locked."""
    file, end = folder / LOCK_FILE, time.monotonic() + 60
    while not (file.is_file() and file.read_bytes()):
        assert time.monotonic() < end and run.process.is_alive(), run.log.read_text()[-2000:]
        time.sleep(0.002)
    os.kill(run.process.pid, signal.SIGSTOP)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("tool", REMEDIES)
def test_the_second_is_refused(runs: Runs, systems, tiny_root, tmp_path, tool):
    folder = tmp_path / "of both (é)"
    arguments = commands(systems, tiny_root, folder)[tool]
    first = runs.start(tool, arguments, tmp_path / "first.log", folder)
    hold_once_locked(first, folder)
    try:
        before = content(folder)
        second = runs.finish(tool, arguments, tmp_path / "second.log", folder)
        assert content(folder) == before
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    told = [line for line in second.printed.splitlines() if "error" in line]
    owner = f"(process {first.process.pid} on {socket.gethostname()})"
    remedy = f"wait until that has ended, or give another {REMEDIES[tool]}"
    assert told == [f"error: {folder} is used by another run {owner}: {remedy}"]
    assert second.status == 2 and "Traceback" not in second.printed

    ended = first.wait()
    assert ended.status == 0, ended.printed[-2000:]
    assert not (folder / LOCK_FILE).exists() and tiny.leftovers(folder) == []
    assert (folder / LAST[tool]).is_file()


def test_several_processes_of_a_run(fusion, tmp_path, environment):
    """The first asks for the folder, for all; where it is refused the others do not wait for it."""
    folder = tmp_path / "run"
    script = tiny.REPOSITORY / "tools" / "dist_train.sh"
    with folder_lock(folder):
        command = ["bash", str(script), str(fusion), "2", "--work-dir", str(folder)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
        assert [path.name for path in folder.iterdir()] == [LOCK_FILE]
    told = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(told) == 1 and told[0].startswith(f"error: {folder} is used by another run (process {os.getpid()} on ")
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_network_is_tested_beside_its_training(runs: Runs, systems, tiny_root, tmp_path):
    """Of the epochs that are done, say: a test leaves nothing in the folder that the training could miss or lose."""
    folder = tmp_path / "run"
    arguments = commands(systems, tiny_root, folder)["train"]
    assert runs.finish("train", arguments, tmp_path / "once.log", folder).status == 0
    training = runs.start("train", arguments, tmp_path / "train.log", folder)
    hold_once_locked(training, folder)
    try:
        detector, options = arguments[0], [f"data_root={tiny_root}", "test_dataloader.dataset.frame_step=6"]
        given = [detector, "--work-dir", folder, "--cfg-options", *options]
        tested = runs.finish("test", given, tmp_path / "test.log", folder)
    finally:
        os.kill(training.process.pid, signal.SIGCONT)
    assert tested.status == 0, tested.printed[-2000:]
    assert training.wait().status == 0
