"""Configs of PCF's and the runner-up's recognizers, against the reports and the upstream packages' parameter counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from torch import nn

from tpsparse.datasets.tasks import clip_sample
from tpsparse.engine.config import load_config
from tpsparse.parsing.network import _without_pretraining
from tpsparse.registry import DATASETS, MODELS, TRANSFORMS
from tpsparse.taxonomy import Taxonomy

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
ACTION, STATE = CONFIGS / "action_recognition", CONFIGS / "state_recognition"
QUICK_ACTION, QUICK_STATE = CONFIGS / "quick" / "action_recognition", CONFIGS / "quick" / "state_recognition"
IP_CSN = ACTION / "pcf_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"
IP_CSN_BN = ACTION / "runner_up_csn-ip-152_4xb4-58e_kinetics-tps-32x2x1-rgb_bn.py"
IR_CSN = ACTION / "runner_up_csn-ir-152_4xb4-58e_kinetics-tps-32x2x1-rgb.py"
TSN = ACTION / "pcf_tsn-r50_8xb32-100e_kinetics-tps-1x1x3-rgb.py"
TSN_FLOW = ACTION / "pcf_tsn-r50_8xb32-110e_kinetics-tps-5x1x3-flow.py"
NETWORKS = [path for folder in (ACTION, QUICK_ACTION) for path in sorted(folder.glob("*.py"))]
RECOGNIZERS = [path for path in NETWORKS if path.name.startswith(("pcf_", "runner_up_"))]
STATES = [path for folder in (STATE, QUICK_STATE) for path in sorted(folder.glob("*.py"))]
UPSTREAM_ACTIONS = 400


def label(path):
    return str(path.relative_to(CONFIGS))


def make_taxonomy(actions):
    sides = [f"{side}_{part}" for part in ("arm", "hand", "leg", "foot") for side in ("left", "right")]
    names = [f"action {i}" for i in range(actions)]
    return Taxonomy(parts=("head", "hip", *sides), states=("none", "bend"), actions=tuple(names))


def labels(number, group="head"):
    return dict(group=group, seconds=3.0, labels=[[f"action {i}", "none"] for i in range(number)])


def build(path, actions=24):
    init_default_scope("tpsparse")
    cfg = load_config(path, taxonomy=make_taxonomy(actions), label_table=labels(actions))
    with torch.device("meta"):  # shapes alone
        return MODELS.build(_without_pretraining(cfg.model))


def millions(module):
    return sum(weight.numel() for weight in module.parameters()) / 1e6


def norms(model):
    return [each for each in model.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]


def test_sizes_are_those_of_the_upstream_packages():
    ir_csn, tsn = build(IR_CSN, UPSTREAM_ACTIONS), build(TSN, UPSTREAM_ACTIONS)
    assert millions(ir_csn) == pytest.approx(29.70, abs=0.005)
    assert millions(tsn) == pytest.approx(24.33, abs=0.005)
    # Each of 3, 8, 36 and 3 blocks has a 1x1x1 convolution and its norm more than that of ir-CSN.
    more = sum(count * (width**2 + 2 * width) for count, width in ((3, 64), (8, 128), (36, 256), (3, 512)))
    assert millions(build(IP_CSN, UPSTREAM_ACTIONS)) - millions(ir_csn) == pytest.approx(more / 1e6)
    # Ten channels in place of three, into 64 by 7 x 7.
    assert millions(build(TSN_FLOW, UPSTREAM_ACTIONS)) - millions(tsn) == pytest.approx(7 * 64 * 49 / 1e6)


@pytest.mark.parametrize("path", [*RECOGNIZERS, *STATES], ids=label)
def test_batch_norm_is_frozen_where_it_is_said(path):
    model = build(path).train()
    layers = norms(model.backbone)
    if "csn" in path.name and "_bn" not in path.name:
        assert layers and not any(each.training or each.weight.requires_grad for each in layers)
    elif path.parent == QUICK_STATE:  # TSN: means and variances stay
        assert layers and not any(each.training for each in layers)
    else:
        assert all(each.training and each.weight.requires_grad for each in layers)
    assert all(weight.requires_grad for weight in model.cls_head.parameters())


def test_rates_of_csn():
    """8e-5 after a warm-up of 16 epochs, a tenth of it from epoch 32 and a hundredth from 48 on."""
    cfg = Config.fromfile(IP_CSN, lazy_import=False)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=cfg.optim_wrapper.optimizer.lr)
    steps_of_epoch = 10
    schedulers = []
    for each in cfg.param_scheduler:
        each = dict(each)
        scheduler = PARAM_SCHEDULERS.get(each.pop("type"))
        if each.pop("convert_to_iter_based", False):
            schedulers.append((1, scheduler.build_iter_from_epoch(optimizer, epoch_length=steps_of_epoch, **each)))
        else:
            schedulers.append((steps_of_epoch, scheduler(optimizer, **each)))
    rates = []
    for step in range(cfg.train_cfg.max_epochs * steps_of_epoch):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for every, scheduler in schedulers:
            if (step + 1) % every == 0:
                scheduler.step()
    first_of_epoch = rates[::steps_of_epoch]
    assert first_of_epoch[0] == pytest.approx(8e-6)
    assert 4e-5 < first_of_epoch[8] < 5e-5
    assert first_of_epoch[17] == first_of_epoch[31] == pytest.approx(8e-5)
    assert first_of_epoch[32] == first_of_epoch[47] == pytest.approx(8e-6)
    assert first_of_epoch[48] == first_of_epoch[57] == pytest.approx(8e-7)


@pytest.mark.parametrize("path", [IP_CSN, IP_CSN_BN, IR_CSN, TSN, TSN_FLOW], ids=label)
def test_optimizer_of_the_report(path):
    optimizer = Config.fromfile(path, lazy_import=False).optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.nesterov, optimizer.weight_decay) == ("SGD", 0.9, True, 1e-4)


@pytest.mark.parametrize("path", [*RECOGNIZERS, *STATES], ids=label)
def test_seven_clips_of_a_video(path, tiny_root, scope):
    cfg = load_config(path, taxonomy=make_taxonomy(2), label_table=labels(2))
    steps = [dict(step, compute=True) if step.type == "DecodeFlow" else step for step in cfg.test_pipeline]
    video = tiny_root / "test_videos" / "push_up" / "push_up_test_0.mp4"
    if "quick" not in path.parts:  # the frames of the full size take time, and TV-L1 more
        steps = [dict(step, scale=(-1, 32)) if step["type"] == "mmaction.Resize" else step for step in steps]
        steps = [dict(step, crop_size=32) if "Crop" in step["type"] else step for step in steps]
        steps = [dict(step, short_side=32, effort="quick") if step["type"] == "DecodeFlow" else step for step in steps]
    packed = Compose([TRANSFORMS.build(step) for step in steps])(clip_sample(video, "v", 12, 10.0, label=-1))
    assert len(packed["inputs"]) == 7
    channels = 10 if "flow" in path.name else 3
    assert packed["inputs"].shape[1] == channels


@pytest.mark.parametrize("path", [path for path in [*RECOGNIZERS, *STATES] if "quick" in path.parts], ids=label)
def test_what_a_quick_network_starts_from(path):
    source = load_config(path, taxonomy=make_taxonomy(2), label_table=labels(2)).get("start_from")
    frozen = not norms(build(path).train().backbone)[0].training
    assert bool(source) == frozen  # frozen statistics must come from somewhere
    if not source:
        return
    source = Path(source).resolve()
    assert source in RECOGNIZERS and ("ip" in source.stem) == ("ip" in path.stem)
    mine, other = (model.backbone.state_dict() for model in (build(path), build(source, actions=3)))
    assert {name: value.shape for name, value in mine.items()} == {name: value.shape for name, value in other.items()}
    assert all(each.training for each in norms(build(source).train().backbone))


@pytest.mark.parametrize("path", STATES, ids=label)
@pytest.mark.parametrize("group", ["head", "arm"])
def test_states_of_a_group(path, group, tiny_root, tiny_taxonomy, scope):
    cfg = load_config(path, options={"data_root": str(tiny_root), "group": group}, taxonomy=tiny_taxonomy)
    data = DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=[]))
    assert data.table.group == group and len(data.table.labels) == cfg.model.cls_head.num_classes
    # 1.2 s of video: one segment. The head has one state; the arms of an action have one that is the most frequent.
    assert len(data) == 6 and len(data.table.labels) == 3
    assert data.metainfo["label_table"]["seconds"] == cfg.seconds
    expected = {"_3s": 3.0, "_10s": 10.0, "_video": None}[path.stem[path.stem.rindex("_") :]]
    assert cfg.test_dataloader.dataset.segments.seconds == cfg.seconds == expected


def test_segments_are_cut_as_asked(tiny_root, tiny_taxonomy, scope):
    path = QUICK_STATE / "pcf_csn-ip-50_1xb8_synthetic-8x4x1-rgb_3s.py"
    options = {"data_root": str(tiny_root), "group": "arm", "seconds": 0.4}
    cfg = load_config(path, options=options, taxonomy=tiny_taxonomy)
    data = DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=[]))
    assert len(data) == 6 * 3 and data.table.seconds == 0.4


@pytest.mark.parametrize("path", [path for path in [*NETWORKS, *STATES] if "dap_" not in path.name], ids=label)
def test_a_child_states_its_difference_alone(path):
    lines = path.read_text().split('"""')[2].strip().splitlines()
    lines = lines[1:] if lines[0].startswith("# noqa") else lines
    lines = [line for line in lines if line]
    if lines[0].startswith("_base_ = ["):
        return
    parent = (path.parent / lines[0].split('"')[1]).resolve()
    assert len(lines) <= 10
    assert '_base_ = ["' in parent.read_text(), "a child is no parent"
