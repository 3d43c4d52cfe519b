"""The full-size networks of DAP, against the parameter counts of the upstream packages (in millions)."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import ANY

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from tpsparse.engine.config import load_config
from tpsparse.registry import MODELS
from tpsparse.taxonomy import Taxonomy

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
PARSING = CONFIGS / "part_parsing" / "dap_parsing-hrnet-w48_8xb32-40e_kinetics-tps-256x192.py"
QUICK_PARSING = CONFIGS / "quick" / "part_parsing" / "dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py"
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


def variant(parent: Path, name: str) -> Path:
    """The child that differs in the heads, as part of the network's name."""
    method, rest = parent.name.split("_", 2)[1:]
    return parent.with_name(f"dap_{method}-{name}_{rest}")


# Heatmap heads have the part head's convolutions and one heatmap for each of what they tell apart.
CONVOLUTIONS = 2 * (48 * 48 * 9 + 2 * 48)


@pytest.mark.parametrize(
    ("name", "parameters", "part_head"),
    [
        ("shared-heatmaps", CONVOLUTIONS + (48 + 1) * PARTS * STATES, False),
        ("state-heatmaps", CONVOLUTIONS + (48 + 1) * STATES, True),
        ("cross-entropy", (48 + 1) * 192 + (192 + 1) * 192 + (192 + 1) * PARTS * STATES, True),
    ],
)
def test_variants_of_part_parsing(name, parameters, part_head):
    config = read(variant(PARSING, name)).model
    # Only the heads are counted.
    backbone = dict(type="mmpose.HRNet", in_channels=3, extra=read(QUICK_PARSING).model.backbone.extra)
    model = MODELS.build({**config, "backbone": backbone})
    assert millions(model.state_head) * 1e6 == pytest.approx(parameters)
    assert (model.part_head is not None) == part_head
    assert model.part_feature_dim == 48 and model.state_feature_dim == (192 if name == "cross-entropy" else 48)


def values(config: Config) -> dict[str, object]:
    """Every plain value of a config by its path."""

    def walk(node: object, path: str) -> dict[str, object]:
        if isinstance(node, dict):
            return {name: value for key in node for name, value in walk(node[key], f"{path}.{key}").items()}
        return {path.removeprefix("."): node}

    return walk(config.to_dict(), "")


def difference(child: Path, parent: Path) -> dict[str, object]:
    """What the child says otherwise, ``"gone"`` where it says nothing."""
    old, new = values(read(parent)), values(read(child))
    names = sorted(old.keys() | new.keys())
    return {name: new.get(name, "gone") for name in names if old.get(name, "gone") != new.get(name, "gone")}


@pytest.mark.parametrize(("parent", "channels", "weight"), [(PARSING, 48, 1.0), (QUICK_PARSING, 16, 100.0)])
def test_variants_state_their_difference_alone(parent, channels, weight):
    own = {"work_dir": ANY, "model.state_head.gamma": "gone", "model.state_head.state_channels": "gone"}
    assert difference(variant(parent, "shared-heatmaps"), parent) == {
        **own,
        "model.state_head.type": "SharedHeatmapModule",
        "model.part_head": None,
        "model.part_head.type": "gone",
        "model.part_head.in_channels": "gone",
        "model.part_head.num_parts": "gone",
        "model.state_weight": weight,
    }
    assert difference(variant(parent, "state-heatmaps"), parent) == {
        **own,
        "model.state_head.type": "StateHeatmapModule",
        "model.state_head.num_parts": "gone",
        "model.state_weight": weight,
    }
    assert difference(variant(parent, "cross-entropy"), parent) == {"work_dir": ANY, "model.state_head.gamma": 0.0}
    assert read(variant(parent, "shared-heatmaps")).model.state_head.in_channels == channels


@pytest.mark.parametrize(
    ("parent", "name", "changed"),
    [
        (PARSING, "no-flip", {"model.test_cfg.flip_test": False}),
        (QUICK_PARSING, "flip", {"model.test_cfg.flip_test": True}),
    ],
)
def test_mirroring_in_testing_is_all_that_changes(parent, name, changed):
    child = parent.with_name(f"{parent.stem}_{name}.py")
    assert difference(child, parent) == changed
    was, now = (bool(read(path).model.get("test_cfg", {}).get("flip_test")) for path in (parent, child))
    assert was != now


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
def test_backbone_learns_at_the_same_rate_as_the_head(path):
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
