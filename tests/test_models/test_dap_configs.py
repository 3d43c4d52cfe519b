"""The full-size networks of DAP, against the parameter counts of the upstream packages (in millions)."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from tpsparse.engine.config import load_config
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
PARSING = CONFIGS / "part_parsing" / "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"
TIMESFORMER = CONFIGS / "action_recognition" / "dap_timesformer_divst_8xb8-30e_kinetics-tps-8x32x1-rgb.py"
SWIN = CONFIGS / "action_recognition" / "dap_swin-base_8xb8-30e_kinetics-tps-32x2x1-rgb.py"
FUSION = CONFIGS / "feature_fusion" / "dap_mlp_8xb32-30e_kinetics-tps.py"
PARTS, STATES, ACTIONS = 10, 74, 24
UPSTREAM_ACTIONS = 400


def make_taxonomy(actions: int = ACTIONS) -> Taxonomy:
    sides = [f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in ("left", "right")]
    return Taxonomy(
        parts=("head", "hip", *sides),
        states=tuple(f"state {i}" for i in range(STATES)),
        actions=tuple(f"action {i}" for i in range(actions)),
    )


def read(path: Path, actions: int = ACTIONS) -> Config:
    return load_config(path, taxonomy=make_taxonomy(actions))


def millions(module: nn.Module) -> float:
    return sum(weight.numel() for weight in module.parameters()) / 1e6


def test_parsing_hrnet():
    model = MODELS.build(read(PARSING).model)
    # mmpose's 63.60 M end in a 1 x 1 convolution from 48 channels to 17 keypoints; the rest is the backbone.
    assert millions(model.backbone) + (48 + 1) * 17 / 1e6 == pytest.approx(63.60, abs=0.005)
    # Two 3 x 3 convolutions without bias, their norms, one 1 x 1 convolution.
    assert millions(model.part_head) * 1e6 == pytest.approx(2 * (48 * 48 * 9 + 2 * 48) + (48 + 1) * PARTS)
    linear = (48 + 1) * 192 + (192 + 1) * 192 + (192 + 1) * PARTS * STATES
    assert millions(model.state_head) * 1e6 == pytest.approx(linear)


@pytest.mark.parametrize(("path", "expected"), [(TIMESFORMER, 121.57), (SWIN, 88.05)], ids=["timesformer", "swin"])
def test_recognizers(path, expected):
    model = MODELS.build(read(path, UPSTREAM_ACTIONS).model)
    assert millions(model) == pytest.approx(expected, abs=0.005)


def test_fusion():
    model = MODELS.build(read(FUSION).model)
    pooled = (2048, 256, 48, 192)
    mlps = sum((size + 1) * 512 + (512 + 1) * 256 for size in pooled)
    linear = (4 * 256 + 768 + 1024 + 1) * ACTIONS
    assert millions(model) * 1e6 == pytest.approx(mlps + linear)


def test_features_fit_between_networks():
    fusion, parsing = read(FUSION).model, read(PARSING).model
    assert fusion.person_features.part == parsing.part_head.in_channels
    assert fusion.person_features.state == parsing.state_head.state_channels
    assert fusion.video_features.timesformer == read(TIMESFORMER).model.cls_head.in_channels
    assert fusion.video_features.swin == read(SWIN).model.cls_head.in_channels


@pytest.mark.parametrize(
    ("path", "epochs", "optimizer", "rate"),
    [
        (PARSING, 40, "Adam", 1e-4),
        (TIMESFORMER, 30, "AdamW", 1e-3),
        (SWIN, 30, "AdamW", 1e-3),
        (FUSION, 30, "AdamW", 1e-3),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else None,
)
def test_training_follows_table_2(path, epochs, optimizer, rate):
    config = read(path)
    assert config.train_cfg.max_epochs == epochs
    assert config.optim_wrapper.optimizer.type == optimizer and config.optim_wrapper.optimizer.lr == rate
    schedule = config.param_scheduler[-1]
    assert schedule.get("milestones") == [30, 35] if path == PARSING else schedule.type == "CosineAnnealingLR"
    assert schedule.end == epochs


@pytest.mark.parametrize("path", [TIMESFORMER, SWIN], ids=["timesformer", "swin"])
def test_backbone_learns_at_a_tenth(path):
    config = read(path)
    shrunk = dict(config.model.backbone)
    if path == SWIN:
        shrunk["arch"] = dict(embed_dims=4, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1])
    else:
        shrunk.update(embed_dims=12, num_heads=2, num_transformer_layers=1)
    model = MODELS.build({**config.model, "backbone": shrunk})
    groups = build_optim_wrapper(model, config.optim_wrapper).optimizer.param_groups
    rates = {id(weight): (group["lr"], group["weight_decay"]) for group in groups for weight in group["params"]}
    named = {name: rates[id(weight)] for name, weight in model.named_parameters()}
    assert all(rate == pytest.approx(1e-3) for name, (rate, _) in named.items())
    free = ("norm", "cls_token", "pos_embed", "time_embed", "relative_position_bias_table")
    assert all(decay == 0 for name, (_, decay) in named.items() if any(word in name for word in free))
    assert named["cls_head.fc_cls.weight"][1] == 0.05
