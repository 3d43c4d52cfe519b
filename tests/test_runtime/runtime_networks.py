"""Quick networks of every class that a stage runs, with random weights, and what they predict as plain tensors."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement
from tiny import ACTIONS, PARTS, QUICK, STATES
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tpsparse.engine import load_config
from tpsparse.parsing.network import TrainedNetwork, merges_views
from tpsparse.registry import MODELS
from tpsparse.runtime.graphs import network_in
from tpsparse.runtime.made_items import made_items
from tpsparse.taxonomy import Taxonomy

NAMES = Taxonomy(parts=PARTS, states=STATES, actions=ACTIONS, objects=("ball", "bar"))
LABELS = dict(group="", seconds=None, labels=[[action, STATES[0]] for action in ACTIONS])
OTHER_SIZES = ((140, 100), (80, 170))
"""(height, width) of frames of other shapes than those that graphs are exported with."""
LAST = ("rpn_cls", "rpn_reg", "fc_cls", "fc_reg", "cls_score", "bbox_pred", "object_pred")
"""Layers of detectors whose outputs stay near 0: boxes near the anchors, scores that differ."""
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "cascade": ("person_detection/dap_cascade-rcnn_r18_fpn_1xb8_synthetic.py", {}),
    "yolof": ("person_detection/pcf_yolof_r18-c5_1xb8_synthetic.py", {}),
    "part yolof": ("part_detection/pcf_yolof_r18-c5_1xb16_synthetic-128x96.py", {}),
    "faster": ("part_detection/scu_faster-rcnn_vgg11_1xb8_synthetic.py", {"model.test_cfg.rcnn.score_thr": 0.0}),
    "pose": ("pose_estimation/pcf_td-hm_hrnet-w16_1xb16_synthetic-128x96.py", {}),
    "parsing hrnet": ("part_parsing/dap_parsing-hrnet-w16_1xb16_synthetic-128x96.py", {}),
    "part states": ("part_parsing/scu_part-states_vgg11_1xb8_synthetic-256.py", {}),
    "swin views": ("action_recognition/dap_swin-24_1xb8_synthetic-8x2x1-rgb_flip.py", {}),
    "timesformer": ("action_recognition/dap_timesformer_divst_1xb8_synthetic-8x2x1-rgb.py", {}),
    "ip-csn": ("action_recognition/pcf_csn-ip-50_1xb8_synthetic-8x4x1-rgb.py", {}),
    "tsn flow": ("action_recognition/pcf_tsn-r18_1xb8_synthetic-5x1x3-flow.py", {}),
    "bn-inception": ("action_recognition/tapos_tsn-bn-inception-x4_1xb8_synthetic-1x1x8-rgb.py", {}),
    "mlp": ("feature_fusion/dap_mlp_1xb16_synthetic.py", {}),
    "lstm": ("feature_fusion/scu_lstm_1xb16_synthetic.py", {}),
}
"""Name to the config below ``configs/quick`` and its overrides."""


def open_network(name: str) -> TrainedNetwork:
    """A network with the same random weights in each call; batch norms have seen something."""
    init_default_scope("tpsparse")
    config, options = NETWORKS[name]
    cfg = load_config(QUICK / config, options=dict(options), taxonomy=NAMES, label_table=LABELS)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    for place, layer in model.named_modules():
        if isinstance(layer, _BatchNorm):
            _fill(layer)
        elif isinstance(layer, (nn.Conv2d, nn.Conv3d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            if place.endswith(LAST):
                layer.weight.data *= 0.05
    if merges_views(cfg):
        model = MODELS.build(dict(cfg.tta_model, module=model))
    return TrainedNetwork(cfg, model.eval(), Compose(cfg.test_pipeline), "")


def _fill(norm: _BatchNorm) -> None:
    norm.running_mean.normal_(std=0.2)
    norm.running_var.uniform_(0.5, 2)
    nn.init.uniform_(norm.weight, 0.5, 1.2)
    nn.init.normal_(norm.bias, std=0.2)


def items_of(network: TrainedNetwork) -> list[dict[str, Any]]:
    """Three prepared items, two of them alike."""
    made = made_items(network_in(network.model), network.config, network.pipeline, sizes=OTHER_SIZES)
    return [*made, made[0]] if len(made) > 1 else made * 3


def predict(network: TrainedNetwork, items: list[dict[str, Any]]) -> list[tuple[str, Tensor]]:
    """All tensors in the results of a batch, with their names; the items stay as they are."""
    return [pair for result in network.predict(copy.deepcopy(items)) for pair in _tensors(result)]


def _tensors(result: BaseDataElement, before: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in sorted(result.items()):
        if isinstance(value, BaseDataElement):
            yield from _tensors(value, f"{before}{name}.")
        elif not name.startswith("gt_"):
            yield f"{before}{name}", torch.as_tensor(value)


def assert_alike(found: list[tuple[str, Tensor]], expected: list[tuple[str, Tensor]], tolerance: float) -> None:
    """Equal names and shapes, and numbers that differ by no more than a share of the greatest of a tensor."""
    assert [(name, tensor.shape) for name, tensor in found] == [(name, tensor.shape) for name, tensor in expected]
    for (name, one), (_, other) in zip(found, expected):
        if not other.is_floating_point():
            assert torch.equal(one, other), name
            continue
        assert torch.equal(one.isnan(), other.isnan()), name
        scale = other.nan_to_num().abs().max().item() if other.numel() else 1.0
        torch.testing.assert_close(one, other, rtol=0, atol=tolerance * max(scale, 1e-6), equal_nan=True, msg=name)
