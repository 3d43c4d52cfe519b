"""Parsers that are fitted: through the runner, once more, going on, and in two processes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from tiny_tapos import CHANNELS, write_instances

from tpsparse import apis
from tpsparse.engine import AssignmentHook, load_config
from tpsparse.errors import InputError
from tpsparse.parsing.network import read_checkpoint

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK = REPOSITORY / "configs" / "quick" / "temporal_parsing"
FITTED = {"floor_none": {}, "floor_even": {}, "kmeans_k64": {"model.channels": CHANNELS, "model.num_groups": 8}}
LEARNED = {
    "isba_k64": {"model.channels": CHANNELS, "model.num_groups": 8, "model.widths": (8, 8), "model.kernel_size": 3},
    "ctm": {"model.channels": CHANNELS, "model.hidden_channels": 8, "model.num_labels": 6},
    "tcn": {"model.channels": CHANNELS, "model.hidden_channels": 8},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_instances(tmp_path_factory.mktemp("tapos") / "data", features="bn-inception-x4_tsn")


def config(root: Path, name: str, work_dir: Path, **options):
    given = {"data_root": str(root), **{**FITTED, **LEARNED}[name], **options}
    return load_config(QUICK / f"{name}_synthetic.py", options=given, work_dir=work_dir)


def scores_of(root, name, work_dir) -> dict[str, float]:
    return apis.test(config(root, name, work_dir))[0]


@pytest.mark.parametrize("name", list(FITTED))
def test_fit_and_test(root, tmp_path, name):
    runner = apis.train(config(root, name, tmp_path))
    assert (runner.epoch, runner.iter) == (1, 6)
    assert (tmp_path / "last_checkpoint").read_text().endswith("epoch_1.pth")
    told = scores_of(root, name, tmp_path)
    assert told["boundary/instances"] == 3 and "boundary_loose/f1_rel" in told
    found = {"floor_none": 0, "kmeans_k64": told["boundary/truths"]}.get(name, 3 * runner_mean(runner))
    # The features of different sub-actions are far apart, so that k-means finds what is annotated.
    assert told["boundary/predictions"] == pytest.approx(found, abs=2 if name == "kmeans_k64" else 0)
    if name == "kmeans_k64":
        assert told["boundary/f1@5"] > 0.8


def runner_mean(runner) -> int:
    numbers = [len(instance.boundaries) for instance in runner.train_dataloader.dataset.instances]
    return int(sum(numbers) / len(numbers) + 0.5)


def test_a_fit_that_goes_on_does_nothing(root, tmp_path, monkeypatch):
    apis.train(config(root, "kmeans_k64", tmp_path))
    before = read_checkpoint(str(tmp_path / "epoch_1.pth"))["state_dict"]["centres"]
    from tpsparse.models.temporal_parsing import KMeansParser

    monkeypatch.setattr(KMeansParser, "fit", lambda *_: pytest.fail("fitted again"))
    runner = apis.train(config(root, "kmeans_k64", tmp_path), resume=True)
    assert torch.equal(runner.model.centres, before) and before.abs().sum() > 0


def test_the_seed_decides(root, tmp_path):
    centres = []
    for number, seed in enumerate((0, 0, 1)):
        runner = apis.train(config(root, "kmeans_k64", tmp_path / str(number), **{"randomness.seed": seed}))
        centres.append(runner.model.centres)
    assert torch.equal(centres[0], centres[1]) and not torch.equal(centres[0], centres[2])


def test_other_features_than_the_config_names(root, tmp_path):
    with pytest.raises(InputError, match=r"have shape .* the model takes \(frames, 5\)"):
        apis.train(config(root, "kmeans_k64", tmp_path, **{"model.channels": 5}))


@pytest.mark.parametrize("name", list(LEARNED))
def test_learn_and_test(root, tmp_path, name):
    apis.train(config(root, name, tmp_path, **{"train_cfg.max_epochs": 2}))
    told = scores_of(root, name, tmp_path)
    assert told["boundary/instances"] == 3 and 0 <= told["boundary/f1_rel"] <= 1


def test_isba_goes_on_as_if_it_had_not_stopped(root, tmp_path):
    options = {"train_cfg.max_epochs": 3, "default_hooks.checkpoint.max_keep_ckpts": 3}
    apis.train(config(root, "isba_k64", tmp_path / "whole", **options))
    (tmp_path / "rest").mkdir()
    shutil.copy(tmp_path / "whole" / "epoch_1.pth", tmp_path / "rest")
    (tmp_path / "rest" / "last_checkpoint").write_text("epoch_1.pth")
    apis.train(config(root, "isba_k64", tmp_path / "rest", **options), resume=True)
    first, whole, rest = (
        read_checkpoint(str(tmp_path / path)) for path in ("whole/epoch_1.pth", "whole/epoch_3.pth", "rest/epoch_3.pth")
    )
    assert len(first["assigned_boundaries"]) == 6
    assert whole["assigned_boundaries"] == rest["assigned_boundaries"] != first["assigned_boundaries"]
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, rest["state_dict"][name]), name


def test_rounds_of_several_epochs(root, tmp_path):
    options = {"train_cfg.max_epochs": 3, "custom_hooks.5.interval": 2, "default_hooks.checkpoint.max_keep_ckpts": 3}
    apis.train(config(root, "isba_k64", tmp_path, **options))
    held = [read_checkpoint(str(tmp_path / f"epoch_{n}.pth"))["assigned_boundaries"] for n in (1, 2, 3)]
    assert held[0] == {} and len(held[1]) == 6 and held[1] == held[2]
    with pytest.raises(InputError, match="rounds of 0 epochs"):
        AssignmentHook(interval=0)


def test_two_processes_fit_what_one_does(root, tmp_path, environment):
    apis.train(config(root, "kmeans_k64", tmp_path / "one"))
    options = [f"data_root={root}", *(f"{key}={value}" for key, value in FITTED["kmeans_k64"].items())]
    command = ["bash", REPOSITORY / "tools" / "dist_train.sh", QUICK / "kmeans_k64_synthetic.py", 2]
    command += ["--work-dir", tmp_path / "two", "--cfg-options", *options]
    done = subprocess.run(
        list(map(str, command)), env=environment(), cwd=REPOSITORY, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    one, two = (read_checkpoint(str(tmp_path / name / "epoch_1.pth")) for name in ("one", "two"))
    assert torch.equal(one["state_dict"]["centres"], two["state_dict"]["centres"])
