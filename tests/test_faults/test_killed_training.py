"""A training that is killed outright again and again, at moments drawn at random, ends as one that was left alone."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import tiny
from fault_runs import Ended, Runs, kill_somewhere
from outcomes import differences, told_steps, trained
from small_system import EPOCHS, STEPS

KILLS = {0: 15, 1: 5}
"""How many times a training is killed, by its number of loader workers: twenty in all."""


@pytest.fixture(scope="module")
def whole(runs, fusion, tmp_path_factory) -> tuple[Path, Ended]:
    """The training that nothing disturbs: the second one, since the first makes the index of the data set."""
    folder = tmp_path_factory.mktemp("whole")
    for name in ("first", "run"):
        ended = train(runs, fusion, folder / name)
    return folder / "run", ended


def train(runs: Runs, config: Path, folder: Path, *more: object) -> Ended:
    ended = runs.finish("train", [config, "--work-dir", folder, *more], folder.with_suffix(".log"), folder)
    assert ended.status == 0, ended.printed[-2000:]
    return ended


def epochs_done(folder: Path) -> int:
    """The epoch from which a training goes on."""
    last = folder / "last_checkpoint"
    return int(Path(last.read_text()).stem.removeprefix("epoch_")) if last.is_file() else 0


def check_ended_as(folder: Path, whole: Path) -> None:
    assert differences(trained(folder), trained(whole)) == []
    assert tiny.leftovers(folder) == []
    steps = {step["step"]: step for step in told_steps(whole)}
    assert list(steps) == list(range(1, STEPS * EPOCHS + 1))
    told = told_steps(folder)
    assert {step["step"] for step in told} == steps.keys()
    assert [step for step in told if step != steps[step["step"]]] == []  # also those that were done twice


@pytest.mark.parametrize("workers", KILLS)
def test_killed_at_random_moments(runs, fusion, whole, tmp_path, workers):
    generator = np.random.default_rng(workers)
    options = ["--cfg-options", f"train_dataloader.num_workers={workers}"]
    options += ["train_dataloader.persistent_workers=True"] * (workers > 0)
    reference = train(runs, fusion, tmp_path / "reference", *options) if workers else whole[1]
    kills, trainings = 0, 0
    while kills < KILLS[workers]:
        folder = tmp_path / f"run{trainings}"
        trainings += 1
        arguments = [fusion, "--work-dir", folder, "--resume", *options]
        ended = None
        while ended is None or ended.status != 0:
            done, told = epochs_done(folder), len(told_steps(folder))
            run = runs.start("train", arguments, folder.with_suffix(".log"), folder)
            ended = kill_somewhere(run, reference, generator)
            assert ended.status in (0, -signal.SIGKILL), ended.printed[-2000:]
            assert all(step["step"] > done * STEPS for step in told_steps(folder)[told:])  # it went on
            kills += ended.status != 0
        check_ended_as(folder, whole[0])
    assert trainings > 1
