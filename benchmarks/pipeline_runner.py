"""What the benchmark of the pipeline measures through the test runner: a list of videos shared, and scores.

A list of short videos of equal length is parsed by one process with two threads, and by two processes with one thread
each. The runner writes a record when a video is done, and process p of k has every k-th video from the p-th on. What is
counted is the time in which all processes are at work: from the first record of the last to start to the last record of
the first to end; of a video that is only partly in it, that part.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import REPOSITORY, median_ratio, read_json

POINTS = 0.2
"""Of the challenge's score, that the fast runtime may lose or win."""


def make_list(folder: Path, *, videos: int, frames: int, size: tuple[int, int]) -> Path:
    """A synthetic data set with that many test videos, of two actions."""
    from tpsparse.datasets.synthetic import write_dataset

    write_dataset(folder, actions=2, train=1, test=videos // 2, frames=frames, size=size, progress=False)
    return folder


def videos_a_second(system: Path, work_dir: Path, data: Path, *, processes: int, threads: int, out: Path) -> float:
    """The rate at which the runner parses a list, all processes being under way.

    Raises:
        RuntimeError: If the run fails, or has too few videos.
    """
    shutil.rmtree(out, ignore_errors=True)
    arguments = [str(system), "--work-dir", str(work_dir), "--out", str(out), "--cfg-options", f"data_root={data}"]
    if processes == 1:
        command = [sys.executable, str(REPOSITORY / "tools" / "test.py"), *arguments]
    else:
        script = str(REPOSITORY / "tools" / "dist_test.sh")
        command = ["bash", script, arguments[0], str(processes), *arguments[1:]]
    _run(command, {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "PYTHON": sys.executable})
    files = [out / "parses" / "test" / f"{name}.safetensors" for name in listed(data)]
    times = [file.stat().st_mtime for file in files]
    return rate([times[process::processes] for process in range(processes)])


def listed(data: Path) -> list[str]:
    """The test videos of a data set, in the order in which the runner deals them to its processes."""
    from tpsparse.datasets.index import open_index
    from tpsparse.engine.config import names_at

    return [entry.name for entry in open_index(str(data), "test", names_at(data)).videos]


def rate(times: Sequence[Sequence[float]]) -> float:
    """Videos a second while all processes are at work.

    Args:
        times: For each process when its records were written.

    Raises:
        RuntimeError: If there is no such time.
    """
    done = [sorted(each) for each in times]
    start, end = max(each[0] for each in done), min(each[-1] for each in done)
    if end <= start:
        raise RuntimeError("the processes were not at work together: give them more videos, or longer ones")
    counts = [np.interp([start, end], each, range(len(each))) for each in done]
    return float(sum(last - first for first, last in counts) / (end - start))


def sharing_rows(rates: Mapping[str, Sequence[float]], one: str) -> list[dict[str, Any]]:
    """A row a way to share; ``one`` names that of one process."""
    return [
        {
            "run by": name,
            "videos a minute": 60 * sorted(found)[len(found) // 2],
            "speed / one process": median_ratio(found, rates[one]),
        }
        for name, found in rates.items()
    ]


def score(system: Path, work_dir: Path, *, runtime: str, data: str, out: Path) -> float:
    """The challenge's score of a trained system on its test split, in points of 100.

    Raises:
        RuntimeError: If the run fails.
    """
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, str(REPOSITORY / "tools" / "test.py"), str(system), "--work-dir", str(work_dir)]
    _run([*command, "--runtime", runtime, "--out", str(out), "--cfg-options", f"data_root={data}"], {})
    return 100 * read_json(out / "report.json")["score"]


def trained_data(system: Path, work_dir: Path) -> str | None:
    """The data set that a system in a work folder was trained on, or None where it was not trained there."""
    from mmengine.config import Config

    written = work_dir / system.name
    return Config.fromfile(written).get("data_root") if written.is_file() else None


def score_rows(scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """A row a runtime."""
    return [{"runtime": name, "score, points": f"{value:.3f}"} for name, value in scores.items()]


def score_goal(exact: float, fast: float) -> dict[str, Any]:
    """Whether the fast runtime keeps the score."""
    goal = f"score of fast within {POINTS} points of exact, synthetic test split"
    return {
        "goal": goal,
        "measured": f"{fast - exact:+.3f} points",
        "met": "yes" if abs(fast - exact) <= POINTS else "no",
    }


def _run(command: Sequence[str], extra: Mapping[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **extra}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr[-2000:]}")
