"""A training gives the same weights with any number of loader workers, and where it was interrupted."""

from __future__ import annotations

import multiprocessing

import pytest
import torch
from mmengine.config import Config
from tiny import quick_config


@pytest.fixture
def config(tiny_root, tmp_path):
    """Video Swin of one width with dropout: 6 clips in batches of 3, two epochs."""
    cfg = Config.fromfile(quick_config("action_recognition"))
    cfg.merge_from_dict(
        {
            "data_root": str(tiny_root),
            "model.backbone.arch": dict(embed_dims=8, depths=[1, 1], num_heads=[1, 2]),
            "model.backbone.out_indices": (1,),
            "model.cls_head.in_channels": 16,
            "model.cls_head.dropout_ratio": 0.5,
            "train_cfg.max_epochs": 2,
            "train_dataloader.batch_size": 3,
            "train_dataloader.dataset.repeat": 1,
        }
    )
    for step in cfg.train_dataloader.dataset.pipeline:
        if "scale" in step:
            step.scale = (32, 32)
    cfg.dump(tmp_path / "clips.py")
    return tmp_path / "clips.py"


def weights(folder):
    return torch.load(folder / "epoch_2.pth", weights_only=True)["state_dict"]


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_same_weights(config, run_tool, tmp_path):
    found = {}
    for workers in (0, 1, 2):
        folder = tmp_path / str(workers)
        options = ["--cfg-options", f"train_dataloader.num_workers={workers}"]
        assert run_tool("train", config, "--work-dir", folder, *options) == 0
        assert multiprocessing.active_children() == []  # the workers end with the training
        found[workers] = weights(folder)
    assert same(found[0], found[1]) and same(found[0], found[2])
    # Workers that live on are started anew in a training that goes on.
    (folder / "epoch_2.pth").unlink()
    (folder / "last_checkpoint").write_text("epoch_1.pth")
    assert run_tool("train", config, "--resume", "--work-dir", folder, *options) == 0
    assert same(found[0], weights(folder))
